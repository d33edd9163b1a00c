//! Workflow commands of GitHub Actions: each finding as an annotation of its line.

use crate::diagnostic::Severity;
use crate::printable::Printable;

use super::finding::Finding;

/// Returns the commands, one a line.
#[must_use]
pub fn annotations(findings: &[Finding]) -> Printable {
    let mut out = Printable::default();
    for finding in findings {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let place = finding.main_place();
        let numbers = place.map(|place| (place.line.to_string(), place.column.to_string()));
        let mut properties = vec![("title", finding.code.name())];
        if let (Some(place), Some((line, column))) = (place, &numbers) {
            properties.extend([("file", &*place.file), ("line", line), ("col", column)]);
        }
        let message = [Some(&finding.message), finding.help.as_ref()];
        let message: Vec<&str> = message.into_iter().flatten().map(String::as_str).collect();
        out.workflow_command(command, &properties, &message);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;
    use crate::report::finding::{FindingPlace, Place};
    use crate::source::Position;

    #[test]
    fn commands_stay_on_their_line() {
        let finding = Finding {
            code: Code::FieldType,
            severity: Severity::Error,
            message: "100%\nof a, b: c".to_owned(),
            help: Some("correct it".to_owned()),
            places: vec![FindingPlace {
                place: Place {
                    file: "a,b.yaml".to_owned(),
                    line: 3,
                    column: 5,
                },
                label: String::new(),
                end: Position { line: 3, column: 6 },
            }],
            release: None,
        };
        assert_eq!(
            annotations(&[finding]).as_str(),
            "::error title=field-type,file=a%2Cb.yaml,line=3,col=5::100%25 of a, b: c%0Acorrect it\n"
        );
    }
}

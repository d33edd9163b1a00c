//! Workflow commands of GitHub Actions: each finding as an annotation of its line.

use std::fmt::Write as _;

use crate::diagnostic::Severity;

use super::finding::Finding;

/// Returns the commands, one a line.
#[must_use]
pub fn annotations(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "::{command} title={}", property(finding.code.name()));
        if let Some(place) = finding.main_place() {
            let file = property(&place.file);
            let _ = write!(
                text,
                ",file={file},line={},col={}",
                place.line, place.column
            );
        }
        let _ = write!(text, "::{}", data(&finding.message));
        if let Some(help) = &finding.help {
            let _ = write!(text, "%0A{}", data(help));
        }
        text.push('\n');
    }
    text
}

/// Escapes the text after `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a value between commas.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
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
            annotations(&[finding]),
            "::error title=field-type,file=a%2Cb.yaml,line=3,col=5::100%25%0Aof a, b: c%0Acorrect it\n"
        );
    }
}

//! JUnit XML: each error is a failed test case, each file without an error a passed one.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::diagnostic::Severity;

use super::finding::Finding;

/// Returns the test suite of these findings and files.
#[must_use]
pub fn suite(findings: &[Finding], files: &[&str]) -> String {
    let (errors, others): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|f| f.severity == Severity::Error);
    let faulty: BTreeSet<&str> = errors
        .iter()
        .filter_map(|f| f.main_place())
        .map(|place| place.file.as_str())
        .collect();
    let sound: Vec<&str> = files
        .iter()
        .copied()
        .filter(|file| !faulty.contains(file))
        .collect();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let tests = errors.len() + sound.len();
    let failures = errors.len();
    // Writing to a String cannot fail.
    let _ = writeln!(
        xml,
        "<testsuites name=\"armada2flux\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">\n  \
         <testsuite name=\"validate\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\">"
    );
    for file in sound {
        let _ = writeln!(
            xml,
            "    <testcase classname=\"validate\" name=\"{}\"/>",
            escape(file)
        );
    }
    for finding in errors {
        let name = escape(&format!("{} {}", finding.code, place(finding)));
        let message = escape(&finding.message);
        let code = escape(finding.code.name());
        let _ = writeln!(
            xml,
            "    <testcase classname=\"validate\" name=\"{name}\">\n      \
             <failure type=\"{code}\" message=\"{message}\">{}</failure>\n    </testcase>",
            escape(&text(finding))
        );
    }
    if !others.is_empty() {
        xml.push_str("    <system-out>");
        for finding in others {
            let line = format!("{}[{}] {}", finding.severity, finding.code, text(finding));
            let _ = writeln!(xml, "{}", escape(&line));
        }
        xml.push_str("</system-out>\n");
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn place(finding: &Finding) -> String {
    finding.main_place().map_or_else(String::new, |place| {
        format!("{}:{}:{}", place.file, place.line, place.column)
    })
}

fn text(finding: &Finding) -> String {
    let mut text = format!("{}: {}", place(finding), finding.message);
    if let Some(help) = &finding.help {
        let _ = write!(text, "\nhelp: {help}");
    }
    text
}

/// Text as content or attribute; characters that XML cannot hold are replaced.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    #[test]
    fn text_is_escaped_and_files_are_counted() {
        let finding = Finding {
            code: Code::InputEmpty,
            severity: Severity::Error,
            message: "a < b & \u{1}".to_owned(),
            help: None,
            places: Vec::new(),
            release: None,
        };
        let xml = suite(&[finding], &["a&b.yaml"]);
        // Jenkins' junit-10.xsd: a suite must have `name`, `tests`, `failures` and `errors`, and may have `skipped`;
        // `testsuites` has no `skipped`; a case must have `name`, and a failure may have `type` and `message`.
        let numbers = "tests=\"2\" failures=\"1\" errors=\"0\"";
        let suites = format!("<testsuites name=\"armada2flux\" {numbers}>");
        let suite = format!("<testsuite name=\"validate\" {numbers} skipped=\"0\">");
        assert!(xml.contains(&suites) && xml.contains(&suite), "{xml}");
        assert!(xml.contains("name=\"a&amp;b.yaml\"/>"), "{xml}");
        assert!(xml.contains("message=\"a &lt; b &amp; \u{fffd}\""), "{xml}");
    }
}

//! JUnit XML: each error is a failed test case, each file without an error a passed one.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::diagnostic::Severity;
use crate::printable::{Printable, escape};

use super::finding::Finding;

/// Returns the test suite of these findings and files.
#[must_use]
pub fn suite(findings: &[Finding], files: &[&str]) -> Printable {
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
            xml_text(&escape::name(file))
        );
    }
    for finding in errors {
        let name = xml_text(&format!("{} {}", finding.code, place(finding)));
        let message = xml_text(&escape::fold(&finding.message));
        let code = xml_text(finding.code.name());
        let _ = writeln!(
            xml,
            "    <testcase classname=\"validate\" name=\"{name}\">\n      \
             <failure type=\"{code}\" message=\"{message}\">{}</failure>\n    </testcase>",
            xml_text(&text(finding))
        );
    }
    if !others.is_empty() {
        xml.push_str("    <system-out>");
        for finding in others {
            let line = format!("{}[{}] {}", finding.severity, finding.code, text(finding));
            let _ = writeln!(xml, "{}", xml_text(&line));
        }
        xml.push_str("</system-out>\n");
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    Printable::lines_of(&xml)
}

fn place(finding: &Finding) -> String {
    finding.main_place().map_or_else(String::new, |place| {
        let file = escape::name(&place.file);
        format!("{file}:{}:{}", place.line, place.column)
    })
}

fn text(finding: &Finding) -> String {
    let message = escape::fold(&finding.message);
    let mut text = format!("{}: {message}", place(finding));
    if let Some(help) = &finding.help {
        let _ = write!(text, "\nhelp: {}", escape::fold(help));
    }
    text
}

/// Returns text as content or attribute, line breaks included: what XML cannot hold is an escape before.
fn xml_text(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(escape::fold).collect();
    let mut out = String::with_capacity(text.len());
    for letter in lines.join("\n").chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            letter => out.push(letter),
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
        let xml = xml.as_str();
        // Jenkins' junit-10.xsd: a suite must have `name`, `tests`, `failures` and `errors`, and may have `skipped`;
        // `testsuites` has no `skipped`; a case must have `name`, and a failure may have `type` and `message`.
        let numbers = "tests=\"2\" failures=\"1\" errors=\"0\"";
        let suites = format!("<testsuites name=\"armada2flux\" {numbers}>");
        let suite = format!("<testsuite name=\"validate\" {numbers} skipped=\"0\">");
        assert!(xml.contains(&suites) && xml.contains(&suite), "{xml}");
        assert!(xml.contains("name=\"a&amp;b.yaml\"/>"), "{xml}");
        assert!(xml.contains(r#"message="a &lt; b &amp; \u{1}""#), "{xml}");
    }
}

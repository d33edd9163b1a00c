//! SARIF 2.1.0: findings for code scanning.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::diagnostic::{Code, Severity};
use crate::printable::escape::fold;

use super::finding::{Finding, FindingPlace};

/// What needs no escape in the path of a reference.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// The log of one run.
#[must_use]
pub fn log(findings: &[Finding]) -> Value {
    let rules = Code::ALL.iter().map(|code| {
        let page = code.page();
        json!({
            "id": code.name(),
            "shortDescription": {"text": code.title()},
            "fullDescription": {"text": page.why},
            "help": {"text": page.fix},
            "defaultConfiguration": {"level": level(code.severity())},
        })
    });
    let results = findings.iter().map(result);
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "armada2flux",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn result(finding: &Finding) -> Value {
    let rule = Code::ALL.iter().position(|code| *code == finding.code);
    let text = match &finding.help {
        Some(help) => format!("{}. {help}", finding.message),
        None => finding.message.clone(),
    };
    let mut result = json!({
        "ruleId": finding.code.name(),
        "level": level(finding.severity),
        "message": {"text": fold(&text)},
    });
    if let Some(rule) = rule {
        result["ruleIndex"] = json!(rule);
    }
    if let [main, related @ ..] = finding.places.as_slice() {
        result["locations"] = json!([location(main)]);
        let related: Vec<Value> = related.iter().map(location).collect();
        if !related.is_empty() {
            result["relatedLocations"] = Value::Array(related);
        }
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn location(place: &FindingPlace) -> Value {
    let FindingPlace { place, label, end } = place;
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": {"uri": uri(&place.file)},
            // The end is the position after the last character, as in SARIF.
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endLine": end.line,
                "endColumn": end.column,
            },
        },
    });
    if !label.is_empty() {
        location["message"] = json!({"text": fold(label)});
    }
    location
}

/// A file's name as a relative reference.
fn uri(file: &str) -> String {
    utf8_percent_encode(file, UNRESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::finding::Place;
    use crate::source::Position;

    #[test]
    fn results_point_to_their_rule_and_place() {
        let finding = Finding {
            code: Code::FieldType,
            severity: Severity::Error,
            message: "wrong".to_owned(),
            help: None,
            places: vec![FindingPlace {
                place: Place {
                    file: "a b.yaml".to_owned(),
                    line: 3,
                    column: 5,
                },
                label: "here".to_owned(),
                end: Position { line: 3, column: 9 },
            }],
            release: None,
        };
        let log = log(&[finding]);
        let run = &log["runs"][0];
        let result = &run["results"][0];
        let rule = result["ruleIndex"].as_u64().expect("an index") as usize;
        assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], "field-type");
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b.yaml");
        let region = json!({"startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 9});
        assert_eq!(place["region"], region);
    }

    #[test]
    fn logs_are_valid() {
        let schema = include_str!("../../testdata/schemas/sarif-2.1.0.json");
        let mut schema: Value = serde_json::from_str(schema).expect("JSON");
        // Some of its patterns have a bracket too many, and are no regular expressions.
        for holder in ["run", "toolComponent"] {
            let language =
                schema.pointer_mut(&format!("/definitions/{holder}/properties/language"));
            let language = language.and_then(Value::as_object_mut).expect("a language");
            language.remove("pattern");
        }
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let place = |line: u32| FindingPlace {
            place: Place {
                file: "a b.yaml".to_owned(),
                line,
                column: 1,
            },
            label: "here".to_owned(),
            end: Position { line, column: 4 },
        };
        let finding = |code: Code, places: Vec<FindingPlace>| Finding {
            code,
            severity: code.severity(),
            message: "wrong".to_owned(),
            help: Some("correct it".to_owned()),
            places,
            release: None,
        };
        let findings = [
            finding(Code::FieldType, vec![place(1), place(2)]),
            finding(Code::InputEmpty, Vec::new()),
            finding(Code::TestOff, vec![place(3)]),
        ];
        for findings in [&findings[..], &[]] {
            let log = log(findings);
            let faults: Vec<String> = validator
                .iter_errors(&log)
                .map(|fault| fault.to_string())
                .collect();
            assert_eq!(faults, [""; 0]);
        }
        let faulty = json!({"version": "2.1.0", "runs": [{"tool": {"driver": {}}}]});
        assert!(!validator.is_valid(&faulty));
    }
}

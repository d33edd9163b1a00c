//! The 183 rows of `../shared/oracle/yaml-vectors.json`: what Helm received.

use serde::Deserialize;

use super::{Delivery, delivered};
use crate::emit::{View, write_canonical_json};
use crate::yaml::tests::vectors;

#[derive(Deserialize)]
struct Row {
    source: String,
    helm_through_armada: Option<String>,
    go_yaml_v2: String,
}

#[test]
fn every_vector_is_delivered_as_to_helm() {
    let Some(rows) = vectors::rows::<Row>() else {
        return;
    };
    let mut wrong = Vec::new();
    for row in rows {
        let Row {
            source,
            helm_through_armada,
            go_yaml_v2,
        } = row;
        let text = format!("k: {source}\n");
        let armada = helm_through_armada.unwrap_or_else(|| "ERR".to_owned());
        for (how, wanted) in [(Delivery::Python, armada), (Delivery::Go, go_yaml_v2)] {
            let got = json(&text, how);
            if got != normal(&wanted) {
                wrong.push(format!("{how:?} {source}: {got}, not {wanted}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn json(text: &str, how: Delivery) -> String {
    match delivered(text, how).value {
        None => "ERR".to_owned(),
        Some(value) => {
            let mut out = String::new();
            write_canonical_json(&value, View::Clear, &mut out);
            normal(&out)
        }
    }
}

/// Returns the same JSON in the same words.
fn normal(json: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(json) {
        Ok(value) => match value["k"].as_f64() {
            Some(float) if value["k"].is_number() => format!("{:e}", float + 0.0),
            _ => value.to_string(),
        },
        Err(_) => "ERR".to_owned(),
    }
}

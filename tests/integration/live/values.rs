//! Values outside of a HelmRelease equal the values inside it.

use serde_json::Value;

use super::probe_site::{self, ProbeChart};
use super::{Scope, Test, ensure};
use crate::bed::program::Program;
use crate::bed::{Outcome, has_condition};

pub(super) fn tests() -> Vec<Test> {
    vec![Test::shared("values::are_the_same_wherever_stored", places)]
}

/// Values that Helm reads differently from other readers, secrets in all places, nulls and comments.
const VALUES: &str = r#"    # password: long-gone
    plain: "08"
    quoted: "1e3 "
    octal: 0644
    none: null
    text: |
      [main]
      debug = true
    substituted: "${HOME} and $(pwd)"
    admin_password: grain-of-sand
    database:
      host: db.example.org
      none: null
      users:
        reader: {name: reader, password: 1234567890}
        writer: {name: writer, password: "0123"}
    endpoints:
      - host: a.example.org
        token: "not a token: a list goes whole"
      - null
    empty: {}
    only:
      secret: |
        -----BEGIN PRIVATE KEY-----
        grain
        -----END PRIVATE KEY-----
"#;

fn places(scope: &Scope<'_>) -> Outcome {
    let commit = probe_site::commit(scope)?;
    let chart = ProbeChart {
        release: "probe",
        fields: "  test: {enabled: false}\n  wait: {timeout: 90, resources: []}",
        values: VALUES,
    };
    let text = probe_site::manifest(scope, &commit, &[chart]);
    let mut first = None;
    for (at, (place, sources, options)) in [
        ("inline", 0, &["--values-in=inline"][..]),
        ("secret", 1, &["--values-in=secret"]),
        ("configmap", 1, &["--values-in=configmap"]),
        ("split", 1, &["--split-secrets"]),
        ("both", 2, &["--values-in=configmap", "--split-secrets"]),
    ]
    .into_iter()
    .enumerate()
    {
        let (tree, _) = probe_site::convert(scope, &text, place, options)?;
        probe_site::apply(scope, &tree)?;
        let release = probe_site::settled(scope, "probe", |release| {
            release["metadata"]["generation"].as_u64() > Some(at as u64)
                && has_condition(release, "Ready")
        })?;
        let found = release["spec"]["valuesFrom"].as_array().map_or(0, Vec::len);
        ensure(found == sources, || format!("{place}: {}", release["spec"]))?;
        let namespace = format!("--namespace={}", scope.namespace);
        let arguments = ["get", "values", "grain-probe", &namespace, "--output=json"];
        let values: Value = serde_json::from_str(&scope.bed.run(Program::Helm4, &arguments)?)?;
        let first = first.get_or_insert_with(|| values.clone());
        ensure(values == *first, || {
            format!("{place}: {values} instead of {first}")
        })?;
        // The same values cause no upgrade.
        let revision = probe_site::revision(&release);
        ensure(revision == 1, || format!("{place}: revision {revision}"))?;
    }
    let first = first.unwrap_or_default();
    ensure(
        first["plain"] == 8
            && first["octal"] == 420
            && first["database"]["users"]["writer"]["password"] == "0123"
            && first["substituted"] == "${HOME} and $(pwd)",
        || first.to_string(),
    )
}

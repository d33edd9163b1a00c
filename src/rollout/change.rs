//! What applying an object changes, by the API server's own answer to a dry run.

use crate::compare::{self, ObjectChange, Outcome, Path, Segment};
use crate::flux::Object;
use crate::flux::object::is_helm_release;

/// What becomes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is not there yet.
    Created,
    /// It changes.
    Changed {
        /// Whether a release is upgraded for it, which is when Armada deleted objects before; always `false` for
        /// other kinds.
        upgrades: bool,
    },
    /// It stays as it is, bookkeeping aside.
    Unchanged,
}

/// Compares an object with what an apply would make of it.
#[must_use]
pub fn change(live: Option<&Object>, dry_run: &Object) -> Change {
    match live {
        None => Change::Created,
        Some(live) => from_comparison(&compare::object(live, dry_run)),
    }
}

/// The same of a comparison that was made before. What others hold, and what is refused, counts by what would change.
#[must_use]
pub fn from_comparison(compared: &ObjectChange) -> Change {
    if matches!(compared.outcome, Outcome::Created) {
        return Change::Created;
    }
    let real = compared.changes.iter();
    let mut real = real.filter(|change| change.noise.is_none()).peekable();
    if real.peek().is_none() {
        return Change::Unchanged;
    }
    let release = is_helm_release(&compared.api_version, &compared.kind);
    Change::Changed {
        upgrades: release && real.any(|change| is_upgrade(&change.path)),
    }
}

/// Fields whose change makes helm-controller upgrade: chart, values, or what is laid over the rendered objects
/// (helm-controller: state.go compares chart, config digest, and the digests of the other two).
const UPGRADING: &[&[&str]] = &[
    &["spec", "chart"],
    &["spec", "chartRef"],
    &["spec", "values"],
    &["spec", "valuesFrom"],
    &["spec", "postRenderers"],
    &["spec", "commonMetadata"],
];

/// Fields of a chart's template that say how it is fetched, not what it is: no upgrade comes of them, so Jobs that were
/// deleted for one would not be made again.
const FETCHING: &[&[&str]] = &[
    &["spec", "chart", "metadata"],
    &["spec", "chart", "spec", "interval"],
    &["spec", "chart", "spec", "reconcileStrategy"],
    &["spec", "chart", "spec", "ignoreMissingValuesFiles"],
    &["spec", "chart", "spec", "verify"],
];

fn is_upgrade(path: &Path) -> bool {
    let within = |fields: &[&[&str]]| fields.iter().any(|keys| path.starts_with(keys));
    let above = UPGRADING.iter().any(|keys| is_above(path, keys));
    (within(UPGRADING) || above) && !within(FETCHING)
}

/// Whether a path ends before the keys do: the whole that holds them changed.
fn is_above(path: &Path, keys: &[&str]) -> bool {
    path.0.len() < keys.len()
        && path.0.iter().zip(keys).all(|(step, key)| match step {
            Segment::Key(text) => text == key,
            Segment::Index(_) | Segment::Named(_) => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    fn release(spec: &str) -> Object {
        let text = format!(
            r#"{{"apiVersion":"helm.toolkit.fluxcd.io/v2","kind":"HelmRelease",
                "metadata":{{"name":"a","namespace":"b","generation":1}},"spec":{{{spec}}}}}"#
        );
        Object::from_value(Value::from_json(text.as_bytes()).expect("JSON")).expect("object")
    }

    fn changed(before: &str, after: &str) -> Change {
        change(Some(&release(before)), &release(after))
    }

    #[test]
    fn an_upgrade_is_told_from_other_changes() {
        let upgrades = Change::Changed { upgrades: true };
        let quiet = Change::Changed { upgrades: false };
        for (before, after, wanted) in [
            (
                r#""timeout":"15m""#,
                r#""timeout":"15m0s""#,
                Change::Unchanged,
            ),
            (r#""timeout":"15m""#, r#""timeout":"16m""#, quiet),
            (r#""suspend":true"#, "", quiet),
            (r#""values":{"a":1}"#, r#""values":{"a":2}"#, upgrades),
            (r#""values":{"a":1}"#, "", upgrades),
            (
                "",
                r#""valuesFrom":[{"kind":"Secret","name":"x"}]"#,
                upgrades,
            ),
            ("", r#""postRenderers":[]"#, upgrades),
            (
                r#""commonMetadata":{"annotations":{"x":"1"}}"#,
                r#""commonMetadata":{"annotations":{"x":"2"}}"#,
                upgrades,
            ),
            (
                r#""chart":{"spec":{"chart":"a","version":"1"}}"#,
                r#""chart":{"spec":{"chart":"a","version":"2"}}"#,
                upgrades,
            ),
            (
                r#""chart":{"spec":{"chart":"a","interval":"1m"}}"#,
                r#""chart":{"spec":{"chart":"a","interval":"2m"}}"#,
                quiet,
            ),
        ] {
            assert_eq!(changed(before, after), wanted, "{before} to {after}");
        }
        assert_eq!(change(None, &release("")), Change::Created);
    }

    #[test]
    fn only_releases_are_upgraded() {
        let of = |data: &str| {
            let text = format!(
                r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"a"}},"spec":{{"values":{data}}}}}"#
            );
            Object::from_value(Value::from_json(text.as_bytes()).expect("JSON")).expect("object")
        };
        assert_eq!(
            change(Some(&of("1")), &of("2")),
            Change::Changed { upgrades: false }
        );
    }
}

//! Order in plain Flux: `dependsOn`, and the lockstep that enforces it for upgrades, too.
//!
//! `dependsOn` alone orders first installs only. So every release carries a digest of all that leads up
//! to and includes its step, and every dependent names its dependency's digest as a literal: a change in
//! an early step changes the spec of all later ones, which therefore wait for it.

use crate::flux::DIGEST_ANNOTATION;
use crate::flux::helm_release::Dependency;
use crate::names::Hasher;
use crate::plan::Step;
use crate::value::Text;

/// The chain of steps, as far as it has been lowered.
#[derive(Debug, Default)]
pub(super) struct Order {
    digest: Text,
    previous: Vec<(Text, Text)>,
}

impl Order {
    /// Returns what every release of the next step depends on: every release of the step before.
    pub(super) fn dependencies(&self) -> Vec<Dependency> {
        self.previous
            .iter()
            .map(|(name, namespace)| Dependency {
                name: name.clone(),
                namespace: namespace.clone(),
                ready_expr: ready_expr(&self.digest),
            })
            .collect()
    }

    /// Ends a step and returns its digest: of the digest before and the fingerprints of its releases.
    pub(super) fn leave(&mut self, step: &Step<'_, '_>, fingerprints: Vec<String>) -> Text {
        self.digest = cumulative(&self.digest, fingerprints);
        self.previous = step
            .releases
            .iter()
            .map(|release| (release.name.clone(), release.namespace.clone()))
            .collect();
        self.digest.clone()
    }
}

/// Returns the digest of a step. Releases of a step change at the same time, so their order does not matter.
fn cumulative(before: &str, mut fingerprints: Vec<String>) -> Text {
    fingerprints.sort_unstable();
    let mut hasher = Hasher::default();
    hasher.bytes(before.as_bytes());
    for fingerprint in fingerprints {
        hasher.bytes(b"\n");
        hasher.bytes(fingerprint.as_bytes());
    }
    hasher.finish_named()
}

/// CEL: the dependency carries this digest and is Ready at its own generation, in every respect that
/// helm-controller reports. A release that is already reconciled stays Ready while an earlier stage changes.
///
/// It is written once for each pair of releases of two steps, so every byte counts. Missing fields need no
/// guard: helm-controller takes an evaluation that fails for "not ready" and asks again.
fn ready_expr(digest: &str) -> Text {
    Text::from(format!(
        "self.status.observedGeneration == self.metadata.generation || \
         dep.metadata.annotations['{DIGEST_ANNOTATION}'] == '{digest}' && \
         dep.status.observedGeneration == dep.metadata.generation && \
         dep.status.lastAttemptedGeneration == dep.metadata.generation && \
         dep.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')"
    ))
}

#[cfg(test)]
mod tests {
    use cel::{Context, Program};
    use serde_json::{Value, json};

    use super::*;

    fn digest(before: &str, fingerprints: &[&str]) -> Text {
        cumulative(before, fingerprints.iter().map(|&f| f.into()).collect())
    }

    #[test]
    fn digests_reach_on_and_ignore_order_in_a_step() {
        let first = digest("", &["a", "b"]);
        assert_eq!(first, digest("", &["b", "a"]));
        assert_ne!(first, digest("", &["a", "c"]));
        let other = digest("", &["a", "c"]);
        assert_ne!(digest(&first, &["d"]), digest(&other, &["d"]));
    }

    /// A release whose change waits, and a dependency that is ready at the wanted digest.
    fn ready() -> [Value; 2] {
        let own = json!({
            "metadata": {"generation": 2},
            "status": {"observedGeneration": 1, "lastAttemptedGeneration": 1},
        });
        let dependency = json!({
            "metadata": {"generation": 7, "annotations": {DIGEST_ANNOTATION: "sha256:00"}},
            "status": {
                "observedGeneration": 7,
                "lastAttemptedGeneration": 7,
                "conditions": [
                    {"type": "Released", "status": "True"},
                    {"type": "Ready", "status": "True"},
                ],
            },
        });
        [own, dependency]
    }

    /// Whether helm-controller would go on: an evaluation that fails is taken for "not ready".
    fn goes_on([own, dependency]: &[Value; 2]) -> bool {
        let program = Program::compile(&ready_expr("sha256:00")).unwrap();
        let mut context = Context::default();
        context.add_variable("self", own).unwrap();
        context.add_variable("dep", dependency).unwrap();
        matches!(program.execute(&context), Ok(cel::Value::Bool(true)))
    }

    /// Changes a place of the dependency; `null` removes it.
    fn with(place: &str, value: Value) -> [Value; 2] {
        let [own, mut dependency] = ready();
        let (parent, key) = place.rsplit_once('/').unwrap();
        let parent = dependency.pointer_mut(parent).unwrap();
        match (parent, value) {
            (Value::Object(parent), Value::Null) => drop(parent.remove(key)),
            (parent, value) => parent[key] = value,
        }
        [own, dependency]
    }

    #[test]
    fn each_thing_that_is_not_as_wanted_holds_a_change_back() {
        assert!(goes_on(&ready()));
        let annotation = "/metadata/annotations/armada2flux.dev~1digest";
        assert_eq!(
            ready()[1].pointer(annotation),
            Some(&json!("sha256:00")),
            "the table changes what the expression reads"
        );
        let other = json!({DIGEST_ANNOTATION: "sha256:01"});
        let unready = |status: &str| json!([{"type": "Ready", "status": status}]);
        let released = json!([{"type": "Released", "status": "True"}]);
        let table = [
            // An earlier tree, or an object that another program wrote.
            ("/metadata/annotations", other),
            ("/metadata/annotations", json!({})),
            ("/metadata/annotations", Value::Null),
            // Changed, and not looked at yet; a suspended one is looked at, but not attempted.
            ("/metadata/generation", json!(8)),
            ("/status/observedGeneration", json!(6)),
            ("/status/observedGeneration", json!(-1)),
            ("/status/observedGeneration", Value::Null),
            ("/status/lastAttemptedGeneration", json!(6)),
            ("/status/lastAttemptedGeneration", Value::Null),
            // Waiting, failed, or reporting something else.
            ("/status/conditions", unready("Unknown")),
            ("/status/conditions", unready("False")),
            ("/status/conditions", released),
            ("/status/conditions", json!([])),
            ("/status/conditions", Value::Null),
            // As the API server creates it.
            ("/status", json!({"observedGeneration": -1})),
            ("/status", json!({})),
            ("/status", Value::Null),
        ];
        for (place, value) in table {
            let shown = format!("{place}: {value}");
            assert!(!goes_on(&with(place, value)), "{shown}");
        }
    }

    #[test]
    fn a_release_without_a_change_waits_for_nothing() {
        let [mut own, dependency] = ready();
        own["status"]["observedGeneration"] = json!(2);
        assert!(goes_on(&[
            own.clone(),
            json!({"metadata": {}, "status": {}})
        ]));
        assert!(goes_on(&[own, dependency.clone()]));
        // A release that is new, or whose status was lost, waits as one with a change does.
        for status in [json!({"observedGeneration": -1}), json!({})] {
            let own = json!({"metadata": {"generation": 1}, "status": status});
            assert!(!goes_on(&[own, json!({"metadata": {}, "status": {}})]));
        }
    }
}

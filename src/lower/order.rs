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
fn ready_expr(digest: &str) -> Text {
    Text::from(format!(
        "has(self.status.observedGeneration)
&& self.status.observedGeneration == self.metadata.generation
|| (
  has(dep.metadata.annotations)
  && '{DIGEST_ANNOTATION}' in dep.metadata.annotations
  && dep.metadata.annotations['{DIGEST_ANNOTATION}'] == '{digest}'
  && has(dep.status.observedGeneration)
  && dep.status.observedGeneration == dep.metadata.generation
  && has(dep.status.lastAttemptedGeneration)
  && dep.status.lastAttemptedGeneration == dep.metadata.generation
  && has(dep.status.conditions)
  && dep.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')
)"
    ))
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn ready_names_its_digest_and_guards_every_field() {
        let expression = ready_expr("sha256:00");
        assert!(
            expression
                .contains("dep.metadata.annotations['armada2flux.dev/digest'] == 'sha256:00'")
        );
        for field in ["observedGeneration", "lastAttemptedGeneration"] {
            assert!(expression.contains(&format!("has(dep.status.{field})")));
            assert!(expression.contains(&format!("dep.status.{field} == dep.metadata.generation")));
        }
        assert!(expression.starts_with("has(self.status.observedGeneration)\n&& self.status.observedGeneration == self.metadata.generation\n|| ("));
    }
}

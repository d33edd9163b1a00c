//! Differences without effect that no person made. The list is closed and every rule has a name;
//! `spec.suspend`, `spec.values` and numbers of replicas are never noise.

use crate::flux::{KUSTOMIZATION_NAME_LABEL, KUSTOMIZATION_NAMESPACE_LABEL, duration};
use crate::secret::LAST_APPLIED;
use crate::value::Value;

use super::path::Path;
use super::tree::Edit;

/// A rule about differences that change nothing.
#[derive(Debug)]
pub struct Noise {
    /// Its name.
    pub name: &'static str,
    /// The hidden differences.
    pub what: &'static str,
    /// Why they are not a change.
    pub why: &'static str,
    matches: fn(&str, &Path, &Edit) -> bool,
}

impl PartialEq for Noise {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// All rules.
pub static RULES: &[Noise] = &[
    Noise {
        name: "server-fields",
        what: "`managedFields`, `resourceVersion`, `uid`, `generation`, `creationTimestamp` and `selfLink` in `metadata`",
        why: "the API server writes them",
        matches: |_, path, _| {
            let fields = [
                "managedFields",
                "resourceVersion",
                "uid",
                "generation",
                "creationTimestamp",
                "selfLink",
            ];
            fields
                .iter()
                .any(|field| path.starts_with(&["metadata", field]))
        },
    },
    Noise {
        name: "status",
        what: "`status`",
        why: "controllers report there",
        matches: |_, path, _| path.starts_with(&["status"]),
    },
    Noise {
        name: "last-applied",
        what: "the annotation `kubectl.kubernetes.io/last-applied-configuration`",
        why: "client-side `kubectl apply` keeps its copy there",
        matches: |_, path, _| path.starts_with(&["metadata", "annotations", LAST_APPLIED]),
    },
    Noise {
        name: "finalizers",
        what: "finalizers, and the label `kubernetes.io/metadata.name` of a Namespace",
        why: "controllers and the API server add them to the objects that they manage",
        matches: |kind, path, _| {
            path.starts_with(&["metadata", "finalizers"])
                || kind == "Namespace"
                    && (path.starts_with(&["spec"])
                        || path.starts_with(&["metadata", "labels", "kubernetes.io/metadata.name"]))
        },
    },
    Noise {
        name: "flux-owner",
        what: "the labels `kustomize.toolkit.fluxcd.io/name` and `/namespace`, on one side only",
        why: "kustomize-controller marks what it applied; the report names the manager of the object",
        matches: |_, path, edit| {
            // One owner in the place of another is a change.
            !matches!(edit, Edit::Changed { .. })
                && [KUSTOMIZATION_NAME_LABEL, KUSTOMIZATION_NAMESPACE_LABEL]
                    .iter()
                    .any(|label| path.starts_with(&["metadata", "labels", label]))
        },
    },
    Noise {
        name: "requests",
        what: "the annotations `reconcile.fluxcd.io/requestedAt`, `/resetAt` and `/forceAt`",
        why: "a past request to a controller to reconcile",
        matches: |_, path, _| {
            ["requestedAt", "resetAt", "forceAt"].iter().any(|part| {
                let annotation = format!("reconcile.fluxcd.io/{part}");
                path.starts_with(&["metadata", "annotations", &annotation])
            })
        },
    },
    Noise {
        name: "durations",
        what: "one duration spelled in two ways outside of values, as `10m` and `10m0s`",
        why: "both mean the same time",
        matches: |_, path, edit| {
            let Edit::Changed { before, after } = edit else {
                return false;
            };
            let spec = path.starts_with(&["spec"]) && !path.starts_with(&["spec", "values"]);
            let length = |value: &Value| duration::milliseconds(value.as_str()?);
            let (before, after) = (length(before), length(after));
            spec && before.is_some() && before == after
        },
    },
];

/// Returns the first rule that matches a difference.
#[must_use]
pub fn rule(kind: &str, path: &Path, edit: &Edit) -> Option<&'static Noise> {
    RULES.iter().find(|rule| (rule.matches)(kind, path, edit))
}

//! Differences that can cost a release, with what they would do. Facts: helm-controller 1.6.

use crate::value::Value;

use super::path::Path;
use super::tree::Edit;

/// A rule.
#[derive(Debug)]
pub struct Danger {
    /// Its name.
    pub name: &'static str,
    /// What the change would do.
    pub effect: &'static str,
    kind: &'static str,
    paths: &'static [&'static [&'static str]],
}

impl PartialEq for Danger {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// All rules.
pub static RULES: &[Danger] = &[
    Danger {
        name: "release-name",
        effect: "flux uninstalls the release under its old name and installs it under the new one",
        kind: "HelmRelease",
        paths: &[&["spec", "releaseName"]],
    },
    Danger {
        name: "release-namespace",
        effect: "flux uninstalls the release where it is and installs it in the other namespace",
        kind: "HelmRelease",
        paths: &[&["spec", "targetNamespace"], &["spec", "storageNamespace"]],
    },
    Danger {
        name: "chart",
        effect: "the release is upgraded to another chart",
        kind: "HelmRelease",
        paths: &[
            &["spec", "chart", "spec", "chart"],
            &["spec", "chartRef", "kind"],
            &["spec", "chartRef", "name"],
        ],
    },
    Danger {
        name: "suspend",
        effect: "suspended, flux leaves the release alone; resumed, it acts on all that has changed since",
        kind: "HelmRelease",
        paths: &[&["spec", "suspend"]],
    },
    Danger {
        name: "remediation",
        effect: "decides whether a failed action is rolled back, uninstalled or tried again",
        kind: "HelmRelease",
        paths: &[
            &["spec", "install", "remediation"],
            &["spec", "install", "strategy"],
            &["spec", "upgrade", "remediation"],
            &["spec", "upgrade", "strategy"],
            &["spec", "rollback"],
        ],
    },
    Danger {
        name: "prune",
        effect: "without `disabled`, an object that leaves the tree is deleted: a HelmRelease uninstalls, a Namespace takes everything in it along",
        kind: "",
        paths: &[&[
            "metadata",
            "annotations",
            "kustomize.toolkit.fluxcd.io/prune",
        ]],
    },
    Danger {
        name: "waiting",
        effect: "decides what has to be ready before the release counts as ready, and the next stage begins",
        kind: "HelmRelease",
        paths: &[
            &["spec", "waitStrategy"],
            &["spec", "healthCheckExprs"],
            &["spec", "install", "disableWait"],
            &["spec", "install", "disableWaitForJobs"],
            &["spec", "upgrade", "disableWait"],
            &["spec", "upgrade", "disableWaitForJobs"],
            &["metadata", "annotations", "armada2flux.dev/gates"],
        ],
    },
    Danger {
        name: "order",
        effect: "decides what has to be ready before this release moves",
        kind: "HelmRelease",
        paths: &[&["spec", "dependsOn"]],
    },
    Danger {
        name: "crds",
        effect: "decides whether the custom resource definitions of the chart are made, replaced or left alone",
        kind: "HelmRelease",
        paths: &[
            &["spec", "install", "crds"],
            &["spec", "install", "skipCRDs"],
            &["spec", "upgrade", "crds"],
        ],
    },
    Danger {
        name: "tests",
        effect: "decides whether helm's tests run, and whether a failed one blocks what comes after",
        kind: "HelmRelease",
        paths: &[&["spec", "test"]],
    },
    Danger {
        name: "hooks",
        effect: "decides whether hooks run: jobs that set up or migrate data",
        kind: "HelmRelease",
        paths: &[
            &["spec", "install", "disableHooks"],
            &["spec", "upgrade", "disableHooks"],
            &["spec", "uninstall", "disableHooks"],
            &["spec", "postRenderers"],
        ],
    },
    Danger {
        name: "force",
        effect: "objects are replaced instead of patched",
        kind: "HelmRelease",
        paths: &[&["spec", "upgrade", "force"]],
    },
];

/// The rule that a difference falls under, also when it is the whole of what the rule is about a part of.
#[must_use]
pub fn rule(kind: &str, path: &Path, edit: &Edit) -> Option<&'static Danger> {
    RULES.iter().find(|rule| {
        (rule.kind.is_empty() || rule.kind == kind)
            && rule
                .paths
                .iter()
                .any(|keys| path.starts_with(keys) || holds(path, edit, keys))
    })
}

/// Whether a side of the difference holds what stands at `keys`.
fn holds(path: &Path, edit: &Edit, keys: &[&str]) -> bool {
    let depth = path.0.len();
    if depth >= keys.len() || !path.starts_with(&keys[..depth]) {
        return false;
    }
    let there = |value: &Value| value.at(&keys[depth..]).is_some();
    match edit {
        Edit::Added(value) | Edit::Removed(value) => there(value),
        Edit::Changed { before, after } => there(before) || there(after),
        Edit::Reordered { .. } => false,
    }
}

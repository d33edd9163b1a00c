//! Differences that can cost a release, with their effects. Facts: helm-controller 1.6.

use crate::flux::object::SUSPEND;
use crate::flux::{GATES_ANNOTATION, Object, PRUNE_ANNOTATION};
use crate::value::Value;

use super::path::Path;
use super::tree::Edit;

/// A rule about changes of one field.
#[derive(Debug)]
pub struct Danger {
    /// Its name.
    pub name: &'static str,
    /// The effect of the change.
    pub effect: &'static str,
    of: Of,
    paths: &'static [&'static [&'static str]],
    when: When,
}

/// Which objects are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// HelmReleases.
    Releases,
    /// All.
    All,
}

/// Which changes of a field are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// Every one.
    Always,
    /// A switch is on afterwards.
    On,
    /// A switch was on before.
    Off,
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
        effect: "Flux uninstalls the release under its old name and installs it under the new one",
        of: Of::Releases,
        paths: &[&["spec", "releaseName"]],
        when: When::Always,
    },
    Danger {
        name: "release-namespace",
        effect: "Flux uninstalls the release where it is and installs it in the other namespace",
        of: Of::Releases,
        paths: &[&["spec", "targetNamespace"], &["spec", "storageNamespace"]],
        when: When::Always,
    },
    Danger {
        name: "chart",
        effect: "the release is upgraded to another chart",
        of: Of::Releases,
        paths: &[
            &["spec", "chart", "spec", "chart"],
            &["spec", "chartRef", "kind"],
            &["spec", "chartRef", "name"],
        ],
        when: When::Always,
    },
    Danger {
        name: "resume",
        effect: "helm-controller acts at once, on every change since the release was suspended",
        of: Of::Releases,
        paths: &[SUSPEND],
        when: When::Off,
    },
    Danger {
        name: "suspend",
        effect: "Flux does nothing with the release until it is resumed",
        of: Of::Releases,
        paths: &[SUSPEND],
        when: When::On,
    },
    Danger {
        name: "remediation",
        effect: "sets whether a failed action is rolled back, uninstalled or retried",
        of: Of::Releases,
        paths: &[
            &["spec", "install", "remediation"],
            &["spec", "install", "strategy"],
            &["spec", "upgrade", "remediation"],
            &["spec", "upgrade", "strategy"],
            &["spec", "rollback"],
        ],
        when: When::Always,
    },
    Danger {
        name: "prune",
        effect: "without `disabled`, Flux deletes an object that leaves the tree: a HelmRelease uninstalls its release, a Namespace deletes everything in it",
        of: Of::All,
        paths: &[&["metadata", "annotations", PRUNE_ANNOTATION]],
        when: When::Always,
    },
    Danger {
        name: "waiting",
        effect: "sets what must be ready before the release is ready and the next stage starts",
        of: Of::Releases,
        paths: &[
            &["spec", "waitStrategy"],
            &["spec", "healthCheckExprs"],
            &["spec", "install", "disableWait"],
            &["spec", "install", "disableWaitForJobs"],
            &["spec", "upgrade", "disableWait"],
            &["spec", "upgrade", "disableWaitForJobs"],
            &["metadata", "annotations", GATES_ANNOTATION],
        ],
        when: When::Always,
    },
    Danger {
        name: "order",
        effect: "sets what must be ready before this release changes",
        of: Of::Releases,
        paths: &[&["spec", "dependsOn"]],
        when: When::Always,
    },
    Danger {
        name: "crds",
        effect: "sets whether the CustomResourceDefinitions of the chart are created, replaced or kept",
        of: Of::Releases,
        paths: &[
            &["spec", "install", "crds"],
            &["spec", "install", "skipCRDs"],
            &["spec", "upgrade", "crds"],
        ],
        when: When::Always,
    },
    Danger {
        name: "tests",
        effect: "sets whether Helm's tests run, and whether a failed one blocks what follows",
        of: Of::Releases,
        paths: &[&["spec", "test"]],
        when: When::Always,
    },
    Danger {
        name: "hooks",
        effect: "sets whether hooks run: Jobs that set up or migrate data",
        of: Of::Releases,
        paths: &[
            &["spec", "install", "disableHooks"],
            &["spec", "upgrade", "disableHooks"],
            &["spec", "uninstall", "disableHooks"],
            &["spec", "postRenderers"],
        ],
        when: When::Always,
    },
    Danger {
        name: "force",
        effect: "objects are replaced instead of patched",
        of: Of::Releases,
        paths: &[&["spec", "upgrade", "force"]],
        when: When::Always,
    },
];

/// Returns the rule of a difference, also when the difference covers more than the field of the rule.
#[must_use]
pub fn rule(object: &Object, path: &Path, edit: &Edit) -> Option<&'static Danger> {
    RULES.iter().find(|rule| {
        (rule.of == Of::All || object.is_helm_release())
            && rule.paths.iter().any(|keys| {
                let (before, after) = sides(path, edit, keys);
                let on = |side: Option<&Value>| side == Some(&Value::from(true));
                match rule.when {
                    When::Always => path.starts_with(keys) || before.is_some() || after.is_some(),
                    When::On => on(after),
                    When::Off => on(before),
                }
            })
    })
}

/// Returns the difference of the field at `keys`, when it covers that field or a parent of it.
fn sides<'e>(path: &Path, edit: &'e Edit, keys: &[&str]) -> (Option<&'e Value>, Option<&'e Value>) {
    let depth = path.0.len();
    if depth > keys.len() || !path.starts_with(&keys[..depth]) {
        return (None, None);
    }
    match edit {
        Edit::Added(value) => (None, value.at(&keys[depth..])),
        Edit::Removed(value) => (value.at(&keys[depth..]), None),
        Edit::Changed { before, after } => (before.at(&keys[depth..]), after.at(&keys[depth..])),
        Edit::Reordered { .. } => (None, None),
    }
}

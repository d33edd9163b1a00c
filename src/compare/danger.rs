//! Differences that can cost a release, with what they would do. Facts: helm-controller 1.6.

use crate::flux::object::SUSPEND;
use crate::flux::{GATES_ANNOTATION, Object, PRUNE_ANNOTATION};
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
        effect: "flux uninstalls the release under its old name and installs it under the new one",
        of: Of::Releases,
        paths: &[&["spec", "releaseName"]],
        when: When::Always,
    },
    Danger {
        name: "release-namespace",
        effect: "flux uninstalls the release where it is and installs it in the other namespace",
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
        effect: "un-suspends: helm-controller acts at once, on all that has changed since",
        of: Of::Releases,
        paths: &[SUSPEND],
        when: When::Off,
    },
    Danger {
        name: "suspend",
        effect: "suspends: flux leaves the release alone until it is resumed",
        of: Of::Releases,
        paths: &[SUSPEND],
        when: When::On,
    },
    Danger {
        name: "remediation",
        effect: "decides whether a failed action is rolled back, uninstalled or tried again",
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
        effect: "without `disabled`, an object that leaves the tree is deleted: a HelmRelease uninstalls, a Namespace takes everything in it along",
        of: Of::All,
        paths: &[&["metadata", "annotations", PRUNE_ANNOTATION]],
        when: When::Always,
    },
    Danger {
        name: "waiting",
        effect: "decides what has to be ready before the release counts as ready, and the next stage begins",
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
        effect: "decides what has to be ready before this release moves",
        of: Of::Releases,
        paths: &[&["spec", "dependsOn"]],
        when: When::Always,
    },
    Danger {
        name: "crds",
        effect: "decides whether the custom resource definitions of the chart are made, replaced or left alone",
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
        effect: "decides whether helm's tests run, and whether a failed one blocks what comes after",
        of: Of::Releases,
        paths: &[&["spec", "test"]],
        when: When::Always,
    },
    Danger {
        name: "hooks",
        effect: "decides whether hooks run: jobs that set up or migrate data",
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

/// The rule that a difference falls under, also when it is the whole of what the rule is about a part of.
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

/// What the difference says of the field at `keys`, when it is about that field or about what it is a part of.
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

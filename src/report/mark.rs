//! The annotations and labels that `convert` writes, as topics of `explain`.

use crate::flux;

/// An annotation or a label of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its full name.
    pub name: &'static str,
    /// `annotation` or `label`.
    pub form: &'static str,
    /// The objects that have it.
    pub on: &'static str,
    /// What it says.
    pub means: &'static str,
    /// Who acts on it.
    pub used: &'static str,
}

const ANNOTATION: Mark = Mark {
    name: "",
    form: "annotation",
    on: "HelmReleases",
    means: "",
    used: "",
};

/// All of them.
pub const ALL: &[Mark] = &[
    Mark {
        name: flux::SITE_LABEL,
        form: "label",
        on: "every object of a tree",
        means: "The site, which is the name of the Manifest unless `--site` sets another one.",
        used: "`diff`, `plan`, `apply` and `status` never touch an object of another site. A Kustomization prunes by its own record, not by this label.",
    },
    Mark {
        name: flux::STATE_LABEL,
        form: "label",
        on: "the ConfigMap with the state of a run",
        means: "The site whose run it records.",
        used: "`apply` and `status` find the record by it. No file of a tree has it.",
    },
    Mark {
        name: flux::STAGE_ANNOTATION,
        means: "Number of the stage: a chart group of the Manifest, from 1.",
        used: "`apply` and `plan` build the order of a run from it, with the step. Flux has the same order in `dependsOn`.",
        ..ANNOTATION
    },
    Mark {
        name: flux::STEP_ANNOTATION,
        means: "Number of the step in its stage, from 1. A sequenced group has a step for each chart, any other group one step.",
        used: "`apply` and `plan` build the order of a run from it. Flux has the same order in `dependsOn`.",
        ..ANNOTATION
    },
    Mark {
        name: flux::GROUP_ANNOTATION,
        means: "Name of the chart group that is the release's stage.",
        used: "Reports name the stage by it.",
        ..ANNOTATION
    },
    Mark {
        name: flux::DIGEST_ANNOTATION,
        means: "Lockstep digest: of all that leads up to the release's step and of the step itself.",
        used: "The `readyExpr` of later releases asks for it, so Flux does not start a step before the one before it was changed and became ready.",
        ..ANNOTATION
    },
    Mark {
        name: flux::GATES_ANNOTATION,
        means: "What Armada itself waited for after Helm and its hooks, as JSON: kinds, labels, how many must be ready.",
        used: "`apply` waits for it before it continues. Plain Flux does not.",
        ..ANNOTATION
    },
    Mark {
        name: flux::PRE_DELETE_ANNOTATION,
        means: "What Armada deleted before it upgraded the release, as JSON: kinds and labels.",
        used: "`apply` deletes the same objects before an upgrade that changes chart or values. Plain Flux does not.",
        ..ANNOTATION
    },
    Mark {
        name: flux::PROTECTED_ANNOTATION,
        means: "`continue` or `stop`: what a run does when the release failed before the run started.",
        used: "`apply` skips such a release or ends before it. Plain Flux does not.",
        ..ANNOTATION
    },
    Mark {
        name: flux::SOURCE_ANNOTATION,
        on: "the objects of a release",
        means: "The commit of the chart, and those of its dependencies.",
        used: "A new commit changes it, so Flux upgrades the release although the version of the chart stays.",
        ..ANNOTATION
    },
    Mark {
        name: flux::UNRESOLVED_ANNOTATION,
        means: "The location of a chart that Flux cannot read.",
        used: "A run is refused while a release has it. A source map gives the release a source.",
        ..ANNOTATION
    },
    Mark {
        name: flux::KEYS_ANNOTATION,
        on: "Secrets without content",
        means: "The keys that the Secret needs.",
        used: "Fill the keys in, encrypted if the tree goes to Git. The source is not ready before.",
        ..ANNOTATION
    },
    Mark {
        name: flux::PRUNE_ANNOTATION,
        on: "HelmReleases, Namespaces, values and Secrets without content",
        means: "`disabled`: the object stays when it leaves the tree.",
        used: "kustomize-controller does not delete such an object.",
        ..ANNOTATION
    },
    Mark {
        name: flux::SSA_ANNOTATION,
        on: "Secrets without content",
        means: "`Merge`: fields that others have set stay.",
        used: "kustomize-controller keeps the keys that were filled in.",
        ..ANNOTATION
    },
    Mark {
        name: flux::SUBSTITUTE_ANNOTATION,
        on: "objects with `${` in their values",
        means: "`disabled`: `${...}` stays as it is written.",
        used: "kustomize-controller leaves the object out of `postBuild` substitution.",
        ..ANNOTATION
    },
];

/// Finds a mark by its name, with or without the domain before it.
#[must_use]
pub fn find(topic: &str) -> Option<&'static Mark> {
    ALL.iter()
        .find(|mark| mark.name == topic || mark.short() == topic)
}

impl Mark {
    /// Returns the name without the domain.
    #[must_use]
    pub fn short(&self) -> &'static str {
        self.name.rsplit('/').next().unwrap_or(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every name of the program's domain that the code knows has an entry.
    #[test]
    fn no_mark_is_missing() {
        let text = include_str!("../flux.rs");
        let known: Vec<&str> = text
            .split('"')
            .filter(|part| part.starts_with("armada2flux.dev/") || is_of_kustomize(part))
            .collect();
        assert!(known.len() > 5, "{known:?}");
        for name in known {
            assert!(ALL.iter().any(|mark| mark.name == name), "{name}");
        }
    }

    /// Labels that kustomize-controller sets are not in a tree.
    fn is_of_kustomize(name: &str) -> bool {
        let of = name.strip_prefix("kustomize.toolkit.fluxcd.io/");
        of.is_some_and(|name| !["name", "namespace"].contains(&name))
    }

    #[test]
    fn marks_are_found_with_and_without_the_domain() {
        for mark in ALL {
            assert_eq!(find(mark.name), Some(mark));
            assert_eq!(find(mark.short()), Some(mark));
        }
        assert_eq!(find("armada2flux.dev/"), None);
    }
}

//! The codes of dangers, each with its page in `docs/dangers.md`.

use std::fmt;

/// Makes the codes and their pages.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal {
        effect: $effect:literal,
        when: $when:literal,
        fix: $fix:literal,
    })*) => {
        /// The code of a danger: a name that stays.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// All codes.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// Returns its name, as reports spell it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)* }
            }

            /// Returns what a change of this kind causes.
            #[must_use]
            pub fn effect(self) -> &'static str {
                match self { $(Code::$variant => $effect,)* }
            }

            /// Returns which changes are meant.
            #[must_use]
            pub fn when(self) -> &'static str {
                match self { $(Code::$variant => $when,)* }
            }

            /// Returns what to do.
            #[must_use]
            pub fn fix(self) -> &'static str {
                match self { $(Code::$variant => $fix,)* }
            }
        }
    };
}

codes! {
    /// Helm holds a release that Flux does not manage yet.
    Takeover = "takeover" {
        effect: "Helm installed the release and Flux does not manage it yet: Flux would upgrade it to manage it",
        when: "Helm holds a release under the name and in the namespace of a HelmRelease, and Flux has no history of it. Found against a cluster only.",
        fix: "compare its values and chart with what Helm holds before you let Flux upgrade it.",
    }
    /// A release is renamed or moved by a new HelmRelease.
    SecondInstallation = "second-installation" {
        effect: "the chart is installed a second time, and the first installation stays",
        when: "a HelmRelease leaves the input and another one comes for the same chart: a prefix, a release's name or its namespace changed. Nothing uninstalls the old release, and nothing moves its data.",
        fix: "keep the old name. If the move is wanted, plan it: back up the data, remove the old release, then install the new one.",
    }
    /// An unprotected object leaves the input.
    Removal = "removal" {
        effect: "a Kustomization that prunes deletes it: of a HelmRelease the release is uninstalled, of a Namespace everything in it is deleted",
        when: "a HelmRelease, a Namespace or a CustomResourceDefinition without the annotation `kustomize.toolkit.fluxcd.io/prune: disabled` leaves the input.",
        fix: "add the annotation and let it be applied first; remove the object afterwards.",
    }
    /// A CustomResourceDefinition of Flux goes, or is made again.
    ToolkitCrd = "toolkit-crd" {
        effect: "without the CustomResourceDefinition the API server deletes all objects of the kind; a HelmRelease that is deleted uninstalls its release",
        when: "a CustomResourceDefinition of a group of Flux leaves the input, is to be replaced by force, stops serving a version, or changes its group, scope or names.",
        fix: "suspend all HelmReleases first, or leave the CustomResourceDefinition as it is and let Flux's own installation upgrade it.",
    }
    /// Another name for Helm's release.
    ReleaseName = "release-name" {
        effect: "Flux uninstalls the release under its old name and installs it under the new one",
        when: "the name under which Helm holds the release changes: `spec.releaseName`, or, without it, `spec.targetNamespace`.",
        fix: "keep the name.",
    }
    /// Another namespace for Helm's release.
    ReleaseNamespace = "release-namespace" {
        effect: "Flux uninstalls the release where it is and installs it in the other namespace",
        when: "`spec.targetNamespace` or `spec.storageNamespace` changes.",
        fix: "keep the namespace.",
    }
    /// Another chart.
    Chart = "chart" {
        effect: "the release is upgraded to another chart",
        when: "the name or the path of the chart changes.",
        fix: "check that the new chart renders the same objects for this release.",
    }
    /// The chart comes from elsewhere.
    ChartSource = "chart-source" {
        effect: "the chart is fetched from another repository: what is behind the same path or name there may differ",
        when: "the address of the repository changes, in the HelmRelease or in the source object that it names.",
        fix: "compare the charts of both repositories, or pin the commit that was deployed.",
    }
    /// An older version of the chart.
    ChartDowngrade = "chart-downgrade" {
        effect: "the release is upgraded to an older version of its chart",
        when: "the version of the chart becomes smaller. Commits have no order, so a change from one commit to another is no danger.",
        fix: "check that the older chart reads what the newer one wrote: databases, CustomResourceDefinitions.",
    }
    /// The chart is not pinned any more.
    ChartUnpinned = "chart-unpinned" {
        effect: "the chart is not pinned any more: the release is upgraded whenever its repository changes",
        when: "a branch or a range of versions takes the place of a commit, a digest, a tag or a version, or another branch is followed.",
        fix: "pin a commit, a digest or a version.",
    }
    /// A release runs again.
    Resume = "resume" {
        effect: "its controller acts at once, on every change since it was suspended",
        when: "`spec.suspend` was on.",
        fix: "look at what changed since it was suspended before you resume it.",
    }
    /// A release is suspended.
    Suspend = "suspend" {
        effect: "Flux does nothing with the release until it is resumed",
        when: "`spec.suspend` is turned on.",
        fix: "resume it when the reason is gone; releases that depend on it wait.",
    }
    /// Failures are handled in another way.
    Remediation = "remediation" {
        effect: "sets whether a failed action is rolled back, uninstalled or retried",
        when: "`remediation`, `strategy` or `rollback` of the release changes.",
        fix: "do not let Flux roll back or uninstall releases that hold data.",
    }
    /// An object can be deleted again.
    Prune = "prune" {
        effect: "without `disabled`, Flux deletes an object that leaves the tree: a HelmRelease uninstalls its release, a Namespace deletes everything in it",
        when: "the annotation `kustomize.toolkit.fluxcd.io/prune: disabled` is removed or changed, or `spec.prune` of a Kustomization is turned on. Adding the annotation is no danger.",
        fix: "keep the annotation.",
    }
    /// What is deleted before an upgrade.
    Deletions = "deletions" {
        effect: "more is deleted before an upgrade",
        when: "`upgrade.pre.delete` gets an entry, or an entry with fewer labels. Fewer deletions are no danger.",
        fix: "name the labels of the objects that the release owns; without labels every object of the kind in the namespace is deleted.",
    }
    /// Gates wait for objects of others.
    GatesWidened = "gates-widened" {
        effect: "the next step waits for more objects, also for those of other releases",
        when: "a wait loses labels or has none: it then counts every object of its kind in the namespace.",
        fix: "name the labels of the release.",
    }
    /// Gates that do not wait any more.
    Gates = "gates" {
        effect: "the next step starts without something that it waited for",
        when: "a wait is removed, counts other objects, or is content with fewer pods; or the waits cannot be read.",
        fix: "check that the labels are those of the chart's objects.",
    }
    /// Readiness by other rules.
    Waiting = "waiting" {
        effect: "sets what must be ready before the release is ready and the next stage starts",
        when: "`waitStrategy`, `healthCheckExprs`, `disableWait` or `disableWaitForJobs` changes.",
        fix: "check that the release is not ready too early, or never.",
    }
    /// Less time.
    Timeout = "timeout" {
        effect: "less time for an action: one that needs longer fails",
        when: "a timeout of the release becomes shorter, also one that an action takes from `spec.timeout`. A longer one is no danger.",
        fix: "compare it with how long the last upgrade took.",
    }
    /// A failed release is not spared any more.
    Protected = "protected" {
        effect: "a run does not stop at the release any more when it had failed before",
        when: "`protected` is removed, or `continue_processing` is turned on. Adding `protected` is no danger.",
        fix: "repair the release first, or keep the protection.",
    }
    /// The order of upgrades.
    Order = "order" {
        effect: "sets what must be ready before this release changes",
        when: "a release does not wait for another one any more, neither directly nor through others, or the expression of `dependsOn` changes. A further dependency is no danger, unless it leaves the input.",
        fix: "check the order of the chart groups.",
    }
    /// Another owner in Flux.
    Owner = "owner" {
        effect: "another Kustomization applies the object: the one before prunes it, which uninstalls a release",
        when: "the labels `kustomize.toolkit.fluxcd.io/name` or `/namespace` name another Kustomization.",
        fix: "protect the object with `kustomize.toolkit.fluxcd.io/prune: disabled` before it changes hands.",
    }
    /// CustomResourceDefinitions of the chart.
    Crds = "crds" {
        effect: "sets whether the CustomResourceDefinitions of the chart are created, replaced or kept",
        when: "`install.crds`, `install.skipCRDs` or `upgrade.crds` changes.",
        fix: "do not replace CustomResourceDefinitions whose objects are in use.",
    }
    /// Helm's tests.
    Tests = "tests" {
        effect: "sets whether Helm's tests run, and whether a failed one blocks what follows",
        when: "`spec.test` changes, apart from its timeout.",
        fix: "check that the tests can run on the running site.",
    }
    /// Hooks of the chart.
    Hooks = "hooks" {
        effect: "sets whether hooks run: Jobs that set up or migrate data",
        when: "`disableHooks` or `postRenderers` changes.",
        fix: "check which Jobs of the chart are hooks.",
    }
    /// Objects are replaced.
    Force = "force" {
        effect: "objects are replaced instead of patched",
        when: "`upgrade.force` is turned on.",
        fix: "use it for one upgrade only.",
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

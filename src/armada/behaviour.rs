//! What Armada did with each field: the half of the field mapping that the rows do not tell.
//!
//! Measured with Armada's own handlers; pages and `explain` are generated from it.

use crate::diagnostic::Code;

use super::disposition::Row;

/// What Armada did with a field.
#[derive(Clone, Copy, Debug)]
pub struct Behaviour {
    /// Kind of the document.
    pub document: &'static str,
    /// Path of the field, as in its [`Row`].
    pub path: &'static str,
    /// What it did, in whichever version has the field.
    pub does: &'static str,
    /// What held when the field was absent; empty when the field is required or a mere container.
    pub default: &'static str,
    /// What is so in v1 only.
    pub v1: &'static str,
    /// What is so in v2 only.
    pub v2: &'static str,
    /// Known facts about it.
    pub codes: &'static [Code],
}

const NONE: Behaviour = Behaviour {
    document: "Chart",
    path: "",
    does: "",
    default: "",
    v1: "",
    v2: "",
    codes: &[],
};

/// All of them, in the order of the rows.
pub static ALL: &[Behaviour] = &[
    Behaviour {
        document: "Manifest",
        path: "data.release_prefix",
        does: "Prefix of all release names: a release is named `PREFIX-RELEASE`, with the chart's `release`.",
        codes: &[Code::NameInvalid, Code::ReleaseRenamed],
        ..NONE
    },
    Behaviour {
        document: "Manifest",
        path: "data.chart_groups",
        does: "Groups are deployed one after another, in this order. All Manifests of the input are validated, the chosen one is deployed.",
        codes: &[
            Code::ReferenceMissing,
            Code::GroupUnlisted,
            Code::ManifestOverlap,
        ],
        ..NONE
    },
    Behaviour {
        document: "ChartGroup",
        path: "data.sequenced",
        does: "True: charts are deployed one after another. False: all at the same time; when one fails, the run stops after the group.",
        default: "false",
        ..NONE
    },
    Behaviour {
        document: "ChartGroup",
        path: "data.test_charts",
        does: "Whether the tests of a chart run that does not set it itself.",
        default: "true",
        v2: "No such field: the schema refuses it.",
        codes: &[Code::TestOff],
        ..NONE
    },
    Behaviour {
        document: "ChartGroup",
        path: "data.chart_group",
        does: "Names of the Chart documents. A chart in two groups is processed twice. An empty list passes in a sequenced group.",
        codes: &[
            Code::ReferenceMissing,
            Code::ChartInTwoGroups,
            Code::GroupEmpty,
        ],
        ..NONE
    },
    Behaviour {
        path: "data.release",
        does: "The release's name, without the Manifest's prefix. Armada installs when Helm has no release of that name, and upgrades otherwise.",
        codes: &[
            Code::NameInvalid,
            Code::ReleaseDuplicate,
            Code::ReleaseRenamed,
        ],
        ..NONE
    },
    Behaviour {
        path: "data.namespace",
        does: "Namespace of the release, created on install when it is missing (`--create-namespace`). Waits and deletions look only there.",
        codes: &[Code::NameInvalid],
        ..NONE
    },
    Behaviour {
        path: "data.values",
        does: "Written to a file with PyYAML and given to Helm, which reads it by other rules: some quoted strings arrive as numbers or booleans. A release is upgraded only if values or chart differ from what Helm holds.",
        default: "the chart's own values",
        codes: &[
            Code::ValueRetyped,
            Code::KeyRetyped,
            Code::KeyCollision,
            Code::TextUnsafe,
            Code::ObjectLarge,
        ],
        ..NONE
    },
    Behaviour {
        path: "data.dependencies",
        does: "Empties the chart's `charts` folder, even for an empty list, and puts the charts of the named documents there.",
        default: "the chart's own folder is kept",
        codes: &[Code::DependencyNotCarried, Code::DependencyCycle],
        ..NONE
    },
    Behaviour {
        path: "data.protected",
        does: "A release whose last deployment failed, or is pending for longer than its time limit, is uninstalled and installed again. A protected one is skipped.",
        default: "not protected",
        ..NONE
    },
    Behaviour {
        path: "data.protected.continue_processing",
        does: "Whether the run continues after a protected release that failed before, or ends with an error.",
        default: "false: the run ends",
        ..NONE
    },
    Behaviour {
        path: "data.delete",
        does: "How the release is uninstalled, by `armada delete` or before it is installed again.",
        ..NONE
    },
    Behaviour {
        path: "data.delete.timeout",
        does: "Time limit of an uninstall, in seconds.",
        default: "300",
        ..NONE
    },
    Behaviour {
        path: "data.timeout",
        does: "The older form of `wait.timeout`; used when that is absent.",
        v2: "No such field: the schema refuses it.",
        ..NONE
    },
    Behaviour {
        path: "data.source",
        does: "Where the chart is fetched from, once for each place and revision.",
        codes: &[Code::SourceUnresolved],
        ..NONE
    },
    Behaviour {
        path: "data.source.type",
        does: "`git` clones a repository, `tar` unpacks an archive, `local` reads a folder beside Armada.",
        codes: &[Code::SourceUnresolved],
        ..NONE
    },
    Behaviour {
        path: "data.source.location",
        does: "The repository's or archive's address, or the folder.",
        codes: &[Code::SourceUnresolved],
        ..NONE
    },
    Behaviour {
        path: "data.source.subpath",
        does: "The chart's folder in the repository or archive.",
        default: "its top",
        ..NONE
    },
    Behaviour {
        path: "data.source.reference",
        does: "What is checked out: a commit, branch, tag or ref. What a branch points to is looked up when Armada runs.",
        default: "master",
        codes: &[Code::SourceMoving],
        ..NONE
    },
    Behaviour {
        path: "data.source.proxy_server",
        does: "The proxy through which Armada clones over HTTP and downloads archives.",
        default: "none",
        codes: &[Code::FieldNotCarried],
        ..NONE
    },
    Behaviour {
        path: "data.source.auth_method",
        does: "`SSH` uses the key of Armada's configuration for Git.",
        default: "none",
        codes: &[Code::FieldNotCarried],
        ..NONE
    },
    Behaviour {
        path: "data.wait",
        does: "Two waits run one after another: Helm's own (`wait.native`), then Armada's (`wait.labels`, `wait.resources`). Both share one time limit.",
        ..NONE
    },
    Behaviour {
        path: "data.wait.timeout",
        does: "Time limit of the chart in seconds, for Helm's action and Armada's waits. `--timeout` on the command line overrides it.",
        default: "900",
        v1: "`timeout` beside `wait` is used when this is absent.",
        codes: &[Code::DeployFault],
        ..NONE
    },
    Behaviour {
        path: "data.wait.native",
        does: "Helm's own wait, its flag `--wait`; never `--wait-for-jobs`.",
        ..NONE
    },
    Behaviour {
        path: "data.wait.native.enabled",
        does: "Whether Helm is called with `--wait`.",
        v1: "Default: true.",
        v2: "Default: false.",
        ..NONE
    },
    Behaviour {
        path: "data.wait.labels",
        does: "Labels that awaited objects must have, in the release's namespace. The release name is not part of the selection: without labels every object of the kind counts, also those of other releases.",
        default: "none, so all objects of the namespace",
        codes: &[Code::GateNotCarried, Code::ReleaseRenamed],
        ..NONE
    },
    Behaviour {
        path: "data.wait.resources",
        does: "What Armada itself waits for after Helm and its hooks, one wait after another. `[]` means no wait; null, `{}` and false count as absent. The entries of a list are required, in v2 unless they set `required: false`: finding no object within the time limit is a failure. Objects that are found but not ready are awaited until the limit in any case.",
        v1: "A list. Absent: `job` (optional), then `pod` (required). A mapping is ignored, the defaults hold.",
        v2: "A list, or a mapping by type. Absent: `job`, `daemonset`, `statefulset`, `deployment`, `pod`, in this order, all optional. The types of a mapping replace these defaults one by one and become required unless they set `required: false`; `TYPE: false` leaves a type out.",
        codes: &[Code::GateNotCarried, Code::DeployFault, Code::FieldMisread],
        ..NONE
    },
    Behaviour {
        path: "data.wait.resources[]",
        does: "One wait. Objects must be ready all at once: Jobs complete, pods ready, controllers observed and up to `min_ready`.",
        v2: "In a mapping by type: an entry, a list of entries, or false for none.",
        codes: &[Code::GateNotCarried],
        ..NONE
    },
    Behaviour {
        path: "data.wait.resources[].type",
        does: "`job`, `pod`, `deployment`, `statefulset` or `daemonset`. Any other word fails only when the chart is deployed. Pods of Jobs and test pods are never awaited.",
        v1: "Pods of other controllers are awaited as pods, too.",
        v2: "Pods that a controller owns are not awaited as pods. In a mapping the key is the type.",
        codes: &[Code::DeployFault],
        ..NONE
    },
    Behaviour {
        path: "data.wait.resources[].labels",
        does: "Merged over `wait.labels`: equal keys replace, others are added.",
        default: "`wait.labels` alone",
        codes: &[Code::ReleaseRenamed],
        ..NONE
    },
    Behaviour {
        path: "data.wait.resources[].min_ready",
        does: "How many pods must be ready, as a number or a percentage such as `80%`. A percentage is of the updated pods of a Deployment, of the pods that a DaemonSet should have, of the replicas of a StatefulSet. On a job or pod, or as other text, it fails when the chart is deployed.",
        default: "100%",
        codes: &[Code::DeployFault],
        ..NONE
    },
    Behaviour {
        path: "data.wait.resources[].required",
        does: "Whether finding no such object within the time limit is a failure.",
        default: "true for an entry, false for the types that v2 waits for by default",
        v1: "No such field; entries are required.",
        codes: &[Code::FieldMisread],
        ..NONE
    },
    Behaviour {
        path: "data.wait.resources[].allow_async_updates",
        does: "Whether updates pass that are not rolled out by themselves (OnDelete, partitions). Otherwise such an update waits until the time limit.",
        default: "false",
        v1: "No such field.",
        codes: &[Code::FieldMisread],
        ..NONE
    },
    Behaviour {
        path: "data.test",
        does: "`helm test` after each deployment, and again while the last test has failed. A block without `enabled` has no effect.",
        v1: "`true` or `false` alone is the old form of `enabled`.",
        codes: &[Code::TestOff],
        ..NONE
    },
    Behaviour {
        path: "data.test.enabled",
        does: "Whether the tests run.",
        default: "true",
        v1: "The group's `test_charts` overrides the default.",
        codes: &[Code::TestOff],
        ..NONE
    },
    Behaviour {
        path: "data.test.timeout",
        does: "Time limit of the tests, in seconds.",
        default: "300",
        ..NONE
    },
    Behaviour {
        path: "data.upgrade",
        does: "Settings of upgrades; installs have no options.",
        ..NONE
    },
    Behaviour {
        path: "data.upgrade.no_hooks",
        does: "Whether Helm's hooks are left out on upgrades (`--no-hooks`). On install they always run.",
        v1: "Required when `upgrade` is set.",
        v2: "It is set under `upgrade.options`.",
        ..NONE
    },
    Behaviour {
        path: "data.upgrade.options",
        does: "Flags of `helm upgrade`.",
        ..NONE
    },
    Behaviour {
        path: "data.upgrade.options.no_hooks",
        does: "Whether Helm's hooks are left out on upgrades (`--no-hooks`). On install they always run.",
        default: "false",
        v1: "It is set under `upgrade`.",
        ..NONE
    },
    Behaviour {
        path: "data.upgrade.options.force",
        does: "`helm upgrade --force`: objects are replaced instead of patched.",
        default: "false",
        ..NONE
    },
    Behaviour {
        path: "data.upgrade.pre",
        does: "Actions before an upgrade, run only when the release changes.",
        codes: &[Code::PreDeleteNotCarried],
        ..NONE
    },
    Behaviour {
        path: "data.upgrade.pre.delete",
        does: "Deletes objects of the release's namespace just before the upgrade, since Kubernetes refuses to change the template of an existing Job.",
        default: "nothing is deleted",
        codes: &[Code::PreDeleteAsHook, Code::PreDeleteNotCarried],
        ..NONE
    },
    Behaviour {
        path: "data.upgrade.pre.delete[].type",
        does: "`job`, `cronjob` or `pod`. Any other word is logged as an error and skipped.",
        v1: "`job` deletes CronJobs, too.",
        codes: &[Code::PreDeleteNotCarried],
        ..NONE
    },
    Behaviour {
        path: "data.upgrade.pre.delete[].labels",
        does: "Labels that the objects must carry.",
        default: "none, so all objects of the type in the namespace",
        codes: &[Code::ReleaseRenamed],
        ..NONE
    },
    Behaviour {
        path: "data.upgrade.pre.update",
        does: "Updates DaemonSets before the upgrade so that their pods are recreated.",
        default: "nothing is updated",
        v2: "No such field: the schema refuses it.",
        codes: &[Code::FieldNotCarried],
        ..NONE
    },
    Behaviour {
        path: "data.upgrade.pre.update[].type",
        does: "`daemonset`.",
        ..NONE
    },
    Behaviour {
        path: "data.upgrade.pre.update[].labels",
        does: "Labels of the objects among which the name is looked up.",
        ..NONE
    },
    Behaviour {
        path: "data.upgrade.pre.update[].name",
        does: "Name of the DaemonSet.",
        ..NONE
    },
];

/// Returns what Armada did with the field of a row; `None` where the row's reason says it all.
#[must_use]
pub fn find(row: &Row) -> Option<&'static Behaviour> {
    ALL.iter()
        .find(|behaviour| behaviour.document == row.documents && behaviour.path == row.path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::armada::disposition::{Fate, Versions};
    use crate::armada::rows;

    #[test]
    fn every_field_that_did_something_is_told_and_no_other() {
        for row in rows::ALL.iter() {
            let container = row.path == "data" || row.documents == "every document";
            let idle = matches!(row.fate, Fate::DroppedHarmless | Fate::Refused);
            if !container && !idle {
                assert!(find(row).is_some(), "{} {}", row.documents, row.path);
            }
        }
        for behaviour in ALL {
            let rows = rows::ALL.iter();
            let of = rows
                .filter(|row| row.path == behaviour.path && row.documents == behaviour.document);
            assert_eq!(of.count(), 1, "{} {}", behaviour.document, behaviour.path);
        }
    }

    #[test]
    fn versions_agree_with_the_rows() {
        for row in rows::ALL.iter() {
            let Some(behaviour) = find(row) else { continue };
            if row.versions == Versions::V1 {
                assert!(
                    behaviour.v2.is_empty()
                        || behaviour.v2.starts_with("No such")
                        || behaviour.v2.starts_with("It is set"),
                    "{}",
                    row.path
                );
            }
            if row.versions == Versions::V2 {
                assert!(
                    behaviour.v1.is_empty()
                        || behaviour.v1.starts_with("No such")
                        || behaviour.v1.starts_with("It is set"),
                    "{}",
                    row.path
                );
            }
        }
    }
}

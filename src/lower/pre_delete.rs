//! What Armada deletes before an upgrade; Flux has no counterpart.
//!
//! Flux deletes nothing before an upgrade. Helm recreates a Job that is a hook at each upgrade, which comes
//! close; but hooks run after Helm's wait and one after another.

use crate::armada::chart::PreDelete;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::flux::helm_release::JobPatch;
use crate::gate::{Deleted, Deletion};
use crate::plan::Release;
use crate::secret;
use crate::value::Text;

/// How the tree handles Jobs that Armada deletes before an upgrade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PreDeletes {
    /// It is reported.
    #[default]
    Reported,
    /// Where Helm does not wait, Flux makes the Jobs hooks of the release.
    Hooks,
}

/// Annotations of a Job that Helm recreates at each upgrade.
const HOOK: [(&str, &str); 2] = [
    ("helm.sh/hook", "post-install,post-upgrade"),
    ("helm.sh/hook-delete-policy", "before-hook-creation"),
];
/// Decides which hook runs first; those of one weight run in the order of their names.
const WEIGHT: &str = "helm.sh/hook-weight";

/// Jobs with dependencies on other Jobs, by the end of their names, with the weight that puts
/// them in the order of their needs (OpenStack-Helm: `dependencies.static` in the values of its charts).
/// A Job that waits for a later one would never finish.
const WEIGHTS: &[(&str, &str)] = &[
    (
        "image-repo-sync|credential-setup|fernet-setup|db-init|rabbit-init",
        "-40",
    ),
    ("db-sync", "-30"),
    ("ks-service|ks-user", "-20"),
    ("ks-endpoints|domain-manage|storage-init", "-10"),
    ("cell-setup|metadefs-load|bootstrap", "10"),
];

/// The deletions of a release in the tree.
#[derive(Debug, Default)]
pub(super) struct PreDeleted {
    /// The patches that turn Jobs into hooks.
    pub(super) job_patches: Vec<JobPatch>,
    /// The deletions that `apply` does.
    pub(super) deletions: Vec<Deletion>,
}

/// Decides which deletions become hooks, and reports what plain Flux does not do.
pub(super) fn pre_deleted(
    release: &Release<'_, '_>,
    choice: PreDeletes,
    diagnostics: &mut Diagnostics,
) -> PreDeleted {
    let Some(first) = release.pre_deletes.first() else {
        return PreDeleted::default();
    };
    let jobs: Vec<&PreDelete> = release
        .pre_deletes
        .iter()
        .filter(|delete| delete.kinds.contains(&Deleted::Job))
        .collect();
    let hooks = choice == PreDeletes::Hooks && !release.native_wait && !jobs.is_empty();
    if hooks {
        let message = format!(
            "release `{}`: Jobs that Armada deleted before each upgrade become hooks of the release",
            release.name
        );
        let at = jobs.first().map_or(first.span, |job| job.span);
        diagnostics.push(
            Diagnostic::new(Code::PreDeleteAsHook, message)
                .at(at, "Helm recreates these at each upgrade")
                .help("they run one after another, after everything else; check that none waits for a later one"),
        );
    }
    let covered = |kind: &Deleted| hooks && *kind == Deleted::Job;
    let deletions = release
        .pre_deletes
        .iter()
        .flat_map(PreDelete::deletions)
        .filter(|deletion| !covered(&deletion.kind));
    let mut at = None;
    let mut rest: Vec<(Text, Vec<&str>)> = Vec::new();
    for delete in release.pre_deletes {
        let selector = delete.selector();
        for kind in delete.kinds.iter().filter(|kind| !covered(kind)) {
            at = at.or(Some(delete.span));
            let place = rest.iter().position(|(known, _)| *known == selector);
            let place = place.unwrap_or_else(|| {
                rest.push((selector.clone(), Vec::new()));
                rest.len() - 1
            });
            if let Some((_, kinds)) = rest.get_mut(place)
                && !kinds.contains(&kind.word())
            {
                kinds.push(kind.word());
            }
        }
    }
    if let Some(at) = at {
        let rest: Vec<String> = rest
            .iter()
            .map(|(selector, kinds)| selected(selector, kinds))
            .collect();
        let message = format!(
            "release `{}`: before each upgrade Armada deleted {}",
            release.name,
            rest.join(", and ")
        );
        let help = if choice == PreDeletes::Hooks && release.native_wait && !jobs.is_empty() {
            "Helm waits for this release before its hooks run, so its Jobs do not become hooks: pods that wait for one would never become ready"
        } else if hooks {
            "`apply` deletes them as Armada did; plain Flux changes a CronJob in place and keeps a pod without an owner until you delete it"
        } else {
            "`apply` deletes them as Armada did; in plain Flux a Job whose template changes makes the upgrade fail until you delete the Job"
        };
        diagnostics.push(
            Diagnostic::new(Code::PreDeleteNotCarried, message)
                .at(at, "`apply` deletes them, plain Flux has no counterpart")
                .help(help),
        );
    }
    PreDeleted {
        job_patches: jobs.into_iter().filter(|_| hooks).flat_map(hook).collect(),
        deletions: deletions.collect(),
    }
}

/// Says which objects are selected.
fn selected(selector: &Text, kinds: &[&str]) -> String {
    let kinds = kinds.join("`, `");
    if selector.is_empty() {
        format!("every `{kinds}` of the namespace")
    } else if secret::text_looks_secret(selector) {
        format!("every `{kinds}` with certain labels")
    } else {
        format!("every `{kinds}` with `{selector}`")
    }
}

/// The weights come first: a patch sees what those before it made, and the Jobs that are hooks
/// already are skipped by all.
fn hook(job: &PreDelete) -> Vec<JobPatch> {
    let patch = |name: Option<Text>, annotations: &[(&str, &str)]| JobPatch {
        name,
        labels: job.selector(),
        annotations: annotations
            .iter()
            .map(|(key, value)| (Text::from(*key), Text::from(*value)))
            .collect(),
    };
    let mut patches: Vec<JobPatch> = WEIGHTS
        .iter()
        .map(|(ends, weight)| {
            let name = Text::from(format!("(.*-)?({ends})"));
            patch(Some(name), &[(WEIGHT, weight)])
        })
        .collect();
    patches.push(patch(None, &HOOK));
    patches
}

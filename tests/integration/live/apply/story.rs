//! One site, rolled out fresh, again, and changed, all by accounts that may do what docs/deploy says and no more; several
//! tests look at what came of it.

use std::path::PathBuf;
use std::sync::OnceLock;

use armada2flux::cluster::Rights;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, PostParams};

use super::order::{self, Awaited, Gaps, Window};
use super::{Scope, Test, airskiff, apply, client_preflight, diff, ended, ensure, site};
use crate::bed::armada::Site;
use crate::bed::audit::Entry;
use crate::bed::build;
use crate::bed::{Outcome, until};
use crate::support::Ran;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("apply::keeps_armadas_order", in_order),
        Test::shared("apply::keeps_armadas_order_in_a_real_site", real),
        Test::shared("apply::a_second_run_writes_nothing", again),
    ]
}

/// What happened.
pub(super) struct Story {
    /// Who ran `apply`.
    user: String,
    entries: Vec<Entry>,
    steps: Vec<Vec<Awaited>>,
    fresh: Chapter,
    again: Chapter,
    /// `diff` after it.
    same: Ran,
    changed: Chapter,
}

/// A run, and when it was.
struct Chapter {
    window: Window,
}

impl Story {
    /// Told once, by the first who asks.
    pub(super) fn get(scope: &Scope<'_>) -> Outcome<&'static Self> {
        static STORY: OnceLock<Result<Story, String>> = OnceLock::new();
        let story = STORY.get_or_init(|| Self::tell(scope).map_err(|error| error.to_string()));
        story.as_ref().map_err(|error| error.as_str().into())
    }

    /// Whether those who ran it have the rights of an account, and no others.
    pub(super) fn is_an_accounts(&self) -> bool {
        let ours = |chapter: &Chapter| chapter.window.of(&self.entries, &self.user).count();
        self.user.starts_with("system:serviceaccount:") && ours(&self.fresh) > 0
    }

    fn tell(scope: &Scope<'_>) -> Outcome<Self> {
        let bed = scope.bed;
        let site = Site::worked(bed, "ap")?.renamed("ap")?;
        let options = ["--site=apply-story", "--source-namespace=release"];
        let tree = site::convert(scope, &site, "apply-story", &options)?;
        let changed = site::with_replicas(&site, 3)?;
        let changed = site::convert(scope, &changed, "apply-story-changed", &options)?;
        let (name, kubeconfig) = client_preflight::account(scope, Rights::Apply)?;
        let (_, looks) = client_preflight::account(scope, Rights::Diff)?;
        let run = |tree: &PathBuf| -> Outcome<Chapter> {
            let from = mark(scope)?;
            let ran = apply(scope, &kubeconfig, tree, &[])?;
            ended(&ran, 0)?;
            let to = mark(scope)?;
            let window = Window { from, to };
            Ok(Chapter { window })
        };
        let fresh = run(&tree)?;
        let again = run(&tree)?;
        let folder = tree.display().to_string();
        let same = diff::diff(scope, &looks, &[&folder, "--exit-code"])?;
        let changed = run(&changed)?;
        Ok(Self {
            user: user(&name),
            entries: bed.audit()?,
            steps: order::awaited(&site)?,
            fresh,
            again,
            same,
            changed,
        })
    }
}

/// Makes a mark in the audit log, and says when.
pub(super) fn mark(scope: &Scope<'_>) -> Outcome<String> {
    let maps: Api<ConfigMap> = Api::namespaced(scope.bed.client.clone(), &scope.namespace);
    let name = format!("mark-{}", build::unique());
    let mut map = ConfigMap::default();
    map.metadata.name = Some(name.clone());
    scope
        .bed
        .block_on(maps.create(&PostParams::default(), &map))?;
    let is_it = |entry: &Entry| {
        let place = &entry.object_ref;
        entry.verb == "create" && place.resource == "configmaps" && place.name == name
    };
    until(site::READY_WITHIN, || {
        let entries = scope.bed.audit()?;
        let mark = entries.iter().rev().find(|entry| is_it(entry));
        Ok(mark.map(|entry| entry.request_received_timestamp.clone()))
    })
}

/// Says how long it took from the last thing that was awaited to the next step.
fn tell(mut gaps: Gaps) {
    gaps.sort_unstable();
    let median = gaps.get(gaps.len() / 2).copied().unwrap_or_default();
    build::say(&format!(
        "apply: {} ms in the median from the last gate to the next write; of {} the longest took {} ms",
        median / 1000,
        gaps.len(),
        gaps.last().copied().unwrap_or_default() / 1000
    ));
}

/// The user that an account is.
fn user(account: &str) -> String {
    format!("system:serviceaccount:flux-system:{account}")
}

fn in_order(scope: &Scope<'_>) -> Outcome {
    let story = Story::get(scope)?;
    let Story {
        entries,
        user,
        steps,
        fresh,
        changed,
        ..
    } = story;
    let releases = steps.iter().flatten().count();
    let mut all = Vec::new();
    for (chapter, written) in [(fresh, releases), (changed, 2)] {
        let window = &chapter.window;
        let writes = window.writes(entries, user);
        let writes = writes.filter(|write| write.object_ref.resource == "helmreleases");
        let writes = writes.count();
        ensure(writes >= written, || {
            format!("{writes} releases are written")
        })?;
        all.extend(order::prove(entries, window, user, steps)?);
        order::asks_once(entries, window, user)?;
    }
    ensure(all.len() >= steps.len(), || format!("{all:?}"))?;
    tell(all);
    Ok(())
}

fn real(scope: &Scope<'_>) -> Outcome {
    let site = airskiff::site(scope)?.renamed("ask")?;
    let options = ["--site=airskiff", "--source-namespace=release"];
    let tree = site::convert(scope, &site, "apply-airskiff", &options)?;
    let (name, kubeconfig) = client_preflight::account(scope, Rights::Apply)?;
    let from = mark(scope)?;
    ended(&apply(scope, &kubeconfig, &tree, &[])?, 0)?;
    let window = Window {
        from,
        to: mark(scope)?,
    };
    let user = user(&name);
    let (entries, steps) = (scope.bed.audit()?, order::awaited(&site)?);
    let gaps = order::prove(&entries, &window, &user, &steps)?;
    ensure(gaps.len() == steps.len(), || format!("{gaps:?}"))?;
    order::asks_once(&entries, &window, &user)?;
    tell(gaps);
    Ok(())
}

fn again(scope: &Scope<'_>) -> Outcome {
    let Story {
        entries,
        user,
        again,
        same,
        ..
    } = Story::get(scope)?;
    let reads = again.window.of(entries, user).count();
    ensure(reads > 0, || {
        "the audit log does not show the run".to_owned()
    })?;
    let writes: Vec<&str> = again
        .window
        .writes(entries, user)
        .map(|write| write.request_uri.as_str())
        .collect();
    ensure(writes.is_empty(), || format!("it writes {writes:?}"))?;
    ended(same, 0)?;
    ensure(same.stdout.contains(" unchanged\n"), || same.stdout.clone())
}

//! One site, rolled out the first time, again, and changed, by accounts with only the permissions of docs/deploy. Several
//! tests check the result.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use armada2flux::cluster::Rights;

use super::{Scope, Test, airskiff, apply, client_preflight, diff, ended, ensure, site};
use crate::bed::Outcome;
use crate::bed::armada::Site;
use crate::bed::audit::Entry;
use crate::bed::build;
use crate::bed::order::{self, Awaited, Gaps, Window};
use crate::bed::stages::READY_AFTER;
use crate::support::ProgramOutput;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("apply::keeps_armadas_order", in_order),
        Test::shared("apply::keeps_armadas_order_in_a_real_site", real),
        Test::shared("apply::a_second_run_writes_nothing", again),
    ]
}

/// The runs and their audit log.
pub(super) struct Story {
    /// The user that ran `apply`.
    user: String,
    entries: Vec<Entry>,
    steps: Vec<Vec<Awaited>>,
    fresh: Chapter,
    again: Chapter,
    /// `diff` after it.
    same: ProgramOutput,
    changed: Chapter,
}

/// A run and its time.
struct Chapter {
    window: Window,
}

impl Story {
    /// Created once, by the first test that needs it.
    pub(super) fn get(scope: &Scope<'_>) -> Outcome<&'static Self> {
        static STORY: OnceLock<Result<Story, String>> = OnceLock::new();
        let story = STORY.get_or_init(|| Self::tell(scope).map_err(|error| error.to_string()));
        story.as_ref().map_err(|error| error.as_str().into())
    }

    /// Whether it is run with the permissions of a published account.
    pub(super) fn is_an_accounts(&self) -> bool {
        let ours = |chapter: &Chapter| {
            chapter
                .window
                .requests_of(&self.entries, &self.user)
                .count()
        };
        self.user.starts_with("system:serviceaccount:") && ours(&self.fresh) > 0
    }

    fn tell(scope: &Scope<'_>) -> Outcome<Self> {
        let bed = scope.bed;
        let site = slow(scope, "ap")?;
        let options = ["--site=apply-story", "--source-namespace=release"];
        let tree = site::convert(scope, &site, "apply-story", &options)?;
        let changed = site::with_replicas(&site, 3)?;
        let changed = site::convert(scope, &changed, "apply-story-changed", &options)?;
        let (name, kubeconfig) = client_preflight::account(scope, Rights::Apply)?;
        let (_, looks) = client_preflight::account(scope, Rights::Diff)?;
        let run = |tree: &PathBuf| -> Outcome<Chapter> {
            let from = scope.bed.mark()?;
            let ran = apply(scope, &kubeconfig, tree, &[])?;
            ended(&ran, 0)?;
            let to = scope.bed.mark()?;
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

/// Returns the worked site with a gate that opens long after Flux reports the release ready: Helm does not wait for it.
fn slow(scope: &Scope<'_>, word: &str) -> Outcome<Site> {
    let bed = scope.bed;
    let mut site = Site::worked(bed, word)?;
    let template = site.charts.join("node-agent/templates/daemonset.yaml");
    let text = fs::read_to_string(&template)?;
    let (pods, label) = ("  template:\n    metadata:\n      labels:\n", READY_AFTER);
    ensure(text.matches(pods).count() == 1, || text.clone())?;
    fs::write(
        &template,
        text.replace(pods, &format!("{pods}        {label}: 8s\n")),
    )?;
    let repository = format!("charts-{word}");
    let message = "Let the agents take their time";
    let commit = bed.git.commit(&repository, &site.charts, message)?;
    site.source_map = Site::worked_map(bed, word, &commit);
    site.renamed(word)
}

/// Prints how long it took from the last awaited change to the next step.
fn tell(gaps: &Gaps) {
    let gaps: Vec<i64> = gaps.iter().map(|gap| gap / 1000).collect();
    let mut sorted = gaps.clone();
    sorted.sort_unstable();
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
    build::print_progress(&format!(
        "apply: {median} ms in the median from the last gate to the next write; step by step {gaps:?}"
    ));
}

/// Returns the user name of an account.
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
        all.extend(order::prove_order(entries, window, user, steps)?);
        order::expect_no_repeated_reads(entries, window, user)?;
    }
    ensure(all.len() >= steps.len(), || format!("{all:?}"))?;
    tell(&all);
    can_fail(story)
}

/// The same log must not prove another order, or other gates.
fn can_fail(story: &Story) -> Outcome {
    let Story {
        entries,
        user,
        steps,
        fresh,
        ..
    } = story;
    let refuted = |steps: &[Vec<Awaited>], what: &str| {
        let proof = order::prove_order(entries, &fresh.window, user, steps);
        ensure(proof.is_err(), || {
            format!("{what} is proved as well: {proof:?}")
        })
    };
    let mut other = steps.clone();
    other.reverse();
    refuted(&other, "the reverse order")?;
    let mut other = steps.clone();
    let late = other.last().into_iter().flatten();
    let late = late.flat_map(|release| release.gates.clone()).collect();
    other[0][0].gates = late;
    refuted(&other, "waiting for the last step in the first")?;
    // The gates matter: one of them opened after Flux was done.
    let mut bare = steps.clone();
    for release in bare.iter_mut().flatten() {
        release.gates.clear();
    }
    let [with, without] =
        [steps, &bare].map(|steps| order::prove_order(entries, &fresh.window, user, steps));
    let (with, without) = (with?, without?);
    ensure(
        with.iter()
            .zip(&without)
            .any(|(with, without)| with < without),
        || format!("no gate opened late: {with:?} {without:?}"),
    )
}

fn real(scope: &Scope<'_>) -> Outcome {
    let site = airskiff::site(scope)?.renamed("ask")?;
    let options = ["--site=airskiff", "--source-namespace=release"];
    let tree = site::convert(scope, &site, "apply-airskiff", &options)?;
    let (name, kubeconfig) = client_preflight::account(scope, Rights::Apply)?;
    let from = scope.bed.mark()?;
    ended(&apply(scope, &kubeconfig, &tree, &[])?, 0)?;
    let window = Window {
        from,
        to: scope.bed.mark()?,
    };
    let user = user(&name);
    let (entries, steps) = (scope.bed.audit()?, order::awaited(&site)?);
    let gaps = order::prove_order(&entries, &window, &user, &steps)?;
    ensure(gaps.len() == steps.len(), || format!("{gaps:?}"))?;
    order::expect_no_repeated_reads(&entries, &window, &user)?;
    tell(&gaps);
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
    let reads = again.window.requests_of(entries, user).count();
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

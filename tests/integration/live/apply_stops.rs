//! `apply` that is interrupted, or cannot write its journal: nothing is lost, and it reports how to continue.

use std::fs;
use std::time::Duration;

use super::small_site::{self, FIRST, LAST, SmallSite, WITHIN, ended};
use super::{Scope, Test, ensure, to_error};
use crate::bed::proxy::{Fault, Kind, Rule};
use crate::bed::{Outcome, until};
use crate::support::ProgramOutput;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared(
            "apply_stops::an_interrupt_ends_after_the_write",
            interrupted,
        ),
        Test::shared("apply_stops::a_second_interrupt_ends_it", twice),
        Test::shared("apply_stops::a_cut_journal_resumes", journal),
        Test::shared("apply_stops::a_full_disk_stops_it", full_disk),
    ]
}

/// The delay of a write, long enough for the test to interrupt it.
const LONG: Duration = Duration::from_secs(3);

/// The delay of a write that does not end during the test.
const ENDLESS: Duration = Duration::from_secs(600);

/// Time limit for a process that ends immediately.
const AT_ONCE: Duration = Duration::from_secs(20);

fn site<'b>(scope: &Scope<'b>) -> Outcome<SmallSite<'b>> {
    let commit = small_site::commit(scope)?;
    SmallSite::create(scope, &commit, &scope.namespace)
}

/// Whether the journal has such an entry about the write of the last release.
fn wrote(site: &SmallSite<'_>, kind: &str) -> Outcome<bool> {
    let lines = site.journal_entries()?;
    Ok(lines.iter().any(|line| {
        let entry = &line["entry"];
        entry["type"] == kind
            && entry["request"]["write"] == "apply"
            && entry["item"]["name"] == format!("grain-{LAST}")
    }))
}

fn interrupted(scope: &Scope<'_>) -> Outcome {
    let site = site(scope)?;
    let tree = site.tree("one", &[])?;
    let proxy = scope.bed.proxy(&site.name)?;
    proxy.add_rule(
        Rule::new(Fault::Delay(LONG))
            .kind(Kind::Write)
            .exactly(&site.path(LAST)),
    );
    let running = site.start(&proxy.kubeconfig, &tree, &[])?;
    until(WITHIN, || Ok(wrote(&site, "intent")?.then_some(())))?;
    running.signal("INT")?;
    ended(&running.end()?, 130, &["stopping", "--resume"])?;
    let lines = site.journal_entries()?;
    let last = lines.last().map(|line| &line["entry"]);
    ensure(
        wrote(&site, "done")?
            && last
                .is_some_and(|last| last["type"] == "run-ended" && last["result"] == "interrupted"),
        || format!("{lines:?}"),
    )?;
    ensure(site.release(LAST)?["metadata"]["generation"] == 1, || {
        "it was not written".to_owned()
    })?;
    ended(&site.apply(&tree, &["--resume"])?, 0, &[])?;
    site.expect_deployed("one")?;
    ensure(site.expect_complete()? == 2, || "not resumed".to_owned())
}

fn twice(scope: &Scope<'_>) -> Outcome {
    let site = site(scope)?;
    let tree = site.tree("one", &[])?;
    let proxy = scope.bed.proxy(&site.name)?;
    // The server no longer answers, not even the release of the Lease.
    let path = site.path(LAST);
    proxy.add_rule(
        Rule::new(Fault::Delay(ENDLESS))
            .kind(Kind::Write)
            .exactly(&path),
    );
    proxy.add_rule(
        Rule::new(Fault::Delay(ENDLESS))
            .kind(Kind::Write)
            .path("/leases/"),
    );
    let mut running = site.start(&proxy.kubeconfig, &tree, &[])?;
    until(WITHIN, || Ok(wrote(&site, "intent")?.then_some(())))?;
    until(AT_ONCE, || {
        if running.has_ended()? {
            return Ok(Some(()));
        }
        running.signal("INT")?;
        Ok(None)
    })?;
    // Printed only if the run did not wait.
    let said = "the Lease was not released; `--resume` on this machine does not need to wait";
    ended(&running.end()?, 130, &[said, "--resume"])?;
    ensure(!wrote(&site, "done")?, || "the write ended".to_owned())?;
    // The Lease was not released, but the next run need not wait for it.
    ended(&site.apply(&tree, &["--resume"])?, 0, &[])?;
    site.expect_deployed("one")?;
    ensure(site.expect_complete()? == 2, || "not resumed".to_owned())
}

fn journal(scope: &Scope<'_>) -> Outcome {
    let site = site(scope)?;
    let tree = site.tree("one", &[])?;
    let proxy = scope.bed.proxy(&site.name)?;
    let killed = site.apply_with(&proxy, &tree, &[], |process| {
        let rule = Rule::new(Fault::KillAfter(process)).kind(Kind::Write);
        proxy.add_rule(rule.exactly(&site.path(LAST)).times(1));
    })?;
    ensure(killed.code.is_none(), || killed.stderr)?;
    let whole = fs::read(site.journal())?;

    let newer = [
        &whole[..],
        b"{\"version\":3,\"at\":\"2030-01-01T00:00:00.000Z\",\"soul\":\"new\"}\n",
    ]
    .concat();
    for arguments in [&["--resume"][..], &[]] {
        fs::write(site.journal(), &newer)?;
        let ran = site.apply(&tree, arguments)?;
        ended(
            &ran,
            4,
            &[
                "has version 3, this program reads version 2",
                "use the version of the program",
            ],
        )?;
        ensure(fs::read(site.journal())? == newer, || {
            "the journal was changed".to_owned()
        })?;
    }

    // In the middle and at the end of each of the last two lines; unit tests cut at every byte.
    let ends: Vec<usize> = whole
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at)
        .collect();
    let [.., before, one, two] = ends[..] else {
        return Err("a journal of two lines".into());
    };
    for cut in [(one + two) / 2, two, (before + one) / 2, one] {
        fs::write(site.journal(), &whole[..cut])?;
        ended(&site.apply(&tree, &["--resume"])?, 0, &[])?;
        site.expect_deployed("one")?;
        ensure(site.expect_complete()? == 2, || {
            format!("cut at {cut}: not resumed")
        })?;
    }
    let generation = site.release(LAST)?["metadata"]["generation"].clone();
    ensure(generation == 1, || {
        format!("written again: generation {generation}")
    })
}

/// Limits file sizes, with a higher limit each time.
fn full_disk(scope: &Scope<'_>) -> Outcome {
    // The first limits end within the run; the later ones leave room for what a resumed run records of what it finds done.
    const FIRST_STEPS: usize = 6;
    const STEP: usize = 12;
    const ENOUGH: usize = 300;
    let site = site(scope)?;
    let tree = site.tree("one", &[])?;
    let mut failed = 0;
    let mut blocks = 2;
    loop {
        let begun = !site.journal_entries()?.is_empty();
        let resume: &[&str] = if begun { &["--resume"] } else { &[] };
        // The kernel ends a process that writes more, unless it handles the signal.
        let script = format!("ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let mut command = site.shell_command(&script, &scope.bed.kubeconfig, &tree, resume);
        let ran = ProgramOutput::new(command.output()?).map_err(to_error)?;
        if ran.code == Some(0) {
            break;
        }
        failed += 1;
        ended(
            &ran,
            1,
            &["cannot write the journal", "free some space", "--resume"],
        )?;
        // The journal has only complete lines.
        let text = fs::read_to_string(site.journal())?;
        ensure(text.is_empty() || text.ends_with('\n'), || text.clone())?;
        blocks += if failed < 3 { FIRST_STEPS } else { STEP };
        ensure(blocks < ENOUGH, || {
            format!("no end with {blocks} blocks: {text}")
        })?;
    }
    ensure(failed >= 3, || format!("it failed {failed} times"))?;
    site.expect_deployed("one")?;
    for release in FIRST.into_iter().chain([LAST]) {
        let generation = site.release(release)?["metadata"]["generation"].clone();
        ensure(generation == 1, || {
            format!("{release}: generation {generation}")
        })?;
    }
    site.expect_complete().map(drop)
}

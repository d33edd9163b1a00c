//! `apply` that somebody stops, or that cannot write its journal any more: nothing is lost, and it says how to go on.

use std::fs;
use std::time::Duration;

use super::small_site::{self, FIRST, LAST, Town, WITHIN, ended, told};
use super::{Scope, Test, ensure};
use crate::bed::proxy::{Kind, Rule, Trouble};
use crate::bed::{Outcome, until};
use crate::support::Ran;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared(
            "apply_stops::an_interruption_lets_the_write_end",
            interrupted,
        ),
        Test::shared("apply_stops::a_second_one_ends_it_at_once", twice),
        Test::shared("apply_stops::a_cut_or_newer_journal", journal),
        Test::shared("apply_stops::a_full_disk", full_disk),
    ]
}

/// A write that is under way for as long as a test needs.
const LONG: Duration = Duration::from_secs(3);

/// A write that never ends, for a person who waits.
const ENDLESS: Duration = Duration::from_secs(600);

/// For a process that ends at once.
const AT_ONCE: Duration = Duration::from_secs(20);

fn town<'b>(scope: &Scope<'b>) -> Outcome<Town<'b>> {
    let commit = small_site::commit(scope)?;
    Town::found(scope, &commit, &scope.namespace)
}

/// Whether the journal has such a line about writing the last release.
fn wrote(town: &Town<'_>, is: &str) -> Outcome<bool> {
    let lines = town.lines()?;
    Ok(lines.iter().any(|line| {
        let entry = &line["entry"];
        entry["is"] == is
            && entry["act"]["do"] == "apply"
            && entry["part"]["name"] == format!("grain-{LAST}")
    }))
}

fn interrupted(scope: &Scope<'_>) -> Outcome {
    let town = town(scope)?;
    let tree = town.tree("one", &[])?;
    let proxy = scope.bed.proxy(&town.name)?;
    proxy.rule(
        Rule::new(Trouble::Delay(LONG))
            .of(Kind::Write)
            .exactly(&town.path(LAST)),
    );
    let running = town.start(&proxy.kubeconfig, &tree, &[])?;
    until(WITHIN, || Ok(wrote(&town, "going")?.then_some(())))?;
    running.signal("INT")?;
    ended(&running.end()?, 130, &["stopping", "--resume"])?;
    let lines = town.lines()?;
    let last = lines.last().map(|line| &line["entry"]);
    ensure(
        wrote(&town, "done")?
            && last.is_some_and(|last| last["is"] == "end" && last["how"] == "interrupted"),
        || format!("{lines:?}"),
    )?;
    ensure(town.release(LAST)?["metadata"]["generation"] == 1, || {
        "it was not written".to_owned()
    })?;
    ended(&town.apply(&tree, &["--resume"])?, 0, &[])?;
    town.holds("one")?;
    ensure(town.is_complete()? == 2, || "not taken up".to_owned())
}

fn twice(scope: &Scope<'_>) -> Outcome {
    let town = town(scope)?;
    let tree = town.tree("one", &[])?;
    let proxy = scope.bed.proxy(&town.name)?;
    // The server answers nothing any more, the giving back of the Lease included.
    let path = town.path(LAST);
    proxy.rule(
        Rule::new(Trouble::Delay(ENDLESS))
            .of(Kind::Write)
            .exactly(&path),
    );
    proxy.rule(
        Rule::new(Trouble::Delay(ENDLESS))
            .of(Kind::Write)
            .path("/leases/"),
    );
    let mut running = town.start(&proxy.kubeconfig, &tree, &[])?;
    until(WITHIN, || Ok(wrote(&town, "going")?.then_some(())))?;
    until(AT_ONCE, || {
        if running.has_ended()? {
            return Ok(Some(()));
        }
        running.signal("INT")?;
        Ok(None)
    })?;
    // Said only where nothing was waited for.
    let said = "the lease was not given back; --resume on this machine need not wait";
    ended(&running.end()?, 130, &[said, "--resume"])?;
    ensure(!wrote(&town, "done")?, || "the write ended".to_owned())?;
    // The Lease was not given back, and need not be waited for.
    ended(&town.apply(&tree, &["--resume"])?, 0, &[])?;
    town.holds("one")?;
    ensure(town.is_complete()? == 2, || "not taken up".to_owned())
}

fn journal(scope: &Scope<'_>) -> Outcome {
    let town = town(scope)?;
    let tree = town.tree("one", &[])?;
    let proxy = scope.bed.proxy(&town.name)?;
    let killed = town.apply_with(&proxy, &tree, &[], |process| {
        let rule = Rule::new(Trouble::KillAfter(process)).of(Kind::Write);
        proxy.rule(rule.exactly(&town.path(LAST)).times(1));
    })?;
    ensure(killed.code.is_none(), || killed.stderr)?;
    let whole = fs::read(town.journal())?;

    let newer = [
        &whole[..],
        b"{\"version\":2,\"at\":\"2030-01-01T00:00:00.000Z\",\"soul\":\"new\"}\n",
    ]
    .concat();
    for arguments in [&["--resume"][..], &[]] {
        fs::write(town.journal(), &newer)?;
        let ran = town.apply(&tree, arguments)?;
        ended(
            &ran,
            1,
            &[
                "of version 2, this program reads version 1",
                "use the version of the program",
            ],
        )?;
        ensure(fs::read(town.journal())? == newer, || {
            "the journal was changed".to_owned()
        })?;
    }

    // The middle and the end of each of its last two lines; every byte is for the journal's own tests.
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
        fs::write(town.journal(), &whole[..cut])?;
        ended(&town.apply(&tree, &["--resume"])?, 0, &[])?;
        town.holds("one")?;
        ensure(town.is_complete()? == 2, || {
            format!("cut at {cut}: not taken up")
        })?;
    }
    let generation = town.release(LAST)?["metadata"]["generation"].clone();
    ensure(generation == 1, || {
        format!("written anew: generation {generation}")
    })
}

/// Files can grow only so far, a little further each time.
fn full_disk(scope: &Scope<'_>) -> Outcome {
    // A run that is taken up writes down what it finds done, which takes more than half of this.
    const STEP: usize = 5;
    const ENOUGH: usize = 200;
    let town = town(scope)?;
    let tree = town.tree("one", &[])?;
    let mut failed = 0;
    let mut blocks = 1;
    loop {
        let begun = !town.lines()?.is_empty();
        let resume: &[&str] = if begun { &["--resume"] } else { &[] };
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let mut command = town.behind(&script, &scope.bed.kubeconfig, &tree, resume);
        let ran = Ran::of(command.output()?).map_err(told)?;
        if ran.code == Some(0) {
            break;
        }
        failed += 1;
        ended(
            &ran,
            1,
            &["cannot write the journal", "make room", "--resume"],
        )?;
        // Only whole lines are left.
        let text = fs::read_to_string(town.journal())?;
        ensure(text.is_empty() || text.ends_with('\n'), || text.clone())?;
        blocks += STEP;
        ensure(blocks < ENOUGH, || {
            format!("no end with {blocks} blocks: {text}")
        })?;
    }
    ensure(failed >= 3, || format!("it failed {failed} times"))?;
    town.holds("one")?;
    for release in FIRST.into_iter().chain([LAST]) {
        let generation = town.release(release)?["metadata"]["generation"].clone();
        ensure(generation == 1, || {
            format!("{release}: generation {generation}")
        })?;
    }
    town.is_complete().map(drop)
}

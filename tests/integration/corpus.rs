//! Real sites, compared with what Armada's own handlers planned for them.
//!
//! The corpus is beside the checkout (`../shared/corpus`); without it these tests are ignored, with the reason.

mod order;
mod site;
mod sources;
pub(crate) mod tree;
mod values;

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Completion, Failed, Trial};

use super::shared;
use super::support::{Result, contains, ensure, lacks, run};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for site in site::SITES {
        let name = format!("corpus::{}::{}", site.file, site.manifest);
        for (form, word) in [(order::Form::Exact, "exact"), (order::Form::Chain, "chain")] {
            let name = format!("{name}::order_{word}");
            trials.push(when_there(name, move || order::check(site, form)));
        }
        let sources = format!("{name}::sources");
        trials.push(when_there(sources, || sources::check(site)));
        trials.push(when_there(name, || site::check(site)));
    }
    for &(app, releases) in STARLINGX {
        let name = format!("corpus::starlingx::{app}");
        trials.push(when_there(name, move || starlingx(app, releases)));
    }
    trials.push(when_there("corpus::starlingx::charts".into(), || {
        sources::starlingx(STARLINGX)
    }));
    trials.push(when_there("corpus::report::seaworthy".into(), report));
    trials.push(when_there(
        "corpus::deckhand::airskiff".into(),
        not_rendered,
    ));
    trials
}

/// Returns the corpus if it exists.
fn corpus() -> Option<PathBuf> {
    Some(shared::folder()?.join("corpus"))
}

/// Creates a test that needs the corpus.
fn when_there(name: String, test: impl FnOnce() -> Result + Send + 'static) -> Trial {
    let run = move || -> std::result::Result<Completion, Failed> {
        match corpus() {
            Some(_) => test().map(|()| Completion::Completed),
            None => Ok(Completion::ignored_with("../shared is not there")),
        }
    };
    Trial::ignorable_test(name, run)
}

fn path(relative: &str) -> Result<String> {
    let corpus = corpus().ok_or("no corpus")?;
    Ok(corpus.join(relative).display().to_string())
}

/// Applications and the charts that their Manifests deploy.
const STARLINGX: &[(&str, usize)] = &[
    ("cert-manager", 2),
    ("oidc-auth", 3),
    ("platform-integ-apps", 3),
    ("vault", 2),
];

fn starlingx(app: &str, releases: usize) -> Result {
    let place = tempfile::tempdir()?;
    let input = path(&format!("starlingx/{app}/armada.yaml"))?;
    run(place.path(), &["convert", &input, "-o", "out", "-q"])?.expect_code(0)?;
    let objects = tree::read(&place.path().join("out"))?;
    let found = objects
        .iter()
        .filter(|o| o["kind"] == "HelmRelease")
        .count();
    ensure(found == releases, format!("{found} releases"))
}

/// The report of the largest real site fits in a comment: each loss once, with all its releases.
fn report() -> Result {
    const COMMENT: usize = 60_000;
    const RELEASES: usize = 69;
    let place = tempfile::tempdir()?;
    let input = path("airship/seaworthy.yaml")?;
    let arguments = [
        "convert",
        &input,
        "--target-manifest=full-site",
        "-q",
        "-o=out",
        "--report=markdown",
    ];
    let text = run(place.path(), &arguments)?.expect_code(0)?.stdout;
    ensure(text.len() < COMMENT, format!("{} bytes", text.len()))?;
    lacks(&text, "Left out to stay below")?;
    contains(&text, "What was decided for 69 releases")?;
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains("| GitRepository "));
    let rows = rows.count();
    ensure(rows == RELEASES, format!("{rows} releases"))?;
    let losses = text.lines().filter(|line| line.starts_with("| **loss**"));
    ensure(losses.count() < 10, "the same loss is repeated")
}

/// A site that was not rendered: one screen with what to do and why.
fn not_rendered() -> Result {
    const SCREEN: usize = 40;
    let place = tempfile::tempdir()?;
    let input = path("deckhand/airskiff")?;
    let ran = run(place.path(), &["convert", &input, "-o", "out"])?.expect_code(1)?;
    contains(&ran.stderr, "error[chart-not-rendered]")?;
    contains(&ran.stderr, "pegleg site -r REPOSITORY render SITE")?;
    contains(
        &ran.stderr,
        "layers and substitutions decide what Armada receives",
    )?;
    lacks(&ran.stderr, "password123")?;
    let lines = ran.stderr.lines().count();
    ensure(lines <= SCREEN, format!("{lines} lines:\n{}", ran.stderr))?;
    ensure(
        !Path::new(&place.path().join("out")).exists(),
        "a tree was made",
    )
}

/// Reads a JSON file of the corpus or its neighbour `oracle`.
fn json(relative: &str) -> Result<serde_json::Value> {
    let text = fs::read_to_string(path(relative)?).map_err(|e| format!("{relative}: {e}"))?;
    Ok(serde_json::from_str(&text)?)
}

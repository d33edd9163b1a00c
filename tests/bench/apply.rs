//! How soon `apply` writes the next step after the last condition that it waits for is met.
//!
//! `cargo bench --bench apply` needs Go for the test bed. It rolls out the worked site several times; both times are those
//! of the API server's audit log.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a benchmark measures, starts programs and prints"
)]

mod cluster;

use std::fs;
use std::path::PathBuf;

use cluster::bed::armada::Site;
use cluster::bed::order::{Gaps, Window, awaited, prove_order};
use cluster::bed::{Bed, Outcome};
use cluster::{finish, program};

/// How often the site is rolled out.
const ROUNDS: usize = 5;

fn main() {
    run().unwrap();
}

fn run() -> Outcome {
    let bed = Bed::start()?;
    let mut gaps = Gaps::new();
    for round in 1..=ROUNDS {
        let word = format!("b{round}");
        let site = Site::worked(&bed, &word)?.renamed(&word)?;
        let tree = convert(&bed, &site, &word)?;
        let from = bed.mark()?;
        let mut apply = program();
        apply.arg("apply").arg(&tree).args(["--yes", "--quiet"]);
        apply.arg("--kubeconfig").arg(&bed.kubeconfig);
        finish(apply.current_dir(bed.path()))?;
        let to = bed.mark()?;
        let window = Window { from, to };
        gaps.extend(prove_order(
            &bed.audit()?,
            &window,
            "tester",
            &awaited(&site)?,
        )?);
    }
    gaps.sort_unstable();
    let at = |part: usize| gaps[(gaps.len() - 1) * part / 100] as f64 / 1000.0;
    println!("| steps | median | 90 of 100 | longest |\n|---|---|---|---|");
    println!(
        "| {} | {:.1} ms | {:.1} ms | {:.1} ms |",
        gaps.len(),
        at(50),
        at(90),
        at(100)
    );
    Ok(())
}

/// Converts the site, with sources of its own; returns the tree.
fn convert(bed: &Bed, site: &Site, word: &str) -> Outcome<PathBuf> {
    let file = |name: &str| bed.path().join(format!("{word}-{name}"));
    let (documents, map, tree) = (file("site.yaml"), file("sources.yaml"), file("tree"));
    fs::write(&documents, &site.text)?;
    fs::write(&map, &site.source_map)?;
    let mut command = program();
    command.arg("convert").arg(documents).arg("-o").arg(&tree);
    command.arg("--source-map").arg(map);
    command.args(["--source-namespace=release", "--quiet"]);
    finish(command.arg(format!("--site={word}")))?;
    Ok(tree)
}

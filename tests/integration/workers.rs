//! One thread and many give the same output.

use std::fmt::Write as _;
use std::num::NonZeroUsize;

use armada2flux::compile::{Compilation, Inputs, Options, Texts};
use armada2flux::diagnostic::Diagnostics;
use armada2flux::emit::{self, View};
use armada2flux::flux::Object;
use armada2flux::lower::{self, PreDeletes, Role, ValuesIn};
use armada2flux::parallel::{self, Workers};
use armada2flux::yaml::Dialect;
use libtest_mimic::Trial;

use super::support::{Result, ensure};

const CHARTS: usize = 160;
/// Charts per group: chosen so that groups and batches do not end together.
const GROUP: usize = 7;

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test(
        "workers::their_number_does_not_change_the_output",
        run,
    )]
}

fn run() -> Result {
    let text = site();
    ensure(text.len() > 800_000, "the site is too small for parts")?;
    let one = converted(&text, 1)?;
    for said in ["KeyDuplicate", "ValueRetyped", "TestOff"] {
        ensure(one.contains(said), format!("no diagnostic {said}"))?;
    }
    ensure(
        one.matches("kind: HelmRelease").count() == CHARTS,
        "releases are missing",
    )?;
    for workers in [2, 3] {
        let many = converted(&text, workers)?;
        ensure(
            many == one,
            format!("{workers} workers come to something else"),
        )?;
    }
    Ok(())
}

/// Everything that a conversion prints and writes.
fn converted(text: &str, workers: usize) -> Result<String> {
    let workers = Workers::new(NonZeroUsize::new(workers).ok_or("no worker")?);
    let mut texts = Texts::default();
    let file = texts.sources.add("site.yaml", text).ok_or("no room")?;
    texts.documents.push(file);
    let mut diagnostics = Diagnostics::default();
    let inputs = Inputs::read(texts, Dialect::PyYaml, workers, &mut diagnostics);
    let options = Options {
        lower: lower::Options {
            values_in: ValuesIn::SplitSecrets,
            pre_deletes: PreDeletes::Hooks,
            ..lower::Options::default()
        },
        ..Options::default()
    };
    let mut out = String::new();
    let mut sink = |batch: Vec<(Role<'_>, Object)>| {
        out.extend(parallel::map(batch, workers, |(role, object)| {
            let mut text = format!("--- # {role:?} {:?}\n", object.origin);
            emit::write_yaml(&object.value, View::Clear, &mut text);
            text
        }));
    };
    let decoded = inputs.decode(&mut diagnostics);
    let Compilation { plan, totals } = decoded.compile(&options, &mut diagnostics, &mut sink)?;
    ensure(plan.is_some(), "no plan")?;
    writeln!(out, "{totals:?}")?;
    for said in diagnostics.list() {
        writeln!(out, "{said:?}")?;
    }
    Ok(out)
}

/// A site that causes diagnostics for most of its charts.
fn site() -> String {
    let mut text = String::new();
    let mut groups = String::new();
    for chart in 0..CHARTS {
        let number = chart % 10;
        write!(
            text,
            "---
schema: armada/Chart/v1
metadata: {{schema: metadata/Document/v1, name: chart-{chart}}}
data:
  chart_name: chart-{chart}
  release: release-{chart}
  namespace: namespace-{number}
  source: {{type: git, location: https://git.example.org/charts.git, reference: 0123456789abcdef0123456789abcdef01234567}}
  test: {{enabled: {}}}
  values:
    # About the number.
    quoted: '0{number}'
    twice: 1
    twice: {number}
    decoded: \"tab\\t{chart}\"
    variable: ${{HOME}}
    list: &list [a, !!str 1, null]
    again: *list # beside
    padding: {}
",
            chart % 3 > 0,
            "x y ".repeat(1150 + chart)
        )
        .unwrap_or_default();
    }
    for group in 0..CHARTS.div_ceil(GROUP) {
        let sequenced = group % 3 == 0;
        write!(
            text,
            "---
schema: armada/ChartGroup/v1
metadata: {{schema: metadata/Document/v1, name: group-{group}}}
data: {{sequenced: {sequenced}, chart_group: ["
        )
        .unwrap_or_default();
        for chart in group * GROUP..CHARTS.min((group + 1) * GROUP) {
            write!(text, "chart-{chart}, ").unwrap_or_default();
        }
        text.push_str("]}\n");
        write!(groups, "group-{group}, ").unwrap_or_default();
    }
    write!(
        text,
        "---
schema: armada/Manifest/v1
metadata: {{schema: metadata/Document/v1, name: site}}
data: {{release_prefix: site, chart_groups: [{groups}]}}
"
    )
    .unwrap_or_default();
    text
}

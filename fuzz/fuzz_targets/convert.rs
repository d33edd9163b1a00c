//! The whole conversion, for Armada in Python and in Go: it does not panic, every node of the input has exactly
//! one row, and the written text reads back as the same values.
//!
//! The input is a site, then files for `--values`, then `--set` arguments, each after a NUL. Charts
//! without a Manifest get one, so that a single Chart document is converted.

#![no_main]

use std::fmt::Write as _;

use armada2flux::armada::overrides::{Set, shown};
use armada2flux::armada::{Documents, decode_documents};
use armada2flux::compile::{Compilation, Inputs, Options, Texts};
use armada2flux::diagnostic::human::{Amount, Drawing};
use armada2flux::diagnostic::{Code, Diagnostics};
use armada2flux::emit::{self, View};
use armada2flux::flux::Object;
use armada2flux::lower::{self, PreDeletes, Role, ValuesIn, Waits};
use armada2flux::parallel::Workers;
use armada2flux::plan;
use armada2flux::report::convert::{self, page, text};
use armada2flux::report::markdown;
use armada2flux::source::{FileId, Sources, Span};
use armada2flux::value::Value;
use armada2flux::yaml::deliver::{Delivery, deliver};
use armada2flux::yaml::{self, Tree, sensitive};
use libfuzzer_sys::fuzz_target;

/// A limit that the summary of a report fits in.
const REPORT_BYTES: usize = 60_000;

fuzz_target!(|input: &str| {
    let mut parts = input.split('\0');
    let site = parts.next().unwrap_or("");
    let (mut files, mut arguments) = (Vec::new(), Vec::new());
    for part in parts {
        match part.contains('\n') {
            true => files.push(part),
            false => arguments.push(part),
        }
    }
    for how in [Delivery::Python, Delivery::Written, Delivery::Go] {
        run(site, &files, &arguments, how);
    }
});

fn run(site: &str, files: &[&str], arguments: &[&str], how: Delivery) {
    let mut diagnostics = Diagnostics::default();
    let mut texts = Texts::default();
    texts
        .documents
        .push(add(&mut texts.sources, "site.yaml", site));
    if let Some(listed) = listing(site, how) {
        let file = add(&mut texts.sources, "listing.yaml", &listed);
        texts.documents.push(file);
    }
    for text in files {
        let file = add(&mut texts.sources, "values.yaml", text);
        texts.values.push(file);
    }
    for argument in arguments {
        let file = add(&mut texts.sources, "<--set>", &shown(argument));
        let argument = (*argument).to_owned();
        texts.sets.push(Set { argument, file });
    }
    let inputs = Inputs::read(texts, how.dialect(), Workers::ONE, &mut diagnostics);
    let decoded = inputs.decode(&mut diagnostics);
    for (tree, ledger) in inputs.trees().iter().zip(&decoded.ledgers) {
        for root in tree.roots() {
            assert!(ledger.unclaimed(root).is_empty(), "a node without a row");
        }
        let counted: usize = ledger.totals().values().sum();
        assert_eq!(counted, tree.len(), "a node without a row, or with two");
    }
    decoded.check(None, &mut diagnostics);

    let names = decoded
        .plan(None, plan::Options::default(), &mut Diagnostics::default())
        .map(|plan| {
            plan.releases()
                .map(|release| release.name.clone())
                .collect()
        });
    let options = Options {
        lower: lower::Options {
            delivery: how,
            values_in: ValuesIn::SplitSecrets,
            pre_deletes: PreDeletes::Hooks,
            waits: Waits::Cel {
                before_hooks: names.unwrap_or_default(),
            },
            ..lower::Options::default()
        },
        ..Options::default()
    };
    let mut sink = |objects: Vec<(Role<'_>, Object)>| {
        for (_, object) in objects {
            reads_back(&object.value);
        }
    };
    let Compilation { plan, totals } = decoded
        .compile(&options, &mut diagnostics, &mut sink)
        .expect("every name is a release");
    assert!(
        plan.is_some() || diagnostics.errors() > 0,
        "no plan and no error"
    );
    let releases = plan.as_ref().map_or(0, |plan| plan.releases().count());
    assert!(
        totals.releases == releases || diagnostics.errors() > 0,
        "a release is missing"
    );

    // Reports may not panic either; other tests check their content.
    let report = convert::report(
        inputs.sources(),
        &decoded.documents,
        &decoded.ledgers,
        plan.as_ref(),
        &totals,
        &diagnostics,
    );
    let _ = text::text(&report);
    let _ = markdown::print(&page::page(&report), REPORT_BYTES);
    let shown = inputs.all_trees();
    let masks = |file: FileId| {
        let tree = shown
            .iter()
            .find(|tree| tree.file() == file && !tree.has_grafts());
        tree.map_or_else(Vec::new, |tree| sensitive::masks(tree))
    };
    let line = |line: Span| {
        let masks = masks(line.file());
        sensitive::show_line(inputs.sources().file(line.file()).text(), line, &masks)
    };
    let drawing = Drawing {
        sources: inputs.sources(),
        line: &line,
        colour: false,
        amount: Amount::Digest,
    };
    let _ = drawing.draw(diagnostics.list());
}

fn add(sources: &mut Sources, name: &str, text: &str) -> FileId {
    sources.add(name, text).expect("room")
}

fn read(name: &str, text: &str, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Tree {
    let file = add(sources, name, text);
    yaml::read(file, sources.file(file).text(), diagnostics)
}

/// Returns documents that deploy all charts of a site without a Manifest.
fn listing(site: &str, how: Delivery) -> Option<String> {
    let mut diagnostics = Diagnostics::default();
    let tree = read("site.yaml", site, &mut Sources::default(), &mut diagnostics);
    let mut documents = Documents::default();
    decode_documents(&tree, how.dialect(), &mut documents, &mut diagnostics);
    if documents.charts.is_empty() || !documents.manifests.is_empty() {
        return None;
    }
    let mut text =
        "---\nschema: armada/ChartGroup/v1\nmetadata: {name: added}\ndata:\n  chart_group:\n"
            .to_owned();
    for chart in &documents.charts {
        let mut name = String::new();
        emit::write_yaml(
            &Value::from(chart.head.name.value.clone()),
            View::Clear,
            &mut name,
        );
        write!(text, "    - {}", name.trim_end().replace('\n', "\n      ")).expect("room");
        text.push('\n');
    }
    text.push_str("---\nschema: armada/Manifest/v1\nmetadata: {name: added}\ndata: {release_prefix: a, chart_groups: [added]}\n");
    Some(text)
}

/// Checks that Flux and PyYAML read the written text as the same value.
fn reads_back(value: &Value) {
    let mut text = String::new();
    emit::write_yaml(value, View::Clear, &mut text);
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let tree = read("written.yaml", &text, &mut sources, &mut diagnostics);
    if diagnostics
        .list()
        .iter()
        .any(|found| found.code == Code::DepthLimit)
    {
        return;
    }
    let root = tree.roots().next().expect("a document");
    for reader in [Delivery::Go, Delivery::Written] {
        let back = deliver(root, reader, &mut diagnostics);
        assert_eq!(
            diagnostics.errors(),
            0,
            "{reader:?}: {:?} in\n{text}",
            diagnostics.list()
        );
        assert!(
            back.as_ref() == Some(value),
            "{reader:?} reads another value\n{text}"
        );
    }
}

//! The whole way from text to text, in both readings of a manifest: it ends without panic, gives every node
//! of the input exactly one row, and what it writes reads back as what was meant.
//!
//! The input is a site, then files for `--values`, then `--set` arguments, each after a NUL. Charts
//! that no Manifest lists get one, so that a single document goes all the way.

#![no_main]

use std::fmt::Write as _;

use armada2flux::armada::overrides::{self, Set, shown};
use armada2flux::armada::{Documents, decode_documents, leftover};
use armada2flux::diagnostic::human::{Amount, Drawing};
use armada2flux::diagnostic::{Code, Diagnostics};
use armada2flux::emit::{self, View};
use armada2flux::lower::{self, ArmadaHelm, Options, PreDeletes, SourceNamespace, ValuesIn, Waits};
use armada2flux::report::{convert, markdown, text};
use armada2flux::source::{FileId, Sources, Span};
use armada2flux::value::Value;
use armada2flux::yaml::deliver::{Delivery, deliver};
use armada2flux::yaml::{self, Dialect, Tree, sensitive};
use armada2flux::{plan, resolve};
use libfuzzer_sys::fuzz_target;

/// Smallest report that holds the summary.
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

fn dialect(how: Delivery) -> Dialect {
    match how {
        Delivery::Python | Delivery::Written => Dialect::PyYaml,
        Delivery::Go => Dialect::GoYamlV2,
    }
}

fn run(site: &str, files: &[&str], arguments: &[&str], how: Delivery) {
    let mut sources = Sources::default();
    let mut said = Diagnostics::default();
    let mut trees = vec![read("site.yaml", site, &mut sources, &mut said)];
    if let Some(listed) = listing(&trees[0], how) {
        trees.push(read("listing.yaml", &listed, &mut sources, &mut said));
    }
    let values: Vec<Tree> = files
        .iter()
        .map(|text| read("values.yaml", text, &mut sources, &mut said))
        .collect();
    let sets = arguments.iter().map(|argument| Set {
        argument: (*argument).to_owned(),
        file: sources.add("<--set>", shown(argument)).expect("room"),
    });
    let sets: Vec<Set> = sets.collect();
    let changed = overrides::apply(&trees, &values, &sets, dialect(how), &mut said);
    let mut others = values;
    for (tree, changed) in trees.iter_mut().zip(changed) {
        if let Some(changed) = changed {
            others.push(std::mem::replace(tree, changed));
        }
    }

    let mut documents = Documents::default();
    let mut ledgers = Vec::new();
    for tree in &trees {
        let ledger = decode_documents(tree, dialect(how), &mut documents, &mut said);
        for root in tree.roots() {
            assert!(ledger.unclaimed(root).is_empty(), "a node without a row");
        }
        let counted: usize = ledger.totals().values().sum();
        assert_eq!(counted, tree.len(), "a node without a row, or with two");
        ledgers.push(ledger);
    }
    leftover::report(&documents, &mut said);
    plan::check(&documents, None, &mut said);

    let plan = resolve::resolve(&documents, None, &mut said)
        .and_then(|site| plan::plan(site, plan::Options::default(), &mut said));
    assert!(plan.is_some() || said.errors() > 0, "no plan and no error");
    let mut totals = lower::Totals::default();
    if let Some(plan) = &plan {
        let options = Options {
            site: None,
            delivery: how,
            source_map: armada2flux::source_map::SourceMap::default(),
            values_in: ValuesIn::SplitSecrets,
            pre_deletes: PreDeletes::Hooks,
            new_cluster: false,
            namespaces: true,
            source_namespace: SourceNamespace::Shared("flux-system".into()),
            waits: Waits::Cel {
                before_hooks: plan.releases().map(|r| r.name.clone()).collect(),
            },
            armada_helm: ArmadaHelm::Three,
        };
        totals = lower::lower(plan, &options, &mut said, |_, object| {
            reads_back(&object.value);
        });
        let releases = plan.releases().count();
        assert!(
            totals.releases == releases || said.errors() > 0,
            "a release is lost"
        );
    }

    // Nothing of it may panic either; what it says is looked at elsewhere.
    let report = convert::report(
        &sources,
        &documents,
        &ledgers,
        plan.as_ref(),
        &totals,
        &said,
    );
    let _ = text::text(&report);
    let _ = markdown::markdown(&report, REPORT_BYTES);
    let shown: Vec<&Tree> = trees.iter().chain(&others).collect();
    let masks = |file: FileId| {
        let tree = shown
            .iter()
            .find(|tree| tree.file() == file && !tree.has_grafts());
        tree.map_or_else(Vec::new, |tree| sensitive::masks(tree))
    };
    let line = |line: Span| {
        let masks = masks(line.file());
        sensitive::show_line(sources.file(line.file()).text(), line, &masks)
    };
    let drawing = Drawing {
        sources: &sources,
        line: &line,
        colour: false,
        amount: Amount::Digest,
    };
    let _ = drawing.draw(said.list());
}

fn read(name: &str, text: &str, sources: &mut Sources, said: &mut Diagnostics) -> Tree {
    let file = sources.add(name, text).expect("room");
    yaml::read(file, sources.file(file).text(), said)
}

/// Documents that deploy all charts of a site which has no Manifest.
fn listing(tree: &Tree, how: Delivery) -> Option<String> {
    let mut documents = Documents::default();
    decode_documents(
        tree,
        dialect(how),
        &mut documents,
        &mut Diagnostics::default(),
    );
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

/// What is written is read as it was meant, by Flux and by PyYAML.
fn reads_back(value: &Value) {
    let mut text = String::new();
    emit::write_yaml(value, View::Clear, &mut text);
    let mut sources = Sources::default();
    let mut said = Diagnostics::default();
    let tree = read("written.yaml", &text, &mut sources, &mut said);
    if said.list().iter().any(|said| said.code == Code::DepthLimit) {
        return;
    }
    let root = tree.roots().next().expect("a document");
    for reader in [Delivery::Go, Delivery::Written] {
        let back = deliver(root, reader, &mut said);
        assert_eq!(said.errors(), 0, "{reader:?}: {:?} in\n{text}", said.list());
        assert!(
            back.as_ref() == Some(value),
            "{reader:?} reads otherwise\n{text}"
        );
    }
}

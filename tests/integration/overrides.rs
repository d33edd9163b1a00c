//! Overrides over whole documents.

use armada2flux::armada::overrides::{Set, apply, shown};
use armada2flux::diagnostic::Diagnostics;
use armada2flux::emit::{View, to_json};
use armada2flux::source::Sources;
use armada2flux::yaml::deliver::{Delivery, deliver};
use armada2flux::yaml::{self, Dialect, Tree};
use libtest_mimic::{Failed, Trial};

/// The tests of this module.
pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, fn()); 4] = [
        (
            "files_come_first_and_arguments_win",
            files_come_first_and_arguments_win,
        ),
        (
            "anchored_objects_are_shared_as_in_python",
            anchored_objects_are_shared_as_in_python,
        ),
        ("keys_are_compared_by_meaning", keys_are_compared_by_meaning),
        (
            "python_failures_are_reported_with_both_places",
            python_failures_are_reported_with_both_places,
        ),
    ];
    let trials = tests.into_iter().map(|(name, test)| {
        let run = move || -> Result<(), Failed> {
            test();
            Ok(())
        };
        Trial::test(format!("overrides::{name}"), run)
    });
    trials.collect()
}

/// Returns the `data` of documents after overrides, and the diagnostics.
fn changed(document: &str, files: &[&str], arguments: &[&str]) -> (String, Vec<String>) {
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let mut read = |name: &str, text: &str, sources: &mut Sources| {
        let file = sources.add(name, text).expect("room");
        yaml::read(file, sources.file(file).text(), &mut diagnostics)
    };
    let document = format!("schema: armada/Chart/v1\nmetadata: {{name: a}}\ndata:\n{document}");
    let trees = [read("site.yaml", &document, &mut sources)];
    let values: Vec<Tree> = files
        .iter()
        .map(|text| {
            let text = format!("schema: armada/Chart/v1\nmetadata: {{name: a}}\ndata:\n{text}");
            read("values.yaml", &text, &mut sources)
        })
        .collect();
    let sets = arguments.iter().map(|argument| Set {
        argument: (*argument).to_owned(),
        file: sources.add("<--set>", shown(argument)).expect("room"),
    });
    let sets: Vec<Set> = sets.collect();
    let changed = apply(&trees, &values, &sets, Dialect::PyYaml, &mut diagnostics);
    let tree = changed
        .into_iter()
        .next()
        .flatten()
        .expect("a changed tree");
    let root = tree.roots().next().expect("a document");
    let mut entries = root.entries();
    let (_, data) = entries
        .find(|(key, _)| key.scalar().is_some_and(|key| key.text == "data"))
        .expect("data");
    let value = deliver(data, Delivery::Written, &mut diagnostics).expect("a value");
    let said = diagnostics.list().iter();
    let said = said.map(|d| {
        let places = d.labels.iter().map(|label| sources.slice(label.span));
        format!("{} {}", d.code, places.collect::<Vec<_>>().join("|"))
    });
    (to_json(&value, View::Clear), said.collect())
}

fn files_come_first_and_arguments_win() {
    let (data, said) = changed(
        "  x: 1\n  l: [1, 2]\n  m: {a: 1}\n",
        &["  x: 2\n  l: [9]\n  m: {b: 2}\n", "  x: null\n"],
        &["chart:a:m.c=3", "chart:a:l=7, 8 ,9"],
    );
    assert_eq!(
        data,
        r#"{"x":null,"l":["7","8","9"],"m":{"a":1,"b":2,"c":"3"}}"#
    );
    assert!(said.is_empty(), "{said:?}");
}

/// As with PyYAML's shared objects, `m` has its own mapping but shares the values in it.
fn anchored_objects_are_shared_as_in_python() {
    let document = "  x: &x {k: 1, deep: {a: 1}}\n  same: *x\n  m: {<<: *x, own: 1}\n";
    let (data, _) = changed(document, &[], &["chart:a:x.k=2", "chart:a:x.deep.a=3"]);
    assert_eq!(
        data,
        r#"{"x":{"k":"2","deep":{"a":"3"}},"same":{"k":"2","deep":{"a":"3"}},"m":{"k":1,"deep":{"a":"3"},"own":1}}"#
    );
    let (data, _) = changed(document, &[], &["chart:a:x=gone"]);
    assert_eq!(
        data,
        r#"{"x":"gone","same":{"k":1,"deep":{"a":1}},"m":{"k":1,"deep":{"a":1},"own":1}}"#
    );
}

fn keys_are_compared_by_meaning() {
    let (data, _) = changed(
        "  8080: a\n  \"x\": 1\n",
        &["  8080: b\n"],
        &["chart:a:x=2"],
    );
    assert_eq!(data, r#"{"8080":"b","x":"2"}"#);
}

fn python_failures_are_reported_with_both_places() {
    let (data, said) = changed("  x: 1\n", &["  x: {deep: 1}\n  why: new\n"], &[]);
    assert_eq!(data, r#"{"x":1,"why":"new"}"#);
    assert_eq!(said, ["override-invalid {deep: 1}|1"]);
    let (data, said) = changed("  x: 1\n", &["  x: {}\n"], &[]);
    assert_eq!((data.as_str(), said.len()), (r#"{"x":1}"#, 0));
}

use std::num::NonZeroUsize;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;

use super::soup::PIECES;
use super::{parse, under};
use crate::diagnostic::Diagnostics;
use crate::parallel::Workers;
use crate::source::Sources;
use crate::yaml::read::parts::{next_start, read_parts};
use crate::yaml::{Kind, Tree};

/// Returns everything known of a tree and its diagnostics, in order.
fn all(tree: &Tree, found: &Diagnostics) -> Vec<String> {
    let mut all = Vec::new();
    let mut visited = 0;
    for document in tree.documents() {
        all.push(format!("{:?} broken: {}", document.span, document.broken));
        let mut pending: Vec<_> = document
            .root
            .into_iter()
            .map(|root| tree.node(root))
            .collect();
        while let Some(node) = pending.pop() {
            visited += 1;
            let (tag, anchor, length) = (node.tag(), node.anchor(), node.subtree_len());
            let what = match node.kind() {
                Kind::Scalar(scalar) => format!("{:?} {:?}", scalar.style, scalar.text),
                Kind::Sequence => "list".to_owned(),
                Kind::Mapping => "mapping".to_owned(),
                Kind::Alias(target) => format!("alias of {:?} {:?}", target.span(), under(target)),
            };
            all.push(format!(
                "{:?} {what} {tag:?} {anchor:?} {length}",
                node.span()
            ));
            pending.extend(node.children());
        }
    }
    assert_eq!(visited, tree.len(), "nodes of no document");
    all.extend(tree.comments().iter().map(|comment| format!("{comment:?}")));
    all.extend(found.list().iter().map(|found| format!("{found:?}")));
    all
}

/// Returns what comes of the text in as many parts as it can have, if they fit together.
fn in_parts(text: &str) -> Option<Vec<String>> {
    let mut sources = Sources::default();
    let file = sources.add("a.yaml", text).expect("room");
    let text = Arc::clone(sources.file(file).text());
    let mut starts = Vec::new();
    let mut from = 0;
    while let Some(start) = next_start(&text, from) {
        starts.push(start);
        from = start;
    }
    let workers = Workers::new(NonZeroUsize::new(2).expect("two"));
    let (tree, found) = read_parts(file, &text, &starts, workers)?;
    Some(all(&tree, &found))
}

fn in_one_go(text: &str) -> Vec<String> {
    let (tree, found) = parse(text);
    all(&tree, &found)
}

#[test]
fn parts_fit_together_and_are_what_one_reader_reads() {
    for text in [
        "a: 1\n---\nb: [x, y]\n--- c\n---\n",
        "# above\n---\na: &x \"1\\n\" # beside\nb: *x\n# below\n---\n# above\nc: &x !t \"\\t\"\nd: *x\n",
        "%YAML 1.1\n---\na: 1\n...\n%TAG !e! t:\n---\n!e!x b\n---\nc\n",
        "a: |\n  ---\n  b\n---\nc: '\n  ---'\n---\nd: >\n\n---\n",
        "a: [1\n---\nb: 2\n---\nc: ]\n---\nd: 4\n",
        "a: b\r\n---\r\nc: d\r\n",
    ] {
        let parts = in_parts(text).unwrap_or_else(|| panic!("{text:?} does not fit together"));
        assert_eq!(parts, in_one_go(text), "{text:?}");
    }
}

#[test]
fn parts_of_which_one_is_not_a_document_of_its_own_do_not_count() {
    for text in [
        // A directive further above.
        "%YAML 1.1\n# x\n---\na: 1\n",
        // The character before the document is laid to the document.
        "a: 1\n...\n#\u{1}\n---\nb: 2\n",
    ] {
        assert_eq!(in_parts(text), None, "{text:?}");
    }
}

#[test]
fn aliases_are_limited_by_file_not_by_part() {
    let item = "a: &a [x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x]\n";
    let aliases = format!("b: [{}]\n", vec!["*a"; 10_000].join(", "));
    let text = format!("---\n{item}{aliases}").repeat(13);
    assert_eq!(in_parts(&text), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn whatever_is_read_in_parts_is_read_so_in_one_go(
        pieces in prop::collection::vec(
            prop_oneof![3 => select(PIECES), 1 => select(&["\n---\n", "\n--- ", "---\n", "\u{1}"][..])],
            1..40,
        )
    ) {
        let text = pieces.concat();
        if let Some(parts) = in_parts(&text) {
            prop_assert_eq!(parts, in_one_go(&text), "{:?}", text);
        }
    }
}

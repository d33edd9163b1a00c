//! The reader does not panic on any text, and every node of its tree can be visited.

#![no_main]

use armada2flux::yaml::mapping;
use armada2flux::yaml::{Dialect, Kind, Node};
use armada2flux_fuzz::read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (tree, mut diagnostics) = read(text);
    let faults = diagnostics.list().iter();
    for label in faults.flat_map(|fault| &fault.labels) {
        assert!(text.get(label.span.range()).is_some(), "{:?}", label.span);
    }
    let broken = tree.documents().iter().any(|document| document.broken);
    assert!(
        !broken || diagnostics.errors() > 0,
        "broken without an error"
    );

    let mut end = 0;
    for comment in tree.comments() {
        assert!(comment.start >= end && comment.end > comment.start);
        assert!(tree.comment_text(comment).starts_with('#'));
        end = comment.end;
    }

    let mut end = 0;
    let mut visited = 0;
    for document in tree.documents() {
        let span = document.span;
        assert!(text.get(span.range()).is_some(), "{span:?}");
        assert!(span.start() >= end, "documents overlap");
        end = span.end();
        let mut pending: Vec<Node<'_>> = document
            .root
            .map(|root| tree.node(root))
            .into_iter()
            .collect();
        while let Some(node) = pending.pop() {
            visited += 1;
            let place = node.span();
            assert!(text.get(place.range()).is_some(), "{place:?}");
            assert!(
                place.start() >= span.start() && place.end() <= span.end(),
                "{place:?} in {span:?}"
            );
            for child in node.children() {
                let inner = child.span();
                assert!(inner.start() >= place.start() && inner.end() <= place.end());
                pending.push(child);
            }
            if let Kind::Mapping = node.kind() {
                for dialect in [Dialect::PyYaml, Dialect::GoYamlV2, Dialect::GoYamlV3] {
                    mapping::entries(node, dialect, &mut diagnostics);
                }
            }
        }
    }
    assert_eq!(visited, tree.len(), "nodes that belong to no document");
});

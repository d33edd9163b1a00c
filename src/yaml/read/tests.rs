use std::sync::Arc;

use super::{MAX_DEPTH, read};
use crate::diagnostic::{Code, Diagnostics};
use crate::source::Sources;
use crate::yaml::{Kind, Node, Style, Tree};

mod broken;
mod corpus;
mod libyaml;
mod limits;
mod parts;
mod soup;

/// Reads a text as a file of its own.
fn parse(text: &str) -> (Tree, Diagnostics) {
    let mut sources = Sources::default();
    let file = sources.add("a.yaml", text).expect("room");
    let mut diagnostics = Diagnostics::default();
    let text = Arc::clone(sources.file(file).text());
    let tree = read(file, &text, &mut diagnostics);
    (tree, diagnostics)
}

/// Reads a text that has no fault.
#[track_caller]
fn good(text: &str) -> Tree {
    let (tree, diagnostics) = parse(text);
    assert!(diagnostics.list().is_empty(), "{:?}", diagnostics.list());
    tree
}

/// Returns the text under a node's span.
fn under<'t>(node: Node<'t>) -> &'t str {
    &node.tree().text()[node.span().range()]
}

/// Returns the spans of all nodes in document order, as text.
fn spans(tree: &Tree) -> Vec<&str> {
    let mut spans = Vec::new();
    let mut pending: Vec<Node<'_>> = tree.roots().collect();
    pending.reverse();
    while let Some(node) = pending.pop() {
        spans.push(under(node));
        let mut children: Vec<Node<'_>> = node.children().collect();
        children.reverse();
        pending.append(&mut children);
    }
    spans
}

/// Style and text of the root, which is a scalar.
fn scalar(text: &str) -> (Style, String) {
    let tree = good(text);
    let root = tree.roots().next().expect("a root");
    let scalar = root.scalar().expect("a scalar");
    (scalar.style, scalar.text.to_owned())
}

#[test]
fn spans_hold_values_and_nothing_around_them() {
    let tree = good("a: b # c\n\nd:\n  - e\n  - f g\n\n# h\ni: {j: [k, 'l'], m: \"n\\t\"}\n");
    assert_eq!(
        spans(&tree),
        [
            "a: b # c\n\nd:\n  - e\n  - f g\n\n# h\ni: {j: [k, 'l'], m: \"n\\t\"}",
            "a",
            "b",
            "d",
            "- e\n  - f g",
            "e",
            "f g",
            "i",
            "{j: [k, 'l'], m: \"n\\t\"}",
            "j",
            "[k, 'l']",
            "k",
            "'l'",
            "m",
            "\"n\\t\"",
        ]
    );
}

#[test]
fn spans_of_lists_beside_their_keys_start_at_the_dash() {
    let tree = good("a: &x # c\n- - b\n- \n\nc:\n");
    assert_eq!(
        spans(&tree),
        [
            "a: &x # c\n- - b\n- \n\nc:",
            "a",
            "- - b\n-",
            "- b",
            "b",
            "",
            "c",
            ""
        ]
    );
}

#[test]
fn absent_values_stand_behind_what_calls_for_them() {
    let tree = good("a:\nb: !!str\n? c\nd: {e, f: }\n");
    let absent: Vec<u32> = tree
        .roots()
        .flat_map(Node::entries)
        .map(|(_, value)| value.span().start())
        .collect();
    assert_eq!(absent, [2, 11, 15, 19]);
}

#[test]
fn spans_of_blocks_of_text_end_with_their_last_line() {
    let tree = good("a: |  # c\n  b\n\n  d\n\n\ne: >-\n  f\n  g:\n");
    let blocks: Vec<&str> = tree
        .roots()
        .flat_map(Node::entries)
        .map(|(_, value)| under(value))
        .collect();
    assert_eq!(blocks, ["|  # c\n  b\n\n  d", ">-\n  f\n  g:"]);
}

#[test]
fn columns_and_spans_survive_characters_of_several_bytes() {
    let tree = good("ключ: [\"é\", 日本]\n日: \"\\u00e9\"\n");
    assert_eq!(
        spans(&tree)[1..],
        [
            "ключ",
            "[\"é\", 日本]",
            "\"é\"",
            "日本",
            "日",
            "\"\\u00e9\""
        ]
    );
}

#[test]
fn texts_lie_in_the_source_unless_they_had_to_be_decoded() {
    let text = "- a b\n- 'c d'\n- \"e\"\n- 'it''s'\n- a\n  b\n- |\n  l\n";
    let tree = good(text);
    let source = tree.text().as_bytes().as_ptr_range();
    let items = tree.roots().flat_map(Node::items);
    let inside: Vec<bool> = items
        .map(|item| source.contains(&item.scalar().expect("a scalar").text.as_ptr()))
        .collect();
    assert_eq!(inside, [true, true, true, false, false, false]);
}

#[test]
fn styles_and_texts() {
    assert_eq!(scalar("a b"), (Style::Plain, "a b".into()));
    assert_eq!(scalar("a\n  b\n\n  c"), (Style::Plain, "a b\nc".into()));
    assert_eq!(scalar("'it''s'"), (Style::SingleQuoted, "it's".into()));
    assert_eq!(scalar("'a\n  b'"), (Style::SingleQuoted, "a b".into()));
    assert_eq!(
        scalar(r#""\x41\u00e9\n\/\_""#),
        (Style::DoubleQuoted, "Aé\n/\u{a0}".into())
    );
    assert_eq!(scalar("\"a \\\n  b\""), (Style::DoubleQuoted, "a b".into()));
    assert_eq!(scalar("|\n a\n  b\n\n"), (Style::Literal, "a\n b\n".into()));
    assert_eq!(scalar("|+\n a\n\n"), (Style::Literal, "a\n\n".into()));
    assert_eq!(scalar("|-\n a\n"), (Style::Literal, "a".into()));
    assert_eq!(scalar("|2\n   a\n"), (Style::Literal, " a\n".into()));
    assert_eq!(
        scalar(">\n a\n b\n\n c\n  d\n e\n"),
        (Style::Folded, "a b\nc\n d\ne\n".into())
    );
    assert_eq!(
        scalar("|\n a"),
        (Style::Literal, "a".into()),
        "no line break at the end"
    );
}

#[test]
fn carriage_returns_end_lines() {
    let tree = good("a: 1\r\nb: |\r\n  x\r\n  y\r\n# c\r\nd: 'e\r\n  f'\r\n");
    let values: Vec<String> = tree
        .roots()
        .flat_map(Node::entries)
        .filter_map(|(_, value)| Some(value.scalar()?.text.to_owned()))
        .collect();
    assert_eq!(values, ["1", "x\ny\n", "e f"]);
    let comments: Vec<&str> = tree
        .comments()
        .iter()
        .map(|c| tree.comment_text(c))
        .collect();
    assert_eq!(comments, ["# c"]);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_key() {
    let tree = good("\u{feff}a: 1 # b\n");
    assert_eq!(spans(&tree), ["a: 1", "a", "1"]);
    let tree = good("\u{feff}# b\na: 1\n");
    assert!(!tree.comments()[0].trailing);
}

#[test]
fn comments_are_found_in_order_and_placed() {
    let text =
        "# a\nb: c # d\n\n  # e\nf: | # g\n  # h\n'i#': 'j # k' #l\nm: n#o\np: [q, # r\n s]\n# t";
    let tree = good(text);
    let comments: Vec<(&str, bool)> = tree
        .comments()
        .iter()
        .map(|comment| (tree.comment_text(comment), comment.trailing))
        .collect();
    assert_eq!(
        comments,
        [
            ("# a", false),
            ("# d", true),
            ("# e", false),
            ("# g", true),
            ("#l", true),
            ("# r", true),
            ("# t", false),
        ]
    );
}

#[test]
fn tags_are_resolved() {
    let text = "%TAG !e! tag:example.com,2000:\n---\n- !!str a\n- !e!b%20c d\n- !f\n- ! g\n- !<tag:h> i\n- !!map {}\n- j\n";
    let tree = good(text);
    let tags: Vec<Option<&str>> = tree.roots().flat_map(Node::items).map(Node::tag).collect();
    assert_eq!(
        tags,
        [
            Some("tag:yaml.org,2002:str"),
            Some("tag:example.com,2000:b c"),
            Some("!f"),
            Some("!"),
            Some("tag:h"),
            Some("tag:yaml.org,2002:map"),
            None,
        ]
    );
}

#[test]
fn aliases_point_to_their_nodes() {
    let tree = good("- &a {x: 1}\n- *a\n- &b y\n- *b\n---\n&a z\n");
    let items: Vec<Node<'_>> = tree.roots().take(1).flat_map(Node::items).collect();
    assert_eq!(items[0].anchor(), Some("a"));
    assert_eq!(items[1].anchor(), None);
    assert_eq!(items[1].resolved().id(), items[0].id());
    assert_eq!(items[3].scalar().expect("a scalar").text, "y");
    assert_eq!(under(items[1]), "*a");
    assert!(matches!(items[1].kind(), Kind::Alias(_)));
}

#[test]
fn documents_have_their_spans() {
    let text = "# a\n---\nb: c\n\n# d\n...\n# e\n---\n---\nf\n\n";
    let tree = good(text);
    let documents: Vec<&str> = tree
        .documents()
        .iter()
        .map(|document| &text[document.span.range()])
        .collect();
    assert_eq!(documents, ["---\nb: c\n\n# d\n...", "---", "---\nf"]);
    assert_eq!(tree.roots().count(), 3);
    assert!(good("").documents().is_empty());
    assert!(good("# only a comment\n").documents().is_empty());
}

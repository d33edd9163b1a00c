use super::{Code, MAX_DEPTH, good, parse};
use crate::yaml::read::aliases::{FREE_EXPANSION, FREE_FILE_EXPANSION};

/// Returns the codes reported for a text.
fn codes(text: &str) -> Vec<Code> {
    let (_, diagnostics) = parse(text);
    diagnostics.list().iter().map(|fault| fault.code).collect()
}

#[test]
fn nesting_is_limited_with_a_message() {
    let flow = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    good(&flow(MAX_DEPTH));
    assert_eq!(codes(&flow(MAX_DEPTH + 1)), [Code::DepthLimit]);
    let block = |depth: usize| "- ".repeat(depth) + "a";
    good(&block(MAX_DEPTH));
    assert_eq!(codes(&block(MAX_DEPTH + 1)), [Code::DepthLimit]);
    // Lists beside their keys indent nothing.
    let mut indentless = String::new();
    for depth in 0..=MAX_DEPTH / 2 {
        let indent = " ".repeat(depth * 2);
        indentless += &format!("a:\n{indent}- ");
    }
    assert_eq!(codes(&(indentless + "b\n")), [Code::DepthLimit]);
    let (_, diagnostics) = parse(&flow(MAX_DEPTH + 1));
    assert!(
        diagnostics.list()[0]
            .message
            .contains(&MAX_DEPTH.to_string())
    );
}

#[test]
fn absurd_nesting_needs_no_stack_and_no_time() {
    for text in [
        "[".repeat(1_000_000),
        "{a: ".repeat(500_000),
        "- ".repeat(500_000),
    ] {
        assert_eq!(codes(&text), [Code::DepthLimit]);
    }
    let many = "[".repeat(MAX_DEPTH + 1) + "\n---\n";
    let (tree, _) = parse(&many.repeat(300));
    assert!(
        tree.documents()
            .iter()
            .filter(|document| document.broken)
            .count()
            >= 300
    );
}

#[test]
fn thousands_of_aliases_of_a_small_anchor_are_ordinary() {
    let mut text = String::from("a: &a {b: 1, c: [2, 3], d: {e: f}}\nl:\n");
    for at in 0..2_000 {
        text += &format!("- {{n: {at}, <<: *a}}\n");
    }
    good(&text);
}

#[test]
fn a_bomb_of_aliases_is_refused_and_the_limit_named() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for at in 1..9 {
        let aliases = vec![format!("*a{}", at - 1); 10].join(", ");
        text += &format!("a{at}: &a{at} [{aliases}]\n");
    }
    let (_, diagnostics) = parse(&text);
    let [fault] = diagnostics.list() else {
        panic!("{:?}", diagnostics.list());
    };
    assert_eq!(fault.code, Code::AliasLimit);
    assert!(
        fault.message.contains(&FREE_EXPANSION.to_string()),
        "{}",
        fault.message
    );
}

#[test]
fn many_small_bombs_are_one_large_one() {
    let mut document = String::from("---\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for at in 1..5 {
        let aliases = vec![format!("*a{}", at - 1); 10].join(", ");
        document += &format!("a{at}: &a{at} [{aliases}]\n");
    }
    let (_, diagnostics) = parse(&document.repeat(30));
    let fault = diagnostics.list().first().expect("a fault");
    assert_eq!(fault.code, Code::AliasLimit);
    assert!(fault.message.contains(&FREE_FILE_EXPANSION.to_string()));
}

#[test]
fn keys_are_as_long_as_libyaml_allows() {
    good(&format!("{}: 1\n", "a".repeat(1024)));
    assert_eq!(
        codes(&format!("{}: 1\n", "a".repeat(1025))),
        [Code::YamlSyntax]
    );
    // Characters count, not bytes.
    good(&format!("{}: 1\n", "é".repeat(1024)));
}

#[test]
fn long_lines_and_many_documents_are_read_in_linear_time() {
    good(&format!("[{}]\n", "a, ".repeat(200_000)));
    good(&format!("a: \"{}\"\n", "\\n".repeat(500_000)));
    good(&"--- a\n".repeat(100_000));
    good(&"# a\n".repeat(300_000));
    parse(&"---\n]\n".repeat(20_000));
}

use super::{Code, parse, under};

/// Returns the documents of a text as they stand in it, `!` before broken ones; and each fault with what it is
/// about.
fn documents(text: &str) -> (Vec<String>, Vec<(Code, String)>) {
    let (tree, diagnostics) = parse(text);
    let documents = tree.documents().iter().map(|document| match document.root {
        Some(root) => under(tree.node(root)).to_owned(),
        None => {
            assert!(document.broken);
            format!("!{}", &text[document.span.range()])
        }
    });
    let faults = diagnostics.list().iter().map(|fault| {
        let place = fault.labels[0].span.range();
        (fault.code, text[place.start..].chars().take(4).collect())
    });
    (documents.collect(), faults.collect())
}

#[test]
fn a_broken_document_does_not_hide_the_others() {
    let (documents, faults) = documents("a: 1\n---\nb: [1, 2\n---\nc: 3\n---\n\t- d\n---\ne: 4\n");
    assert_eq!(
        documents,
        ["a: 1", "!---\nb: [1, 2\n", "c: 3", "!---\n\t- d\n", "e: 4"]
    );
    assert_eq!(
        faults,
        [
            // What is never closed is shown where it opens.
            (Code::YamlSyntax, "[1, ".into()),
            (Code::YamlSyntax, "\t- d".into())
        ]
    );
}

#[test]
fn what_follows_an_end_marker_or_a_directive_is_read_again() {
    let (ended, _) = documents("a: 'b\n...\nc: d\n");
    assert_eq!(ended, ["!a: 'b\n...\n", "c: d"]);
    let (directed, _) = documents("a: *b: c\n%TAG !e! x:\n---\nd: !e!f g\n");
    assert_eq!(directed, ["!a: *b: c\n", "d: !e!f g"]);
}

#[test]
fn a_marker_inside_of_quotes_ends_the_broken_document() {
    let (documents, faults) = documents("a: \"b\n---\nc: d\n");
    assert_eq!(documents, ["!a: \"b\n", "c: d"]);
    assert_eq!(faults.len(), 1);
}

#[test]
fn every_document_may_be_broken() {
    for text in [
        "%FOO\n",
        "%YAML 9.9\n---\n%YAML 9.9\n---\n",
        "---\n%\n---\n%\n",
        "]",
        "---\n]\n---\n]",
    ] {
        let (tree, diagnostics) = parse(text);
        assert!(diagnostics.errors() > 0, "{text:?}");
        let broken = tree.documents().iter().filter(|document| document.broken);
        assert!(broken.count() > 0, "{text:?}");
    }
}

#[test]
fn all_faults_of_anchors_are_reported_at_once() {
    let (documents, faults) = documents("- &a 1\n- &a 2\n- *b\n- *c\n---\nd\n");
    assert_eq!(documents, ["!- &a 1\n- &a 2\n- *b\n- *c", "d"]);
    assert_eq!(
        faults,
        [
            (Code::AnchorDuplicate, "&a 2".into()),
            (Code::YamlSyntax, "*b\n-".into()),
            (Code::YamlSyntax, "*c\n-".into()),
        ]
    );
}

#[test]
fn an_alias_does_not_reach_into_another_document() {
    let (_, faults) = documents("&a b\n---\n*a\n");
    assert_eq!(faults, [(Code::YamlSyntax, "*a\n".into())]);
}

#[test]
fn an_anchor_that_contains_itself_is_refused() {
    let (documents, faults) = documents("&a [b, *a]\n");
    assert_eq!(documents, ["!&a [b, *a]"]);
    assert_eq!(faults, [(Code::AliasLimit, "*a]\n".into())]);
}

#[test]
fn characters_that_yaml_forbids_break_their_document_only() {
    let (documents, faults) = documents("a: 1\n---\nb: \u{7} \"\u{1b}\"\n---\nc: 3\n");
    assert_eq!(documents, ["a: 1", "!---\nb: \u{7} \"\u{1b}\"", "c: 3"]);
    assert_eq!(faults.len(), 2);
    let (_, diagnostics) = parse("a: \"\u{7f}\"");
    let fault = &diagnostics.list()[0];
    assert_eq!(fault.message, "the character U+007F is not allowed in YAML");
    assert_eq!(
        fault.help.as_deref(),
        Some("remove it, or write it as `\\x7f` in double quotes")
    );
}

#[test]
fn a_tab_in_the_indentation_is_named() {
    for text in ["a:\n\tb: c\n", "a:\n  b:\n  \t- c\n", "a: |\n\tb\n"] {
        let (_, diagnostics) = parse(text);
        let fault = &diagnostics.list()[0];
        assert!(fault.message.contains("tab"), "{text:?}: {}", fault.message);
        assert!(
            fault
                .help
                .as_deref()
                .is_some_and(|help| help.contains("spaces"))
        );
    }
}

#[test]
fn a_key_without_colon_is_pointed_at() {
    let (_, faults) = documents("a: 1\nb\nc: 2\n");
    assert_eq!(faults, [(Code::YamlSyntax, "b\nc:".into())]);
}

#[test]
fn what_libyaml_refuses_beyond_yaml_1_2_is_refused() {
    for text in [
        "a: b\u{2028}c\n",
        "a: b\u{85}c\n",
        "\"\\ud83d\\ude00\"\n",
        "&a.b c\n",
        "%FOO bar\n---\na\n",
        "%YAML 1.3\n---\na\n",
        "{a: b:[c]}\n",
        "!!a#b\n",
    ] {
        assert!(parse(text).1.errors() > 0, "{text:?}");
    }
}

#[test]
fn what_libyaml_takes_beyond_yaml_1_2_is_taken() {
    for text in [
        "a:\tb\n",
        "[a, ?c]\n",
        "%YAML 1.1\n---\n1\n%YAML 1.2\n---\n2\n",
        "\"a\"#b\n",
        "a: 'b\nc'\n",
        "{a: [\nb\n]}\n",
        "&a : *a\n",
    ] {
        assert_eq!(parse(text).1.errors(), 0, "{text:?}");
    }
}

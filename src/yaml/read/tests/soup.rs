use proptest::prelude::*;
use proptest::sample::select;

use super::{libyaml, parse};

/// Pieces of YAML, from which texts are made that are YAML only by chance.
pub(super) const PIECES: &[&str] = &[
    "a",
    "b",
    "c d",
    "é",
    "0",
    "~",
    "=",
    "<<",
    "-1",
    "a-b",
    "a:b",
    "a#b",
    "::",
    "?a",
    ":a",
    "a b\n",
    "x: ",
    "k:\n",
    "k:\n  ",
    "- ",
    "- - ",
    "-",
    "? ",
    "?",
    ": ",
    ":",
    ",",
    ", ",
    "[",
    "]",
    "{",
    "}",
    "[]",
    "{}",
    "[a, b: c]",
    "{a: b}",
    "\n",
    "\n\n",
    "\n ",
    "\n  ",
    "\n   ",
    "\n- ",
    "\n? ",
    "\n: ",
    " ",
    "  ",
    "\t",
    "\n\t",
    "\r\n",
    "\r",
    "#",
    " # x",
    "\t# c",
    "&x ",
    "&",
    "*x",
    "*x ",
    "*",
    "! ",
    "!t ",
    "!!",
    "!!str ",
    "!e!z ",
    "!<x> ",
    "'",
    "''",
    "'q'",
    "'a\n b'",
    "\"",
    "\"w\"",
    "\"a\n  b\"",
    "\\",
    "\\n",
    "\\\n",
    "\\/",
    "\\x41",
    "|",
    "|\n",
    "|-\n",
    "|+\n",
    "|2-\n",
    ">",
    ">\n",
    ">1\n",
    "key: |\n  t\n",
    "---",
    "--- ",
    "\n---\n",
    "...\n",
    "\n...\n",
    "%",
    "%YAML 1.1\n---\n",
    "%TAG !e! t:\n---\n",
    "@",
    "`",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\u{a0}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn random_texts_are_read_as_libyaml_reads_them(
        pieces in prop::collection::vec(select(PIECES), 1..24)
    ) {
        // Some texts without a line break at the end make `libyaml-safer` panic.
        let text = pieces.concat() + "\n";
        let (tree, diagnostics) = parse(&text);
        let actual = if diagnostics.errors() == 0 {
            Ok(libyaml::actual(&tree))
        } else {
            Err(())
        };
        if let Some(expected) = libyaml::expected(&text) {
            prop_assert_eq!(actual, expected.map_err(drop), "{:?}", text);
        }
    }
}

//! Who may use whom: the order of the rooms in `src/lib.rs`, and input and output in `cli` and `cluster` only.
//!
//! Tokens are read, not lines, so comments and strings do not count and no spelling of a path gets past.

use std::collections::BTreeSet;
use std::fs;

use libtest_mimic::Trial;
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::support::{Result, ensure, read_tree, root};

/// Rooms that may do input and output.
const OUTSIDE: &[&str] = &["cli", "cluster"];
/// Modules of the standard library that reach outside.
const REACHING: &[&str] = &["env", "fs", "net", "os", "process"];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("layers::rooms_use_only_those_left_of_them", order),
        Trial::test("layers::only_cli_and_cluster_reach_outside", reach),
        Trial::test("layers::the_reader_sees_every_spelling", spellings),
    ]
}

/// The rooms in order, as `src/lib.rs` draws them.
fn rooms() -> Result<Vec<String>> {
    let text = fs::read_to_string(root().join("src/lib.rs"))?;
    let line = text.lines().find(|line| line.contains(" · source · "));
    let line = line.ok_or("src/lib.rs does not list the rooms")?;
    let names = line.trim_start_matches("//!").split('·');
    let names: Vec<String> = names.map(|name| name.trim().to_owned()).collect();
    let declared: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_suffix(';')?.split_once("mod "))
        .map(|(_, name)| name)
        .collect();
    let listed: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    ensure(
        declared == listed,
        format!("rooms declared {declared:?}, drawn {listed:?}"),
    )?;
    Ok(names)
}

/// A file of `src` and the paths it names.
struct File {
    name: String,
    room: String,
    paths: Paths,
}

fn files() -> Result<Vec<File>> {
    let mut files = Vec::new();
    for (name, bytes) in read_tree(&root().join("src"))? {
        // Made of the example folders by a test, and read by the program as text.
        if name == "diagnostic/examples.txt" {
            continue;
        }
        let Some(stem) = name.strip_suffix(".rs") else {
            return Err(format!("src/{name} is no source file").into());
        };
        let modules: Vec<&str> = stem.split('/').collect();
        let (depth, room) = match modules.as_slice() {
            ["lib" | "main"] => (0, String::new()),
            modules => (modules.len(), modules[0].to_owned()),
        };
        let text = String::from_utf8(bytes)?;
        let test = stem.ends_with("/tests") || stem.contains("/tests/");
        let tokens: TokenStream = text.parse().map_err(|e| format!("src/{name}: {e}"))?;
        let mut paths = Paths::default();
        paths.read(tokens, depth, test);
        files.push(File { name, room, paths });
    }
    Ok(files)
}

fn order() -> Result {
    let rooms = rooms()?;
    let place = |room: &str| rooms.iter().position(|other| other == room);
    let mut wrong = Vec::new();
    for File { name, room, paths } in files()? {
        if room.is_empty() {
            continue;
        }
        let Some(own) = place(&room) else {
            wrong.push(format!("src/{name}: `{room}` is no room of src/lib.rs"));
            continue;
        };
        for used in &paths.rooms {
            if place(used).is_some_and(|used| used > own) {
                wrong.push(format!("src/{name}: `{room}` uses `{used}`, right of it"));
            }
        }
    }
    ensure(wrong.is_empty(), wrong.join("\n"))
}

fn reach() -> Result {
    let mut wrong = Vec::new();
    for File { name, room, paths } in files()? {
        if OUTSIDE.contains(&room.as_str()) || name == "main.rs" {
            continue;
        }
        for module in paths.standard {
            wrong.push(format!("src/{name} uses std::{module}"));
        }
    }
    ensure(wrong.is_empty(), wrong.join("\n"))
}

/// What a file refers to.
#[derive(Debug, Default)]
struct Paths {
    /// First segments below the crate's root, tests left out.
    rooms: BTreeSet<String>,
    /// Modules of `std` that reach outside, tests left out.
    standard: BTreeSet<String>,
}

impl Paths {
    /// Reads tokens of a module that lies `depth` modules below the root.
    fn read(&mut self, tokens: TokenStream, depth: usize, test: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut test_next = false;
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Ident(ident) if !after_path(&tokens, at) => {
                    self.path(&ident.to_string(), &tokens, at, depth, test || test_next);
                }
                TokenTree::Group(group) => {
                    let module = inline_module(&tokens, at);
                    test_next |= is_test_attribute(group);
                    let inner = depth + usize::from(module);
                    self.read(group.stream(), inner, test || test_next);
                    // What an attribute says ends with the item's body.
                    if group.delimiter() == Delimiter::Brace {
                        test_next = false;
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => test_next = false,
                TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            at += 1;
        }
    }

    fn path(&mut self, first: &str, tokens: &[TokenTree], at: usize, depth: usize, test: bool) {
        match first {
            // Tests may show what they made by means of later rooms.
            "crate" | "super" if test => {}
            "crate" | "armada2flux" => self.rooms.extend(segments(tokens, at)),
            "super" => {
                let mut at = at;
                let mut up = 1;
                while segments(tokens, at) == ["super"] {
                    at += 3;
                    up += 1;
                }
                if up == depth {
                    self.rooms.extend(segments(tokens, at));
                }
            }
            "std" | "tokio" if !test => {
                let found = segments(tokens, at);
                let reaching = found.into_iter().filter(|m| REACHING.contains(&m.as_str()));
                // An exit code is a value.
                let reaching = reaching.filter(|m| m != "process" || !only_exit_code(tokens, at));
                self.standard.extend(reaching);
            }
            _ => {}
        }
    }
}

/// The segments that follow `ident ::`; several with braces.
fn segments(tokens: &[TokenTree], at: usize) -> Vec<String> {
    if !is_separator(tokens, at + 1) {
        return Vec::new();
    }
    match tokens.get(at + 3) {
        Some(TokenTree::Ident(ident)) => vec![ident.to_string()],
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            let mut found = Vec::new();
            let mut first = true;
            for token in group.stream() {
                match token {
                    TokenTree::Ident(ident) if first => found.push(ident.to_string()),
                    TokenTree::Punct(punct) if punct.as_char() == ',' => {
                        first = true;
                        continue;
                    }
                    TokenTree::Group(_)
                    | TokenTree::Ident(_)
                    | TokenTree::Punct(_)
                    | TokenTree::Literal(_) => {}
                }
                first = false;
            }
            found
        }
        _ => Vec::new(),
    }
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let colon =
        |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == ':');
    colon(at) && colon(at + 1)
}

/// Whether the identifier continues a path.
fn after_path(tokens: &[TokenTree], at: usize) -> bool {
    at >= 3 && is_separator(tokens, at - 2) && matches!(tokens[at - 3], TokenTree::Ident(_))
}

fn inline_module(tokens: &[TokenTree], at: usize) -> bool {
    let word = |back: usize| match at.checked_sub(back).and_then(|at| tokens.get(at)) {
        Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
        _ => None,
    };
    word(1).is_some() && word(2).as_deref() == Some("mod")
}

fn is_test_attribute(group: &proc_macro2::Group) -> bool {
    let text: String = group.stream().to_string();
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    group.delimiter() == Delimiter::Bracket && (text == "cfg(test)" || text == "test")
}

fn only_exit_code(tokens: &[TokenTree], at: usize) -> bool {
    matches!(tokens.get(at + 6), Some(TokenTree::Ident(ident)) if ident == "ExitCode")
}

/// The reader above finds what it must, and nothing in comments, strings and tests.
fn spellings() -> Result {
    let text = r#"
        //! crate::cli and std::fs in a comment
        use crate::{alpha::{One, Two}, beta};
        use super::super::gamma::Three;
        pub(in crate::delta) fn x() { let _ = "crate::text std::env"; crate::epsilon::y(); super::own(); }
        fn z() { std::fs::read("x"); let _: std::process::ExitCode; use std::{env, fmt}; }
        mod inner { use super::super::super::zeta; use super::super::own_too; }
        #[cfg(test)] mod tests { use std::net; use crate::theta; }
        #[test] fn t() { std::os::x() }
        fn after() { std::process::abort() }
    "#;
    let mut paths = Paths::default();
    paths.read(text.parse().map_err(|e| format!("{e}"))?, 2, false);
    let names = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(" ");
    let rooms = names(&paths.rooms);
    ensure(rooms == "alpha beta delta epsilon gamma zeta", rooms)?;
    let standard = names(&paths.standard);
    ensure(standard == "env fs process", standard)
}

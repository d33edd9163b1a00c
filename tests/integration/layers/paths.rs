//! Reads the paths that a source file names from its tokens, so that every spelling is found and comments and strings
//! are not.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Names of modules or items from the crate's root on.
pub(super) type Path = Vec<String>;

/// The paths of one file, without those in tests.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// Paths into the crate, from its root on.
    pub(super) own: Vec<Path>,
    /// Paths into `std` and `tokio`, without the crate's name.
    pub(super) standard: Vec<Path>,
    /// Re-exports of the file: a name of its module, and the path behind it.
    pub(super) exports: BTreeMap<String, Path>,
}

impl Paths {
    /// Reads the tokens of a module; a file of tests names nothing.
    pub(super) fn read(tokens: TokenStream, module: &[String], test: bool) -> Self {
        let mut paths = Self::default();
        if !test {
            paths.read_module(tokens, module);
        }
        paths
    }

    fn read_module(&mut self, tokens: TokenStream, module: &[String]) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut test_next = false;
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Ident(ident) if !test_next && !continues_path(&tokens, at) => {
                    self.read_path(&ident.to_string(), &tokens[at..], module);
                    if ident == "use" && is_public(&tokens[..at]) {
                        self.read_exports(&tokens[at + 1..], module);
                    }
                }
                TokenTree::Group(group) => {
                    test_next |= is_test_attribute(group);
                    if !test_next {
                        match inline_module(&tokens[..at]) {
                            Some(name) => {
                                let inner: Path = [module, &[name]].concat();
                                self.read_module(group.stream(), &inner);
                            }
                            None => self.read_module(group.stream(), module),
                        }
                    }
                    // An attribute applies to the item up to the end of its body.
                    if group.delimiter() == Delimiter::Brace {
                        test_next = false;
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => test_next = false,
                TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    fn read_path(&mut self, first: &str, tokens: &[TokenTree], module: &[String]) {
        match first {
            "std" | "tokio" => self
                .standard
                .extend(expand(tokens).into_iter().map(|path| path[1..].to_vec())),
            "crate" | "armada2flux" | "super" | "self" => self.own.extend(
                expand(tokens)
                    .into_iter()
                    .map(|path| absolute(&path, module))
                    .filter(|path| !path.is_empty() && path != module),
            ),
            _ => {}
        }
    }

    fn read_exports(&mut self, tokens: &[TokenTree], module: &[String]) {
        for path in expand(tokens) {
            let Some(name) = path.last().cloned() else {
                continue;
            };
            self.exports.insert(name, absolute(&path, module));
        }
    }
}

/// The modules with a file of their own that a file declares.
pub(super) fn declared(tokens: TokenStream) -> BTreeSet<String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    tokens
        .windows(3)
        .filter_map(|tokens| match tokens {
            [
                TokenTree::Ident(word),
                TokenTree::Ident(name),
                TokenTree::Punct(end),
            ] if word == "mod" && end.as_char() == ';' => Some(name.to_string()),
            _ => None,
        })
        .collect()
}

/// Resolves a path that is written in a module to one from the root on.
fn absolute(path: &[String], module: &[String]) -> Path {
    let mut at = module.to_vec();
    let mut rest = path;
    while let Some((first, others)) = rest.split_first() {
        match first.as_str() {
            "crate" | "armada2flux" => at.clear(),
            "super" => {
                at.pop();
            }
            "self" => {}
            _ => break,
        }
        rest = others;
    }
    at.extend_from_slice(rest);
    at
}

/// All paths of a tree of paths such as `a::{b, c::{self, d}}`; the new name of `as` is left out.
fn expand(tokens: &[TokenTree]) -> Vec<Path> {
    match tokens.first() {
        Some(TokenTree::Ident(ident)) => {
            let name = ident.to_string();
            if !is_separator(tokens, 1) {
                return vec![vec![name]];
            }
            let rest = expand(&tokens[3..]);
            if rest.is_empty() {
                return vec![vec![name]];
            }
            let rest = rest.into_iter();
            rest.map(|path| [vec![name.clone()], path].concat())
                .collect()
        }
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            inner
                .split(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ','))
                .flat_map(expand)
                .map(|mut path| {
                    if path.last().is_some_and(|last| last == "self") {
                        path.pop();
                    }
                    path
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon =
        |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == ':');
    is_colon(at) && is_colon(at + 1)
}

/// Whether the identifier is not the first of its path.
fn continues_path(tokens: &[TokenTree], at: usize) -> bool {
    at >= 3 && is_separator(tokens, at - 2) && matches!(tokens[at - 3], TokenTree::Ident(_))
}

/// The name of the module whose body comes after these tokens.
fn inline_module(before: &[TokenTree]) -> Option<String> {
    match before {
        [.., TokenTree::Ident(word), TokenTree::Ident(name)] if word == "mod" => {
            Some(name.to_string())
        }
        _ => None,
    }
}

/// Whether what comes after these tokens is `pub`, or `pub` within some module.
fn is_public(before: &[TokenTree]) -> bool {
    let before = match before {
        [rest @ .., TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => rest,
        whole => whole,
    };
    matches!(before.last(), Some(TokenTree::Ident(word)) if word == "pub")
}

fn is_test_attribute(group: &Group) -> bool {
    let text: String = group.stream().to_string();
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    group.delimiter() == Delimiter::Bracket && (text == "cfg(test)" || text == "test")
}

//! Reads the entries of a mapping: follows merge keys and settles duplicate keys.

mod key;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use self::key::Key;
use super::scalar::Dialect;
use super::tree::{Children, Kind, Node};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::printable::escape;

/// An entry of a mapping after merging.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'t> {
    /// The key node that won.
    pub key: Node<'t>,
    /// Its value node.
    pub value: Node<'t>,
    /// Whether it came in through a merge key.
    pub merged: bool,
}

/// Returns the entries of a mapping (or of the mapping it is an alias of) as `dialect` sees them: `<<`
/// followed, duplicates settled with a warning that names both places. Empty for other nodes.
///
/// A key keeps its first position and its last value, as in a Python dict. Keys that are lists or mappings
/// are returned as they are: the dialects refuse them, and so must the caller.
///
/// * PyYAML (`constructor.py`, `flatten_mapping`): what is merged comes first, so every key of the
///   mapping itself wins over it; of a list of mappings the earlier wins, of two `<<` the later.
/// * go-yaml v2 (`decode.go`, `mapping`): in document order, so that a key before `<<` is overwritten.
/// * go-yaml v3: as PyYAML, and duplicate keys are errors.
pub fn entries<'t>(
    node: Node<'t>,
    dialect: Dialect,
    diagnostics: &mut Diagnostics,
) -> Vec<Entry<'t>> {
    let node = node.resolved();
    let mut seen = Seen::with_capacity(node.children().len() / 2);
    let mut entries: Vec<Entry<'t>> = Vec::with_capacity(node.children().len() / 2);
    for entry in flattened(node, dialect, diagnostics) {
        let place = seen.place(Key::new(entry.key, dialect));
        let Some(earlier) = entries.get_mut(place) else {
            entries.push(entry);
            continue;
        };
        if !earlier.merged && !entry.merged {
            diagnostics.push(duplicate(earlier.key, entry.key, dialect));
        }
        // A Python dict keeps the key it has: `1` stays `1` when `true` is set, which equals it.
        let stays = dialect == Dialect::PyYaml && text(earlier.key) != text(entry.key);
        let key = if stays { earlier.key } else { entry.key };
        *earlier = Entry { key, ..entry };
    }
    entries
}

/// The number of keys up to which comparing them one by one is faster than hashing.
const FEW: usize = 16;

/// The keys so far, numbered in order of their first appearance.
enum Seen<'t> {
    Few(Vec<Key<'t>>),
    Many(HashMap<Key<'t>, usize>),
}

impl<'t> Seen<'t> {
    /// Makes room for a number of keys; a mapping that merges others may have more.
    fn with_capacity(keys: usize) -> Self {
        if keys <= FEW {
            Seen::Few(Vec::with_capacity(keys))
        } else {
            Seen::Many(HashMap::with_capacity(keys))
        }
    }

    /// Returns the number of a key; a new key gets the next one.
    fn place(&mut self, key: Key<'t>) -> usize {
        match self {
            Seen::Few(keys) => {
                if let Some(place) = keys.iter().position(|known| *known == key) {
                    return place;
                }
                keys.push(key);
                let place = keys.len() - 1;
                if keys.len() > FEW {
                    let keys = std::mem::take(keys).into_iter();
                    *self = Seen::Many(keys.zip(0..).collect());
                }
                place
            }
            Seen::Many(keys) => {
                let next = keys.len();
                *keys.entry(key).or_insert(next)
            }
        }
    }
}

fn text(key: Node<'_>) -> Option<&str> {
    key.scalar().map(|scalar| scalar.text)
}

/// A part of a mapping that is still to be read.
enum Task<'t> {
    /// The mappings that it merges, and its own entries.
    Mapping { node: Node<'t>, merged: bool },
    /// The rest of its own entries. A dialect that reads in document order follows each merge key at its
    /// position.
    Entries { rest: Children<'t>, merged: bool },
}

/// Returns all entries in the order in which the dialect sets them, the last one of a key counting.
///
/// This is not recursive, since a chain of merges can be as long as the document. Aliases of the tree form no
/// circle and stand for a limited number of nodes (see [`mod@super::read`]), so this ends.
fn flattened<'t>(
    node: Node<'t>,
    dialect: Dialect,
    diagnostics: &mut Diagnostics,
) -> Vec<Entry<'t>> {
    let in_order = dialect == Dialect::GoYamlV2;
    let mut entries = Vec::with_capacity(node.children().len() / 2);
    let merged = false;
    let mut tasks = vec![Task::Mapping { node, merged }];
    while let Some(task) = tasks.pop() {
        let (mut rest, merged) = match task {
            Task::Mapping { node, merged } => {
                let rest = node.children();
                if !in_order && merges(node, dialect).next().is_some() {
                    tasks.push(Task::Entries { rest, merged });
                    let mut sources = Vec::new();
                    for (_, value) in merges(node, dialect) {
                        sources.extend(merge_sources(value, dialect, diagnostics));
                    }
                    tasks.extend(sources.into_iter().rev());
                    continue;
                }
                (rest, merged)
            }
            Task::Entries { rest, merged } => (rest, merged),
        };
        while let (Some(key), Some(value)) = (rest.next(), rest.next()) {
            if !is_merge(key, dialect) {
                entries.push(Entry { key, value, merged });
            } else if in_order {
                tasks.push(Task::Entries { rest, merged });
                let sources = merge_sources(value, dialect, diagnostics);
                tasks.extend(sources.into_iter().rev());
                break;
            }
        }
    }
    entries
}

fn merges<'t>(
    node: Node<'t>,
    dialect: Dialect,
) -> impl Iterator<Item = (Node<'t>, Node<'t>)> + use<'t> {
    node.entries()
        .filter(move |(key, _)| is_merge(*key, dialect))
}

/// Returns whether the key is a merge key: a plain `<<`, or one with the tag `!!merge`.
pub(super) fn is_merge(key: Node<'_>, dialect: Dialect) -> bool {
    const TAG: &str = "tag:yaml.org,2002:merge";
    let python = dialect == Dialect::PyYaml;
    // PyYAML looks at the tag of the node that an alias stands for, go-yaml at the key as written.
    let key = if python { key.resolved() } else { key };
    let Kind::Scalar(scalar) = key.kind() else {
        return false;
    };
    match scalar.tag {
        None => scalar.text == "<<" && scalar.style == super::Style::Plain,
        // In libyaml, `!` makes every scalar a plain one.
        Some("!") => scalar.text == "<<",
        Some(TAG) => python || scalar.text == "<<",
        Some(_) => false,
    }
}

/// Returns the mappings that the value of a merge key names, in the order in which they are set.
fn merge_sources<'t>(
    value: Node<'t>,
    dialect: Dialect,
    diagnostics: &mut Diagnostics,
) -> Vec<Task<'t>> {
    let merged = true;
    // go-yaml accepts a list here, but not an alias of one.
    let list = match dialect {
        Dialect::PyYaml => value.resolved(),
        Dialect::GoYamlV2 | Dialect::GoYamlV3 => value,
    };
    let nodes: Vec<Node<'t>> = match list.kind() {
        Kind::Sequence => list.children().collect(),
        Kind::Mapping | Kind::Scalar(_) | Kind::Alias(_) => vec![value],
    };
    let mut sources = Vec::with_capacity(nodes.len());
    // The earlier wins, so it is set later.
    for node in nodes.into_iter().rev() {
        let node_resolved = node.resolved();
        if let Kind::Mapping = node_resolved.kind() {
            let node = node_resolved;
            sources.push(Task::Mapping { node, merged });
        } else {
            diagnostics.push(merge_refused(node));
        }
    }
    sources
}

/// Returns the error about a key that is a list or a mapping.
pub(crate) fn unhashable(key: Node<'_>) -> Diagnostic {
    Diagnostic::new(Code::KeyType, "a list or a mapping cannot be a key")
        .at(key.span(), "")
        .help("write text; a template in braces needs quotes")
}

/// Returns the error about what a merge key cannot merge.
pub(super) fn merge_refused(node: Node<'_>) -> Diagnostic {
    Diagnostic::new(
        Code::ValueRejected,
        "a merge key `<<` needs a mapping or a list of mappings",
    )
    .at(node.span(), "this is neither")
    .help("merge an anchored mapping, or quote the key: \"<<\"")
}

/// The longest key that a message shows, in characters.
const SHOWN_CHARACTERS: usize = 60;

fn duplicate(first: Node<'_>, second: Node<'_>, dialect: Dialect) -> Diagnostic {
    let text = second.scalar().map_or("", |scalar| scalar.text);
    let shown: String = text.chars().take(SHOWN_CHARACTERS).collect();
    let shown = escape::name(&shown);
    let mut diagnostic = Diagnostic::new(
        Code::KeyDuplicate,
        format!("the key `{shown}` appears twice in a mapping"),
    );
    if dialect == Dialect::GoYamlV3 {
        diagnostic.severity = Severity::Error;
        return diagnostic
            .at(second.span(), "again here")
            .at(first.span(), "first here")
            .help("remove one of the two");
    }
    diagnostic
        .at(second.span(), "the value given here counts")
        .at(first.span(), "the value given here is lost")
        .help("remove the one that is not meant")
}

//! Finds circles: files that name each other, directly or through others.
//!
//! A module and its own parts (`plan.rs` and `plan/…`) are one: paths between them do not count.

use std::collections::{BTreeMap, BTreeSet};

use super::File;
use super::paths::Path;

/// Each circle as its files, in alphabetical order.
pub(super) fn find(files: &[File]) -> Vec<Vec<String>> {
    let modules: BTreeMap<&[String], &File> = files
        .iter()
        .map(|file| (file.module.as_slice(), file))
        .collect();
    let arrows: BTreeMap<&[String], BTreeSet<&[String]>> = files
        .iter()
        .map(|file| {
            let named = file.paths.own.iter();
            let targets = named.filter_map(|path| target(path, &modules));
            let others = targets.filter(|target| !is_kin(&file.module, target));
            (file.module.as_slice(), others.collect())
        })
        .collect();
    let reach: BTreeMap<&[String], BTreeSet<&[String]>> = arrows
        .keys()
        .map(|from| (*from, reachable(from, &arrows)))
        .collect();
    let mut circles: BTreeSet<Vec<String>> = BTreeSet::new();
    for (from, reached) in &reach {
        if !reached.contains(from) {
            continue;
        }
        let members = reached.iter().filter(|other| reach[*other].contains(from));
        circles.insert(members.map(|module| module.join("/")).collect());
    }
    circles.into_iter().collect()
}

/// The module that defines what a path names; re-exports are followed.
fn target<'f>(path: &[String], modules: &BTreeMap<&[String], &'f File>) -> Option<&'f [String]> {
    let mut path: Path = path.to_vec();
    // More re-exports of re-exports than there can be.
    for _ in 0..8 {
        let (length, file) = (1..=path.len())
            .rev()
            .find_map(|length| Some((length, *modules.get(&path[..length])?)))?;
        let export = path
            .get(length)
            .and_then(|name| file.paths.exports.get(name));
        match export {
            Some(export) => path = [export.as_slice(), &path[length + 1..]].concat(),
            None => return Some(&file.module),
        }
    }
    None
}

/// Whether one of the modules lies in the other, or they are the same.
fn is_kin(one: &[String], other: &[String]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn reachable<'f>(
    from: &[String],
    arrows: &BTreeMap<&'f [String], BTreeSet<&'f [String]>>,
) -> BTreeSet<&'f [String]> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&[String]> = arrows[from].iter().copied().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module) {
            next.extend(arrows[module].iter().copied());
        }
    }
    reached
}

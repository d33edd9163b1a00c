//! The findings of one code, folded: equal messages appear once, with their releases.

use std::collections::BTreeMap;

use crate::report::digest::{self, Group, count};
use crate::report::finding::Finding;
use crate::report::page::{Item, Line, List, Page};

/// Releases with their message, for each code.
const SHOWN_MESSAGES: usize = 5;
/// Places of each release.
const SHOWN_PLACES: usize = 3;
/// Releases that share a line.
const RELEASES_A_LINE: usize = 8;

/// Adds the folded part of a code.
pub(super) fn fold(page: &mut Page, group: &Group<'_>, one_file: bool) {
    let mut findings = List::default();
    let mut alike: BTreeMap<&str, Vec<(&str, &Finding)>> = BTreeMap::new();
    let mut helps: Vec<&str> = Vec::new();
    for (release, list) in &group.by_release {
        for help in list.iter().filter_map(|finding| finding.help.as_deref()) {
            if !helps.contains(&help) {
                helps.push(help);
            }
        }
        match release {
            Some(release) => {
                if let [finding] = list.as_slice() {
                    let releases = alike.entry(bare(finding, release)).or_default();
                    releases.push((release, finding));
                }
            }
            None => {
                for finding in list {
                    findings.item(place(finding).and(&finding.message).into());
                }
            }
        }
    }
    alike.retain(|_, releases| releases.len() > 1);
    for (message, releases) in &alike {
        let number = count(releases.len(), "release");
        let mut item = Item::from(Line::text(*message).and(format!(": {number}")));
        for line in releases.chunks(RELEASES_A_LINE) {
            let names = line.iter().map(|(release, finding)| {
                Line::code(*release)
                    .and(" ")
                    .and_line(places(&[finding], one_file))
            });
            item.line(Line::joined(names, " · "));
        }
        findings.item(item);
    }
    let mut shown = 0;
    for (release, list) in &group.by_release {
        let (Some(release), Some(first)) = (release, list.first()) else {
            continue;
        };
        let message = bare(first, release);
        if list.len() == 1 && alike.contains_key(message) {
            continue;
        }
        let mut row = Line::code(*release)
            .and(" ")
            .and_line(places(list, one_file));
        if shown < SHOWN_MESSAGES {
            shown += 1;
            row = row.and(": ").and(message);
        }
        findings.item(row.into());
    }
    if let [help] = helps.as_slice() {
        findings.note(Line::default().and_emphasis(*help));
    }
    let title = Line::code(group.code.name()).and(format!(": {}", group.amount()));
    page.fold_list(title, "line", findings);
}

/// Returns the message without the name of the release, which is printed beside it.
fn bare<'f>(finding: &'f Finding, release: &str) -> &'f str {
    let name = release.split_once('/').map_or(release, |(_, name)| name);
    let rest = finding.message.strip_prefix("release `");
    rest.and_then(|rest| rest.strip_prefix(name)?.strip_prefix("`: "))
        .unwrap_or(&finding.message)
}

fn place(finding: &Finding) -> Line {
    finding.main_place().map_or_else(Line::default, |place| {
        let text = format!("{}:{}:{}", place.file, place.line, place.column);
        Line::code(text).and(": ")
    })
}

/// Lists the first places of findings, and counts the others.
fn places(findings: &[&Finding], one_file: bool) -> Line {
    let places = findings.iter().filter_map(|finding| finding.main_place());
    let shown = places
        .take(SHOWN_PLACES)
        .enumerate()
        .map(|(at, place)| match at {
            0 => Line::text(digest::place(place, one_file)),
            _ => Line::text(place.line.to_string()),
        });
    let more = match findings.len().saturating_sub(SHOWN_PLACES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Line::joined(shown, ", ").and(more)
}

//! What was said under one code, folded: the same thing is said once, with the releases it concerns.

use std::collections::BTreeMap;

use crate::report::digest::{self, Group, count};
use crate::report::finding::Finding;

use super::escape::{code, html, prose};
use super::page::Details;

/// Releases that are shown with their message, of each code.
const SHOWN_MESSAGES: usize = 5;
/// Places that are named of each release.
const SHOWN_PLACES: usize = 3;
/// Releases that share a line.
const RELEASES_A_LINE: usize = 8;

/// The folded part of a code.
pub(super) fn details(group: &Group<'_>, one_file: bool) -> Details {
    let mut details = Details::new(format!(
        "<code>{}</code>: {}",
        html(group.code.name()),
        group.amount()
    ));
    let mut alike: BTreeMap<&str, Vec<(&str, &Finding)>> = BTreeMap::new();
    let mut helps: Vec<&str> = Vec::new();
    for (release, list) in &group.by_release {
        let told = list.iter().filter_map(|finding| finding.help.as_deref());
        told.for_each(|help| {
            if !helps.contains(&help) {
                helps.push(help);
            }
        });
        match release {
            Some(release) => {
                if let [finding] = list.as_slice() {
                    let said = alike.entry(bare(finding, release)).or_default();
                    said.push((release, finding));
                }
            }
            None => {
                for finding in list {
                    details.row(&format!("- {}{}", place(finding), prose(&finding.message)));
                }
            }
        }
    }
    alike.retain(|_, releases| releases.len() > 1);
    for (message, releases) in &alike {
        let number = count(releases.len(), "release");
        details.row(&format!("- {}: {number}", prose(message)));
        for line in releases.chunks(RELEASES_A_LINE) {
            let names = line.iter().map(|(release, finding)| {
                format!("{} {}", code(release), places(&[finding], one_file))
            });
            details.row(&format!("  {}", names.collect::<Vec<_>>().join(" · ")));
        }
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
        let mut row = format!("- {} {}", code(release), places(list, one_file));
        if shown < SHOWN_MESSAGES {
            shown += 1;
            row.push_str(&format!(": {}", prose(message)));
        }
        details.row(&row);
    }
    if let [help] = helps.as_slice() {
        details.row(&format!("\n*{}*", prose(help)));
    }
    details
}

/// The message without the name of the release, which stands beside it.
fn bare<'f>(finding: &'f Finding, release: &str) -> &'f str {
    let name = release.split_once('/').map_or(release, |(_, name)| name);
    let rest = finding.message.strip_prefix("release `");
    rest.and_then(|rest| rest.strip_prefix(name)?.strip_prefix("`: "))
        .unwrap_or(&finding.message)
}

fn place(finding: &Finding) -> String {
    finding.main_place().map_or_else(String::new, |place| {
        let text = format!("{}:{}:{}", place.file, place.line, place.column);
        format!("{}: ", code(&text))
    })
}

/// The first places of findings, and how many more there are.
fn places(findings: &[&Finding], one_file: bool) -> String {
    let places = findings.iter().filter_map(|finding| finding.main_place());
    let shown: Vec<String> = places
        .take(SHOWN_PLACES)
        .enumerate()
        .map(|(at, place)| match at {
            0 => prose(&digest::place(place, one_file)),
            _ => place.line.to_string(),
        })
        .collect();
    let more = match findings.len().saturating_sub(SHOWN_PLACES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", shown.join(", "))
}

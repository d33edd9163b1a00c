//! A new source map: a rule to fill in for each source that Flux cannot read, the others as comments.

mod rule;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::emit::{self, View};
use crate::lower::{Surveyed, Verdict};
use crate::printable::{Printable, escape};
use crate::source_map::FILL_IN;
use crate::value::{Text, Value};

use super::digest::count;
use rule::{Rule, pattern, rules, word};

/// Most names that a comment lists.
const MAX_NAMES: usize = 8;

/// Returns the source map of a Manifest.
#[must_use]
pub fn source_map(manifest: &str, sources: &[Surveyed]) -> Printable {
    let unreadable = |source: &&Surveyed| matches!(source.verdict, Verdict::Unreadable(_));
    let (missing, read): (Vec<&Surveyed>, Vec<&Surveyed>) = sources.iter().partition(unreadable);
    let mut text = String::new();
    comment(
        &mut text,
        &format!(
            "Source map of `{manifest}`: where Flux finds its charts. See docs/guide/sources.md of armada2flux."
        ),
    );
    comment(
        &mut text,
        &format!(
            "Flux can read {} of {} as {}.",
            read.len(),
            count(sources.len(), "source"),
            if sources.len() == 1 {
                "it is"
            } else {
                "they are"
            }
        ),
    );
    if !missing.is_empty() {
        comment(
            &mut text,
            &format!(
                "Each other source has a rule here: replace {FILL_IN} by the location of the chart."
            ),
        );
    }
    text.push('\n');
    if missing.is_empty() {
        text.push_str("sources: []\n");
    } else {
        text.push_str("sources:\n");
    }
    let rules = missing.into_iter().flat_map(|source| {
        rules(source, sources)
            .into_iter()
            .map(move |rule| (source, rule))
    });
    // The first rule that matches decides.
    let (alone, catching): (Vec<_>, Vec<_>) = rules.partition(|(_, rule)| rule.also.is_empty());
    let mut written = BTreeSet::new();
    for (source, Rule { text: rule, also }) in alone.into_iter().chain(catching) {
        let rule = emit::to_yaml(&Value::from(vec![rule]), View::Clear);
        // Several references of one location may have the same rule.
        if written.insert(rule.clone()) {
            push_rule(&mut text, source, &also, &rule);
        }
    }
    if !read.is_empty() {
        push_read(&mut text, &read);
    }
    Printable::exact(text)
}

fn comment(text: &mut String, line: &str) {
    // Text of a document must not end the comment.
    let line = escape::fold(line);
    let line = escape::without_commands(&line);
    let space = if line.is_empty() { "" } else { " " };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "#{space}{line}");
}

fn push_rule(text: &mut String, source: &Surveyed, also: &[&Text], rule: &str) {
    let Surveyed {
        kind: _,
        location: _,
        reference: _,
        charts,
        releases,
        verdict,
    } = source;
    text.push('\n');
    if let Verdict::Unreadable(why) = verdict {
        comment(text, &format!("Flux cannot read it: {why}"));
    }
    comment(
        text,
        &format!("charts: {}", names(charts.values().map(|(name, _)| name))),
    );
    comment(text, &format!("releases: {}", names(releases.iter())));
    if !also.is_empty() {
        let others = names(also.iter().copied());
        comment(
            text,
            &format!(
                "ATTENTION: the rule also matches the sources of {others}, since a secret tells them apart."
            ),
        );
        comment(
            text,
            "Write the locations out, or put rules for the others in front of it.",
        );
    }
    text.push_str(rule);
}

fn names<'n>(names: impl Iterator<Item = &'n Text>) -> String {
    let mut names: Vec<&str> = names.map(|name| &**name).collect();
    names.dedup();
    let more = names.len().saturating_sub(MAX_NAMES);
    names.truncate(MAX_NAMES);
    let list = names.join(", ");
    if more > 0 {
        format!("{list} and {more} more")
    } else {
        list
    }
}

/// Appends what Flux reads without a rule, and example rules that move it.
fn push_read(text: &mut String, read: &[&Surveyed]) {
    text.push('\n');
    comment(text, "Without a rule Flux reads:");
    let mut servers = BTreeSet::new();
    let mut objects: BTreeMap<String, usize> = BTreeMap::new();
    for source in read {
        let Verdict::Read(kind, url) = &source.verdict else {
            continue;
        };
        let reference = match &*source.reference {
            "" => String::new(),
            reference => format!(" at {reference}"),
        };
        let object = format!("{kind} {}{reference}", pattern(url));
        *objects.entry(object).or_default() += source.charts.len();
        servers.extend(server(source));
    }
    for (object, number) in objects {
        let charts = if number == 1 { "chart" } else { "charts" };
        comment(text, &format!("- {object}: {number} {charts}"));
    }
    if servers.is_empty() {
        return;
    }
    comment(text, "");
    comment(text, "Rules like these replace whole servers by a mirror:");
    for (kind, start) in servers {
        comment(text, "");
        let (key, path, target) = match kind {
            "git" => ("GitRepository", "<path...>", "https://MIRROR/<path>"),
            _ => (
                "HelmRepository",
                "<folder...>/<>",
                "https://MIRROR/<folder>",
            ),
        };
        comment(text, "- match:");
        comment(text, &format!("    type: {kind}"));
        comment(text, &format!("    location: {start}{path}"));
        comment(text, &format!("  {key}:"));
        comment(text, &format!("    url: {target}"));
    }
}

/// Returns the kind of a source and its location up to the path.
fn server(source: &Surveyed) -> Option<(&'static str, String)> {
    let location = pattern(&source.location);
    let (scheme, rest) = location.split_once("://")?;
    let (host, _) = rest.split_once('/')?;
    Some((word(source.kind), format!("{scheme}://{host}/")))
}

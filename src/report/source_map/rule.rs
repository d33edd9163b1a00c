//! The rules of a new source map: each matches its own source, and no secret is written into a pattern.

use crate::armada::chart::SourceKind;
use crate::lower::Surveyed;
use crate::secret;
use crate::source_map::{FILL_IN, Facts, Match, Pattern};
use crate::value::{Mapping, Text, Value};

/// What a pattern has in place of a secret.
const ANY: &str = "<...>";

/// A rule with gaps for the user to fill in.
#[derive(Debug, PartialEq)]
pub(super) struct Rule<'s> {
    /// The rule.
    pub(super) text: Value,
    /// Releases of other sources that the rule matches, too, since what tells them apart is secret.
    pub(super) also: Vec<&'s Text>,
}

/// Returns the rules of a source: one, or one for each of its charts where the location alone is not enough.
pub(super) fn rules<'s>(source: &Surveyed, all: &'s [Surveyed]) -> Vec<Rule<'s>> {
    let kind = source.kind;
    let location = pattern(&source.location);
    let wide = Match {
        kind: Some(kind),
        location: Pattern::parse(&location).ok(),
        ..Match::default()
    };
    let own = |other: &Surveyed| other.kind == kind && other.location == source.location;
    let also = |matching: &Match| -> Vec<&'s Text> {
        let others = all.iter().filter(|other| !own(other));
        others
            .filter(|other| matches(matching, other))
            .flat_map(|other| &other.releases)
            .collect()
    };
    let entries = [("type", Text::from(word(kind))), ("location", location)];
    let charts: Vec<_> = source.charts.iter().collect();
    if also(&wide).is_empty() {
        let versions = charts.iter().map(|(_, (_, version))| version);
        return vec![Rule {
            text: rule(kind, mapping(entries), versions),
            also: Vec::new(),
        }];
    }
    let narrow = charts.into_iter().map(|(folder, (chart, version))| {
        let parse = |text: &Text| Pattern::parse(&literal(text)).ok();
        let matching = Match {
            subpath: parse(folder).filter(|_| !folder.is_empty()),
            chart: parse(chart),
            ..wide.clone()
        };
        let mut text = mapping(entries.clone());
        // An empty text is no pattern.
        if !folder.is_empty() {
            text.insert("subpath", literal(folder));
        }
        text.insert("chart", literal(chart));
        Rule {
            text: rule(kind, text, [version].into_iter()),
            also: also(&matching),
        }
    });
    narrow.collect()
}

/// Returns whether a rule would decide about a chart of the source.
fn matches(matching: &Match, source: &Surveyed) -> bool {
    source.charts.iter().any(|(subpath, (chart, version))| {
        let facts = Facts {
            kind: source.kind,
            location: &source.location,
            reference: &source.reference,
            subpath,
            chart,
            version,
        };
        matching.captures(&facts).is_some()
    })
}

fn rule<'v>(
    kind: SourceKind,
    matching: Mapping,
    mut versions: impl Iterator<Item = &'v Text>,
) -> Value {
    let mut target = mapping([("url", FILL_IN)]);
    let key = match kind {
        SourceKind::Git => "GitRepository",
        SourceKind::Local => {
            target.insert("ref", mapping([("commit", FILL_IN)]));
            "GitRepository"
        }
        SourceKind::Tar => {
            if versions.all(|version| version.is_empty()) {
                target.insert("version", FILL_IN);
            }
            "HelmRepository"
        }
    };
    let mut rule = mapping([("match", matching)]);
    rule.insert(key, target);
    rule.into()
}

pub(super) fn word(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Git => "git",
        SourceKind::Tar => "tar",
        SourceKind::Local => "local",
    }
}

fn mapping<V: Into<Value>>(entries: impl IntoIterator<Item = (&'static str, V)>) -> Mapping {
    entries.into_iter().collect()
}

/// Returns a pattern that matches a location, without the secrets in it, and as little else as possible.
pub(super) fn pattern(location: &str) -> Text {
    let user = without_user(location);
    let query = without_query(&user);
    let segments = without_segments(&query);
    let forms = [location, &user, &query, &segments];
    // What is between the gaps is shown.
    let shown = forms
        .into_iter()
        .map(literal)
        .find(|form| !form.split(ANY).any(shows_secret));
    shown.unwrap_or_else(|| ANY.into())
}

/// Returns whether a part of a location holds a secret, alone or as one of its words.
fn shows_secret(part: &str) -> bool {
    let words = part.split(['/', '?', '&', '=', '@', ':', '#']);
    secret::text_looks_secret(part) || words.into_iter().any(secret::text_looks_secret)
}

/// Returns a text as a pattern that matches it. No address holds `<` or `>`, and a pattern has no escape for them.
fn literal(text: &str) -> Text {
    let mut pattern = Text::new();
    for part in text.split_inclusive(['<', '>']) {
        let rest = part.trim_end_matches(['<', '>']);
        pattern.push_str(rest);
        // Two captures must not be neighbours.
        if rest.len() < part.len() && !pattern.ends_with(ANY) {
            pattern.push_str(ANY);
        }
    }
    pattern
}

/// Takes the login out of a URL.
fn without_user(location: &str) -> String {
    let parts = location.split_once("://").and_then(|(scheme, rest)| {
        let end = rest.find('/').unwrap_or(rest.len());
        let at = rest[..end].rfind('@')?;
        Some(format!("{scheme}://<>{}", &rest[at..]))
    });
    parts.unwrap_or_else(|| location.to_owned())
}

/// Takes the values out of the query of a URL.
fn without_query(location: &str) -> String {
    let Some((path, query)) = location.split_once(['?', '#']) else {
        return location.to_owned();
    };
    let mark = &location[path.len()..=path.len()];
    let values = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key, _)) => format!("{key}=<>"),
        None => "<>".to_owned(),
    });
    format!("{path}{mark}{}", values.collect::<Vec<_>>().join("&"))
}

/// Takes the segments of a path that look secret out of it.
fn without_segments(location: &str) -> String {
    let segments = location.split('/').map(|segment| {
        if secret::text_looks_secret(segment) {
            "<>"
        } else {
            segment
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::lower::Verdict;

    fn source(at: usize, location: &str, chart: &str) -> Surveyed {
        Surveyed {
            kind: SourceKind::Tar,
            location: location.into(),
            reference: Text::new(),
            charts: BTreeMap::from([(chart.into(), (chart.into(), Text::new()))]),
            releases: BTreeSet::from([Text::from(format!("release-{at}"))]),
            verdict: Verdict::Unreadable(Cow::Borrowed("a test")),
        }
    }

    #[test]
    fn a_pattern_hides_what_is_secret_and_nothing_else() {
        let token = "hG7kQ2mZx9LwP4tRv8Yc3BnD6fJs1AeU";
        let table = [
            (
                "https://charts.example.org/box.tgz",
                "https://charts.example.org/box.tgz",
            ),
            (
                "https://me:hunter2hunter2@charts.example.org/box.tgz",
                "https://<...>@charts.example.org/box.tgz",
            ),
            (
                "https://charts.example.org/box.tgz?token=pilchard-99abc",
                "https://charts.example.org/box.tgz?token=<...>",
            ),
            (
                "https://a:hunter2hunter2@b.org/box.tgz?token=pilchard-99abc&x=1",
                "https://<...>@b.org/box.tgz?token=<...>&x=<...>",
            ),
            ("/opt/<charts>/box", "/opt/<...>charts<...>/box"),
            ("a<><b", "a<...>b"),
        ];
        for (location, wanted) in table {
            assert_eq!(pattern(location), wanted, "{location}");
        }
        for location in [
            format!("https://charts.example.org/box.tgz?sig={token}"),
            format!("https://charts.example.org/{token}/box.tgz"),
            format!("https://{token}@charts.example.org/box.tgz"),
            format!("https://x:{token}@charts.example.org/{token}?{token}"),
        ] {
            let pattern = pattern(&location);
            assert!(!pattern.contains(token), "{pattern}");
        }
    }

    #[test]
    fn a_rule_says_what_else_it_matches() {
        // What tells these two apart is secret, and so is nothing that a rule may name.
        let all = [
            source(
                0,
                "https://c.example.org/box.tgz?token=pilchard-99abc",
                "box",
            ),
            source(
                1,
                "https://c.example.org/box.tgz?token=herring-11xyz",
                "box",
            ),
            source(
                2,
                "https://c.example.org/box.tgz?token=herring-11xyz&v=2",
                "cart",
            ),
        ];
        let [rule] = &rules(&all[0], &all)[..] else {
            panic!("one chart, one rule");
        };
        assert_eq!(rule.also, ["release-1"]);
    }

    /// Locations that look alike, some with secrets in different places.
    fn locations() -> impl Strategy<Value = Vec<(String, String)>> {
        let location = prop_oneof![
            "https://[ab]\\.org/(x|y)/(box|cart)(-1\\.2)?\\.tgz",
            "https://me:[a-z0-9]{20}@[ab]\\.org/(x|y)/(box|cart)\\.tgz",
            "https://[ab]\\.org/(box|cart)\\.tgz\\?(token|sig)=[a-z0-9]{20}",
            "https://[ab]\\.org/[0-9a-f]{40}/(box|cart)\\.tgz",
            "/opt/(charts|<x>)/(box|cart)",
        ];
        prop::collection::vec((location, "box|cart"), 1..8)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

        /// A rule matches its source, and of the others only those that it names.
        #[test]
        fn rules_match_their_source_alone(locations in locations()) {
            let mut all: Vec<Surveyed> = Vec::new();
            for (at, (location, chart)) in locations.iter().enumerate() {
                if all.iter().all(|known| known.location != location.as_str()) {
                    all.push(source(at, location, chart));
                }
            }
            for own in &all {
                for rule in rules(own, &all) {
                    let fields = rule.text.at(&["match"]).expect("a match");
                    let field = |key: &str| {
                        let text = fields.text_at(&[key])?;
                        Some(Pattern::parse(text).expect("a pattern"))
                    };
                    let matching = Match {
                        kind: Some(own.kind),
                        location: field("location"),
                        subpath: field("subpath"),
                        chart: field("chart"),
                        reference: None,
                    };
                    prop_assert!(matches(&matching, own));
                    let found: Vec<&Text> = all
                        .iter()
                        .filter(|other| other.location != own.location)
                        .filter(|other| matches(&matching, other))
                        .flat_map(|other| &other.releases)
                        .collect();
                    prop_assert_eq!(&found, &rule.also);
                    // Only a secret can make a rule catch others.
                    let masked = fields.text_at(&["location"]).is_some_and(|text| text.contains(ANY));
                    prop_assert!(masked || rule.also.is_empty());
                }
            }
        }
    }
}

//! Patterns that capture parts of a text, and templates that use the captures.
//!
//! `<name>` stands for one or more characters without `/`, `<name...>` for any text; without a name nothing is
//! kept (`<>`, `<...>`). All else is literal. Captures match as little as possible, from left to right.
//! No YAML quoting is needed for any of it, and no address holds `<` or `>`.

use std::collections::{BTreeMap, BTreeSet};

use crate::value::Text;

/// Most captures of one pattern.
const MAX_CAPTURES: usize = 16;

/// A part of a pattern or template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(Text),
    /// A capture; `wide` ones also match `/` and the empty text.
    Capture {
        name: Text,
        wide: bool,
    },
}

/// A pattern over one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
}

/// A text with the names of captures in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

/// Captured texts by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captures(BTreeMap<Text, Text>);

/// Why a text is not a valid pattern or template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// `<` without `>`.
    #[error("a `<` without its `>`")]
    Open,
    /// `>` without `<`.
    #[error("a `>` without its `<`")]
    Close,
    /// Characters that no name has.
    #[error("names of captures are letters, digits, `-` and `_`")]
    Name,
    /// Two captures are adjacent.
    #[error("two captures side by side: the end of the first is ambiguous")]
    Adjacent,
    /// A name appears twice.
    #[error("the same name twice in one pattern")]
    Twice,
    /// More captures than [`MAX_CAPTURES`].
    #[error("more than 16 captures")]
    Many,
    /// A template needs names.
    #[error("only a pattern may leave a name out")]
    Nameless,
}

/// A template uses a name that no pattern captures.
pub type Unknown = Text;

fn parse(text: &str) -> Result<Vec<Part>, Fault> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let at = rest.find(['<', '>']).unwrap_or(rest.len());
        let (literal, tail) = rest.split_at(at);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal.into()));
        }
        let Some(open) = tail.strip_prefix('<') else {
            if !tail.is_empty() {
                return Err(Fault::Close);
            }
            break;
        };
        let (inside, tail) = open.split_once('>').ok_or(Fault::Open)?;
        let (name, wide) = match inside.strip_suffix("...") {
            Some(name) => (name, true),
            None => (inside, false),
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if !name.chars().all(fits) {
            return Err(Fault::Name);
        }
        parts.push(Part::Capture {
            name: name.into(),
            wide,
        });
        rest = tail;
    }
    let captures = parts.iter().filter(|part| part.is_capture());
    if captures.count() > MAX_CAPTURES {
        return Err(Fault::Many);
    }
    Ok(parts)
}

impl Part {
    fn is_capture(&self) -> bool {
        match self {
            Part::Literal(_) => false,
            Part::Capture { .. } => true,
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Part::Literal(_) => None,
            Part::Capture { name, wide: _ } => {
                Some(name).filter(|name| !name.is_empty()).map(|n| &**n)
            }
        }
    }
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let parts = parse(text)?;
        if parts.windows(2).any(|two| two.iter().all(Part::is_capture)) {
            return Err(Fault::Adjacent);
        }
        let mut names = BTreeSet::new();
        if !parts
            .iter()
            .filter_map(Part::name)
            .all(|name| names.insert(name))
        {
            return Err(Fault::Twice);
        }
        Ok(Self { parts })
    }

    /// Returns the names that it captures.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(Part::name)
    }

    /// Returns whether the whole text matches, and adds its captures. A name captured before matches only the
    /// same text again.
    pub fn matches(&self, text: &str, captures: &mut Captures) -> bool {
        let mut search = Search {
            parts: &self.parts,
            text,
            known: captures,
            ends: vec![0; self.parts.len()],
            failed: BTreeSet::new(),
        };
        if !search.from(0, 0) {
            return false;
        }
        let ends = search.ends;
        let mut start = 0;
        for (part, end) in self.parts.iter().zip(ends) {
            if let Some(name) = part.name() {
                captures.0.insert(name.into(), text[start..end].into());
            }
            start = end;
        }
        true
    }
}

/// A search with the memory of where it failed, so that it takes no longer than parts times text.
struct Search<'s> {
    parts: &'s [Part],
    text: &'s str,
    known: &'s Captures,
    /// Where each part ends.
    ends: Vec<usize>,
    /// Captures that failed and the last offset where they may end: a later start leaves them less to try.
    failed: BTreeSet<(usize, usize)>,
}

impl Search<'_> {
    /// Returns whether the parts from `part` on match the text from `start` on. Recursion is as deep as
    /// there are parts.
    fn from(&mut self, part: usize, start: usize) -> bool {
        let Some(current) = self.parts.get(part) else {
            return start == self.text.len();
        };
        let (name, wide) = match current {
            Part::Literal(literal) => return self.fixed(part, start, literal.clone()),
            Part::Capture { name, wide } => (name, *wide),
        };
        if let Some(known) = self.known.0.get(name) {
            return self.fixed(part, start, known.clone());
        }
        let text = self.text;
        let segment = if wide { None } else { text[start..].find('/') };
        let last = segment.map_or(text.len(), |at| start + at);
        if self.failed.contains(&(part, last)) {
            return false;
        }
        let first = start + usize::from(!wide);
        for end in (first..=last).filter(|end| text.is_char_boundary(*end)) {
            self.ends[part] = end;
            if self.from(part + 1, end) {
                return true;
            }
        }
        self.failed.insert((part, last));
        false
    }

    fn fixed(&mut self, part: usize, start: usize, literal: Text) -> bool {
        let fits = self.text[start..].starts_with(&*literal);
        if fits {
            self.ends[part] = start + literal.len();
        }
        fits && self.from(part + 1, start + literal.len())
    }
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let parts = parse(text)?;
        let nameless = |part: &Part| part.is_capture() && part.name().is_none();
        if parts.iter().any(nameless) {
            return Err(Fault::Nameless);
        }
        Ok(Self { parts })
    }

    /// Returns the first name that is not among `names`.
    #[must_use]
    pub fn unknown(&self, names: &[&str]) -> Option<Unknown> {
        self.parts
            .iter()
            .filter_map(Part::name)
            .find(|name| !names.contains(name))
            .map(Text::from)
    }

    /// Replaces the names by the captures.
    #[must_use]
    pub fn fill(&self, captures: &Captures) -> Text {
        let mut text = Text::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Capture { name, wide: _ } => {
                    text.push_str(captures.0.get(name).map_or("", |caught| caught));
                }
            }
        }
        text
    }

    /// Returns the text before the first name.
    #[must_use]
    pub fn start(&self) -> &str {
        match self.parts.first() {
            Some(Part::Literal(literal)) => literal,
            Some(Part::Capture { .. }) | None => "",
        }
    }

    /// Returns whether it is a text without names.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.parts.iter().any(Part::is_capture)
    }
}

impl Captures {
    /// Sets the text of a name, unless it was captured.
    pub fn set_default(&mut self, name: &str, text: &str) {
        self.0.entry(name.into()).or_insert_with(|| text.into());
    }

    /// Returns the text of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|text| &**text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caught(pattern: &str, text: &str) -> Option<Vec<(String, String)>> {
        let pattern = Pattern::parse(pattern).expect("a pattern");
        let mut captures = Captures::default();
        pattern.matches(text, &mut captures).then(|| {
            captures
                .0
                .into_iter()
                .map(|(name, text)| (name.to_string(), text.to_string()))
                .collect()
        })
    }

    fn pair(name: &str, text: &str) -> (String, String) {
        (name.to_owned(), text.to_owned())
    }

    #[test]
    fn captures_stay_inside_a_segment_unless_they_are_wide() {
        let text = "https://opendev.org/openstack/openstack-helm";
        assert_eq!(
            caught("https://<host>/openstack/<repository>", text),
            Some(vec![
                pair("host", "opendev.org"),
                pair("repository", "openstack-helm")
            ])
        );
        assert_eq!(caught("https://opendev.org/<repository>", text), None);
        assert_eq!(
            caught("https://opendev.org/<path...>", text),
            Some(vec![pair("path", "openstack/openstack-helm")])
        );
        assert_eq!(caught("<>://<...>", text), Some(vec![]));
        assert_eq!(caught("<a...>x", "x"), Some(vec![pair("a", "")]));
        assert_eq!(caught("<a>x", "x"), None);
    }

    #[test]
    fn captures_take_as_little_as_they_can() {
        assert_eq!(
            caught("<name>-<rest>", "cert-manager-1"),
            Some(vec![pair("name", "cert"), pair("rest", "manager-1")])
        );
        assert_eq!(
            caught("<a>.git", "x.git.git"),
            Some(vec![pair("a", "x.git")])
        );
    }

    #[test]
    fn a_name_stands_for_the_same_text_in_all_patterns() {
        let first = Pattern::parse("/x/<name>").expect("a pattern");
        let second = Pattern::parse("charts/<name>").expect("a pattern");
        let mut captures = Captures::default();
        assert!(first.matches("/x/armada", &mut captures));
        assert!(second.matches("charts/armada", &mut captures));
        assert!(!second.matches("charts/deckhand", &mut captures));
    }

    #[test]
    fn hostile_patterns_end() {
        let pattern = Pattern::parse(&format!("{}b", "<...>a".repeat(16))).expect("a pattern");
        assert!(!pattern.matches(&"a".repeat(3000), &mut Captures::default()));
    }

    #[test]
    fn faults_are_told() {
        assert_eq!(Pattern::parse("a<b"), Err(Fault::Open));
        assert_eq!(Pattern::parse("a>b"), Err(Fault::Close));
        assert_eq!(Pattern::parse("<a b>"), Err(Fault::Name));
        assert_eq!(Pattern::parse("<a><b>"), Err(Fault::Adjacent));
        assert_eq!(Pattern::parse("<a>/<a>"), Err(Fault::Twice));
        assert_eq!(Pattern::parse(&"<>/".repeat(17)), Err(Fault::Many));
        assert_eq!(Template::parse("<>"), Err(Fault::Nameless));
        assert!(Template::parse("<a><a>").is_ok());
    }

    #[test]
    fn templates_use_what_was_caught() {
        let template = Template::parse("oci://r/<chart>:<v>").expect("a template");
        let mut captures = Captures::default();
        captures.set_default("chart", "web");
        captures.set_default("v", "1");
        assert_eq!(template.fill(&captures), "oci://r/web:1");
        assert_eq!(template.unknown(&["chart"]), Some("v".into()));
    }
}

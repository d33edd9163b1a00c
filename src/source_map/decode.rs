//! Decodes a document into a [`SourceMap`]. All faults are reported at once, each with its span.

mod target;

use crate::armada::chart::SourceKind;
use crate::armada::suggest::nearest;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::printable::escape;
use crate::source::Span;
use crate::value::Text;
use crate::yaml::scalar::{self, Typed};
use crate::yaml::{Dialect, Kind, Node, Tree, mapping};

use super::{FACT_NAMES, FILL_IN, Match, Pattern, Rule, SourceMap, Template};

/// How maps are typed: as Kubernetes' own files are.
const DIALECT: Dialect = Dialect::GoYamlV3;

/// Keys under which a rule holds its target.
const TARGETS: &[&str] = &[
    "HelmRepository",
    "OCIRepository",
    "GitRepository",
    "existing",
];

/// Decodes a map. `None` when an error was reported.
pub fn decode(tree: &Tree, diagnostics: &mut Diagnostics) -> Option<SourceMap> {
    let before = diagnostics.errors();
    let mut cx = Context { diagnostics };
    let mut roots = tree.roots();
    let map = match (roots.next(), roots.next()) {
        // Nothing but comments is a map without rules, unless the file could not be read.
        (None, _) => SourceMap::default(),
        (Some(root), None) => map(root, &mut cx).unwrap_or_default(),
        (Some(_), Some(second)) => {
            cx.error(
                second.span(),
                "a source map must be one document",
                "a second one",
                "put all rules under one `sources`",
            );
            SourceMap::default()
        }
    };
    (diagnostics.errors() == before).then_some(map)
}

struct Context<'d> {
    diagnostics: &'d mut Diagnostics,
}

impl Context<'_> {
    fn error(
        &mut self,
        span: Span,
        message: impl Into<String>,
        label: &str,
        help: impl Into<String>,
    ) {
        let message = format!("source map: {}", message.into());
        let diagnostic = Diagnostic::new(Code::SourceMapInvalid, message);
        self.diagnostics.push(diagnostic.at(span, label).help(help));
    }

    fn wrong_type(&mut self, node: Node<'_>, path: &str, wanted: &str) {
        let help = if wanted == "a string" && node.resolved().scalar().is_some() {
            "put it in quotes"
        } else {
            "`armada2flux schema source-map` describes the file"
        };
        self.error(
            node.span(),
            format!("`{path}` must be {wanted}"),
            "wrong type",
            help,
        );
    }
}

/// A mapping whose fields are being taken.
struct Table<'t> {
    path: &'static str,
    span: Span,
    entries: Vec<(Text, Node<'t>, Span)>,
    known: Vec<&'static str>,
}

impl<'t> Table<'t> {
    fn open(node: Node<'t>, path: &'static str, cx: &mut Context<'_>) -> Option<Self> {
        let Kind::Mapping = node.resolved().kind() else {
            cx.wrong_type(node, path, "a mapping");
            return None;
        };
        Some(Self {
            path,
            span: node.span(),
            entries: mapping::entries(node, DIALECT, cx.diagnostics)
                .into_iter()
                .map(|entry| {
                    let key = entry.key.scalar().map_or("", |scalar| scalar.text);
                    (Text::from(key), entry.value, entry.key.span())
                })
                .collect(),
            known: Vec::new(),
        })
    }

    fn take(&mut self, key: &'static str) -> Option<Node<'t>> {
        self.known.push(key);
        let at = self.entries.iter().position(|(name, ..)| name == key)?;
        Some(self.entries.remove(at).1)
    }

    fn text(&mut self, key: &'static str, cx: &mut Context<'_>) -> Option<(Text, Span)> {
        let node = self.take(key)?;
        Some((text(node, key, cx)?, node.span()))
    }

    fn required(&mut self, key: &'static str, cx: &mut Context<'_>) -> Option<Node<'t>> {
        let node = self.take(key);
        if node.is_none() {
            let message = format!("`{}` needs `{key}`", self.path);
            cx.error(self.span, message, "missing here", format!("add `{key}`"));
        }
        node
    }

    fn pattern(&mut self, key: &'static str, cx: &mut Context<'_>) -> Option<Pattern> {
        let (text, span) = self.text(key, cx)?;
        let pattern = Pattern::parse(&text);
        let fault = |fault| {
            cx.error(
                span,
                format!("`{key}`: {fault}"),
                "not a pattern",
                PATTERN_HELP,
            )
        };
        pattern.map_err(fault).ok()
    }

    fn template(
        &mut self,
        key: &'static str,
        names: &[&str],
        cx: &mut Context<'_>,
    ) -> Option<(Template, Span)> {
        let (text, span) = self.text(key, cx)?;
        Some((template(&text, key, span, names, cx)?, span))
    }

    fn required_template(
        &mut self,
        key: &'static str,
        names: &[&str],
        cx: &mut Context<'_>,
    ) -> Option<Template> {
        let node = self.required(key, cx)?;
        let text = text(node, key, cx)?;
        template(&text, key, node.span(), names, cx)
    }

    /// Returns where a field stands, without taking it.
    fn place(&self, key: &str) -> Option<Span> {
        self.entries
            .iter()
            .find(|(name, ..)| name == key)
            .map(|(.., span)| *span)
    }

    /// Returns the `name` of a reference to a Secret.
    fn secret(&mut self, key: &'static str, cx: &mut Context<'_>) -> Option<Text> {
        let mut table = Table::open(self.take(key)?, key, cx)?;
        let name = table
            .required("name", cx)
            .and_then(|node| name(node, "name", cx));
        table.finish(cx);
        name
    }

    fn boolean(&mut self, key: &'static str, cx: &mut Context<'_>) -> bool {
        let Some(node) = self.take(key) else {
            return false;
        };
        if let Some(scalar) = node.resolved().scalar()
            && let Ok(Typed::Bool(value)) = scalar::resolve(scalar, DIALECT)
        {
            return value;
        }
        cx.wrong_type(node, key, "true or false");
        false
    }

    fn word(&mut self, key: &'static str, words: &[&str], cx: &mut Context<'_>) -> Option<Text> {
        word(self.take(key)?, key, words, cx)
    }

    fn required_word(
        &mut self,
        key: &'static str,
        words: &[&str],
        cx: &mut Context<'_>,
    ) -> Option<Text> {
        word(self.required(key, cx)?, key, words, cx)
    }

    /// Reports fields that were not taken; returns whether there were any.
    fn finish(self, cx: &mut Context<'_>) -> bool {
        let Self {
            path,
            span: _,
            entries,
            known,
        } = self;
        let faulty = !entries.is_empty();
        for (name, _, span) in entries {
            let help = match nearest(&name, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("`{path}` has `{}`", known.join("`, `")),
            };
            let message = format!("`{path}` has no field `{}`", escape::name(&name));
            cx.error(span, message, "unknown field", help);
        }
        faulty
    }
}

const PATTERN_HELP: &str =
    "`<name>` matches a part without `/`, `<name...>` any text, all else is literal";

fn text(node: Node<'_>, path: &str, cx: &mut Context<'_>) -> Option<Text> {
    if let Some(scalar) = node.resolved().scalar()
        && let Ok(Typed::String(text)) = scalar::resolve(scalar, DIALECT)
    {
        return Some(Text::from(&*text));
    }
    cx.wrong_type(node, path, "a string");
    None
}

/// Returns one of several words.
fn word(node: Node<'_>, key: &str, words: &[&str], cx: &mut Context<'_>) -> Option<Text> {
    let text = text(node, key, cx)?;
    if words.contains(&&*text) {
        return Some(text);
    }
    let message = format!("`{key}` has an unknown word");
    let help = format!("use `{}`", words.join("`, `"));
    cx.error(node.span(), message, "unknown word", help);
    None
}

/// Returns the name of an object.
fn name(node: Node<'_>, path: &str, cx: &mut Context<'_>) -> Option<Text> {
    const LONGEST: usize = 253;
    let text = text(node, path, cx)?;
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = text.len() <= LONGEST
        && text.chars().all(inner)
        && text.starts_with(edge)
        && text.ends_with(edge);
    if !fits {
        let message = format!("`{path}` is not a valid object name");
        cx.error(
            node.span(),
            message,
            "not a name",
            "use lower-case letters, digits, `-` and `.`",
        );
        return None;
    }
    Some(text)
}

fn template(
    text: &str,
    key: &str,
    span: Span,
    names: &[&str],
    cx: &mut Context<'_>,
) -> Option<Template> {
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(fault) => {
            cx.error(
                span,
                format!("`{key}`: {fault}"),
                "not usable",
                "write `<name>` for what a pattern matches",
            );
            return None;
        }
    };
    if text.contains(FILL_IN) {
        let message = format!("`{key}` must be filled in");
        cx.error(
            span,
            message,
            "only you know this value",
            "replace it, or remove the rule",
        );
        return None;
    }
    if text.is_empty() {
        cx.error(
            span,
            format!("`{key}` is empty"),
            "nothing here",
            "give a text, or leave the field out",
        );
        return None;
    }
    if let Some(name) = template.unknown(names) {
        let mut names = names.to_vec();
        names.dedup();
        let message = format!("`{key}` uses `<{name}>`, which no pattern of the rule has");
        let help = format!("this rule has `<{}>`", names.join(">`, `<"));
        cx.error(span, message, "unknown name", help);
        return None;
    }
    Some(template)
}

fn map(root: Node<'_>, cx: &mut Context<'_>) -> Option<SourceMap> {
    let mut table = Table::open(root, "source map", cx)?;
    let sources = table.required("sources", cx);
    table.finish(cx);
    let sources = sources?;
    let Kind::Sequence = sources.resolved().kind() else {
        // What `init` writes for a site without anything to fill in.
        let is_null = sources
            .resolved()
            .scalar()
            .is_some_and(|s| matches!(scalar::resolve(s, DIALECT), Ok(Typed::Null)));
        if !is_null {
            cx.wrong_type(sources, "sources", "a list of rules");
        }
        return None;
    };
    Some(SourceMap {
        rules: sources.items().filter_map(|item| rule(item, cx)).collect(),
    })
}

fn rule(node: Node<'_>, cx: &mut Context<'_>) -> Option<Rule> {
    let mut table = Table::open(node, "rule", cx)?;
    let matching = match table.take("match") {
        Some(node) => matching(node, cx),
        None => Some(Match::default()),
    };
    let found: Vec<_> = TARGETS
        .iter()
        .filter_map(|key| Some((*key, table.take(key)?)))
        .collect();
    let span = node.span();
    let target = match found.as_slice() {
        [(key, node)] => {
            let names = matching
                .as_ref()
                .map_or_else(|| FACT_NAMES.to_vec(), Match::names);
            target::decode(key, *node, &names, matching.as_ref(), cx)
        }
        [] => {
            let message = "a rule has no target";
            cx.error(
                span,
                message,
                "what replaces the source?",
                format!("add one of `{}`", TARGETS.join("`, `")),
            );
            None
        }
        [_, (_, second), ..] => {
            cx.error(
                second.span(),
                "a rule has two targets",
                "the second",
                "make two rules, or remove one target",
            );
            None
        }
    };
    table.finish(cx);
    Some(Rule {
        matching: matching?,
        target: target?,
        span,
    })
}

fn matching(node: Node<'_>, cx: &mut Context<'_>) -> Option<Match> {
    let mut table = Table::open(node, "match", cx)?;
    let kind = table.word("type", &["git", "tar", "local"], cx);
    let matching = Match {
        kind: match kind.as_deref() {
            Some("git") => Some(SourceKind::Git),
            Some("tar") => Some(SourceKind::Tar),
            Some(_) => Some(SourceKind::Local),
            None => None,
        },
        location: table.pattern("location", cx),
        reference: table.pattern("reference", cx),
        subpath: table.pattern("subpath", cx),
        chart: table.pattern("chart", cx),
    };
    table.finish(cx);
    Some(matching)
}

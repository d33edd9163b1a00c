//! Renames a site, so that tests can share a cluster although manifests name their namespaces.

use std::collections::BTreeSet;

use armada2flux::armada::{Documents, decode_documents};
use armada2flux::diagnostic::Diagnostics;
use armada2flux::source::{Sources, Span};
use armada2flux::yaml::{self, Dialect, Kind, Node, Style};

use super::Outcome;
use super::armada::Site;

/// The fields of a Chart that select objects by labels.
const SELECTING: [&str; 3] = ["wait", "test", "upgrade"];

impl Site {
    /// Returns the same site with `word-` before every namespace and release prefix, and before the names of releases
    /// where waits, tests and deletions select by them. Values are unchanged.
    pub(crate) fn renamed(&self, word: &str) -> Outcome<Self> {
        let mut sources = Sources::default();
        let mut diagnostics = Diagnostics::default();
        let file = sources
            .add("site.yaml", self.text.as_str())
            .ok_or("no room for a file")?;
        let tree = yaml::read(file, sources.file(file).text(), &mut diagnostics);
        let mut documents = Documents::default();
        decode_documents(&tree, Dialect::PyYaml, &mut documents, &mut diagnostics);
        let Documents {
            charts, manifests, ..
        } = &documents;
        if manifests.is_empty() {
            return Err(format!("no Manifest: {:?}", diagnostics.list()).into());
        }
        let mut spans: Vec<Span> = Vec::new();
        let mut releases = BTreeSet::new();
        for manifest in manifests {
            spans.push(manifest.release_prefix.span);
            for chart in charts {
                let prefix = &manifest.release_prefix.value;
                releases.insert(format!("{prefix}-{}", chart.release.value));
            }
        }
        spans.extend(charts.iter().map(|chart| chart.namespace.span));
        for root in tree.roots().filter(|root| is_chart(*root)) {
            let bodies = root.entries().filter(|(key, _)| is(*key, "data"));
            let fields = bodies.flat_map(|(_, body)| body.entries());
            let selects = |key| SELECTING.iter().any(|name| is(key, name));
            for (_, field) in fields.filter(|(key, _)| selects(*key)) {
                names(field, &releases, &mut spans);
            }
        }
        let mut places: Vec<usize> = spans
            .iter()
            .map(|span| {
                let quoted = self.text[span.range()].starts_with(['"', '\'']);
                span.range().start + usize::from(quoted)
            })
            .collect();
        // From the end, so that earlier positions stay valid.
        places.sort_unstable();
        places.dedup();
        let mut text = self.text.clone();
        for place in places.into_iter().rev() {
            text.insert_str(place, &format!("{word}-"));
        }
        Ok(Self {
            text,
            target: self.target,
            source_map: self.source_map.clone(),
            charts: self.charts.clone(),
        })
    }
}

fn is(node: Node<'_>, text: &str) -> bool {
    node.scalar().is_some_and(|scalar| scalar.text == text)
}

fn is_chart(root: Node<'_>) -> bool {
    root.entries().any(|(key, value)| {
        let schema = value.scalar().map(|scalar| scalar.text);
        is(key, "schema") && schema.is_some_and(|text| text.starts_with("armada/Chart/"))
    })
}

/// Collects the spans below a node that name a release.
fn names(node: Node<'_>, releases: &BTreeSet<String>, spans: &mut Vec<Span>) {
    match node.kind() {
        Kind::Scalar(scalar) => {
            let in_a_line = !matches!(scalar.style, Style::Literal | Style::Folded);
            if in_a_line && releases.contains(scalar.text) {
                spans.push(node.span());
            }
        }
        Kind::Sequence => {
            for item in node.items() {
                names(item, releases, spans);
            }
        }
        Kind::Mapping => {
            for (_, value) in node.entries() {
                names(value, releases, spans);
            }
        }
        Kind::Alias(_) => {}
    }
}

//! Writes Armada documents of small sites.

/// The data of a Chart; `fields` and `values` are YAML, indented as `data` and `values` need it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChartDocument<'a> {
    /// Name of the document and of its release.
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
    /// URL, commit and folder of the chart in a Git repository.
    pub(crate) source: GitSource<'a>,
    /// All fields except release, namespace, source and values; indented by two.
    pub(crate) fields: &'a str,
    /// Entries of the values; indented by four.
    pub(crate) values: &'a str,
}

/// A chart in a Git repository.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GitSource<'a> {
    pub(crate) location: &'a str,
    pub(crate) commit: &'a str,
    pub(crate) subpath: &'a str,
}

/// Returns a Chart document.
pub(crate) fn chart(document: &ChartDocument<'_>) -> String {
    let ChartDocument {
        name,
        namespace,
        source,
        fields,
        values,
    } = document;
    let GitSource {
        location,
        commit,
        subpath,
    } = source;
    format!(
        "---
schema: armada/Chart/v2
metadata: {{schema: metadata/Document/v1, name: {name}}}
data:
  release: {name}
  namespace: {namespace}
  source: {{type: git, location: '{location}', subpath: {subpath}, reference: {commit}}}
{fields}
  values:
{values}
"
    )
}

/// Returns a ChartGroup document whose charts are not sequenced.
pub(crate) fn group(name: &str, charts: &[&str]) -> String {
    let charts = charts.join(", ");
    format!(
        "---
schema: armada/ChartGroup/v2
metadata: {{schema: metadata/Document/v1, name: {name}}}
data: {{chart_group: [{charts}]}}
"
    )
}

/// Returns a Manifest document.
pub(crate) fn manifest(name: &str, prefix: &str, groups: &[&str]) -> String {
    let groups = groups.join(", ");
    format!(
        "---
schema: armada/Manifest/v2
metadata: {{schema: metadata/Document/v1, name: {name}}}
data: {{release_prefix: {prefix}, chart_groups: [{groups}]}}
"
    )
}

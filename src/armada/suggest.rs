//! Suggestions for unknown fields.

use super::disposition::{Row, Rows};

/// Fields that belong elsewhere: their mapping, their name, what to do.
static ELSEWHERE: &[(&str, &str, &str)] = &[
    (
        "data",
        "pre",
        "actions before an upgrade belong under `upgrade.pre`",
    ),
    (
        "data",
        "post",
        "actions after an upgrade never had an effect; remove it",
    ),
    (
        "data",
        "labels",
        "labels of awaited objects belong under `wait.labels`",
    ),
    (
        "data",
        "timeout",
        "in v2 the time limit is set under `wait.timeout`",
    ),
    (
        "data",
        "chart_name",
        "v2 has no such field, the name is in the chart's Chart.yaml; remove it",
    ),
    ("data", "install", "it never had an effect; remove it"),
    (
        "data",
        "test_charts",
        "v2 runs tests by default, a chart sets `test.enabled` to change it",
    ),
    (
        "data.upgrade",
        "no_hooks",
        "in v2 it is set under `upgrade.options.no_hooks`",
    ),
    (
        "data.upgrade.options",
        "no_hooks",
        "in v1 it is set under `upgrade.no_hooks`",
    ),
    ("data.upgrade", "post", "it never had an effect; remove it"),
    (
        "data.upgrade.options",
        "recreate_pods",
        "Helm 3 has no such option; remove it",
    ),
    (
        "data.test",
        "output",
        "Armada always logs the output of tests; remove it",
    ),
    (
        "data.wait.resources[]",
        "required",
        "only v2 lets a chart choose; leave the entry out if it may find nothing",
    ),
    (
        "data.wait.resources[]",
        "allow_async_updates",
        "only v2 lets a chart choose",
    ),
];

/// Returns a suggestion for the field `name` in the mapping of `row`, which may hold the fields `known`;
/// `rows` are those of all documents.
pub(super) fn suggest(row: &Row, name: &str, known: &[&str], rows: &Rows) -> Option<String> {
    let moved = ELSEWHERE
        .iter()
        .find(|(path, field, _)| *path == row.path && *field == name);
    if let Some((_, _, hint)) = moved {
        return Some((*hint).to_owned());
    }
    if let Some(near) = nearest(name, known) {
        return Some(format!("did you mean `{near}`?"));
    }
    // The right name at the wrong depth.
    let end = format!(".{name}");
    let mut elsewhere = rows.iter().filter(|other| {
        other.documents == row.documents && other.path.ends_with(&end) && other.path != row.path
    });
    match (elsewhere.next(), elsewhere.next()) {
        (Some(only), None) => {
            let path = only.path.strip_prefix("data.").unwrap_or(only.path);
            Some(format!("did you mean `{path}`?"))
        }
        _ => None,
    }
}

/// Returns the most similar known name, if it is similar enough.
pub(crate) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let same = |word: &str| word.to_lowercase().replace('-', "_");
    let name = same(name);
    let distances = known
        .iter()
        .map(|word| (strsim::osa_distance(&name, &same(word)), *word));
    let (distance, word) = distances.min()?;
    // Up to one typing error in three letters.
    (distance * 3 <= word.len().max(name.len())).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::armada::{chart, rows};

    #[test]
    fn near_misses_are_named_and_strangers_are_not() {
        let known = ["release", "namespace", "values", "dependencies"];
        assert_eq!(nearest("relase", &known), Some("release"));
        assert_eq!(nearest("name-space", &known), Some("namespace"));
        assert_eq!(nearest("dependancies", &known), Some("dependencies"));
        assert_eq!(nearest("colour", &known), None);
    }

    #[test]
    fn fields_at_another_depth_are_found() {
        let hint = |name| suggest(&chart::DATA, name, &["release"], &rows::ALL);
        assert_eq!(
            hint("timeout").as_deref(),
            Some("in v2 the time limit is set under `wait.timeout`")
        );
        assert_eq!(
            hint("subpath").as_deref(),
            Some("did you mean `source.subpath`?")
        );
        assert_eq!(hint("enabled"), None);
    }
}

//! Armada's own waits of a release, with everything that documents leave out filled in.

use crate::armada::chart::{MinReady, Resources, WaitItem, WaitKind};
use crate::armada::{Chart, Version};
use crate::secret;
use crate::source::Span;
use crate::value::{REDACTED, Text};

/// One wait after Helm and its hooks; a release's waits run one after another (Armada: handlers/wait.py).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What is awaited, in the release's namespace.
    pub kind: WaitKind,
    /// Labels that must be equal; empty selects every object of the kind.
    pub labels: Vec<(Text, Text)>,
    /// Whether it is a failure to find none until the timeout.
    pub required: bool,
    /// How many must be ready; `None` for kinds that do not count.
    pub min_ready: Option<MinReady>,
    /// Whether updates that somebody else rolls out pass; `None` for kinds without such updates.
    pub allow_async_updates: Option<bool>,
    /// Where the document asks for it; `None` for a default.
    pub span: Option<Span>,
}

impl Wait {
    /// The label selector as Armada sends it: `a=b,c=d`, empty for none.
    #[must_use]
    pub fn selector(&self) -> String {
        selector(&self.labels)
    }
}

/// Labels as a selector (Armada: utils/release.py, `label_selectors`).
pub(super) fn selector(labels: &[(Text, Text)]) -> String {
    let pairs = labels.iter().map(|(key, value)| format!("{key}={value}"));
    pairs.collect::<Vec<_>>().join(",")
}

/// A selector as it may be shown: labels that look secret keep their keys.
pub(super) fn shown_selector(selector: &str) -> String {
    let labels = selector
        .split(',')
        .map(|label| match label.split_once('=') {
            Some((key, value))
                if secret::key_names_secret(key) || secret::text_looks_secret(value) =>
            {
                format!("{key}={REDACTED}")
            }
            Some(_) | None => label.to_owned(),
        });
    labels.collect::<Vec<_>>().join(",")
}

/// The waits of a chart, in order.
pub(super) fn waits(chart: &Chart<'_>) -> Vec<Wait> {
    let base = &chart.wait.labels;
    match &chart.wait.resources {
        Resources::Default => match chart.head.version {
            Version::V1 => vec![
                default(WaitKind::Job, false, base),
                default(WaitKind::Pod, true, base),
            ],
            Version::V2 => by_kind(&[], base),
        },
        Resources::List(items) => items.iter().map(|item| asked(item, base)).collect(),
        Resources::ByKind(kinds) => by_kind(kinds, base),
    }
}

/// v2's defaults, in their order, where `kinds` does not replace them.
fn by_kind(kinds: &[(WaitKind, Vec<WaitItem>)], base: &[(Text, Text)]) -> Vec<Wait> {
    let mut waits = Vec::new();
    for kind in WaitKind::ALL {
        match kinds.iter().find(|(replaced, _)| *replaced == kind) {
            Some((_, items)) => waits.extend(items.iter().map(|item| asked(item, base))),
            None => waits.push(default(kind, false, base)),
        }
    }
    waits
}

fn default(kind: WaitKind, required: bool, base: &[(Text, Text)]) -> Wait {
    Wait {
        kind,
        labels: base.to_vec(),
        required,
        min_ready: kind.counts_ready().then_some(MinReady::DEFAULT),
        allow_async_updates: kind.updates_async().then_some(false),
        span: None,
    }
}

/// A wait that the document asks for: required unless it says otherwise.
fn asked(item: &WaitItem, base: &[(Text, Text)]) -> Wait {
    let WaitItem {
        kind,
        labels,
        required,
        min_ready,
        allow_async_updates,
        span,
    } = item;
    let wait = default(*kind, required.unwrap_or(true), base);
    Wait {
        labels: overlaid(base, labels),
        min_ready: wait.min_ready.map(|default| min_ready.unwrap_or(default)),
        allow_async_updates: wait
            .allow_async_updates
            .map(|default| allow_async_updates.unwrap_or(default)),
        span: Some(*span),
        ..wait
    }
}

/// The labels of `base`, changed and extended by `over`, in the order of Python's `dict.update`.
fn overlaid(base: &[(Text, Text)], over: &[(Text, Text)]) -> Vec<(Text, Text)> {
    let mut labels = base.to_vec();
    for (key, value) in over {
        match labels.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => known.clone_from(value),
            None => labels.push((key.clone(), value.clone())),
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Vec<(Text, Text)> {
        let pairs = pairs.iter();
        pairs
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect()
    }

    #[test]
    fn labels_of_an_item_win_at_their_place() {
        let base = labels(&[("a", "1"), ("b", "2")]);
        let over = labels(&[("a", "9"), ("c", "3")]);
        assert_eq!(selector(&overlaid(&base, &over)), "a=9,b=2,c=3");
        assert_eq!(selector(&[]), "");
    }

    #[test]
    fn secrets_in_selectors_are_hidden() {
        assert_eq!(
            shown_selector("app=web,db_password=x,tier"),
            "app=web,db_password=***,tier"
        );
        assert_eq!(shown_selector(""), "");
    }

    #[test]
    fn v2_keeps_its_order_and_replaces_whole_types() {
        let waits = by_kind(&[(WaitKind::Job, Vec::new())], &[]);
        let kinds: Vec<_> = waits.iter().map(|wait| wait.kind.word()).collect();
        assert_eq!(kinds, ["daemonset", "statefulset", "deployment", "pod"]);
        assert!(waits.iter().all(|wait| !wait.required));
        assert_eq!(waits[2].min_ready, Some(MinReady::Percent(100)));
        assert_eq!(waits[2].allow_async_updates, None);
        assert_eq!(waits[3].min_ready, None);
    }
}

//! Armada's own waits of a release, with the defaults filled in.

use crate::armada::Chart;
use crate::armada::chart::{Resources, WaitItem};
use crate::gate::{self, Version, WaitKind, selector};
use crate::source::Span;
use crate::value::Text;

/// One wait after Helm and its hooks; a release's waits run one after another (Armada: handlers/wait.py).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What is awaited, in the release's namespace.
    pub spec: gate::Spec,
    /// The labels of its selector, which must be equal.
    pub labels: Vec<(Text, Text)>,
    /// Span of the wait in the document; `None` for a default.
    pub span: Option<Span>,
}

/// Returns the waits of a chart, in order.
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
        Resources::List(items) => items.iter().map(|item| from_document(item, base)).collect(),
        Resources::ByKind(kinds) => by_kind(kinds, base),
    }
}

/// v2's defaults, in their order, where `kinds` does not replace them.
fn by_kind(kinds: &[(WaitKind, Vec<WaitItem>)], base: &[(Text, Text)]) -> Vec<Wait> {
    let mut waits = Vec::new();
    for kind in WaitKind::ALL {
        match kinds.iter().find(|(replaced, _)| *replaced == kind) {
            Some((_, items)) => waits.extend(items.iter().map(|item| from_document(item, base))),
            None => waits.push(default(kind, false, base)),
        }
    }
    waits
}

fn default(kind: WaitKind, required: bool, base: &[(Text, Text)]) -> Wait {
    Wait {
        spec: gate::Spec::new(kind, selector::of_labels(base), required),
        labels: base.to_vec(),
        span: None,
    }
}

/// Returns a wait of the document: required unless it sets `required`.
fn from_document(item: &WaitItem, base: &[(Text, Text)]) -> Wait {
    let WaitItem {
        kind,
        labels,
        required,
        min_ready,
        allow_async_updates,
        span,
    } = item;
    let labels = overlaid(base, labels);
    let selector = selector::of_labels(&labels);
    let mut spec = gate::Spec::new(*kind, selector, required.unwrap_or(true));
    if let (Some(default), Some(written)) = (&mut spec.min_ready, min_ready) {
        *default = *written;
    }
    if let (Some(default), Some(written)) = (&mut spec.allow_async_updates, allow_async_updates) {
        *default = *written;
    }
    Wait {
        spec,
        labels,
        span: Some(*span),
    }
}

/// Returns the labels of `base`, changed and extended by `over`, in the order of Python's `dict.update`.
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
        pairs
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect()
    }

    #[test]
    fn labels_of_an_item_win_at_their_place() {
        let base = labels(&[("a", "1"), ("b", "2")]);
        let over = labels(&[("a", "9"), ("c", "3")]);
        assert_eq!(selector::of_labels(&overlaid(&base, &over)), "a=9,b=2,c=3");
        assert_eq!(selector::of_labels(&[]), "");
    }

    #[test]
    fn v2_keeps_its_order_and_replaces_whole_types() {
        let waits = by_kind(&[(WaitKind::Job, Vec::new())], &[]);
        let kinds: Vec<_> = waits.iter().map(|wait| wait.spec.kind.word()).collect();
        assert_eq!(kinds, ["daemonset", "statefulset", "deployment", "pod"]);
        assert!(waits.iter().all(|wait| !wait.spec.required));
        assert_eq!(waits[2].spec.min_ready, Some(gate::MinReady::Percent(100)));
        assert_eq!(waits[2].spec.allow_async_updates, None);
        assert_eq!(waits[3].spec.min_ready, None);
    }
}

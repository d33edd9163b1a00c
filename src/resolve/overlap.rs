//! Manifests that deploy the same releases.

use std::collections::BTreeSet;

use crate::armada::{Documents, Manifest};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};

use super::Index;

/// Reports each Manifest that shares releases with the chosen one. The message does not depend on which
/// of the two was chosen, so that it appears once when all are checked.
pub(super) fn report(
    documents: &Documents<'_>,
    chosen: &Manifest,
    index: &Index<'_, '_>,
    diagnostics: &mut Diagnostics,
) {
    let own = releases(chosen, index);
    let chosen_at = documents
        .manifests
        .iter()
        .position(|manifest| std::ptr::eq(manifest, chosen));
    for (at, other) in documents.manifests.iter().enumerate() {
        if std::ptr::eq(other, chosen) || other.head.name.value == chosen.head.name.value {
            continue;
        }
        let shared = releases(other, index).intersection(&own).count();
        if shared == 0 {
            continue;
        }
        let (first, second) = if Some(at) < chosen_at {
            (other, chosen)
        } else {
            (chosen, other)
        };
        let (first, second) = (&first.head.name, &second.head.name);
        let what = if shared == 1 { "release" } else { "releases" };
        let message = format!(
            "Manifests `{}` and `{}` both deploy {shared} {what}",
            first.value, second.value
        );
        diagnostics.push(
            Diagnostic::new(Code::ManifestOverlap, message)
                .at(first.span, "this one")
                .at(second.span, "and this one")
                .help("convert only one of them; two trees would overwrite each other's releases"),
        );
    }
}

/// Namespace and name of all releases of a Manifest.
fn releases<'d>(manifest: &Manifest, index: &Index<'d, '_>) -> BTreeSet<(&'d str, String)> {
    let charts = manifest
        .chart_groups
        .iter()
        .filter_map(|name| index.groups.get(&*name.value))
        .flat_map(|group| &group.charts)
        .filter_map(|name| index.charts.get(&*name.value));
    let prefix = &manifest.release_prefix.value;
    charts
        .map(|chart| {
            let name = format!("{prefix}-{}", chart.release.value);
            (chart.namespace.value.as_str(), name)
        })
        .collect()
}

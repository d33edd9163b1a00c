//! What `convert` says at its end: the facts of the report's summary, a line each.

use super::{Report, Summary};
use crate::flux::duration;
use crate::report::digest::{count, count_of};
use crate::report::order::Order;

/// The site and how large its tree is.
#[must_use]
pub fn size(report: &Report) -> String {
    let Report { site, summary, .. } = report;
    format!(
        "{site}: {} in {}, {}, {}",
        count(summary.releases, "release"),
        count(summary.stages, "stage"),
        count(summary.namespaces, "namespace"),
        count(summary.sources, "source"),
    )
}

/// What else is to be known of it.
#[must_use]
pub fn lines(report: &Report) -> Vec<String> {
    let Summary {
        stages: _,
        steps: _,
        releases,
        suspended,
        health_checked,
        namespaces: _,
        sources: _,
        empty_secrets,
        unresolved_sources,
        clear_text_secrets,
        secrets_apart,
        releases_with_secrets,
        values_objects,
        nulls,
        codes: _,
    } = &report.summary;
    let mut lines = Vec::new();
    lines.extend(order(&report.order));
    if *values_objects > 0 {
        lines.push(format!(
            "values outside of helmreleases: {}",
            count(*values_objects, "object")
        ));
    }
    if *health_checked > 0 {
        lines.push(format!(
            "health checks for armada's waits: {}",
            count(*health_checked, "release")
        ));
    }
    if *suspended > 0 {
        lines.push(format!(
            "written suspended: {suspended} of {}, flux leaves them alone until they are resumed",
            count(*releases, "release")
        ));
    }
    if *clear_text_secrets > 0 {
        let place = if clear_text_secrets == secrets_apart {
            ", all in Secrets: encrypt those files"
        } else {
            ""
        };
        lines.push(format!(
            "clear-text secrets written: {} in {}{place}",
            count(*clear_text_secrets, "value"),
            count(*releases_with_secrets, "release")
        ));
    }
    if *nulls > 0 {
        lines.push(format!(
            "nulls in values: {nulls}, apply with `kubectl apply --server-side` or they are lost"
        ));
    }
    if *empty_secrets > 0 {
        lines.push(format!(
            "secrets of sources to be filled in: {empty_secrets}, written without content"
        ));
    }
    if *unresolved_sources > 0 {
        lines.push(format!(
            "sources that flux cannot read: {unresolved_sources}, `armada2flux source-map init` begins a map for them"
        ));
    }
    let skipped: usize = report.skipped_documents.values().sum();
    if skipped > 0 {
        lines.push(format!("skipped documents of other schemas: {skipped}"));
    }
    lines
}

fn order(order: &Order) -> Option<String> {
    (order.steps > 1).then(|| {
        format!(
            "order: {} one after another, {}; when all change, flux rests up to {} between them",
            count(order.steps, "step"),
            count_of(order.dependencies, "dependency", "dependencies"),
            duration::show(order.rest_seconds)
        )
    })
}

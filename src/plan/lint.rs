//! Lints: likely mistakes in the documents that do not stop the plan.

use crate::armada::ChartGroup;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::secret;
use crate::source::Span;
use crate::value::Text;

use super::Release;

/// The label by which charts mark their objects with the name of their release.
const RELEASE_LABEL: &str = "release_group";

/// Reports selectors that name another release.
pub(super) fn labels(release: &Release<'_, '_>, diagnostics: &mut Diagnostics) {
    let waits = release.waits.iter().map(|wait| {
        (
            &wait.labels,
            wait.span.or(release.chart.wait.resources_span),
        )
    });
    let deletes = release
        .pre_deletes
        .iter()
        .map(|delete| (&delete.labels, Some(delete.span)));
    let other = waits.chain(deletes).find_map(|(labels, span)| {
        let (_, value) = labels.iter().find(|(key, _)| key == RELEASE_LABEL)?;
        (*value != release.name && !chart_sets_label(release, value)).then_some((value, span))
    });
    let Some((other, span)) = other else { return };
    if secret::text_looks_secret(other) {
        return;
    }
    let chart = &release.chart;
    let message = format!(
        "release `{}`: its document selects objects of release `{other}`",
        release.name
    );
    diagnostics.push(
        Diagnostic::new(Code::ReleaseRenamed, message)
            .at(
                chart.release.span,
                format!("converted as `{}`", release.name),
            )
            .at(
                span.unwrap_or(chart.head.name.span),
                format!("`{RELEASE_LABEL}: {other}`"),
            )
            .help("compare with `helm list -A`; a running release must keep its name"),
    );
}

/// Returns whether the chart's own values set the label.
fn chart_sets_label(release: &Release<'_, '_>, label: &Text) -> bool {
    release
        .chart
        .values
        .into_iter()
        .flat_map(|v| v.entries())
        .filter_map(|(key, value)| Some((key.scalar()?, value.resolved().scalar()?)))
        .any(|(key, value)| key.text == RELEASE_LABEL && value.text == label.as_str())
}

/// Notes tests that the documents turn off.
pub(super) fn tests(release: &Release<'_, '_>, group: &ChartGroup, diagnostics: &mut Diagnostics) {
    if release.test_timeout.is_some() {
        return;
    }
    let own = release
        .chart
        .test
        .as_ref()
        .filter(|test| test.enabled == Some(false));
    let (who, span): (_, Span) = match own {
        Some(test) => ("its chart", test.span),
        None => ("its chart group", group.head.name.span),
    };
    let message = format!("release `{}`: {who} turns its tests off", release.name);
    diagnostics.push(
        Diagnostic::new(Code::TestOff, message)
            .at(span, "no tests in Armada, so none in Flux")
            .help("set `test.enabled: true` in the chart to run its tests"),
    );
}

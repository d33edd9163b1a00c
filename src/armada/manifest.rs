//! `armada/Manifest`: the chart groups of a site, in order.

use crate::source::Spanned;
use crate::value::Text;

use super::decode::{Context, Rest, Table};
use super::disposition::rows;
use super::head::Head;

rows! { "Manifest";
    DATA "data" Any Mapped Tree "the tree" "the body of the document";
    RELEASE_PREFIX "data.release_prefix" Any Mapped Tree "metadata.name, spec.releaseName" "release names are prefix, hyphen, release, as Helm holds them";
    CHART_GROUPS "data.chart_groups" Any Mapped Tree "stage folders, spec.dependsOn" "groups are stages, one after another; the lockstep of stages needs readyExpr" since 2 7;
}

/// A Manifest document.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Schema version, name and span.
    pub head: Head,
    /// Prefix of every release name.
    pub release_prefix: Spanned<Text>,
    /// Names of ChartGroup documents, in order of deployment.
    pub chart_groups: Vec<Spanned<Text>>,
}

/// Decodes the body of a Manifest, v1 and v2 (they are alike).
pub(super) fn decode(head: Head, mut data: Table<'_>, cx: &mut Context<'_>) -> Option<Manifest> {
    let release_prefix = data.required_text(&RELEASE_PREFIX, cx);
    let chart_groups = data
        .required(&CHART_GROUPS, cx)
        .and_then(|field| field.texts(cx));
    data.finish(Rest::Refuse, cx);
    Some(Manifest {
        head,
        release_prefix: release_prefix?,
        chart_groups: chart_groups?,
    })
}

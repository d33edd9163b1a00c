//! `armada/ChartGroup`: charts that are deployed together.

use crate::gate::Version;
use crate::source::Spanned;
use crate::value::Text;

use super::decode::{Context, Rest, Table};
use super::disposition::rows;
use super::head::Head;

rows! { "ChartGroup";
    DATA "data" Any Mapped Tree "a stage folder" "the body of the document";
    NAME "data.name" Any DroppedHarmless Nobody "" "Armada reads the name in metadata";
    DESCRIPTION "data.description" Any DroppedHarmless Nobody "" "Armada only logs it";
    SEQUENCED "data.sequenced" Any Mapped Tree "spec.dependsOn" "a sequenced group is one stage of several steps; the lockstep of steps needs readyExpr" since 2 7;
    TEST_CHARTS "data.test_charts" V1 Mapped Tree "spec.test.enable" "the default of charts that do not set tests";
    CHART_GROUP "data.chart_group" Any Mapped Tree "HelmReleases of a stage" "the charts, in order";
}

/// A ChartGroup document.
#[derive(Clone, Debug)]
pub struct ChartGroup {
    /// Schema version, name and span.
    pub head: Head,
    /// Whether charts are deployed one after another.
    pub sequenced: bool,
    /// Whether charts that do not set it are tested (v1 only).
    pub test_charts: Option<bool>,
    /// Names of Chart documents, in order.
    pub charts: Vec<Spanned<Text>>,
}

/// Decodes the body of a ChartGroup.
pub(super) fn decode(head: Head, mut data: Table<'_>, cx: &mut Context<'_>) -> Option<ChartGroup> {
    data.text(&NAME, cx);
    data.text(&DESCRIPTION, cx);
    let sequenced = data.boolean(&SEQUENCED, cx);
    let test_charts = match head.version {
        Version::V1 => data.boolean(&TEST_CHARTS, cx),
        Version::V2 => None,
    };
    let charts = data
        .required(&CHART_GROUP, cx)
        .and_then(|field| field.texts(cx));
    data.finish(Rest::Refuse, cx);
    Some(ChartGroup {
        head,
        sequenced: sequenced.is_some_and(|sequenced| sequenced.value),
        test_charts: test_charts.map(|test| test.value),
        charts: charts?,
    })
}

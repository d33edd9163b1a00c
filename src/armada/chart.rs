//! `armada/Chart`: one Helm release and how Armada deploys it.

mod shared;
pub mod source;
pub mod test;
pub mod upgrade;
pub mod wait;

use std::collections::BTreeSet;

use crate::gate::Version;
use crate::source::{Span, Spanned};
use crate::value::Text;
use crate::yaml::Node;

use super::decode::{Context, Rest, Table};
use super::disposition::rows;
use super::fault::{Act, Fault};
use super::head::Head;

pub use source::{Source, SourceKind};
pub use test::Test;
pub use upgrade::{PreDelete, Upgrade};
pub use wait::{Resources, Wait, WaitItem};

rows! { "Chart";
    DATA "data" Any Mapped Tree "a HelmRelease" "the body of the document";
    RELEASE "data.release" Any Mapped Tree "metadata.name, spec.releaseName" "with the Manifest's prefix: the name under which Helm holds the release";
    CHART_NAME "data.chart_name" V1 DroppedHarmless Nobody "" "Armada only logs it, the chart's own name is in its Chart.yaml";
    NAMESPACE "data.namespace" Any Mapped Tree "metadata.namespace, a Namespace object" "the HelmRelease lives in the release's namespace";
    VALUES "data.values" Any Mapped Tree "spec.values" "typed as Helm received them from Armada";
    DEPENDENCIES "data.dependencies" Any Mapped Tree "spec.include and spec.ignore of GitRepositories" "Armada replaces the chart's own charts folder with these, so do includes; charts that are not from Git keep what was packaged into them" since 2 7;
    PROTECTED "data.protected" Any Approximated Apply "annotation armada2flux.dev/protected" "`apply` acts on it, plain Flux does not: keeps a failed release from being uninstalled; Flux never uninstalls by itself";
    CONTINUE_PROCESSING "data.protected.continue_processing" Any Approximated Apply "annotation armada2flux.dev/protected" "`apply` acts on it, plain Flux does not: whether the run continues past a release that failed before";
    DELETE "data.delete" Any Mapped Tree "spec.uninstall" "options of an uninstall";
    DELETE_TIMEOUT "data.delete.timeout" Any Mapped Tree "spec.uninstall.timeout" "seconds, 300 when absent";
    DELETE_EXTRA "data.delete.*" Any DroppedHarmless Nobody "" "Armada reads the timeout only";
    INSTALL "data.install" V1 DroppedHarmless Nobody "" "Armada never reads it: hooks always run on install";
    TIMEOUT "data.timeout" V1 Mapped Tree "spec.timeout" "the older form of wait.timeout, which overrides it";
}

/// A Chart document.
#[derive(Clone, Debug)]
pub struct Chart<'t> {
    /// Schema version, name and span.
    pub head: Head,
    /// Release name without the Manifest's prefix.
    pub release: Spanned<Text>,
    /// Namespace of the release.
    pub namespace: Spanned<Text>,
    /// Where the chart comes from.
    pub source: Source,
    /// The values as written.
    pub values: Option<Node<'t>>,
    /// Chart documents that replace the chart's own dependencies; `None` keeps those.
    pub dependencies: Option<Vec<Spanned<Text>>>,
    /// What Armada waits for.
    pub wait: Wait,
    /// Older form of the timeout, in seconds.
    pub timeout: Option<Spanned<i64>>,
    /// Helm tests.
    pub test: Option<Test>,
    /// What happens on an upgrade.
    pub upgrade: Upgrade,
    /// Limit of an uninstall, in seconds.
    pub delete_timeout: Option<Spanned<i64>>,
    /// `protected.continue_processing`; `None` when the release is not protected.
    pub protected: Option<Protected>,
    /// What makes Armada fail when it deploys the chart.
    pub faults: Vec<Fault>,
}

/// The `protected` block.
#[derive(Clone, Copy, Debug)]
pub struct Protected {
    /// Whether the run continues past the release when it failed before.
    pub continue_processing: bool,
    /// Span of the block.
    pub span: Span,
}

/// Returns the names that stand before in the list.
fn repeated(names: &[Spanned<Text>]) -> impl Iterator<Item = &Spanned<Text>> {
    let mut known = BTreeSet::new();
    names.iter().filter(move |name| !known.insert(&name.value))
}

/// Decodes the body of a Chart.
pub(super) fn decode<'t>(
    head: Head,
    mut data: Table<'t>,
    cx: &mut Context<'_>,
) -> Option<Chart<'t>> {
    let release = data.required_text(&RELEASE, cx);
    let timeout = match head.version {
        Version::V1 => {
            data.required_text(&CHART_NAME, cx);
            if let Some(install) = data.field(&INSTALL, cx) {
                install.check_mapping(cx);
            }
            data.integer(&TIMEOUT, cx)
        }
        Version::V2 => None,
    };
    let namespace = data.required_text(&NAMESPACE, cx);
    let source = data
        .required(&source::SOURCE, cx)
        .and_then(|field| field.table(cx))
        .and_then(|table| source::decode(table, head.version, cx));
    let values = data
        .field(&VALUES, cx)
        .and_then(|field| field.check_mapping(cx).then_some(field.value));
    let dependencies_field = data.open_field(&DEPENDENCIES, cx);
    let dependencies = dependencies_field.and_then(|field| field.texts(cx));
    for name in repeated(dependencies.as_deref().unwrap_or_default()) {
        let message = format!(
            "`dependencies` names chart `{}` twice, and Armada ends with FileExistsError at the second copy",
            name.value
        );
        cx.fault_of(Act::Build, name.span, message);
    }
    let wait_field = data.open_field(&wait::rows::WAIT, cx);
    if let Some(values) = values {
        shared::report(values, wait_field, dependencies_field, cx);
    }
    let wait = wait_field
        .and_then(|field| field.table(cx))
        .map_or_else(Wait::default, |table| wait::decode(table, head.version, cx));
    let test = data
        .open_field(&test::TEST, cx)
        .and_then(|field| test::decode(field, head.version, cx));
    let upgrade = data
        .open_field(&upgrade::UPGRADE, cx)
        .and_then(|field| field.table(cx))
        .map_or_else(Upgrade::default, |table| {
            upgrade::decode(table, head.version, cx)
        });
    let delete_timeout = data
        .open_field(&DELETE, cx)
        .and_then(|field| field.table(cx))
        .and_then(|mut table| {
            let timeout = table.integer(&DELETE_TIMEOUT, cx);
            table.finish(Rest::Ignore(&DELETE_EXTRA), cx);
            timeout
        });
    let protected = data.open_field(&PROTECTED, cx).and_then(|field| {
        let mut table = field.table(cx)?;
        let continue_processing = table.boolean(&CONTINUE_PROCESSING, cx);
        table.finish(Rest::Refuse, cx);
        // An empty block protects nothing: Python reads it as false.
        Some(Protected {
            continue_processing: continue_processing?.value,
            span: field.value.span(),
        })
    });
    data.finish(Rest::Refuse, cx);
    // A protected release is never uninstalled by a run.
    if let Some(timeout) = delete_timeout.as_ref().filter(|timeout| timeout.value <= 0)
        && protected.is_none()
    {
        let message = format!(
            "Armada ends an uninstall at once after {} s, which is no time limit",
            timeout.value
        );
        cx.fault_of(Act::Purge, timeout.span, message);
    }
    let faults = std::mem::take(&mut cx.faults);
    Some(Chart {
        head,
        release: release?,
        namespace: namespace?,
        source: source?,
        values,
        dependencies,
        wait,
        timeout,
        test,
        upgrade,
        delete_timeout,
        protected,
        faults,
    })
}

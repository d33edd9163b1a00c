//! `data.upgrade`: what happens on an upgrade.

use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::value::Text;
use crate::yaml::{Kind, Node};

use super::super::decode::{Context, Field, Rest, Table};
use super::super::disposition::rows;
use super::super::document::Version;

rows! { "Chart";
    UPGRADE "data.upgrade" Mapped Tree "spec.upgrade" "options of an upgrade"
    NO_HOOKS "data.upgrade.no_hooks" Mapped Tree "spec.upgrade.disableHooks" "v1"
    OPTIONS "data.upgrade.options" Mapped Tree "spec.upgrade" "options of an upgrade"
    OPTIONS_NO_HOOKS "data.upgrade.options.no_hooks" Mapped Tree "spec.upgrade.disableHooks" "v2"
    FORCE "data.upgrade.options.force" Approximated Tree "spec.upgrade.force" "Flux ignores it for releases that are applied server-side"
    PRE "data.upgrade.pre" NotYet Apply "" "actions before an upgrade"
    PRE_DELETE "data.upgrade.pre.delete" NotYet Apply "" "Flux cannot delete objects before an upgrade"
    PRE_DELETE_TYPE "data.upgrade.pre.delete[].type" NotYet Apply "" "kind of the objects to delete"
    PRE_DELETE_LABELS "data.upgrade.pre.delete[].labels" NotYet Apply "" "which objects to delete"
    PRE_DELETE_NAME "data.upgrade.pre.delete[].name" DroppedHarmless Nobody "" "Armada does not read it"
    PRE_UPDATE "data.upgrade.pre.update" NotYet Apply "" "recreates the pods of DaemonSets before an upgrade"
    PRE_CREATE "data.upgrade.pre.create" DroppedHarmless Nobody "" "Armada does not read it"
    POST "data.upgrade.post" DroppedHarmless Nobody "" "Armada ignores it with a warning"
}

/// The `upgrade` block of a Chart.
#[derive(Clone, Debug, Default)]
pub struct Upgrade {
    /// Whether hooks are left out on upgrades.
    pub no_hooks: bool,
    /// Whether Helm replaces objects it cannot patch.
    pub force: bool,
    /// What Armada deletes before an upgrade, in order.
    pub pre_delete: Vec<PreDelete>,
    /// Where `pre.update` stands, if it asks for anything (v1).
    pub pre_update: Option<Span>,
}

/// One entry of `upgrade.pre.delete`.
#[derive(Clone, Debug)]
pub struct PreDelete {
    /// `job`, `cronjob`, `pod`; other words make Armada log an error.
    pub kind: Text,
    /// Labels of the objects.
    pub labels: Vec<(Text, Text)>,
    /// Where the entry stands.
    pub span: Span,
}

/// Decodes the block.
pub(in crate::armada) fn decode(
    mut table: Table<'_>,
    version: Version,
    cx: &mut Context<'_>,
) -> Upgrade {
    let mut no_hooks = None;
    let mut force = None;
    if version == Version::V1 {
        no_hooks = table
            .required(&NO_HOOKS, cx)
            .and_then(|field| field.boolean(cx));
        if let Some(post) = table.field(&POST, cx) {
            report_ignored("upgrade.post", post.value, cx);
        }
    }
    if let Some(options) = table.open_field(&OPTIONS, cx)
        && let Some(mut options) = options.table(cx)
    {
        force = options.boolean(&FORCE, cx);
        if version == Version::V2 {
            no_hooks = options.boolean(&OPTIONS_NO_HOOKS, cx);
        }
        options.finish(Rest::Refuse, cx);
    }
    let mut pre_delete = Vec::new();
    let mut pre_update = None;
    if let Some(pre) = table.open_field(&PRE, cx)
        && let Some(mut pre) = pre.table(cx)
    {
        if let Some(delete) = pre.open_field(&PRE_DELETE, cx) {
            let items = delete.list(cx).unwrap_or_default();
            let entries = items
                .into_iter()
                .filter_map(|item| decode_delete(item, version, cx));
            pre_delete = entries.collect();
        }
        if version == Version::V1 {
            let update = pre.field(&PRE_UPDATE, cx).map(|field| field.value);
            pre_update = update.filter(|node| node.items().len() > 0);
            if let Some(create) = pre.field(&PRE_CREATE, cx) {
                report_ignored("upgrade.pre.create", create.value, cx);
            }
        }
        pre.finish(Rest::Refuse, cx);
    }
    table.finish(Rest::Refuse, cx);
    Upgrade {
        no_hooks: no_hooks.is_some_and(|no_hooks| no_hooks.value),
        force: force.is_some_and(|force| force.value),
        pre_delete,
        pre_update: pre_update.map(Node::span),
    }
}

/// Warns of actions that Armada never takes; empty lists, which most charts have, say nothing.
fn report_ignored(field: &str, node: Node<'_>, cx: &mut Context<'_>) {
    let asks = |list: Node<'_>| list.items().len() > 0;
    let asked = match node.resolved().kind() {
        Kind::Mapping => node.entries().any(|(_, list)| asks(list)),
        Kind::Sequence => asks(node),
        Kind::Scalar(_) | Kind::Alias(_) => false,
    };
    if asked {
        let message = format!("{}: `{field}` has no effect", cx.subject);
        cx.diagnostics.push(
            Diagnostic::new(Code::FieldIgnored, message)
                .at(node.span(), "armada does not act on it")
                .help("remove it, or do by other means what it was meant to do"),
        );
    }
}

fn decode_delete(item: Node<'_>, version: Version, cx: &mut Context<'_>) -> Option<PreDelete> {
    let field = Field {
        row: &PRE_DELETE,
        value: item,
    };
    let mut table = field.table(cx)?;
    let kind = table.required_text(&PRE_DELETE_TYPE, cx);
    let labels = table
        .open_field(&PRE_DELETE_LABELS, cx)
        .and_then(|field| field.text_map(cx));
    if version == Version::V1 {
        table.text(&PRE_DELETE_NAME, cx);
    }
    table.finish(Rest::Refuse, cx);
    Some(PreDelete {
        kind: kind?.value,
        labels: labels.unwrap_or_default(),
        span: item.span(),
    })
}

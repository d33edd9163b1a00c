//! `data.upgrade`: what happens on an upgrade.

mod action;

use crate::armada::decode::{Context, Rest, Table};
use crate::armada::disposition::rows;
use crate::gate::Version;
use crate::source::Span;

pub use action::PreDelete;

rows! { "Chart";
    UPGRADE "data.upgrade" Any Mapped Tree "spec.upgrade" "options of an upgrade";
    NO_HOOKS "data.upgrade.no_hooks" V1 Mapped Tree "spec.upgrade.disableHooks" "required in v1 when upgrade is set";
    OPTIONS "data.upgrade.options" Any Mapped Tree "spec.upgrade" "options of an upgrade";
    OPTIONS_NO_HOOKS "data.upgrade.options.no_hooks" V2 Mapped Tree "spec.upgrade.disableHooks" "the v2 form of no_hooks";
    FORCE "data.upgrade.options.force" Any Approximated Tree "spec.upgrade.force" "Flux ignores it for releases that are applied server-side";
    PRE "data.upgrade.pre" Any Approximated Apply "annotation armada2flux.dev/pre-delete" "`apply` acts on it, plain Flux does not: actions before an upgrade";
    PRE_DELETE "data.upgrade.pre.delete" Any Approximated Apply "annotation armada2flux.dev/pre-delete" "`apply` acts on it, plain Flux has no counterpart; with `--pre-delete hook` Jobs become hooks where Helm does not wait";
    PRE_DELETE_TYPE "data.upgrade.pre.delete[].type" Any Approximated Apply "annotation armada2flux.dev/pre-delete" "`apply` acts on it, plain Flux does not: job (in v1 with cronjobs), cronjob or pod; anything else is logged as an error and skipped";
    PRE_DELETE_LABELS "data.upgrade.pre.delete[].labels" Any Approximated Apply "annotation armada2flux.dev/pre-delete" "`apply` acts on it, plain Flux does not: which objects to delete; without any, all of the namespace";
    PRE_DELETE_NAME "data.upgrade.pre.delete[].name" V1 DroppedHarmless Nobody "" "Armada only logs it";
    PRE_UPDATE "data.upgrade.pre.update" V1 NotYet Apply "" "recreates the pods of DaemonSets before an upgrade";
    PRE_UPDATE_TYPE "data.upgrade.pre.update[].type" V1 NotYet Apply "" "daemonset";
    PRE_UPDATE_LABELS "data.upgrade.pre.update[].labels" V1 NotYet Apply "" "among which objects the name is looked up";
    PRE_UPDATE_NAME "data.upgrade.pre.update[].name" V1 NotYet Apply "" "the DaemonSet";
    PRE_CREATE "data.upgrade.pre.create" V1 DroppedHarmless Nobody "" "Armada does not read it";
    PRE_CREATE_TYPE "data.upgrade.pre.create[].type" V1 DroppedHarmless Nobody "" "Armada does not read it";
    PRE_CREATE_LABELS "data.upgrade.pre.create[].labels" V1 DroppedHarmless Nobody "" "Armada does not read it";
    PRE_CREATE_NAME "data.upgrade.pre.create[].name" V1 DroppedHarmless Nobody "" "Armada does not read it";
    POST "data.upgrade.post" V1 DroppedHarmless Nobody "" "Armada ignores it with a warning";
    POST_CREATE "data.upgrade.post.create" V1 DroppedHarmless Nobody "" "Armada ignores it with a warning";
    POST_CREATE_TYPE "data.upgrade.post.create[].type" V1 DroppedHarmless Nobody "" "Armada ignores it with a warning";
    POST_CREATE_LABELS "data.upgrade.post.create[].labels" V1 DroppedHarmless Nobody "" "Armada ignores it with a warning";
    POST_CREATE_NAME "data.upgrade.post.create[].name" V1 DroppedHarmless Nobody "" "Armada ignores it with a warning";
}

static DELETE_ROWS: action::Rows = action::Rows {
    list: &PRE_DELETE,
    kind: &PRE_DELETE_TYPE,
    labels: &PRE_DELETE_LABELS,
    name: &PRE_DELETE_NAME,
};
static UPDATE_ROWS: action::Rows = action::Rows {
    list: &PRE_UPDATE,
    kind: &PRE_UPDATE_TYPE,
    labels: &PRE_UPDATE_LABELS,
    name: &PRE_UPDATE_NAME,
};
static CREATE_ROWS: action::Rows = action::Rows {
    list: &PRE_CREATE,
    kind: &PRE_CREATE_TYPE,
    labels: &PRE_CREATE_LABELS,
    name: &PRE_CREATE_NAME,
};
static POST_ROWS: action::Rows = action::Rows {
    list: &POST_CREATE,
    kind: &POST_CREATE_TYPE,
    labels: &POST_CREATE_LABELS,
    name: &POST_CREATE_NAME,
};

/// The `upgrade` block of a Chart.
#[derive(Clone, Debug, Default)]
pub struct Upgrade {
    /// Whether hooks are left out on upgrades.
    pub no_hooks: bool,
    /// Whether Helm replaces objects it cannot patch.
    pub force: bool,
    /// What Armada deletes before an upgrade, in order.
    pub pre_delete: Vec<PreDelete>,
    /// Span of `pre.update`, if it is not empty (v1).
    pub pre_update: Option<Span>,
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
        if let Some(post) = table.open_field(&POST, cx)
            && let Some(mut post) = post.table(cx)
        {
            action::decode_ignored(&mut post, &POST_ROWS, "upgrade.post", cx);
            post.finish(Rest::Refuse, cx);
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
        pre_delete = action::decode_deletes(&mut pre, &DELETE_ROWS, version, cx);
        if version == Version::V1 {
            pre_update = action::decode_updates(&mut pre, &UPDATE_ROWS, cx);
            action::decode_ignored(&mut pre, &CREATE_ROWS, "upgrade.pre.create", cx);
        }
        pre.finish(Rest::Refuse, cx);
    }
    table.finish(Rest::Refuse, cx);
    Upgrade {
        no_hooks: no_hooks.is_some_and(|no_hooks| no_hooks.value),
        force: force.is_some_and(|force| force.value),
        pre_delete,
        pre_update,
    }
}

//! `data.test`: Helm tests.

use crate::armada::decode::{Context, Field, Rest};
use crate::armada::disposition::rows;
use crate::gate::Version;
use crate::source::{Span, Spanned};
use crate::yaml::scalar::Typed;

rows! { "Chart";
    TEST "data.test" Any Mapped Tree "spec.test" "Armada tests by default; true or false alone is the old form (v1)";
    ENABLED "data.test.enabled" Any Mapped Tree "spec.test.enable" "when absent, test_charts of the group decides, then true";
    TIMEOUT "data.test.timeout" Any Mapped Tree "spec.test.timeout" "seconds, 300 when absent";
    OPTIONS "data.test.options" Any DroppedHarmless Nobody "" "holds cleanup only";
    CLEANUP "data.test.options.cleanup" Any DroppedHarmless Nobody "" "Armada with Helm 3 and 4 does not read it";
}

/// The `test` block of a Chart.
#[derive(Clone, Debug)]
pub struct Test {
    /// Whether tests run; `None` leaves it to the group, and then to the default (Armada: handlers/test.py).
    pub enabled: Option<bool>,
    /// Their limit, in seconds.
    pub timeout: Option<Spanned<i64>>,
    /// Span of the block.
    pub span: Span,
}

/// Decodes the block.
pub(in crate::armada) fn decode(
    field: Field<'_>,
    version: Version,
    cx: &mut Context<'_>,
) -> Option<Test> {
    let span = field.value.span();
    if version == Version::V1
        && let Some(Typed::Bool(enabled)) = field.typed(cx)
    {
        return Some(Test {
            enabled: Some(enabled),
            timeout: None,
            span,
        });
    }
    if version == Version::V1 && !field.is_mapping(cx) {
        cx.wrong_type(&field, "true, false or a mapping");
        return None;
    }
    let mut table = field.table(cx)?;
    let enabled = table.boolean(&ENABLED, cx);
    let timeout = table.integer(&TIMEOUT, cx);
    if let Some(options) = table.open_field(&OPTIONS, cx)
        && let Some(mut options) = options.table(cx)
    {
        options.boolean(&CLEANUP, cx);
        options.finish(Rest::Refuse, cx);
    }
    table.finish(Rest::Refuse, cx);
    Some(Test {
        enabled: enabled.map(|enabled| enabled.value),
        timeout,
        span,
    })
}

//! Releases that are near a limit of Kubernetes, or beyond it.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::flux::Object;
use crate::flux::values::VALUES_KEY;
use crate::plan::Release;
use crate::source::Span;

/// Most bytes of all annotations of an object (Kubernetes: `TotalAnnotationSizeLimitB`). Client-side
/// `kubectl apply` keeps a copy of the object in one.
const MAX_ANNOTATIONS: usize = 256 * 1024;
/// Most bytes of a Secret or a ConfigMap (Kubernetes: `MaxSecretSize`); Helm keeps a release in one.
const MAX_SECRET: usize = 1024 * 1024;
/// Most bytes of a request to etcd (its `--max-request-bytes`), so of any object.
const MAX_OBJECT: usize = 1536 * 1024;
/// From this size on [`MAX_SECRET`] is near: nine tenths of it.
const NEAR_SECRET: usize = MAX_SECRET / 10 * 9;

/// Reports an object that is too large or nearly so; `bytes` are those of its JSON.
pub(super) fn check(release: &Release<'_, '_>, bytes: usize, diagnostics: &mut Diagnostics) {
    let (code, fault, help) = if bytes > MAX_OBJECT {
        (
            Code::ObjectTooLarge,
            format!(
                "more than the {} that etcd allows for an object",
                kib(MAX_OBJECT)
            ),
            "move large texts out of the values, into a ConfigMap or Secret under valuesFrom",
        )
    } else if bytes >= NEAR_SECRET {
        (
            Code::ObjectLarge,
            format!(
                "near or above the {} of a Secret, which holds Helm's record of it",
                kib(MAX_SECRET)
            ),
            "move large texts out of the values, or make sure that Helm's record still fits",
        )
    } else if bytes > MAX_ANNOTATIONS {
        (
            Code::ObjectLarge,
            format!(
                "more than the {} of annotations in which client-side apply keeps a copy",
                kib(MAX_ANNOTATIONS)
            ),
            "apply it with `kubectl apply --server-side`; nulls in values need that, too",
        )
    } else {
        return;
    };
    let message = format!(
        "release `{}`: its HelmRelease takes {}, {fault}",
        release.name,
        kib(bytes)
    );
    report(release, code, message, help, diagnostics);
}

/// Reports values that are too large for their object.
pub(super) fn check_values(
    release: &Release<'_, '_>,
    objects: &[Object],
    diagnostics: &mut Diagnostics,
) {
    for object in objects {
        let texts = ["data", "stringData"].iter();
        let text = texts
            .filter_map(|data| object.value.at(&[data, VALUES_KEY])?.as_str())
            .next();
        let bytes = text.map_or(0, str::len);
        if bytes <= MAX_SECRET {
            continue;
        }
        let message = format!(
            "release `{}`: its values take {} as a {}, more than the {} that one may hold",
            release.name,
            kib(bytes),
            object.kind,
            kib(MAX_SECRET)
        );
        let help = "keep them in the HelmRelease, which may be 1.5 times as large, or move large texts out of the values";
        report(release, Code::ObjectTooLarge, message, help, diagnostics);
    }
}

fn report(
    release: &Release<'_, '_>,
    code: Code,
    message: String,
    help: &str,
    diagnostics: &mut Diagnostics,
) {
    let values = release.chart.values.map(|values| values.span());
    // The values are long; their start is enough.
    let at = values.unwrap_or(release.chart.head.name.span);
    let at = Span::new(at.file(), at.start(), at.start());
    diagnostics.push(
        Diagnostic::new(code, message)
            .at(at, "these values")
            .help(help),
    );
}

fn kib(bytes: usize) -> String {
    format!("{} KiB", bytes.div_ceil(1024))
}

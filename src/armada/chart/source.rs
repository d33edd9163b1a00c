//! `data.source`: where a chart comes from.

use crate::armada::decode::{Context, Rest, Table};
use crate::armada::disposition::rows;
use crate::armada::fault::Act;
use crate::gate::Version;
use crate::source::{Span, Spanned};
use crate::value::Text;

rows! { "Chart";
    SOURCE "data.source" Any Mapped Tree "a source object, spec.chart" "where the chart comes from; a rule of the source map replaces it";
    TYPE "data.source.type" Any Mapped Tree "kind of the source object" "git, tar or local; a folder on Armada's machine needs a rule of the source map";
    LOCATION "data.source.location" Any Mapped Tree "spec.url of the source object" "repository, archive or folder; SSH in every spelling, git:// over HTTPS, archives that a forge packs from its repository";
    SUBPATH "data.source.subpath" Any Mapped Tree "spec.chart.spec.chart" "the chart's folder in the repository; in an archive the chart is found by its name";
    REFERENCE "data.source.reference" Any Mapped Tree "spec.ref of the GitRepository" "a commit, a branch or tag, or a ref; master when absent; a new commit reaches the release through commonMetadata" since 2 7;
    PROXY_SERVER "data.source.proxy_server" Any Approximated Tree "spec.proxySecretRef of the GitRepository" "Flux reads the address from a Secret, which is written without content; for Git over HTTP, a HelmRepository has no proxy";
    AUTH_METHOD "data.source.auth_method" Any Approximated Tree "spec.secretRef of the GitRepository" "Flux reads the key and the host key from a Secret, which is written without content for every SSH address";
    EXTRA "data.source.*" Any DroppedHarmless Nobody "" "Armada does not read it";
}

/// The types of source that Armada supports (Armada: handlers/chart_download.py, utils/source.py).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A Git repository, cloned over HTTP, SSH or `git://`.
    Git,
    /// An archive at a URL.
    Tar,
    /// A folder on the machine that runs Armada.
    Local,
}

/// The `source` block of a Chart.
#[derive(Clone, Debug)]
pub struct Source {
    /// The type; `None` for a word that Armada rejects when it deploys.
    pub kind: Option<SourceKind>,
    /// Repository, archive or folder.
    pub location: Spanned<Text>,
    /// The chart's folder inside it.
    pub subpath: Option<Spanned<Text>>,
    /// Commit, branch, tag or ref.
    pub reference: Option<Spanned<Text>>,
    /// HTTP proxy for Git over HTTP and for archives.
    pub proxy_server: Option<Spanned<Text>>,
    /// How Git authenticates (`SSH`).
    pub auth_method: Option<Spanned<Text>>,
    /// Span of the block.
    pub span: Span,
}

/// Decodes the block.
pub(in crate::armada) fn decode(
    mut table: Table<'_>,
    version: Version,
    cx: &mut Context<'_>,
) -> Option<Source> {
    let span = table.span();
    let kind = table.required_text(&TYPE, cx);
    let location = table.required_text(&LOCATION, cx);
    let subpath = match version {
        Version::V1 => table.required_text(&SUBPATH, cx),
        Version::V2 => table.text(&SUBPATH, cx),
    };
    let reference = table.text(&REFERENCE, cx);
    let proxy_server = table.text(&PROXY_SERVER, cx);
    let auth_method = table.text(&AUTH_METHOD, cx);
    table.finish(Rest::Ignore(&EXTRA), cx);
    let kind = kind?;
    let known = match &*kind.value {
        "git" => Some(SourceKind::Git),
        "tar" => Some(SourceKind::Tar),
        "local" => Some(SourceKind::Local),
        _ => None,
    };
    if known.is_none() {
        let message = format!(
            "Armada has no source type `{}`; it supports git, tar, local",
            kind.value
        );
        cx.fault_of(Act::Build, kind.span, message);
    }
    Some(Source {
        kind: known,
        location: location?,
        subpath,
        reference,
        proxy_server,
        auth_method,
        span,
    })
}

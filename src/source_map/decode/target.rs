//! Decodes the replacement of a source.

use crate::armada::chart::SourceKind;
use crate::flux::{GitReference, HelmSource, OciSource, Verify};
use crate::value::Text;
use crate::yaml::{Kind, Node};

use super::{Context, Table, template, text};
use crate::source_map::{
    ExistingKind, ExistingTarget, GitTarget, HelmTarget, Match, Target, Template,
};

/// Decodes the target under one of [`super::TARGETS`].
pub(super) fn decode(
    key: &'static str,
    node: Node<'_>,
    names: &[&str],
    matching: Option<&Match>,
    cx: &mut Context<'_>,
) -> Option<Target<Template>> {
    let mut table = Table::open(node, key, cx)?;
    let target = match key {
        "HelmRepository" => helm(&mut table, names, cx).map(Target::Helm),
        "OCIRepository" => oci(&mut table, names, cx).map(Target::Oci),
        "GitRepository" => git(&mut table, names, matching, cx).map(Target::Git),
        _ => existing(&mut table, names, cx).map(Target::Existing),
    };
    table.finish(cx);
    target
}

/// Decodes an address; the text before the first capture must hold the scheme.
fn url(
    table: &mut Table<'_>,
    names: &[&str],
    schemes: &[&str],
    cx: &mut Context<'_>,
) -> Option<Template> {
    let node = table.required("url", cx)?;
    let text = text(node, "url", cx)?;
    let url = template(&text, "url", node.span(), names, cx)?;
    let start = url.start();
    let known = start.is_empty() || schemes.iter().any(|scheme| start.starts_with(scheme));
    let git = schemes.contains(&"ssh://") && start.contains('@');
    if !known && !git {
        let message = format!("`{}` does not support this address", table.path);
        cx.error(
            node.span(),
            message,
            "unknown scheme",
            format!("start it with `{}`", schemes.join("`, `")),
        );
        return None;
    }
    Some(url)
}

fn helm(
    table: &mut Table<'_>,
    names: &[&str],
    cx: &mut Context<'_>,
) -> Option<HelmTarget<Template>> {
    let url = url(table, names, &["http://", "https://", "oci://"], cx);
    let is_oci = url
        .as_ref()
        .is_none_or(|url| url.start().starts_with("oci://"));
    for key in ["provider", "insecure", "verify"] {
        if let Some(span) = table.place(key).filter(|_| !is_oci) {
            let message = format!("Flux has no `{key}` for a HelmRepository with an index");
            cx.error(
                span,
                message,
                "for `oci://` only",
                "remove it, or give an `oci://` address",
            );
        }
    }
    let target = HelmTarget {
        chart: table.template("chart", names, cx).map(|(chart, _)| chart),
        version: table
            .template("version", names, cx)
            .map(|(version, _)| version),
        verify: verify(table, false, cx),
        source: HelmSource {
            secret: table.secret("secretRef", cx),
            cert_secret: table.secret("certSecretRef", cx),
            provider: table.word("provider", OCI_PROVIDERS, cx),
            insecure: table.boolean("insecure", cx),
            url: url?,
        },
    };
    Some(target)
}

/// Clouds that log in to registries.
const OCI_PROVIDERS: &[&str] = &["generic", "aws", "azure", "gcp"];
/// Clouds that log in to Git servers.
const GIT_PROVIDERS: &[&str] = &["generic", "azure", "github"];

fn oci(table: &mut Table<'_>, names: &[&str], cx: &mut Context<'_>) -> Option<OciSource<Template>> {
    let url = url(table, names, &["oci://"], cx);
    let target = OciSource {
        tag: table
            .template("version", names, cx)
            .map(|(version, _)| version),
        secret: table.secret("secretRef", cx),
        cert_secret: table.secret("certSecretRef", cx),
        proxy_secret: table.secret("proxySecretRef", cx),
        provider: table.word("provider", OCI_PROVIDERS, cx),
        insecure: table.boolean("insecure", cx),
        verify: verify(table, true, cx),
        url: url?,
    };
    Some(target)
}

fn git(
    table: &mut Table<'_>,
    names: &[&str],
    matching: Option<&Match>,
    cx: &mut Context<'_>,
) -> Option<GitTarget<Template>> {
    let url = url(table, names, &["http://", "https://", "ssh://"], cx);
    let place = table.take("ref");
    let reference = place.and_then(|node| reference(node, names, cx));
    let kind = matching.and_then(|matching| matching.kind);
    if place.is_none() && matching.is_some() && kind != Some(SourceKind::Git) {
        let help = "add `ref` with `commit`, `branch`, `tag` or `name`, or match `type: git`";
        cx.error(
            table.span,
            "a source that is not Git has no commit",
            "`ref` is missing",
            help,
        );
    }
    let target = GitTarget {
        reference,
        chart: table.template("chart", names, cx).map(|(chart, _)| chart),
        secret: table.secret("secretRef", cx),
        proxy_secret: table.secret("proxySecretRef", cx),
        provider: table.word("provider", GIT_PROVIDERS, cx),
        url: url?,
    };
    Some(target)
}

fn reference(
    node: Node<'_>,
    names: &[&str],
    cx: &mut Context<'_>,
) -> Option<GitReference<Template>> {
    let mut table = Table::open(node, "ref", cx)?;
    let commit = table.template("commit", names, cx);
    let branch = table.template("branch", names, cx);
    let tag = table.template("tag", names, cx);
    let name = table.template("name", names, cx);
    let span = table.span;
    let faulty = table.finish(cx);
    if let Some((commit, span)) = &commit
        && commit.is_plain()
        && !is_commit(commit.start())
    {
        let help = "give the full commit";
        cx.error(
            *span,
            "`commit` must be 40 hexadecimal digits",
            "not a full commit",
            help,
        );
        return None;
    }
    let commit = commit.map(|(text, _)| GitReference::Commit(text));
    let branch = branch.map(|(text, _)| GitReference::Branch(text));
    let tag = tag.map(|(text, _)| GitReference::Tag(text));
    let name = name.map(|(text, _)| GitReference::Name(text));
    let mut given = [commit, branch, tag, name].into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(reference), None) => Some(reference),
        (None, _) if faulty => None,
        (None | Some(_), _) => {
            let help = "give one of `commit`, `branch`, `tag`, `name`";
            cx.error(
                span,
                "`ref` must set exactly one reference",
                "none or several here",
                help,
            );
            None
        }
    }
}

/// Returns whether a text is a full commit.
fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn verify(table: &mut Table<'_>, identities: bool, cx: &mut Context<'_>) -> Option<Verify> {
    let mut table = Table::open(table.take("verify")?, "verify", cx)?;
    let provider = table.required_word("provider", &["cosign", "notation"], cx);
    let mut found = Vec::new();
    if identities && let Some(list) = table.take("matchOIDCIdentity") {
        if let Kind::Sequence = list.resolved().kind() {
            for item in list.items() {
                found.extend(identity(item, cx));
            }
        } else {
            cx.wrong_type(list, "matchOIDCIdentity", "a list");
        }
    }
    let secret = table.secret("secretRef", cx);
    table.finish(cx);
    Some(Verify {
        provider: provider?,
        secret,
        identities: found,
    })
}

fn identity(node: Node<'_>, cx: &mut Context<'_>) -> Option<(Text, Text)> {
    let mut table = Table::open(node, "matchOIDCIdentity", cx)?;
    let issuer = table
        .required("issuer", cx)
        .and_then(|node| text(node, "issuer", cx));
    let subject = table
        .required("subject", cx)
        .and_then(|node| text(node, "subject", cx));
    table.finish(cx);
    issuer.zip(subject)
}

fn existing(
    table: &mut Table<'_>,
    names: &[&str],
    cx: &mut Context<'_>,
) -> Option<ExistingTarget<Template>> {
    let words = ExistingKind::ALL.map(ExistingKind::name);
    let kind = table.required_word("kind", &words, cx).and_then(|word| {
        ExistingKind::ALL
            .into_iter()
            .find(|kind| kind.name() == word)
    });
    let name = table.required_template("name", names, cx);
    let namespace = table
        .template("namespace", names, cx)
        .map(|(namespace, _)| namespace);
    let chart = table.template("chart", names, cx);
    let version = table.template("version", names, cx);
    let kind = kind?;
    if let Some((_, span)) = chart.as_ref().filter(|_| kind.is_one_chart()) {
        let message = format!("`{}` holds a single chart", kind.name());
        cx.error(*span, message, "not allowed here", "remove `chart`");
    }
    if let Some((_, span)) = version
        .as_ref()
        .filter(|_| kind != ExistingKind::HelmRepository)
    {
        let message = format!("`{}` has no versions to choose from", kind.name());
        cx.error(*span, message, "not allowed here", "remove `version`");
    }
    Some(ExistingTarget {
        kind,
        name: name?,
        namespace,
        chart: chart.map(|(chart, _)| chart),
        version: version.map(|(version, _)| version),
    })
}

//! The JSON Schema of a source map, for editors: what [`fn@super::decode`] accepts.
//!
//! These types describe the file and are never filled; a test compares their verdict with the decoder's.

use schemars::JsonSchema;
use serde_json::Value as Json;

/// Rules that tell armada2flux where Flux finds the charts that Armada's documents name.
///
/// The first rule that matches a source decides. In the patterns of `match`, `<name>` catches one or more
/// characters without `/`, and `<name...>` any text. Other texts may use what was caught, and `<location>`,
/// `<reference>`, `<subpath>`, `<chart>` and `<version>` of the source.
#[derive(JsonSchema)]
#[schemars(title = "armada2flux source map", deny_unknown_fields)]
#[expect(dead_code, reason = "describes a file")]
pub struct File {
    /// The rules in order.
    #[schemars(schema_with = "rules")]
    sources: Vec<Rule>,
}

fn rules(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    Option::<Vec<Rule>>::json_schema(generator)
}

/// One rule: what it matches, and one target.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = no_nulls, extend("oneOf" = [
    {"required": ["HelmRepository"]},
    {"required": ["OCIRepository"]},
    {"required": ["GitRepository"]},
    {"required": ["existing"]},
]))]
#[expect(dead_code, reason = "describes a file")]
struct Rule {
    /// The sources it is about; all when absent.
    r#match: Option<Match>,
    /// A chart repository with an index, or a registry of charts.
    #[schemars(rename = "HelmRepository")]
    helm_repository: Option<HelmRepository>,
    /// One chart in a registry.
    #[schemars(rename = "OCIRepository")]
    oci_repository: Option<OciRepository>,
    /// A GitRepository.
    #[schemars(rename = "GitRepository")]
    git_repository: Option<GitRepository>,
    /// An existing object.
    existing: Option<Existing>,
}

/// Removes null from the optional fields: they may be absent, not null.
fn no_nulls(schema: &mut schemars::Schema) {
    let Some(fields) = schema.get_mut("properties").and_then(Json::as_object_mut) else {
        return;
    };
    for field in fields.values_mut().filter_map(Json::as_object_mut) {
        if let Some(Json::Array(types)) = field.get("type")
            && let [one, Json::String(null)] = types.as_slice()
            && null == "null"
        {
            let one = one.clone();
            field.insert("type".to_owned(), one);
        }
        if let Some(Json::Array(any)) = field.get("anyOf")
            && let [Json::Object(one), _] = any.as_slice()
        {
            let one = one.clone();
            field.remove("anyOf");
            field.extend(one);
        }
    }
}

/// Patterns; all of them must match.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = no_nulls)]
#[expect(dead_code, reason = "describes a file")]
struct Match {
    /// Kind of source.
    r#type: Option<Kind>,
    /// `source.location`, as the document writes it.
    location: Option<String>,
    /// `source.reference`; `master` for a git source that names none, empty for other kinds.
    reference: Option<String>,
    /// `source.subpath`, without leading `./` and trailing `/`.
    subpath: Option<String>,
    /// Name of the chart: from the archive's name, or the last folder of the subpath.
    chart: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes a file")]
enum Kind {
    Git,
    Tar,
    Local,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = no_nulls)]
#[expect(dead_code, reason = "describes a file")]
struct HelmRepository {
    /// `http`, `https` or `oci` address of the folder of charts.
    #[schemars(length(min = 1))]
    url: String,
    /// Name of the chart; the source's own when absent.
    #[schemars(length(min = 1))]
    chart: Option<String>,
    /// Version of the chart; the source's own when absent.
    #[schemars(length(min = 1))]
    version: Option<String>,
    /// Secret that holds a login.
    #[schemars(rename = "secretRef")]
    secret_ref: Option<SecretRef>,
    /// Secret that holds certificates.
    #[schemars(rename = "certSecretRef")]
    cert_secret_ref: Option<SecretRef>,
    /// Which cloud logs in (`oci` only).
    provider: Option<OciProvider>,
    /// Plain HTTP (`oci` only).
    insecure: Option<bool>,
    /// How signatures are checked (`oci` only).
    verify: Option<ChartVerify>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = no_nulls)]
#[expect(dead_code, reason = "describes a file")]
struct OciRepository {
    /// `oci` address of the chart itself.
    #[schemars(length(min = 1))]
    url: String,
    /// Version of the chart, which is its tag; the source's own when absent.
    #[schemars(length(min = 1))]
    version: Option<String>,
    /// Secret that holds a login.
    #[schemars(rename = "secretRef")]
    secret_ref: Option<SecretRef>,
    /// Secret that holds certificates.
    #[schemars(rename = "certSecretRef")]
    cert_secret_ref: Option<SecretRef>,
    /// Secret that holds a proxy's address and login.
    #[schemars(rename = "proxySecretRef")]
    proxy_secret_ref: Option<SecretRef>,
    /// Which cloud logs in.
    provider: Option<OciProvider>,
    /// Plain HTTP.
    insecure: Option<bool>,
    /// How signatures are checked.
    verify: Option<Verify>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = no_nulls)]
#[expect(dead_code, reason = "describes a file")]
struct GitRepository {
    /// `http`, `https` or `ssh` address, or `USER@HOST:PATH`.
    #[schemars(length(min = 1))]
    url: String,
    /// Which commit; the source's own when absent.
    #[schemars(rename = "ref")]
    reference: Option<Reference>,
    /// Folder of the chart; the source's subpath when absent.
    #[schemars(length(min = 1))]
    chart: Option<String>,
    /// Secret that holds a login.
    #[schemars(rename = "secretRef")]
    secret_ref: Option<SecretRef>,
    /// Secret that holds a proxy's address and login.
    #[schemars(rename = "proxySecretRef")]
    proxy_secret_ref: Option<SecretRef>,
    /// Which cloud logs in.
    provider: Option<GitProvider>,
}

/// One of them.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = no_nulls, extend("minProperties" = 1, "maxProperties" = 1))]
#[expect(dead_code, reason = "describes a file")]
struct Reference {
    /// 40 hexadecimal digits.
    #[schemars(length(min = 1))]
    commit: Option<String>,
    /// The tip of a branch.
    #[schemars(length(min = 1))]
    branch: Option<String>,
    /// A tag.
    #[schemars(length(min = 1))]
    tag: Option<String>,
    /// A full ref.
    #[schemars(length(min = 1))]
    name: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = no_nulls)]
#[expect(dead_code, reason = "describes a file")]
struct Existing {
    /// Its kind.
    kind: ExistingKind,
    /// Its name.
    #[schemars(length(min = 1))]
    name: String,
    /// Its namespace; that of the other source objects when absent.
    #[schemars(length(min = 1))]
    namespace: Option<String>,
    /// Name of the chart in a HelmRepository, its folder in a GitRepository or Bucket.
    #[schemars(length(min = 1))]
    chart: Option<String>,
    /// Version of the chart in a HelmRepository.
    #[schemars(length(min = 1))]
    version: Option<String>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "describes a file")]
enum ExistingKind {
    HelmRepository,
    #[schemars(rename = "OCIRepository")]
    OciRepository,
    GitRepository,
    Bucket,
    HelmChart,
    ExternalArtifact,
}

/// A Secret in the namespace of the source object.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = no_nulls)]
#[expect(dead_code, reason = "describes a file")]
struct SecretRef {
    /// Its name.
    #[schemars(regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    name: String,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes a file")]
enum OciProvider {
    Generic,
    Aws,
    Azure,
    Gcp,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes a file")]
enum GitProvider {
    Generic,
    Azure,
    Github,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes a file")]
enum VerifyProvider {
    Cosign,
    Notation,
}

/// How signatures are checked.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = no_nulls)]
#[expect(dead_code, reason = "describes a file")]
struct ChartVerify {
    /// Who signed.
    provider: VerifyProvider,
    /// Secret that holds the public keys; keyless when absent.
    #[schemars(rename = "secretRef")]
    secret_ref: Option<SecretRef>,
}

/// How signatures are checked.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = no_nulls)]
#[expect(dead_code, reason = "describes a file")]
struct Verify {
    /// Who signed.
    provider: VerifyProvider,
    /// Secret that holds the public keys; keyless when absent.
    #[schemars(rename = "secretRef")]
    secret_ref: Option<SecretRef>,
    /// Who may have signed.
    #[schemars(rename = "matchOIDCIdentity")]
    match_oidc_identity: Option<Vec<Identity>>,
}

/// Regular expressions.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = no_nulls)]
#[expect(dead_code, reason = "describes a file")]
struct Identity {
    /// Who vouches.
    issuer: String,
    /// Who signs.
    subject: String,
}

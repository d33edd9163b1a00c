//! The small kinds of the core, Namespace and a Secret without content, and `verify` of sources and charts.

use crate::value::{Mapping, Text, Value};

use super::{
    Fields, KEYS_ANNOTATION, Metadata, Object, PRUNE_ANNOTATION, SSA_ANNOTATION, reference,
};

/// A Namespace, created before its releases.
#[derive(Clone, Debug)]
pub struct Namespace {
    /// Name and marks.
    pub metadata: Metadata,
}

impl From<Namespace> for Object {
    fn from(Namespace { metadata }: Namespace) -> Self {
        Object::new("v1", "Namespace", metadata, Mapping::new())
    }
}

/// A Secret that the user must fill in.
#[derive(Clone, Debug)]
pub struct EmptySecret {
    /// Name, namespace and marks.
    pub metadata: Metadata,
    /// The keys that it needs.
    pub keys: Vec<Text>,
}

impl From<EmptySecret> for Object {
    fn from(secret: EmptySecret) -> Self {
        let EmptySecret { metadata, keys } = secret;
        let keys: Vec<&str> = keys.iter().map(|key| &**key).collect();
        let rest: Mapping = Fields::default().set("type", "Opaque").mapping();
        let mut object = Object::new("v1", "Secret", metadata, rest);
        object.set_annotation(KEYS_ANNOTATION, keys.join(","));
        // Content that was added in the cluster stays, also when the tree no longer has the Secret.
        object.set_annotation(SSA_ANNOTATION, "Merge");
        object.set_annotation(PRUNE_ANNOTATION, "disabled");
        object
    }
}

/// The signer of a chart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Verify {
    /// `cosign` or `notation`.
    pub provider: Text,
    /// Secret that holds the public keys; keyless when absent.
    pub secret: Option<Text>,
    /// Issuers and subjects that may have signed (regular expressions); for an OCIRepository only.
    pub identities: Vec<(Text, Text)>,
}

impl From<Verify> for Value {
    fn from(verify: Verify) -> Self {
        let Verify {
            provider,
            secret,
            identities,
        } = verify;
        let identities: Vec<Value> = identities
            .into_iter()
            .map(|(issuer, subject)| {
                let identity = Fields::default()
                    .set("issuer", issuer)
                    .set("subject", subject);
                Value::from(identity.mapping())
            })
            .collect();
        Fields::default()
            .set("provider", provider)
            .set_some("secretRef", secret.map(reference))
            .set_some(
                "matchOIDCIdentity",
                Some(identities).filter(|list| !list.is_empty()),
            )
            .mapping()
            .into()
    }
}

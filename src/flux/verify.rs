//! `verify` of sources and of charts: whose signature a chart must carry.

use crate::value::{Text, Value};

use super::{Fields, reference};

/// Whose signature a chart must carry.
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
        let identities = identities.into_iter().map(|(issuer, subject)| {
            let identity = Fields::default()
                .set("issuer", issuer)
                .set("subject", subject);
            Value::from(identity.mapping())
        });
        let identities: Vec<Value> = identities.collect();
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

//! Checks the requirements of a command before it starts: kinds, controllers, permissions. Reports all that
//! is missing at once.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;

use super::need::{Missing, Permission, Requirements};
use super::{Cluster, Controllers, Error, KindRef, Rights, Served};
use crate::value::Text;

/// The result of the check.
#[derive(Clone, Debug)]
pub struct Preflight {
    /// The required kinds that are served.
    pub kinds: Vec<KindRef>,
    /// The controllers of Flux.
    pub controllers: Controllers,
    /// The requirements that are missing.
    pub missing: Vec<Missing>,
    server: Text,
    rights: Rights,
}

impl Preflight {
    /// Returns the result if nothing is missing.
    ///
    /// # Errors
    ///
    /// When a requirement is missing; the error names all that are.
    pub fn complete(self) -> Result<Self, Error> {
        if self.missing.is_empty() {
            return Ok(self);
        }
        Err(Error::Lacking {
            server: self.server,
            missing: self.missing,
            rights: self.rights,
        })
    }

    /// Returns the kind, if it is served.
    #[must_use]
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<&KindRef> {
        let mut kinds = self.kinds.iter();
        kinds.find(|known| known.api_version == api_version && known.kind == kind)
    }

    /// Returns whether a permission was required and is missing.
    #[must_use]
    pub fn lacks_permission(&self, permission: &Permission) -> bool {
        self.missing
            .iter()
            .any(|item| matches!(item, Missing::Permission(denied) if denied == permission))
    }
}

impl Cluster {
    /// Checks the requirements of a command. Missing requirements are in the result, not an error.
    ///
    /// # Errors
    ///
    /// When the server does not answer.
    pub async fn preflight(&self, needs: &Requirements) -> Result<Preflight, Error> {
        let Requirements {
            kinds,
            permissions,
            controllers,
        } = needs;
        let asked: BTreeSet<(Text, Text)> = permissions
            .iter()
            .map(|permission| (permission.api_version.clone(), permission.kind.clone()))
            .chain(kinds.iter().cloned())
            .collect();
        let found = asked
            .iter()
            .map(|(api_version, kind)| self.discover(api_version, kind));
        let mut served = BTreeMap::new();
        let mut missing = Vec::new();
        for ((api_version, kind), found) in asked.iter().zip(try_join_all(found).await?) {
            match found {
                Served::Yes(found) => {
                    served.insert((api_version, kind), found);
                }
                Served::No { versions } => missing.push(Missing::Kind {
                    api_version: api_version.clone(),
                    kind: kind.clone(),
                    versions,
                }),
            }
        }
        missing.extend(self.denied(permissions, &served).await?);
        let controllers = match controllers.as_slice() {
            [] => Controllers::NotAsked,
            wanted => self.controllers(wanted).await?,
        };
        if let Controllers::Found(found) = &controllers {
            let stopped = needs
                .controllers
                .iter()
                .filter(|name| !found.iter().any(|c| c.name == **name && c.available));
            missing.extend(stopped.cloned().map(Missing::Controller));
        }
        Ok(Preflight {
            kinds: served.into_values().collect(),
            controllers,
            missing,
            server: self.server.clone(),
            rights: self.rights,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verb;
    use super::*;

    #[test]
    fn missing_requirements_name_kind_and_place() {
        let permission = |subresource: Option<&str>, namespace: Option<&str>| {
            Missing::Permission(Permission {
                verb: Verb::Patch,
                api_version: "helm.toolkit.fluxcd.io/v2".into(),
                kind: "HelmRelease".into(),
                subresource: subresource.map(Text::from),
                namespace: namespace.map(Text::from),
            })
            .to_string()
        };
        assert_eq!(
            permission(None, Some("a")),
            "no permission to patch HelmRelease of helm.toolkit.fluxcd.io in namespace a"
        );
        assert_eq!(
            permission(Some("status"), None),
            "no permission to patch HelmRelease/status of helm.toolkit.fluxcd.io in the whole cluster"
        );
        let requirement = Missing::Kind {
            api_version: "helm.toolkit.fluxcd.io/v2".into(),
            kind: "HelmRelease".into(),
            versions: vec!["v2beta2".into(), "v2beta1".into()],
        };
        assert_eq!(
            requirement.to_string(),
            "kind HelmRelease of helm.toolkit.fluxcd.io/v2 is not served (of helm.toolkit.fluxcd.io: v2beta2, v2beta1)"
        );
    }
}

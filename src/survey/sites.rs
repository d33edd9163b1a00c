//! The sites of a cluster: their releases, the state of their last runs, and who holds their locks.

use std::collections::BTreeMap;

use super::{Warn, Warning};
use crate::cluster::{Cluster, Error, Holder, Missing, Permission, Requirements, Verb};
use crate::flux::{HELM_RELEASE, HELM_RELEASE_API, Object, SITE_LABEL, STATE_LABEL};
use crate::rollout::state::{self, RunState, StateError};
use crate::value::Text;

/// What the cluster holds of sites, by their names.
#[derive(Debug)]
pub(crate) struct Sites {
    /// The releases of each site.
    pub(crate) releases: BTreeMap<Text, Vec<Object>>,
    /// The state of the last run over each site, or why it cannot be read.
    pub(crate) runs: BTreeMap<Text, Result<RunState, StateError>>,
    locks_readable: bool,
    state_namespace: Text,
}

/// What [`Sites::read`] asks for.
#[derive(Clone)]
pub(super) struct Permissions {
    releases: Permission,
    runs: Permission,
    locks: Permission,
}

impl Permissions {
    pub(super) fn all(self) -> [Permission; 3] {
        let Self {
            releases,
            runs,
            locks,
        } = self;
        [releases, runs, locks]
    }
}

/// Returns what it takes to read the sites of a cluster.
pub(super) fn permissions(state_namespace: &Text) -> Permissions {
    let permission = |verb, api_version: &str, kind: &str, namespace: Option<&Text>| Permission {
        verb,
        api_version: api_version.into(),
        kind: kind.into(),
        subresource: None,
        namespace: namespace.cloned(),
    };
    let state = Some(state_namespace);
    Permissions {
        releases: permission(Verb::List, HELM_RELEASE_API, HELM_RELEASE, None),
        runs: permission(Verb::List, "v1", "ConfigMap", state),
        locks: permission(Verb::Get, "coordination.k8s.io/v1", "Lease", state),
    }
}

impl Sites {
    /// Reads all sites, or the one that is named. Runs and locks are looked for in `state_namespace`; those that may
    /// not be read are warned of and left out, for releases can be told of without them.
    ///
    /// # Errors
    ///
    /// When releases may not be listed, or the server does not answer.
    pub(crate) async fn read(
        cluster: &Cluster,
        site: Option<&Text>,
        state_namespace: &Text,
        warn: &Warn<'_>,
    ) -> Result<Self, Error> {
        let permissions = permissions(state_namespace);
        let needs = Requirements {
            permissions: permissions.clone().all().into(),
            ..Requirements::default()
        };
        let Permissions {
            releases: _,
            runs,
            locks,
        } = permissions;
        let mut preflight = cluster.preflight(&needs).await?;
        let mut readable = |permission: &Permission, unreadable: Warning| {
            let missing = preflight.lacks_permission(permission);
            if missing {
                warn(unreadable);
            }
            preflight.missing.retain(
                |item| !matches!(item, Missing::Permission(denied) if denied == permission),
            );
            !missing
        };
        let namespace = state_namespace.clone();
        let runs_readable = readable(&runs, Warning::RunsUnreadable { namespace });
        let namespace = state_namespace.clone();
        let locks_readable = readable(&locks, Warning::LocksUnreadable { namespace });
        let preflight = preflight.complete()?;

        let selector = |label: &str| match site {
            Some(site) => format!("{label}={site}"),
            None => label.to_owned(),
        };
        let mut found = Self {
            releases: BTreeMap::new(),
            runs: BTreeMap::new(),
            locks_readable,
            state_namespace: state_namespace.clone(),
        };
        if let Some(kind) = preflight.kind(HELM_RELEASE_API, HELM_RELEASE) {
            let listed = cluster.list(kind, None, Some(&selector(SITE_LABEL))).await;
            for release in listed? {
                if let Some(site) = release.site().map(Text::from) {
                    found.releases.entry(site).or_default().push(release);
                }
            }
        }
        if let Some(kind) = preflight.kind("v1", "ConfigMap").filter(|_| runs_readable) {
            let namespace = Some(&**state_namespace);
            let listed = cluster
                .list(kind, namespace, Some(&selector(STATE_LABEL)))
                .await;
            for object in listed? {
                if let Some(site) = object.label(STATE_LABEL) {
                    found
                        .runs
                        .insert(site.into(), RunState::read(&object.value));
                }
            }
        }
        Ok(found)
    }

    /// Who holds the lock of a site, if that may be read.
    ///
    /// # Errors
    ///
    /// When the server does not answer.
    pub(crate) async fn lock(
        &self,
        cluster: &Cluster,
        site: &str,
    ) -> Result<Option<Holder>, Error> {
        if !self.locks_readable {
            return Ok(None);
        }
        cluster
            .lease_holder(&self.state_namespace, &state::name(site))
            .await
    }
}

//! What questions and runs need of the cluster, all of it, so that nothing is found missing in their middle.

use std::collections::BTreeSet;

use super::{admission, armada, sites};
use crate::cluster::{FLUX_NAMESPACE, Permission, Requirements, Verb};
use crate::flux::{CONTROLLERS, ObjectSet, ReleaseView};
use crate::rollout::{DoneWhen, Rollout};
use crate::value::Text;

/// Kinds, permissions and controllers that the rollout needs; Lease and state live in `state_namespace`.
#[must_use]
pub(crate) fn needs(rollout: &Rollout, state_namespace: &str) -> Requirements {
    let mut needs = of_flux();
    for (_, _, item) in rollout.items() {
        let object = &item.object;
        needs
            .kinds
            .insert((object.api_version.clone(), object.kind.clone()));
        let verbs: &[Verb] = match &item.done_when {
            DoneWhen::Applied | DoneWhen::KeysFilled(_) => &[Verb::Get, Verb::Create, Verb::Patch],
            DoneWhen::ArtifactReady { .. } | DoneWhen::ReleaseReady(_) => {
                &[Verb::List, Verb::Watch, Verb::Create, Verb::Patch]
            }
        };
        let namespace = object.namespace.as_ref();
        add(
            &mut needs,
            &object.api_version,
            &object.kind,
            namespace,
            verbs,
        );
        let DoneWhen::ReleaseReady(release) = &item.done_when else {
            continue;
        };
        add(
            &mut needs,
            "v1",
            "Secret",
            Some(&release.storage),
            &[Verb::List],
        );
        if release.tested {
            needs.permissions.insert(Permission {
                verb: Verb::Patch,
                api_version: object.api_version.clone(),
                kind: object.kind.clone(),
                namespace: object.namespace.clone(),
                subresource: Some("status".into()),
            });
        }
        for gate in &release.gates {
            let (api, kind) = (gate.spec.kind.api_version(), gate.spec.kind.kind_name());
            let place = Some(&gate.namespace);
            add(&mut needs, api, kind, place, &[Verb::List, Verb::Watch]);
        }
        for deletion in &release.pre_deletes {
            let (api, kind) = (deletion.kind.api_version(), deletion.kind.kind_name());
            let verbs = [Verb::List, Verb::Watch, Verb::Delete];
            add(&mut needs, api, kind, Some(&release.namespace), &verbs);
        }
    }
    let state = Text::from(state_namespace);
    let lease = [Verb::Get, Verb::Create, Verb::Update];
    add(
        &mut needs,
        "coordination.k8s.io/v1",
        "Lease",
        Some(&state),
        &lease,
    );
    // A run of the site with another state namespace is found by its Lease.
    add(
        &mut needs,
        "coordination.k8s.io/v1",
        "Lease",
        None,
        &[Verb::List],
    );
    add(
        &mut needs,
        "v1",
        "ConfigMap",
        Some(&state),
        &[Verb::Get, Verb::Create, Verb::Patch],
    );
    add(
        &mut needs,
        "v1",
        "Namespace",
        None,
        &[Verb::Get, Verb::List],
    );
    for kind in ["Deployment", "StatefulSet"] {
        add(&mut needs, "apps/v1", kind, None, &[Verb::List]);
    }
    needs
}

/// The permissions of [`of_objects`] without which only Helm's records are not seen.
pub(super) fn of_records_alone(set: &ObjectSet) -> BTreeSet<Permission> {
    let secrets = set.iter().filter(|object| object.kind == "Secret");
    let compared: BTreeSet<Option<&Text>> =
        secrets.map(|secret| secret.namespace.as_ref()).collect();
    let releases = set.iter().filter_map(ReleaseView::of);
    releases
        .map(|release| Text::from(release.storage_namespace()))
        .filter(|storage| !compared.contains(&Some(storage)))
        .map(|storage| Permission {
            verb: Verb::List,
            api_version: "v1".into(),
            kind: "Secret".into(),
            namespace: Some(storage),
            subresource: None,
        })
        .collect()
}

/// What it needs to ask what applying these objects would change.
pub(super) fn of_objects(set: &ObjectSet) -> Requirements {
    let mut needs = of_flux();
    for object in set.iter() {
        let kind = (object.api_version.clone(), object.kind.clone());
        needs.kinds.insert(kind);
        let verbs = [Verb::List, Verb::Create, Verb::Patch];
        let namespace = object.namespace.as_ref();
        add(
            &mut needs,
            &object.api_version,
            &object.kind,
            namespace,
            &verbs,
        );
        if let Some(release) = ReleaseView::of(object) {
            let storage = Text::from(release.storage_namespace());
            add(&mut needs, "v1", "Secret", Some(&storage), &[Verb::List]);
        }
        if namespace.is_some() {
            add(&mut needs, "v1", "Namespace", None, &[Verb::List]);
        }
    }
    needs
}

/// Everything that `diff` and `plan` of these objects need; with `records`, Helm's too.
#[must_use]
pub(crate) fn permissions_of_diff(set: &ObjectSet, records: bool) -> BTreeSet<Permission> {
    let mut needs = of_objects(set);
    if !records {
        let alone = of_records_alone(set);
        needs
            .permissions
            .retain(|permission| !alone.contains(permission));
    }
    // Versions of Flux's controllers are only shown.
    let flux = Text::from(FLUX_NAMESPACE);
    add(
        &mut needs,
        "apps/v1",
        "Deployment",
        Some(&flux),
        &[Verb::List],
    );
    needs.permissions.extend(admission::permissions());
    needs.permissions
}

/// Everything that `plan`, `apply` and `status` of the rollout need, and what explains why a release does not become ready.
#[must_use]
pub(crate) fn permissions_of_apply(
    rollout: &Rollout,
    state_namespace: &str,
) -> BTreeSet<Permission> {
    let mut needs = needs(rollout, state_namespace);
    let mut sent = ObjectSet::default();
    sent.extend(rollout.items().map(|(_, _, item)| item.object.clone()));
    needs.permissions.extend(of_objects(&sent).permissions);
    for (_, _, item) in rollout.items() {
        let DoneWhen::ReleaseReady(release) = &item.done_when else {
            continue;
        };
        let place = Some(&release.namespace);
        for (api_version, kind) in [("v1", "Pod"), ("batch/v1", "Job"), ("v1", "Event")] {
            add(&mut needs, api_version, kind, place, &[Verb::List]);
        }
        needs.permissions.insert(Permission {
            verb: Verb::Get,
            api_version: "v1".into(),
            kind: "Pod".into(),
            namespace: place.cloned(),
            subresource: Some("log".into()),
        });
    }
    needs
        .permissions
        .extend(sites::permissions(&Text::from(state_namespace)).all());
    needs.permissions.extend(admission::permissions());
    let locks = Text::from(armada::LOCK_NAMESPACE);
    add(
        &mut needs,
        armada::LOCK_API,
        "Lock",
        Some(&locks),
        &[Verb::List],
    );
    needs.permissions
}

/// The controllers without which no release moves.
fn of_flux() -> Requirements {
    Requirements {
        controllers: CONTROLLERS.map(Text::from).into(),
        ..Requirements::default()
    }
}

fn add(
    needs: &mut Requirements,
    api_version: &str,
    kind: &str,
    namespace: Option<&Text>,
    verbs: &[Verb],
) {
    for verb in verbs {
        needs.permissions.insert(Permission {
            verb: *verb,
            api_version: api_version.into(),
            kind: kind.into(),
            namespace: namespace.cloned(),
            subresource: None,
        });
    }
}

//! Guards: rules that refuse to touch an object, over what the cluster holds. `plan` shows them, a run is refused by them.

use crate::cluster::FIELD_MANAGER;
use crate::flux::Object;
use crate::flux::managed_fields;
use crate::rollout::foreign::{self, Weight};
use crate::rollout::{DoneWhen, Item};
use crate::value::Text;

use super::records::{Record, Records, is_managed};

/// A reason to leave an object alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Guard {
    /// Helm holds the release, and Flux does not manage it: applying would take it over.
    #[error(
        "{object}: Helm holds revision {revision} of the release ({status}) and Flux does not manage it yet"
    )]
    Takeover {
        /// The release.
        object: Text,
        /// Number of Helm's latest revision.
        revision: u64,
        /// Its status, in Helm's word.
        status: Text,
    },
    /// Nothing in Flux can read the chart's source.
    #[error("{object}: Flux cannot read the source of its chart: {location}")]
    UnresolvedSource {
        /// The release.
        object: Text,
        /// The source, fit for messages.
        location: Text,
    },
    /// The object belongs to another site.
    #[error("{object} belongs to site `{site}`")]
    OtherSite {
        /// The object.
        object: Text,
        /// Its site.
        site: Text,
    },
    /// A toolkit Kustomization applies the object and would undo a change.
    #[error("{object} is applied by Kustomization `{owner}`, which would undo a change")]
    OfKustomization {
        /// The object.
        object: Text,
        /// The Kustomization, as `NAMESPACE/NAME`.
        owner: Text,
    },
    /// Another client suspended the running release.
    #[error("HelmRelease {namespace}/{name} is suspended by `{by}`")]
    Suspended {
        /// Namespace of the release.
        namespace: Text,
        /// Its name.
        name: Text,
        /// The field manager that holds `spec.suspend`.
        by: Text,
    },
    /// Somebody set a field that weakens what a run checks.
    #[error("{object}: `{field}` is held by `{by}` and not in the input: it {effect}")]
    Weakened {
        /// The release.
        object: Text,
        /// The field.
        field: Text,
        /// The field manager that holds it.
        by: Text,
        /// What the field does.
        effect: &'static str,
    },
    /// The object is being deleted.
    #[error("{object} is being deleted")]
    Leaving {
        /// The object.
        object: Text,
    },
}

impl Guard {
    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(&self) -> String {
        match self {
            Guard::Takeover { .. } => {
                "the takeover of running releases is not supported yet: leave the release to Armada, or leave it out".to_owned()
            }
            Guard::UnresolvedSource { .. } => {
                "name a source that Flux can read in a source map, and convert with `--source-map`".to_owned()
            }
            Guard::OtherSite { site, .. } => {
                format!(
                    "use other names, convert with `--site {site}` if it is the same site, or with `--no-namespaces` for a namespace of both"
                )
            }
            Guard::OfKustomization { .. } => {
                "change it in Git, or remove it from the Kustomization first".to_owned()
            }
            Guard::Suspended {
                namespace, name, ..
            } => {
                format!("resume it with `flux resume helmrelease {name} --namespace {namespace}`, or leave the release out")
            }
            Guard::Weakened { field, .. } => {
                format!("remove `{field}` from the live object, or write it into the input if it is meant")
            }
            Guard::Leaving { .. } => {
                "wait until it is deleted; `metadata.finalizers` says what it waits for".to_owned()
            }
        }
    }
}

/// Returns Helm's record of an item's release.
pub(super) fn record<'r>(item: &Item, records: &'r Records) -> Option<&'r Record> {
    match &item.done_when {
        DoneWhen::ReleaseReady(release) => records.get(&release.storage, &release.name),
        DoneWhen::Applied | DoneWhen::KeysFilled(_) | DoneWhen::ArtifactReady { .. } => None,
    }
}

/// Returns the guards that refuse one object. Asked before a run, and again at the item's own turn.
#[must_use]
pub(crate) fn find(
    item: &Item,
    site: &str,
    live: Option<&Object>,
    held: Option<&Record>,
) -> Vec<Guard> {
    let object = Text::from(item.object.title());
    let mut guards = Vec::new();
    if let DoneWhen::ReleaseReady(release) = &item.done_when {
        if let Some(location) = &release.unresolved {
            guards.push(Guard::UnresolvedSource {
                object: object.clone(),
                location: location.clone(),
            });
        }
        if let Some(held) = held.filter(|held| held.would_be_taken_over(live)) {
            guards.push(Guard::Takeover {
                object: object.clone(),
                revision: held.revision,
                status: held.status.clone(),
            });
        }
    }
    let Some(live) = live else { return guards };
    if let Some(other) = live.site().filter(|other| *other != site) {
        guards.push(Guard::OtherSite {
            object: object.clone(),
            site: other.into(),
        });
    }
    if let Some(owner) = live.kustomization() {
        guards.push(Guard::OfKustomization {
            object: object.clone(),
            owner,
        });
    }
    if let DoneWhen::ReleaseReady(_) = &item.done_when
        && let Some(by) = suspended_by(live)
    {
        guards.push(Guard::Suspended {
            namespace: live.namespace.clone().unwrap_or_default(),
            name: live.name.clone(),
            by,
        });
    }
    guards.extend(weakened(&item.object, live));
    if live.is_terminating() {
        guards.push(Guard::Leaving { object });
    }
    guards
}

/// The fields of others that weaken what a run checks.
fn weakened(input: &Object, live: &Object) -> impl Iterator<Item = Guard> {
    let object = Text::from(input.title());
    let found = foreign::find(live, input, FIELD_MANAGER).into_iter();
    let refused = found.filter(|field| field.weight == Weight::Refused);
    refused.map(move |field| Guard::Weakened {
        object: object.clone(),
        field: field.field,
        by: field.manager,
        effect: field.effect,
    })
}

/// Who suspended a release, other than this program.
///
/// A tree that was applied before a run carries `spec.suspend`, too, so that nothing moves. The client that applied it
/// holds the chart of the release as well, and the release has no history: that is not a suspension by somebody.
fn suspended_by(live: &Object) -> Option<Text> {
    if !live.is_suspended() {
        return None;
    }
    let owners = managed_fields::owners(live);
    let holders: Vec<_> = owners
        .iter()
        .map(|owner| (owner, owner.paths()))
        .filter(|(_, paths)| paths.iter().any(|path| path == ".spec.suspend"))
        .collect();
    if holders.is_empty() {
        return is_managed(live).then(|| "an unknown client".into());
    }
    let by_tree = |paths: &[String]| {
        let chart = [".spec.chart", ".spec.releaseName"];
        let holds = |path: &String| chart.iter().any(|field| path.starts_with(field));
        !is_managed(live) && paths.iter().any(holds)
    };
    let (holder, _) = holders
        .iter()
        .find(|(owner, paths)| owner.manager != FIELD_MANAGER && !by_tree(paths))?;
    Some(holder.manager.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flux::ObjectSet;
    use crate::rollout::{Rollout, assemble};
    use crate::value::Value;

    fn object(json: &str) -> Object {
        Object::from_value(Value::from_json(json.as_bytes()).expect("JSON")).expect("object")
    }

    const RELEASE: &str = r#"{"apiVersion":"helm.toolkit.fluxcd.io/v2","kind":"HelmRelease",
        "metadata":{"name":"web","namespace":"town","labels":{"armada2flux.dev/site":"harbour"},"annotations":{
            "armada2flux.dev/stage":"1","armada2flux.dev/step":"1","armada2flux.dev/chart-group":"all",
            "armada2flux.dev/gates":"{\"version\":1,\"chart\":\"v2\",\"waits\":[]}"MORE}},
        "spec":{"releaseName":"town-web"}}"#;

    fn rollout(annotations: &str) -> Rollout {
        let mut set = ObjectSet::default();
        set.extend([object(&RELEASE.replace("MORE", annotations))]);
        assemble(&set).expect("a rollout")
    }

    /// What is said of the one release of a rollout.
    fn said(annotations: &str, live: Option<&str>, held: Option<&Record>) -> Vec<String> {
        let rollout = rollout(annotations);
        let (item, _) = rollout.releases().next().expect("a release");
        let live = live.map(|rest| {
            object(&format!(
                r#"{{"apiVersion":"helm.toolkit.fluxcd.io/v2","kind":"HelmRelease",{rest}}}"#
            ))
        });
        let guards = find(item, &rollout.site, live.as_ref(), held);
        for guard in &guards {
            assert!(!guard.hint().is_empty());
        }
        guards.iter().map(ToString::to_string).collect()
    }

    const MANAGED: &str = r#""status":{"history":[{"version":3}]}"#;

    #[test]
    fn releases_of_helm_alone_are_left_alone() {
        let held = Record {
            revision: 3,
            status: "deployed".into(),
            by_flux: false,
            by_others: true,
        };
        let taken = "HelmRelease town/web: Helm holds revision 3 of the release (deployed) and Flux does not manage it yet";
        let metadata = r#""metadata":{"name":"web","namespace":"town"}"#;
        assert_eq!(said("", None, None), [""; 0]);
        assert_eq!(said("", None, Some(&held)), [taken]);
        assert_eq!(said("", Some(metadata), Some(&held)), [taken]);
        let managed = format!("{metadata},{MANAGED}");
        assert_eq!(said("", Some(&managed), Some(&held)), [""; 0]);
        // A first install that goes on, and a release that Flux knew in an earlier life.
        let flux = Record {
            by_flux: true,
            ..held
        };
        assert_eq!(said("", Some(metadata), Some(&flux)), [""; 0]);
        let stopped = format!(r#"{metadata},"spec":{{"suspend":true}}"#);
        assert_eq!(said("", Some(&stopped), Some(&flux)), [taken]);
        assert_eq!(said("", None, Some(&flux)), [taken]);
    }

    #[test]
    fn a_release_without_a_source_is_refused_wherever_it_is() {
        let unresolved = r#","armada2flux.dev/unresolved-source":"local: /charts/web""#;
        assert_eq!(
            said(unresolved, None, None),
            ["HelmRelease town/web: Flux cannot read the source of its chart: local: /charts/web"]
        );
    }

    #[test]
    fn what_others_look_after_is_left_alone() {
        let foreign = r#""metadata":{"name":"web","namespace":"town","deletionTimestamp":"2026-01-01T00:00:00Z",
            "labels":{"armada2flux.dev/site":"other","kustomize.toolkit.fluxcd.io/name":"apps","kustomize.toolkit.fluxcd.io/namespace":"flux-system"}}"#;
        assert_eq!(
            said("", Some(foreign), None),
            [
                "HelmRelease town/web belongs to site `other`",
                "HelmRelease town/web is applied by Kustomization `flux-system/apps`, which would undo a change",
                "HelmRelease town/web is being deleted",
            ]
        );
    }

    #[test]
    fn somebodys_stop_is_told_from_the_trees() {
        let live = |manager: &str, status: &str| {
            format!(
                r#""metadata":{{"name":"web","namespace":"town","managedFields":[
                    {{"manager":"armada2flux","operation":"Apply","fieldsV1":{{"f:spec":{{"f:releaseName":{{}}}}}}}},
                    {{"manager":"{manager}","operation":"Update","fieldsV1":{{"f:spec":{{"f:suspend":{{}}}}}}}}]}},
                    "spec":{{"suspend":true}}{status}"#
            )
        };
        let ran = format!(",{MANAGED}");
        assert_eq!(
            said("", Some(&live("flux", &ran)), None),
            ["HelmRelease town/web is suspended by `flux`"]
        );
        assert_eq!(said("", Some(&live("armada2flux", &ran)), None), [""; 0]);
        // Without a history: somebody suspended it, or a tree that was applied before the run says so.
        let before = live("oncall", "");
        assert_eq!(
            said("", Some(&before), None),
            ["HelmRelease town/web is suspended by `oncall`"]
        );
        let tree = live("kubectl", "").replace(
            r#"{"f:suspend":{}}"#,
            r#"{"f:suspend":{},"f:releaseName":{}}"#,
        );
        assert_eq!(said("", Some(&tree), None), [""; 0]);
        // Nobody is known to hold the field.
        let unknown = live("oncall", &ran).replace("f:suspend", "f:interval");
        assert_eq!(
            said("", Some(&unknown), None),
            ["HelmRelease town/web is suspended by `an unknown client`"]
        );
    }
}

//! What a release is made of: its source and its values, as the preparation left them.

use std::collections::BTreeMap;

use crate::flux::{Object, ObjectKey, SOURCE_GROUP};
use crate::rollout::readiness::last_manager;
use crate::value::{Text, Value};

/// Whether a release was written already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// It was not.
    Before,
    /// Flux has worked on it.
    After,
}

/// All that was prepared in this process.
pub(super) type Ground = BTreeMap<ObjectKey, Prepared>;

/// An object of the preparation.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    /// Its kind and name, without its content.
    pub(super) target: Object,
    pub(super) print: Print,
}

/// What an object is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Print {
    /// A source. Generations change with the spec only; revision and digest are those of the artifact.
    Source {
        uid: Text,
        generation: Option<i64>,
        /// `None` for a HelmRepository: its index changes with each chart that somebody publishes.
        artifact: Option<(Text, Text)>,
    },
    /// A Secret or a ConfigMap.
    Values { uid: Text, version: Text },
}

impl Print {
    pub(super) fn of(object: &Object) -> Self {
        let meta = object.meta();
        let uid = Text::from(meta.uid().unwrap_or_default());
        if !object.is_source() {
            return Print::Values {
                uid,
                version: meta.resource_version().unwrap_or_default().into(),
            };
        }
        let artifact = |key: &str| {
            let text = object.value.text_at(&["status", "artifact", key]);
            Text::from(text.unwrap_or_default())
        };
        Print::Source {
            uid,
            generation: meta.generation(),
            artifact: (object.kind != "HelmRepository")
                .then(|| (artifact("revision"), artifact("digest"))),
        }
    }

    fn uid(&self) -> &Text {
        match self {
            Print::Source { uid, .. } | Print::Values { uid, .. } => uid,
        }
    }

    /// What is different now; `None` when nothing is.
    fn difference(&self, now: &Self) -> Option<String> {
        if self == now {
            return None;
        }
        if self.uid() != now.uid() {
            return Some("was deleted and created again".to_owned());
        }
        Some(match (self, now) {
            (
                Print::Source {
                    generation,
                    artifact,
                    ..
                },
                Print::Source {
                    generation: other,
                    artifact: changed,
                    ..
                },
            ) => {
                let number = |generation: &Option<i64>| generation.unwrap_or_default();
                let none = (Text::new(), Text::new());
                let (revision, digest) = artifact.as_ref().unwrap_or(&none);
                let (new_revision, new_digest) = changed.as_ref().unwrap_or(&none);
                if generation != other {
                    format!(
                        "was changed: it is at generation {}, prepared was {}",
                        number(other),
                        number(generation)
                    )
                } else if revision != new_revision {
                    format!("has an artifact of `{new_revision}`, prepared was `{revision}`")
                } else {
                    format!(
                        "has another artifact of `{revision}`: its digest is `{new_digest}`, prepared was `{digest}`"
                    )
                }
            }
            (Print::Values { .. } | Print::Source { .. }, _) => "was changed".to_owned(),
        })
    }
}

/// Says how an object differs from what was prepared; `None` when it does not.
pub(super) fn changed(
    target: &Object,
    known: &Print,
    live: Option<&Object>,
    moment: Moment,
) -> Option<String> {
    let title = target.title();
    let (what, by) = match live {
        None => ("was deleted".to_owned(), None),
        Some(live) if live.is_terminating() => ("is being deleted".to_owned(), None),
        Some(live) if live.is_source() && live.is_suspended() => {
            ("was suspended".to_owned(), last_writer(live))
        }
        Some(live) => (known.difference(&Print::of(live))?, last_writer(live)),
    };
    let by = by.map_or_else(String::new, |by| format!(" (last written by `{by}`)"));
    let then = match moment {
        Moment::Before => {
            "the release was not touched: put it back as the input says and resume the run, or start a new run"
        }
        Moment::After => {
            "the release may have used it: check what was installed, put it back as the input says, then start a \
             new run"
        }
    };
    Some(format!(
        "{title} {what}{by} since this run prepared it; {then}"
    ))
}

/// Who wrote what the release uses last.
fn last_writer(live: &Object) -> Option<Text> {
    if live.is_source() {
        return last_manager(&live.value).map(Text::from);
    }
    let entries = live.meta().managed_fields().iter();
    // Times are RFC 3339 in UTC, all of one length.
    let last = entries.max_by_key(|entry| entry.text_at(&["time"]))?;
    last.text_at(&["manager"]).map(Text::from)
}

/// Sources and what may hold values. Other objects of the preparation, as Namespaces, are no input of Helm.
pub(super) fn is_used_by_releases(object: &Object) -> bool {
    object.is_source() || holds_values(object)
}

pub(super) fn holds_values(object: &Object) -> bool {
    object.api_version == "v1" && matches!(object.kind.as_str(), "Secret" | "ConfigMap")
}

/// The source and the values of a release.
pub(super) fn used_by(release: &Object) -> Vec<ObjectKey> {
    let spec = &release.value;
    let key = |group: &str, kind: &str, reference: &Value| {
        let namespace = reference.text_at(&["namespace"]).map(Text::from);
        Some(ObjectKey {
            group: group.into(),
            kind: kind.into(),
            namespace: namespace.or_else(|| release.namespace.clone()),
            name: reference.text_at(&["name"])?.into(),
        })
    };
    let mut keys = Vec::new();
    for path in [
        &["spec", "chartRef"][..],
        &["spec", "chart", "spec", "sourceRef"],
    ] {
        let Some(reference) = spec.at(path) else {
            continue;
        };
        let kind = reference.text_at(&["kind"]).unwrap_or_default();
        keys.extend(key(SOURCE_GROUP, kind, reference));
    }
    for reference in spec.items_at(&["spec", "valuesFrom"]) {
        let kind = reference.text_at(&["kind"]).unwrap_or_default();
        keys.extend(key("", kind, reference));
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &str) -> Object {
        Object::from_value(Value::from_json(json.as_bytes()).expect("JSON")).expect("object")
    }

    fn source(uid: &str, generation: i64, digest: &str, more: &str) -> Object {
        object(&format!(
            r#"{{"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"GitRepository","metadata":{{"name":"charts",
                "namespace":"town","uid":"{uid}","generation":{generation},"managedFields":[
                    {{"manager":"evil","operation":"Update","time":"2026-01-02T00:00:00Z","fieldsV1":{{"f:spec":{{}}}}}},
                    {{"manager":"source-controller","operation":"Update","subresource":"status",
                        "time":"2026-01-03T00:00:00Z","fieldsV1":{{"f:spec":{{}}}}}}]}},
                "spec":{{{more}}},"status":{{"artifact":{{"revision":"main@sha1:1","digest":"{digest}"}}}}}}"#
        ))
    }

    fn said(before: &Object, now: Option<&Object>) -> Option<String> {
        changed(before, &Print::of(before), now, Moment::After)
    }

    #[test]
    fn every_change_of_a_source_is_seen() {
        let before = source("1", 1, "sha256:1", "");
        assert_eq!(said(&before, Some(&before)), None);
        for (now, wanted) in [
            (
                source("2", 1, "sha256:1", ""),
                "created again (last written by `evil`)",
            ),
            (
                source("1", 2, "sha256:1", ""),
                "at generation 2, prepared was 1",
            ),
            (source("1", 1, "sha256:2", ""), "its digest is `sha256:2`"),
            (
                source("1", 1, "sha256:1", r#""suspend":true"#),
                "was suspended",
            ),
        ] {
            let said = said(&before, Some(&now)).expect("a change");
            assert!(
                said.contains(wanted) && said.contains("start a new run"),
                "{said}"
            );
            assert!(said.starts_with("GitRepository town/charts "), "{said}");
        }
        assert!(
            said(&before, None)
                .expect("a change")
                .contains("was deleted")
        );
    }

    #[test]
    fn values_are_known_by_version() {
        let values = |uid: &str, version: &str| {
            object(&format!(
                r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"v","namespace":"town","uid":"{uid}",
                    "resourceVersion":"{version}"}}}}"#
            ))
        };
        let before = values("1", "7");
        assert_eq!(said(&before, Some(&values("1", "7"))), None);
        let edited = said(&before, Some(&values("1", "8"))).expect("a change");
        assert!(edited.contains("was changed"), "{edited}");
        let again = said(&before, Some(&values("2", "7"))).expect("a change");
        assert!(again.contains("created again"), "{again}");
    }

    #[test]
    fn a_release_uses_its_source_and_values() {
        let release = object(
            r#"{"apiVersion":"helm.toolkit.fluxcd.io/v2","kind":"HelmRelease","metadata":{"name":"a","namespace":"town"},
                "spec":{"chart":{"spec":{"sourceRef":{"kind":"GitRepository","name":"charts","namespace":"flux"}}},
                    "chartRef":{"kind":"OCIRepository","name":"oci"},
                    "valuesFrom":[{"kind":"Secret","name":"s"},{"kind":"ConfigMap","name":"c"}]}}"#,
        );
        let used = used_by(&release);
        let used: Vec<(&str, &str, &str)> = used
            .iter()
            .map(|key| {
                (
                    &*key.kind,
                    key.namespace.as_deref().unwrap_or_default(),
                    &*key.name,
                )
            })
            .collect();
        assert_eq!(
            used,
            [
                ("OCIRepository", "town", "oci"),
                ("GitRepository", "flux", "charts"),
                ("Secret", "town", "s"),
                ("ConfigMap", "town", "c"),
            ]
        );
    }
}

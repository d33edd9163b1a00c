//! Server-side apply of objects, as a write or as a dry run.

use super::answer::{Answer, INVALID};
use super::call::Call;
use super::kind::is_path_segment;
use super::object::names_another_uid;
use super::{Cluster, Error, FIELD_MANAGER, received};
use crate::emit::{View, to_json};
use crate::flux::{Conflict, Object};
use crate::secret::Scrubber;
use crate::value::Text;

/// The server's reason for a conflict over a field.
const CONFLICT: &str = "FieldManagerConflict";

/// The result of an apply, as a write or as a dry run. Messages are the server's, without the secrets of the
/// object, as sent and as live.
#[derive(Clone, Debug)]
pub enum ApplyResult {
    /// The object is accepted.
    Applied {
        /// The object as it is stored.
        object: Box<Object>,
        /// Whether it is new. May be false for a new object when the answer to a first attempt was lost.
        created: bool,
    },
    /// Other managers own fields that would change; all of them.
    Conflict(Vec<Conflict>),
    /// The object is refused: by validation, by an admission policy or a webhook.
    Refused {
        /// The HTTP status.
        code: u16,
        /// The message of the server.
        message: String,
    },
    /// A webhook with side effects does not support dry runs.
    Unsupported {
        /// The message of the server.
        message: String,
    },
    /// The object's namespace does not exist.
    NamespaceMissing {
        /// The namespace.
        namespace: Text,
    },
    /// The server does not serve the object's kind at this version.
    KindNotServed,
    /// The user lacks the permission: a dry run needs the same permission as the write.
    Forbidden {
        /// The message of the server.
        message: String,
    },
}

/// The result of an apply that was bound to a version of the object.
#[derive(Clone, Debug)]
pub(crate) enum BoundApply {
    /// What the server says of the object.
    Answered(ApplyResult),
    /// The object has another version than the request, or is another one, or is gone: nothing was written by this
    /// attempt. If the connection broke in between, an earlier attempt may have written it.
    Outdated,
}

/// The kind of apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Apply {
    DryRun,
    ForGood,
}

impl Cluster {
    /// Asks what a server-side apply of `object` by [`FIELD_MANAGER`] would do, with strict validation.
    /// Nothing is written. With `force`, fields of other managers are taken over. `live` is the object in the
    /// cluster, if it is known: its secrets are removed from messages, too.
    ///
    /// # Errors
    ///
    /// When the server does not answer; its answer about the object is a [`ApplyResult`].
    pub async fn dry_run_apply(
        &self,
        object: &Object,
        live: Option<&Object>,
        force: bool,
    ) -> Result<ApplyResult, Error> {
        self.apply_as(Apply::DryRun, object, live, force).await
    }

    /// Writes `object` by a server-side apply; see [`Cluster::dry_run_apply`]. A second apply of the same
    /// object changes nothing, so it is tried again when the connection breaks.
    ///
    /// # Errors
    ///
    /// As [`Cluster::dry_run_apply`]; whether it was written is not known then.
    pub async fn apply(
        &self,
        object: &Object,
        live: Option<&Object>,
        force: bool,
    ) -> Result<ApplyResult, Error> {
        self.apply_as(Apply::ForGood, object, live, force).await
    }

    /// Writes `object` as [`Cluster::apply`] does, without force, but only while `live` is the object in the cluster:
    /// the same UID, the same version. Without `live` the write is bound to nothing.
    ///
    /// # Errors
    ///
    /// As [`Cluster::apply`].
    pub(crate) async fn apply_to_version(
        &self,
        object: &Object,
        live: Option<&Object>,
    ) -> Result<BoundApply, Error> {
        let Some(live) = live else {
            return Ok(BoundApply::Answered(self.apply(object, None, false).await?));
        };
        let bound = object.at_version_of(live);
        let answer = self.apply(&bound, Some(live), false).await?;
        Ok(match answer {
            ApplyResult::Refused { code: 409, message } if is_outdated(&message) => {
                BoundApply::Outdated
            }
            answer => BoundApply::Answered(answer),
        })
    }

    async fn apply_as(
        &self,
        apply: Apply,
        object: &Object,
        live: Option<&Object>,
        force: bool,
    ) -> Result<ApplyResult, Error> {
        let Some(kind) = self.kind(&object.api_version, &object.kind).await? else {
            return Ok(ApplyResult::KindNotServed);
        };
        for part in [Some(&object.name), object.namespace.as_ref()]
            .into_iter()
            .flatten()
        {
            if !is_path_segment(part) {
                return Ok(ApplyResult::Refused {
                    code: INVALID,
                    message: format!("`{part}` is not a valid name"),
                });
            }
        }
        let (act, dry_run) = match apply {
            Apply::DryRun => (
                format!("dry-run the apply of {}", object.title()),
                "dryRun=All&",
            ),
            Apply::ForGood => (format!("apply {}", object.title()), ""),
        };
        let path = format!(
            "{}?{dry_run}fieldManager={FIELD_MANAGER}&fieldValidation=Strict&force={force}",
            kind.path_of(object.namespace.as_deref(), &object.name)
        );
        // The text is sent to the cluster only. The server reads it as YAML, so the characters that YAML
        // changes are escaped.
        let body = to_json(&object.value, View::Clear);
        let answer = self.send(&act, &Call::apply(path, body)).await?;
        if answer.is_success() {
            let created = answer.status == 201;
            let object = received::read(&object.api_version, &object.kind, answer.value);
            return match object {
                Some(object) => Ok(ApplyResult::Applied {
                    object: Box::new(object),
                    created,
                }),
                None => Err(self.no_object(&act)),
            };
        }
        let trees = [Some(object), live].into_iter().flatten();
        let scrubber = Scrubber::from_trees(trees.map(|object| &object.value));
        Ok(refusal(object, &answer, &scrubber))
    }
}

fn refusal(object: &Object, answer: &Answer, scrubber: &Scrubber) -> ApplyResult {
    let message = || answer.message(scrubber);
    match answer.status {
        404 if answer.about() == "namespaces" => ApplyResult::NamespaceMissing {
            namespace: object.namespace.clone().unwrap_or_default(),
        },
        404 if answer.is_unknown_path() => ApplyResult::KindNotServed,
        403 if answer.is_unauthorised() => ApplyResult::Forbidden { message: message() },
        409 => {
            let conflicts = conflicts(answer, scrubber);
            if conflicts.is_empty() {
                ApplyResult::Refused {
                    code: 409,
                    message: message(),
                }
            } else {
                ApplyResult::Conflict(conflicts)
            }
        }
        400 if answer.raw_message().contains("does not support dry run") => {
            ApplyResult::Unsupported { message: message() }
        }
        code => ApplyResult::Refused {
            code,
            message: message(),
        },
    }
}

/// Whether the server refuses a write since the object is not the one that it is bound to (Kubernetes:
/// apiserver/pkg/registry/generic/registry/store.go, endpoints/handlers/patch.go).
fn is_outdated(message: &str) -> bool {
    let other = ["the object has been modified", "uid mismatch"];
    names_another_uid(message) || other.iter().any(|part| message.contains(part))
}

fn conflicts(answer: &Answer, scrubber: &Scrubber) -> Vec<Conflict> {
    let mut conflicts: Vec<Conflict> = answer
        .causes()
        .filter(|cause| cause.reason == CONFLICT)
        .map(|cause| Conflict {
            manager: manager(cause.message).into(),
            // Items of sets are named by their content.
            field: scrubber.scrub(cause.field).into(),
        })
        .collect();
    // The server's order changes from time to time.
    conflicts.sort_by(|a, b| (&a.field, &a.manager).cmp(&(&b.field, &b.manager)));
    conflicts
}

/// Returns the manager in `conflict with "kubectl" using v1`. Go escapes quotes in the name.
fn manager(message: &str) -> String {
    let quoted = message.split_once('"').map_or("", |(_, rest)| rest);
    let mut name = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => name.extend(chars.next()),
            c => name.push(c),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    fn refused(code: u16, message: &str, details: &str) -> ApplyResult {
        let text = br#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","namespace":"n"},"stringData":{"x":"hunter2"}}"#;
        let object = Object::from_value(Value::from_json(text).expect("JSON")).expect("an object");
        let status = format!(
            r#"{{"kind":"Status","status":"Failure","message":{message:?},"details":{details},"code":{code}}}"#
        );
        let status = Value::from_json(status.as_bytes()).expect("JSON");
        let answer = Answer::new(code, status);
        refusal(&object, &answer, &Scrubber::from_trees([&object.value]))
    }

    /// Messages are those of kube-apiserver 1.36; a live test of those of webhooks would need a webhook.
    #[test]
    fn refusals_are_distinguished() {
        let message = r#"admission webhook "a.example" does not support dry run"#;
        assert!(
            matches!(refused(400, message, "{}"), ApplyResult::Unsupported { message: m } if m == message)
        );
        let denied = refused(
            403,
            r#"admission webhook "a.example" denied the request: hunter2 is weak"#,
            "{}",
        );
        assert!(
            matches!(&denied, ApplyResult::Refused { code: 403, message } if message.ends_with("request: *** is weak")),
            "{denied:?}"
        );
        let message = r#"secrets "a" is forbidden: User "x" cannot patch resource "secrets" in API group "" in the namespace "n""#;
        let details = r#"{"name":"a","kind":"secrets"}"#;
        assert!(matches!(
            refused(403, message, details),
            ApplyResult::Forbidden { .. }
        ));
        let message = r#"secrets "a" is forbidden: exceeded quota: q"#;
        assert!(matches!(
            refused(403, message, details),
            ApplyResult::Refused { code: 403, .. }
        ));
        let message = "Internal error occurred: failed calling webhook \"a.example\": context deadline exceeded";
        assert!(matches!(
            refused(500, message, "{}"),
            ApplyResult::Refused { code: 500, .. }
        ));
        let details = r#"{"name":"n","kind":"namespaces"}"#;
        assert!(matches!(
            refused(404, r#"namespaces "n" not found"#, details),
            ApplyResult::NamespaceMissing { namespace } if namespace == "n"
        ));
        let unknown = "the server could not find the requested resource";
        assert!(matches!(
            refused(404, unknown, "{}"),
            ApplyResult::KindNotServed
        ));
        let details = r#"{"causes":[
            {"reason":"FieldManagerConflict","message":"conflict with \"b\"","field":".x[=\"hunter2\"]"},
            {"reason":"FieldManagerConflict","message":"conflict with \"a\" using v1","field":".a"}]}"#;
        let ApplyResult::Conflict(conflicts) =
            refused(409, "Apply failed with 2 conflicts", details)
        else {
            panic!("no conflict");
        };
        let found: Vec<_> = conflicts
            .iter()
            .map(|c| (c.manager.as_str(), c.field.as_str()))
            .collect();
        assert_eq!(found, [("a", ".a"), ("b", ".x[=\"***\"]")]);
        assert!(matches!(
            refused(409, "being deleted", "{}"),
            ApplyResult::Refused { code: 409, .. }
        ));
    }

    #[test]
    fn managers_are_named_in_messages() {
        assert_eq!(
            manager(r#"conflict with "kubectl-client-side-apply" using v1 at 2026"#),
            "kubectl-client-side-apply"
        );
        assert_eq!(
            manager(r#"conflict with "a \"b\" \\c" with subresource "status""#),
            r#"a "b" \c"#
        );
        assert_eq!(manager("conflict"), "");
    }
}

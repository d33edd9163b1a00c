//! What would become of one object: the API server's answer, made a comparison.

use crate::cluster::{ApplyResult, Cluster, Error, FIELD_MANAGER};
use crate::compare::{self, Mark, ObjectChange, Outcome};
use crate::flux::Object;
use crate::flux::managed_fields::{self, Shared};
use crate::rollout::as_applied;
use crate::secret::Scrubber;

/// What the server's answer says would become of the object.
pub(super) async fn outcome(
    cluster: &Cluster,
    object: &Object,
    live: Option<&Object>,
    answer: ApplyResult,
) -> Result<ObjectChange, Error> {
    Ok(match answer {
        ApplyResult::Applied { object: new, .. } => match live {
            Some(live) => server_side(object, live, *new),
            None => ObjectChange::new(object, Outcome::Created),
        },
        ApplyResult::Conflict(held) => {
            let outcome = Outcome::Conflicting(held);
            // What would change if the fields were taken over.
            let forced = cluster.dry_run_apply(object, live, true).await?;
            match (live, forced) {
                (Some(live), ApplyResult::Applied { object: new, .. }) => ObjectChange {
                    outcome,
                    ..server_side(object, live, *new)
                },
                _ => ObjectChange::new(object, outcome),
            }
        }
        ApplyResult::Refused { code: _, message } | ApplyResult::Forbidden { message } => {
            ObjectChange::new(object, Outcome::Refused(message.into()))
        }
        ApplyResult::KindNotServed => {
            let message = format!(
                "kind {} of {} is not served",
                object.kind, object.api_version
            );
            ObjectChange::new(object, Outcome::Refused(message.into()))
        }
        ApplyResult::Unsupported { message } => client_side(object, live, message),
        ApplyResult::NamespaceMissing { namespace } => client_side(
            object,
            live,
            format!("namespace `{namespace}` is not there yet"),
        ),
    })
}

/// What becomes of an object that an apply does not change.
pub(super) fn unchanged(object: &Object, live: &Object) -> ObjectChange {
    server_side(object, live, live.clone())
}

/// What the server would make of an object that is there.
fn server_side(object: &Object, live: &Object, new: Object) -> ObjectChange {
    let before = managed_fields::owners(live);
    let after = managed_fields::owners(&new);
    let mut staying = managed_fields::staying(&before, &after, FIELD_MANAGER);
    // Whoever suspended the release: `apply` resumes it.
    let suspended = |object: &Object| object.is_helm_release() && object.is_suspended();
    let new = if suspended(live) && suspended(&new) {
        staying.retain(|shared| shared.field != ".spec.suspend");
        as_applied(&new)
    } else {
        new
    };
    let shared = managed_fields::shared(&after, FIELD_MANAGER);
    ObjectChange {
        staying: scrubbed(staying, &[object, live]),
        shared: scrubbed(shared, &[object, live]),
        ..compare::object(live, &new)
    }
}

/// Without the server's help: what it would fill in is not known, so only what the input says is compared.
fn client_side(object: &Object, live: Option<&Object>, why: String) -> ObjectChange {
    let mut change = match live {
        Some(live) => {
            let owners = managed_fields::owners(live);
            let staying = managed_fields::staying_beside(&owners, object, FIELD_MANAGER);
            ObjectChange {
                staying: scrubbed(staying, &[object, live]),
                ..compare::input(live, object)
            }
        }
        None => ObjectChange::new(object, Outcome::Created),
    };
    change.marks.push(Mark::ClientSide(why.into()));
    change
}

/// Items of lists are named by what they are, which may be secret.
fn scrubbed(mut fields: Vec<Shared>, objects: &[&Object]) -> Vec<Shared> {
    let items = |shared: &&mut Shared| shared.field.contains('[');
    let mut items = fields.iter_mut().filter(items).peekable();
    if items.peek().is_some() {
        let scrubber = Scrubber::from_trees(objects.iter().map(|object| &object.value));
        items.for_each(|shared| shared.field = scrubber.scrub(&shared.field).into());
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    #[test]
    fn items_that_are_secret_do_not_name_fields() {
        let text = br#"{"apiVersion":"v1","kind":"X","metadata":{"name":"a"},"spec":{"tokens":["hunter2-of-town"],"x":"y"}}"#;
        let mut value = Value::from_json(text).expect("JSON");
        crate::secret::mark(&mut value);
        let object = Object::from_value(value).expect("an object");
        let shared = |field: &str| Shared {
            field: field.into(),
            managers: vec!["kubectl".into()],
        };
        let fields = vec![
            shared(r#".spec.tokens[="hunter2-of-town"]"#),
            shared(".spec.x"),
        ];
        let wanted = vec![shared(r#".spec.tokens[="***"]"#), shared(".spec.x")];
        assert_eq!(scrubbed(fields, &[&object]), wanted);
    }
}

//! Makes the report of `diff` from changes of objects.

use std::collections::BTreeSet;

use super::alike::alike;
use super::{
    Against, Change, Danger, Edit, Held, Line, LineEdit, Object, Outcome, Report, Shared, Summary,
    VERSION, lines,
};
use crate::compare::{self, Mark, ObjectChange};
use crate::emit::{self, View};
use crate::flux::Conflict;
use crate::secret;
use crate::value::{REDACTED, Sensitivity, Text, Value};

/// What a comparison with a cluster did not look at.
#[derive(Clone, Debug, Default)]
pub struct Unseen {
    /// Namespaces in which takeovers are not seen.
    pub takeovers: BTreeSet<Text>,
    /// Webhooks and policies that were not asked about objects that applying does not change.
    pub validators: BTreeSet<Text>,
}

/// Creates the report; noise is counted, and listed if `show_noise` is set.
#[must_use]
pub fn report(
    changes: &[ObjectChange],
    unseen: &Unseen,
    against: Against,
    show_noise: bool,
) -> Report {
    let mut summary = Summary::default();
    let mut objects = Vec::new();
    for change in changes {
        count(&mut summary, change);
        let object = object(change, show_noise);
        let shown = match object.outcome {
            Outcome::Unchanged => object.is_noteworthy() || !object.shared.is_empty(),
            Outcome::Created
            | Outcome::Changed
            | Outcome::Follows
            | Outcome::Conflicting
            | Outcome::Refused
            | Outcome::LeftOver => true,
        };
        if shown {
            objects.push(object);
        }
    }
    let alike = alike(&mut objects);
    Report {
        version: VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        against,
        summary,
        takeovers_unseen: unseen.takeovers.iter().map(Text::to_string).collect(),
        validators_not_asked: unseen.validators.iter().map(Text::to_string).collect(),
        objects,
        alike,
    }
}

fn count(summary: &mut Summary, change: &ObjectChange) {
    let ObjectChange {
        api_version: _,
        kind: _,
        namespace: _,
        name: _,
        outcome,
        changes,
        staying,
        shared,
        marks,
        dangers,
        sides: _,
    } = change;
    let number = match outcome {
        compare::Outcome::Created => &mut summary.created,
        compare::Outcome::Changed => &mut summary.changed,
        compare::Outcome::Follows => &mut summary.follows,
        compare::Outcome::Unchanged => &mut summary.unchanged,
        compare::Outcome::Conflicting(_) => &mut summary.conflicting,
        compare::Outcome::Refused(_) => &mut summary.refused,
        compare::Outcome::LeftOver => &mut summary.left_over,
    };
    *number += 1;
    if !matches!(outcome, compare::Outcome::LeftOver) {
        summary.objects += 1;
    }
    summary.dangers += dangers.len() + changes.iter().filter(|c| c.danger.is_some()).count();
    summary.staying += staying.len();
    summary.shared += shared.len();
    summary.noise += changes.iter().filter(|c| c.noise.is_some()).count();
    for mark in marks {
        match mark {
            Mark::Takeover { .. } => summary.takeovers += 1,
            Mark::ClientSide(_) => summary.client_side += 1,
            Mark::Foreign { .. } => summary.foreign += 1,
            Mark::OfSite(_) | Mark::OfKustomization(_) | Mark::Values { .. } => {}
        }
    }
}

fn object(change: &ObjectChange, show_noise: bool) -> Object {
    let ObjectChange {
        api_version,
        kind,
        namespace,
        name,
        outcome,
        changes,
        staying,
        shared,
        marks,
        dangers,
        sides: _,
    } = change;
    let mut message = None;
    let mut conflicts = Vec::new();
    let outcome = match outcome {
        compare::Outcome::Created => Outcome::Created,
        compare::Outcome::Changed => Outcome::Changed,
        compare::Outcome::Follows => Outcome::Follows,
        compare::Outcome::Unchanged => Outcome::Unchanged,
        compare::Outcome::Conflicting(held) => {
            conflicts = held.iter().map(held_field).collect();
            Outcome::Conflicting
        }
        compare::Outcome::Refused(why) => {
            message = Some(why.to_string());
            Outcome::Refused
        }
        compare::Outcome::LeftOver => Outcome::LeftOver,
    };
    let changes = changes
        .iter()
        .filter(|change| show_noise || change.noise.is_none());
    Object {
        api_version: api_version.to_string(),
        kind: kind.to_string(),
        namespace: namespace.as_ref().map(ToString::to_string),
        name: name.to_string(),
        outcome,
        takeover: marks
            .iter()
            .any(|mark| matches!(mark, Mark::Takeover { .. })),
        message,
        conflicts,
        staying: staying.iter().map(Shared::new).collect(),
        shared: shared.iter().map(Shared::new).collect(),
        notes: marks.iter().map(note).collect(),
        dangers: dangers.iter().map(Danger::new).collect(),
        changes: changes.map(Change::new).collect(),
    }
}

fn held_field(Conflict { manager, field }: &Conflict) -> Held {
    Held {
        field: field.to_string(),
        manager: manager.to_string(),
    }
}

/// Returns a mark as a sentence.
fn note(mark: &Mark) -> String {
    match mark {
        Mark::OfSite(site) => {
            format!("belongs to site `{site}`; a run of another site does not touch it")
        }
        Mark::OfKustomization(owner) => {
            format!(
                "the Kustomization `{owner}` applies it and would revert a change; change it in Git"
            )
        }
        Mark::Foreign {
            field,
            manager,
            effect,
            refused,
        } => {
            let then = if *refused { "; a run is refused" } else { "" };
            format!("{field} is held by `{manager}` and not in the input: it {effect}{then}")
        }
        Mark::ClientSide(why) => format!("compared without the API server's defaults: {why}"),
        Mark::Values { releases, former } => {
            let former = match former.as_slice() {
                [] => String::new(),
                former => format!("; {} is left over, nothing deletes it", former.join(", ")),
            };
            format!("holds values of {releases}, where they are compared{former}")
        }
        Mark::Takeover { revision, status } => format!(
            "a takeover, not an install: Helm has revision {revision} ({status}), Flux does not manage it yet"
        ),
    }
}

impl Change {
    fn new(change: &compare::Change) -> Self {
        let compare::Change {
            path,
            edit,
            noise,
            danger,
            meaning,
            lockstep,
        } = change;
        let (what, before, after) = match edit {
            compare::Edit::Added(value) => (Edit::Added, None, Some(json(value))),
            compare::Edit::Removed(value) => (Edit::Removed, Some(json(value)), None),
            compare::Edit::Changed { before, after } => {
                let (shown, mut new) = (json(before), json(after));
                // What is hidden changed, too; the rest shows its change.
                if secret::hidden(before) != secret::hidden(after) || shown == new {
                    new.push_str(" (changed)");
                }
                (Edit::Changed, Some(shown), Some(new))
            }
            compare::Edit::Reordered { before, after } => {
                (Edit::Reordered, Some(names(before)), Some(names(after)))
            }
            compare::Edit::Moved { item, from: _ } => {
                (Edit::Moved, Some(json(item)), Some(json(item)))
            }
        };
        let lines = match meaning {
            Some(meaning) => said(meaning),
            None => match (&before, &after) {
                // What is hidden in a text is hidden here, too.
                (Some(before), Some(after)) => lines::of_texts(before, after),
                _ => Vec::new(),
            },
        };
        Self {
            path: path.to_string(),
            title: meaning.as_ref().map(|meaning| meaning.title.to_owned()),
            what,
            before,
            after,
            lines,
            secret: edit.is_sensitive(),
            danger: danger.as_ref().map(Danger::new),
            noise: noise.map(|noise| noise.name.to_owned()),
            lockstep: *lockstep,
            alike: None,
        }
    }
}

impl Danger {
    fn new(danger: &compare::Danger) -> Self {
        let compare::Danger { code, effect } = danger;
        Self {
            name: code.name().to_owned(),
            effect: effect.to_string(),
        }
    }
}

/// Returns a meaning line by line.
fn said(meaning: &compare::Meaning) -> Vec<Line> {
    let compare::Meaning {
        title: _,
        removed,
        added,
    } = meaning;
    let lines = |what, texts: &[Text]| -> Vec<Line> {
        let lines = texts.iter().map(|text| Line {
            what,
            text: text.to_string(),
        });
        lines.collect()
    };
    [
        lines(LineEdit::Removed, removed),
        lines(LineEdit::Added, added),
    ]
    .concat()
}

fn json(value: &Value) -> String {
    if value.sensitive == Sensitivity::Whole {
        return REDACTED.to_owned();
    }
    emit::to_json(value, View::Redacted)
}

fn names(names: &[Text]) -> String {
    let names: Vec<Value> = names.iter().cloned().map(Value::from).collect();
    emit::to_json(&names.into(), View::Redacted)
}

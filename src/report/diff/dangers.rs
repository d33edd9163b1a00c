//! The dangers of a diff, each once.

use super::alike::danger_of_any;
use super::{Change, Danger, Object, Report};
use crate::compare::danger::Code;

/// One danger, and all objects that have it.
pub(super) struct Dangerous<'r> {
    pub(super) name: &'r str,
    pub(super) effect: String,
    /// `None` for one that no single change shows.
    pub(super) change: Option<&'r Change>,
    pub(super) objects: Vec<&'r Object>,
}

/// Lists takeovers, then other dangers; equal ones of several objects appear once.
pub(super) fn dangers(report: &Report) -> Vec<Dangerous<'_>> {
    let mut found: Vec<Dangerous<'_>> = Vec::new();
    let takeovers = report.objects.iter().filter(|object| object.takeover);
    let takeovers: Vec<&Object> = takeovers.collect();
    if !takeovers.is_empty() {
        found.push(Dangerous {
            name: Code::Takeover.name(),
            effect: Code::Takeover.effect().to_owned(),
            change: None,
            objects: takeovers,
        });
    }
    for object in &report.objects {
        let of_object = object.dangers.iter().map(|danger| (danger, None));
        let of_changes = object
            .changes
            .iter()
            .filter_map(|change| Some((change.danger.as_ref()?, Some(change))));
        for (danger, change) in of_object.chain(of_changes) {
            // What is said once for several objects is said so here, too.
            let shared = change.and_then(|change| {
                let alike = report.alike.get(change.alike?)?;
                let mut changes = alike.changes.iter();
                changes.find(|other| other.path == change.path && other.what == change.what)
            });
            let change = shared.or(change);
            let Danger { name, effect } = danger;
            let effect = match shared {
                Some(_) => danger_of_any(danger, object).effect,
                None => effect.clone(),
            };
            let same = found.iter_mut().find(|other| {
                other.name == name && other.effect == effect && is_same(other.change, change)
            });
            match same {
                Some(same) => same.objects.push(object),
                None => found.push(Dangerous {
                    name,
                    effect,
                    change,
                    objects: vec![object],
                }),
            }
        }
    }
    found
}

fn is_same(one: Option<&Change>, other: Option<&Change>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => {
            (&one.path, &one.before, &one.after) == (&other.path, &other.before, &other.after)
        }
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

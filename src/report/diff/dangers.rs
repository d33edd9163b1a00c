//! The dangerous changes of a diff, each once.

use super::{Change, Object, Report};

/// One dangerous change, and all objects that have it.
pub(super) struct Dangerous<'r> {
    pub(super) name: &'r str,
    pub(super) effect: &'r str,
    /// `None` for a takeover.
    pub(super) change: Option<&'r Change>,
    pub(super) objects: Vec<&'r Object>,
}

/// Lists takeovers, then dangerous changes; equal changes of several objects appear once.
pub(super) fn dangers(report: &Report) -> Vec<Dangerous<'_>> {
    let mut found: Vec<Dangerous<'_>> = Vec::new();
    let takeovers = report.objects.iter().filter(|object| object.takeover);
    let takeovers: Vec<&Object> = takeovers.collect();
    if !takeovers.is_empty() {
        found.push(Dangerous {
            name: "takeover",
            effect: "Helm installed the release and Flux does not manage it yet: Flux would upgrade it to manage it",
            change: None,
            objects: takeovers,
        });
    }
    for object in &report.objects {
        for change in &object.changes {
            let Some(danger) = &change.danger else {
                continue;
            };
            let alike = found.iter_mut().find(|other| {
                other.change.is_some_and(|other| {
                    (&other.path, &other.before, &other.after)
                        == (&change.path, &change.before, &change.after)
                })
            });
            match alike {
                Some(alike) => alike.objects.push(object),
                None => found.push(Dangerous {
                    name: &danger.name,
                    effect: &danger.effect,
                    change: Some(change),
                    objects: vec![object],
                }),
            }
        }
    }
    found
}

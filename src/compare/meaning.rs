//! What a change says, in words: our annotations decoded, and `dependsOn` as names.

use crate::flux::{
    GATES_ANNOTATION, GROUP_ANNOTATION, Object, PRE_DELETE_ANNOTATION, PROTECTED_ANNOTATION,
    PROTECTED_CONTINUE, PROTECTED_STOP, ReleaseView, STAGE_ANNOTATION, STEP_ANNOTATION,
};
use crate::gate::annotation as gates;
use crate::gate::deletion::annotation as deletions;
use crate::gate::{Deletion, Gate};
use crate::value::{Text, Value};

use super::path::{Path, Segment};
use super::tree::Edit;

/// A change in words. Labels that look secret are hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// What the field says of the object.
    pub title: &'static str,
    /// What it said only before.
    pub removed: Vec<Text>,
    /// What it says only after.
    pub added: Vec<Text>,
}

/// Path of the dependencies of a release.
pub(super) const DEPENDS_ON: &[&str] = &["spec", "dependsOn"];

/// Returns the meaning of a change of one annotation; `None` where its text says it all.
pub(super) fn of(before: &Object, after: &Object, path: &Path) -> Option<Meaning> {
    let [
        Segment::Key(metadata),
        Segment::Key(marks),
        Segment::Key(key),
    ] = path.0.as_slice()
    else {
        return None;
    };
    if metadata != "metadata" || marks != "annotations" {
        return None;
    }
    let (old, new) = (before.annotation(key), after.annotation(key));
    match key.as_str() {
        GATES_ANNOTATION => {
            let (old, new) = (gates_of(before)?, gates_of(after)?);
            let words = |gates: &[Gate]| gates.iter().map(gate_words).collect();
            meaning("waits before the next step", words(&old), words(&new))
        }
        PRE_DELETE_ANNOTATION => {
            let words = |deletion: &Deletion| Text::from(deletion.to_string());
            let (old, new) = (deletions_of(before)?, deletions_of(after)?);
            let words = |all: &[Deletion]| all.iter().map(words).collect();
            meaning("deletes before an upgrade", words(&old), words(&new))
        }
        PROTECTED_ANNOTATION => {
            let words = |word: Option<&str>| -> Vec<Text> {
                let said = match word {
                    Some(PROTECTED_CONTINUE) => "the run skips it and continues",
                    Some(PROTECTED_STOP) => "the run stops",
                    Some(other) => other,
                    None => "no protection: it is upgraded",
                };
                vec![said.into()]
            };
            meaning("if it had failed before a run", words(old), words(new))
        }
        STAGE_ANNOTATION => named("stage", old, new),
        STEP_ANNOTATION => named("step in its stage", old, new),
        GROUP_ANNOTATION => named("chart group", old, new),
        _ => None,
    }
}

fn named(title: &'static str, old: Option<&str>, new: Option<&str>) -> Option<Meaning> {
    let words = |text: Option<&str>| text.map(Text::from).into_iter().collect();
    meaning(title, words(old), words(new))
}

/// Returns what only one side says.
pub(super) fn meaning(title: &'static str, before: Vec<Text>, after: Vec<Text>) -> Option<Meaning> {
    let without = |items: &[Text], other: &[Text]| -> Vec<Text> {
        let only = items.iter().filter(|item| !other.contains(item));
        only.cloned().collect()
    };
    let removed = without(&before, &after);
    let added = without(&after, &before);
    (!removed.is_empty() || !added.is_empty()).then_some(Meaning {
        title,
        removed,
        added,
    })
}

/// Returns a gate in words, labels that look secret hidden.
pub(super) fn gate_words(gate: &Gate) -> Text {
    match gate.spec.selector.as_str() {
        "" => Text::from(format!("every {gate}")),
        _ => Text::from(gate.to_string()),
    }
}

/// Returns the gates of a release, none if it has no annotation; `None` if that cannot be read.
pub(super) fn gates_of(release: &Object) -> Option<Vec<Gate>> {
    let Some(text) = release.annotation(GATES_ANNOTATION) else {
        return Some(Vec::new());
    };
    let namespace = release.namespace.clone().unwrap_or_default();
    gates::read(text, &namespace).ok()
}

/// Returns what is deleted before an upgrade of a release, as [`gates_of`] does.
pub(super) fn deletions_of(release: &Object) -> Option<Vec<Deletion>> {
    match release.annotation(PRE_DELETE_ANNOTATION) {
        Some(text) => deletions::read(text).ok(),
        None => Some(Vec::new()),
    }
}

/// Puts the dependencies that come and go into one difference, by their names; an expression that changes stays one of
/// its own.
pub(super) fn dependencies(
    before: &Object,
    after: &Object,
    differences: &mut Vec<(Path, Edit)>,
) -> Option<(Path, Edit, Meaning)> {
    let names = |object: &Object| -> Option<Vec<Text>> {
        let release = ReleaseView::of(object)?;
        let keys = release.depends_on().map(|key| match key.namespace {
            Some(namespace) if object.namespace.as_ref() != Some(&namespace) => {
                Text::from(format!("{namespace}/{}", key.name))
            }
            _ => key.name,
        });
        Some(keys.collect())
    };
    let (old, new) = (names(before)?, names(after)?);
    let meaning = meaning("depends on", old.clone(), new.clone())?;
    differences.retain(|(path, edit)| {
        let whole = match edit {
            Edit::Changed { .. } => path.0.len() <= DEPENDS_ON.len(),
            Edit::Added(_) | Edit::Removed(_) | Edit::Moved { .. } | Edit::Reordered { .. } => {
                path.0.len() <= DEPENDS_ON.len() + 1
            }
        };
        !(whole && path.starts_with(DEPENDS_ON))
    });
    let listed =
        |names: Vec<Text>| Value::from(names.into_iter().map(Value::from).collect::<Vec<_>>());
    let path = Path(
        DEPENDS_ON
            .iter()
            .map(|key| Segment::Key((*key).into()))
            .collect(),
    );
    let edit = match (old.is_empty(), new.is_empty()) {
        (true, _) => Edit::Added(listed(new)),
        (_, true) => Edit::Removed(listed(old)),
        _ => Edit::Changed {
            before: listed(old),
            after: listed(new),
        },
    };
    Some((path, edit, meaning))
}

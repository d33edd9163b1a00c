//! Gates: what Armada itself waited for after Helm and its hooks, as data.
//!
//! A gate is one entry of a chart's wait list: which objects, and when they are ready. It is a small
//! syntax tree of [`Rule`]s with two readers: [`Gate::evaluate`] answers for objects at hand, and CEL
//! for Flux is printed from the same tree. Gates travel in an annotation of the HelmRelease
//! ([`annotation`]), so a tree that was written before can be applied with them.
//!
//! The gates of a release are met one after another within its time limit (Armada: handlers/wait.py,
//! `ChartWait.wait`). Watching until they are is not done here.

pub mod annotation;
mod cel;
pub mod deletion;
pub mod health;
mod helm;
mod requirement;
mod rule;
pub(crate) mod selector;
mod spec;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::flux::ObjectMeta;
use crate::value::{Text, Value};

pub use deletion::{Deleted, Deletion};
pub use requirement::{Exclusion, Requirement, Unmet};
pub use rule::{ConditionPart, Field, Number, Rule};
pub use selector::SelectorError;
pub use spec::{MinReady, Spec, Version, WaitKind};

/// One wait of a release.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// The wait as data.
    pub spec: Spec,
    /// Namespace of the objects: the release's.
    pub namespace: Text,
    /// Version of the Chart's schema: it decides which pods are left out.
    pub version: Version,
    selected: Result<Rule, SelectorError>,
    exclusions: Vec<Exclusion>,
    requirements: Vec<Requirement>,
}

/// The answer of a gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that is awaited is ready.
    Ready,
    /// Not yet, and why.
    Waiting(String),
    /// Waiting will not help, and why.
    Failed(String),
}

/// The verdict of a gate about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Of another kind, in another namespace, or with other labels.
    NotSelected,
    /// Selected, but never awaited, and why.
    Excluded(&'static str),
    /// Ready.
    Ready,
    /// Not ready, and why.
    Waiting(String),
    /// Not ready, and waiting will not help.
    Failed(String),
}

impl Gate {
    /// Returns the gate of a wait in a release's namespace.
    #[must_use]
    pub fn new(spec: Spec, namespace: Text, version: Version) -> Self {
        let Spec {
            kind,
            selector,
            required: _,
            min_ready,
            allow_async_updates,
        } = &spec;
        let min_ready = min_ready.unwrap_or(MinReady::DEFAULT);
        let allow_async_updates = allow_async_updates.unwrap_or(false);
        Self {
            namespace,
            version,
            selected: selector::parse(selector),
            exclusions: requirement::exclusions(*kind, version),
            requirements: requirement::requirements(*kind, min_ready, allow_async_updates),
            spec,
        }
    }

    /// Returns which objects of the kind are selected.
    ///
    /// # Errors
    ///
    /// When the API server refuses the selector: then nothing can ever pass the gate.
    pub fn selected(&self) -> Result<&Rule, &SelectorError> {
        self.selected.as_ref()
    }

    /// Returns which of them are excluded; the first rule that holds is the reason.
    #[must_use]
    pub fn exclusions(&self) -> &[Exclusion] {
        &self.exclusions
    }

    /// Returns what must hold for the others, in the order in which Armada checks.
    #[must_use]
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// That an object which is awaited is ready.
    #[must_use]
    pub fn ready(&self) -> Rule {
        let rules = self.requirements.iter();
        Rule::All(rules.map(|required| required.rule.clone()).collect())
    }

    /// Returns the rule that an awaited object will not become ready.
    #[must_use]
    pub fn failed(&self) -> Rule {
        let mut rules = Vec::new();
        for Requirement { rule, unmet } in &self.requirements {
            if unmet.is_final() {
                rules.push(rule.clone().negated());
            }
        }
        Rule::Any(rules)
    }

    /// Returns the rule that an object of the kind is awaited: selected and not excluded. None holds when
    /// the selector cannot be used.
    #[must_use]
    pub fn awaited(&self) -> Rule {
        let Ok(selected) = &self.selected else {
            return Rule::Constant(false);
        };
        let mut rules = Vec::new();
        if *selected != Rule::Constant(true) {
            rules.push(selected.clone());
        }
        let excluded = self.exclusions.iter();
        rules.extend(excluded.map(|exclusion| exclusion.rule.clone().negated()));
        if rules.is_empty() {
            Rule::Constant(true)
        } else {
            Rule::All(rules)
        }
    }

    /// Returns the verdict of the gate about one object.
    #[must_use]
    pub fn judge(&self, object: &Value) -> State {
        let text = |key: &str| object.text_at(&[key]).unwrap_or("");
        let meta = ObjectMeta::of(object);
        let Ok(selected) = &self.selected else {
            return State::NotSelected;
        };
        if text("kind") != self.spec.kind.kind_name()
            || text("apiVersion") != self.spec.kind.api_version()
            || meta.namespace().unwrap_or("") != self.namespace
            || !selected.holds(object)
        {
            return State::NotSelected;
        }
        let mut exclusions = self.exclusions.iter();
        if let Some(exclusion) = exclusions.find(|exclusion| exclusion.rule.holds(object)) {
            return State::Excluded(exclusion.reason);
        }
        let mut requirements = self.requirements.iter();
        match requirements.find(|required| !required.rule.holds(object)) {
            None => State::Ready,
            Some(Requirement { unmet, .. }) => {
                let reason = format!(
                    "{} `{}`: {}",
                    self.spec.kind,
                    meta.name().unwrap_or(""),
                    unmet.describe(object)
                );
                if unmet.is_final() {
                    State::Failed(reason)
                } else {
                    State::Waiting(reason)
                }
            }
        }
    }

    /// Returns the verdict of the gate about all objects; only those that it selects matter.
    ///
    /// As in Armada (`ResourceWait._watch_resource_completions`), nothing listed means to wait unless
    /// that is not required, and a list in which everything is excluded is ready at once.
    #[must_use]
    pub fn evaluate<'o>(&self, objects: impl IntoIterator<Item = &'o Value>) -> Verdict {
        if let Err(error) = &self.selected {
            return Verdict::Failed(error.to_string());
        }
        let mut listed = false;
        let mut waiting = Vec::new();
        let mut failed = Vec::new();
        for object in objects {
            match self.judge(object) {
                State::NotSelected => continue,
                State::Excluded(_) | State::Ready => {}
                State::Waiting(reason) => waiting.push(reason),
                State::Failed(reason) => failed.push(reason),
            }
            listed = true;
        }
        if !failed.is_empty() {
            Verdict::Failed(failed.join("; "))
        } else if !waiting.is_empty() {
            Verdict::Waiting(waiting.join("; "))
        } else if listed || !self.spec.required {
            Verdict::Ready
        } else {
            Verdict::Waiting(self.none_found())
        }
    }

    fn none_found(&self) -> String {
        let labels = match self.spec.selector.as_str() {
            "" => String::new(),
            selector => format!(" with labels `{selector}`"),
        };
        format!(
            "no {} in namespace `{}`{labels}; are `wait.labels` right, or should `wait.resources` leave the type out?",
            self.spec.kind, self.namespace
        )
    }
}

/// The objects of a gate's kind that a watch has shown.
#[derive(Clone, Copy, Debug)]
pub struct Watched<O, G> {
    /// Existing objects.
    pub objects: O,
    /// Objects deleted since the watch started, in their last state.
    pub gone: G,
    /// Whether no object existed when the watch started.
    pub began_empty: bool,
}

/// State of a running watch (Armada: handlers/wait.py, `ResourceWait._watch_resource_completions`).
impl Gate {
    /// [`Gate::evaluate`] for what a watch shows.
    ///
    /// If none existed at first, excluded objects do not count as found when they appear. A Job that was
    /// deleted after it finished (`ttlSecondsAfterFinished`) does. Armada reads any deleted object as ready, finished or
    /// not; for v1 only if nothing was modified before, but a Job that finishes always is.
    #[must_use]
    pub fn evaluate_watched<'o>(
        &self,
        watched: Watched<
            impl IntoIterator<Item = &'o Value> + Clone,
            impl IntoIterator<Item = &'o Value>,
        >,
    ) -> Verdict {
        let Watched {
            objects,
            gone,
            began_empty,
        } = watched;
        let verdict = self.evaluate(objects.clone());
        let mut states = objects.into_iter().map(|object| self.judge(object));
        let done = |state: State| state == State::Ready;
        match verdict {
            Verdict::Ready if self.spec.required && began_empty && !states.any(done) => {
                Verdict::Waiting(self.none_found())
            }
            Verdict::Waiting(_)
                if self.version == Version::V2
                    && states.all(|state| state == State::NotSelected)
                    && gone.into_iter().map(|object| self.judge(object)).any(done) =>
            {
                Verdict::Ready
            }
            Verdict::Ready | Verdict::Waiting(_) | Verdict::Failed(_) => verdict,
        }
    }

    /// Returns whether everything must be ready a second time, a second later, if it was not when the wait
    /// began. In v1 Armada lists again after a modification, until none happens (`ResourceWait.wait`).
    #[must_use]
    pub fn looks_again(&self) -> bool {
        self.version == Version::V1
    }
}

/// Returns the gate as text, with labels that look secret hidden: `job app=web, if any`.
impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.spec.kind)?;
        if !self.spec.selector.is_empty() {
            write!(f, " {}", selector::shown(&self.spec.selector))?;
        }
        if let Some(min_ready) = self.spec.min_ready {
            write!(f, ", min_ready {min_ready}")?;
        }
        if self.spec.allow_async_updates == Some(true) {
            f.write_str(", async updates allowed")?;
        }
        if !self.spec.required {
            f.write_str(", if any")?;
        }
        Ok(())
    }
}

//! The progress of a run in the cluster, for readers without the journal: a ConfigMap of the site.
//!
//! It holds numbers and names of stages, no values and no messages.

use serde::{Deserialize, Serialize};

use super::Rollout;
use super::journal::{self, ItemOutcome, RunEnd};
use crate::flux::{Object, STATE_LABEL};
use crate::names::{short_digest, slug};
use crate::value::{Mapping, Text, Value};

/// The version of the format. A reader refuses any other.
pub const VERSION: u32 = 1;

/// Longest text that is kept, in bytes: a ConfigMap may have 1 MiB with all that is around it.
pub const MAX_BYTES: usize = 900 * 1024;

/// The key that the text stands under.
const KEY: &str = "run.json";

/// Longest name of an object.
const MAX_NAME: usize = 253;

/// A run, step by step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunState {
    /// [`VERSION`]
    pub version: u32,
    /// The name of the site.
    pub site: Text,
    /// The name of the run.
    pub run: Text,
    /// The digest of the rollout.
    pub rollout: Text,
    /// The version of armada2flux.
    pub program: Text,
    /// The last holder of the Lease.
    pub holder: Text,
    /// When it started, RFC 3339 in UTC.
    pub started: Text,
    /// When it last changed, RFC 3339 in UTC.
    pub updated: Text,
    /// How its last process ended; `None` while one is running, and when it was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<RunEnd>,
    /// Numbers of all objects.
    pub total: Counts,
    /// Its stages in order, as many as there is room for.
    pub stages: Vec<StageState>,
    /// The number of steps and stages that did not fit.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: usize,
}

/// A stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageState {
    /// Its number.
    pub number: usize,
    /// Name of its chart group.
    pub name: Text,
    /// The state.
    pub state: RunStatus,
    /// Numbers of its objects.
    pub objects: Counts,
    /// Its steps in order; none when there was no room for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepState>,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepState {
    /// Its number.
    pub number: usize,
    /// The state.
    pub state: RunStatus,
    /// Numbers of its objects.
    pub objects: Counts,
}

/// The progress of a stage or a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    /// Not started.
    Waiting,
    /// Started and not finished.
    Started,
    /// An object failed.
    Failed,
    /// Every object is finished.
    Done,
}

/// Numbers of objects of a run, a stage or a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All of them.
    pub all: usize,
    /// Ready: written, or already up to date.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub done: usize,
    /// Skipped: protected, and failed before the run.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped: usize,
    /// Failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed: usize,
    /// Started and not finished.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub started: usize,
}

/// Why a ConfigMap cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It is of another version.
    #[error("the state of the last run has version {0}, this program reads version {VERSION}")]
    Version(u64),
    /// It is something else.
    #[error("it does not hold the state of a run")]
    Unreadable,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Name of the objects that a site has in the state namespace, the ConfigMap and the Lease: `armada2flux-SITE`.
#[must_use]
pub fn name(site: &str) -> Text {
    const PREFIX: &str = "armada2flux";
    let digest = short_digest(site);
    let room = MAX_NAME - PREFIX.len() - digest.len() - 2;
    let slug = slug(site, room);
    if slug == site {
        format!("{PREFIX}-{slug}").into()
    } else {
        // A site that is not a valid object name must not get the name of another site.
        format!("{PREFIX}-{slug}-{digest}").into()
    }
}

impl RunState {
    /// The state of a run.
    #[must_use]
    pub fn new(rollout: &Rollout, record: &journal::RunRecord) -> Self {
        let mut total = Counts::default();
        let stages = rollout.stages.iter().map(|stage| {
            let steps = stage.steps.iter().map(|step| {
                let mut objects = Counts::default();
                for item in &step.items {
                    objects.count(record.items.get(&item.id(stage, step)));
                }
                StepState {
                    number: step.number,
                    state: objects.status(),
                    objects,
                }
            });
            let steps: Vec<StepState> = steps.collect();
            let mut objects = Counts::default();
            steps.iter().for_each(|step| objects.add(step.objects));
            StageState {
                number: stage.number,
                name: stage.name.clone(),
                state: objects.status(),
                objects,
                steps,
            }
        });
        let stages: Vec<StageState> = stages.collect();
        stages.iter().for_each(|stage| total.add(stage.objects));
        let journal::RunRecord {
            run,
            info,
            started,
            updated,
            processes: _,
            stage: _,
            finished: _,
            items: _,
            end,
        } = record;
        Self {
            version: VERSION,
            site: info.site.clone(),
            run: run.clone(),
            rollout: info.rollout.clone(),
            program: info.program.clone(),
            holder: info.holder.clone(),
            started: started.clone(),
            updated: updated.clone(),
            end: end.clone(),
            total,
            stages,
            left_out: 0,
        }
    }

    /// Returns whether a reader sees the same progress in another state: all but the time of the last change.
    #[must_use]
    pub fn shows_same(&self, other: &Self) -> bool {
        let other = Self {
            updated: self.updated.clone(),
            ..other.clone()
        };
        *self == other
    }

    /// The ConfigMap that holds it. Steps, then stages, are left out until the text fits, finished ones first.
    #[must_use]
    pub fn object(&self, namespace: &str) -> Object {
        let name = name(&self.site);
        let labels: Mapping = [(STATE_LABEL, self.site.clone())].into_iter().collect();
        let metadata: Mapping = [
            ("name", Value::from(name.clone())),
            ("namespace", namespace.into()),
            ("labels", labels.into()),
        ]
        .into_iter()
        .collect();
        let data: Mapping = [(KEY, self.fitting())].into_iter().collect();
        let value: Mapping = [
            ("apiVersion", Value::from("v1")),
            ("kind", "ConfigMap".into()),
            ("metadata", metadata.into()),
            ("data", data.into()),
        ]
        .into_iter()
        .collect();
        Object {
            api_version: "v1".into(),
            kind: "ConfigMap".into(),
            namespace: Some(namespace.into()),
            name,
            value: value.into(),
            origin: None,
        }
    }

    /// Reads a ConfigMap back.
    ///
    /// # Errors
    ///
    /// When it is of another version or holds something else.
    pub fn read(object: &Value) -> Result<Self, StateError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u64,
        }
        let text = object.at(&["data", KEY]).and_then(Value::as_str);
        let text = text.ok_or(StateError::Unreadable)?;
        let Versioned { version } =
            serde_json::from_str(text).map_err(|_| StateError::Unreadable)?;
        if version != u64::from(VERSION) {
            return Err(StateError::Version(version));
        }
        serde_json::from_str(text).map_err(|_| StateError::Unreadable)
    }

    fn fitting(&self) -> String {
        let mut state = self.clone();
        // Finished stages matter least to a reader.
        let orders: [fn(&StageState) -> bool; 2] =
            [|stage| stage.state == RunStatus::Done, |_| true];
        let mut text = state.text();
        for leave_out in orders {
            if text.len() <= MAX_BYTES {
                return text;
            }
            for stage in state.stages.iter_mut().filter(|stage| leave_out(stage)) {
                state.left_out += std::mem::take(&mut stage.steps).len();
            }
            text = state.text();
        }
        while text.len() > MAX_BYTES {
            let kept = state.stages.len() / 2;
            state.left_out += state.stages.len() - kept;
            state.stages.truncate(kept);
            text = state.text();
        }
        text
    }

    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Counts {
    fn count(&mut self, item: Option<&journal::ItemRecord>) {
        self.all += 1;
        let Some(item) = item else { return };
        match &item.outcome {
            Some(ItemOutcome::Unchanged | ItemOutcome::Applied) => self.done += 1,
            Some(ItemOutcome::Skipped) => self.skipped += 1,
            Some(ItemOutcome::Failed { .. }) => self.failed += 1,
            None => self.started += 1,
        }
    }

    fn add(&mut self, other: Self) {
        let Self {
            all,
            done,
            skipped,
            failed,
            started,
        } = other;
        self.all += all;
        self.done += done;
        self.skipped += skipped;
        self.failed += failed;
        self.started += started;
    }

    fn status(self) -> RunStatus {
        let Self {
            all,
            done,
            skipped,
            failed,
            started,
        } = self;
        match (failed, done + skipped) {
            (1.., _) => RunStatus::Failed,
            (0, finished) if finished == all => RunStatus::Done,
            (0, 0) if started == 0 => RunStatus::Waiting,
            (0, _) => RunStatus::Started,
        }
    }
}

#[cfg(test)]
mod tests;

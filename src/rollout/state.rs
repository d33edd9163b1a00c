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
mod tests {
    use super::*;
    use crate::rollout::journal::{Entry, FORMAT, Journal, Line, RunInfo};
    use crate::rollout::{DoneWhen, Item, OnFailure, Stage, Step};

    fn object(name: &str) -> Object {
        let text = format!(
            r#"{{"apiVersion":"helm.toolkit.fluxcd.io/v2","kind":"HelmRelease",
                "metadata":{{"name":"{name}","namespace":"town"}},"spec":{{"values":{{"password":"hunter2"}}}}}}"#
        );
        Object::from_value(Value::from_json(text.as_bytes()).unwrap()).unwrap()
    }

    /// Stages of so many steps of two items.
    fn rollout(stages: &[usize], name: &str) -> Rollout {
        let step = |stage: usize, step: usize| Step {
            number: step,
            items: (0..2)
                .map(|item| Item {
                    object: object(&format!("r{stage}-{step}-{item}")),
                    done_when: DoneWhen::Applied,
                    timeout: 1,
                    on_failure: OnFailure::Stop,
                })
                .collect(),
        };
        let stages = stages.iter().enumerate().map(|(number, steps)| Stage {
            number,
            name: name.into(),
            steps: (1..=*steps).map(|number_| step(number, number_)).collect(),
        });
        Rollout {
            site: "worked".into(),
            stages: stages.collect(),
        }
    }

    /// A run in which the first items came to these.
    fn journal(rollout: &Rollout, outcomes: &[Option<ItemOutcome>]) -> journal::RunRecord {
        let begin = Entry::RunStarted(RunInfo {
            site: "worked".into(),
            rollout: "sha256:1".into(),
            cluster: "1111".into(),
            server: "https://127.0.0.1:6443".into(),
            holder: "me".into(),
            program: "0.1.0".into(),
            failed_before: Vec::new(),
        });
        let items = rollout
            .items()
            .map(|(stage, step, item)| item.id(stage, step));
        let finished = items.zip(outcomes).map(|(item, outcome)| match outcome {
            Some(outcome) => Entry::ItemFinished {
                item,
                outcome: outcome.clone(),
            },
            None => Entry::Intent {
                item,
                request: journal::Write::Apply,
            },
        });
        let text: String = [begin]
            .into_iter()
            .chain(finished)
            .map(|entry| {
                let line = Line {
                    version: FORMAT,
                    at: "2026-11-28T12:00:00.000Z".into(),
                    run: "r1".into(),
                    entry,
                };
                serde_json::to_string(&line).unwrap() + "\n"
            })
            .collect();
        Journal::read(text.as_bytes()).unwrap().last.unwrap()
    }

    fn failed() -> Option<ItemOutcome> {
        Some(ItemOutcome::Failed {
            reason: "hunter2".into(),
        })
    }

    #[test]
    fn steps_are_counted_and_read_back() {
        use RunStatus::{Done, Failed, Started, Waiting};
        let rollout = rollout(&[1, 3, 1], "g");
        let outcomes = [
            Some(ItemOutcome::Unchanged),
            Some(ItemOutcome::Skipped),
            Some(ItemOutcome::Applied),
            failed(),
            None,
        ];
        let state = RunState::new(&rollout, &journal(&rollout, &outcomes));
        let stages: Vec<RunStatus> = state.stages.iter().map(|stage| stage.state).collect();
        assert_eq!(stages, [Done, Failed, Waiting]);
        let steps: Vec<RunStatus> = state.stages[1]
            .steps
            .iter()
            .map(|step| step.state)
            .collect();
        assert_eq!(steps, [Failed, Started, Waiting]);
        let total = Counts {
            all: 10,
            done: 2,
            skipped: 1,
            failed: 1,
            started: 1,
        };
        assert_eq!(state.total, total);

        let object = state.object("flux-system");
        assert_eq!(object.title(), "ConfigMap flux-system/armada2flux-worked");
        let label = object.label(STATE_LABEL);
        assert_eq!(label, Some("worked"));
        assert_eq!(RunState::read(&object.value), Ok(state));
        let text = crate::emit::to_json(&object.value, crate::emit::View::Clear);
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[test]
    fn any_rollout_fits() {
        for (stages, name, steps_kept) in [
            (vec![2000; 9], "g", false),
            (vec![1; 1500], &*"g".repeat(1000), false),
            (vec![100; 50], "g", true),
        ] {
            let rollout = rollout(&stages, name);
            let finished = stages[0] * 2;
            let state = RunState::new(
                &rollout,
                &journal(&rollout, &vec![Some(ItemOutcome::Applied); finished]),
            );
            let object = state.object("flux-system");
            let text = object
                .value
                .at(&["data", KEY])
                .and_then(Value::as_str)
                .unwrap();
            assert!(text.len() <= MAX_BYTES, "{}", text.len());
            let read = RunState::read(&object.value).unwrap();
            assert_eq!(read.left_out == 0, steps_kept);
            assert_eq!(read.total, state.total);
            let steps: usize = state.stages.iter().map(|stage| stage.steps.len()).sum();
            let kept: usize = read.stages.iter().map(|stage| stage.steps.len()).sum();
            let stages = state.stages.len() - read.stages.len();
            assert_eq!(read.left_out, steps - kept + stages);
        }
    }

    #[test]
    fn other_content_is_refused() {
        let read = |text: &str| {
            let data: Mapping = [(KEY, text)].into_iter().collect();
            let object: Mapping = [("data", data)].into_iter().collect();
            RunState::read(&object.into())
        };
        assert_eq!(
            read(r#"{"version":2,"more":1}"#),
            Err(StateError::Version(2))
        );
        assert_eq!(read(r#"{"version":1}"#), Err(StateError::Unreadable));
        assert_eq!(read("no"), Err(StateError::Unreadable));
        assert_eq!(RunState::read(&Value::null()), Err(StateError::Unreadable));
    }

    #[test]
    fn sites_have_names_of_their_own() {
        assert_eq!(name("worked"), "armada2flux-worked");
        let names = ["A_b", "a-b", "a.b", "a_b"].map(name);
        for (at, one) in names.iter().enumerate() {
            assert!(
                one.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{one}"
            );
            assert!(!names[at + 1..].contains(one), "{one}");
        }
        assert_eq!(name(&"x".repeat(400)).len(), MAX_NAME);
    }
}

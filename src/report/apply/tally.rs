//! The outcome of a run, computed from its events. Pure, so that tests need no cluster.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::apply::{Event, ItemState};
use crate::report::apply::{self, ObjectOutcome, Report, StageOutcome, Summary};
use crate::rollout::journal::{ItemOutcome, RunEnd, RunInfo};
use crate::rollout::{ItemId, Rollout};
use crate::value::Text;

/// The stages and items of a rollout, and their events. Times count from the start of the process.
#[derive(Clone, Debug)]
pub struct Tally {
    stages: Vec<StageTally>,
    places: BTreeMap<ItemId, (usize, usize)>,
}

/// The end of a process, for the report.
#[derive(Clone, Debug)]
pub struct Closing<'c> {
    /// What the run works on.
    pub info: &'c RunInfo,
    /// The run's name.
    pub run: Text,
    /// Whether the process resumed a run.
    pub resumed: bool,
    /// When the process started, RFC 3339 in UTC.
    pub started: Text,
    /// When the process finished, RFC 3339 in UTC.
    pub finished: Text,
    /// How long it took.
    pub took: Duration,
    /// How it finished.
    pub end: RunEnd,
    /// The command that resumes the run.
    pub resume: Option<String>,
}

#[derive(Clone, Debug)]
struct StageTally {
    number: usize,
    name: Text,
    started: Option<Duration>,
    finished: Option<Duration>,
    items: Vec<ItemTally>,
}

#[derive(Clone, Debug)]
struct ItemTally {
    id: ItemId,
    /// Whether an earlier process finished it.
    earlier: bool,
    started: Option<Duration>,
    finished: Option<Duration>,
    deleted: usize,
    gates: Vec<GateTally>,
    outcome: Option<ItemOutcome>,
    /// What it waits for.
    why: Option<Text>,
}

#[derive(Clone, Debug)]
struct GateTally {
    gate: usize,
    of: usize,
    started: Duration,
    opened: Option<Duration>,
}

impl Tally {
    /// Starts without events; `earlier` says which items an earlier process finished.
    #[must_use]
    pub fn new(rollout: &Rollout, earlier: impl Fn(&ItemId) -> bool) -> Self {
        let mut places = BTreeMap::new();
        let stages = rollout.stages.iter().enumerate().map(|(at, stage)| {
            let mut items = Vec::new();
            for step in &stage.steps {
                for item in &step.items {
                    let id = item.id(stage, step);
                    places.insert(id.clone(), (at, items.len()));
                    items.push(ItemTally {
                        earlier: earlier(&id),
                        id,
                        started: None,
                        finished: None,
                        deleted: 0,
                        gates: Vec::new(),
                        outcome: None,
                        why: None,
                    });
                }
            }
            StageTally {
                number: stage.number,
                name: stage.name.clone(),
                started: None,
                finished: None,
                items,
            }
        });
        let stages = stages.collect();
        Self { stages, places }
    }

    /// Counts an event, `at` so long after the start. Events of unknown items are ignored.
    pub fn event(&mut self, at: Duration, event: &Event) {
        match event {
            Event::StageStarted { stage, .. } => {
                if let Some(stage) = self.stage(*stage) {
                    stage.started = Some(at);
                }
            }
            Event::StageFinished { stage } => {
                if let Some(stage) = self.stage(*stage) {
                    stage.finished = Some(at);
                }
            }
            Event::Item { item, state } => {
                let place = self.places.get(item).copied();
                if let Some((stage, item)) = place {
                    self.stages[stage].items[item].state(at, state);
                }
            }
            Event::Warning { .. } => {}
        }
    }

    fn stage(&mut self, number: usize) -> Option<&mut StageTally> {
        self.stages.iter_mut().find(|stage| stage.number == number)
    }

    /// The report.
    #[must_use]
    pub fn report(&self, closing: Closing<'_>) -> Report {
        let Closing {
            info,
            run,
            resumed,
            started,
            finished,
            took,
            end,
            resume,
        } = closing;
        let stages = self.stages.iter().map(|stage| stage.report(took));
        let stages: Vec<apply::Stage> = stages.collect();
        Report {
            version: apply::VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            site: info.site.to_string(),
            run: run.into(),
            server: info.server.to_string(),
            cluster: info.cluster.to_string(),
            resumed,
            started: started.into(),
            finished: finished.into(),
            seconds: seconds(took),
            outcome: (&end).into(),
            summary: Summary::of(&stages),
            stages,
            resume,
        }
    }
}

impl StageTally {
    fn report(&self, took: Duration) -> apply::Stage {
        let Self {
            number,
            name,
            started,
            finished,
            items,
        } = self;
        let items: Vec<apply::Object> = items.iter().map(|item| item.report(took)).collect();
        let outcome = if items
            .iter()
            .any(|item| item.outcome == ObjectOutcome::Failed)
        {
            StageOutcome::Failed
        } else if finished.is_some() {
            StageOutcome::Done
        } else if started.is_some() {
            StageOutcome::Unfinished
        } else if !items.is_empty()
            && items
                .iter()
                .all(|item| item.outcome == ObjectOutcome::Earlier)
        {
            StageOutcome::Earlier
        } else {
            StageOutcome::NotStarted
        };
        apply::Stage {
            number: *number,
            name: name.to_string(),
            outcome,
            seconds: started
                .map(|started| seconds(finished.unwrap_or(took).saturating_sub(started))),
            objects: items,
        }
    }
}

impl ItemTally {
    fn state(&mut self, at: Duration, state: &ItemState) {
        self.started.get_or_insert(at);
        let gate = match state {
            ItemState::Gate { gate, of, why: _ } => Some((*gate, *of)),
            ItemState::DryRun
            | ItemState::Deleting { .. }
            | ItemState::Writing
            | ItemState::Reconciling { .. }
            | ItemState::Finished(_) => None,
        };
        let failed = matches!(state, ItemState::Finished(ItemOutcome::Failed { .. }));
        let same = |last: &GateTally| gate.is_some_and(|(gate, _)| gate == last.gate);
        if let Some(last) = self.gates.last_mut()
            && !same(last)
            && !failed
        {
            last.opened.get_or_insert(at);
        }
        if let Some((gate, of)) = gate
            && !self.gates.last().is_some_and(same)
        {
            self.gates.push(GateTally {
                gate,
                of,
                started: at,
                opened: None,
            });
        }
        match state {
            ItemState::DryRun | ItemState::Writing => self.why = None,
            ItemState::Deleting { objects } => {
                self.deleted = *objects;
                self.why = None;
            }
            ItemState::Reconciling { why } | ItemState::Gate { why, .. } => {
                self.why = Some(why.clone())
            }
            ItemState::Finished(finish) => {
                self.finished = Some(at);
                self.outcome = Some(finish.clone());
            }
        }
    }

    fn report(&self, took: Duration) -> apply::Object {
        let Self {
            id,
            earlier,
            started,
            finished,
            deleted,
            gates,
            outcome,
            why,
        } = self;
        let until = finished.unwrap_or(took);
        let (outcome, reason) = match (outcome, started) {
            (Some(ItemOutcome::Unchanged), _) => (ObjectOutcome::Unchanged, None),
            (Some(ItemOutcome::Applied), _) => (ObjectOutcome::Applied, None),
            (Some(ItemOutcome::Skipped), _) => {
                let why = "it had failed before the run and is protected";
                (ObjectOutcome::Skipped, Some(why.to_owned()))
            }
            (Some(ItemOutcome::Failed { reason }), _) => {
                (ObjectOutcome::Failed, Some(reason.to_string()))
            }
            (None, Some(_)) => (ObjectOutcome::Unfinished, why.as_ref().map(Text::to_string)),
            (None, None) if *earlier => (ObjectOutcome::Earlier, None),
            (None, None) => (ObjectOutcome::NotStarted, None),
        };
        let gates = gates.iter().map(|gate| apply::Gate {
            gate: gate.gate,
            of: gate.of,
            seconds: seconds(gate.opened.unwrap_or(until).saturating_sub(gate.started)),
            open: gate.opened.is_some(),
        });
        let ItemId {
            stage: _,
            step,
            kind,
            namespace,
            name,
        } = id;
        apply::Object {
            step: *step,
            kind: kind.to_string(),
            namespace: namespace.as_ref().map(Text::to_string),
            name: name.to_string(),
            outcome,
            seconds: started.map(|started| seconds(until.saturating_sub(started))),
            deleted: *deleted,
            gates: gates.collect(),
            reason,
            hint: outcome.needs_attention().then(|| hint(id)),
        }
    }
}

/// Returns the command that shows more.
fn hint(id: &ItemId) -> String {
    let kind = id.kind.to_lowercase();
    let place = id
        .namespace
        .as_ref()
        .map_or_else(String::new, |namespace| format!(" -n {namespace}"));
    format!("run `kubectl describe {kind} {}{place}`", id.name)
}

/// Seconds with milliseconds.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests;

//! What a run came to, from its events: pure, so that it needs no cluster to be tried.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::apply::{Event, Moment};
use crate::report::apply::{self, PartOutcome, Report, StageOutcome, Summary};
use crate::rollout::journal::{Begin, End, Finish};
use crate::rollout::{PartId, Rollout};
use crate::value::Text;

/// Stages and parts of a rollout, and what was told of them. Times count from the process's beginning.
#[derive(Clone, Debug)]
pub struct Tally {
    stages: Vec<StageTally>,
    places: BTreeMap<PartId, (usize, usize)>,
}

/// What a process was about, and how it ended.
#[derive(Clone, Debug)]
pub struct Closing<'c> {
    /// What the run is about.
    pub about: &'c Begin,
    /// The run's name.
    pub run: Text,
    /// Whether the run was taken up again.
    pub resumed: bool,
    /// When the process began, RFC 3339 in UTC.
    pub began: Text,
    /// When it ended, RFC 3339 in UTC.
    pub ended: Text,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub end: End,
    /// The command that takes the run up again.
    pub resume: Option<String>,
}

#[derive(Clone, Debug)]
struct StageTally {
    number: usize,
    name: Text,
    began: Option<Duration>,
    ended: Option<Duration>,
    parts: Vec<PartTally>,
}

#[derive(Clone, Debug)]
struct PartTally {
    id: PartId,
    /// Whether an earlier process finished it.
    earlier: bool,
    began: Option<Duration>,
    ended: Option<Duration>,
    deleted: usize,
    gates: Vec<GateTally>,
    outcome: Option<Finish>,
    /// What it waits for.
    why: Option<Text>,
}

#[derive(Clone, Debug)]
struct GateTally {
    gate: usize,
    of: usize,
    began: Duration,
    opened: Option<Duration>,
}

impl Tally {
    /// A run of which nothing was told yet; `earlier` says which parts an earlier process finished.
    #[must_use]
    pub fn new(rollout: &Rollout, earlier: impl Fn(&PartId) -> bool) -> Self {
        let mut places = BTreeMap::new();
        let stages = rollout.stages.iter().enumerate().map(|(at, stage)| {
            let mut parts = Vec::new();
            for step in &stage.steps {
                for part in &step.parts {
                    let id = part.id(stage, step);
                    places.insert(id.clone(), (at, parts.len()));
                    parts.push(PartTally {
                        earlier: earlier(&id),
                        id,
                        began: None,
                        ended: None,
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
                began: None,
                ended: None,
                parts,
            }
        });
        let stages = stages.collect();
        Self { stages, places }
    }

    /// Takes an event in, told `at` so long after the beginning. What the rollout does not have is passed over.
    pub fn event(&mut self, at: Duration, event: &Event) {
        match event {
            Event::StageBegins { stage, .. } => {
                if let Some(stage) = self.stage(*stage) {
                    stage.began = Some(at);
                }
            }
            Event::StageEnds { stage } => {
                if let Some(stage) = self.stage(*stage) {
                    stage.ended = Some(at);
                }
            }
            Event::Part { part, moment } => {
                let place = self.places.get(part).copied();
                if let Some((stage, part)) = place {
                    self.stages[stage].parts[part].moment(at, moment);
                }
            }
            Event::Trouble { .. } => {}
        }
    }

    fn stage(&mut self, number: usize) -> Option<&mut StageTally> {
        self.stages.iter_mut().find(|stage| stage.number == number)
    }

    /// The report.
    #[must_use]
    pub fn report(&self, closing: Closing<'_>) -> Report {
        let Closing {
            about,
            run,
            resumed,
            began,
            ended,
            took,
            end,
            resume,
        } = closing;
        let stages = self.stages.iter().map(|stage| stage.report(took));
        let stages: Vec<apply::Stage> = stages.collect();
        Report {
            version: apply::VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            site: about.site.to_string(),
            run: run.into(),
            server: about.server.to_string(),
            cluster: about.cluster.to_string(),
            resumed,
            began: began.into(),
            ended: ended.into(),
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
            began,
            ended,
            parts,
        } = self;
        let parts: Vec<apply::Part> = parts.iter().map(|part| part.report(took)).collect();
        let outcome = if parts.iter().any(|part| part.outcome == PartOutcome::Failed) {
            StageOutcome::Failed
        } else if ended.is_some() {
            StageOutcome::Done
        } else if began.is_some() {
            StageOutcome::Unfinished
        } else if !parts.is_empty()
            && parts
                .iter()
                .all(|part| part.outcome == PartOutcome::Earlier)
        {
            StageOutcome::Earlier
        } else {
            StageOutcome::NotBegun
        };
        apply::Stage {
            number: *number,
            name: name.to_string(),
            outcome,
            seconds: began.map(|began| seconds(ended.unwrap_or(took).saturating_sub(began))),
            parts,
        }
    }
}

impl PartTally {
    fn moment(&mut self, at: Duration, moment: &Moment) {
        self.began.get_or_insert(at);
        let gate = match moment {
            Moment::Gate { gate, of, why: _ } => Some((*gate, *of)),
            Moment::Asking
            | Moment::Deleting { .. }
            | Moment::Writing
            | Moment::Reconciling { .. }
            | Moment::Finished(_) => None,
        };
        let failed = matches!(moment, Moment::Finished(Finish::Failed { .. }));
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
                began: at,
                opened: None,
            });
        }
        match moment {
            Moment::Asking | Moment::Writing => self.why = None,
            Moment::Deleting { objects } => {
                self.deleted = *objects;
                self.why = None;
            }
            Moment::Reconciling { why } | Moment::Gate { why, .. } => self.why = Some(why.clone()),
            Moment::Finished(finish) => {
                self.ended = Some(at);
                self.outcome = Some(finish.clone());
            }
        }
    }

    fn report(&self, took: Duration) -> apply::Part {
        let Self {
            id,
            earlier,
            began,
            ended,
            deleted,
            gates,
            outcome,
            why,
        } = self;
        let until = ended.unwrap_or(took);
        let (outcome, reason) = match (outcome, began) {
            (Some(Finish::Unchanged), _) => (PartOutcome::Unchanged, None),
            (Some(Finish::Applied), _) => (PartOutcome::Applied, None),
            (Some(Finish::PassedOver), _) => {
                let why = "it had failed before the run and is protected: left as it is";
                (PartOutcome::PassedOver, Some(why.to_owned()))
            }
            (Some(Finish::Failed { reason }), _) => (PartOutcome::Failed, Some(reason.to_string())),
            (None, Some(_)) => (PartOutcome::Unfinished, why.as_ref().map(Text::to_string)),
            (None, None) if *earlier => (PartOutcome::Earlier, None),
            (None, None) => (PartOutcome::NotBegun, None),
        };
        let gates = gates.iter().map(|gate| apply::Gate {
            gate: gate.gate,
            of: gate.of,
            seconds: seconds(gate.opened.unwrap_or(until).saturating_sub(gate.began)),
            open: gate.opened.is_some(),
        });
        let PartId {
            stage: _,
            step,
            kind,
            namespace,
            name,
        } = id;
        apply::Part {
            step: *step,
            kind: kind.to_string(),
            namespace: namespace.as_ref().map(Text::to_string),
            name: name.to_string(),
            outcome,
            seconds: began.map(|began| seconds(until.saturating_sub(began))),
            deleted: *deleted,
            gates: gates.collect(),
            reason,
            hint: outcome.is_trouble().then(|| look(id)),
        }
    }
}

/// How a person finds out more.
fn look(id: &PartId) -> String {
    let kind = id.kind.to_lowercase();
    let place = id
        .namespace
        .as_ref()
        .map_or_else(String::new, |namespace| format!(" -n {namespace}"));
    format!("`kubectl describe {kind} {}{place}` tells more", id.name)
}

/// Seconds with milliseconds.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests;

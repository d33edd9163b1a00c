//! What was read, as the report has it.

use std::collections::BTreeMap;
use std::path::Path;

use crate::flux::{GROUP_ANNOTATION, Object, STAGE_ANNOTATION, STEP_ANNOTATION};
use crate::report::status::{self, Counts, Release, ReleaseState, Run, RunStage, RunStep, Stage};
use crate::report::words;
use crate::rollout::journal::{self, ItemOutcome};
use crate::rollout::readiness::{self, Expected, Readiness};
use crate::rollout::state::{self, RunState, RunStatus};
use crate::secret::Scrubber;
use crate::value::Text;

/// A journal's last run.
pub(super) fn journal(path: &Path, read: journal::Journal) -> status::Journal {
    let journal::Journal {
        last,
        whole: _,
        torn,
        chain: _,
    } = read;
    let mut failures = Vec::new();
    for (object, state) in last.iter().flat_map(|state| &state.items) {
        if let Some(ItemOutcome::Failed { reason }) = &state.outcome {
            failures.push(status::Failure {
                stage: object.stage,
                step: object.step,
                object: object.title(),
                reason: reason.to_string(),
            });
        }
    }
    let last_run = last.as_ref();
    status::Journal {
        file: path.display().to_string(),
        run: last_run.map(|state| state.run.to_string()),
        updated: last_run.map(|state| state.updated.to_string()),
        outcome: last_run.and_then(|state| state.end.as_ref().map(words::RunEnd::from)),
        stage: last_run.and_then(|state| state.stage),
        torn,
        failures,
        unreadable: None,
    }
}

/// The last run, as the cluster knows it.
pub(super) fn run(state: &RunState) -> Run {
    let RunState {
        version: _,
        site: _,
        run,
        rollout,
        program,
        holder,
        started,
        updated,
        end,
        total,
        stages,
        left_out,
    } = state;
    let stages = stages.iter().map(|stage| RunStage {
        number: stage.number,
        name: stage.name.to_string(),
        state: standing(stage.state),
        objects: counts(stage.objects),
        steps: stage
            .steps
            .iter()
            .map(|step| RunStep {
                number: step.number,
                state: standing(step.state),
                objects: counts(step.objects),
            })
            .collect(),
    });
    Run {
        run: run.to_string(),
        program: program.to_string(),
        rollout: rollout.to_string(),
        holder: holder.to_string(),
        started: started.to_string(),
        updated: updated.to_string(),
        outcome: end.as_ref().map(words::RunEnd::from),
        objects: counts(*total),
        stages: stages.collect(),
        left_out: *left_out,
    }
}

fn standing(state: RunStatus) -> status::RunStatus {
    match state {
        RunStatus::Waiting => status::RunStatus::Waiting,
        RunStatus::Started => status::RunStatus::Started,
        RunStatus::Failed => status::RunStatus::Failed,
        RunStatus::Done => status::RunStatus::Done,
    }
}

fn counts(counts: state::Counts) -> Counts {
    let state::Counts {
        all,
        done,
        skipped,
        failed,
        started,
    } = counts;
    Counts {
        all,
        done,
        skipped,
        failed,
        started,
    }
}

/// The releases by stage and step, as their annotations say; last those that say nothing.
pub(super) fn stages(releases: &[Object]) -> Vec<Stage> {
    let mut by_stage: BTreeMap<usize, Stage> = BTreeMap::new();
    for release in releases {
        let number = release
            .annotation(STAGE_ANNOTATION)
            .and_then(|number| number.parse().ok());
        let stage = by_stage
            .entry(number.unwrap_or(usize::MAX))
            .or_insert_with(|| Stage {
                number,
                name: None,
                releases: Vec::new(),
            });
        if stage.name.is_none() {
            stage.name = release.annotation(GROUP_ANNOTATION).map(str::to_owned);
        }
        let step = release
            .annotation(STEP_ANNOTATION)
            .and_then(|step| step.parse().ok());
        stage.releases.push(release_of(release, step));
    }
    for stage in by_stage.values_mut() {
        let order = |release: &Release| {
            let step = release.step.unwrap_or(usize::MAX);
            (step, release.namespace.clone(), release.name.clone())
        };
        stage.releases.sort_by_cached_key(order);
    }
    by_stage.into_values().collect()
}

fn release_of(release: &Object, step: Option<usize>) -> Release {
    let live = &release.value;
    let (state, why) = if release.is_suspended() {
        (ReleaseState::Suspended, None)
    } else {
        let expected = Expected {
            generation: release.generation().unwrap_or_default(),
            retried: None,
        };
        match readiness::release(live, &expected) {
            Readiness::Ready => (ReleaseState::Ready, None),
            Readiness::Waiting(why) => (ReleaseState::Waiting, Some(why)),
            Readiness::Failed(why) => (ReleaseState::Failed, Some(why)),
        }
    };
    let chart = live.text_at(&["status", "lastAttemptedRevision"]);
    let versions = live
        .items_at(&["status", "history"])
        .iter()
        .filter_map(|entry| entry.int_at(&["version"]));
    Release {
        step,
        namespace: release
            .namespace
            .as_ref()
            .map(Text::to_string)
            .unwrap_or_default(),
        name: release.name.to_string(),
        state,
        // Messages of Helm quote what was rendered.
        why: why.map(|why| Scrubber::from_trees([live]).scrub(&why)),
        revision: versions.max(),
        chart: chart.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    fn object(name: &str, annotations: &str, rest: &str) -> Object {
        let text = format!(
            r#"{{"apiVersion":"helm.toolkit.fluxcd.io/v2","kind":"HelmRelease",
                "metadata":{{"name":"{name}","namespace":"town","generation":2,"annotations":{{{annotations}}}}},{rest}}}"#
        );
        Object::from_live(Value::from_json(text.as_bytes()).unwrap()).unwrap()
    }

    fn placed(stage: &str, step: &str) -> String {
        format!(
            r#""{STAGE_ANNOTATION}":"{stage}","{STEP_ANNOTATION}":"{step}","{GROUP_ANNOTATION}":"g{stage}""#
        )
    }

    const READY: &str = r#""spec":{},"status":{"observedGeneration":2,"lastAttemptedGeneration":2,
        "lastAttemptedRevision":"0.1.0","lastAttemptedConfigDigest":"sha256:a",
        "conditions":[{"type":"Ready","status":"True"}],
        "history":[{"version":4,"status":"deployed","chartVersion":"0.1.0","configDigest":"sha256:a"}]}"#;

    #[test]
    fn releases_stand_in_the_order_of_the_run() {
        let stalled = r#""spec":{"values":{"password":"hunter2-secret"}},"status":{"observedGeneration":2,
            "conditions":[{"type":"Stalled","status":"True","reason":"X","message":"no hunter2-secret"}]}"#;
        let mut failed = object("c", &placed("2", "1"), stalled);
        crate::secret::mark(&mut failed.value);
        let releases = [
            object("new", "", r#""spec":{}"#),
            object("d", &placed("10", "1"), r#""spec":{"suspend":true}"#),
            failed,
            object("b", &placed("2", "12"), READY),
            object("a", &placed("2", "2"), READY),
        ];
        let stages = stages(&releases);
        let told: Vec<(Option<usize>, Option<&str>, Vec<&str>)> = stages
            .iter()
            .map(|stage| {
                let names = stage.releases.iter().map(|release| release.name.as_str());
                (stage.number, stage.name.as_deref(), names.collect())
            })
            .collect();
        assert_eq!(
            told,
            [
                (Some(2), Some("g2"), vec!["c", "a", "b"]),
                (Some(10), Some("g10"), vec!["d"]),
                (None, None, vec!["new"]),
            ]
        );
        let [c, a, _] = &stages[0].releases[..] else {
            panic!("{stages:?}");
        };
        assert_eq!(
            (c.state, c.why.as_deref()),
            (ReleaseState::Failed, Some("Flux gave up (X): no ***"))
        );
        assert_eq!(
            (a.state, a.revision, a.chart.as_deref()),
            (ReleaseState::Ready, Some(4), Some("0.1.0"))
        );
        assert_eq!(stages[1].releases[0].state, ReleaseState::Suspended);
        assert_eq!(stages[2].releases[0].state, ReleaseState::Waiting);
    }
}

//! Stages by number or by the name of their chart group.

use crate::rollout::{PREPARATION, Rollout};

use super::super::Failure;

/// The number of the stage that an option names.
pub(super) fn number(
    rollout: &Rollout,
    option: &str,
    name: Option<&str>,
) -> Result<Option<usize>, Failure> {
    let Some(name) = name else { return Ok(None) };
    let mut stages = rollout.stages.iter();
    let found = stages.find(|stage| *stage.name == *name || stage.number.to_string() == name);
    if let Some(stage) = found {
        return Ok(Some(stage.number));
    }
    let stages = rollout.stages.iter();
    let known = stages
        .filter(|stage| stage.number != PREPARATION)
        .map(|stage| format!("{} ({})", stage.number, stage.name));
    let known: Vec<String> = known.collect();
    let failure = Failure::new(format!("{option}: the rollout has no stage `{name}`"));
    Err(failure.hint(format!("the stages are {}", known.join(", "))))
}

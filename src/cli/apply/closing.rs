//! What a person gets of a run that has ended: the report, the exit code or what went wrong.

use std::process::ExitCode;

use super::super::{Failure, Output};
use super::Arguments;
use super::session::Closed;
use crate::apply::{RunOutcome, Stop};

/// Exit code of a run of which a stage failed.
const STAGE_FAILED: u8 = 3;
/// Exit code of a run that was interrupted.
const INTERRUPTED: u8 = 130;

/// Writes the report; gives the exit code, or what a person must know of the end.
pub(super) fn conclude(
    arguments: &Arguments,
    output: &Output,
    closed: Closed,
) -> Result<ExitCode, Failure> {
    let Closed {
        ended,
        written,
        report,
        resume,
    } = closed;
    arguments.report.write(output, &report)?;
    let resume = resume.unwrap_or_default();
    let ended = match ended {
        Ok(ended) => ended,
        Err(failure) => return Err(failure.then(&format!("resume it with `{resume}`"))),
    };
    match ended {
        // Without its last line the journal holds a run that is not finished.
        RunOutcome::Complete | RunOutcome::Paused { .. } => match written {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(failure) => Err(failure.then(&format!("resume it with `{resume}`"))),
        },
        RunOutcome::Failed(_) => Ok(ExitCode::from(STAGE_FAILED)),
        RunOutcome::Stopped(Stop::Interrupted) => Ok(ExitCode::from(INTERRUPTED)),
        RunOutcome::Stopped(Stop::LeaseLost(why)) => {
            let failure = Failure::new(format!("the run stopped because it lost its Lease: {why}"));
            Err(failure
                .hint(format!(
                    "make sure that no other run is active, then run `{resume}`"
                ))
                .code(STAGE_FAILED))
        }
        RunOutcome::Stopped(Stop::No | Stop::Broken) => {
            Err(Failure::new("the run stopped").hint(format!("resume it with `{resume}`")))
        }
    }
}

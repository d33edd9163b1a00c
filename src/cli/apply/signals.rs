//! Ctrl-C and its like: the first lets the write in hand end, the second ends at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::apply::Stop;

use super::super::{Failure, show};

/// Stops the run at the first signal; ends at the second.
pub(super) async fn watch(stop: watch::Sender<Stop>) -> Result<(), Failure> {
    let failed = |cause| Failure::new(format!("cannot listen for signals: {cause}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    let mut first = true;
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        if !first {
            return Ok(());
        }
        first = false;
        show::say("stopping as soon as the write in hand is done; once more to end at once");
        stop.send_if_modified(|stop| {
            let goes_on = *stop == Stop::No;
            if goes_on {
                *stop = Stop::Interrupted;
            }
            goes_on
        });
    }
}

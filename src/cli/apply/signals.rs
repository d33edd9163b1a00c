//! Ctrl-C and its like: the first lets the write in hand end, the second ends at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::apply::Stop;

use super::super::{Failure, show};

/// Lets a write beyond the limit of file sizes fail like one to a full disk; the kernel ends the process otherwise.
pub(super) fn outlive_file_size_limit() -> Result<(), Failure> {
    let kind = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    // The handler stays for the rest of the process.
    let registered = signal(kind).map(drop);
    registered.map_err(|cause| Failure::new(format!("cannot listen for signals: {cause}")))
}

/// Everything by which somebody asks a program to end.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    /// Listens from now on.
    pub(super) fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            let failed = |cause| Failure::new(format!("cannot listen for signals: {cause}"));
            signal(kind).map_err(failed)
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

/// Stops the run at the first signal; ends at the second.
pub(super) async fn watch(stop: watch::Sender<Stop>) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    signals.next().await;
    show::say("stopping after the current write; interrupt again to end immediately");
    Stop::Interrupted.request(&stop);
    signals.next().await;
    Ok(())
}

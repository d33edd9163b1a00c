//! What a client has to say of a server that is busy: on stderr, and as events while a run goes on.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;

use super::super::show;

/// Where the warnings of one client arrive.
pub(super) struct ClientWarnings {
    awaited: Arc<AtomicBool>,
    arriving: mpsc::UnboundedReceiver<String>,
}

impl ClientWarnings {
    /// Gives what a client tells its warnings to, and where they arrive.
    pub(super) fn new() -> (impl Fn(String) + Send + Sync + 'static, Self) {
        let (sender, arriving) = mpsc::unbounded_channel();
        let awaited = Arc::new(AtomicBool::new(false));
        let is_awaited = Arc::clone(&awaited);
        let tell = move |warning: String| {
            if is_awaited.load(Ordering::Relaxed) {
                // Nobody listens any more once the run has ended.
                let _ = sender.send(warning);
            } else {
                show::say(&warning);
            }
        };
        (tell, Self { awaited, arriving })
    }

    /// Whether they are kept for [`Self::pass_on`] from now on; stderr gets them otherwise.
    pub(super) fn keep(&self, keep: bool) {
        self.awaited.store(keep, Ordering::Relaxed);
    }

    /// Passes them on as they arrive.
    pub(super) async fn pass_on(&mut self, to: impl Fn(String)) -> Infallible {
        while let Some(warning) = self.arriving.recv().await {
            to(warning);
        }
        std::future::pending().await
    }
}

//! The ends of scans: each is waited for on the emulator's clock, and told once.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::announced::Announced;
use crate::event::Event;
use crate::scan::Verdict;
use crate::state::Shared;

/// The tasks that wait.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    end: Mutex<CancellationToken>,
}

impl Watches {
    /// Ends every watch; there may be others from here on.
    pub(crate) fn end(&self) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.cancel();
        *end = CancellationToken::new();
    }

    fn current(&self) -> CancellationToken {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Sends the event of a file's scan when the scan ends; to be called when the file's first bytes are complete.
pub(crate) fn watch_scan<A: Announced>(shared: &Arc<Shared>, id: Uuid) {
    let watched = Arc::clone(shared);
    let ended = shared.watches.current();
    shared.sender.spawn(async move {
        let told = async {
            // Other bytes in the meantime put the end off, and so does a clock that is set back.
            while let Some(at) = A::files(&watched).untold_until(id) {
                watched.clock.wait_until(at).await;
                tell::<A>(&watched, id);
            }
        };
        tokio::select! {
            biased;
            () = ended.cancelled() => {}
            () = told => {}
        }
    });
}

/// Watches every file of one kind whose verdict has not been told.
pub(crate) fn watch_untold<A: Announced>(shared: &Arc<Shared>) {
    for id in A::files(shared).all_untold() {
        watch_scan::<A>(shared, id);
    }
}

fn tell<A: Announced>(shared: &Shared, id: Uuid) {
    let _turn = shared.turn();
    if let Some((request, verdict)) = A::files(shared).tell(id, shared.clock.now()) {
        publish_verdict(shared, id, request.as_ref(), verdict);
    }
}

/// Sends a verdict to everybody who wants it; for who has the turn.
pub(crate) fn publish_verdict(shared: &Shared, id: Uuid, request: &impl Announced, verdict: Verdict) {
    let (event_type, data) = request.verdict_event(shared, id, verdict);
    match Event::new(event_type, data, &shared.clock) {
        Ok(event) => shared.publish(&event),
        Err(error) => tracing::debug!(%error, "event not sent"),
    }
}

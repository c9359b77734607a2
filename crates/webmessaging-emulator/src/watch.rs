//! The ends of scans: each is waited for on the emulator's clock, and told once.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::event::Event;
use crate::scan::Verdict;
use crate::state::Shared;

/// A scan has ended.
const FILE_UPLOAD_COMPLETED: &str = "genesys.cloud.messaging.file.upload.completed";

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
pub(crate) fn watch_scan(shared: &Arc<Shared>, id: Uuid) {
    let watched = Arc::clone(shared);
    let ended = shared.watches.current();
    shared.sender.spawn(async move {
        let told = async {
            // Other bytes in the meantime put the end off, and so does a clock that is set back.
            while let Some(at) = watched.files.untold_until(id) {
                watched.clock.wait_until(at).await;
                tell(&watched, id);
            }
        };
        tokio::select! {
            biased;
            () = ended.cancelled() => {}
            () = told => {}
        }
    });
}

fn tell(shared: &Shared, id: Uuid) {
    let _turn = shared.turn();
    let Some(verdict) = shared.files.tell(id, shared.clock.now()) else { return };
    match Event::new(FILE_UPLOAD_COMPLETED, scan_result(id, verdict), &shared.clock) {
        Ok(event) => shared.publish(&event),
        Err(error) => tracing::debug!(%error, "event not sent"),
    }
}

fn scan_result(id: Uuid, verdict: Verdict) -> Value {
    json!({
        "fileId": id.to_string(),
        "virusScanResult": verdict.virus_scan_result(),
        "formatValidation": verdict.format_validation(),
        "status": verdict.status(),
    })
}

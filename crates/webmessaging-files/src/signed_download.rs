//! A download that goes on: a URL that is renewed before it ends, once for everybody who waits for it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use webmessaging_http::{Clock, Error};
use webmessaging_journal::Facts as EventFacts;
use webmessaging_model::Timestamp;

use crate::download_url::{AskDownloadUrl, DownloadUrl, Issued};
use crate::expiry::ExpiryPolicy;
use crate::gate::ScanGate;
use crate::get_attachment::Attachment;
use crate::quarantine::{BlockReason, BlockedFile};
use crate::wait_for_scan::is_blocked;

/// As long before its end a URL is renewed, unless a tenth of its life is less.
const MARGIN: Duration = Duration::from_secs(60);

/// Hands out download URLs of one file for as long as it is needed. Cheap to clone; clones share the URL.
///
/// A URL is kept until a tenth of its life is left, at most a minute; then the next caller asks for a new one, and everybody
/// who comes meanwhile waits for that. Both clocks are watched: after a jump of the calendar, or a sleep of the machine, a URL
/// is rather asked for once too often.
///
/// A file that turns out not to be clean any more is blocked for good: it is recorded, the hook for quarantine is called
/// once, and every later call is refused.
///
/// # Examples
/// ```no_run
/// # async fn example(files: webmessaging_files::FilesClient) -> Result<(), webmessaging_http::Error> {
/// let download = files.signed_download("message-1", "file-1");
/// let first = download.url().await?;
/// let later = download.url().await?;
/// # let _ = (first, later);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SignedDownload {
    ask: AskDownloadUrl,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// How many times a URL was asked for and the end is known.
    flights: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    issued: Option<Issued>,
    /// Why the last flight failed.
    failed: Option<Error>,
    is_blocked: bool,
}

impl SignedDownload {
    pub(crate) fn new(ask: AskDownloadUrl) -> Self {
        Self { ask, shared: Arc::default() }
    }

    /// Sets how long each URL may be used; one hour by default. Clones made before share neither policy nor URL.
    #[must_use]
    pub fn expiry(self, policy: ExpiryPolicy) -> Self {
        Self::new(self.ask.expiry(policy))
    }

    /// Asks a gate before each answer, also while a URL is kept. Clones made before do not.
    #[must_use]
    pub fn gate(self, gate: &ScanGate) -> Self {
        Self::new(self.ask.gate(gate))
    }

    /// A URL that lives for a while yet.
    ///
    /// # Errors
    /// Those of [`FilesClient::download_url`](crate::FilesClient::download_url). Whoever waited for the call of another has its error.
    pub async fn url(&self) -> Result<DownloadUrl, Error> {
        let before = self.shared.flights.load(Ordering::Acquire);
        let mut state = self.shared.state.lock().await;
        let is_told = is_blocked(self.ask.verdict_at_gate());
        if let Some(issued) = state.issued.as_ref().filter(|issued| !is_told && self.is_fresh(issued)) {
            return Ok(issued.download.clone());
        }
        state.issued = None;
        // Somebody has asked while this call waited; asking again at once would only fail again.
        let is_news = self.shared.flights.load(Ordering::Acquire) > before;
        if let Some(error) = state.failed.as_ref().filter(|_| is_news || state.is_blocked) {
            return Err(error.clone());
        }
        let outcome = match self.ask.run().await {
            Ok(issued) => {
                let download = issued.download.clone();
                state.issued = Some(issued);
                state.failed = None;
                Ok(download)
            }
            Err(refused) => {
                let mut error = refused.error;
                if let Some(attachment) = refused.blocked {
                    match self.block(&attachment).await {
                        Ok(()) => state.is_blocked = true,
                        // Tried again by the next call.
                        Err(unrecorded) => error = unrecorded,
                    }
                }
                state.failed = Some(error.clone());
                Err(error)
            }
        };
        self.shared.flights.fetch_add(1, Ordering::Release);
        outcome
    }

    async fn block(&self, attachment: &Attachment) -> Result<(), Error> {
        let verdict = attachment.verdict();
        let endpoint = &self.ask.endpoint;
        let id = endpoint.attachment.as_str();
        let mut file = BlockedFile::new(id, endpoint.message.clone(), BlockReason::Verdict(verdict));
        file.file_name.clone_from(&attachment.file_name);
        self.ask.files.scanned(&file, verdict, EventFacts::new()).await
    }

    fn is_fresh(&self, issued: &Issued) -> bool {
        let clock: &dyn Clock = &**self.ask.files.http.clock();
        let Issued { download, at, wall } = issued;
        let life = download.expires_at.since(*wall);
        let usable = life.saturating_sub((life / 10).min(MARGIN));
        let by_calendar = Timestamp::from(clock.wall());
        clock.now().saturating_duration_since(*at) < usable && by_calendar < *wall + usable
    }
}

impl fmt::Debug for SignedDownload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedDownload").field("ask", &self.ask).finish_non_exhaustive()
    }
}

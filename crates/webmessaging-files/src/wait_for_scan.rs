//! Asks for the scan's verdict, less and less often, until there is one or a webhook has told it.

use std::future::IntoFuture;
use std::pin::Pin;
use std::time::{Duration, Instant};

use webmessaging_http::{Error, ErrorKind, Facts, Sent};
use webmessaging_model::{FileId, ScanVerdict};

use crate::client::FilesClient;
use crate::gate::{ScanGate, Watch};
use crate::get_attachment::{Attachment, GetAttachment};
use crate::operations::GET_ATTACHMENT;
use crate::race::{First, first};

const FIRST_INTERVAL: Duration = Duration::from_millis(250);
/// Even at the very end, a look is given the time that an answer takes.
const SHORTEST_LOOK: Duration = Duration::from_secs(1);
/// How long a verdict is waited for by default.
pub(crate) const SCAN_WITHIN: Duration = Duration::from_secs(120);
const LONGEST_INTERVAL: Duration = Duration::from_secs(10);

/// Waits for a verdict; `.await` begins. Dropping the future ends the wait.
///
/// The first look is at once, the next after 250 ms, then each wait is twice the one before, up to 10 seconds. With a
/// [`gate`](Self::gate), a webhook ends the wait as well.
///
/// # Errors
/// [`Timeout`](ErrorKind::Timeout) when there is no verdict within the time, and those of
/// [`FilesClient::attachment`].
#[derive(Debug, Clone)]
#[must_use = "nothing is waited for until it is awaited"]
pub struct WaitForScan {
    files: FilesClient,
    endpoint: GetAttachment,
    within: Duration,
    gate: Option<ScanGate>,
}

impl WaitForScan {
    pub(crate) fn new(files: FilesClient, endpoint: GetAttachment) -> Self {
        Self { files, endpoint, within: SCAN_WITHIN, gate: None }
    }

    /// Sets how long to wait in all; 120 seconds by default.
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = limit;
        self
    }

    /// Listens to what webhooks say, too; whichever comes first ends the wait, and the worse of both counts.
    ///
    /// A webhook that came before the wait counts at once. One that blocks the file ends the wait without another request;
    /// after one that clears it the attachment is read once more, for its download URL. What the platform answers is told
    /// to the gate.
    pub fn gate(mut self, gate: &ScanGate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// The attachment, and how the last look went, unless a webhook made it needless.
    pub(crate) async fn run(self) -> Result<(Attachment, Option<Facts>), Error> {
        let gate = self.gate.clone().unwrap_or_default();
        let mut watch = gate.watch(FileId::new(self.endpoint.attachment.as_str()));
        let http = &self.files.http;
        let started = http.clock().now();
        let left = |now: Instant| self.within.saturating_sub(now.saturating_duration_since(started));
        let mut interval = FIRST_INTERVAL;
        loop {
            let is_cleared = watch.verdict() == ScanVerdict::Clean;
            let look = left(http.clock().now()).max(SHORTEST_LOOK);
            let looked = first(watch.until(is_blocked), http.send_within(&self.endpoint, look)).await;
            let (attachment, facts) = match looked {
                First::Left(()) => return Ok((self.blocked(&watch), None)),
                First::Right(answer) => answer.map(|answer| (answer.value, answer.facts))?,
            };
            watch.tell(attachment.verdict());
            let told = watch.verdict();
            if is_cleared || is_blocked(told) || attachment.verdict().is_final() {
                return Ok((attachment.with_known(told), Some(facts)));
            }
            if told.is_final() {
                // The webhook came while the platform was answering what is now old.
                continue;
            }
            let left = left(http.clock().now());
            if left.is_zero() {
                return Err(Error::new(ErrorKind::Timeout, Sent::Yes)
                    .with_operation(&GET_ATTACHMENT)
                    .with_message(format!("no scan verdict within {} s", self.within.as_secs())));
            }
            // The last look falls on the end of the time, not behind it.
            let sleep = http.clock().sleep(interval.min(left));
            first(watch.until(ScanVerdict::is_final), sleep).await;
            interval = (interval * 2).min(LONGEST_INTERVAL);
        }
    }

    fn blocked(&self, watch: &Watch) -> Attachment {
        Attachment::blocked(self.endpoint.attachment.clone(), watch.verdict())
    }
}

/// Whether a verdict keeps a file from everybody.
pub(crate) fn is_blocked(verdict: ScanVerdict) -> bool {
    verdict.is_final() && verdict != ScanVerdict::Clean
}

impl IntoFuture for WaitForScan {
    type Output = Result<Attachment, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { self.run().await.map(|(attachment, _)| attachment) })
    }
}

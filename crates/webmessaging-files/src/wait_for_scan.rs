//! Asks for the scan's verdict, less and less often, until there is one.

use std::future::IntoFuture;
use std::pin::Pin;
use std::time::{Duration, Instant};

use webmessaging_http::{Error, ErrorKind, Sent};

use crate::client::FilesClient;
use crate::get_attachment::{Attachment, GetAttachment};
use crate::operations::GET_ATTACHMENT;

const FIRST_INTERVAL: Duration = Duration::from_millis(250);
/// Even at the very end, a look is given the time that an answer takes.
const SHORTEST_LOOK: Duration = Duration::from_secs(1);
/// How long a verdict is waited for by default.
pub(crate) const SCAN_WITHIN: Duration = Duration::from_secs(120);
const LONGEST_INTERVAL: Duration = Duration::from_secs(10);

/// Waits for a verdict; `.await` begins. Dropping the future ends the wait.
///
/// The first look is at once, the next after 250 ms, then each wait is twice the one before, up to 10 seconds.
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
}

impl WaitForScan {
    pub(crate) fn new(files: FilesClient, endpoint: GetAttachment) -> Self {
        Self { files, endpoint, within: SCAN_WITHIN }
    }

    /// Sets how long to wait in all; 120 seconds by default.
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = limit;
        self
    }

    async fn run(self) -> Result<Attachment, Error> {
        let http = &self.files.http;
        let started = http.clock().now();
        let mut interval = FIRST_INTERVAL;
        loop {
            let left = |now: Instant| self.within.saturating_sub(now.saturating_duration_since(started));
            let look = left(http.clock().now()).max(SHORTEST_LOOK);
            let attachment = http.send_within(&self.endpoint, look).await?.value;
            if attachment.verdict().is_final() {
                return Ok(attachment);
            }
            let left = left(http.clock().now());
            if left.is_zero() {
                return Err(Error::new(ErrorKind::Timeout, Sent::Yes)
                    .with_operation(&GET_ATTACHMENT)
                    .with_message(format!("no scan verdict within {} s", self.within.as_secs())));
            }
            // The last look falls on the end of the time, not behind it.
            http.clock().sleep(interval.min(left)).await;
            interval = (interval * 2).min(LONGEST_INTERVAL);
        }
    }
}

impl IntoFuture for WaitForScan {
    type Output = Result<Attachment, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

//! The handle on a running emulator.

use std::fmt;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::builder::EmulatorBuilder;
use crate::clock::EmulatorClock;
use crate::delivery::Delivery;
use crate::document::DocumentError;
use crate::event::EventError;
use crate::fault::{Fault, FaultScript};
use crate::inspect::EmulatorState;
use crate::messages::BotMessage;
use crate::organization::Organization;
use crate::record::RecordedRequest;
use crate::routes::{Route, router};
use crate::seed::{SeedError, StateSeed, prepare};
use crate::server;
use crate::snapshot::{RestoreError, Snapshot, reset};
use crate::state::Shared;
use crate::tamper::Tamper;
use crate::verdicts::RejudgeError;

/// A running emulator. It stops when it is dropped.
///
/// # Examples
///
/// ```
/// use webmessaging_emulator::{Emulator, Fault, Route};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let emulator = Emulator::builder().start().await?;
/// emulator.inject(Route::Token, Fault::status(503).header("retry-after", "7"));
/// // ... run the client under test against `emulator.base_url()` ...
/// assert_eq!(emulator.count(Route::Token), 0);
/// emulator.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub struct Emulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: CancellationToken,
    server: Option<JoinHandle<()>>,
}

impl Emulator {
    /// A builder with every setting at its default.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::new()
    }

    pub(crate) fn run(shared: Arc<Shared>, listener: TcpListener, address: SocketAddr) -> Self {
        let stop = CancellationToken::new();
        let server = tokio::spawn(server::run(listener, router(Arc::clone(&shared)), stop.clone()));
        Self { shared, address, stop, server: Some(server) }
    }

    /// Where the API and the login are, such as `http://127.0.0.1:49152`; no slash at the end.
    ///
    /// An emulator that listens on all addresses names the loopback one here and in the URLs it hands out.
    pub fn base_url(&self) -> &str {
        &self.shared.base_url
    }

    /// The address that the emulator listens on, with the port that was chosen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The clock that tokens, signed URLs, scans and webhook deliveries follow.
    pub fn clock(&self) -> &EmulatorClock {
        &self.shared.clock
    }

    /// Lets one coming request of `route` go wrong.
    ///
    /// Faults of one route wait in a queue; each request takes the next one, and when the queue is empty requests
    /// are served as usual.
    pub fn inject(&self, route: Route, fault: Fault) {
        self.shared.faults.push(route, fault);
    }

    /// Replaces the fault script and counts its requests from the next one on. Injected faults stay, and go first.
    ///
    /// # Errors
    ///
    /// The script breaks a rule; the old one stays.
    pub fn set_faults(&self, script: FaultScript) -> Result<(), DocumentError> {
        script.check()?;
        self.shared.faults.set_script(script);
        Ok(())
    }

    /// What the emulator holds now.
    pub fn state(&self) -> EmulatorState {
        EmulatorState::of(&self.shared)
    }

    /// Puts what `seed` mentions in place of what is there.
    ///
    /// # Errors
    ///
    /// The seed breaks a rule, or a content cannot be stored; nothing has changed then.
    pub async fn seed(&self, seed: StateSeed) -> Result<(), SeedError> {
        let directory = self.shared.directory.path().to_owned();
        let prepared = prepare(seed, &self.shared.schemas, &self.shared.webhook_token, directory).await?;
        self.shared.apply(&prepared);
        Ok(())
    }

    /// Lets the next `count` scans fail, of uploads and transfers alike, in place of any that were to fail before.
    ///
    /// A scan begins with a file's last byte. One that fails ends at its time, as `failed` and without findings; bytes that
    /// are sent again in the meantime do not escape. A transfer without a virus scan has none that could fail.
    pub fn fail_scans(&self, count: usize) {
        self.shared.scan_failures.set(count);
    }

    /// Changes the verdict on a file or transfer that has one, as when a virus is found later: its virus scan came to
    /// `is_malicious`. Webhooks are told as at the end of a scan.
    ///
    /// # Errors
    ///
    /// [`RejudgeError::NotFound`] when nothing has this id, [`RejudgeError::NotJudged`] when there is no verdict yet.
    ///
    /// # Examples
    ///
    /// ```
    /// use webmessaging_emulator::{Emulator, RejudgeError, SeededFile, StateSeed};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let file = SeededFile::new("hello.txt", "text/plain", "message-1").content("hello");
    /// let emulator = Emulator::builder().seed(StateSeed::new().files([file])).start().await?;
    /// emulator.rejudge(&emulator.state().files[0].id, true)?;
    /// assert_eq!(emulator.state().files[0].virus_scan_result.as_deref(), Some("malicious"));
    /// assert_eq!(emulator.rejudge("another", true), Err(RejudgeError::NotFound));
    /// # Ok(())
    /// # }
    /// ```
    pub fn rejudge(&self, id: &str, is_malicious: bool) -> Result<(), RejudgeError> {
        self.shared.rejudge(id, is_malicious)
    }

    /// The emulated platform as it is now: tokens, files and transfers with their bytes, the organisation, guests, bot
    /// messages, webhooks, rate counters and the clock.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = webmessaging_emulator::Emulator::builder().start().await?;
    /// let before = emulator.snapshot();
    /// emulator.clock().advance(Duration::from_secs(3_600));
    /// emulator.restore(&before)?;
    /// assert!(emulator.state().clock.ahead_seconds < 1.0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::take(&self.shared)
    }

    /// Goes back to a snapshot. Deliveries that are open end as canceled. Faults, scans that are to fail, tampers, recorded requests and the log of
    /// deliveries stay; a request that is under way acts on what it finds.
    ///
    /// # Errors
    ///
    /// The snapshot is of another emulator.
    pub fn restore(&self, snapshot: &Snapshot) -> Result<(), RestoreError> {
        snapshot.restore(&self.shared)
    }

    /// Brings tokens, files, transfers, the organisation, guests, bot messages, webhooks, rate counters, clock and faults back to how they were at the start,
    /// and forgets recorded requests, deliveries and tampers. Deliveries that are open end.
    pub fn reset(&self) {
        reset(&self.shared);
    }

    /// The last 10 000 requests, oldest first, of known and unknown paths.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.journal.requests()
    }

    /// Forgets the recorded requests and their counts.
    pub fn clear_requests(&self) {
        self.shared.journal.clear();
    }

    /// How many requests `route` has received so far, those with faults included.
    pub fn count(&self, route: Route) -> usize {
        self.shared.journal.count(route)
    }

    /// What the organisation holds at present; a [seed](Self::seed) replaces it.
    pub fn organization(&self) -> Organization {
        self.shared.organization.capture().as_ref().clone()
    }

    /// The bot messages that a conversation has got, in the order in which they arrived; none when it is unknown.
    pub fn messages(&self, conversation_id: &str) -> Vec<BotMessage> {
        self.shared.messages.of(conversation_id).iter().map(|message| message.as_ref().clone()).collect()
    }

    /// Sends an event to every webhook that wants it, and gives the event's id.
    ///
    /// The body is `{"eventType", "eventId", "timestamp", "data"}`; but the `data` of
    /// `webchat.fileTransfer.statusChange` is the whole body, as the documents have it. When scans end they send that one,
    /// or `genesys.cloud.messaging.file.upload.completed` for an upload, by themselves.
    ///
    /// # Errors
    ///
    /// [`EventError`] when the type is none, or when the data cannot be written as JSON of up to 512 000 bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use webmessaging_emulator::Emulator;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = Emulator::builder().start().await?;
    /// let id = emulator.send_event("channel.updated", [("channelType", "webchat")])?;
    /// assert_eq!(id.len(), 36);
    /// // Nobody has registered a webhook.
    /// assert!(emulator.deliveries().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn send_event(&self, event_type: &str, data: impl Serialize) -> Result<String, EventError> {
        self.shared.send_event(event_type, data)
    }

    /// The last 10 000 deliveries to webhooks, oldest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.sender.log().deliveries()
    }

    /// Lets the deliveries of one coming event go wrong.
    ///
    /// Tampers wait in a queue; each event that some webhook wants takes the next one.
    pub fn tamper(&self, tamper: Tamper) {
        self.shared.sender.tamper(tamper);
    }

    /// Stops listening, lets requests that are under way end for up to 5 s, cuts deliveries that are under way, and
    /// removes what was uploaded.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        if let Some(server) = self.server.take() {
            // A server that panicked is stopped as well.
            let _ = server.await;
        }
        self.shared.sender.stopped().await;
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
        self.shared.sender.stop();
    }
}

impl Debug for Emulator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Emulator").field("address", &self.address).finish_non_exhaustive()
    }
}

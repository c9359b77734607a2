//! Many messages from a list, each once, whatever happens in between.

mod line;
mod report;
mod run;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use futures_core::Stream;
use futures_util::stream::{self, StreamExt};
use webmessaging_bots::{Delivered, Reason, Sender, Undelivered};
use webmessaging_http::Clock;
use webmessaging_http::clock::TokioClock;
use webmessaging_model::{ConversationId, Timestamp};
use webmessaging_store::{Begun, IntentId, IntentOutcome, NewIntent, Store};

use self::line::{Line, Noted};
pub use self::report::{BulkError, BulkReport, BulkStop, LineOutcome};
use self::run::{Ended, Run};

/// So many conversations have a line under way at once.
const UNDER_WAY: usize = 256;

/// So many lines wait behind others of their conversations, so that those of other conversations are found.
const WAITING: usize = 1_024;

/// What intents of a list are called in the store.
const OPERATION: &str = "bots.bulk";

/// Sends the messages of a list, one JSON object a line: a `conversationId` beside the fields of a message.
///
/// A line is put on record before it is sent, with the id of its request. Whoever is interrupted runs the same list again: what has arrived is not sent
/// again, and of what may have arrived the conversation is asked. One run at a time: two at once do not know of each other. The lines of a conversation go out in their order; after one that could not be sent, the
/// others of its conversation wait for the next run.
///
/// # Examples
/// ```no_run
/// use std::sync::Arc;
/// use webmessaging::bots::Sender;
/// use webmessaging::store::Store;
/// use webmessaging::{BulkSender, Client};
///
/// # async fn example(client: Client, store: Arc<dyn Store>) -> Result<(), Box<dyn std::error::Error>> {
/// let bulk = BulkSender::new(Sender::new(client.bots()), store, "campaign-7");
/// let list = std::io::BufReader::new(std::fs::File::open("campaign-7.jsonl")?);
/// let lines = futures_util::stream::iter(std::io::BufRead::lines(list));
/// let report = bulk.run(lines, |line, outcome| println!("{line}: {outcome}")).await?;
/// println!("{} sent, {} left", report.sent, report.left());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct BulkSender {
    sender: Sender,
    store: Arc<dyn Store>,
    name: String,
    clock: Arc<dyn Clock>,
}

/// What a line whose turn it is has to know.
struct Turn {
    /// Whether a line before it of its conversation could not be sent.
    is_held: bool,
    /// When the run began; what an earlier one has sent was on its way by then.
    since: Instant,
}

impl BulkSender {
    /// A sender of the list that is called `name`: the same list must have the same name when it is run again.
    pub fn new(sender: Sender, store: Arc<dyn Store>, name: impl Into<String>) -> Self {
        Self { sender, store, name: name.into(), clock: Arc::new(TokioClock) }
    }

    /// Replaces the clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sends what was not sent before. A line is taken up when it is there, and sent as soon as those before it of its conversation are, of at most 256 conversations at once. One that
    /// has to be waited for holds up those of its own conversation alone, as long as no more than 1,024 lines wait so.
    /// `told` hears of every line that is not blank, by its number from 1, when it has ended; of those for which the store fails it does not.
    ///
    /// # Errors
    /// [`BulkError`] when the list cannot be read, after the lines before that were sent, when the login fails, or when the store does; what was sent until then is on
    /// record.
    pub async fn run(
        &self,
        lines: impl Stream<Item = io::Result<String>>,
        told: impl FnMut(u64, &LineOutcome),
    ) -> Result<BulkReport, BulkError> {
        let lines = pin!(lines.zip(stream::iter(1..)).fuse());
        Run::new(self, told).through(lines).await
    }

    /// Puts a line on record and sends it, after all before it of its conversation. Those whose turn comes together share a commit.
    async fn take(&self, (number, line): (u64, Line), turn: Turn) -> Ended {
        let conversation = line.conversation.clone();
        let outcome = match self.begin(number, &line).await {
            Ok((request_id, begun)) => self.send(line, request_id, begun, turn).await,
            Err(stop) => Err(stop),
        };
        Ended { conversation, number, outcome }
    }

    /// Puts a line on record.
    async fn begin(&self, number: u64, line: &Line) -> Result<(String, Begun), BulkStop> {
        let request_id = self.sender.client().new_request_id();
        let noted = Noted { request_id: request_id.clone(), sha256: line.sha256.clone() };
        let intent = NewIntent::new(OPERATION, format!("{}:{number}", self.name), self.now());
        let begun = self.store.begin_intent(intent.details(noted.to_json())).await?;
        Ok((request_id, begun))
    }

    /// Sends a line that is on record, unless it was sent before, and puts on record what came of it.
    async fn send(
        &self,
        line: Line,
        request_id: String,
        begun: Begun,
        turn: Turn,
    ) -> Result<LineOutcome, BulkStop> {
        let Line { conversation, message, sha256 } = line;
        let Turn { is_held, since } = turn;
        let is_same = |details: &str| Noted::of(details).filter(|noted| noted.sha256 == sha256);
        let (intent, ticket, is_open) = match begun {
            Begun::Done(intent) => {
                let is_same = is_same(&intent.details).is_some();
                return Ok(if is_same { LineOutcome::SentBefore } else { LineOutcome::Changed });
            }
            Begun::New(id) if is_held => (id, Err(Undelivered::not_sent(&request_id)), false),
            Begun::New(id) => (id, self.sender.enqueue_as(conversation, request_id, message).await, false),
            Begun::Open(intent) => {
                let Some(noted) = is_same(&intent.details) else { return Ok(LineOutcome::Changed) };
                if is_held {
                    return Ok(LineOutcome::Undelivered(Undelivered::not_sent(&noted.request_id)));
                }
                self.let_settle(since).await;
                // An earlier run with this sender may have stopped it for this very line, which is looked for now.
                let is_its_own = |stopped: &(ConversationId, String)| {
                    *stopped == (conversation.clone(), noted.request_id.clone())
                };
                if self.sender.stopped().iter().any(is_its_own) {
                    self.sender.resume(&conversation);
                }
                let ticket = self.sender.enqueue_again(conversation, noted.request_id, message).await;
                (intent.id, ticket, true)
            }
            _ => return Ok(LineOutcome::Changed),
        };
        let outcome = match ticket {
            Ok(ticket) => ticket.await,
            Err(undelivered) => Err(undelivered),
        };
        match outcome {
            Ok(Delivered { message_id, .. }) => {
                self.finish(intent, IntentOutcome::Done, message_id.as_str()).await?;
                Ok(LineOutcome::Delivered(message_id))
            }
            Err(undelivered) => {
                let reason = undelivered.reason;
                match reason {
                    Reason::NotRecorded => self.finish(intent, IntentOutcome::Done, reason.as_str()).await?,
                    // What has perhaps gone out before stays open, with its request id: the next run looks for it.
                    Reason::Refused => self.finish(intent, IntentOutcome::NotDone, reason.as_str()).await?,
                    Reason::Behind if !is_open => {
                        self.finish(intent, IntentOutcome::NotDone, reason.as_str()).await?;
                    }
                    _ => {}
                }
                Ok(LineOutcome::Undelivered(undelivered))
            }
        }
    }

    /// Waits until what a process has sent that is gone had the time to arrive.
    async fn let_settle(&self, since: Instant) {
        let passed = self.clock.now().saturating_duration_since(since);
        let left = self.sender.settle().saturating_sub(passed);
        if !left.is_zero() {
            self.clock.sleep(left).await;
        }
    }

    async fn finish(&self, id: IntentId, outcome: IntentOutcome, note: &str) -> Result<(), BulkStop> {
        Ok(self.store.finish_intent(id, outcome, note, self.now()).await?)
    }

    fn now(&self) -> Timestamp {
        self.clock.wall().into()
    }
}

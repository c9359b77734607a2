//! Many messages from a list, each once, whatever happens in between.

mod line;
mod report;

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use futures_util::future::join_all;
use webmessaging_bots::{Arrival, Delivered, Reason, Sender, Ticket, Undelivered};
use webmessaging_http::Clock;
use webmessaging_http::clock::TokioClock;
use webmessaging_model::{ConversationId, Timestamp, Violations};
use webmessaging_store::{Begun, Intent, IntentId, IntentOutcome, NewIntent, Store};

use self::line::{Line, Noted};
pub use self::report::{BulkError, BulkReport, LineOutcome};

/// Lines that are put on record together, and are under way together.
const WINDOW: usize = 256;

/// What intents of a list are called in the store.
const OPERATION: &str = "bots.bulk";

/// Sends the messages of a list, one JSON object a line: a `conversationId` beside the fields of a message.
///
/// A line is put on record before it is sent, with the id of its request. Whoever is interrupted runs the same list again: what has arrived is not sent
/// again, and of what may have arrived the conversation is asked. The lines of a conversation go out in their order; after one that could not be sent, the
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
/// let report = bulk.run(std::io::BufRead::lines(list), |line, outcome| println!("{line}: {outcome}")).await?;
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

/// A line on its way.
struct OnItsWay {
    number: u64,
    intent: IntentId,
    conversation: ConversationId,
    ticket: Result<Ticket, Undelivered>,
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

    /// Sends what was not sent before. `told` hears of every line, by its number from 1, in the order of their windows of 256.
    ///
    /// # Errors
    /// [`BulkError`] when the list cannot be read or the store fails; what was sent until then is on record.
    pub async fn run(
        &self,
        lines: impl IntoIterator<Item = io::Result<String>>,
        mut told: impl FnMut(u64, &LineOutcome),
    ) -> Result<BulkReport, BulkError> {
        let mut report = BulkReport::default();
        let mut held = HashSet::new();
        let is_empty = |line: &io::Result<String>| line.as_ref().is_ok_and(|text| text.trim().is_empty());
        let mut lines = (1..).zip(lines).filter(|(_, line)| !is_empty(line)).peekable();
        while lines.peek().is_some() {
            let mut window = Vec::with_capacity(WINDOW);
            for (number, line) in lines.by_ref().take(WINDOW) {
                let text = line.map_err(|error| BulkError::List(number, error))?;
                window.push((number, Line::read(&text)));
            }
            let mut tell = |number, outcome: LineOutcome| {
                report.count(&outcome);
                told(number, &outcome);
            };
            self.window(window, &mut held, &mut tell).await?;
        }
        Ok(report)
    }

    async fn window(
        &self,
        lines: Vec<(u64, Result<Line, Violations>)>,
        held: &mut HashSet<ConversationId>,
        tell: &mut impl FnMut(u64, LineOutcome),
    ) -> Result<(), BulkError> {
        let mut ready = Vec::new();
        for (number, line) in lines {
            match line {
                Ok(line) => ready.push((number, line)),
                Err(violations) => tell(number, LineOutcome::Rejected(violations)),
            }
        }
        // Together, so that they share a commit.
        let noted = join_all(ready.iter().map(|(number, line)| self.begin(*number, line))).await;
        let mut under_way = Vec::new();
        for ((number, line), begun) in ready.into_iter().zip(noted) {
            let (request_id, begun) = begun?;
            if let Some(outcome) = self.begun(number, line, request_id, begun, held, &mut under_way).await? {
                tell(number, outcome);
            }
        }
        let ended = join_all(under_way.into_iter().map(|line| self.end(line))).await;
        for ended in ended {
            let (number, conversation, outcome) = ended?;
            if let LineOutcome::Undelivered(undelivered) = &outcome
                && matches!(undelivered.reason, Reason::GaveUp | Reason::Unknown | Reason::Behind)
            {
                held.insert(conversation);
            }
            tell(number, outcome);
        }
        Ok(())
    }

    /// Puts a line on record.
    async fn begin(&self, number: u64, line: &Line) -> Result<(String, Begun), BulkError> {
        let request_id = self.sender.client().new_request_id();
        let noted = Noted { request_id: request_id.clone(), sha256: line.sha256.clone() };
        let intent = NewIntent::new(OPERATION, format!("{}:{number}", self.name), self.now());
        let begun = self.store.begin_intent(intent.details(noted.to_json())).await?;
        Ok((request_id, begun))
    }

    /// What has to be done for a line that is on record; an outcome where that is nothing.
    async fn begun(
        &self,
        number: u64,
        line: Line,
        request_id: String,
        begun: Begun,
        held: &mut HashSet<ConversationId>,
        under_way: &mut Vec<OnItsWay>,
    ) -> Result<Option<LineOutcome>, BulkError> {
        let (intent, request_id) = match begun {
            Begun::New(id) => (id, request_id),
            Begun::Done(intent) => {
                let is_same = Noted::of(&intent.details).is_some_and(|noted| noted.sha256 == line.sha256);
                return Ok(Some(if is_same { LineOutcome::SentBefore } else { LineOutcome::Changed }));
            }
            Begun::Open(intent) => match self.look(&line, &intent).await? {
                Looked::Absent(request_id) => (intent.id, request_id),
                Looked::Outcome(outcome) => {
                    if !matches!(outcome, LineOutcome::Delivered(_)) {
                        held.insert(line.conversation);
                    }
                    return Ok(Some(outcome));
                }
            },
            _ => return Ok(Some(LineOutcome::Changed)),
        };
        let ticket = if held.contains(&line.conversation) {
            Err(Undelivered::not_sent(&request_id))
        } else {
            self.sender.enqueue_as(line.conversation.clone(), request_id, line.message).await
        };
        under_way.push(OnItsWay { number, intent, conversation: line.conversation, ticket });
        Ok(None)
    }

    /// What became of a line that an earlier run has begun.
    async fn look(&self, line: &Line, intent: &Intent) -> Result<Looked, BulkError> {
        let Some(noted) = Noted::of(&intent.details).filter(|noted| noted.sha256 == line.sha256) else {
            return Ok(Looked::Outcome(LineOutcome::Changed));
        };
        match self.sender.client().arrival(line.conversation.clone(), &noted.request_id).await {
            Ok(Arrival::Arrived(id)) => {
                self.finish(intent.id, IntentOutcome::Done, id.as_str()).await?;
                Ok(Looked::Outcome(LineOutcome::Delivered(id)))
            }
            Ok(Arrival::Absent) => Ok(Looked::Absent(noted.request_id)),
            // Nobody can say now; it stays open.
            _ => Ok(Looked::Outcome(LineOutcome::Undelivered(Undelivered::unknown(&noted.request_id)))),
        }
    }

    /// Waits for a line, and puts on record what came of it.
    async fn end(&self, line: OnItsWay) -> Result<(u64, ConversationId, LineOutcome), BulkError> {
        let OnItsWay { number, intent, conversation, ticket } = line;
        let outcome = match ticket {
            Ok(ticket) => ticket.await,
            Err(undelivered) => Err(undelivered),
        };
        let outcome = match outcome {
            Ok(Delivered { message_id, .. }) => {
                self.finish(intent, IntentOutcome::Done, message_id.as_str()).await?;
                LineOutcome::Delivered(message_id)
            }
            Err(undelivered) => {
                if undelivered.can_repeat() {
                    self.finish(intent, IntentOutcome::NotDone, undelivered.reason.as_str()).await?;
                } else if undelivered.reason == Reason::NotRecorded {
                    self.finish(intent, IntentOutcome::Done, undelivered.reason.as_str()).await?;
                }
                LineOutcome::Undelivered(undelivered)
            }
        };
        Ok((number, conversation, outcome))
    }

    async fn finish(&self, id: IntentId, outcome: IntentOutcome, note: &str) -> Result<(), BulkError> {
        Ok(self.store.finish_intent(id, outcome, note, self.now()).await?)
    }

    fn now(&self) -> Timestamp {
        self.clock.wall().into()
    }
}

/// What became of a line that was begun before.
enum Looked {
    /// It has not arrived, and is sent with this request id.
    Absent(String),
    Outcome(LineOutcome),
}

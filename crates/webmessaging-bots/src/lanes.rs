//! The lanes of a sender: one for each conversation that has a message waiting.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use webmessaging_model::ConversationId;

use crate::client::BotsClient;
use crate::message::Message;
use crate::outcome::{Delivered, Reason, Undelivered};

pub(crate) struct Lanes {
    pub(crate) bots: BotsClient,
    pub(crate) room: Arc<Semaphore>,
    pub(crate) capacity: usize,
    /// Whoever waits for room keeps their turn until the message is in its lane.
    pub(crate) turns: tokio::sync::Mutex<()>,
    pub(crate) flights: Semaphore,
    pub(crate) by_conversation: Mutex<HashMap<ConversationId, Lane>>,
    pub(crate) rounds: u32,
    pub(crate) settle: Duration,
}

/// A conversation that has something to send, or must not.
pub(crate) enum Lane {
    /// Somebody is at work; these wait.
    Running(VecDeque<Job>),
    /// Nobody knows what became of the message with this request id.
    Stopped(String),
}

/// A message that waits, with its place among all that do.
pub(crate) struct Job {
    pub(crate) message: Message,
    pub(crate) request_id: String,
    /// Whether it may have been sent before, by somebody who is gone.
    pub(crate) may_be_there: bool,
    pub(crate) is_admitted: bool,
    pub(crate) told: oneshot::Sender<Result<Delivered, Undelivered>>,
    pub(crate) _room: OwnedSemaphorePermit,
}

impl Job {
    fn tell(self, outcome: Result<Delivered, Undelivered>) {
        // Whoever dropped the ticket does not want to know.
        let _ = self.told.send(outcome);
    }
}

/// Somebody's work on a lane. One that ends in the middle, with its runtime or in a panic, leaves a message of which nobody knows.
struct Work {
    lanes: Arc<Lanes>,
    conversation: ConversationId,
    request_id: String,
    is_over: bool,
}

impl Drop for Work {
    fn drop(&mut self) {
        if !self.is_over {
            let _ = self.lanes.after(&self.conversation, &self.request_id, Some(Reason::Unknown));
        }
    }
}

impl Lanes {
    /// Nothing is half-done under the lock, so a poisoned one holds good data.
    pub(crate) fn lock(&self) -> MutexGuard<'_, HashMap<ConversationId, Lane>> {
        self.by_conversation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message to the end of its lane, which begins to run if it does not yet.
    pub(crate) fn add(self: &Arc<Self>, conversation: ConversationId, job: Job) -> Result<(), Undelivered> {
        let mut lanes = self.lock();
        match lanes.get_mut(&conversation) {
            Some(Lane::Running(waiting)) => waiting.push_back(job),
            Some(Lane::Stopped(_)) => return Err(Undelivered::not_sent(&job.request_id)),
            None => {
                // Outside a runtime nobody could work on it.
                let runtime = Handle::try_current().map_err(|_| Undelivered::not_sent(&job.request_id))?;
                lanes.insert(conversation.clone(), Lane::Running(VecDeque::new()));
                drop(lanes);
                let (lanes, request_id) = (Arc::clone(self), job.request_id.clone());
                let work = Work { lanes, conversation, request_id, is_over: false };
                runtime.spawn(run(work, job));
            }
        }
        Ok(())
    }

    /// What follows in a lane; nothing when it is over.
    fn after(&self, conversation: &ConversationId, request_id: &str, reason: Option<Reason>) -> Option<Job> {
        let mut lanes = self.lock();
        let Some(Lane::Running(waiting)) = lanes.get_mut(conversation) else { return None };
        if !matches!(reason, Some(Reason::GaveUp | Reason::Unknown)) {
            if let Some(next) = waiting.pop_front() {
                return Some(next);
            }
            lanes.remove(conversation);
            return None;
        }
        let behind = std::mem::take(waiting);
        if reason == Some(Reason::Unknown) {
            lanes.insert(conversation.clone(), Lane::Stopped(request_id.to_owned()));
        } else {
            lanes.remove(conversation);
        }
        drop(lanes);
        for job in behind {
            let undelivered = Undelivered::not_sent(&job.request_id);
            job.tell(Err(undelivered));
        }
        None
    }
}

/// Sends what is in a lane until it is empty, or must stop.
async fn run(mut work: Work, mut job: Job) {
    loop {
        job.request_id.clone_into(&mut work.request_id);
        let outcome = work.lanes.deliver(&work.conversation, &job).await;
        let reason = outcome.as_ref().err().map(|undelivered| undelivered.reason);
        let next = work.lanes.after(&work.conversation, &work.request_id, reason);
        work.is_over = next.is_none();
        job.tell(outcome);
        match next {
            Some(next) => job = next,
            None => return,
        }
    }
}

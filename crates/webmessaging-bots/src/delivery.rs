//! One message of a lane, until it is known what became of it.

use std::time::Duration;

use tokio::sync::SemaphorePermit;
use webmessaging_http::{Error, ErrorKind, Sent};
use webmessaging_model::{ConversationId, MessageId};

use crate::arrival::Arrival;
use crate::client::{cannot_say, may_have_arrived};
use crate::lanes::{Job, Lanes};
use crate::operations::SEND_MESSAGE;
use crate::outcome::{Delivered, Reason, Undelivered};
use crate::record;
use crate::send_message::SendMessage;

/// The first pause before a message that has not arrived is sent again; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);

/// Longer than this no pause is, but where the server asks for it.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Who asks for more than this is not waited for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

/// Where a timeout says that somebody is still at work on it, it is given so many times longer.
const SLOW: u32 = 3;

impl Lanes {
    /// Sends a message until it is known what became of it, and records that.
    pub(crate) async fn deliver(
        &self,
        conversation: &ConversationId,
        job: &Job,
    ) -> Result<Delivered, Undelivered> {
        let request = SendMessage::new(conversation.clone(), &*job.request_id, &job.message);
        let (reason, error) = match self.attempts(job, &request).await {
            Ok(outcome) => return outcome,
            Err(failed) => failed,
        };
        record::failed(&self.bots, &job.message, &request, &error, reason == Reason::Unknown).await;
        Err(Undelivered::new(reason, &job.request_id, error))
    }

    /// The outer error is that the message is not there, as far as anybody knows.
    async fn attempts(
        &self,
        job: &Job,
        request: &SendMessage,
    ) -> Result<Result<Delivered, Undelivered>, (Reason, Error)> {
        // Whether an attempt has gone out of which nobody knew at once.
        let mut was_lost = job.may_be_there;
        if was_lost {
            match self.look(job, request, Duration::ZERO).await {
                Arrival::Arrived(id) => return Ok(self.found(job, request, id).await),
                Arrival::Absent => {}
                Arrival::Unclear => return Err((Reason::Unknown, lost())),
            }
        }
        let mut round = 1;
        loop {
            let flight = self.flight().await;
            let error = match self.bots.attempt(&job.message, request, job.is_admitted).await {
                Ok(answer) => {
                    let sent = self.bots.record(&job.message, request, Ok(answer)).await;
                    let sent =
                        sent.map_err(|error| Undelivered::new(Reason::NotRecorded, &job.request_id, error));
                    return Ok(sent.map(Delivered::from));
                }
                Err(error) => error,
            };
            // Whoever waits holds up nobody else.
            drop(flight);
            let is_last = round >= self.rounds;
            if may_have_arrived(&error) {
                was_lost = true;
                let is_slow =
                    error.kind() == ErrorKind::Timeout || error.status().is_some_and(|status| status == 504);
                let settle = self.settle * if is_slow { SLOW } else { 1 };
                // It was taken, only the answer is odd: what is not there yet will be.
                let was_taken = error.status().is_some_and(|status| status.is_success());
                match self.look(job, request, settle).await {
                    Arrival::Arrived(id) => return Ok(self.found(job, request, id).await),
                    Arrival::Unclear => return Err((Reason::Unknown, error)),
                    Arrival::Absent if was_taken => return Err((Reason::Unknown, error)),
                    Arrival::Absent if is_last => return Err((Reason::GaveUp, error)),
                    Arrival::Absent => {}
                }
            } else {
                let pause = error.retry_after().unwrap_or_else(|| pause(round));
                let is_for_later = error.is_transient()
                    || error.status().is_some_and(|status| matches!(status.as_u16(), 408 | 425));
                let gives_up = is_last || pause > RETRY_AFTER_MAX;
                if !is_for_later || gives_up {
                    // A login that fails says nothing of the message, and nothing good of those behind it.
                    let is_refused = !is_for_later && !error.is_of_login();
                    let reason = if is_refused { Reason::Refused } else { Reason::GaveUp };
                    return self.refused(job, request, was_lost, (reason, error)).await;
                }
                self.bots.http.clock().sleep(pause).await;
            }
            round += 1;
        }
    }

    /// An attempt was refused. When there was one before it of which nobody knew, it may be refused because of that.
    async fn refused(
        &self,
        job: &Job,
        request: &SendMessage,
        was_lost: bool,
        refusal: (Reason, Error),
    ) -> Result<Result<Delivered, Undelivered>, (Reason, Error)> {
        if !was_lost {
            return Err(refusal);
        }
        match self.look(job, request, self.settle).await {
            Arrival::Arrived(id) => Ok(self.found(job, request, id).await),
            Arrival::Absent => Err(refusal),
            Arrival::Unclear => Err((Reason::Unknown, refusal.1)),
        }
    }

    /// Looks what became of a message, as often as it takes to be answered.
    async fn look(&self, job: &Job, request: &SendMessage, settle: Duration) -> Arrival {
        for round in 1..=self.rounds {
            let pause = if round == 1 { settle } else { pause(round) };
            self.bots.http.clock().sleep(pause).await;
            let _flight = self.flight().await;
            let (conversation, from) = (request.conversation().clone(), Some(job.message.from()));
            match self.bots.arrival_of(conversation, &job.request_id, from).await {
                Ok(arrival) => return arrival,
                Err(error) if cannot_say(&error) => return Arrival::Unclear,
                Err(_) => {}
            }
        }
        Arrival::Unclear
    }

    /// Nobody closes it.
    async fn flight(&self) -> Option<SemaphorePermit<'_>> {
        self.flights.acquire().await.ok()
    }

    /// A message whose answer was lost has arrived.
    async fn found(&self, job: &Job, request: &SendMessage, id: MessageId) -> Result<Delivered, Undelivered> {
        if let Some(receipts) = &self.bots.receipts {
            receipts.sent(request.conversation(), &id);
        }
        match record::found(&self.bots, &job.message, request, &id).await {
            Ok(()) => {
                let (request_id, sha256) = (job.request_id.clone(), request.sha256());
                Ok(Delivered { message_id: id, request_id, sha256, facts: None })
            }
            Err(cause) => {
                let error = Error::new(ErrorKind::NotRecorded, Sent::Yes).with_operation(&SEND_MESSAGE);
                let error = error.with_subject(id.as_str()).with_source(cause);
                Err(Undelivered::new(Reason::NotRecorded, &job.request_id, error))
            }
        }
    }
}

/// Of a message that somebody else has sent, who is gone.
fn lost() -> Error {
    Error::new(ErrorKind::Interrupted, Sent::Maybe)
        .with_operation(&SEND_MESSAGE)
        .with_message("it may have been sent before, and nobody can say")
}

fn pause(round: u32) -> Duration {
    PAUSE.saturating_mul(1 << (round - 1).min(10)).min(PAUSE_MAX)
}

//! The work on what was accepted: claimed, handled, and finished together with what follows from it.

use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt, StreamExt, stream};
use webmessaging_store::{ClaimedDelivery, DeliveryClaim, Error as StoreError, ErrorKind as StoreErrorKind};

use super::handler::{Fate, Handled, HandlerError, Received, again_at};
use super::limit::within;
use super::{Receiver, log};
use crate::event::Event;

/// Who claims, for people who look at the store.
const WORKER: &str = "receiver";

/// Works until it is told to stop, and finishes what it has begun.
pub(super) async fn run(receiver: &Receiver) {
    let mut stopping = receiver.0.stopping.subscribe();
    while !receiver.is_stopping() {
        // Asked for before the inbox is read, so that nothing that arrives meanwhile is missed.
        let arrived = receiver.0.arrived.notified();
        if work_once(receiver).await > 0 {
            continue;
        }
        let pause = receiver.0.clock.watchdog(receiver.0.setup.poll_every);
        tokio::select! {
            () = arrived => {}
            () = pause => {}
            _ = stopping.changed() => {}
        }
    }
}

/// Works on what is due; tells how much it was.
async fn work_once(receiver: &Receiver) -> usize {
    let setup = &receiver.0.setup;
    // No more than can be begun at once: the lease of what waits would run out meanwhile.
    let limit = u32::try_from(setup.concurrency).unwrap_or(u32::MAX);
    let now = receiver.0.clock.wall();
    let claimed = match receiver.0.store.claim_deliveries(WORKER, limit, setup.lease, now).await {
        Ok(claimed) => claimed,
        Err(error) => {
            log::store_failed(&error);
            return 0;
        }
    };
    let count = claimed.len();
    stream::iter(claimed)
        .for_each_concurrent(setup.concurrency, |delivery| async move {
            if let Err(error) = work_on(receiver, delivery).await {
                // Whoever has it now, or has it when the lease ends, goes on with it.
                if error.kind() != StoreErrorKind::LeaseLost {
                    log::store_failed(&error);
                }
            }
        })
        .await;
    count
}

async fn work_on(receiver: &Receiver, delivery: ClaimedDelivery) -> Result<(), StoreError> {
    let (claim, attempt) = (delivery.claim.clone(), delivery.attempt);
    let (store, figures) = (&receiver.0.store, &receiver.0.figures);
    log::work_begins(claim.id(), attempt);
    let Err(error) = finish(receiver, &claim, delivery).await? else {
        log::work_finished(claim.id());
        figures.handled();
        return Ok(());
    };
    let now = receiver.0.clock.wall();
    let again = match error.fate {
        Fate::Hold => Some(again_at(now, attempt, None)),
        Fate::Retry { after } if attempt < receiver.0.setup.attempts_max => {
            Some(again_at(now, attempt, after))
        }
        Fate::Retry { .. } | Fate::Bury => None,
    };
    if let Some(at) = again {
        store.retry_delivery(&claim, at, error.reason(), now).await?;
        log::retrying(claim.id(), attempt, error.reason());
        figures.retried();
    } else {
        store.bury_delivery(&claim, error.reason(), now).await?;
        log::buried(claim.id(), attempt, error.reason());
        figures.buried();
    }
    Ok(())
}

/// Handles a delivery and writes what follows from it. The inner error is the delivery's, the outer one leaves it to whoever has
/// it next.
async fn finish(
    receiver: &Receiver,
    claim: &DeliveryClaim,
    delivery: ClaimedDelivery,
) -> Result<Result<(), HandlerError>, StoreError> {
    // With everything that is not ours: a panic, or work without an end, must not take the others with it.
    let work = AssertUnwindSafe(handle(receiver, delivery)).catch_unwind();
    let handled = match within(&*receiver.0.clock, receiver.0.setup.lease, work).await {
        Some(Ok(Ok(handled))) => handled,
        Some(Ok(Err(error))) => return Ok(Err(error)),
        Some(Err(_)) => {
            return Ok(Err(HandlerError::retry("the handler has panicked, which is a mistake in it")));
        }
        None => return Ok(Err(HandlerError::retry("the handler took longer than the lease"))),
    };
    log::work_recorded(claim.id());
    match receiver.0.store.finish_delivery(claim, handled.effects, receiver.0.clock.wall()).await {
        Ok(()) => Ok(Ok(())),
        Err(error) if error.kind() == StoreErrorKind::LeaseLost => Err(error),
        Err(error) => Ok(Err(error.into())),
    }
}

/// What follows from a delivery, recorded in the journal and ready to be written.
async fn handle(receiver: &Receiver, delivery: ClaimedDelivery) -> Result<Handled, HandlerError> {
    let event = Event::from_slice(&delivery.body).map_err(|error| HandlerError::bury(error.to_string()))?;
    let taken = Received::new(event, delivery);
    let mut handled = receiver.0.handler.handle(&taken).await?;
    for event in &handled.events {
        receiver.0.journal.append(event.clone()).await?;
        if let Some(items_for) = &receiver.0.items_for {
            handled.effects.items.extend(items_for(event, receiver.0.clock.wall()));
        }
    }
    Ok(handled)
}

//! Dead letters in memory.

use bytes::Bytes;
use webmessaging_model::Timestamp;

use super::{Delivery, Item, MemoryStore, State, Tables, Work};
use crate::check;
use crate::dead_letters::{
    DeadLetter, DeadLetterContent, DeadLetterCursor, DeadLetterFilter, DeadLetterId, DeadLetterPage,
    DeadLetters, Dropped, Edit, Origin,
};
use crate::error::{Error, ErrorKind};
use crate::limits::{EDITS_MAX, LIST_MAX};
use crate::store::Stored;

impl DeadLetters for MemoryStore {
    fn dead_letters<'a>(
        &'a self,
        filter: &'a DeadLetterFilter,
        after: Option<DeadLetterCursor>,
        limit: u32,
    ) -> Stored<'a, DeadLetterPage> {
        self.work(move |tables| {
            let limit = limit.min(LIST_MAX);
            let deliveries = tables.deliveries.iter().filter_map(|(id, delivery)| of_delivery(*id, delivery));
            let items = tables.items.iter().filter_map(|(id, item)| of_item(*id, item));
            let matches = |letter: &DeadLetter| {
                letter.dropped.is_some() == filter.dropped
                    && filter.origin.is_none_or(|origin| letter.id.origin == origin)
                    && filter.target.as_ref().is_none_or(|target| letter.target == *target)
                    && (filter.lane.is_none() || letter.lane == filter.lane)
                    && after.is_none_or(|after| letter.cursor() > after)
            };
            let mut letters: Vec<_> = deliveries.chain(items).filter(matches).collect();
            letters.sort_by_key(DeadLetter::cursor);
            letters.truncate(usize::try_from(limit.saturating_add(1)).unwrap_or(usize::MAX));
            Ok(DeadLetterPage::of(letters, limit))
        })
    }

    fn dead_letter(&self, id: DeadLetterId) -> Stored<'_, DeadLetterContent> {
        self.work(move |tables| {
            let found = match id.origin {
                Origin::Inbox => tables.deliveries.get(&id.number).and_then(|delivery| {
                    let letter = of_delivery(id.number, delivery)?;
                    let payload = delivery.sent.body.clone();
                    Some(DeadLetterContent { letter, payload, history: Vec::new() })
                }),
                Origin::Outbox => tables.items.get(&id.number).and_then(|item| {
                    let letter = of_item(id.number, item)?;
                    let payload = item.sent.payload.clone();
                    Some(DeadLetterContent { letter, payload, history: item.edits.clone() })
                }),
            };
            found.ok_or_else(not_found)
        })
    }

    fn edit_dead_letter<'a>(
        &'a self,
        id: DeadLetterId,
        payload: Bytes,
        idempotency_key: &'a str,
        now: Timestamp,
    ) -> Stored<'a, ()> {
        self.work(move |tables| {
            check::edit(&payload, idempotency_key)?;
            if id.origin == Origin::Inbox {
                return Err(not_found());
            }
            let item = tables.items.get(&id.number).filter(|item| item.work.state == State::Dead);
            let item = item.ok_or_else(not_found)?;
            if item.edits.len() >= usize::try_from(EDITS_MAX).unwrap_or(usize::MAX) {
                return Err(Error::too_many_edits());
            }
            let target = &item.sent.target;
            if tables.items.values().any(|known| known.is_known_by(target, idempotency_key)) {
                return Err(Error::new(ErrorKind::Conflict));
            }
            let Some(item) = tables.items.get_mut(&id.number) else { return Err(not_found()) };
            let payload = std::mem::replace(&mut item.sent.payload, payload);
            let key = std::mem::replace(&mut item.sent.idempotency_key, idempotency_key.to_owned());
            item.edits.push(Edit { replaced_at: now, idempotency_key: key, payload });
            Ok(())
        })
    }

    fn retry_dead_letter(&self, id: DeadLetterId, now: Timestamp) -> Stored<'_, ()> {
        self.work(move |tables| {
            let work = tables.dead(id)?;
            work.to(State::Ready, now);
            work.due_at = now;
            work.attempt = 0;
            Ok(())
        })
    }

    fn drop_dead_letter<'a>(&'a self, id: DeadLetterId, note: &'a str, now: Timestamp) -> Stored<'a, ()> {
        self.work(move |tables| {
            let work = tables.dead(id)?;
            work.to(State::Dropped, now);
            work.note = check::cut(note);
            Ok(())
        })
    }
}

impl Tables {
    fn dead(&mut self, id: DeadLetterId) -> Result<&mut Work, Error> {
        let work = match id.origin {
            Origin::Inbox => self.deliveries.get_mut(&id.number).map(|delivery| &mut delivery.work),
            Origin::Outbox => self.items.get_mut(&id.number).map(|item| &mut item.work),
        };
        work.filter(|work| work.state == State::Dead).ok_or_else(not_found)
    }
}

fn not_found() -> Error {
    Error::new(ErrorKind::NotFound)
}

fn of_delivery(number: i64, Delivery { sent, work }: &Delivery) -> Option<DeadLetter> {
    is_letter(work).then(|| DeadLetter {
        id: DeadLetterId { origin: Origin::Inbox, number },
        target: sent.source.clone(),
        lane: None,
        kind: sent.event_type.clone(),
        key: sent.content_key.clone(),
        attempts: work.attempt,
        reason: work.reason.clone(),
        created_at: sent.received_at,
        buried_at: work.buried_at,
        dropped: dropped(work),
    })
}

fn of_item(number: i64, Item { sent, enqueued_at, work, .. }: &Item) -> Option<DeadLetter> {
    is_letter(work).then(|| DeadLetter {
        id: DeadLetterId { origin: Origin::Outbox, number },
        target: sent.target.clone(),
        lane: sent.lane.clone(),
        kind: sent.kind.clone(),
        key: sent.idempotency_key.clone(),
        attempts: work.attempt,
        reason: work.reason.clone(),
        created_at: *enqueued_at,
        buried_at: work.buried_at,
        dropped: dropped(work),
    })
}

fn is_letter(work: &Work) -> bool {
    matches!(work.state, State::Dead | State::Dropped)
}

fn dropped(work: &Work) -> Option<Dropped> {
    (work.state == State::Dropped).then(|| Dropped { at: work.changed_at, note: work.note.clone() })
}

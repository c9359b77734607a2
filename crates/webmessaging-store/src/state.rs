//! The states of deliveries and items as the engines write them, and what else both write the same way.

use crate::dead_letters::{DeadLetterCursor, DeadLetterId, Origin};

pub(crate) const DEAD: i64 = 3;
pub(crate) const DROPPED: i64 = 4;

/// An origin as a number that sorts as the type does.
pub(crate) const fn origin_number(origin: Origin) -> i64 {
    match origin {
        Origin::Inbox => 0,
        Origin::Outbox => 1,
    }
}

pub(crate) const fn origin_of(number: i64) -> Origin {
    if number == 0 { Origin::Inbox } else { Origin::Outbox }
}

/// A cursor as the three numbers that the list is sorted by; before everything where there is none.
pub(crate) fn place(after: Option<DeadLetterCursor>) -> (i64, i64, i64) {
    after.map_or((i64::MIN, 0, 0), |DeadLetterCursor { buried_at, id: DeadLetterId { origin, number } }| {
        (buried_at.unix_millis(), origin_number(origin), number)
    })
}

/// A count as PostgreSQL has it.
#[cfg(feature = "postgres")]
pub(crate) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// A number of attempts as PostgreSQL has it.
#[cfg(feature = "postgres")]
pub(crate) fn attempts(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

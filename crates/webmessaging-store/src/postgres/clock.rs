//! Whose clock counts, where several machines have to agree.

use std::time::Duration;

use tokio_postgres::Row;
use webmessaging_model::Timestamp;

use super::pool::{Lent, Work};
use crate::error::{Error, ErrorKind};

const NOW: &str = "select (extract(epoch from statement_timestamp()) * 1000)::bigint";

/// Which clock leases and due times are kept by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    Database,
    Caller,
}

/// How far the deciding clock is ahead of the caller's, in milliseconds. What is due and what is leased is kept by the former;
/// what the caller says and hears is by the caller's own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shift {
    now: i64,
    ahead: i64,
}

impl Clock {
    pub(super) async fn shift(self, work: &mut Work<'_>, now: Timestamp) -> Result<Shift, Error> {
        match self {
            Self::Caller => Ok(Shift::none(now)),
            Self::Database => Shift::of_row(work.first(NOW, &[]).await?, now),
        }
    }

    pub(super) async fn shift_alone(self, connection: &mut Lent<'_>, now: Timestamp) -> Result<Shift, Error> {
        match self {
            Self::Caller => Ok(Shift::none(now)),
            Self::Database => Shift::of_row(connection.first(NOW, &[]).await?, now),
        }
    }
}

impl Shift {
    const fn none(now: Timestamp) -> Self {
        Self { now: now.unix_millis(), ahead: 0 }
    }

    fn of_row(row: Option<Row>, now: Timestamp) -> Result<Self, Error> {
        let deciding: i64 = row.ok_or_else(|| Error::new(ErrorKind::Internal))?.try_get(0)?;
        Ok(Self { now: deciding, ahead: deciding.saturating_sub(now.unix_millis()) })
    }

    /// Now, by the deciding clock.
    pub(super) const fn now(self) -> i64 {
        self.now
    }

    /// A moment of the caller, by the deciding clock.
    pub(super) const fn of(self, at: Timestamp) -> i64 {
        at.unix_millis().saturating_add(self.ahead)
    }

    /// So long from now, by the deciding clock.
    pub(super) fn after(self, wait: Duration) -> i64 {
        (Timestamp::from_unix_millis(self.now) + wait).unix_millis()
    }

    /// A moment by the deciding clock, as the caller's clock will show it.
    pub(super) const fn told(self, at: i64) -> Timestamp {
        Timestamp::from_unix_millis(at.saturating_sub(self.ahead))
    }
}

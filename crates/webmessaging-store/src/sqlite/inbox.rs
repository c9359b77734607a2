//! The inbox in SQLite.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};
use webmessaging_model::Timestamp;

use super::keys::Pair;
use super::session::Session;
use super::{SqliteStore, outbox, quarantine, scan_states};
use crate::check;
use crate::error::{Error, ErrorKind};
use crate::ids::DeliveryId;
use crate::inbox::{Accepted, ClaimedDelivery, DeliveryClaim, Effects, Inbox, InboxStats, NewDelivery};
use crate::limits::CLAIM_MAX;
use crate::store::Stored;

impl Inbox for SqliteStore {
    fn accept(&self, delivery: NewDelivery) -> Stored<'_, Accepted> {
        Box::pin(async move {
            check::delivery(&delivery)?;
            self.write_once(move |session| accept(session, &delivery)).await
        })
    }

    fn claim_deliveries<'a>(
        &'a self,
        worker: &'a str,
        limit: u32,
        lease: Duration,
        now: Timestamp,
    ) -> Stored<'a, Vec<ClaimedDelivery>> {
        Box::pin(async move {
            check::name("worker", worker)?;
            let worker = worker.to_owned();
            self.write(move |connection| claim(connection, &worker, limit.min(CLAIM_MAX), now + lease, now))
                .await
        })
    }

    fn finish_delivery<'a>(
        &'a self,
        claim: &'a DeliveryClaim,
        effects: Effects,
        now: Timestamp,
    ) -> Stored<'a, ()> {
        Box::pin(async move {
            check::effects(&effects)?;
            let claim = claim.clone();
            self.write(move |connection| finish(connection, &claim, &effects, now)).await
        })
    }

    fn retry_delivery<'a>(
        &'a self,
        claim: &'a DeliveryClaim,
        at: Timestamp,
        reason: &'a str,
        now: Timestamp,
    ) -> Stored<'a, ()> {
        let (claim, reason) = (claim.clone(), check::cut(reason));
        Box::pin(self.write(move |connection| {
            let sql =
                "update deliveries set state = 0, due_at = ?3, reason = ?4, changed_at = ?5, worker = null
                where id = ?1 and fence = ?2 and state = 1";
            let values = params![claim.id.get(), claim.fence, at.unix_millis(), reason, now.unix_millis()];
            fenced(connection.prepare_cached(sql)?.execute(values)?)
        }))
    }

    fn bury_delivery<'a>(
        &'a self,
        claim: &'a DeliveryClaim,
        reason: &'a str,
        now: Timestamp,
    ) -> Stored<'a, ()> {
        let (claim, reason) = (claim.clone(), check::cut(reason));
        Box::pin(self.write(move |connection| {
            let sql = "update deliveries
                set state = 3, reason = ?3, changed_at = ?4, buried_at = ?4, worker = null
                where id = ?1 and fence = ?2 and state = 1";
            let values = params![claim.id.get(), claim.fence, reason, now.unix_millis()];
            fenced(connection.prepare_cached(sql)?.execute(values)?)
        }))
    }

    fn inbox_stats(&self, now: Timestamp) -> Stored<'_, InboxStats> {
        Box::pin(self.read(move |connection| stats(connection, now)))
    }
}

pub(super) fn accept(session: &Session, delivery: &NewDelivery) -> Result<Accepted, Error> {
    let mut keys = session.keys();
    let pair = Pair::of(delivery);
    if let Some(first) = keys.find(session, &pair, delivery)? {
        return Ok(Accepted::Duplicate { first_received_at: Timestamp::from_unix_millis(first) });
    }
    let sql = "insert into deliveries
        (source, delivery_id, content_key, event_type, received_at, body, due_at, changed_at)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?5, ?5)";
    let values = params![
        delivery.source,
        delivery.delivery_id,
        delivery.content_key,
        delivery.event_type,
        delivery.received_at.unix_millis(),
        &*delivery.body,
    ];
    session.prepare_cached(sql)?.execute(values)?;
    let row = session.last_insert_rowid();
    keys.add(row, &pair);
    Ok(Accepted::New(DeliveryId::new(row)))
}

fn claim(
    connection: &Connection,
    worker: &str,
    limit: u32,
    until: Timestamp,
    now: Timestamp,
) -> Result<Vec<ClaimedDelivery>, Error> {
    let sql = "update deliveries
        set state = 1, due_at = ?3, fence = fence + 1, attempt = attempt + 1, worker = ?4, changed_at = ?1
        where id in (
            select id from deliveries where state < 2 and due_at <= ?1 order by due_at, id limit ?2
        )
        returning id, fence, attempt, source, delivery_id, content_key, event_type, received_at, body";
    let values = params![now.unix_millis(), limit, until.unix_millis(), worker];
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(values, |row| claimed(row, until))?;
    let mut claimed = rows.collect::<Result<Vec<_>, _>>()?;
    // In what order they come back is not promised.
    claimed.sort_unstable_by_key(|delivery| delivery.claim.id);
    Ok(claimed)
}

fn claimed(row: &Row<'_>, until: Timestamp) -> rusqlite::Result<ClaimedDelivery> {
    Ok(ClaimedDelivery {
        claim: DeliveryClaim { id: DeliveryId::new(row.get(0)?), fence: row.get(1)? },
        attempt: row.get(2)?,
        leased_until: until,
        source: row.get(3)?,
        delivery_id: row.get(4)?,
        content_key: row.get(5)?,
        event_type: row.get(6)?,
        received_at: Timestamp::from_unix_millis(row.get(7)?),
        body: row.get::<_, Vec<u8>>(8)?.into(),
    })
}

fn finish(
    connection: &Connection,
    claim: &DeliveryClaim,
    effects: &Effects,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "update deliveries
        set state = 2, body = x'', reason = null, changed_at = ?3, worker = null
        where id = ?1 and fence = ?2 and state = 1";
    let values = params![claim.id.get(), claim.fence, now.unix_millis()];
    fenced(connection.prepare_cached(sql)?.execute(values)?)?;
    for item in &effects.items {
        outbox::enqueue(connection, item, now)?;
    }
    for entry in &effects.quarantine {
        quarantine::put(connection, entry)?;
    }
    for scan in &effects.scans {
        let advance = scan_states::advance(connection, scan)?;
        if effects.scans_must_move {
            advance.must_move()?;
        }
    }
    Ok(())
}

fn fenced(changed: usize) -> Result<(), Error> {
    if changed == 1 { Ok(()) } else { Err(Error::new(ErrorKind::LeaseLost)) }
}

fn stats(connection: &Connection, now: Timestamp) -> Result<InboxStats, Error> {
    let sql = "select
            count(*) filter (where due_at <= ?1),
            count(*) filter (where due_at > ?1 and state = 0),
            count(*) filter (where due_at > ?1 and state = 1),
            min(received_at)
        from deliveries where state < 2";
    let mut stats = connection.prepare_cached(sql)?.query_row([now.unix_millis()], |row| {
        Ok(InboxStats {
            due: row.get(0)?,
            waiting: row.get(1)?,
            leased: row.get(2)?,
            oldest_open_at: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_unix_millis),
            ..InboxStats::default()
        })
    })?;
    let count = |sql| -> Result<u64, Error> {
        Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?.unwrap_or_default())
    };
    stats.dead = count("select count(*) from deliveries where state >= 3 and state = 3")?;
    stats.remembered = count("select count(*) from deliveries where state in (2, 4)")?;
    Ok(stats)
}

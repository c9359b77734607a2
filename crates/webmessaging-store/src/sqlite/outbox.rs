//! The outbox in SQLite.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};
use webmessaging_model::Timestamp;

use super::{SqliteStore, outbox_stats};
use crate::check;
use crate::error::{Error, ErrorKind};
use crate::ids::ItemId;
use crate::limits::CLAIM_MAX;
use crate::outbox::{ClaimedItem, Enqueued, ItemClaim, NewItem, Outbox};
use crate::outbox_stats::OutboxStats;
use crate::store::Stored;

impl Outbox for SqliteStore {
    fn enqueue(&self, items: Vec<NewItem>, now: Timestamp) -> Stored<'_, Vec<Enqueued>> {
        Box::pin(async move {
            check::items(&items)?;
            self.write(move |connection| items.iter().map(|item| enqueue(connection, item, now)).collect())
                .await
        })
    }

    fn claim_items<'a>(
        &'a self,
        target: &'a str,
        worker: &'a str,
        limit: u32,
        lease: Duration,
        now: Timestamp,
    ) -> Stored<'a, Vec<ClaimedItem>> {
        Box::pin(async move {
            check::name("worker", worker)?;
            let (target, worker) = (target.to_owned(), worker.to_owned());
            let limit = limit.min(CLAIM_MAX);
            self.write(move |connection| claim(connection, &target, &worker, limit, now + lease, now)).await
        })
    }

    fn mark_delivered<'a>(&'a self, claims: &'a [ItemClaim], now: Timestamp) -> Stored<'a, Vec<ItemClaim>> {
        Box::pin(async move {
            check::claims(claims.len())?;
            let claims = claims.to_vec();
            self.write(move |connection| deliver(connection, claims, now)).await
        })
    }

    fn retry_items<'a>(
        &'a self,
        claims: &'a [ItemClaim],
        at: Timestamp,
        reason: &'a str,
        now: Timestamp,
    ) -> Stored<'a, Vec<ItemClaim>> {
        Box::pin(async move {
            check::claims(claims.len())?;
            let (claims, reason) = (claims.to_vec(), check::cut(reason));
            self.write(move |connection| retry(connection, claims, at, &reason, now)).await
        })
    }

    fn release_items<'a>(
        &'a self,
        claims: &'a [ItemClaim],
        at: Timestamp,
        now: Timestamp,
    ) -> Stored<'a, Vec<ItemClaim>> {
        Box::pin(async move {
            check::claims(claims.len())?;
            let claims = claims.to_vec();
            self.write(move |connection| release(connection, claims, at, now)).await
        })
    }

    fn bury_item<'a>(&'a self, claim: &'a ItemClaim, reason: &'a str, now: Timestamp) -> Stored<'a, ()> {
        let (claim, reason) = (claim.clone(), check::cut(reason));
        Box::pin(self.write(move |connection| bury(connection, &claim, &reason, now)))
    }

    fn outbox_stats<'a>(&'a self, target: Option<&'a str>, now: Timestamp) -> Stored<'a, OutboxStats> {
        let target = target.map(str::to_owned);
        Box::pin(self.read(move |connection| outbox_stats::stats(connection, target.as_deref(), now)))
    }

    fn targets(&self) -> Stored<'_, Vec<String>> {
        Box::pin(self.read(outbox_stats::targets))
    }
}

/// Keeps an item, unless its key is known, be it that of a payload that was edited since.
pub(super) fn enqueue(connection: &Connection, item: &NewItem, now: Timestamp) -> Result<Enqueued, Error> {
    let sql = "insert into items
        (target, lane, idempotency_key, kind, payload, due_at, enqueued_at, changed_at, head)
        select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, not exists (
            select 1 from items where target = ?1 and lane = ?2 and lane is not null and state in (0, 1, 3)
        )
        where not exists (select 1 from item_edits where target = ?1 and idempotency_key = ?3)
        on conflict (target, idempotency_key) do nothing";
    let values = params![
        item.target,
        item.lane,
        item.idempotency_key,
        item.kind,
        &*item.payload,
        item.available_at.unix_millis(),
        now.unix_millis(),
    ];
    if connection.prepare_cached(sql)?.execute(values)? == 1 {
        return Ok(Enqueued::New(ItemId::new(connection.last_insert_rowid())));
    }
    let sql = "select id from items where target = ?1 and idempotency_key = ?2
        union all select item_id from item_edits where target = ?1 and idempotency_key = ?2";
    let values = params![item.target, item.idempotency_key];
    let known = connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
    Ok(Enqueued::Known(ItemId::new(known)))
}

fn claim(
    connection: &Connection,
    target: &str,
    worker: &str,
    limit: u32,
    until: Timestamp,
    now: Timestamp,
) -> Result<Vec<ClaimedItem>, Error> {
    let mut ids = due(connection, target, limit, now)?;
    ids.sort_unstable();
    let sql = "update items
        set state = 1, due_at = ?2, fence = fence + 1, attempt = attempt + 1, worker = ?3, changed_at = ?4
        where id = ?1
        returning id, fence, attempt, target, lane, idempotency_key, kind, payload, enqueued_at";
    let mut statement = connection.prepare_cached(sql)?;
    ids.iter()
        .map(|id| {
            let values = params![id, until.unix_millis(), worker, now.unix_millis()];
            Ok(statement.query_row(values, |row| claimed(row, until))?)
        })
        .collect()
}

/// The first items of lanes first, each lane its own; then, if there is room, those that follow them without a gap.
fn due(connection: &Connection, target: &str, limit: u32, now: Timestamp) -> Result<Vec<i64>, Error> {
    let sql = "select id, lane from items
        where target = ?1 and head = 1 and state < 2 and due_at <= ?2 order by due_at, id limit ?3";
    let values = params![target, now.unix_millis(), limit];
    let mut statement = connection.prepare_cached(sql)?;
    let heads = statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let heads = heads.collect::<Result<Vec<(i64, Option<String>)>, _>>()?;
    let mut ids: Vec<_> = heads.iter().map(|(id, _)| *id).collect();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let sql = "select id, state < 2 and due_at <= ?4 from items
        where target = ?1 and lane = ?2 and lane is not null and state in (0, 1, 3) and id > ?3 order by id";
    let mut statement = connection.prepare_cached(sql)?;
    for (head, lane) in heads {
        let Some(lane) = lane.filter(|_| ids.len() < limit) else { continue };
        let mut rows = statement.query(params![target, lane, head, now.unix_millis()])?;
        while ids.len() < limit
            && let Some(row) = rows.next()?
            && row.get(1)?
        {
            ids.push(row.get(0)?);
        }
    }
    Ok(ids)
}

fn claimed(row: &Row<'_>, until: Timestamp) -> rusqlite::Result<ClaimedItem> {
    Ok(ClaimedItem {
        claim: ItemClaim { id: ItemId::new(row.get(0)?), fence: row.get(1)? },
        attempt: row.get(2)?,
        leased_until: until,
        target: row.get(3)?,
        lane: row.get(4)?,
        idempotency_key: row.get(5)?,
        kind: row.get(6)?,
        payload: row.get::<_, Vec<u8>>(7)?.into(),
        enqueued_at: Timestamp::from_unix_millis(row.get(8)?),
    })
}

fn deliver(connection: &Connection, claims: Vec<ItemClaim>, now: Timestamp) -> Result<Vec<ItemClaim>, Error> {
    let sql = "update items set state = 2, payload = x'', reason = null, changed_at = ?3, worker = null
        where id = ?1 and fence = ?2 and state = 1 returning target, lane, head";
    let mut statement = connection.prepare_cached(sql)?;
    let mut lost = Vec::new();
    for claim in claims {
        let values = params![claim.id.get(), claim.fence, now.unix_millis()];
        let place = statement.query_row(values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        match place.optional()? {
            None => lost.push(claim),
            Some((target, Some(lane), true)) => free_lane(connection, &Lane { target, lane })?,
            Some(_) => {}
        }
    }
    Ok(lost)
}

/// Where an item stands in line.
pub(super) struct Lane {
    pub(super) target: String,
    pub(super) lane: String,
}

/// Makes the next item of a lane its first one, after the one before has left.
pub(super) fn free_lane(connection: &Connection, lane: &Lane) -> Result<(), Error> {
    let sql = "update items set head = 1 where id = (
            select min(id) from items
            where target = ?1 and lane = ?2 and lane is not null and state in (0, 1, 3)
        )";
    connection.prepare_cached(sql)?.execute(params![lane.target, lane.lane])?;
    Ok(())
}

fn retry(
    connection: &Connection,
    claims: Vec<ItemClaim>,
    at: Timestamp,
    reason: &str,
    now: Timestamp,
) -> Result<Vec<ItemClaim>, Error> {
    let sql = "update items set state = 0, due_at = ?3, reason = ?4, changed_at = ?5, worker = null,
            failing_since = coalesce(failing_since, ?5)
        where id = ?1 and fence = ?2 and state = 1 returning target, lane";
    let mut statement = connection.prepare_cached(sql)?;
    open_again(connection, claims, now, |claim| {
        let values = params![claim.id.get(), claim.fence, at.unix_millis(), reason, now.unix_millis()];
        statement.query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))
    })
}

fn release(
    connection: &Connection,
    claims: Vec<ItemClaim>,
    at: Timestamp,
    now: Timestamp,
) -> Result<Vec<ItemClaim>, Error> {
    let sql = "update items set state = 0, due_at = ?3, attempt = attempt - 1, changed_at = ?4, worker = null
        where id = ?1 and fence = ?2 and state = 1 returning target, lane";
    let mut statement = connection.prepare_cached(sql)?;
    open_again(connection, claims, now, |claim| {
        let values = params![claim.id.get(), claim.fence, at.unix_millis(), now.unix_millis()];
        statement.query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))
    })
}

/// Opens items again by a change that tells target and lane of each, and gives back what is behind them.
fn open_again(
    connection: &Connection,
    claims: Vec<ItemClaim>,
    now: Timestamp,
    mut change: impl FnMut(&ItemClaim) -> rusqlite::Result<(String, Option<String>)>,
) -> Result<Vec<ItemClaim>, Error> {
    let (mut lost, mut opened) = (Vec::new(), Vec::new());
    for claim in claims {
        match change(&claim).optional()? {
            None => lost.push(claim),
            Some((target, Some(lane))) => opened.push((claim.id, Lane { target, lane })),
            Some((_, None)) => {}
        }
    }
    // Only now: those that were named are changed as was asked, and not merely given back.
    for (id, lane) in opened {
        give_back(connection, &lane, id, now)?;
    }
    Ok(lost)
}

fn bury(connection: &Connection, claim: &ItemClaim, reason: &str, now: Timestamp) -> Result<(), Error> {
    let sql = "update items set state = 3, reason = ?3, changed_at = ?4, buried_at = ?4, worker = null,
            failing_since = coalesce(failing_since, ?4)
        where id = ?1 and fence = ?2 and state = 1 returning target, lane";
    let values = params![claim.id.get(), claim.fence, reason, now.unix_millis()];
    let place =
        connection.prepare_cached(sql)?.query_row(values, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    match place {
        None => Err(Error::new(ErrorKind::LeaseLost)),
        Some((target, Some(lane))) => give_back(connection, &Lane { target, lane }, claim.id, now),
        Some((_, None)) => Ok(()),
    }
}

/// Gives back the later items of a lane that are claimed: they may not go before this one, and have not been tried.
fn give_back(connection: &Connection, lane: &Lane, after: ItemId, now: Timestamp) -> Result<(), Error> {
    let sql = "update items set state = 0, due_at = ?4, attempt = attempt - 1, changed_at = ?4, worker = null
        where target = ?1 and lane = ?2 and lane is not null and state in (0, 1, 3) and state = 1 and id > ?3";
    let values = params![lane.target, lane.lane, after.get(), now.unix_millis()];
    connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

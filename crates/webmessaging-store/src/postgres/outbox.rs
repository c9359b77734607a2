//! The outbox in PostgreSQL.

use std::collections::HashSet;
use std::time::Duration;

use tokio_postgres::Row;
use webmessaging_model::Timestamp;

use super::clock::Shift;
use super::pool::{Values, Work};
use super::{ATTEMPTS, PostgresStore, is_worth_repeating, lanes, outbox_stats};
use crate::check;
use crate::error::{Error, ErrorKind};
use crate::ids::ItemId;
use crate::limits::CLAIM_MAX;
use crate::outbox::{ClaimedItem, Enqueued, ItemClaim, NewItem, Outbox};
use crate::outbox_stats::OutboxStats;
use crate::store::Stored;

impl Outbox for PostgresStore {
    fn enqueue(&self, items: Vec<NewItem>, now: Timestamp) -> Stored<'_, Vec<Enqueued>> {
        Box::pin(async move {
            check::items(&items)?;
            for _ in 1..ATTEMPTS {
                match self.enqueue_once(&items, now).await {
                    Err(error) if is_worth_repeating(&error) => {}
                    answer => return answer,
                }
            }
            self.enqueue_once(&items, now).await
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
            let mut connection = self.pool.get().await?;
            let mut work = connection.begin().await?;
            let shift = self.clock.shift(&mut work, now).await?;
            let ids = due(&mut work, target, limit.min(CLAIM_MAX), shift).await?;
            let sql = "update items set state = 1, due_at = $2, fence = fence + 1, attempt = attempt + 1,
                    worker = $3, changed_at = $4
                where id = any($1)
                returning id, fence, attempt, target, lane, idempotency_key, kind, payload, enqueued_at";
            let until = shift.after(lease);
            let rows = work.query(sql, &[&ids, &until, &worker, &now.unix_millis()]).await?;
            let until = shift.told(until);
            let mut claimed: Vec<_> = rows.iter().map(|row| claimed(row, until)).collect::<Result<_, _>>()?;
            claimed.sort_unstable_by_key(|item| item.claim.id);
            work.commit().await?;
            Ok(claimed)
        })
    }

    fn mark_delivered<'a>(&'a self, claims: &'a [ItemClaim], now: Timestamp) -> Stored<'a, Vec<ItemClaim>> {
        Box::pin(async move {
            check::claims(claims.len())?;
            let mut connection = self.pool.get().await?;
            let mut work = connection.begin().await?;
            lanes::lock_of(&mut work, &ids(claims)).await?;
            let sql =
                "update items set state = 2, payload = '', reason = null, changed_at = $3, worker = null
                from unnest($1::bigint[], $2::bigint[]) as claims (id, fence)
                where items.id = claims.id and items.fence = claims.fence and state = 1
                returning items.id, items.fence, target, lane, head";
            let rows = work.query(sql, &[&ids(claims), &fences(claims), &now.unix_millis()]).await?;
            for row in &rows {
                if let (Some(lane), true) = (row.try_get(3)?, row.try_get(4)?) {
                    lanes::free(&mut work, row.try_get(2)?, lane).await?;
                }
            }
            work.commit().await?;
            lost(claims, &rows)
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
            let mut connection = self.pool.get().await?;
            let mut work = connection.begin().await?;
            lanes::lock_of(&mut work, &ids(claims)).await?;
            let shift = self.clock.shift(&mut work, now).await?;
            let sql = "update items set state = 0, due_at = $3, reason = $4, changed_at = $5, worker = null,
                    failing_since = coalesce(failing_since, $5)
                from unnest($1::bigint[], $2::bigint[]) as claims (id, fence)
                where items.id = claims.id and items.fence = claims.fence and state = 1
                returning items.id, items.fence, target, lane";
            let (due, reason) = (shift.of(at), check::cut(reason));
            let values: Values<'_> = &[&ids(claims), &fences(claims), &due, &reason, &now.unix_millis()];
            let rows = work.query(sql, values).await?;
            give_back_behind(&mut work, &rows, now, shift).await?;
            work.commit().await?;
            lost(claims, &rows)
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
            let mut connection = self.pool.get().await?;
            let mut work = connection.begin().await?;
            lanes::lock_of(&mut work, &ids(claims)).await?;
            let shift = self.clock.shift(&mut work, now).await?;
            let sql =
                "update items set state = 0, due_at = $3, attempt = attempt - 1, changed_at = $4, worker = null
                from unnest($1::bigint[], $2::bigint[]) as claims (id, fence)
                where items.id = claims.id and items.fence = claims.fence and state = 1
                returning items.id, items.fence, target, lane";
            let values: Values<'_> = &[&ids(claims), &fences(claims), &shift.of(at), &now.unix_millis()];
            let rows = work.query(sql, values).await?;
            give_back_behind(&mut work, &rows, now, shift).await?;
            work.commit().await?;
            lost(claims, &rows)
        })
    }

    fn bury_item<'a>(&'a self, claim: &'a ItemClaim, reason: &'a str, now: Timestamp) -> Stored<'a, ()> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let mut work = connection.begin().await?;
            lanes::lock_of(&mut work, &[claim.id.get()]).await?;
            let shift = self.clock.shift(&mut work, now).await?;
            let sql =
                "update items set state = 3, reason = $3, changed_at = $4, buried_at = $4, worker = null,
                    failing_since = coalesce(failing_since, $4)
                where id = $1 and fence = $2 and state = 1 returning target, lane";
            let reason = check::cut(reason);
            let values: Values<'_> = &[&claim.id.get(), &claim.fence, &reason, &now.unix_millis()];
            let Some(row) = work.first(sql, values).await? else {
                return Err(Error::new(ErrorKind::LeaseLost));
            };
            if let Some(lane) = row.try_get(1)? {
                lanes::give_back(&mut work, row.try_get(0)?, lane, claim.id.get(), now, shift).await?;
            }
            work.commit().await
        })
    }

    fn outbox_stats<'a>(&'a self, target: Option<&'a str>, now: Timestamp) -> Stored<'a, OutboxStats> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let shift = self.clock.shift_alone(&mut connection, now).await?;
            outbox_stats::stats(&mut connection, target, shift).await
        })
    }

    fn targets(&self) -> Stored<'_, Vec<String>> {
        Box::pin(async move { outbox_stats::targets(&mut self.pool.get().await?).await })
    }
}

impl PostgresStore {
    async fn enqueue_once(&self, items: &[NewItem], now: Timestamp) -> Result<Vec<Enqueued>, Error> {
        let mut connection = self.pool.get().await?;
        let mut work = connection.begin().await?;
        let shift = self.clock.shift(&mut work, now).await?;
        let answers = enqueue(&mut work, items, now, shift).await?;
        work.commit().await?;
        Ok(answers)
    }
}

/// Keeps items, unless their keys are known, be it those of payloads that were edited since.
pub(super) async fn enqueue(
    work: &mut Work<'_>,
    items: &[NewItem],
    now: Timestamp,
    shift: Shift,
) -> Result<Vec<Enqueued>, Error> {
    let lanes = items.iter().filter_map(|item| Some((&*item.target, item.lane.as_deref()?)));
    let (targets, lanes): (Vec<_>, Vec<_>) = lanes.unzip();
    lanes::lock(work, &targets, &lanes).await?;
    let mut answers = Vec::with_capacity(items.len());
    for item in items {
        answers.push(enqueue_one(work, item, now, shift).await?);
    }
    Ok(answers)
}

async fn enqueue_one(
    work: &mut Work<'_>,
    item: &NewItem,
    now: Timestamp,
    shift: Shift,
) -> Result<Enqueued, Error> {
    let sql = "insert into items
        (target, lane, idempotency_key, kind, payload, due_at, enqueued_at, changed_at, head)
        select $1, $2, $3, $4, $5, $6, $7, $7, not exists (
            select 1 from items where target = $1 and lane = $2 and lane is not null and state in (0, 1, 3)
        )
        where not exists (select 1 from item_edits where target = $1 and idempotency_key = $3)
        on conflict (target, idempotency_key) do nothing returning id";
    let due = shift.of(item.available_at);
    let values: Values<'_> = &[
        &item.target,
        &item.lane,
        &item.idempotency_key,
        &item.kind,
        &&*item.payload,
        &due,
        &now.unix_millis(),
    ];
    if let Some(row) = work.first(sql, values).await? {
        return Ok(Enqueued::New(ItemId::new(row.try_get(0)?)));
    }
    let sql = "select id from items where target = $1 and idempotency_key = $2
        union all select item_id from item_edits where target = $1 and idempotency_key = $2";
    match work.first(sql, &[&item.target, &item.idempotency_key]).await? {
        Some(row) => Ok(Enqueued::Known(ItemId::new(row.try_get(0)?))),
        // Forgotten or edited between the two statements: the next attempt finds how it is.
        None => Err(Error::new(ErrorKind::Busy)),
    }
}

/// The first items of lanes first, each lane its own; then, if there is room, those that follow them without a gap.
async fn due(work: &mut Work<'_>, target: &str, limit: u32, shift: Shift) -> Result<Vec<i64>, Error> {
    let sql = "select id, lane from items
        where target = $1 and head and state < 2 and due_at <= $2
        order by due_at, id limit $3 for update skip locked";
    let heads = work.query(sql, &[&target, &shift.now(), &i64::from(limit)]).await?;
    let mut ids = heads.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    for head in &heads {
        let lane: Option<&str> = head.try_get(1)?;
        let Some(lane) = lane.filter(|_| ids.len() < limit) else { continue };
        if !lanes::try_lock(work, target, lane).await? {
            continue;
        }
        let sql = "select id, state < 2 and due_at <= $4 from items
            where target = $1 and lane = $2 and lane is not null and state in (0, 1, 3) and id > $3
            order by id limit $5";
        let room = i64::try_from(limit - ids.len()).unwrap_or(i64::MAX);
        let values: Values<'_> = &[&target, &lane, &head.try_get::<_, i64>(0)?, &shift.now(), &room];
        let behind = work.query(sql, values).await?;
        for row in behind {
            if !row.try_get(1)? {
                break;
            }
            ids.push(row.try_get(0)?);
        }
    }
    Ok(ids)
}

/// Gives back what is claimed behind these rows, which are id, fence, target and lane.
async fn give_back_behind(
    work: &mut Work<'_>,
    rows: &[Row],
    now: Timestamp,
    shift: Shift,
) -> Result<(), Error> {
    for row in rows {
        if let Some(lane) = row.try_get(3)? {
            lanes::give_back(work, row.try_get(2)?, lane, row.try_get(0)?, now, shift).await?;
        }
    }
    Ok(())
}

fn claimed(row: &Row, until: Timestamp) -> Result<ClaimedItem, Error> {
    Ok(ClaimedItem {
        claim: ItemClaim { id: ItemId::new(row.try_get(0)?), fence: row.try_get(1)? },
        attempt: crate::state::attempts(row.try_get(2)?),
        leased_until: until,
        target: row.try_get(3)?,
        lane: row.try_get(4)?,
        idempotency_key: row.try_get(5)?,
        kind: row.try_get(6)?,
        payload: row.try_get::<_, Vec<u8>>(7)?.into(),
        enqueued_at: Timestamp::from_unix_millis(row.try_get(8)?),
    })
}

fn ids(claims: &[ItemClaim]) -> Vec<i64> {
    claims.iter().map(|claim| claim.id.get()).collect()
}

fn fences(claims: &[ItemClaim]) -> Vec<i64> {
    claims.iter().map(|claim| claim.fence).collect()
}

/// The claims that are not among these rows, which begin with id and fence.
fn lost(claims: &[ItemClaim], rows: &[Row]) -> Result<Vec<ItemClaim>, Error> {
    let written = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    let written = written.collect::<Result<HashSet<(i64, i64)>, Error>>()?;
    let is_lost = |claim: &&ItemClaim| !written.contains(&(claim.id.get(), claim.fence));
    Ok(claims.iter().filter(is_lost).cloned().collect())
}

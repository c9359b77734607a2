//! The inbox in PostgreSQL.

use std::time::Duration;

use tokio_postgres::Row;
use webmessaging_model::Timestamp;

use super::clock::{Clock, Shift};
use super::pool::{Values, Work};
use super::{ATTEMPTS, PostgresStore, is_worth_repeating, outbox, quarantine, scan_states};
use crate::check;
use crate::error::{Error, ErrorKind};
use crate::ids::DeliveryId;
use crate::inbox::{Accepted, ClaimedDelivery, DeliveryClaim, Effects, Inbox, InboxStats, NewDelivery};
use crate::limits::CLAIM_MAX;
use crate::state::count;
use crate::store::Stored;

impl Inbox for PostgresStore {
    fn accept(&self, delivery: NewDelivery) -> Stored<'_, Accepted> {
        Box::pin(async move {
            check::delivery(&delivery)?;
            for _ in 1..ATTEMPTS {
                match self.accept_once(&delivery).await {
                    Err(error) if is_worth_repeating(&error) => {}
                    answer => return answer,
                }
            }
            self.accept_once(&delivery).await
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
            let mut connection = self.pool.get().await?;
            let shift = self.clock.shift_alone(&mut connection, now).await?;
            let sql = "with due as (
                    select id from deliveries where state < 2 and due_at <= $1
                    order by due_at, id limit $2 for update skip locked
                )
                update deliveries set state = 1, due_at = $3, fence = fence + 1, attempt = attempt + 1,
                    worker = $4, changed_at = $5
                from due where deliveries.id = due.id
                returning deliveries.id, fence, attempt, source, delivery_id, content_key, event_type,
                    received_at, body";
            let (until, limit) = (shift.after(lease), i64::from(limit.min(CLAIM_MAX)));
            let rows =
                connection.query(sql, &[&shift.now(), &limit, &until, &worker, &now.unix_millis()]).await?;
            let until = shift.told(until);
            let mut claimed: Vec<_> = rows.iter().map(|row| claimed(row, until)).collect::<Result<_, _>>()?;
            claimed.sort_unstable_by_key(|delivery| delivery.claim.id);
            Ok(claimed)
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
            let mut connection = self.pool.get().await?;
            let mut work = connection.begin().await?;
            let shift = self.clock.shift(&mut work, now).await?;
            finish(&mut work, claim, effects, now, shift).await?;
            work.commit().await
        })
    }

    fn retry_delivery<'a>(
        &'a self,
        claim: &'a DeliveryClaim,
        at: Timestamp,
        reason: &'a str,
        now: Timestamp,
    ) -> Stored<'a, ()> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let shift = self.clock.shift_alone(&mut connection, now).await?;
            let sql =
                "update deliveries set state = 0, due_at = $3, reason = $4, changed_at = $5, worker = null
                where id = $1 and fence = $2 and state = 1";
            let (due, reason) = (shift.of(at), check::cut(reason));
            let changed = connection
                .execute(sql, &[&claim.id.get(), &claim.fence, &due, &reason, &now.unix_millis()])
                .await?;
            fenced(changed)
        })
    }

    fn bury_delivery<'a>(
        &'a self,
        claim: &'a DeliveryClaim,
        reason: &'a str,
        now: Timestamp,
    ) -> Stored<'a, ()> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let sql = "update deliveries
                set state = 3, reason = $3, changed_at = $4, buried_at = $4, worker = null
                where id = $1 and fence = $2 and state = 1";
            let reason = check::cut(reason);
            let changed = connection
                .execute(sql, &[&claim.id.get(), &claim.fence, &reason, &now.unix_millis()])
                .await?;
            fenced(changed)
        })
    }

    fn inbox_stats(&self, now: Timestamp) -> Stored<'_, InboxStats> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let shift = self.clock.shift_alone(&mut connection, now).await?;
            // Each part has an index of its own.
            let sql = "select
                    count(*) filter (where due_at <= $1),
                    count(*) filter (where state = 0 and due_at > $1),
                    count(*) filter (where state = 1 and due_at > $1),
                    (select count(*) from deliveries where state >= 3 and state = 3),
                    (select count(*) from deliveries where state in (2, 4)),
                    min(received_at)
                from deliveries where state < 2";
            let Some(row) = connection.first(sql, &[&shift.now()]).await? else {
                return Ok(InboxStats::default());
            };
            Ok(InboxStats {
                due: count(row.try_get(0)?),
                waiting: count(row.try_get(1)?),
                leased: count(row.try_get(2)?),
                dead: count(row.try_get(3)?),
                remembered: count(row.try_get(4)?),
                oldest_open_at: row.try_get::<_, Option<i64>>(5)?.map(Timestamp::from_unix_millis),
            })
        })
    }
}

impl PostgresStore {
    async fn accept_once(&self, delivery: &NewDelivery) -> Result<Accepted, Error> {
        let mut connection = self.pool.get().await?;
        let sql = "insert into deliveries
            (source, delivery_id, content_key, event_type, received_at, body, due_at, changed_at)
            values ($1, $2, $3, $4, $5, $6,
                coalesce($7, (extract(epoch from statement_timestamp()) * 1000)::bigint), $5)
            on conflict do nothing returning id";
        let received_at = delivery.received_at.unix_millis();
        let due_at = (self.clock == Clock::Caller).then_some(received_at);
        let new = connection
            .first(
                sql,
                &[
                    &delivery.source,
                    &delivery.delivery_id,
                    &delivery.content_key,
                    &delivery.event_type,
                    &received_at,
                    &&*delivery.body,
                    &due_at,
                ],
            )
            .await?;
        if let Some(row) = new {
            return Ok(Accepted::New(DeliveryId::new(row.try_get(0)?)));
        }
        let sql = "select min(received_at) from deliveries
            where source = $1 and (content_key = $2 or delivery_id = $3)";
        let values: Values<'_> = &[&delivery.source, &delivery.content_key, &delivery.delivery_id];
        let first = connection.first(sql, values).await?;
        match first.map(|row| row.try_get::<_, Option<i64>>(0)).transpose()?.flatten() {
            Some(first) => Ok(Accepted::Duplicate { first_received_at: Timestamp::from_unix_millis(first) }),
            // Forgotten between the two statements: the next attempt finds it new.
            None => Err(Error::new(ErrorKind::Busy)),
        }
    }
}

fn claimed(row: &Row, until: Timestamp) -> Result<ClaimedDelivery, Error> {
    Ok(ClaimedDelivery {
        claim: DeliveryClaim { id: DeliveryId::new(row.try_get(0)?), fence: row.try_get(1)? },
        attempt: crate::state::attempts(row.try_get(2)?),
        leased_until: until,
        source: row.try_get(3)?,
        delivery_id: row.try_get(4)?,
        content_key: row.try_get(5)?,
        event_type: row.try_get(6)?,
        received_at: Timestamp::from_unix_millis(row.try_get(7)?),
        body: row.try_get::<_, Vec<u8>>(8)?.into(),
    })
}

async fn finish(
    work: &mut Work<'_>,
    claim: &DeliveryClaim,
    mut effects: Effects,
    now: Timestamp,
    shift: Shift,
) -> Result<(), Error> {
    let sql = "update deliveries
        set state = 2, body = '', reason = null, changed_at = $3, worker = null
        where id = $1 and fence = $2 and state = 1";
    fenced(work.execute(sql, &[&claim.id.get(), &claim.fence, &now.unix_millis()]).await?)?;
    outbox::enqueue(work, &effects.items, now, shift).await?;
    // In one order for everybody, so that two that finish do not wait for each other.
    effects.quarantine.sort_by(|a, b| a.file_id.cmp(&b.file_id));
    for entry in &effects.quarantine {
        quarantine::put(work, entry).await?;
    }
    effects.scans.sort_by(|a, b| a.subject.cmp(&b.subject));
    for scan in &effects.scans {
        let advance = scan_states::advance(work, scan).await?;
        if effects.scans_must_move {
            advance.must_move()?;
        }
    }
    Ok(())
}

fn fenced(changed: u64) -> Result<(), Error> {
    if changed == 1 { Ok(()) } else { Err(Error::new(ErrorKind::LeaseLost)) }
}

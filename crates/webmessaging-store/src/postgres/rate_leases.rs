//! Rate leases in PostgreSQL: a log of what was given out within the window.

use webmessaging_model::Timestamp;

use super::PostgresStore;
use super::clock::Shift;
use super::pool::Work;
use crate::check;
use crate::error::{Error, ErrorKind};
use crate::rate_leases::{Permits, RateLeases, RateQuota};
use crate::store::Stored;

impl RateLeases for PostgresStore {
    fn take_permits<'a>(&'a self, quota: &'a RateQuota, wanted: u32, now: Timestamp) -> Stored<'a, Permits> {
        Box::pin(async move {
            check::quota(quota)?;
            let mut connection = self.pool.get().await?;
            let mut work = connection.begin().await?;
            // One at a time for a quota; the time is asked for after the wait.
            let sql = "select pg_advisory_xact_lock(hashtextextended('quota' || chr(31) || $1, 0))";
            work.query(sql, &[&quota.name]).await?;
            let shift = self.clock.shift(&mut work, now).await?;
            let permits = take(&mut work, quota, wanted, shift).await?;
            work.commit().await?;
            Ok(permits)
        })
    }
}

async fn take(work: &mut Work<'_>, quota: &RateQuota, wanted: u32, shift: Shift) -> Result<Permits, Error> {
    let sql = "select max(at) from rate_grants where name = $1";
    let last = work.first(sql, &[&quota.name]).await?;
    let last = last.map(|row| row.try_get::<_, Option<i64>>(0)).transpose()?.flatten();
    // The log does not go back, whoever's clock does.
    let at = last.map_or(shift.now(), |last| last.max(shift.now()));
    let now = Timestamp::from_unix_millis(at);
    let sql = "delete from rate_grants where name = $1 and at <= $2";
    work.execute(sql, &[&quota.name, &(now - quota.window).unix_millis()]).await?;
    let sql = "select coalesce(sum(permits), 0)::bigint, min(at) from rate_grants where name = $1";
    let row = work.first(sql, &[&quota.name]).await?.ok_or_else(|| Error::new(ErrorKind::Internal))?;
    let mut permits = Permits::of(quota, wanted, row.try_get(0)?, row.try_get(1)?, now);
    if permits.granted > 0 {
        let sql = "insert into rate_grants (name, at, permits) values ($1, $2, $3)
            on conflict (name, at) do update set permits = rate_grants.permits + excluded.permits";
        work.execute(sql, &[&quota.name, &at, &i64::from(permits.granted)]).await?;
    }
    permits.retry_at = permits.retry_at.map(|retry| shift.told(retry.unix_millis()));
    Ok(permits)
}

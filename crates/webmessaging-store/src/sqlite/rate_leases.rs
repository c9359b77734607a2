//! Rate leases in SQLite: a log of what was given out within the window.

use rusqlite::{Connection, params};
use webmessaging_model::Timestamp;

use super::SqliteStore;
use crate::check;
use crate::error::Error;
use crate::rate_leases::{Permits, RateLeases, RateQuota};
use crate::store::Stored;

impl RateLeases for SqliteStore {
    fn take_permits<'a>(&'a self, quota: &'a RateQuota, wanted: u32, now: Timestamp) -> Stored<'a, Permits> {
        Box::pin(async move {
            check::quota(quota)?;
            let quota = quota.clone();
            self.write(move |connection| take(connection, &quota, wanted, now)).await
        })
    }
}

fn take(connection: &Connection, quota: &RateQuota, wanted: u32, now: Timestamp) -> Result<Permits, Error> {
    let sql = "select max(at) from rate_grants where name = ?1";
    let last: Option<i64> = connection.prepare_cached(sql)?.query_row([&quota.name], |row| row.get(0))?;
    // The log does not go back, whoever's clock does.
    let at = last.map_or(now, |last| now.max(Timestamp::from_unix_millis(last)));
    let sql = "delete from rate_grants where name = ?1 and at <= ?2";
    connection.prepare_cached(sql)?.execute(params![quota.name, (at - quota.window).unix_millis()])?;
    let sql = "select coalesce(sum(permits), 0), min(at) from rate_grants where name = ?1";
    let (used, first): (i64, Option<i64>) =
        connection.prepare_cached(sql)?.query_row([&quota.name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let permits = Permits::of(quota, wanted, used, first, at);
    if permits.granted > 0 {
        let sql = "insert into rate_grants (name, at, permits) values (?1, ?2, ?3)
            on conflict (name, at) do update set permits = rate_grants.permits + excluded.permits";
        connection.prepare_cached(sql)?.execute(params![quota.name, at.unix_millis(), permits.granted])?;
    }
    Ok(permits)
}

//! Leases in SQLite.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use webmessaging_model::Timestamp;

use super::SqliteStore;
use crate::check;
use crate::error::{Error, ErrorKind};
use crate::leases::{Lease, LeaseAnswer, Leases};
use crate::store::Stored;

impl Leases for SqliteStore {
    fn acquire_lease<'a>(
        &'a self,
        name: &'a str,
        holder: &'a str,
        ttl: Duration,
        now: Timestamp,
    ) -> Stored<'a, LeaseAnswer> {
        Box::pin(async move {
            check::lease(name, holder)?;
            let (name, holder) = (name.to_owned(), holder.to_owned());
            self.write(move |connection| acquire(connection, &name, &holder, now + ttl, now)).await
        })
    }

    fn renew_lease<'a>(&'a self, lease: &'a Lease, ttl: Duration, now: Timestamp) -> Stored<'a, Lease> {
        let renewed = Lease { expires_at: now + ttl, ..lease.clone() };
        Box::pin(self.write(move |connection| {
            let sql = "update leases set expires_at = ?3 where name = ?1 and token = ?2 and expires_at > ?4";
            let values =
                params![renewed.name, renewed.token, renewed.expires_at.unix_millis(), now.unix_millis()];
            match connection.prepare_cached(sql)?.execute(values)? {
                1 => Ok(renewed),
                _ => Err(Error::new(ErrorKind::LeaseLost)),
            }
        }))
    }

    fn release_lease<'a>(&'a self, lease: &'a Lease, now: Timestamp) -> Stored<'a, ()> {
        let (name, token) = (lease.name.clone(), lease.token);
        Box::pin(self.write(move |connection| {
            let sql = "update leases set expires_at = ?3 where name = ?1 and token = ?2 and expires_at > ?3";
            connection.prepare_cached(sql)?.execute(params![name, token, now.unix_millis()])?;
            Ok(())
        }))
    }
}

fn acquire(
    connection: &Connection,
    name: &str,
    holder: &str,
    until: Timestamp,
    now: Timestamp,
) -> Result<LeaseAnswer, Error> {
    let sql = "insert into leases (name, holder, token, expires_at) values (?1, ?2, 1, ?3)
        on conflict (name) do update
            set holder = excluded.holder, token = leases.token + 1, expires_at = excluded.expires_at
        where leases.expires_at <= ?4 or leases.holder = excluded.holder
        returning token";
    let values = params![name, holder, until.unix_millis(), now.unix_millis()];
    let token = connection.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?;
    if let Some(token) = token {
        let lease = Lease { name: name.to_owned(), holder: holder.to_owned(), token, expires_at: until };
        return Ok(LeaseAnswer::Acquired(lease));
    }
    let sql = "select holder, expires_at from leases where name = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([name], |row| {
        Ok(LeaseAnswer::Held { holder: row.get(0)?, until: Timestamp::from_unix_millis(row.get(1)?) })
    })?)
}

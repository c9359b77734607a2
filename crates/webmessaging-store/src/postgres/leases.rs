//! Leases in PostgreSQL.

use std::time::Duration;

use webmessaging_model::Timestamp;

use super::PostgresStore;
use super::pool::Values;
use crate::check;
use crate::error::{Error, ErrorKind};
use crate::leases::{Lease, LeaseAnswer, Leases};
use crate::store::Stored;

impl Leases for PostgresStore {
    fn acquire_lease<'a>(
        &'a self,
        name: &'a str,
        holder: &'a str,
        ttl: Duration,
        now: Timestamp,
    ) -> Stored<'a, LeaseAnswer> {
        Box::pin(async move {
            check::lease(name, holder)?;
            let mut connection = self.pool.get().await?;
            let shift = self.clock.shift_alone(&mut connection, now).await?;
            let sql = "insert into leases (name, holder, token, expires_at) values ($1, $2, 1, $3)
                on conflict (name) do update
                    set holder = excluded.holder, token = leases.token + 1, expires_at = excluded.expires_at
                where leases.expires_at <= $4 or leases.holder = excluded.holder
                returning token";
            let until = shift.after(ttl);
            if let Some(row) = connection.first(sql, &[&name, &holder, &until, &shift.now()]).await? {
                return Ok(LeaseAnswer::Acquired(Lease {
                    name: name.to_owned(),
                    holder: holder.to_owned(),
                    token: row.try_get(0)?,
                    expires_at: shift.told(until),
                }));
            }
            let sql = "select holder, expires_at from leases where name = $1";
            let row = connection.first(sql, &[&name]).await?.ok_or_else(|| Error::new(ErrorKind::Busy))?;
            Ok(LeaseAnswer::Held { holder: row.try_get(0)?, until: shift.told(row.try_get(1)?) })
        })
    }

    fn renew_lease<'a>(&'a self, lease: &'a Lease, ttl: Duration, now: Timestamp) -> Stored<'a, Lease> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let shift = self.clock.shift_alone(&mut connection, now).await?;
            let sql = "update leases set expires_at = $3 where name = $1 and token = $2 and expires_at > $4";
            let until = shift.after(ttl);
            let values: Values<'_> = &[&lease.name, &lease.token, &until, &shift.now()];
            match connection.execute(sql, values).await? {
                1 => Ok(Lease { expires_at: shift.told(until), ..lease.clone() }),
                _ => Err(Error::new(ErrorKind::LeaseLost)),
            }
        })
    }

    fn release_lease<'a>(&'a self, lease: &'a Lease, now: Timestamp) -> Stored<'a, ()> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let shift = self.clock.shift_alone(&mut connection, now).await?;
            let sql = "update leases set expires_at = $3 where name = $1 and token = $2 and expires_at > $3";
            connection.execute(sql, &[&lease.name, &lease.token, &shift.now()]).await?;
            Ok(())
        })
    }
}

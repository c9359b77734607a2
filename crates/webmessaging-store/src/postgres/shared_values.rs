//! Shared values in PostgreSQL.

use secrecy::{ExposeSecret, SecretString};
use webmessaging_model::Timestamp;

use super::PostgresStore;
use super::pool::Values;
use crate::check;
use crate::error::{Error, ErrorKind};
use crate::shared_values::{SharedValue, SharedValues};
use crate::store::Stored;

impl SharedValues for PostgresStore {
    fn load_value<'a>(&'a self, key: &'a str, now: Timestamp) -> Stored<'a, Option<SharedValue>> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let sql = "select value, expires_at, token from shared_values
                where key = $1 and expires_at > $2 and value is not null";
            let Some(row) = connection.first(sql, &[&key, &now.unix_millis()]).await? else {
                return Ok(None);
            };
            Ok(Some(SharedValue {
                value: SecretString::from(row.try_get::<_, String>(0)?),
                expires_at: Timestamp::from_unix_millis(row.try_get(1)?),
                token: row.try_get(2)?,
            }))
        })
    }

    fn store_value<'a>(
        &'a self,
        key: &'a str,
        value: SecretString,
        expires_at: Timestamp,
        token: i64,
    ) -> Stored<'a, ()> {
        Box::pin(async move {
            check::value(key, value.expose_secret())?;
            let mut connection = self.pool.get().await?;
            let sql = "insert into shared_values (key, value, expires_at, token) values ($1, $2, $3, $4)
                on conflict (key) do update
                    set value = excluded.value, expires_at = excluded.expires_at, token = excluded.token
                where excluded.token >= shared_values.token";
            let values: Values<'_> = &[&key, &value.expose_secret(), &expires_at.unix_millis(), &token];
            match connection.execute(sql, values).await? {
                1 => Ok(()),
                _ => Err(Error::new(ErrorKind::LeaseLost)),
            }
        })
    }
}

//! Shared values in SQLite.

use rusqlite::{OptionalExtension, params};
use secrecy::{ExposeSecret, SecretString};
use webmessaging_model::Timestamp;

use super::SqliteStore;
use crate::check;
use crate::error::{Error, ErrorKind};
use crate::shared_values::{SharedValue, SharedValues};
use crate::store::Stored;

impl SharedValues for SqliteStore {
    fn load_value<'a>(&'a self, key: &'a str, now: Timestamp) -> Stored<'a, Option<SharedValue>> {
        let key = key.to_owned();
        Box::pin(self.read(move |connection| {
            let sql = "select value, expires_at, token from shared_values
                where key = ?1 and expires_at > ?2 and value is not null";
            let value = connection.prepare_cached(sql)?.query_row(params![key, now.unix_millis()], |row| {
                Ok(SharedValue {
                    value: SecretString::from(row.get::<_, String>(0)?),
                    expires_at: Timestamp::from_unix_millis(row.get(1)?),
                    token: row.get(2)?,
                })
            });
            Ok(value.optional()?)
        }))
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
            let key = key.to_owned();
            self.write(move |connection| {
                let sql = "insert into shared_values (key, value, expires_at, token) values (?1, ?2, ?3, ?4)
                    on conflict (key) do update
                        set value = excluded.value, expires_at = excluded.expires_at, token = excluded.token
                    where excluded.token >= shared_values.token";
                let values = params![key, value.expose_secret(), expires_at.unix_millis(), token];
                match connection.prepare_cached(sql)?.execute(values)? {
                    1 => Ok(()),
                    _ => Err(Error::new(ErrorKind::LeaseLost)),
                }
            })
            .await
        })
    }
}

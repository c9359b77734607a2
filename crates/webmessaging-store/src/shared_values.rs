//! Shared values: secrets that processes have in common for a while, such as an access token.

use secrecy::SecretString;
use webmessaging_model::Timestamp;

use crate::store::Stored;

/// Secrets that processes share. They lie in the store as they are: who can read the store can read them.
pub trait SharedValues {
    /// The value of a key, unless it has expired.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable), [`Corrupt`](crate::ErrorKind::Corrupt).
    fn load_value<'a>(&'a self, key: &'a str, now: Timestamp) -> Stored<'a, Option<SharedValue>>;

    /// Keeps a value in place of the one before. `token` is that of the [`Lease`](crate::Lease) under which it came about: who was overtaken by
    /// somebody with a larger one is refused, whenever that was.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::ErrorKind::LeaseLost) when somebody with a larger token has stored a value: nothing is written.
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for what [`limits`](crate::limits) do not allow.
    fn store_value<'a>(
        &'a self,
        key: &'a str,
        value: SecretString,
        expires_at: Timestamp,
        token: i64,
    ) -> Stored<'a, ()>;
}

/// A secret and its end.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SharedValue {
    /// The secret.
    pub value: SecretString,
    /// When it is no longer good.
    pub expires_at: Timestamp,
    /// The token under which it was stored.
    pub token: i64,
}

//! Where processes share the access token of their OAuth client, so that they log in once between them.

use std::fmt;
use std::pin::Pin;
use std::time::SystemTime;

use secrecy::SecretString;
use sha2::{Digest, Sha256};

use crate::error::Error;

/// A token that another process may use too.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CachedToken {
    /// The token itself.
    pub value: SecretString,
    /// When it expires, by the calendar: processes have no other clock in common.
    pub expires_at: SystemTime,
}

impl CachedToken {
    /// A token and its end.
    pub fn new(value: impl Into<SecretString>, expires_at: SystemTime) -> Self {
        Self { value: value.into(), expires_at }
    }
}

/// Which token is meant: a digest of login server, OAuth client and scopes, without a secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenKey(String);

impl TokenKey {
    pub(crate) fn of(login: &str, client_id: &str, scopes: &[String]) -> Self {
        let mut digest = Sha256::new();
        for part in [login, client_id].into_iter().chain(scopes.iter().map(String::as_str)) {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        Self(hex::encode(digest.finalize()))
    }

    /// 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An answer in the making.
pub type Cached<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// The right to log in for everybody; dropped, it is somebody else's.
pub type LoginLock = Box<dyn Send>;

/// Keeps tokens for several processes; [`FileTokenCache`](crate::FileTokenCache) is one in a file.
///
/// Before a login the client looks here, takes the lock, looks again, logs in only if there is still nothing, and stores
/// what it got. An error of kind [`Configuration`](crate::ErrorKind::Configuration) ends the call; any other is logged, and
/// the client goes on as if there were no cache.
pub trait TokenCache: fmt::Debug + Send + Sync + 'static {
    /// The token of a key, if one was stored; whether it is still good is the caller's to judge.
    fn load<'a>(&'a self, key: &'a TokenKey) -> Cached<'a, Option<CachedToken>>;

    /// The right to log in, if nobody has it. It must end with the process that has it.
    fn try_lock<'a>(&'a self, key: &'a TokenKey) -> Cached<'a, Option<LoginLock>>;

    /// Keeps a token in place of the one before.
    fn store<'a>(&'a self, key: &'a TokenKey, token: &'a CachedToken) -> Cached<'a, ()>;
}

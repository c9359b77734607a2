//! OAuth clients as an emulator is told of them.

use std::collections::BTreeSet;

use secrecy::SecretString;

use crate::routes::all_scopes;

/// An OAuth client that the emulator knows.
///
/// # Examples
///
/// ```
/// use webmessaging_emulator::EmulatedClient;
///
/// let reader = EmulatedClient::new("reader", "reader-secret").scopes(["conversations:read"]);
/// # let _ = reader;
/// ```
#[derive(Clone, Debug)]
pub struct EmulatedClient {
    pub(crate) id: String,
    pub(crate) secret: SecretString,
    pub(crate) scopes: BTreeSet<String>,
}

impl EmulatedClient {
    /// A client with every scope that some emulated endpoint asks for.
    pub fn new(id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        Self { id: id.into(), secret: secret.into(), scopes: all_scopes().map(str::to_owned).collect() }
    }

    /// Gives the client these scopes instead of all.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }
}

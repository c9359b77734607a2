//! Who calls, and how credentials travel.

use secrecy::{ExposeSecret, SecretString};

use crate::error::Error;
use crate::login::sensitive;

/// Who calls: an OAuth client that logs in, or whoever an access token was given to.
#[derive(Debug, Clone)]
pub struct Credentials(pub(crate) Kind);

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Client(OAuthClient),
    Token(SecretString),
    /// Nobody: for systems that are none of the platform's.
    Nobody,
}

/// The OAuth client that logs in.
#[derive(Debug, Clone)]
pub(crate) struct OAuthClient {
    pub(crate) id: String,
    pub(crate) secret: SecretString,
}

impl Credentials {
    /// The id and secret of an OAuth client with the client credentials grant.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<SecretString>) -> Self {
        Self(Kind::Client(OAuthClient { id: client_id.into(), secret: client_secret.into() }))
    }

    /// An access token that was got elsewhere. The client cannot renew it: once it is refused, every call is an
    /// [`Authentication`](crate::ErrorKind::Authentication) error that says so.
    pub fn access_token(token: impl Into<SecretString>) -> Self {
        Self(Kind::Token(token.into()))
    }

    pub(crate) fn client_id(&self) -> Option<&str> {
        match &self.0 {
            Kind::Client(client) => Some(&client.id),
            Kind::Token(_) | Kind::Nobody => None,
        }
    }

    pub(crate) fn check(&self, style: AuthStyle) -> Result<(), Error> {
        match &self.0 {
            Kind::Client(OAuthClient { id, secret })
                if id.is_empty() || secret.expose_secret().is_empty() =>
            {
                Err(Error::configuration("client id and client secret must not be empty"))
            }
            Kind::Client(client) if style == AuthStyle::Basic && client.id.contains(':') => {
                Err(Error::configuration("a client id with a colon cannot be sent as basic authentication"))
            }
            Kind::Client(_) | Kind::Nobody => Ok(()),
            Kind::Token(token) if token.expose_secret().is_empty() => {
                Err(Error::configuration("the access token must not be empty"))
            }
            Kind::Token(token) => sensitive("Bearer", token.expose_secret()).map(drop),
        }
    }
}

/// How the credentials travel to the login server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthStyle {
    /// In the `Authorization` header, as the official SDKs do.
    #[default]
    Basic,
    /// In the form, for gateways that take that header for themselves.
    Form,
}

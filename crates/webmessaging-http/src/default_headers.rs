//! Headers that go with every API call.

use http::header::{Entry, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::config::ClientBuilder;
use crate::error::Error;

/// Headers that belong to the connection, to the client or to single calls: the same value for all calls would break
/// them, or go unsent.
const RESERVED: &[&str] = &[
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "idempotency-key",
    "if-match",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-correlation-id",
    "x-genesys-request-id",
];

/// The headers, and the first reason why they cannot be sent.
#[derive(Debug, Default)]
pub(crate) struct DefaultHeaders {
    headers: HeaderMap,
    count: usize,
    failure: Option<Error>,
}

impl DefaultHeaders {
    fn set(&mut self, name: &str, value: &SecretString) {
        self.count += 1;
        match checked(&format!("default header {}", self.count), name, value) {
            Ok((name, value)) => {
                self.headers.insert(name, value);
            }
            Err(error) => {
                self.failure.get_or_insert(error);
            }
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    /// Adds the headers to a call that does not have them of its own.
    pub(crate) fn add_to(&self, call: &mut HeaderMap) {
        for (name, value) in &self.headers {
            if let Entry::Vacant(place) = call.entry(name) {
                place.insert(value.clone());
            }
        }
    }
}

/// A header that a user adds, if it can be sent and is none of the client's own. `what` it is goes into the error.
pub(crate) fn checked(
    what: &str,
    name: &str,
    value: &SecretString,
) -> Result<(HeaderName, HeaderValue), Error> {
    // A name that is none is not repeated: somebody may have mixed it up with the value.
    let Ok(name) = HeaderName::try_from(name) else {
        return Err(Error::configuration(format!("{what} has a name that no header can have")));
    };
    if RESERVED.contains(&name.as_str()) {
        return Err(Error::configuration(format!("the header `{name}` is not one to add")));
    }
    let Ok(mut value) = HeaderValue::try_from(value.expose_secret()) else {
        return Err(Error::configuration(format!("the header `{name}` has a value that no header can hold")));
    };
    value.set_sensitive(true);
    Ok((name, value))
}

impl ClientBuilder {
    /// Adds a header to every API call, for gateways that ask for one; a second value for the same name replaces the
    /// first, and a call's own header goes before. As in the official SDKs, logins do not have it, and the hosts of
    /// presigned URLs never see it. The value is kept as a secret, whatever it is.
    ///
    /// `build` refuses headers that the client sets itself, such as `Authorization`, `Content-Type` and
    /// `X-Correlation-Id`.
    ///
    /// # Examples
    /// ```
    /// use webmessaging_http::{Client, Credentials};
    ///
    /// let client = Client::builder(Credentials::new("id", "secret"))
    ///     .default_header("x-api-key", "the-key")
    ///     .build()?;
    /// # Ok::<(), webmessaging_http::Error>(())
    /// ```
    pub fn default_header(mut self, name: impl AsRef<str>, value: impl Into<SecretString>) -> Self {
        self.default_headers.set(name.as_ref(), &value.into());
        self
    }
}

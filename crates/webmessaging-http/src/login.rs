//! The client credentials login.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use webmessaging_model::{LimitClass, Method, Operation, RetryClass};

use crate::credentials::{AuthStyle, OAuthClient};
use crate::error::Error;

/// Trades client id and secret for an access token. A second login leaves a token behind that expires unused.
pub const CREATE_TOKEN: Operation = Operation::new("oauth.token", Method::Post, "/oauth/token")
    .retry(RetryClass::Repeatable)
    .limit(LimitClass::Login)
    .source("official SDK for JavaScript 262.0.0, ApiClient.js");

/// Every operation of this crate.
pub const OPERATIONS: &[&Operation] = &[&CREATE_TOKEN];

/// What the login server answers. There is no refresh token: with this grant one logs in again.
#[derive(Deserialize)]
pub(crate) struct TokenAnswer {
    pub(crate) access_token: SecretString,
    /// Seconds; 300 to 172 800, 86 400 where the OAuth client says nothing else.
    pub(crate) expires_in: u64,
    /// `bearer`, in any case.
    #[serde(default)]
    pub(crate) token_type: Option<String>,
    /// Space-separated.
    #[serde(default)]
    pub(crate) scope: Option<String>,
}

/// The login request; the bytes of its body and one header are secret.
pub(crate) fn request(
    url: &str,
    client: &OAuthClient,
    style: AuthStyle,
    scopes: &[String],
) -> Result<Request<Bytes>, Error> {
    let (id, secret) = (&client.id, client.secret.expose_secret());
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if !scopes.is_empty() {
        form.append_pair("scope", &scopes.join(" "));
    }
    let mut request = Request::post(url)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json");
    match style {
        AuthStyle::Form => {
            form.append_pair("client_id", id).append_pair("client_secret", secret);
        }
        AuthStyle::Basic => {
            request = request
                .header(AUTHORIZATION, sensitive("Basic", &STANDARD.encode(format!("{id}:{secret}")))?);
        }
    }
    request
        .body(Bytes::from(form.finish()))
        .map_err(|error| Error::configuration("the login url is not valid").with_source(error))
}

/// An `Authorization` header that debug output does not show.
pub(crate) fn sensitive(scheme: &str, credentials: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(format!("{scheme} {credentials}"))
        .map_err(|_| Error::configuration("a token or credential has characters that no header can hold"))?;
    value.set_sensitive(true);
    Ok(value)
}

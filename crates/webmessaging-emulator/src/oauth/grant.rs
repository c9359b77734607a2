//! `POST /oauth/token`: client credentials, in the header or in the form, for a bearer token.

use std::collections::{BTreeSet, HashMap};

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use crate::answer::{Refusal, json_response};
use crate::body::media_type;
use crate::oauth::{Authority, Client, strip_scheme};
use crate::serve::Call;
use crate::state::REQUEST_BYTES_MAX;

/// Parameters that must not be repeated.
const PARAMETERS: [&str; 4] = ["grant_type", "scope", "client_id", "client_secret"];

/// `POST /oauth/token`.
pub(crate) async fn token(call: &mut Call) -> Result<Response, Refusal> {
    if media_type(&call.headers).as_deref() != Some("application/x-www-form-urlencoded") {
        return Err(invalid_request("the content type must be application/x-www-form-urlencoded"));
    }
    let Some(body) = call.body.read(REQUEST_BYTES_MAX).await? else {
        return Err(invalid_request("the request body is too long"));
    };
    let form = Form::parse(&body)?;
    let Some(grant_type) = form.get("grant_type") else {
        return Err(invalid_request("grant_type is missing"));
    };
    let authority = &call.shared.oauth;
    let client = authenticate(authority, &call.headers, &form)?;
    if grant_type != "client_credentials" {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "only client_credentials is supported",
        ));
    }
    let mut scopes: BTreeSet<String> =
        form.get("scope").unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect();
    if !scopes.is_subset(&client.scopes) {
        let message = "a requested scope is not granted to this client";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "invalid_scope", message));
    }
    if scopes.is_empty() {
        scopes.clone_from(&client.scopes);
    }

    let scope = scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let lifetime = call.shared.settings.token_lifetime;
    let token = authority.issue(&client.id, scopes, call.shared.clock.now(), lifetime)?;
    let mut response = json_response(
        StatusCode::OK,
        &json!({
            "access_token": token,
            "token_type": "bearer",
            "expires_in": lifetime.as_secs(),
            "scope": scope,
        }),
    );
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn authenticate<'a>(
    authority: &'a Authority,
    headers: &HeaderMap,
    form: &Form,
) -> Result<&'a Client, Refusal> {
    let mut headers = headers.get_all(AUTHORIZATION).iter();
    match (headers.next(), headers.next()) {
        (Some(_), Some(_)) => Err(invalid_request("the authorization header is repeated")),
        (Some(_), None) if form.get("client_id").or(form.get("client_secret")).is_some() => {
            Err(invalid_request("credentials are both in the header and in the body"))
        }
        (Some(header), None) => basic(authority, header).ok_or_else(|| {
            let challenge = HeaderValue::from_static("Basic realm=\"oauth\"");
            invalid_client().with_header(WWW_AUTHENTICATE, challenge)
        }),
        (None, _) => {
            let id = form.get("client_id").unwrap_or_default();
            authority.client(id, form.get("client_secret").unwrap_or_default()).ok_or_else(invalid_client)
        }
    }
}

fn basic<'a>(authority: &'a Authority, header: &HeaderValue) -> Option<&'a Client> {
    let decoded = STANDARD.decode(strip_scheme(header, "basic")?).ok()?;
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    // RFC 6749 has both parts form-encoded; many clients send them as they are.
    authority.client(id, secret).or_else(|| authority.client(&form_decoded(id), &form_decoded(secret)))
}

fn form_decoded(text: &str) -> String {
    // Only the first `=` separates, and `&` cannot be part of an encoded text.
    let pair = format!("={text}");
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// The known parameters of a form, none of them twice.
struct Form {
    fields: HashMap<&'static str, String>,
}

impl Form {
    fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let mut fields = HashMap::new();
        for (key, value) in url::form_urlencoded::parse(body) {
            let known = PARAMETERS.into_iter().find(|name| *name == key);
            if let Some(name) = known
                && fields.insert(name, value.into_owned()).is_some()
            {
                return Err(invalid_request(&format!("{name} is repeated")));
            }
        }
        Ok(Self { fields })
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

fn invalid_request(message: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "invalid_request", message)
}

fn invalid_client() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, "invalid_client", "the client is unknown or its secret is wrong")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_decoding_handles_the_separators_of_a_form() {
        assert_eq!(form_decoded("a%2Bb+c%3Dd=e"), "a+b c=d=e");
        assert_eq!(form_decoded(""), "");
    }
}

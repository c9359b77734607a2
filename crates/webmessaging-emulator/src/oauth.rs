//! OAuth 2.0 client credentials: the token endpoint, and the check of bearer tokens.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::answer::{Refusal, json_response};
use crate::builder::EmulatedClient;
use crate::rate::Caller;
use crate::serve::Call;
use crate::sign::{DIGEST_BYTES, Signer, random_token};
use crate::state::{REQUEST_BYTES_MAX, lock};

/// Expired tokens are swept out each time the number of tokens reaches a multiple of this.
const SWEEP_EVERY: usize = 1_024;

/// Parameters that must not be repeated.
const PARAMETERS: [&str; 4] = ["grant_type", "scope", "client_id", "client_secret"];

/// Issues tokens and knows them again. Secrets and tokens are kept as digests only.
pub(crate) struct Authority {
    signer: Signer,
    clients: HashMap<String, Client>,
    tokens: Mutex<Tokens>,
}

/// Tokens by their digests.
pub(crate) type Tokens = HashMap<[u8; DIGEST_BYTES], Grant>;

struct Client {
    id: String,
    secret_digest: [u8; DIGEST_BYTES],
    scopes: BTreeSet<String>,
}

/// What one token allows.
#[derive(Clone)]
pub(crate) struct Grant {
    client: String,
    scopes: BTreeSet<String>,
    expires_at: SystemTime,
}

impl Authority {
    /// An authority that knows these clients; of two with one id, the later counts.
    pub(crate) fn new(signer: Signer, clients: &[EmulatedClient]) -> Self {
        let clients = clients
            .iter()
            .map(|client| {
                let secret_digest = signer.digest(client.secret.expose_secret().as_bytes());
                let known = Client { id: client.id.clone(), secret_digest, scopes: client.scopes.clone() };
                (client.id.clone(), known)
            })
            .collect();
        Self { signer, clients, tokens: Mutex::default() }
    }

    /// Checks that the request carries one valid bearer token with all of `scopes`, and says whose it is.
    pub(crate) fn authorize(
        &self,
        headers: &HeaderMap,
        scopes: &[&str],
        now: SystemTime,
    ) -> Result<Caller, Refusal> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Err(bearer_missing()) };
        let Some(token) = strip_scheme(value, "bearer") else { return Err(bearer_missing()) };
        if values.next().is_some() {
            return Err(bearer_bad());
        }
        let digest = self.signer.digest(token.as_bytes());
        let grant = lock(&self.tokens)?.get(&digest).cloned();
        let grant = grant.filter(|grant| now < grant.expires_at).ok_or_else(bearer_bad)?;
        // On the platform, who may write an area may read it.
        let covers = |scope: &str| {
            let area = scope.strip_suffix(":readonly");
            grant.scopes.contains(scope) || area.is_some_and(|area| grant.scopes.contains(area))
        };
        match scopes.iter().find(|scope| !covers(scope)) {
            None => Ok(Caller { token: digest, client: grant.client }),
            Some(scope) => Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "app.not.authorized.for.scope",
                format!("the token lacks the scope {scope}"),
            )),
        }
    }

    /// All tokens as they are.
    pub(crate) fn capture(&self) -> Tokens {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts these tokens in place of all others.
    pub(crate) fn restore(&self, tokens: Tokens) {
        *self.tokens.lock().unwrap_or_else(PoisonError::into_inner) = tokens;
        self.tokens.clear_poison();
    }

    /// How many tokens are valid and how many have expired but are not swept out yet.
    pub(crate) fn counts(&self, now: SystemTime) -> (usize, usize) {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let valid = tokens.values().filter(|grant| now < grant.expires_at).count();
        (valid, tokens.len() - valid)
    }

    fn issue(
        &self,
        client: &str,
        scopes: BTreeSet<String>,
        now: SystemTime,
        lifetime: Duration,
    ) -> Result<String, Refusal> {
        let token = random_token().map_err(|_| Refusal::internal("no randomness"))?;
        let expires_at = now.checked_add(lifetime).ok_or_else(|| Refusal::internal("token lifetime"))?;
        let mut tokens = lock(&self.tokens)?;
        if tokens.len() % SWEEP_EVERY == SWEEP_EVERY - 1 {
            tokens.retain(|_, grant| now < grant.expires_at);
        }
        tokens.insert(
            self.signer.digest(token.as_bytes()),
            Grant { client: client.to_owned(), scopes, expires_at },
        );
        Ok(token)
    }

    fn client(&self, id: &str, secret: &str) -> Option<&Client> {
        let client = self.clients.get(id);
        // An unknown id takes as long as a wrong secret.
        let digest = client.map_or([0; DIGEST_BYTES], |client| client.secret_digest);
        self.signer.matches(secret.as_bytes(), &digest).then_some(client).flatten()
    }
}

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

/// The media type of a request in lower case, without parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next()?.trim().to_ascii_lowercase())
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

/// What follows an authorization scheme, whose case does not matter.
fn strip_scheme<'a>(value: &'a HeaderValue, scheme: &str) -> Option<&'a str> {
    let (given, rest) = value.to_str().ok()?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| rest.trim())
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

fn bearer_missing() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, "authentication.required", "no bearer token was given")
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

fn bearer_bad() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, "bad.credentials", "the bearer token is unknown or has expired")
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_decoding_handles_the_separators_of_a_form() {
        assert_eq!(form_decoded("a%2Bb+c%3Dd=e"), "a+b c=d=e");
        assert_eq!(form_decoded(""), "");
    }

    #[test]
    fn a_scheme_is_matched_without_case_and_needs_a_blank() {
        let value = HeaderValue::from_static("bEaReR  abc ");
        assert_eq!(strip_scheme(&value, "bearer"), Some("abc"));
        assert_eq!(strip_scheme(&HeaderValue::from_static("Bearerabc"), "bearer"), None);
        assert_eq!(strip_scheme(&value, "basic"), None);
    }

    #[test]
    fn expired_tokens_are_swept_out() {
        let authority = Authority::new(Signer::random().unwrap(), &[]);
        let start = SystemTime::UNIX_EPOCH;
        let lifetime = Duration::from_secs(10);
        for _ in 0..SWEEP_EVERY - 1 {
            authority.issue("client", BTreeSet::new(), start, lifetime).unwrap();
        }
        authority.issue("client", BTreeSet::new(), start + lifetime, lifetime).unwrap();
        assert_eq!(authority.tokens.lock().unwrap().len(), 1);
    }
}

//! OAuth 2.0 client credentials: the clients and tokens of an emulator, and the check of bearer tokens.

mod client;
mod grant;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use secrecy::ExposeSecret;

use crate::answer::Refusal;
use crate::rate::Caller;
use crate::sign::{DIGEST_BYTES, Signer, random_token};
use crate::state::lock;

pub use self::client::EmulatedClient;

pub(crate) use self::grant::token;

/// Expired tokens are swept out each time the number of tokens reaches a multiple of this.
const SWEEP_EVERY: usize = 1_024;

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

/// What follows an authorization scheme, whose case does not matter.
fn strip_scheme<'a>(value: &'a HeaderValue, scheme: &str) -> Option<&'a str> {
    let (given, rest) = value.to_str().ok()?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| rest.trim())
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

//! The client: everything calls share.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tracing::Instrument;
use webmessaging_model::Operation;

use crate::answer::Answer;
use crate::breaker::{BreakerStatus, Breakers};
use crate::budget::Purse;
use crate::clock::{Clock, Entropy, correlation_id};
use crate::config::ClientBuilder;
use crate::credentials::{AuthStyle, Credentials, Kind, OAuthClient};
use crate::default_headers::DefaultHeaders;
use crate::digest::Hasher;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind, Sent};
use crate::hosts::Hosts;
use crate::limit::{LimitStatus, Limiter};
use crate::log;
use crate::login::{self, CREATE_TOKEN, TokenAnswer};
use crate::observe::{LoginEnded, Observers};
use crate::pipeline::{Authorization, Call, Patience};
use crate::retry::RetryPolicy;
use crate::shared_token::Sharing;
use crate::timeouts::Timeouts;
use crate::token::{Boarding, Flight, Grant, Token, Tokens};
use crate::token_cache::TokenKey;
use crate::transport::Transport;

/// Calls the platform: logs in, renews the token, retries what may be retried, and tells errors apart.
///
/// Cheap to clone; clones share the token and the connections.
///
/// # Examples
/// ```
/// use webmessaging_http::{Client, Credentials};
///
/// # fn main() -> Result<(), webmessaging_http::Error> {
/// let client = Client::builder(Credentials::new("client-id", "client-secret")).build()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    /// For work that goes on when a call is over.
    this: Weak<Self>,
    pub(crate) hosts: Hosts,
    pub(crate) paths: HashMap<&'static str, String>,
    pub(crate) default_headers: DefaultHeaders,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) retry: RetryPolicy,
    pub(crate) purse: Purse,
    pub(crate) breakers: Breakers,
    pub(crate) observers: Observers,
    pub(crate) limiter: Limiter,
    pub(crate) timeouts: Timeouts,
    pub(crate) answer_bytes_max: usize,
    /// How many uploads to presigned URLs send at this moment.
    pub(crate) uploads: Arc<AtomicUsize>,
    /// Makes the digest of one that is alone.
    pub(crate) hasher: Hasher,
    credentials: Credentials,
    auth_style: AuthStyle,
    scopes: Vec<String>,
    tokens: Tokens,
    sharing: Option<Sharing>,
}

impl Client {
    /// Starts setting a client up.
    pub fn builder(credentials: Credentials) -> ClientBuilder {
        ClientBuilder::new(credentials)
    }

    pub(crate) fn assemble(
        builder: ClientBuilder,
        credentials: Credentials,
        hosts: Hosts,
        paths: HashMap<&'static str, String>,
        transport: Arc<dyn Transport>,
    ) -> Self {
        let observers = Observers::new(builder.observers);
        Self(Arc::new_cyclic(|this| Shared {
            this: Weak::clone(this),
            paths,
            default_headers: builder.default_headers,
            transport,
            limiter: Limiter::new(&builder.rate_limit, builder.clock.now()),
            clock: builder.clock,
            entropy: builder.entropy,
            retry: builder.retry,
            purse: Purse::new(&builder.budget),
            breakers: Breakers::new(builder.breaker, observers.clone()),
            observers,
            timeouts: builder.timeouts,
            answer_bytes_max: builder.answer_bytes_max,
            uploads: Arc::default(),
            hasher: Hasher::default(),
            // A token that was given is nobody else's affair.
            sharing: builder
                .token_cache
                .zip(credentials.client_id())
                .map(|(cache, id)| Sharing::new(cache, TokenKey::of(&hosts.login, id, &builder.scopes))),
            hosts,
            credentials,
            auth_style: builder.auth_style,
            scopes: builder.scopes,
            tokens: Tokens::default(),
        }))
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// - [`InvalidInput`](ErrorKind::InvalidInput) with every broken rule; nothing was sent.
    /// - [`Authentication`](ErrorKind::Authentication) when the login server or, after one fresh login, the platform
    ///   refuses.
    /// - [`Permission`](ErrorKind::Permission), [`NotFound`](ErrorKind::NotFound), [`Conflict`](ErrorKind::Conflict),
    ///   [`RateLimited`](ErrorKind::RateLimited), [`Rejected`](ErrorKind::Rejected), [`Server`](ErrorKind::Server) by
    ///   the status of the last answer.
    /// - [`CircuitOpen`](ErrorKind::CircuitOpen) when the host has failed too often; nothing was sent.
    /// - [`Connect`](ErrorKind::Connect), [`Tls`](ErrorKind::Tls), [`Interrupted`](ErrorKind::Interrupted),
    ///   [`Timeout`](ErrorKind::Timeout) when there was none.
    /// - [`UnexpectedAnswer`](ErrorKind::UnexpectedAnswer) when it is not what the operation answers.
    pub async fn send<E: Endpoint>(&self, endpoint: &E) -> Result<Answer<E::Answer>, Error> {
        self.send_within(endpoint, self.0.timeouts.call).await
    }

    /// Sends a request with a time limit of its own in place of [`Timeouts::call`].
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub async fn send_within<E: Endpoint>(
        &self,
        endpoint: &E,
        limit: Duration,
    ) -> Result<Answer<E::Answer>, Error> {
        crate::pipeline::send(&self.0, endpoint, limit).await
    }

    /// How it stands with every host this client has spoken with, by name.
    pub fn breakers(&self) -> Vec<BreakerStatus> {
        self.0.breakers.status(self.0.clock.now())
    }

    /// How it stands with the rate limits, and how long one more call would wait, for each class of operations.
    pub fn limits(&self) -> Vec<LimitStatus> {
        self.0.limiter.status(self.0.clock.now())
    }

    /// Whether the platform is this machine, as an emulator is, so that plain `http` may carry a secret; for feature crates.
    pub fn is_loopback(&self) -> bool {
        self.0.is_loopback()
    }

    /// A fresh UUID of this client's randomness, for ids that go into a body. Nothing secret.
    pub fn new_id(&self) -> String {
        correlation_id(&*self.0.entropy)
    }

    /// The clock of this client, for waits of a feature crate.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("api", &self.0.hosts.api)
            .field("client_id", &self.0.credentials.client_id())
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// The token, where no login has to be waited for. One that is about to expire is renewed on the side.
    pub(crate) fn token_at_hand(&self, now: Instant) -> Option<Token> {
        let (token, renewal) = self.tokens.at_hand(now)?;
        if let (Some(flight), Some(shared)) = (renewal, self.this.upgrade()) {
            tokio::spawn(async move {
                // A failure is logged, and waits: the token is still good for a while.
                let _ = shared.renew(flight).await;
            });
        }
        Some(token)
    }

    /// A token that is good for now, after a login where one is due. Boxed, because the login is itself a call of the
    /// pipeline that asks for the token.
    pub(crate) fn token(&self) -> Pin<Box<dyn Future<Output = Result<Token, Error>> + Send + '_>> {
        Box::pin(async {
            match self.tokens.board(&*self.clock).await {
                Boarding::Arrived(outcome) => outcome,
                // By itself, so that a caller who gives up does not take the login with it: the next one may be in
                // time to find the token.
                Boarding::Fly(flight) => match self.this.upgrade() {
                    Some(shared) => {
                        let login = async move { shared.renew(flight).await };
                        tokio::spawn(login.in_current_span()).await.unwrap_or_else(|error| {
                            Err(Error::new(ErrorKind::Canceled, Sent::No)
                                .with_operation(&CREATE_TOKEN)
                                .with_message("the login was given up")
                                .with_source(error))
                        })
                    }
                    None => self.renew(flight).await,
                },
            }
        })
    }

    async fn renew(&self, flight: Flight) -> Result<Token, Error> {
        let (mut is_taken_over, started) = (true, self.observers.time(&*self.clock));
        let mut log_in = || {
            is_taken_over = false;
            self.log_in()
        };
        let outcome = match &self.sharing {
            None => log_in().await,
            Some(sharing) => sharing.obtain(&*self.clock, &self.tokens, log_in).await,
        };
        let lifetime = outcome.as_ref().map(|grant| grant.lifetime).ok();
        let outcome = self.tokens.land(flight, outcome, self.clock.now(), &*self.entropy);
        if let Some(started) = started {
            let ended = LoginEnded {
                error_kind: outcome.as_ref().err().map(Error::kind),
                is_taken_over: is_taken_over && outcome.is_ok(),
                lifetime: lifetime.filter(|_| outcome.is_ok()),
                latency: self.clock.now().saturating_duration_since(started),
            };
            self.observers.tell(|observer| observer.login_ended(&ended));
        }
        outcome
    }

    pub(crate) fn token_refused(&self, token: &Token) {
        self.tokens.refused(token);
    }

    pub(crate) fn path_of<'a>(&'a self, operation: &'a Operation) -> &'a str {
        self.paths.get(operation.name).map_or(operation.path, String::as_str)
    }

    async fn log_in(&self) -> Result<Grant, Error> {
        match &self.credentials.0 {
            Kind::Client(client) => self.log_in_as(client).await,
            Kind::Token(token) if self.tokens.was_refused(token) => {
                Err(Error::new(ErrorKind::Authentication, Sent::No)
                    .with_operation(&CREATE_TOKEN)
                    .with_message("the access token that was given was refused and cannot be renewed"))
            }
            Kind::Token(token) => Ok(Grant { value: token.clone(), lifetime: Duration::MAX }),
            Kind::Nobody => Err(Error::configuration("there are no credentials to log in with")),
        }
    }

    async fn log_in_as(&self, client: &OAuthClient) -> Result<Grant, Error> {
        let url = format!("{}{}", self.hosts.login, self.path_of(&CREATE_TOKEN));
        let request = login::request(&url, client, self.auth_style, &self.scopes)?;
        let mut call = Call::begin(self, &CREATE_TOKEN, Patience::Whole(self.timeouts.call));
        let answer: Answer<TokenAnswer> =
            call.run(request, Authorization::None).await.map_err(login_refused)?;
        let grant = self.granted(answer.value).map_err(|error| error.with_facts(&answer.facts))?;
        log::logged_in(grant.lifetime);
        Ok(grant)
    }

    fn granted(&self, answer: TokenAnswer) -> Result<Grant, Error> {
        let TokenAnswer { access_token, expires_in, token_type, scope } = answer;
        if token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(Error::new(ErrorKind::UnexpectedAnswer, Sent::Yes)
                .with_operation(&CREATE_TOKEN)
                .with_message("the login server gave a token of another type than bearer"));
        }
        self.check_scopes(scope.as_deref())?;
        Ok(Grant { value: access_token, lifetime: Duration::from_secs(expires_in) })
    }

    /// A server that names the granted scopes is held to them; one that does not is believed.
    fn check_scopes(&self, granted: Option<&str>) -> Result<(), Error> {
        let Some(granted) = granted else { return Ok(()) };
        let granted: Vec<_> = granted.split_whitespace().collect();
        let missing: Vec<_> =
            self.scopes.iter().map(String::as_str).filter(|scope| !granted.contains(scope)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Permission, Sent::Yes)
            .with_operation(&CREATE_TOKEN)
            .with_message(format!("the oauth client lacks the scope `{}`", missing.join(" "))))
    }

    /// The hosts are this machine, so plain HTTP may carry a secret.
    pub(crate) fn is_loopback(&self) -> bool {
        self.hosts.loopback
    }
}

/// A refusal of the login names the credential at fault; 400 is how some servers say what others say with 401. What would say something of the
/// thing that is asked for, as a 404 or a 409, says nothing of it here.
fn login_refused(error: Error) -> Error {
    let code = error.api().and_then(|api| api.code.as_deref());
    match (error.kind(), code) {
        (ErrorKind::Authentication, _)
        | (ErrorKind::Rejected, Some("invalid_client" | "unauthorized_client")) => error
            .with_kind(ErrorKind::Authentication)
            .with_message("the login server refused the client id or client secret"),
        (ErrorKind::Rejected, Some("invalid_scope")) => error
            .with_kind(ErrorKind::Permission)
            .with_message("the oauth client lacks a scope that was asked for"),
        _ if matches!(error.status().map(|status| status.as_u16()), Some(404 | 409 | 410 | 412)) => error
            .with_kind(ErrorKind::UnexpectedAnswer)
            .with_message("the login server gave an answer that is none to a login"),
        _ => error,
    }
}

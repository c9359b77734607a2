//! Requests to systems that are none of the platform's: no login, no retry, and no way into the own network.

use std::fmt;

use bytes::Bytes;
use http::{Request, Uri};
use url::Url;
use webmessaging_model::{LimitClass, Method, Operation};

use crate::answer::Answer;
use crate::breaker::{BreakerPolicy, BreakerStatus};
use crate::client::Client;
use crate::clock::Clock;
use crate::config::ClientBuilder;
use crate::connection::{Certificates, Proxy};
use crate::credentials::{Credentials, Kind};
use crate::error::{Error, ErrorKind, Sent};
use crate::guard::{Guard, REFUSAL};
use crate::hosts::is_safe;
use crate::observe::Observer;
use crate::pipeline::{Authorization, Call, Patience};
use crate::retry::RetryPolicy;
use crate::timeouts::Timeouts;
use crate::transport::Transport;

/// A request to somebody else's system, as metrics, logs and errors name it.
pub const DELIVER: Operation = Operation::new("external.deliver", Method::Post, "")
    .success(&[200, 201, 202, 203, 204, 205, 206, 207, 208, 226])
    .limit(LimitClass::External);

/// Sends requests to other people's systems.
///
/// Each request goes out once: whoever keeps it has the schedule for further attempts. A host that keeps failing is left
/// alone by a breaker of its own. Addresses of private networks are refused unless they are allowed, whatever a name leads
/// to; what goes through a proxy is looked up by the proxy, and only addresses in URLs are checked there. Redirects are not followed.
///
/// # Examples
/// ```
/// use webmessaging_http::ExternalClient;
///
/// let client = ExternalClient::builder().allow_private(["10.20.0.0/16"]).build()?;
/// # Ok::<(), webmessaging_http::Error>(())
/// ```
#[derive(Clone)]
pub struct ExternalClient {
    client: Client,
    guard: Guard,
}

/// Sets an [`ExternalClient`] up.
#[must_use = "a builder does nothing until `build` is called"]
pub struct ExternalClientBuilder {
    client: ClientBuilder,
    allowed: Vec<String>,
}

impl ExternalClient {
    /// Starts setting a client up.
    pub fn builder() -> ExternalClientBuilder {
        let client = ClientBuilder::new(Credentials(Kind::Nobody)).retry(RetryPolicy::never());
        ExternalClientBuilder { client, allowed: Vec::new() }
    }

    /// Sends a request once and reads the answer, which is a success with any 2xx that HTTP knows.
    ///
    /// # Errors
    /// - [`Configuration`](ErrorKind::Configuration) when the URL is not `https` (or `http` to this machine, where that is
    ///   allowed), has a user, or leads to a private address that is not allowed; nothing was sent.
    /// - Those of [`Client::send`] for a single attempt.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Answer<Bytes>, Error> {
        self.check(request.uri()).map_err(|error| error.with_operation(&DELIVER))?;
        let shared = &self.client.0;
        let mut call = Call::begin(shared, &DELIVER, Patience::Whole(shared.timeouts.attempt));
        call.run_and(request, Authorization::None, |answer| Ok(answer.body().clone())).await
    }

    fn check(&self, uri: &Uri) -> Result<(), Error> {
        let refuse = |why| Err(Error::new(ErrorKind::Configuration, Sent::No).with_message(why));
        // Nothing of the URL is repeated: it may hold a key.
        let Ok(url) = Url::parse(&uri.to_string()) else { return refuse("the url is not a url") };
        if !is_safe(&url, true) {
            return refuse("the url must be https; plain http is for this machine alone");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("the url must not have a user or password");
        }
        if self.guard.refuses(&url) { refuse(REFUSAL) } else { Ok(()) }
    }

    /// How it stands with every host this client has spoken with, by name.
    pub fn breakers(&self) -> Vec<BreakerStatus> {
        self.client.breakers()
    }
}

impl ExternalClientBuilder {
    /// Allows addresses of private networks, as `10.0.0.0/8` or `127.0.0.1`; none by default.
    pub fn allow_private(mut self, networks: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.allowed.extend(networks.into_iter().map(Into::into));
        self
    }

    /// Sets how long connecting and the whole request may take ([`Timeouts::attempt`]).
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.client = self.client.timeouts(timeouts);
        self
    }

    /// Sets when a host is left alone.
    pub fn breaker(mut self, policy: BreakerPolicy) -> Self {
        self.client = self.client.breaker(policy);
        self
    }

    /// Sets the proxy; by default the system's.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.client = self.client.proxy(proxy);
        self
    }

    /// Sets which authorities are trusted; those of the system by default.
    pub fn certificates(mut self, certificates: Certificates) -> Self {
        self.client = self.client.certificates(certificates);
        self
    }

    /// Sets the largest answer in bytes that is read; 8 MiB by default.
    pub fn answer_bytes_max(mut self, bytes: usize) -> Self {
        self.client = self.client.answer_bytes_max(bytes);
        self
    }

    /// Adds somebody who is told of every request.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.client = self.client.observer(observer);
        self
    }

    /// Replaces the network; where names lead to is then its affair.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.client = self.client.transport(transport);
        self
    }

    /// Replaces the clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.client = self.client.clock(clock);
        self
    }

    /// Checks the setup and makes the client.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when an allowed network is none, or a proxy or a certificate is not what it should be.
    pub fn build(mut self) -> Result<ExternalClient, Error> {
        let guard = Guard::allowing(&self.allowed)?;
        self.client.guard = Some(guard.clone());
        Ok(ExternalClient { client: self.client.build()?, guard })
    }
}

impl fmt::Debug for ExternalClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExternalClient").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl fmt::Debug for ExternalClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExternalClientBuilder").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

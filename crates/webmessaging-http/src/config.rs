//! How a client is set up.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use webmessaging_model::operation::path_variables;
use webmessaging_model::{Domain, Operation};

use crate::adapter::{self, Options};
use crate::breaker::BreakerPolicy;
use crate::budget::RetryBudget;
use crate::client::Client;
use crate::clock::{Clock, Entropy, SystemEntropy, TokioClock};
use crate::connection::Connection;
use crate::credentials::{AuthStyle, Credentials};
use crate::default_headers::DefaultHeaders;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::guard::Guard;
use crate::hosts::Hosts;
use crate::limit::RateLimitPolicy;
use crate::observe::Observer;
use crate::retry::RetryPolicy;
use crate::timeouts::Timeouts;
use crate::token_cache::TokenCache;
use crate::transport::Transport;

/// Sets a [`Client`] up; [`Client::builder`] starts one.
///
/// # Examples
/// ```
/// use webmessaging_http::{Client, Credentials};
///
/// let client = Client::builder(Credentials::new("id", "secret")).domain("eu_west_1".parse()?).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    credentials: Credentials,
    domain: Domain,
    base_url: Option<String>,
    login_url: Option<String>,
    pub(crate) gateway: Option<Gateway>,
    pub(crate) connection: Connection,
    pub(crate) default_headers: DefaultHeaders,
    pub(crate) auth_style: AuthStyle,
    pub(crate) scopes: Vec<String>,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: RetryBudget,
    pub(crate) breaker: BreakerPolicy,
    pub(crate) rate_limit: RateLimitPolicy,
    pub(crate) timeouts: Timeouts,
    pub(crate) answer_bytes_max: usize,
    pub(crate) token_cache: Option<Arc<dyn TokenCache>>,
    pub(crate) observers: Vec<Box<dyn Observer>>,
    paths: Vec<(&'static Operation, String)>,
    transport: Option<Arc<dyn Transport>>,
    pub(crate) guard: Option<Guard>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl ClientBuilder {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            domain: Domain::default(),
            base_url: None,
            login_url: None,
            gateway: None,
            connection: Connection::default(),
            default_headers: DefaultHeaders::default(),
            auth_style: AuthStyle::default(),
            scopes: Vec::new(),
            retry: RetryPolicy::default(),
            budget: RetryBudget::default(),
            breaker: BreakerPolicy::default(),
            rate_limit: RateLimitPolicy::default(),
            timeouts: Timeouts::default(),
            answer_bytes_max: 8 * 1024 * 1024,
            token_cache: None,
            observers: Vec::new(),
            paths: Vec::new(),
            transport: None,
            guard: None,
            clock: Arc::new(TokioClock),
            entropy: Arc::new(SystemEntropy),
        }
    }

    /// Sets where the organisation lives; `mypurecloud.com` by default.
    pub fn domain(mut self, domain: Domain) -> Self {
        self.domain = domain;
        self
    }

    /// Sets the base URL of the API itself, for example that of an emulator; it goes before the domain. The login
    /// server is then `login.` where the host begins with `api.`, and the same server otherwise.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Sets the base URL of the login server; it goes before the domain and the base URL.
    pub fn login_url(mut self, url: impl Into<String>) -> Self {
        self.login_url = Some(url.into());
        self
    }

    /// Sets how the credentials travel; [`AuthStyle::Basic`] by default.
    pub fn auth_style(mut self, style: AuthStyle) -> Self {
        self.auth_style = style;
        self
    }

    /// Asks for these scopes at login and refuses a token that lacks one; none by default, which asks for all that
    /// the OAuth client has.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Shares the access token with other processes; by default each client has its own.
    pub fn token_cache(mut self, cache: impl TokenCache) -> Self {
        self.token_cache = Some(Arc::new(cache));
        self
    }

    /// Sets when and how often a call is retried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets what all calls together may spend on retries.
    pub fn retry_budget(mut self, budget: RetryBudget) -> Self {
        self.budget = budget;
        self
    }

    /// Sets when a host is left alone.
    pub fn breaker(mut self, policy: BreakerPolicy) -> Self {
        self.breaker = policy;
        self
    }

    /// Sets how many requests go to the platform.
    pub fn rate_limit(mut self, policy: RateLimitPolicy) -> Self {
        self.rate_limit = policy;
        self
    }

    /// Sets how long things may take.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets the largest answer in bytes that is read; 8 MiB by default.
    pub fn answer_bytes_max(mut self, bytes: usize) -> Self {
        self.answer_bytes_max = bytes;
        self
    }

    /// Sends an operation to another path than its own; the template must have the same variables.
    pub fn path(mut self, operation: &'static Operation, template: impl Into<String>) -> Self {
        self.paths.push((operation, template.into()));
        self
    }

    /// Replaces the network; proxy, certificates and client identity are then its affair.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Replaces the clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Replaces the source of randomness.
    pub fn entropy(mut self, entropy: impl Entropy) -> Self {
        self.entropy = Arc::new(entropy);
        self
    }

    /// Checks the setup and makes the client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when credentials are empty, a URL is not an
    /// `https` one (or `http` to this machine), a replaced path has other variables than its operation, or a proxy, a
    /// certificate, a gateway or a default header is not what it should be.
    pub fn build(mut self) -> Result<Client, Error> {
        self.credentials.check(self.auth_style)?;
        self.default_headers.check()?;
        let hosts = self.hosts()?;
        let paths = checked_paths(std::mem::take(&mut self.paths))?;
        let connection = std::mem::take(&mut self.connection).checked(hosts.partly_loopback)?;
        let transport = match self.transport.take() {
            Some(transport) => transport,
            None => adapter::network(&Options {
                connect_timeout: self.timeouts.connect,
                connection,
                needs_no_tls: hosts.loopback,
                guard: self.guard.take(),
            })?,
        };
        let credentials = self.credentials.clone();
        Ok(Client::assemble(self, credentials, hosts, paths, transport))
    }

    fn hosts(&self) -> Result<Hosts, Error> {
        let (base_url, login_url) = (self.base_url.as_deref(), self.login_url.as_deref());
        match &self.gateway {
            Some(_) if base_url.is_some() || login_url.is_some() => {
                Err(Error::configuration("a gateway and a base url or login url exclude each other"))
            }
            Some(gateway) => gateway.hosts(),
            None => Hosts::of(&self.domain, base_url, login_url),
        }
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("credentials", &self.credentials)
            .field("domain", &self.domain)
            .field("retry", &self.retry)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// The replaced paths by operation name, each with the variables of its operation.
fn checked_paths(paths: Vec<(&'static Operation, String)>) -> Result<HashMap<&'static str, String>, Error> {
    let mut checked = HashMap::new();
    for (operation, template) in paths {
        let sorted = |template| {
            let mut names: Vec<_> = path_variables(template).collect();
            names.sort_unstable();
            names
        };
        if operation.path.is_empty() {
            return Err(Error::configuration("the server hands out this url, there is no path to replace")
                .with_operation(operation));
        }
        if !template.starts_with('/') || sorted(&template) != sorted(operation.path) {
            return Err(Error::configuration(format!(
                "the path must begin with a slash and have the variables of `{}`",
                operation.path
            ))
            .with_operation(operation));
        }
        checked.insert(operation.name, template);
    }
    Ok(checked)
}

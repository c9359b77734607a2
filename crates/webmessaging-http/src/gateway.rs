//! An intermediate gateway: one host in place of the platform's two, with a path in front of each.

use url::Url;

use crate::config::ClientBuilder;
use crate::error::Error;
use crate::hosts::{Hosts, base_url};

/// A gateway that stands in front of the platform, as the official SDKs have it: logins go to
/// `{protocol}://{host}:{port}/{login path}/oauth/token`, calls to `{protocol}://{host}:{port}/{API path}/api/v2/...`.
///
/// Uploads and downloads by presigned URL do not go through it: the URL's signature covers the host, and another host
/// would refuse it. What must reach the object store through a proxy has [`Proxy`](crate::Proxy).
///
/// # Examples
/// ```
/// use webmessaging_http::{Client, Credentials, Gateway};
///
/// let gateway = Gateway::new("gateway.example").port(8443).login_path("genesys/login").api_path("genesys/api");
/// let client = Client::builder(Credentials::new("id", "secret")).gateway(gateway).build()?;
/// # Ok::<(), webmessaging_http::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    host: String,
    protocol: String,
    port: Option<u16>,
    login_path: String,
    api_path: String,
}

impl Gateway {
    /// The gateway at a host, by `https` and its usual port, with nothing in front of the paths.
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            protocol: "https".to_owned(),
            port: None,
            login_path: String::new(),
            api_path: String::new(),
        }
    }

    /// Sets the protocol, `https` by default; `http` is for this machine alone.
    #[must_use]
    pub fn protocol(mut self, protocol: impl Into<String>) -> Self {
        self.protocol = protocol.into();
        self
    }

    /// Sets the port; by default that of the protocol.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Sets what goes in front of the login's path; nothing by default. Slashes around it do not matter.
    #[must_use]
    pub fn login_path(mut self, path: impl Into<String>) -> Self {
        self.login_path = path.into();
        self
    }

    /// Sets what goes in front of every call's path; nothing by default. Slashes around it do not matter.
    #[must_use]
    pub fn api_path(mut self, path: impl Into<String>) -> Self {
        self.api_path = path.into();
        self
    }

    pub(crate) fn hosts(&self) -> Result<Hosts, Error> {
        let root = self.root()?;
        let (api, login) = (below(&root, "api", &self.api_path)?, below(&root, "login", &self.login_path)?);
        Hosts::new(&api, &login)
    }

    fn root(&self) -> Result<Url, Error> {
        let refuse = |why| Err(Error::configuration(format!("the gateway's {why}")));
        if !matches!(self.protocol.as_str(), "http" | "https") {
            return refuse("protocol must be `https`, or `http` for this machine");
        }
        let mut url = match Url::parse(&format!("{}://{}", self.protocol, self.host)) {
            // Whatever else a URL can have, it would have come from the host.
            Ok(url) if url.path() == "/" && url.port().is_none() => url,
            _ => return refuse("host must be a host name or address, without protocol, port or path"),
        };
        if url.set_port(self.port).is_err() {
            return refuse("host has no ports");
        }
        base_url("gateway", url.as_str())
    }
}

/// The URL of a prefix, if that is what it seems to be.
fn below(root: &Url, what: &str, prefix: &str) -> Result<Url, Error> {
    let (mut url, prefix) = (root.clone(), prefix.trim_matches('/'));
    url.set_path(prefix);
    // What the parser encodes, or resolves such as `..`, is no longer what was asked for.
    if url.path().trim_matches('/') != prefix {
        let message =
            format!("the gateway's {what} path must be a path, without query and `..`, percent-encoded");
        return Err(Error::configuration(message));
    }
    Ok(url)
}

impl ClientBuilder {
    /// Sends logins and calls to a gateway in place of the domain's hosts. Together with a base URL or a login URL it
    /// is refused.
    pub fn gateway(mut self, gateway: Gateway) -> Self {
        self.gateway = Some(gateway);
        self
    }
}

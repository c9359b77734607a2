//! The forward proxy: where it is, who we are to it, and what does not go through it.

use std::fmt;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::error::Error;
use crate::hosts::is_loopback;
use crate::login::sensitive;

/// What 407 means, in whichever way the proxy says it.
pub(crate) const REFUSAL: &str = "the proxy asks for credentials, or for others than it was given";

/// This machine, as exceptions are written.
const THIS_MACHINE: &str = "localhost,127.0.0.0/8,::1";

/// The proxy of a client, in place of the system's.
///
/// `https` goes through it in a tunnel (`CONNECT`), so it sees host names and nothing else. This machine is reached
/// without it, unless the proxy is on this machine too.
///
/// # Examples
/// ```
/// use webmessaging_http::{Client, Credentials, Proxy};
///
/// let proxy = Proxy::to("http://proxy.example:3128").credentials("user", "password").except(".intranet.example,10.0.0.0/8");
/// let client = Client::builder(Credentials::new("id", "secret")).proxy(proxy).build()?;
/// # Ok::<(), webmessaging_http::Error>(())
/// ```
#[derive(Clone)]
pub struct Proxy(Option<Through>);

#[derive(Clone)]
struct Through {
    /// A secret until it is checked: people write passwords into URLs.
    url: SecretString,
    credentials: Option<(String, SecretString)>,
    except: String,
}

/// The way to other hosts.
pub(crate) enum Route {
    /// As the system's variables and settings say.
    System,
    Direct,
    Through {
        url: Url,
        authorization: Option<HeaderValue>,
        except: String,
    },
}

impl Proxy {
    /// The proxy at a URL, `http` or `https`: how the proxy itself is spoken with. The system's variables then count no
    /// more, `NO_PROXY` among them.
    pub fn to(url: impl Into<SecretString>) -> Self {
        Self(Some(Through { url: url.into(), credentials: None, except: String::new() }))
    }

    /// No proxy, whatever the system says.
    pub fn none() -> Self {
        Self(None)
    }

    /// Sets who we are to the proxy, as basic authentication. An `http` proxy gets it unencrypted.
    #[must_use]
    pub fn credentials(mut self, user: impl Into<String>, password: impl Into<SecretString>) -> Self {
        if let Some(through) = &mut self.0 {
            through.credentials = Some((user.into(), password.into()));
        }
        self
    }

    /// Sets what is reached without the proxy, separated by commas: host names, which stand for their subdomains too,
    /// with or without a dot in front; addresses; networks such as `10.0.0.0/8`; `*` for everything.
    #[must_use]
    pub fn except(mut self, hosts: impl Into<String>) -> Self {
        if let Some(through) = &mut self.0 {
            through.except = hosts.into();
        }
        self
    }

    pub(crate) fn checked(&self) -> Result<Route, Error> {
        let Some(through) = &self.0 else { return Ok(Route::Direct) };
        let url = checked_url(through.url.expose_secret())?;
        let authorization = through.credentials.as_ref().map(authorization).transpose()?;
        let mut except = checked_exceptions(&through.except)?;
        if except.contains(&"*") {
            // To the matcher below, everything is every name, and addresses are none.
            return Ok(Route::Direct);
        }
        if !is_loopback(&url) {
            except.push(THIS_MACHINE);
        }
        Ok(Route::Through { url, authorization, except: except.join(",") })
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(through) = &self.0 else { return f.write_str("Proxy(none)") };
        let url = Url::parse(through.url.expose_secret()).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or("unknown host");
        f.debug_struct("Proxy").field("host", &host).field("except", &through.except).finish_non_exhaustive()
    }
}

fn checked_url(text: &str) -> Result<Url, Error> {
    let refuse = |why| Err(Error::configuration(format!("the proxy url {why}")));
    // What cannot be parsed is not told: it may be a password.
    let Ok(url) = Url::parse(text) else {
        return refuse("is not a url, such as `http://proxy.example:3128`");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("must begin with `http://` or `https://`");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("must not have a user or password, they are set apart");
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return refuse("must be a host and a port, without path, query or fragment");
    }
    Ok(url)
}

fn authorization((user, password): &(String, SecretString)) -> Result<HeaderValue, Error> {
    if user.is_empty() || user.contains(':') {
        return Err(Error::configuration("the proxy's user must not be empty or have a colon"));
    }
    sensitive("Basic", &STANDARD.encode(format!("{user}:{}", password.expose_secret())))
}

/// An exception that is neither a name nor a network would match nothing, and what should not go through the proxy
/// would.
fn checked_exceptions(list: &str) -> Result<Vec<&str>, Error> {
    let entries: Vec<_> = list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
    match entries.iter().position(|entry| !is_exception(entry)) {
        None => Ok(entries),
        Some(index) => Err(Error::configuration(format!(
            "entry {} of the proxy's exceptions is no host name, address or network",
            index + 1
        ))),
    }
}

fn is_exception(entry: &str) -> bool {
    if let Some((address, prefix)) = entry.split_once('/') {
        let Ok(address) = address.parse::<IpAddr>() else { return false };
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        return prefix.parse::<u8>().is_ok_and(|bits| bits <= bits_max);
    }
    let is_name = |name: &str| {
        let of_a_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        name.split('.').all(|label| !label.is_empty() && label.chars().all(of_a_name))
    };
    entry == "*" || entry.parse::<IpAddr>().is_ok() || is_name(entry.strip_prefix('.').unwrap_or(entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_is_a_name_an_address_or_a_network() {
        let good =
            ["*", "host", ".intranet.example", "a_b-c.example", "10.1.2.3", "::1", "10.0.0.0/8", "fd00::/8"];
        assert_eq!(checked_exceptions(&good.join(" , ")).unwrap(), good);
        assert_eq!(checked_exceptions(" , ").unwrap(), Vec::<&str>::new());
        for bad in
            ["*.example", "host:8080", "http://host", "10.0.0.0/33", "fd00::/129", "host/8", "a..b", "."]
        {
            let error = checked_exceptions(&format!("host,{bad}")).unwrap_err();
            let message = "entry 2 of the proxy's exceptions is no host name, address or network";
            assert_eq!(error.to_string(), message, "{bad}");
        }
    }

    #[test]
    fn this_machine_is_reached_directly_unless_the_proxy_is_here_too() {
        let except = |url: &str| match Proxy::to(url).except("host").checked().unwrap() {
            Route::Through { except, .. } => except,
            Route::System | Route::Direct => panic!("no proxy"),
        };
        assert_eq!(except("http://proxy.example:3128"), "host,localhost,127.0.0.0/8,::1");
        assert_eq!(except("http://127.0.0.1:3128"), "host");
    }
}

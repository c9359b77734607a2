//! Where requests go, and what may go there.

use std::net::IpAddr;

use http::Uri;
use http::uri::{Authority, InvalidUriParts, Scheme};
use url::{Host, Url};
use webmessaging_model::Domain;

use crate::error::Error;

/// Where requests go, without a slash at the end.
#[derive(Debug)]
pub(crate) struct Hosts {
    pub(crate) api: String,
    /// The same in parts, so that no request has to parse it again.
    pub(crate) base: Base,
    pub(crate) login: String,
    /// Both stand on this machine.
    pub(crate) loopback: bool,
    /// One of them does at least.
    pub(crate) partly_loopback: bool,
}

impl Hosts {
    /// The hosts of a domain, unless other ones are given.
    pub(crate) fn of(domain: &Domain, api: Option<&str>, login: Option<&str>) -> Result<Self, Error> {
        let api_url = match api {
            Some(url) => base_url("base url", url)?,
            None => base_url("domain", &domain.api_url())?,
        };
        let login_url = match (login, api) {
            (Some(url), _) => base_url("login url", url)?,
            (None, Some(_)) => login_beside(&api_url),
            (None, None) => base_url("domain", &domain.login_url())?,
        };
        Self::new(&api_url, &login_url)
    }

    pub(crate) fn new(api: &Url, login: &Url) -> Result<Self, Error> {
        let text = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        let (api_here, login_here) = (is_loopback(api), is_loopback(login));
        Ok(Self {
            base: Base::of(&text(api))?,
            api: text(api),
            login: text(login),
            loopback: api_here && login_here,
            partly_loopback: api_here || login_here,
        })
    }
}

/// What stands before the path of every operation.
#[derive(Debug)]
pub(crate) struct Base {
    scheme: Scheme,
    authority: Authority,
    /// Of the path, without a slash at its end.
    pub(crate) prefix: String,
}

impl Base {
    fn of(url: &str) -> Result<Self, Error> {
        let refuse = || Error::configuration("the base url is not valid");
        let parts = url.parse::<Uri>().map_err(|error| refuse().with_source(error))?.into_parts();
        let path = parts.path_and_query.as_ref().map_or("", |path| path.path());
        Ok(Self {
            scheme: parts.scheme.ok_or_else(refuse)?,
            authority: parts.authority.ok_or_else(refuse)?,
            prefix: path.trim_end_matches('/').to_owned(),
        })
    }

    /// Puts scheme and host before a path.
    pub(crate) fn absolute(&self, target: Uri) -> Result<Uri, InvalidUriParts> {
        let mut parts = target.into_parts();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        Uri::from_parts(parts)
    }
}

pub(crate) fn base_url(what: &str, text: &str) -> Result<Url, Error> {
    let refuse = |why: &str| Error::configuration(format!("the {what} {why}"));
    let url = Url::parse(text).map_err(|error| refuse("is not a url").with_source(error))?;
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(refuse("must be a plain url, without user, query or fragment"));
    }
    if !is_safe(&url, true) {
        return Err(refuse("must be https; plain http is for this machine alone"));
    }
    Ok(url)
}

/// The login server of an API server: the neighbour of the same name, or the same server.
fn login_beside(api: &Url) -> Url {
    let mut login = api.clone();
    if let Some(domain) = api.host_str().and_then(|host| host.strip_prefix("api.")) {
        let host = format!("login.{domain}");
        if login.set_host(Some(&host)).is_ok() {
            login.set_path("");
        }
    }
    login
}

/// Whether a URL may carry a secret: encrypted, or (where that is allowed) to this machine.
pub(crate) fn is_safe(url: &Url, loopback_allowed: bool) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => loopback_allowed && is_loopback(url),
        _ => false,
    }
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_told_from_others_by_all_its_names() {
        let (here, there) = ("http://127.0.0.1:8480", "https://login.example.com");
        let flags = |api, login| {
            let hosts = Hosts::of(&Domain::default(), Some(api), Some(login)).unwrap();
            (hosts.loopback, hosts.partly_loopback)
        };
        for also_here in ["http://localhost:1", "https://127.1.2.3", "http://[::1]:1"] {
            assert_eq!(flags(here, also_here), (true, true), "{also_here}");
        }
        assert_eq!(flags(here, there), (false, true));
        assert_eq!(flags(there, here), (false, true));
        assert_eq!(flags(there, "https://localhost.example.com"), (false, false));
    }
}

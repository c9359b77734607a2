//! Where a webhook is delivered: a plain HTTP server on this machine, or an HTTPS URL that nothing is sent to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Url};

/// A callback URL that passed its checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A loopback address; the name `localhost` is both of them, without asking anybody.
    Loopback(LoopbackTarget),
    /// What the platform asks for and the emulator, which has no TLS, cannot reach.
    Https,
}

/// What is needed to send to a loopback address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoopbackTarget {
    /// To be tried in this order.
    pub(crate) addresses: Vec<SocketAddr>,
    /// The `Host` header.
    pub(crate) host: String,
    pub(crate) path_and_query: String,
}

impl Target {
    /// Takes HTTPS on its own port, as the platform asks for, and plain HTTP to the loopback interface; nothing with
    /// credentials or a fragment.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return None;
        }
        let host = url.host()?;
        match url.scheme() {
            "https" => url.port().is_none().then_some(Self::Https),
            "http" => {
                let port = url.port_or_known_default().filter(|port| *port != 0)?;
                let path_and_query = match url.query() {
                    Some(query) => format!("{}?{query}", url.path()),
                    None => url.path().to_owned(),
                };
                let addresses =
                    loopback(&host)?.into_iter().map(|address| SocketAddr::new(address, port)).collect();
                Some(Self::Loopback(LoopbackTarget {
                    addresses,
                    host: format!("{host}:{port}"),
                    path_and_query,
                }))
            }
            _ => None,
        }
    }
}

fn loopback(host: &Host<&str>) -> Option<Vec<IpAddr>> {
    let addresses = match host {
        Host::Ipv4(address) => vec![IpAddr::from(*address)],
        Host::Ipv6(address) => vec![IpAddr::from(*address)],
        Host::Domain("localhost") => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        Host::Domain(_) => return None,
    };
    addresses.iter().all(IpAddr::is_loopback).then_some(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_addresses_are_taken_apart() {
        for (text, addresses, host, path_and_query) in [
            ("http://127.0.0.1:8080/a?b=c", vec!["127.0.0.1:8080"], "127.0.0.1:8080", "/a?b=c"),
            ("http://127.1.2.3", vec!["127.1.2.3:80"], "127.1.2.3:80", "/"),
            ("http://[::1]:81/a%20b", vec!["[::1]:81"], "[::1]:81", "/a%20b"),
            ("http://localhost:82", vec!["127.0.0.1:82", "[::1]:82"], "localhost:82", "/"),
        ] {
            let target = Target::Loopback(LoopbackTarget {
                addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
                host: host.to_owned(),
                path_and_query: path_and_query.to_owned(),
            });
            assert_eq!(Target::parse(text), Some(target), "{text}");
        }
    }

    #[test]
    fn https_is_taken_on_its_own_port_only() {
        for text in ["https://hooks.example", "https://hooks.example:443/a", "https://192.0.2.1/a?b"] {
            assert_eq!(Target::parse(text), Some(Target::Https), "{text}");
        }
        assert_eq!(Target::parse("https://hooks.example:8443/a"), None);
    }

    #[test]
    fn other_hosts_and_odd_urls_are_refused() {
        for text in [
            "http://hooks.example",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "http://[::]",
            "http://[::ffff:127.0.0.1]",
            "http://localhost.",
            "http://localhost.hooks.example",
            "http://127.0.0.1:0",
            "http://user@127.0.0.1",
            "http://:word@127.0.0.1",
            "https://hooks.example/#part",
            "ftp://127.0.0.1",
            "file:///etc/hosts",
            "127.0.0.1:80",
            "https://",
            "",
        ] {
            assert_eq!(Target::parse(text), None, "{text}");
        }
    }
}

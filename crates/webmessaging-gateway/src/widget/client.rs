//! Who counts as one client.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use http::request::Parts;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// An address of IPv4, or a /64 of IPv6: that much is given to a single household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Client(IpAddr);

impl Client {
    /// With `trusted_proxies`, the address that the outermost of them saw. A request that did not come through all of them is its peer's: what
    /// else stands in the header, anybody can have written.
    pub(super) fn of(head: &Parts, trusted_proxies: usize) -> Self {
        // A server that tells no addresses has one client.
        let peer = head
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip());
        let seen = trusted_proxies.checked_sub(1).and_then(|before| {
            let all = head.headers.get_all(X_FORWARDED_FOR).iter().rev();
            let mut addresses = all.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
            address(addresses.nth(before)?.trim())
        });
        Self::from(seen.unwrap_or(peer))
    }
}

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        })
    }
}

/// Some proxies write the port as well.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn client(peer: Option<&str>, forwarded: &[&str], trusted: usize) -> String {
        let mut request = Request::new(());
        if let Some(peer) = peer {
            let address = SocketAddr::new(peer.parse().unwrap(), 1);
            request.extensions_mut().insert(ConnectInfo(address));
        }
        for value in forwarded {
            request.headers_mut().append(X_FORWARDED_FOR, value.parse().unwrap());
        }
        Client::of(&request.into_parts().0, trusted).0.to_string()
    }

    #[test]
    fn what_anybody_can_write_does_not_count() {
        let peer = Some("10.0.0.1");
        assert_eq!(client(peer, &["6.6.6.6"], 0), "10.0.0.1", "nobody is trusted");
        assert_eq!(client(peer, &["6.6.6.6, 1.2.3.4"], 1), "1.2.3.4");
        assert_eq!(client(peer, &["6.6.6.6", "1.2.3.4, 10.0.0.2"], 2), "1.2.3.4", "in several headers");
        assert_eq!(client(peer, &["1.2.3.4"], 2), "10.0.0.1", "a proxy was gone around");
        assert_eq!(client(peer, &[], 1), "10.0.0.1");
        assert_eq!(client(peer, &["1.2.3.4, unknown"], 1), "10.0.0.1");
        assert_eq!(client(None, &["6.6.6.6"], 0), "0.0.0.0");
    }

    #[test]
    fn addresses_are_read_with_their_ports_and_ipv6_by_its_network() {
        let peer = Some("10.0.0.1");
        assert_eq!(client(peer, &["1.2.3.4:5678"], 1), "1.2.3.4");
        assert_eq!(client(peer, &["[2001:db8:1:2:3:4:5:6]:5678"], 1), "2001:db8:1:2::");
        assert_eq!(client(peer, &["[2001:db8:1:2::9]"], 1), "2001:db8:1:2::");
        assert_eq!(client(peer, &["2001:db8:1:2:ffff::1"], 1), "2001:db8:1:2::");
        assert_eq!(client(Some("::ffff:1.2.3.4"), &[], 0), "1.2.3.4");
    }
}

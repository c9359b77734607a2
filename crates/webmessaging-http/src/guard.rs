//! Which addresses a request to somebody else's system may go to: the internet's, and those that were named.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use url::{Host, Url};

use crate::error::Error;
use crate::transport::{Failure, TransportError};

/// Lets through what is not private, and the networks that are allowed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guard(Arc<[IpNet]>);

/// The name, or the URL itself, leads to an address that is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PrivateAddress;

pub(crate) const REFUSAL: &str = "the host has a private address, which is not allowed";

impl Guard {
    /// Networks as `10.0.0.0/8`, or single addresses.
    pub(crate) fn allowing(networks: &[String]) -> Result<Self, Error> {
        let parse = |(index, text): (usize, &String)| {
            let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| {
                Error::configuration(format!(
                    "entry {} of the allowed networks is no address or network such as `10.0.0.0/8`",
                    index + 1
                ))
            })
        };
        Ok(Self(networks.iter().enumerate().map(parse).collect::<Result<_, _>>()?))
    }

    /// Whether a URL names its address itself, in whichever spelling, and that is not allowed. Names are looked up later.
    pub(crate) fn refuses(&self, url: &Url) -> bool {
        match url.host() {
            Some(Host::Ipv4(address)) => !self.allows(address.into()),
            Some(Host::Ipv6(address)) => !self.allows(address.into()),
            Some(Host::Domain(_)) | None => false,
        }
    }

    /// The addresses that may be connected to.
    pub(crate) fn allowed(&self, mut found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, PrivateAddress> {
        let is_empty = found.is_empty();
        found.retain(|address| self.allows(address.ip()));
        if found.is_empty() && !is_empty { Err(PrivateAddress) } else { Ok(found) }
    }

    fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address)) || is_public(address)
    }
}

impl fmt::Display for PrivateAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REFUSAL)
    }
}

impl std::error::Error for PrivateAddress {}

impl From<PrivateAddress> for TransportError {
    fn from(refusal: PrivateAddress) -> Self {
        Self::new(Failure::Invalid, refusal).with_message(REFUSAL)
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// By IANA's registry of special-purpose addresses, checked 2026-11-25.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        // Shared by carriers, protocols, relays of IPv6, benchmarks, and what is reserved or everybody.
        || a == 100 && (64..128).contains(&b)
        || a == 192 && b == 0 && c == 0
        || a == 192 && b == 88 && c == 99
        || a == 198 && (18..20).contains(&b)
        || a >= 240;
    !is_special
}

/// Public is `2000::/3` alone, without what carries an IPv4 address or is for documents and tests.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    match segments {
        // An IPv4 address behind a translator, and 6to4.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => is_public_v4(v4(high, low)),
        // Teredo, benchmarks, ORCHID and the rest of the protocols' block.
        [0x2001, second, ..] if second < 0x200 => false,
        [0x2001, 0xdb8, ..] => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn guard(networks: &[&str]) -> Guard {
        Guard::allowing(&networks.iter().map(|&text| text.to_owned()).collect::<Vec<_>>()).unwrap()
    }

    fn refuses(guard: &Guard, host: &str) -> bool {
        guard.refuses(&format!("https://{host}/path").parse().unwrap())
    }

    #[test]
    fn private_addresses_are_refused_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.8.9.1",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "192.0.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fc00::1]",
            "[fdff::1]",
            "[ff02::1]",
            "[::ffff:10.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:a00:1::]",
            "[2001::1]",
            "[2001:db8::1]",
            "[::7f00:1]",
            "[fec0::1]",
            // What other parsers than ours take for an address.
            "2130706433",
            "0x7f000001",
            "127.1",
            "127.0.0.1.",
        ] {
            assert!(refuses(&Guard::default(), host), "{host}");
        }
        for host in [
            "8.8.8.8",
            "172.32.0.1",
            "192.169.0.1",
            "100.128.0.1",
            "198.20.0.1",
            "[2606:4700::1111]",
            "[::ffff:8.8.8.8]",
            "[64:ff9b::808:808]",
            "example.com",
            "2130706433.example",
        ] {
            assert!(!refuses(&Guard::default(), host), "{host}");
        }
    }

    #[test]
    fn what_is_allowed_is_allowed_and_nothing_beside_it() {
        let guard = guard(&["10.1.0.0/16", "127.0.0.1", "fd00::/8"]);
        for host in ["10.1.2.3", "127.0.0.1", "[fd12::1]", "[::ffff:10.1.0.1]"] {
            assert!(!refuses(&guard, host), "{host}");
        }
        for host in ["10.2.0.1", "127.0.0.2", "[fc12::1]"] {
            assert!(refuses(&guard, host), "{host}");
        }
        let error = Guard::allowing(&["10.0.0.0/8".into(), "10.0.0.0/33".into()]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "entry 2 of the allowed networks is no address or network such as `10.0.0.0/8`"
        );
    }

    #[test]
    fn of_a_name_the_public_addresses_are_left() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let (inside, outside) = (at("10.0.0.1:443"), at("8.8.8.8:443"));
        assert_eq!(Guard::default().allowed(vec![inside, outside]), Ok(vec![outside]));
        assert_eq!(Guard::default().allowed(vec![inside]), Err(PrivateAddress));
        assert_eq!(Guard::default().allowed(vec![]), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn an_address_in_another_dress_is_judged_alike(bits: u32) {
            let address = Ipv4Addr::from(bits);
            let mapped = IpAddr::V6(address.to_ipv6_mapped());
            prop_assert_eq!(Guard::default().allows(address.into()), Guard::default().allows(mapped));
        }
    }
}

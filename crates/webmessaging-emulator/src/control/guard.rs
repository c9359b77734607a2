//! Who may control an emulator: programs of this machine, and no web page.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, StatusCode};

use crate::answer::Refusal;
use crate::connection::Connection;

/// Refuses requests of other machines, unless they are allowed, and of web pages.
///
/// A browser of this machine connects from it too. Its requests on behalf of a page have an `Origin`, and when the page
/// has made its own name point here, a `Host` that is not ours.
pub(super) fn check(parts: &Parts, allows_remote: bool) -> Result<(), Refusal> {
    if parts.headers.contains_key(ORIGIN) {
        return Err(forbidden("control requests must not come from a web page: there is an Origin header"));
    }
    if allows_remote {
        return Ok(());
    }
    if !parts.extensions.get().is_some_and(Connection::is_local) {
        return Err(forbidden("control requests are taken from this machine only"));
    }
    if !names_this_machine(&parts.headers) {
        return Err(forbidden("the Host header must be localhost or a loopback address"));
    }
    Ok(())
}

fn names_this_machine(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let Ok(authority) = Authority::try_from(host.as_bytes()) else { return false };
    let host = authority.host();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn forbidden(message: &'static str) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, "emulator.control.forbidden", message)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn refusal(peer: Option<&str>, headers: &[(&str, &str)], allows_remote: bool) -> Option<String> {
        let mut request = Request::get("/__emulator/state");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        if let Some(peer) = peer {
            parts.extensions.insert(Connection::of(peer.parse().unwrap()));
        }
        check(&parts, allows_remote).err().map(|refusal| format!("{refusal:?}"))
    }

    #[test]
    fn only_this_machine_is_served() {
        let host = [("host", "127.0.0.1:8480")];
        for peer in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert_eq!(refusal(Some(peer), &host, false), None, "{peer}");
        }
        for peer in ["192.0.2.1:1", "[2001:db8::1]:1", "[::ffff:192.0.2.1]:1"] {
            assert!(refusal(Some(peer), &host, false).unwrap().contains("this machine only"), "{peer}");
            assert_eq!(refusal(Some(peer), &host, true), None, "{peer}");
        }
        assert!(refusal(None, &host, false).is_some());
    }

    #[test]
    fn the_host_must_be_this_machine() {
        let refused = |headers: &[(&str, &str)]| refusal(Some("127.0.0.1:1"), headers, false).is_some();
        for good in ["localhost", "LOCALHOST:8480", "127.0.0.1", "127.1.2.3:99", "[::1]:8480", "[::1]"] {
            assert!(!refused(&[("host", good)]), "{good}");
        }
        for bad in [
            "evil.example",
            "evil.example:8480",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "192.0.2.1:8480",
            "[2001:db8::1]",
            "::1",
            "",
            "a b",
        ] {
            assert!(refused(&[("host", bad)]), "{bad}");
        }
        assert!(refused(&[]));
        assert!(refused(&[("host", "localhost"), ("host", "evil.example")]));
    }

    #[test]
    fn a_web_page_is_refused_whatever_is_allowed() {
        for origin in ["https://evil.example", "http://localhost:8480", "null"] {
            for allows_remote in [false, true] {
                let headers = [("host", "localhost"), ("origin", origin)];
                let refusal = refusal(Some("127.0.0.1:1"), &headers, allows_remote).unwrap();
                assert!(refusal.contains("emulator.control.forbidden"), "{refusal}");
            }
        }
    }
}

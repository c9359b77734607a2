//! The origins whose pages may use the widget: exactly those on the list.

use std::collections::BTreeSet;

use http::header::ORIGIN;
use http::{HeaderMap, HeaderValue};
use url::Url;

use super::error::WidgetError;

/// As browsers write them.
#[derive(Debug)]
pub(super) struct Origins(BTreeSet<String>);

impl Origins {
    pub(super) fn new(origins: Vec<String>) -> Result<Self, WidgetError> {
        if origins.is_empty() {
            return Err(WidgetError::NoOrigin);
        }
        let written = |origin: String| {
            as_browsers_write_it(&origin).map_err(|reason| WidgetError::Origin { origin, reason })
        };
        origins.into_iter().map(written).collect::<Result<_, _>>().map(Self)
    }

    /// The origin of a request, when there is exactly one and it is on the list.
    pub(super) fn of<'a>(&self, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        let mut all = headers.get_all(ORIGIN).iter();
        let origin = all.next()?;
        let is_allowed = all.next().is_none() && self.0.contains(origin.to_str().ok()?);
        is_allowed.then_some(origin)
    }
}

fn as_browsers_write_it(origin: &str) -> Result<String, &'static str> {
    if origin.contains('*') {
        return Err("there is no pattern for many");
    }
    let rest = origin.split_once("://").ok_or("it begins with https:// or http://")?.1;
    if rest.contains('@') {
        return Err("it has no user");
    }
    if rest.contains(['/', '\\', '?', '#']) {
        return Err("it ends after host and port");
    }
    if origin.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("it has no spaces");
    }
    let url = Url::parse(origin).map_err(|_| "its host or port cannot be read")?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err("it begins with https:// or http://");
    }
    Ok(url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn listed() -> Origins {
        let origins = ["https://shop.example", "http://127.0.0.1:8000", "https://[::1]:8443"];
        Origins::new(origins.map(str::to_owned).to_vec()).unwrap()
    }

    fn is_allowed(origins: &Origins, origin: &[u8]) -> bool {
        let mut headers = HeaderMap::new();
        let Ok(value) = HeaderValue::from_bytes(origin) else { return false };
        headers.insert(ORIGIN, value);
        origins.of(&headers).is_some()
    }

    #[test]
    fn only_what_is_equal_is_allowed() {
        let listed = listed();
        for same in ["https://shop.example", "http://127.0.0.1:8000", "https://[::1]:8443"] {
            assert!(is_allowed(&listed, same.as_bytes()), "{same}");
        }
        for other in [
            "https://shop.example.evil.com",
            "https://evil-shop.example",
            "https://www.shop.example",
            "http://shop.example",
            "https://shop.example:8443",
            "https://shop.example:443",
            "https://shop.example/",
            "https://SHOP.example",
            "http://127.0.0.1",
            "null",
            "*",
            "",
        ] {
            assert!(!is_allowed(&listed, other.as_bytes()), "{other}");
        }
        let mut two = HeaderMap::new();
        two.append(ORIGIN, HeaderValue::from_static("https://shop.example"));
        two.append(ORIGIN, HeaderValue::from_static("https://shop.example"));
        assert!(listed.of(&two).is_none());
    }

    #[test]
    fn what_is_listed_is_written_as_browsers_write_it() {
        for (given, written) in [
            ("https://Shop.Example:443", "https://shop.example"),
            ("http://shop.example:80", "http://shop.example"),
            ("https://b\u{fc}cher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(as_browsers_write_it(given), Ok(written.to_owned()), "{given}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        assert!(matches!(Origins::new(Vec::new()), Err(WidgetError::NoOrigin)));
        for (given, reason) in [
            ("*", "there is no pattern for many"),
            ("https://*.shop.example", "there is no pattern for many"),
            ("null", "it begins with https:// or http://"),
            ("shop.example", "it begins with https:// or http://"),
            ("ftp://shop.example", "it begins with https:// or http://"),
            ("file://shop", "it begins with https:// or http://"),
            ("https://me@shop.example", "it has no user"),
            ("https://shop.example/", "it ends after host and port"),
            ("https://shop.example/chat", "it ends after host and port"),
            ("https://shop.example?a", "it ends after host and port"),
            ("https:///shop.example", "it ends after host and port"),
            ("https://shop .example", "it has no spaces"),
            ("https://shop.example:70000", "its host or port cannot be read"),
            ("https://", "its host or port cannot be read"),
        ] {
            let Err(WidgetError::Origin { reason: found, .. }) = Origins::new(vec![given.to_owned()]) else {
                panic!("{given}");
            };
            assert_eq!(found, reason, "{given}");
        }
    }

    proptest! {
        #[test]
        fn a_random_origin_is_allowed_only_if_it_is_listed(
            origin in prop_oneof![
                ".*",
                "https?://[a-z.]{0,12}shop\\.example[a-z.:/@0-9]{0,8}",
                Just("https://shop.example".to_owned()),
                "https://shop.exampl[a-f]",
            ],
        ) {
            let is_listed = listed().0.contains(&origin);
            prop_assert_eq!(is_allowed(&listed(), origin.as_bytes()), is_listed);
        }
    }
}

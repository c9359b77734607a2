//! A delivery as it was recorded: its body, its headers, and when it came.

use http::{HeaderMap, HeaderName, HeaderValue};
use webmessaging::journal::clock::{Clock, SystemClock};
use webmessaging::model::Timestamp;
use webmessaging::webhooks::Verifier;
use webmessaging::webhooks::verify::BODY_BYTES_MAX;

use super::verifier;
use crate::args::webhooks::DeliveryArgs;
use crate::failure::{Failure, Local};
use crate::input;

/// More is not a request's head.
const HEADERS_BYTES_MAX: usize = 64 * 1_024;

/// A recorded delivery, and what it is checked with.
pub(super) struct Recorded {
    pub(super) body: Vec<u8>,
    pub(super) headers: HeaderMap,
    pub(super) now: Timestamp,
    pub(super) verifier: Verifier,
}

impl Recorded {
    pub(super) fn read(args: &DeliveryArgs) -> Result<Self, Failure> {
        let verifier = verifier(args.secrets.required()?);
        let mut headers = HeaderMap::new();
        for line in &args.header {
            let (name, value) = header(line).ok_or_else(|| no_header().about("--header"))?;
            headers.append(name, value);
        }
        if let Some(path) = &args.headers {
            let text = input::text(path, HEADERS_BYTES_MAX)?;
            for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
                let place = || format!("{}:{number}", path.display());
                let (name, value) = header(line).ok_or_else(|| no_header().about(place()))?;
                headers.append(name, value);
            }
        }
        Ok(Self {
            body: input::bytes(&args.body, BODY_BYTES_MAX)?,
            headers,
            now: args.now.unwrap_or_else(|| SystemClock.wall()),
            verifier,
        })
    }
}

fn header(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    Some((name.trim().parse().ok()?, HeaderValue::from_bytes(value.trim().as_bytes()).ok()?))
}

/// The line is not repeated: it can hold a signature.
fn no_header() -> Local {
    Local::input("invalid_input", "not a header such as `X-Genesys-Signature: sha256=...`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_name_a_colon_and_a_value() {
        let (name, value) = header("X-Genesys-Signature:  sha256=ab:cd ").unwrap();
        assert_eq!((name.as_str(), value.as_bytes()), ("x-genesys-signature", &b"sha256=ab:cd"[..]));
        for wrong in ["", "no colon", ": value", "two words: value", "name: a\u{7}b"] {
            assert!(header(wrong).is_none(), "{wrong:?}");
        }
    }
}

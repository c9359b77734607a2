//! The search: every claimed signature against every key, text and prefix, until the fewest mistakes that fit are known.

use std::collections::BTreeSet;

use http::HeaderMap;

use super::claims::{Claim, Place};
use super::finding::FindingCode;
use super::keys::Key;
use super::texts::texts;
use crate::verify::{ID, TIMESTAMP, is_equal, text};

/// So much is hashed for one explanation at most: about a second on a slow machine.
const HASHED_BYTES_MAX: usize = 256 * 1_024 * 1_024;

/// Other headers than `webhook-timestamp` that could be a time are taken up to this number.
const TIMES_MAX: usize = 3;

/// What may have been signed in front of the body.
struct Prefix {
    /// Where it belongs; elsewhere it is a mistake.
    home: Option<Place>,
    code: FindingCode,
    bytes: Vec<u8>,
}

/// One way in which a claimed signature is right.
pub(super) struct Match {
    pub(super) claim: usize,
    pub(super) secret: Option<usize>,
    /// What has to be undone for it, with details.
    pub(super) mistakes: Vec<(FindingCode, Option<&'static str>)>,
}

/// The result of a search.
#[derive(Default)]
pub(super) struct Found {
    /// The ways with the fewest mistakes.
    pub(super) matches: Vec<Match>,
    /// What was looked for.
    pub(super) tried: BTreeSet<FindingCode>,
    /// Nothing was left out because of its size.
    pub(super) is_complete: bool,
}

pub(super) fn search(
    claims: &[Claim],
    keys: &[Key],
    body: &[u8],
    headers: &HeaderMap,
    url: Option<&str>,
) -> Found {
    let prefixes = prefixes(headers, url);
    let mut found = Found { is_complete: true, ..Found::default() };
    let mut budget = HASHED_BYTES_MAX;
    // Changed texts, then changed keys, with anything in front; then both at once, which is where it ends.
    for (changes_key, changes_text) in [(false, true), (true, false), (true, true)] {
        let is_double = changes_key && changes_text;
        if is_double && !found.matches.is_empty() {
            break;
        }
        let prefixes: Vec<_> = prefixes.iter().filter(|prefix| !is_double || prefix.home.is_some()).collect();
        found.tried.extend(prefixes.iter().filter(|prefix| prefix.home.is_none()).map(|prefix| prefix.code));
        for text in texts(body).take(if changes_text { usize::MAX } else { 1 }) {
            for key in keys.iter().filter(|key| key.code.is_some() == changes_key) {
                found.tried.extend(key.code.into_iter().chain(text.code));
                for prefix in &prefixes {
                    // Two blocks for the key, two for the ends.
                    let length = prefix.bytes.len() + text.bytes.len() + 256;
                    let Some(rest) = budget.checked_sub(length) else {
                        found.is_complete = false;
                        return found;
                    };
                    budget = rest;
                    let mac = key.mac(&prefix.bytes, &text.bytes);
                    for (index, claim) in claims.iter().enumerate() {
                        if claim.mac.is_ok_and(|claimed| is_equal(&claimed, &mac)) {
                            found.add(matching(index, claim, key, &text, prefix));
                        }
                    }
                }
            }
        }
    }
    found
}

impl Found {
    /// Keeps only the ways with the fewest mistakes.
    fn add(&mut self, new: Match) {
        let fewest = self.matches.first().map_or(usize::MAX, |one| one.mistakes.len());
        if new.mistakes.len() < fewest {
            self.matches.clear();
        }
        if new.mistakes.len() <= fewest {
            self.matches.push(new);
        }
    }
}

fn matching(index: usize, claim: &Claim, key: &Key, text: &super::texts::Text, prefix: &Prefix) -> Match {
    let mut mistakes = Vec::new();
    mistakes.extend(text.code.map(|code| (code, text.detail)));
    mistakes.extend(key.code.map(|code| (code, key.detail)));
    // A header that is no signature header may have been signed in either way.
    let is_home =
        prefix.home == Some(claim.place) || claim.place == Place::Elsewhere && prefix.home.is_some();
    if !is_home {
        let code = if claim.place == Place::Timestamped && prefix.home == Some(Place::Body) {
            FindingCode::TimestampNotSigned
        } else {
            prefix.code
        };
        mistakes.push((code, None));
    }
    mistakes.extend(claim.codes.iter().map(|code| (*code, None)));
    Match { claim: index, secret: key.secret, mistakes }
}

fn prefixes(headers: &HeaderMap, url: Option<&str>) -> Vec<Prefix> {
    let value = |name: &str| headers.get(name).and_then(text);
    let code = FindingCode::TimestampSigned;
    let mut prefixes =
        vec![Prefix { home: Some(Place::Body), code: FindingCode::TimestampNotSigned, bytes: Vec::new() }];
    let id = value(ID.as_str()).or_else(|| value("svix-id")).or_else(|| value("x-genesys-event-id"));
    if let (Some(id), Some(time)) = (id, value(TIMESTAMP.as_str()).or_else(|| value("svix-timestamp"))) {
        prefixes.push(Prefix {
            home: Some(Place::Timestamped),
            code,
            bytes: format!("{id}.{time}.").into_bytes(),
        });
    }
    let times = headers.iter().filter(|(name, _)| name.as_str().ends_with("timestamp"));
    for time in times.filter_map(|(_, line)| text(line)).take(TIMES_MAX) {
        for bytes in [format!("{time}."), format!("v0:{time}:"), format!("{time}:"), time.to_owned()] {
            prefixes.push(Prefix { home: None, code, bytes: bytes.into_bytes() });
        }
    }
    for url in urls(headers, url) {
        for bytes in [url.clone(), format!("{url}\n"), format!("POST{url}"), format!("POST\n{url}\n")] {
            prefixes.push(Prefix { home: None, code: FindingCode::UrlSigned, bytes: bytes.into_bytes() });
        }
    }
    prefixes
}

/// The URL as the sender may have seen it: with the scheme, host and port of the outside.
fn urls(headers: &HeaderMap, url: Option<&str>) -> BTreeSet<String> {
    let mut urls = BTreeSet::new();
    let Some(url) = url else { return urls };
    urls.insert(url.to_owned());
    urls.extend(url.split_once('?').map(|(url, _)| url.to_owned()));
    let Some((_, behind)) = url.split_once("://") else { return urls };
    let (host, path) = behind.find('/').map_or((behind, ""), |at| behind.split_at(at));
    let value = |name: &str| headers.get(name).and_then(text);
    let outside = [Some(host), value("x-forwarded-host"), value("host")];
    for host in outside.into_iter().flatten() {
        let bare = host.rsplit_once(':').map_or(host, |(bare, _)| bare);
        for scheme in ["https", "http"] {
            urls.insert(format!("{scheme}://{host}{path}"));
            urls.insert(format!("{scheme}://{bare}{path}"));
            urls.insert(format!("{scheme}://{bare}:443{path}"));
        }
    }
    urls.insert(path.to_owned());
    urls
}

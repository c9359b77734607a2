//! One record as a line: how it is made, what its hash is of, and whether it still is what was made.
//!
//! A line is a JSON object whose first member is `seq` and whose last two are `prev` and `hash`. The hash is the SHA-256 of
//! the same object without its last member: of the line's bytes up to `,"hash":`, and a `}`.

use std::borrow::Cow;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use webmessaging_model::Timestamp;

use super::checkpoint::Checkpoint;
use super::findings::Fault;
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::redacted::Redacted;

/// A longer line is none of ours.
pub(super) const BYTES_MAX: usize = 64 * 1024;

/// What `seq`, `prev` and `hash` take at most.
pub(super) const CHAIN_BYTES: usize = 256;

/// The action of a record that tells of records that are no longer there.
const REMOVED: &str = "audit.records_removed";

const HASH: &[u8] = br#","hash":""#;
const END: &[u8] = br#""}"#;

/// What the writer puts a number and the chain around: an event in the form that logs have.
pub(super) fn body(event: &Event) -> Result<Vec<u8>, Error> {
    let body = serde_json::to_vec(&Redacted::of(event)).map_err(|error| {
        Error::new(ErrorKind::Io, "the event cannot be written as json").with_source(error)
    })?;
    if body.len() > BYTES_MAX - CHAIN_BYTES {
        let message = format!("the record has {} bytes, at most {}", body.len(), BYTES_MAX - CHAIN_BYTES);
        return Err(Error::new(ErrorKind::TooLarge, message));
    }
    Ok(body)
}

/// Adds the line of a body, and moves the head on to it.
pub(super) fn append(to: &mut Vec<u8>, head: &mut Checkpoint, body: &[u8]) {
    let start = to.len();
    let seq = head.seq.saturating_add(1);
    to.extend_from_slice(br#"{"seq":"#);
    to.extend_from_slice(seq.to_string().as_bytes());
    to.push(b',');
    // A body is an object with members; its braces make room for more of them.
    to.extend_from_slice(body.get(1..body.len().saturating_sub(1)).unwrap_or_default());
    to.extend_from_slice(br#","prev":""#);
    to.extend_from_slice(&digits(&head.hash));
    to.push(b'"');
    let hash = digest(to.get(start..).unwrap_or_default());
    to.extend_from_slice(HASH);
    to.extend_from_slice(&digits(&hash));
    to.extend_from_slice(END);
    to.push(b'\n');
    *head = Checkpoint { seq, hash };
}

/// What a line says of itself and of the one before.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) at: Checkpoint,
    pub(super) prev: [u8; 32],
    pub(super) time: Timestamp,
    /// Up to where records were removed, where that is what it tells of.
    pub(super) removal: Option<Checkpoint>,
}

#[derive(Deserialize)]
struct Members<'a> {
    seq: u64,
    time: Timestamp,
    #[serde(borrow)]
    action: Option<Cow<'a, str>>,
    #[serde(borrow)]
    prev: Cow<'a, str>,
}

/// Checks a line, without its line end, by itself.
pub(super) fn check(line: &[u8]) -> Result<Checked, Fault> {
    let members: Members = serde_json::from_slice(line).map_err(|_| Fault::NotARecord)?;
    let rest = line.strip_suffix(END).ok_or(Fault::NotARecord)?;
    let (rest, told) = rest.split_last_chunk::<64>().ok_or(Fault::NotARecord)?;
    let hashed = rest.strip_suffix(HASH).ok_or(Fault::NotARecord)?;
    let hash = digest(hashed);
    // Compared as text: digits in capitals are the same number, and not what was written.
    if digits(&hash) != *told {
        return Err(Fault::Hash);
    }
    let mut prev = [0; 32];
    hex::decode_to_slice(&*members.prev, &mut prev).map_err(|_| Fault::NotARecord)?;
    let tells_of_removal = members.action.as_deref() == Some(REMOVED);
    let removal = if tells_of_removal { removal(line) } else { None };
    Ok(Checked { at: Checkpoint { seq: members.seq, hash }, prev, time: members.time, removal })
}

fn removal(line: &[u8]) -> Option<Checkpoint> {
    #[derive(Deserialize)]
    struct Record {
        details: Details,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Details {
        last_seq: u64,
        last_hash: String,
    }

    let Record { details } = serde_json::from_slice(line).ok()?;
    let mut hash = [0; 32];
    hex::decode_to_slice(details.last_hash, &mut hash).ok()?;
    Some(Checkpoint { seq: details.last_seq, hash })
}

/// The number that a line has, be it right otherwise or not.
pub(super) fn seq(line: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Number {
        seq: u64,
    }

    serde_json::from_slice(line).ok().map(|Number { seq }| seq)
}

fn digest(record: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(record);
    hasher.update(b"}");
    hasher.finalize().into()
}

fn digits(hash: &[u8; 32]) -> [u8; 64] {
    let mut digits = [b'0'; 64];
    // The lengths fit, so it cannot fail.
    let _ = hex::encode_to_slice(hash, &mut digits);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"1","time":"2026-11-25T08:30:00.000Z"}"#;

    fn two_lines() -> (Vec<u8>, Vec<u8>) {
        let (mut first, mut second, mut head) = (Vec::new(), Vec::new(), Checkpoint::START);
        append(&mut first, &mut head, BODY);
        append(&mut second, &mut head, BODY);
        (first, second)
    }

    #[test]
    fn lines_are_linked() {
        let (first, second) = two_lines();
        let first = check(first.strip_suffix(b"\n").unwrap()).unwrap();
        let second = check(second.strip_suffix(b"\n").unwrap()).unwrap();
        assert_eq!((first.at.seq, first.prev), (1, [0; 32]));
        assert_eq!((second.at.seq, second.prev), (2, first.at.hash));
    }

    #[test]
    fn the_hash_is_that_of_the_object_without_it() {
        let (first, _) = two_lines();
        let text = String::from_utf8(first).unwrap();
        let (hashed, hash) = text.trim_end().split_once(r#","hash":""#).unwrap();
        let object = format!("{hashed}}}");
        assert!(serde_json::from_str::<serde_json::Value>(&object).is_ok());
        assert_eq!(hex::encode(Sha256::digest(&object)), hash.trim_end_matches("\"}"));
    }

    #[test]
    fn every_changed_byte_of_a_line_is_found() {
        let (first, _) = two_lines();
        let line = first.strip_suffix(b"\n").unwrap();
        for at in 0..line.len() {
            for bit in 0..8 {
                let mut changed = line.to_vec();
                changed[at] ^= 1 << bit;
                assert!(
                    matches!(check(&changed), Err(Fault::Hash | Fault::NotARecord)),
                    "{}",
                    String::from_utf8_lossy(&changed)
                );
            }
        }
    }
}

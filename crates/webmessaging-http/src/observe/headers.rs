//! The headers of an attempt: what an observer may see of them, and what it may add.

use std::fmt;

use http::HeaderMap;
use http::header::Entry;
use secrecy::SecretString;

use crate::default_headers;
use crate::error::Error;

/// The headers whose values are shown. Whatever is not here could be a credential, a signature or a name of somebody.
const SHOWN: &[&str] = &[
    "accept",
    "content-length",
    "content-type",
    "idempotency-key",
    "if-match",
    "user-agent",
    "x-correlation-id",
    "x-genesys-request-id",
];

/// So many headers can be added to one attempt.
const ADDED_MAX: usize = 32;

/// The headers of an attempt, as its observers have them.
pub(crate) struct AddedHeaders<'a> {
    headers: &'a mut HeaderMap,
    /// Signed headers are sent as they are.
    are_signed: bool,
    added: usize,
}

impl<'a> AddedHeaders<'a> {
    pub(crate) fn new(headers: &'a mut HeaderMap, are_signed: bool) -> Self {
        Self { headers, are_signed, added: 0 }
    }

    pub(super) fn shown(&self) -> impl Iterator<Item = (&str, &str)> {
        SHOWN.iter().filter_map(|name| Some((*name, self.get(name)?)))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let name = SHOWN.iter().find(|shown| shown.eq_ignore_ascii_case(name))?;
        let value = self.headers.get(*name).filter(|value| !value.is_sensitive())?;
        value.to_str().ok()
    }

    pub(super) fn add(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let refuse = |why: &'static str| Err(Error::configuration(why));
        if self.are_signed {
            return refuse("an upload to a presigned url is sent with the headers that were signed");
        }
        if self.added >= ADDED_MAX {
            return refuse("an attempt takes no more than 32 added headers");
        }
        let (name, value) = default_headers::checked("an added header", name, &SecretString::from(value))?;
        match self.headers.entry(name) {
            Entry::Occupied(place) => {
                Err(Error::configuration(format!("the header `{}` is there already", place.key())))
            }
            Entry::Vacant(place) => {
                place.insert(value);
                self.added += 1;
                Ok(())
            }
        }
    }
}

impl fmt::Debug for AddedHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.shown()).finish()
    }
}

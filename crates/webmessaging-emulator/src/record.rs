//! The journal of received requests: bounded, without bodies, and printable without secrets.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};

use crate::routes::Route;

/// As many requests are kept; older ones are dropped first.
const ENTRIES_MAX: usize = 10_000;

/// Headers whose values `Debug` may print; every other value could be a secret.
const PRINTABLE_HEADERS: [&str; 9] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "transfer-encoding",
    "user-agent",
    "x-genesys-file-id",
];

const REDACTED: &str = "[redacted]";

/// One request as the emulator received it.
///
/// The fields hold what was sent, secrets included; `Debug` prints no query and only the values of a few harmless
/// headers. Bodies are not kept.
#[derive(Clone)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The emulated endpoint, or `None` for an unknown path or a wrong method. Requests of the emulator's own endpoints
    /// are not recorded.
    pub route: Option<Route>,
    /// The method.
    pub method: Method,
    /// The path, percent-encoded as it was sent.
    pub path: String,
    /// The query without its question mark; it may hold a signature.
    pub query: Option<String>,
    /// All headers; `authorization` is among them.
    pub headers: HeaderMap,
    /// Status of the answer; `None` while there is none yet, and when the connection was dropped without one.
    pub status: Option<u16>,
    /// Bytes of the body that were read. A refused request's body is read too, up to a limit.
    pub body_bytes: u64,
}

impl RecordedRequest {
    /// All headers, with the values of harmless ones.
    pub(crate) fn redacted_headers(&self) -> Vec<(&str, &str)> {
        let headers = self.headers.iter().map(|(name, value)| {
            let is_printable = PRINTABLE_HEADERS.contains(&name.as_str());
            let value = is_printable.then(|| value.to_str().ok()).flatten();
            (name.as_str(), value.unwrap_or(REDACTED))
        });
        headers.collect()
    }
}

impl Debug for RecordedRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RecordedRequest")
            .field("route", &self.route)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &self.query.as_ref().map(|_| REDACTED))
            .field("headers", &self.redacted_headers())
            .field("status", &self.status)
            .field("body_bytes", &self.body_bytes)
            .finish()
    }
}

/// A journal entry that is still being filled in.
#[derive(Debug)]
pub(crate) struct Entry {
    request: RecordedRequest,
    /// 0 as long as there is no answer.
    status: AtomicU16,
    body_bytes: AtomicU64,
}

impl Entry {
    /// An entry for a request whose head has just arrived; it belongs to no journal yet.
    pub(crate) fn new(route: Option<Route>, parts: &Parts) -> Arc<Self> {
        let request = RecordedRequest {
            route,
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            headers: parts.headers.clone(),
            status: None,
            body_bytes: 0,
        };
        Arc::new(Self { request, status: AtomicU16::new(0), body_bytes: AtomicU64::new(0) })
    }

    /// Counts bytes of the body.
    pub(crate) fn add_body_bytes(&self, count: usize) {
        self.body_bytes.fetch_add(count.try_into().unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Notes the answer that is about to be sent.
    pub(crate) fn answered(&self, status: StatusCode) {
        self.status.store(status.as_u16(), Ordering::SeqCst);
    }

    fn recorded(&self) -> RecordedRequest {
        let status = self.status.load(Ordering::SeqCst);
        RecordedRequest {
            status: (status != 0).then_some(status),
            body_bytes: self.body_bytes.load(Ordering::SeqCst),
            ..self.request.clone()
        }
    }
}

/// All entries, and the number of requests per route.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    state: Mutex<JournalState>,
}

#[derive(Debug, Default)]
struct JournalState {
    entries: VecDeque<Arc<Entry>>,
    /// Entries that came before those, so that each keeps its number.
    dropped: u64,
    /// Counted apart, since entries are dropped when there are too many.
    counts: HashMap<Route, usize>,
}

impl Journal {
    /// Adds a request whose head has just arrived.
    pub(crate) fn begin(&self, route: Option<Route>, parts: &Parts) -> Arc<Entry> {
        let entry = Entry::new(route, parts);
        self.with(|state| {
            if let Some(route) = route {
                *state.counts.entry(route).or_default() += 1;
            }
            if state.entries.len() >= ENTRIES_MAX {
                state.entries.pop_front();
                state.dropped = state.dropped.saturating_add(1);
            }
            state.entries.push_back(Arc::clone(&entry));
        });
        entry
    }

    /// A copy of everything kept, oldest first.
    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.with(|state| state.entries.iter().map(|entry| entry.recorded()).collect())
    }

    /// Up to `limit` entries behind the one with the number `after`, oldest first, with their numbers from 1. With a
    /// route, only its entries.
    pub(crate) fn page(&self, route: Option<Route>, after: u64, limit: usize) -> Vec<(u64, RecordedRequest)> {
        self.with(|state| {
            let numbers = state.dropped.saturating_add(1)..;
            let entries = numbers.zip(&state.entries).filter(|(number, entry)| {
                *number > after && route.is_none_or(|route| entry.request.route == Some(route))
            });
            entries.take(limit).map(|(number, entry)| (number, entry.recorded())).collect()
        })
    }

    /// Forgets all entries and counts; numbers go on.
    pub(crate) fn clear(&self) {
        self.with(|state| {
            let entries = u64::try_from(state.entries.len()).unwrap_or(u64::MAX);
            let dropped = state.dropped.saturating_add(entries);
            *state = JournalState { dropped, ..JournalState::default() };
        });
    }

    /// How many requests a route has received so far.
    pub(crate) fn count(&self, route: Route) -> usize {
        self.with(|state| state.counts.get(&route).copied().unwrap_or_default())
    }

    /// No step leaves the state half-changed, so a poisoned lock holds good data.
    fn with<T>(&self, work: impl FnOnce(&mut JournalState) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(uri: &str) -> Parts {
        let request = Request::put(uri).header("authorization", "Bearer swordfish").header("host", "here");
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn debug_prints_neither_credentials_nor_queries() {
        let journal = Journal::default();
        journal.begin(None, &parts("/storage/files/1?signature=tunafish"));
        let recorded = journal.requests().remove(0);
        assert_eq!(recorded.query.as_deref(), Some("signature=tunafish"));
        assert_eq!(recorded.headers["authorization"], "Bearer swordfish");
        assert_eq!(
            format!("{recorded:?}"),
            "RecordedRequest { route: None, method: PUT, path: \"/storage/files/1\", \
             query: Some(\"[redacted]\"), headers: [(\"authorization\", \"[redacted]\"), (\"host\", \"here\")], \
             status: None, body_bytes: 0 }"
        );
    }

    #[test]
    fn the_oldest_entries_make_room_and_are_still_counted() {
        let journal = Journal::default();
        for number in 0..ENTRIES_MAX + 2 {
            journal.begin(Some(Route::Download), &parts(&format!("/{number}")));
        }
        let requests = journal.requests();
        assert_eq!(requests.len(), ENTRIES_MAX);
        assert_eq!(requests[0].path, "/2");
        assert_eq!(journal.count(Route::Download), ENTRIES_MAX + 2);
        assert_eq!(journal.count(Route::Token), 0);
        assert_eq!(
            journal.page(None, 0, 2).into_iter().map(|(number, _)| number).collect::<Vec<_>>(),
            [3, 4]
        );
    }

    #[test]
    fn pages_are_bounded_and_numbers_outlive_a_clearing() {
        let journal = Journal::default();
        for route in [Some(Route::Token), None, Some(Route::Token), Some(Route::Download)] {
            journal.begin(route, &parts("/"));
        }
        let numbers = |route, after, limit| -> Vec<u64> {
            journal.page(route, after, limit).into_iter().map(|(number, _)| number).collect()
        };
        assert_eq!(numbers(None, 0, 10), [1, 2, 3, 4]);
        assert_eq!(numbers(None, 1, 2), [2, 3]);
        assert_eq!(numbers(Some(Route::Token), 1, 10), [3]);
        journal.clear();
        assert_eq!(numbers(None, 0, 10), [0; 0]);
        assert_eq!(journal.count(Route::Token), 0);
        journal.begin(None, &parts("/"));
        assert_eq!(numbers(None, 0, 10), [5]);
    }
}

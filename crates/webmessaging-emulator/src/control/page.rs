//! Pages of what is recorded: the part that a query asks for, oldest first, and where the next one begins.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use crate::answer::{Refusal, json_response};

/// Entries on a page that does not say how many.
const LIMIT: usize = 100;

/// Entries on the largest page.
const LIMIT_MAX: usize = 1_000;

/// Which entries are asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// The value of the one parameter that is not about pages.
    pub(super) own: Option<String>,
    pub(super) after: u64,
    pub(super) limit: usize,
}

impl Page {
    /// Reads `after`, `limit` and the parameter `own`.
    pub(super) fn parse(query: Option<&str>, own: &str) -> Result<Self, Refusal> {
        let mut page = Self { own: None, after: 0, limit: LIMIT };
        for (key, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*key {
                "after" => {
                    let invalid = || invalid("after must be the number of an entry".to_owned());
                    page.after = value.parse().map_err(|_| invalid())?;
                }
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                    let message = || format!("limit must be a whole number from 1 to {LIMIT_MAX}");
                    page.limit = limit.ok_or_else(|| invalid(message()))?;
                }
                key if key == own => page.own = Some(value.into_owned()),
                _ => return Err(invalid(format!("the query may have {own}, after and limit"))),
            }
        }
        Ok(page)
    }

    /// As many entries have to be looked for: one more than asked for tells that there is a next page.
    pub(super) fn sought(&self) -> usize {
        self.limit.saturating_add(1)
    }

    /// The page of the entries that were found, each with its number, under `name`.
    pub(super) fn answer<T>(
        &self,
        name: &str,
        entries: &[(u64, T)],
        show: impl Fn(u64, &T) -> Value,
    ) -> Response {
        let is_last = entries.len() <= self.limit;
        let shown = entries.get(..self.limit).unwrap_or(entries);
        let next = shown.last().filter(|_| !is_last).map(|(number, _)| *number);
        let shown: Vec<Value> = shown.iter().map(|(number, entry)| show(*number, entry)).collect();
        json_response(StatusCode::OK, &json!({ name: shown, "nextAfter": next }))
    }
}

/// The refusal of a query that makes no sense.
pub(super) fn invalid(message: String) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "invalid.query.param.value", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_what_the_query_says() {
        let page = |own: Option<&str>, after, limit| Page { own: own.map(str::to_owned), after, limit };
        assert_eq!(Page::parse(None, "route").unwrap(), page(None, 0, LIMIT));
        let query = "route=put-upload&after=7&limit=1000";
        assert_eq!(Page::parse(Some(query), "route").unwrap(), page(Some("put-upload"), 7, LIMIT_MAX));
    }

    #[test]
    fn a_query_that_makes_no_sense_is_told_what_would() {
        for (query, expected) in [
            ("after=-1", "after must be the number of an entry"),
            ("limit=0", "limit must be a whole number from 1 to 1000"),
            ("limit=1001", "limit must be a whole number from 1 to 1000"),
            ("page=2", "the query may have eventId, after and limit"),
        ] {
            let refusal = format!("{:?}", Page::parse(Some(query), "eventId").unwrap_err());
            assert!(refusal.contains(expected), "{query}: {refusal}");
        }
    }
}

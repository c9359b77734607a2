//! `GET /__emulator/requests`: recorded requests, a page at a time, as `Debug` would print them.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use crate::answer::{Refusal, json_response};
use crate::record::{Journal, RecordedRequest};
use crate::routes::{ENDPOINTS, Route};

/// Requests on a page that does not say how many.
const LIMIT: usize = 100;

/// Requests on the largest page.
const LIMIT_MAX: usize = 1_000;

/// Which requests are asked for.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    route: Option<Route>,
    after: u64,
    limit: usize,
}

pub(super) fn get(journal: &Journal, query: Option<&str>) -> Result<Response, Refusal> {
    let page = Page::parse(query.unwrap_or_default())?;
    let entries = journal.page(page.route, page.after, page.limit.saturating_add(1));
    // One more than asked for tells that there is a next page.
    let is_last = entries.len() <= page.limit;
    let shown = entries.get(..page.limit).unwrap_or(&entries);
    let next = shown.last().filter(|_| !is_last).map(|(number, _)| *number);
    let requests: Vec<Value> = shown.iter().map(|(number, request)| described(*number, request)).collect();
    Ok(json_response(StatusCode::OK, &json!({ "requests": requests, "nextAfter": next })))
}

fn described(number: u64, request: &RecordedRequest) -> Value {
    let headers: Vec<Value> = request
        .redacted_headers()
        .into_iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    json!({
        "number": number,
        "route": request.route.map(|route| route.to_string()),
        "method": request.method.as_str(),
        "path": request.path,
        "hasQuery": request.query.is_some(),
        "headers": headers,
        "status": request.status,
        "bodyBytes": request.body_bytes,
    })
}

impl Page {
    fn parse(query: &str) -> Result<Self, Refusal> {
        let mut page = Self { route: None, after: 0, limit: LIMIT };
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "route" => {
                    let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.route.to_string() == value);
                    page.route = Some(endpoint.ok_or_else(unknown_route)?.route);
                }
                "after" => {
                    let invalid = || invalid("after must be the number of a request".to_owned());
                    page.after = value.parse().map_err(|_| invalid())?;
                }
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                    let message = || format!("limit must be a whole number from 1 to {LIMIT_MAX}");
                    page.limit = limit.ok_or_else(|| invalid(message()))?;
                }
                _ => return Err(invalid("the query may have route, after and limit".to_owned())),
            }
        }
        Ok(page)
    }
}

fn unknown_route() -> Refusal {
    let names: Vec<String> = ENDPOINTS.iter().map(|endpoint| endpoint.route.to_string()).collect();
    invalid(format!("route must be one of {}", names.join(", ")))
}

fn invalid(message: String) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "invalid.query.param.value", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_what_the_query_says() {
        let page = |route, after, limit| Page { route, after, limit };
        assert_eq!(Page::parse("").unwrap(), page(None, 0, LIMIT));
        let query = "route=put-upload&after=7&limit=1000";
        assert_eq!(Page::parse(query).unwrap(), page(Some(Route::PutUpload), 7, LIMIT_MAX));
    }

    #[test]
    fn a_query_that_makes_no_sense_is_told_what_would() {
        for (query, expected) in [
            ("route=toekn", "route must be one of token, create-upload"),
            ("after=-1", "after must be the number of a request"),
            ("limit=0", "limit must be a whole number from 1 to 1000"),
            ("limit=1001", "limit must be a whole number from 1 to 1000"),
            ("page=2", "the query may have route, after and limit"),
        ] {
            let refusal = format!("{:?}", Page::parse(query).unwrap_err());
            assert!(refusal.contains(expected), "{query}: {refusal}");
        }
    }
}

//! `GET /__emulator/requests`: recorded requests, a page at a time, as `Debug` would print them.

use axum::response::Response;
use serde_json::{Value, json};

use crate::answer::Refusal;
use crate::control::page::{Page, invalid};
use crate::record::{Journal, RecordedRequest};
use crate::routes::{ENDPOINTS, Route};

pub(super) fn get(journal: &Journal, query: Option<&str>) -> Result<Response, Refusal> {
    let page = Page::parse(query, "route")?;
    let route = page.own.as_deref().map(route).transpose()?;
    let entries = journal.page(route, page.after, page.sought());
    Ok(page.answer("requests", &entries, described))
}

fn route(name: &str) -> Result<Route, Refusal> {
    let names = || ENDPOINTS.iter().map(|endpoint| endpoint.route.to_string()).collect::<Vec<_>>();
    let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.route.to_string() == name);
    let endpoint = endpoint.ok_or_else(|| invalid(format!("route must be one of {}", names().join(", "))))?;
    Ok(endpoint.route)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_that_is_none_is_told_which_there_are() {
        let refusal = format!("{:?}", get(&Journal::default(), Some("route=toekn")).unwrap_err());
        assert!(refusal.contains("route must be one of token, create-upload"), "{refusal}");
    }
}

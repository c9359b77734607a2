//! `GET /__emulator/capabilities`: what is emulated, after whose word, and what is not.

use serde_json::{Value, json};

use crate::control;
use crate::routes::ENDPOINTS;

/// What somebody could expect of a platform and does not find here.
const NOT_EMULATED: [&str; 9] = [
    "permissions and divisions: only OAuth scopes are checked",
    "grants other than client credentials, token revocation and introspection",
    "changes of channels, guests, bot messages and file transfers",
    "communications and messages of a conversation: it has participants only",
    "TLS: the emulator speaks plain HTTP/1.1, and deliveries to HTTPS webhooks end as noTls",
    "the backoff of a webhook's retryPolicy: retries begin 5 s after the attempt before them",
    "a timestamp in webhook signatures",
    "range and conditional requests on downloads",
    "a real virus scanner: only the EICAR test string is found",
];

/// The capabilities document.
pub(crate) fn capabilities() -> Value {
    let endpoints: Vec<Value> = ENDPOINTS
        .iter()
        .map(|endpoint| {
            json!({
                "name": endpoint.route.to_string(),
                "method": endpoint.method.as_str(),
                "path": endpoint.path,
                "contract": endpoint.contract.name(),
                "scopes": endpoint.scopes,
                "summary": endpoint.summary,
            })
        })
        .collect();
    let (control, faults) = control::described();
    json!({ "endpoints": endpoints, "notEmulated": NOT_EMULATED, "control": control, "faults": faults })
}

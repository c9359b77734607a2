//! `GET /__emulator/capabilities`: what is emulated, after whose word, and what is not.

use serde_json::{Value, json};

use crate::control;
use crate::routes::ENDPOINTS;
use crate::tamper::Tamper;

/// What no document says and had to be decided.
const ASSUMED: [&str; 7] = [
    "the signature of webhooks: the design documents name its header, x-genesys-signature; its spelling and the schedule \
     of retries are those of the Open Messaging webhooks of the platform",
    "the envelope of events (eventType, eventId, timestamp, data) and the header x-genesys-event-id",
    "refusals of design endpoints: they have the JSON error body of the platform",
    "file transfers: the header with the id of the organisation, the code 201, the paths at the object store, and that a transfer \
     without a virus scan ends as complete and is not handed out, since nobody found it clean",
    "changes of channels: the data of channel.updated is the whole channel, the body has only id and configuration, and its \
     values are checked together with those that stay",
    "bot messages: the codes of their refusals, and that both ends have to take part in a conversation that has participants",
    "signed URLs: a client takes them from answers, and nothing about their paths and queries is promised",
];

/// What somebody could expect of a platform and does not find here.
const NOT_EMULATED: [&str; 13] = [
    "permissions and divisions: only OAuth scopes are checked",
    "grants other than client credentials, token revocation and introspection",
    "file transfers, guests and bot messages in a seed: they begin with a request, and snapshots keep them",
    "the access policy of a file transfer: it is checked and handed on, and nothing is kept shorter, encrypted or held back by it",
    "communications of a conversation and messages of its customer: it has participants and the messages of bots only",
    "events that happen by themselves, but for the end of a scan and the change of a channel: others are sent on request",
    "changes of a registered webhook: it is registered, listed and deleted",
    "sorting and filtering of lists: only pageSize and pageNumber count",
    "TLS: the emulator speaks plain HTTP/1.1, and deliveries to HTTPS webhooks end as noTls",
    "the backoff of a webhook's retryPolicy: a retry begins 5 s after the failure before it",
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
    let tampers = Tamper::ALL.map(|tamper| json!({ "name": tamper.name(), "summary": tamper.summary() }));
    json!({
        "endpoints": endpoints,
        "notEmulated": NOT_EMULATED,
        "assumed": ASSUMED,
        "control": control,
        "faults": faults,
        "tampers": tampers,
    })
}

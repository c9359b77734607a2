//! `GET /api/v2/platform/audits`: what happened to an entity within a time range, the newest first.

use std::time::SystemTime;

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::answer::{Refusal, json_response};
use crate::clock::timestamp;
use crate::guests::Audit;
use crate::page::filtered_page;
use crate::serve::Call;

pub(crate) fn list(call: &Call) -> Result<Response, Refusal> {
    let query = call.query.as_deref().unwrap_or_default();
    let parameter = |name: &str| {
        let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
        values.next().map(|(_, value)| value.into_owned())
    };
    let required = |name| parameter(name).ok_or_else(|| refused(format!("{name} is required")));
    let (kind, id) = (required("entityType")?, required("entityId")?);
    let time = |name| {
        parameter(name)
            .map(|text| moment(&text).ok_or_else(|| refused(format!("{name} is no time"))))
            .transpose()
    };
    let (from, until) = (time("startTime")?, time("endTime")?);
    let content = call.shared.guests.capture();
    let is_wanted = |audit: &&Audit| {
        kind == "guest"
            && audit.guest == id
            && from.is_none_or(|from| audit.at >= from)
            && until.is_none_or(|until| audit.at < until)
    };
    let found: Vec<_> = content.audits.iter().rev().filter(is_wanted).collect();
    let mut filter = form_urlencoded::Serializer::new(String::new());
    for name in ["entityType", "entityId", "startTime", "endTime"] {
        if let Some(value) = parameter(name) {
            filter.append_pair(name, &value);
        }
    }
    let filter = format!("{}&", filter.finish());
    let answer =
        filtered_page(call.endpoint.path, &filter, call.query.as_deref(), &found, |audit| shown(audit))?;
    Ok(json_response(StatusCode::OK, &answer))
}

fn shown(audit: &Audit) -> Value {
    json!({
        "id": audit.id.to_string(),
        "timestamp": timestamp(audit.at),
        "action": audit.action,
        "entityType": "guest",
        "entityId": audit.guest,
    })
}

fn moment(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339_weak(text).ok()
}

fn refused(message: String) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "invalid.query.param.value", message)
}

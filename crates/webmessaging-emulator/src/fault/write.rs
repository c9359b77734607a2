//! Scripts as documents, in the shape in which they are read.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use crate::fault::kind::{HTML, JSON};
use crate::fault::{CannedAnswer, Fault, FaultRule, FaultScript};

/// The document of a script.
pub(super) fn script(script: &FaultScript) -> Value {
    json!({ "seed": script.seed, "rules": script.rules.iter().map(rule).collect::<Vec<_>>() })
}

fn rule(rule: &FaultRule) -> Value {
    let mut fields = Map::new();
    let mut set = |key: &str, value: Value| {
        fields.insert(key.to_owned(), value);
    };
    set("route", rule.route.map_or_else(|| "*".to_owned(), |route| route.to_string()).into());
    let (nth, from, to) = match (rule.from, rule.to) {
        (Some(from), Some(to)) if from == to => (Some(from), None, None),
        (from, to) => (None, from, to),
    };
    for (key, number) in
        [("nth", nth), ("from", from), ("to", to), ("every", rule.every), ("times", rule.times)]
    {
        if let Some(number) = number {
            set(key, number.into());
        }
    }
    if let Some(rate) = rule.rate {
        set("rate", rate.into());
    }
    let (name, own) = fault(&rule.fault);
    set("fault", name.into());
    for (key, value) in own {
        set(key, value);
    }
    Value::Object(fields)
}

/// The name of a fault's kind, and its own keys.
fn fault(fault: &Fault) -> (&'static str, Vec<(&'static str, Value)>) {
    match fault {
        Fault::Answer(answer) => ("answer", canned(answer)),
        Fault::Delay(real) => ("delay", vec![("ms", milliseconds(*real))]),
        Fault::DropBefore => ("drop-before", Vec::new()),
        Fault::DropAfter => ("drop-after", Vec::new()),
        Fault::DropBodyAfter { bytes } => ("drop-in-body", vec![("bytes", (*bytes).into())]),
        Fault::TruncateAnswer { bytes } => ("truncate", vec![("bytes", (*bytes).into())]),
        Fault::DripAnswer { bytes, every } => {
            ("drip", vec![("bytes", (*bytes).into()), ("ms", milliseconds(*every))])
        }
        Fault::HtmlPage(page) => ("html-page", vec![("html", page.as_str().into())]),
        Fault::WrongLength { bytes } => ("wrong-length", vec![("bytes", (*bytes).into())]),
        Fault::AdvanceClock(by) => ("advance-clock", vec![("seconds", seconds(*by))]),
        Fault::AdvanceClockInBody { after_bytes, by } => {
            ("advance-clock", vec![("seconds", seconds(*by)), ("afterBytes", (*after_bytes).into())])
        }
    }
}

fn canned(answer: &CannedAnswer) -> Vec<(&'static str, Value)> {
    let content_type =
        answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(CONTENT_TYPE.as_str()));
    let body = answer.body.as_ref().map(|body| written_body(body, content_type.map(|(_, value)| &**value)));
    let is_implied = matches!(body, Some(("json" | "html", _)));
    let mut headers = Map::new();
    for (name, value) in &answer.headers {
        if !(is_implied && name.eq_ignore_ascii_case(CONTENT_TYPE.as_str())) {
            headers.insert(name.clone(), value.as_str().into());
        }
    }

    let mut fields = vec![("status", answer.status.into())];
    if !headers.is_empty() {
        fields.push(("headers", headers.into()));
    }
    match body {
        // What could not be written as JSON is refused like any other wrong value.
        None => fields.push(("text", Value::Null)),
        Some((_, Value::String(text))) if text.is_empty() && !is_implied => {}
        Some(body) => fields.push(body),
    }
    fields
}

/// A body under the key that says most about it.
fn written_body(body: &Bytes, content_type: Option<&str>) -> (&'static str, Value) {
    if content_type == Some(JSON)
        && let Ok(json) = serde_json::from_slice::<Value>(body)
        // Only if reading it gives the same bytes again.
        && serde_json::to_vec(&json).is_ok_and(|written| written == *body)
    {
        return ("json", json);
    }
    match std::str::from_utf8(body) {
        Ok(text) if content_type == Some(HTML) => ("html", text.into()),
        Ok(text) => ("text", text.into()),
        Err(_) => ("base64", STANDARD.encode(body).into()),
    }
}

fn seconds(duration: Duration) -> Value {
    if duration.subsec_nanos() == 0 { duration.as_secs().into() } else { duration.as_secs_f64().into() }
}

fn milliseconds(duration: Duration) -> Value {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).into()
}

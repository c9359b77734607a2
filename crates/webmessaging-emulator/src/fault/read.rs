//! Documents as scripts: the keys, what each may hold, and which belong together.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::document::{Fields, Place, Problems};
use crate::fault::{Fault, FaultRule, FaultScript};
use crate::routes::{ENDPOINTS, Route};

/// The route of a rule for all of them.
const EVERY_ROUTE: &str = "*";

/// More rules than this would have to be looked at for each request.
const RULES_MAX: usize = 1_000;

/// The largest number of requests that a condition can name.
const COUNT_MAX: u64 = 1_000_000_000;

/// The largest number of bytes that a fault can wait for: 1 TiB.
const BYTES_MAX: u64 = 1 << 40;

/// The longest delay or pause: one hour.
const WAIT_MS_MAX: u64 = 3_600_000;

/// The farthest jump of the clock: ten years.
const ADVANCE_SECONDS_MAX: f64 = 315_360_000.0;

/// The largest lie about a length, in bytes.
const WRONG_BYTES_MAX: i64 = 65_536;

/// Keys that a body can be under.
const BODIES: [&str; 4] = ["json", "html", "text", "base64"];

/// One kind of fault as documents name it.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) keys: &'static [&'static str],
    pub(crate) summary: &'static str,
    read: fn(&mut Fields<'_, '_>) -> Option<Fault>,
}

/// Every kind of fault.
static KINDS: [Kind; 10] = [
    Kind {
        name: "answer",
        keys: &["status", "headers", "json", "html", "text", "base64"],
        summary: "a canned answer instead of the effect",
        read: answer,
    },
    Kind {
        name: "delay",
        keys: &["ms"],
        summary: "a wait in real time before the request is served",
        read: |fields| wait(fields).map(Fault::Delay),
    },
    Kind {
        name: "drop-before",
        keys: &[],
        summary: "a reset connection instead of the effect",
        read: |_| Some(Fault::DropBefore),
    },
    Kind {
        name: "drop-after",
        keys: &[],
        summary: "the effect, and a reset connection instead of the answer",
        read: |_| Some(Fault::DropAfter),
    },
    Kind {
        name: "drop-in-body",
        keys: &["bytes"],
        summary: "a reset connection when so many bytes of the request's body have been read",
        read: |fields| bytes(fields, 0).map(|bytes| Fault::DropBodyAfter { bytes }),
    },
    Kind {
        name: "truncate",
        keys: &["bytes"],
        summary: "the effect, and an answer that ends after so many bytes",
        read: |fields| bytes(fields, 0).map(|bytes| Fault::TruncateAnswer { bytes }),
    },
    Kind {
        name: "drip",
        keys: &["bytes", "ms"],
        summary: "the effect, and an answer that comes so many bytes at a time",
        read: |fields| {
            let (bytes, every) = (bytes(fields, 1), wait(fields));
            Some(Fault::DripAnswer { bytes: bytes?, every: every? })
        },
    },
    Kind {
        name: "html-page",
        keys: &["html"],
        summary: "the effect, and an HTML page in place of the answer",
        read: |fields| fields.required().text("html").map(Fault::html_page),
    },
    Kind {
        name: "wrong-length",
        keys: &["bytes"],
        summary: "the effect, and an answer whose content-length is wrong by so many bytes",
        read: wrong_length,
    },
    Kind {
        name: "advance-clock",
        keys: &["seconds", "afterBytes"],
        summary: "a jump of the emulator's clock, before the request or after so many bytes of its body",
        read: advance_clock,
    },
];

/// Every kind of fault, for the capabilities document.
pub(crate) fn kinds() -> &'static [Kind] {
    &KINDS
}

/// The script of a document, or an unfinished one and problems.
pub(super) fn script(document: &Value, problems: &mut Problems) -> FaultScript {
    let mut script = FaultScript::default();
    let Some(mut fields) = Fields::new(document, Place::default(), problems) else { return script };
    script.seed = fields.whole("seed", 0..=u64::MAX).unwrap_or_default();
    let rules = fields.list("rules", RULES_MAX);
    fields.finish();
    for (index, value) in rules.iter().enumerate() {
        if let Some(fields) = Fields::new(value, Place::entry("rules", index, "rule"), problems) {
            script.rules.extend(rule(fields));
        }
    }
    script
}

fn rule(mut fields: Fields<'_, '_>) -> Option<FaultRule> {
    let route = route(&mut fields);
    let nth = fields.whole("nth", 1..=COUNT_MAX);
    let from = fields.whole("from", 1..=COUNT_MAX);
    let to = fields.whole("to", 1..=COUNT_MAX);
    let every = fields.whole("every", 1..=COUNT_MAX);
    for key in ["from", "to", "every"] {
        if fields.has("nth") && fields.has(key) {
            fields.problem(key, "cannot stand beside nth, which picks a single request");
        }
    }
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        fields.problem("to", format!("must not be below from, which is {from}"));
    }
    let rate = fields.number("rate", 0.0..=1.0);
    let times = fields.whole("times", 1..=COUNT_MAX);

    let names = KINDS.each_ref().map(|kind| kind.name);
    let name = fields.required().one_of("fault", &names);
    let kind = KINDS.iter().find(|kind| Some(kind.name) == name);
    if kind.is_none() {
        // Nobody can tell which of the other keys are right.
        fields.allow(KINDS.iter().flat_map(|kind| kind.keys.iter().copied()));
    }
    let fault = kind.and_then(|kind| (kind.read)(&mut fields));
    fields.finish();
    let (from, to) = (nth.or(from), nth.or(to));
    Some(FaultRule { route, from, to, every, rate, times, fault: fault? })
}

/// `None` for every route, and for a problem.
fn route(fields: &mut Fields<'_, '_>) -> Option<Route> {
    let routes = || ENDPOINTS.iter().map(|endpoint| (endpoint.route, endpoint.route.to_string()));
    let names: Vec<String> =
        std::iter::once(EVERY_ROUTE.to_owned()).chain(routes().map(|(_, name)| name)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let name = fields.required().one_of("route", &names)?;
    routes().find(|(_, known)| known == name).map(|(route, _)| route)
}

fn bytes(fields: &mut Fields<'_, '_>, min: u64) -> Option<u64> {
    fields.required().whole("bytes", min..=BYTES_MAX)
}

fn wait(fields: &mut Fields<'_, '_>) -> Option<Duration> {
    fields.required().whole("ms", 0..=WAIT_MS_MAX).map(Duration::from_millis)
}

fn wrong_length(fields: &mut Fields<'_, '_>) -> Option<Fault> {
    let bytes = fields.required().whole("bytes", -WRONG_BYTES_MAX..=WRONG_BYTES_MAX)?;
    if bytes == 0 {
        fields.problem("bytes", "must not be 0: the length would be right");
    }
    Some(Fault::WrongLength { bytes })
}

fn advance_clock(fields: &mut Fields<'_, '_>) -> Option<Fault> {
    let seconds = fields.required().number("seconds", 0.0..=ADVANCE_SECONDS_MAX);
    let after_bytes = fields.whole("afterBytes", 0..=BYTES_MAX);
    let by = Duration::try_from_secs_f64(seconds?).ok()?;
    Some(match after_bytes {
        Some(after_bytes) => Fault::AdvanceClockInBody { after_bytes, by },
        None => Fault::AdvanceClock(by),
    })
}

fn answer(fields: &mut Fields<'_, '_>) -> Option<Fault> {
    let status = fields.required().whole("status", 200..=999_u16);
    let mut fault = Fault::status(status.unwrap_or(200));
    let json = fields.read("json", "any value", Some);
    let html = fields.text("html");
    let text = fields.text("text");
    let base64 = fields.read("base64", "a text in base64", |value| STANDARD.decode(value.as_str()?).ok());
    let given: Vec<&str> = BODIES.into_iter().filter(|key| fields.has(key)).collect();
    if let [first, others @ ..] = &given[..] {
        for other in others {
            fields.problem(other, format!("cannot stand beside {first}: an answer has one body"));
        }
    }
    if let Some(json) = json {
        fault = fault.json(json);
    }
    if let Some(html) = html {
        fault = fault.html(html);
    }
    if let Some(text) = text {
        fault = fault.body(Bytes::copy_from_slice(text.as_bytes()));
    }
    if let Some(base64) = base64 {
        fault = fault.body(base64);
    }
    // After the body, whose content type they may replace.
    let headers = fields.read("headers", "a table of texts", Value::as_object);
    for (name, value) in headers.into_iter().flatten() {
        match header(name, value) {
            Ok(value) => fault = fault.header(name, value),
            Err(message) => fields.problem("headers", message),
        }
    }
    status.map(|_| fault)
}

fn header<'a>(name: &str, value: &'a Value) -> Result<&'a str, String> {
    let quoted = crate::document::quoted(name);
    let known = HeaderName::try_from(name).map_err(|_| format!("the name{quoted} is not allowed by HTTP"))?;
    if [CONTENT_LENGTH, TRANSFER_ENCODING].contains(&known) {
        return Err(format!("{known} follows from the body; the fault wrong-length changes it"));
    }
    let text = value.as_str().ok_or_else(|| format!("the value of{quoted} must be a text"))?;
    match HeaderValue::from_str(text) {
        Ok(_) => Ok(text),
        Err(_) => Err(format!("the value of{quoted} is not allowed by HTTP")),
    }
}

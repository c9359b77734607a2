//! A transport that plays a script and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Response};
use serde_json::{Value, json};
use webmessaging_http::testing::{Halfway, MockTransport, SkippingClock};
use webmessaging_http::transport::{Exchange, Failure};
use webmessaging_http::{Body, Client, ClientBuilder, Credentials, Encoder, Endpoint, TransportError};
use webmessaging_model::{Method, Operation, RetryClass};

/// A request as the transport saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn is_login(&self) -> bool {
        self.uri.ends_with("/oauth/token")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// What the other side does with a request.
pub(crate) enum Step {
    /// The head of an answer, and then a body that breaks off.
    Cut(u16, Vec<(&'static str, String)>),
    Answer(u16, Vec<(&'static str, String)>, Bytes),
    Fail(Failure),
    /// Nothing, ever.
    Hang,
}

pub(crate) fn answer(status: u16, body: &Value) -> Step {
    Step::Answer(status, vec![], Bytes::from(body.to_string()))
}

pub(crate) fn token(value: &str, seconds: u64) -> Step {
    answer(200, &json!({"access_token": value, "token_type": "Bearer", "expires_in": seconds}))
}

pub(crate) fn status(status: u16) -> Step {
    Step::Answer(status, vec![], Bytes::new())
}

impl Step {
    pub(crate) fn header(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name, value.to_owned()));
                Self::Answer(status, headers, body)
            }
            Self::Cut(status, mut headers) => {
                headers.push((name, value.to_owned()));
                Self::Cut(status, headers)
            }
            other @ (Self::Fail(_) | Self::Hang) => other,
        }
    }

    pub(crate) fn play(self) -> Exchange {
        let answer = |status: u16, headers: Vec<(&str, String)>, body| {
            let answer = Response::builder().status(status);
            let answer = headers.into_iter().fold(answer, |answer, (name, value)| answer.header(name, value));
            Ok(answer.body(body).unwrap())
        };
        Box::pin(std::future::ready(match self {
            Self::Hang => return Box::pin(std::future::pending()),
            Self::Answer(status, headers, body) => answer(status, headers, Body::from(body)),
            Self::Cut(status, headers) => {
                let chunks = [Ok(Bytes::from_static(b"{\"co")), Err("cut".into())];
                let body = Body::stream(None, Box::pin(futures_util::stream::iter(chunks)));
                answer(status, headers, body)
            }
            Self::Fail(failure) => Err(TransportError::new(failure, "scripted")),
        }))
    }
}

#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) clock: SkippingClock,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Script {
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn logins(&self) -> usize {
        self.seen().iter().filter(|seen| seen.is_login()).count()
    }

    /// The requests that are not logins.
    pub(crate) fn calls(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| !seen.is_login()).collect()
    }
}

/// A client whose requests meet these steps, in order; one more is a failed test.
pub(crate) fn client(steps: impl IntoIterator<Item = Step>) -> (Client, Script) {
    client_with(steps, |builder| builder)
}

pub(crate) fn client_with(
    steps: impl IntoIterator<Item = Step>,
    set_up: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> (Client, Script) {
    client_of(Credentials::new("the-id", "the-secret"), steps, set_up)
}

pub(crate) fn client_of(
    credentials: Credentials,
    steps: impl IntoIterator<Item = Step>,
    set_up: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> (Client, Script) {
    let steps = Mutex::new(VecDeque::from_iter(steps));
    let next = move |_: &Seen| steps.lock().unwrap().pop_front().expect("one request too many");
    build(credentials, next, set_up)
}

/// A client whose requests are answered by a closure.
pub(crate) fn client_that(
    next: impl Fn(&Seen) -> Step + Send + Sync + 'static,
    set_up: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> (Client, Script) {
    build(Credentials::new("the-id", "the-secret"), next, set_up)
}

pub(crate) fn build(
    credentials: Credentials,
    next: impl Fn(&Seen) -> Step + Send + Sync + 'static,
    set_up: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> (Client, Script) {
    let script = Script { clock: SkippingClock::new(), seen: Arc::default() };
    let seen = Arc::clone(&script.seen);
    let mut transport = MockTransport::new();
    transport.expect_send().returning(move |request| {
        let (parts, body) = request.into_parts();
        let body = body.into_full().unwrap_or_default();
        let request = Seen { uri: parts.uri.to_string(), headers: parts.headers, body };
        let step = next(&request);
        seen.lock().unwrap().push(request);
        step.play()
    });
    let builder =
        Client::builder(credentials).transport(transport).clock(script.clock.clone()).entropy(Halfway);
    (set_up(builder).build().unwrap(), script)
}

/// An operation of a retry class.
pub(crate) struct Call(pub(crate) RetryClass);

#[derive(Debug, PartialEq, serde::Deserialize)]
pub(crate) struct Done {
    pub(crate) done: bool,
}

const fn operation(name: &'static str, method: Method, retry: RetryClass) -> Operation {
    Operation::new(name, method, "/api/v2/things").scopes(&["things:write", "things:read"]).retry(retry)
}

pub(crate) const IDEMPOTENT: Operation = operation("things.read", Method::Get, RetryClass::Idempotent);
pub(crate) const REPEATABLE: Operation = operation("things.announce", Method::Post, RetryClass::Repeatable);
pub(crate) const ONCE: Operation = operation("things.send", Method::Post, RetryClass::Once);

impl Endpoint for Call {
    type Answer = Done;

    fn operation(&self) -> &'static Operation {
        match self.0 {
            RetryClass::Idempotent => &IDEMPOTENT,
            RetryClass::Repeatable => &REPEATABLE,
            _ => &ONCE,
        }
    }

    fn encode(&self, request: Encoder) -> Encoder {
        match self.0 {
            RetryClass::Idempotent => request,
            _ => request.json(&json!({"text": "hello"})),
        }
    }
}

pub(crate) fn done() -> Step {
    answer(200, &json!({"done": true}))
}

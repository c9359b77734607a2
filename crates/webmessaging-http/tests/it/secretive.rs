//! A client with a secret in every place that can hold one, and everything that can be read of its work from outside.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::{self, Display};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use serde_json::json;
use tempfile::TempDir;
use webmessaging_http::observe::{
    AttemptEnded, AttemptStarted, BreakerChanged, CallEnded, LoginEnded, MetricsFacade, WaitEnded,
    WaitStarted,
};
use webmessaging_http::transport::Failure;
use webmessaging_http::{
    BreakerPolicy, Client, ClientBuilder, Credentials, Encoder, Endpoint, Error, FileTokenCache, Metrics,
    Observer, PresignedPut, PresignedTarget, PresignedUrl, RateLimitPolicy, RetryPolicy, Source,
};
use webmessaging_model::{Method, Operation};

use crate::logged::logged;
use crate::metrics::Kept;
use crate::presigned::client_with;
use crate::script::{Done, Step, answer, build, status, token};
use crate::witness::Witness;

const POST: Operation = Operation::new("secrets.post", Method::Post, "/api/v2/secrets/{secretId}");
const PUT: Operation = Operation::new("secrets.put", Method::Put, "");

/// A request with a secret wherever one fits.
struct Secretive<'a>(&'a Secret);

impl Endpoint for Secretive<'_> {
    type Answer = Done;

    fn operation(&self) -> &'static Operation {
        &POST
    }

    fn encode(&self, request: Encoder) -> Encoder {
        let Self(secret) = self;
        let request = request
            .path("secretId", secret.of("path"))
            .query("q", secret.of("query"))
            .header(HeaderName::from_static("x-secret"), secret.of("request-header"))
            .json(&json!({"text": secret.of("request-body")}));
        secret.note("Encoder", format!("{request:?} {request:#?}"));
        request
    }
}

/// The secret, and the texts in which it must not be, by what they are of.
struct Secret {
    value: String,
    texts: Mutex<BTreeMap<&'static str, String>>,
}

impl Secret {
    fn of(&self, place: &str) -> String {
        format!("{place}-{}", self.value)
    }

    fn note(&self, what: &'static str, text: impl Display) {
        self.texts.lock().unwrap().entry(what).or_default().push_str(&text.to_string());
    }
}

/// An error and its causes, in all forms.
pub(crate) fn chain(error: &Error) -> Vec<String> {
    let mut texts = vec![format!("{error} {error:?} {error:#?}")];
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        texts.push(format!("{error} {error:?} {error:#?}"));
        cause = error.source();
    }
    texts
}

/// Keeps both debug forms of everything it is shown, and adds a header with a secret.
#[derive(Clone)]
pub(crate) struct Spy {
    header: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Spy {
    pub(crate) fn new(header: &str) -> Self {
        Self { header: header.to_owned(), seen: Arc::default() }
    }

    pub(crate) fn text(&self) -> String {
        self.seen.lock().unwrap().join("\n")
    }

    fn note(&self, view: &dyn fmt::Debug) {
        self.seen.lock().unwrap().push(format!("{view:?} {view:#?}"));
    }
}

impl Observer for Spy {
    fn attempt_started(&self, attempt: &mut AttemptStarted<'_>) {
        let added = attempt.add_header("x-added", &self.header);
        let refused = [
            attempt.add_header(&self.header, "v"),
            attempt.add_header("x-bad", &format!("{}\n", self.header)),
        ];
        self.note(&added);
        self.note(&refused);
        self.note(attempt);
        self.note(&attempt.headers().collect::<Vec<_>>());
    }

    fn attempt_ended(&self, attempt: &AttemptEnded<'_>) {
        self.note(attempt);
    }

    fn wait_started(&self, wait: &WaitStarted<'_>) {
        self.note(wait);
    }

    fn wait_ended(&self, wait: &WaitEnded<'_>) {
        self.note(wait);
    }

    fn call_ended(&self, call: &CallEnded<'_>) {
        self.note(call);
    }

    fn login_ended(&self, login: &LoginEnded) {
        self.note(login);
    }

    fn breaker_changed(&self, change: &BreakerChanged<'_>) {
        self.note(change);
    }
}

/// What the login server answers, good and bad.
fn logins(secret: &Secret) -> VecDeque<Step> {
    let (bearer, other) = (secret.of("bearer"), secret.of("login"));
    let good = json!({"access_token": bearer, "expires_in": 86_400, "refresh_token": other, "scope": other});
    let cut = Bytes::from(good.to_string()).slice(..40);
    VecDeque::from([
        Step::Answer(200, vec![], cut),
        answer(200, &json!({"access_token": bearer, "expires_in": other})),
        answer(200, &json!({"access_token": bearer, "expires_in": 300, "token_type": other})),
        answer(200, &json!({"access_token": format!("{bearer}\n"), "expires_in": 300})),
        answer(401, &json!({"error": "invalid_client", "access_token": bearer, "client_secret": other})),
        page(500, &other),
        answer(200, &good),
    ])
}

fn page(status: u16, secret: &str) -> Step {
    Step::Answer(status, vec![], format!("<html><body>{secret}</body></html>").into())
}

/// What the platform answers: in bodies of all kinds, and in headers.
fn answers(secret: &Secret) -> VecDeque<Step> {
    let body = secret.of("answer-body");
    let odd = json!({"text": body, "entityName": body, "errors": [{"message": body}], "messageParams": {"a": body}});
    let cut = Bytes::from(odd.to_string()).slice(..30);
    let steps = [
        answer(200, &odd),
        answer(200, &json!({"done": body})),
        Step::Answer(200, vec![], cut.clone()),
        page(200, &body),
        Step::Answer(200, vec![], body.clone().into()),
        Step::Answer(200, vec![], format!(r#"{{"done":true}}{{"a":"{body}"}}"#).into()),
        status(401),
        answer(400, &odd),
        answer(403, &odd),
        Step::Answer(404, vec![], cut),
        page(409, &body),
        status(302),
        status(429),
        page(500, &body),
        answer(503, &odd),
        Step::Cut(200, vec![]),
        Step::Fail(Failure::Interrupted),
        Step::Fail(Failure::Connect),
    ];
    let header = secret.of("answer-header");
    let names =
        ["set-cookie", "location", "www-authenticate", "retry-after", "x-custom", "date", "content-type"];
    let with_headers = |step: Step| names.into_iter().fold(step, |step, name| step.header(name, &header));
    steps.into_iter().map(with_headers).collect()
}

/// A token file with something else in it.
fn damaged(path: &Path, secret: &Secret) {
    let mut options = std::fs::OpenOptions::new();
    let file = options.create(true).truncate(true).write(true).mode(0o600).open(path).unwrap();
    std::io::Write::write_all(&mut &file, secret.of("file").as_bytes()).unwrap();
}

async fn calls(secret: &Secret, set_up: &impl Fn(ClientBuilder) -> ClientBuilder) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("tokens.json");
    damaged(&file, secret);
    let answers = Arc::new(Mutex::new((logins(secret), answers(secret))));
    let rest = Arc::clone(&answers);
    let bearer = secret.of("bearer");
    let next = move |seen: &crate::script::Seen| {
        let (logins, calls) = &mut *rest.lock().unwrap();
        if seen.is_login() {
            logins.pop_front().unwrap_or_else(|| token(&bearer, 86_400))
        } else {
            calls.pop_front().unwrap_or_else(|| status(404))
        }
    };
    let credentials = Credentials::new("the-id", secret.of("client-secret"));
    secret.note("Credentials", format!("{credentials:?} {credentials:#?}"));
    let (client, script) = build(credentials, next, |builder| {
        let builder = set_up(builder.token_cache(FileTokenCache::new(&file)));
        secret.note("ClientBuilder", format!("{builder:?} {builder:#?}"));
        builder
    });
    while !answers.lock().unwrap().1.is_empty() {
        // Past what a failed login, a 429 and an open breaker hold up.
        script.clock.advance(Duration::from_secs(300));
        for _ in 0..2 {
            note(secret, &client, client.send(&Secretive(secret)).await.err().as_ref());
        }
    }
}

fn note(secret: &Secret, client: &Client, error: Option<&Error>) {
    secret.note("Client", format!("{client:?} {client:#?}"));
    secret.note("limits()", format!("{:?} {:#?}", client.limits(), client.limits()));
    secret.note("breakers()", format!("{:?} {:#?}", client.breakers(), client.breakers()));
    for text in error.into_iter().flat_map(chain) {
        secret.note("errors", text);
    }
}

async fn uploads(secret: &Secret, set_up: &impl Fn(ClientBuilder) -> ClientBuilder) {
    let body = secret.of("store");
    let xml = format!("<Error><Code>AccessDenied</Code><HostId>{body}</HostId><Key>{body}</Key></Error>");
    let (client, _) = client_with(
        move |number| match number % 4 {
            0 => Step::Answer(403, vec![], xml.clone().into()),
            1 => page(503, &body),
            2 => status(400).header("x-amz-meta", &body),
            _ => status(200),
        },
        set_up,
    );
    let source = Source::bytes("a.txt", secret.of("content"));
    let length = source.head(0).await.unwrap().0;
    let issue = || async {
        let url =
            format!("https://store.example/{}?X-Amz-Signature={}", secret.of("key"), secret.of("signature"));
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-customer-key", secret.of("signed-header").parse().unwrap());
        let target = PresignedTarget::new(PresignedUrl::new(url), headers, Duration::from_secs(300));
        secret.note("PresignedTarget", format!("{target:?} {target:#?} {}", target.url));
        Ok(target)
    };
    for _ in 0..3 {
        let put = PresignedPut::new(&PUT, &source, length);
        secret.note("PresignedPut", format!("{put:?} {put:#?}"));
        let outcome = client.put_presigned(put, issue).await;
        note(secret, &client, outcome.err().as_ref());
    }
}

/// Where a secret could come out: what it is called, something that must be there, and the text.
pub(crate) type Sinks = Vec<(&'static str, &'static str, String)>;

/// Runs calls, logins and uploads with this secret in all of them.
pub(crate) fn everything(value: &str) -> Sinks {
    let secret = Secret { value: value.to_owned(), texts: Mutex::default() };
    let spy = Spy::new(&secret.of("added"));
    let (witness, metrics, recorder) = (Witness::default(), Metrics::new(), Kept::default());
    let set_up = |builder: ClientBuilder| {
        builder
            .default_header("x-key", secret.of("default-header"))
            .retry(RetryPolicy::default().max_retries(1))
            .breaker(BreakerPolicy::default().failures(2))
            .rate_limit(RateLimitPolicy::default().requests(2))
            .observer(spy.clone())
            .observer(witness.clone())
            .observer(metrics.clone())
            .observer(MetricsFacade::new())
    };
    let ((), log) = ::metrics::with_local_recorder(&recorder, || {
        logged(async {
            calls(&secret, &set_up).await;
            uploads(&secret, &set_up).await;
        })
    });
    let snapshot = metrics.snapshot();
    let json = serde_json::to_string(&snapshot).unwrap();
    let mut texts = std::mem::take(&mut *secret.texts.lock().unwrap());
    let mut text = |what| texts.remove(what).unwrap();
    vec![
        ("the log", "attempt failed", log),
        ("debug forms of views", "AttemptEnded", spy.text()),
        ("accessors of views", "secrets.post ends", witness.text()),
        ("metrics", "secrets.put", format!("{json} {snapshot:?} {metrics:?} {metrics:#?}")),
        ("exported metrics", "webmessaging_http_calls_total", recorder.text()),
        ("errors", "secrets.post: answered", text("errors")),
        ("limits()", "Platform", text("limits()")),
        ("breakers()", "api.mypurecloud.com", text("breakers()")),
        ("Client", "the-id", text("Client")),
        ("ClientBuilder", "the-id", text("ClientBuilder")),
        ("Credentials", "the-id", text("Credentials")),
        ("Encoder", "secrets.post", text("Encoder")),
        ("PresignedPut", "secrets.put", text("PresignedPut")),
        ("PresignedTarget", "x-amz-customer-key", text("PresignedTarget")),
    ]
}

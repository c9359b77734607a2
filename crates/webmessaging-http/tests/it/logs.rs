//! What is logged: exactly what the reference lists, and with the ids that lead from a call to its lines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::HeaderMap;
use serde_json::{Value, json};
use tempfile::TempDir;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};
use webmessaging_emulator::{Emulator, Fault, Route};
use webmessaging_http::observe::{AttemptEnded, CallEnded};
use webmessaging_http::testing::SkippingClock;
use webmessaging_http::{
    BreakerPolicy, Cached, CachedToken, Client, ClientBuilder, Credentials, Error, ErrorKind, FileTokenCache,
    LoginLock, Observer, PresignedPut, PresignedTarget, PresignedUrl, RateLimitPolicy, RetryBudget,
    RetryPolicy, Sent, Settings, Source, TokenCache, TokenKey,
};
use webmessaging_model::{Method, Operation, RetryClass};

use crate::emulated::Missing;
use crate::logged::{logged_from, run, with};
use crate::paging::list::{ByCursor, pages_of};
use crate::reference::{names, table};
use crate::script::{Call, Seen, Step, answer, client_that, client_with, done, status, token};

const PUT: Operation = Operation::new("things.put", Method::Put, "");

/// Level and fields, by name.
type Names = BTreeMap<String, (Level, BTreeSet<&'static str>)>;

/// Keeps the name, level and fields of every span and event of this crate.
#[derive(Clone, Default)]
struct Capture {
    spans: Arc<Mutex<Names>>,
    events: Arc<Mutex<Names>>,
}

impl Capture {
    fn keep(names: &Mutex<Names>, name: &str, metadata: &Metadata<'static>) {
        if metadata.target().starts_with("webmessaging_http") {
            assert_eq!(metadata.target(), "webmessaging_http", "{name}");
            let fields = metadata.fields().iter().map(|field| field.name()).filter(|name| *name != "message");
            let seen = (*metadata.level(), fields.collect());
            let before = names.lock().unwrap().insert(name.to_owned(), seen.clone());
            assert!(before.is_none_or(|before| before == seen), "`{name}` is logged in two ways");
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let metadata = attributes.metadata();
        Self::keep(&self.spans, metadata.name(), metadata);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        Self::keep(&self.events, &message.0, event.metadata());
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

async fn call(client: &Client) -> Result<(), Error> {
    client.send(&Call(RetryClass::Idempotent)).await.map(|_| ())
}

fn well(seen: &Seen) -> Step {
    if seen.is_login() { token("t", 86_400) } else { done() }
}

/// A cache in trouble, whose lock somebody else has for ever.
#[derive(Debug)]
struct Jammed;

impl TokenCache for Jammed {
    fn load<'a>(&'a self, _: &'a TokenKey) -> Cached<'a, Option<CachedToken>> {
        Box::pin(async { Err(Error::new(ErrorKind::Source, Sent::No).with_message("the disk is full")) })
    }

    fn try_lock<'a>(&'a self, _: &'a TokenKey) -> Cached<'a, Option<LoginLock>> {
        Box::pin(async { Ok(None) })
    }

    fn store<'a>(&'a self, _: &'a TokenKey, _: &'a CachedToken) -> Cached<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

struct Panicking;

impl Observer for Panicking {
    fn call_ended(&self, _: &CallEnded<'_>) {
        panic!("an observer of a test, on purpose");
    }
}

/// Everything that is worth a line happens once at least.
async fn everything() {
    let steps = [token("t", 300), status(503), status(429), done()];
    call(&client_with(steps, |builder| builder.observer(Panicking)).0).await.unwrap();

    let steps = [token("t", 300), status(503)];
    let poor = client_with(steps, |builder| builder.retry_budget(RetryBudget::default().capacity(1))).0;
    call(&poor).await.unwrap_err();

    call(&client_with([status(403)], |builder| builder).0).await.unwrap_err();

    let rare = RateLimitPolicy::default().requests(1);
    let patient = client_that(well, |builder| builder.rate_limit(rare)).0;
    for _ in 0..2 {
        call(&patient).await.unwrap();
    }

    let breaker = BreakerPolicy::default().failures(1);
    let steps = [token("t", 300), status(503), done()];
    call(&client_with(steps, |builder| builder.breaker(breaker)).0).await.unwrap();

    let store = client_with([status(403), status(200)], |builder| builder).0;
    let issue = || async {
        let url = PresignedUrl::new("https://store.example/put");
        Ok(PresignedTarget::new(url, HeaderMap::new(), Duration::from_secs(300)))
    };
    let source = Source::bytes("a.txt", "");
    store.put_presigned(PresignedPut::new(&PUT, &source, 0), issue).await.unwrap();

    call(&client_that(well, |builder| builder.token_cache(Jammed)).0).await.unwrap();

    let empty = |cursor: &str| json!({"entities": [], "cursor": cursor});
    let mut pages = pages_of([empty("a"), empty("b"), empty("c")]).0.pages(ByCursor::default());
    while pages.next().await.transpose().unwrap().is_some() {}
    Settings::loader().variables([("GENESYS_CLIENTID", "id")]).load().unwrap();

    let folder = TempDir::new().unwrap();
    let file = folder.path().join("tokens.json");
    let mut options = std::fs::OpenOptions::new();
    let damaged = options.create_new(true).write(true).mode(0o600).open(&file).unwrap();
    std::io::Write::write_all(&mut &damaged, b"not json").unwrap();
    for _ in 0..2 {
        let cache = FileTokenCache::new(&file);
        call(&client_that(well, |builder| builder.token_cache(cache)).0).await.unwrap();
    }
}

#[test]
fn the_reference_lists_what_is_logged() {
    let capture = Capture::default();
    let subscriber = Registry::default().with(capture.clone());
    with(subscriber, || run(everything()));
    let listed = |heading| -> Names {
        let row = |row: Vec<&'static str>| {
            let level = row[1].parse().unwrap();
            (row[0].to_owned(), (level, names(row[2]).into_iter().collect()))
        };
        table(heading).into_iter().map(row).collect()
    };
    let (spans, events) = (capture.spans.lock().unwrap(), capture.events.lock().unwrap());
    assert_eq!(listed("span"), *spans);
    assert_eq!(listed("event"), *events);

    let used: BTreeSet<_> = spans.values().chain(events.values()).flat_map(|(_, fields)| fields).collect();
    let fields = table("field");
    assert_eq!(fields.iter().map(|row| &row[0]).collect::<BTreeSet<_>>(), used);
    for row in fields {
        for (ending, unit) in [("_ms", "milliseconds"), ("_s", "seconds")] {
            assert_eq!(row[0].ends_with(ending), row[1] == unit, "{row:?}");
        }
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// So that none escapes the comparison because no test happens to reach it.
#[test]
fn one_file_logs_and_the_reference_has_a_row_for_each_of_its_lines() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let logs = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let levels = ["error", "warn", "info", "debug", "trace"];
        let calls = levels.map(|level| {
            [format!("tracing::{level}!("), format!("tracing::{level}_span!(")]
                .map(|call| text.matches(&call).count())
        });
        calls.as_flattened().iter().sum::<usize>()
    };
    let logging: Vec<_> = sources(&folder)
        .iter()
        .map(|path| (path.clone(), logs(path)))
        .filter(|(_, count)| *count > 0)
        .collect();
    assert_eq!(logging, [(folder.join("log.rs"), table("span").len() + table("event").len())]);
}

/// The correlation ids of the lines of a log, each with its message.
fn ids(log: &str) -> Vec<(String, Option<String>)> {
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        (text(&line["fields"]["message"]).unwrap(), text(&line["span"]["correlation_id"]))
    };
    log.lines().filter(|line| line.contains(r#""target":"webmessaging_http""#)).map(line).collect()
}

/// Correlation id and request id of each attempt, as an observer hears of them.
#[derive(Clone, Default)]
struct Ids(Arc<Mutex<Vec<[Option<String>; 2]>>>);

impl Observer for Ids {
    fn attempt_ended(&self, attempt: &AttemptEnded<'_>) {
        let ids = [Some(attempt.correlation_id()), attempt.request_id()];
        self.0.lock().unwrap().push(ids.map(|id| id.map(str::to_owned)));
    }
}

#[test]
fn an_error_leads_to_the_request_and_to_the_log() {
    let seen = Ids::default();
    let ((error, requests), log) = logged_from(LevelFilter::TRACE, async {
        let emulator = Emulator::builder().start().await.unwrap();
        for _ in 0..2 {
            emulator.inject(Route::GetAttachment, Fault::status(503));
        }
        let client = Client::builder(Credentials::new("demo-client", "demo-secret"))
            .base_url(emulator.base_url())
            .clock(SkippingClock::new())
            .observer(seen.clone())
            .build()
            .unwrap();
        (client.send(&Missing).await.unwrap_err(), emulator.requests())
    });
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::NotFound, 3));
    let id = error.correlation_id().unwrap();

    // The other side has it, in all three attempts and not in the login.
    let sent = |request: &webmessaging_emulator::RecordedRequest| {
        request.headers.get("x-correlation-id").is_some_and(|value| value == id)
    };
    let routes: Vec<_> =
        requests.iter().filter(|request| sent(request)).map(|request| request.route).collect();
    assert_eq!(routes, [Some(Route::GetAttachment); 3]);

    // So do the observers, together with the other side's own.
    let heard = seen.0.lock().unwrap().clone();
    let heard: Vec<_> = heard.iter().map(|ids| ids.each_ref().map(Option::as_deref)).collect();
    assert_eq!(heard.last(), Some(&[Some(id), error.request_id()]));
    assert_eq!(heard.iter().filter(|[of, request]| *of == Some(id) && request.is_some()).count(), 3);

    // And so does the log, line by line.
    let lines: Vec<_> = ids(&log).into_iter().filter(|(_, of)| of.as_deref() == Some(id)).collect();
    let messages: Vec<_> = lines.iter().map(|(message, _)| &**message).collect();
    let retry = ["attempt failed", "retrying"];
    let expected = [&["logged in"][..], &retry, &retry, &["attempt failed", "call failed"]].concat();
    assert_eq!(messages, expected);
    assert!(log.contains(error.request_id().unwrap()));
    // The lines of the login have both: its own and that of the call that waited for it.
    let ours = log.lines().filter(|line| line.contains(r#""target":"webmessaging_http""#));
    let login = ours.filter(|line| line.contains(r#""message":"answered""#)).collect::<Vec<_>>();
    assert!(login.len() == 1 && login[0].contains("oauth.token") && login[0].contains(id), "{login:?}");
}

/// A filter that shows nothing but warnings takes no id away.
#[test]
fn every_line_of_a_call_has_its_id_at_every_level() {
    for level in [LevelFilter::WARN, LevelFilter::INFO, LevelFilter::DEBUG] {
        let (id, log) = logged_from(level, async {
            let steps = [token("t", 300), status(429), status(503), done()];
            let client = client_with(steps, |builder| builder).0;
            client.send(&Call(RetryClass::Idempotent)).await.unwrap().facts.correlation_id
        });
        let lines = ids(&log);
        assert!(lines.iter().any(|(message, _)| message == "rate limited"), "{lines:?}");
        assert!(lines.iter().all(|(_, id)| id.is_some()), "{lines:?}");
        assert!(lines.iter().any(|(_, of)| of.as_deref() == Some(&*id)));
    }
}

/// However a call fails, its error's id is in the log.
#[test]
fn every_error_that_has_an_id_has_a_line() {
    let cases: Vec<Vec<Step>> = vec![
        vec![token("t", 300), status(404)],
        vec![token("t", 300), answer(200, &json!({"done": 7}))],
        vec![answer(401, &json!({"error": "invalid_client"}))],
        vec![status(404)],
        vec![answer(200, &json!({"access_token": "t", "expires_in": 300, "token_type": "mac"}))],
        vec![answer(200, &json!({"access_token": "t\n", "expires_in": 300}))],
        vec![answer(200, &json!({"access_token": "t", "expires_in": 300, "scope": "less"}))],
        vec![token("t", 300), Step::Fail(webmessaging_http::transport::Failure::Connect)],
        vec![token("t", 300), status(429).header("retry-after", "170")],
    ];
    for steps in cases {
        let (error, log) = logged_from(LevelFilter::DEBUG, async {
            let asking = |builder: ClientBuilder| builder.retry(RetryPolicy::never()).scopes(["things:read"]);
            call(&client_with(steps, asking).0).await.unwrap_err()
        });
        let found = ids(&log).iter().any(|(_, id)| id.as_deref() == error.correlation_id());
        assert!(found && error.correlation_id().is_some(), "{error:?} {log}");
    }
    // One whose URL cannot be had.
    let (error, log) = logged_from(LevelFilter::DEBUG, async {
        let client = client_with([], |builder| builder).0;
        let issue = || async { Err::<PresignedTarget, _>(Error::new(ErrorKind::Rejected, Sent::Yes)) };
        let source = Source::bytes("a.txt", "words");
        client.put_presigned(PresignedPut::new(&PUT, &source, 5), issue).await.unwrap_err()
    });
    let ids_of = ids(&log);
    assert_eq!(ids_of, [("call failed".to_owned(), error.correlation_id().map(str::to_owned))]);
    // One that waits in vain is not even sent.
    let (error, log) = logged_from(LevelFilter::DEBUG, async {
        let rare = RateLimitPolicy::default().requests(1).window(Duration::from_secs(600));
        let client = client_that(well, |builder| builder.rate_limit(rare)).0;
        call(&client).await.unwrap();
        call(&client).await.unwrap_err()
    });
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 0));
    let lines: Vec<_> =
        ids(&log).into_iter().filter(|(_, id)| id.as_deref() == error.correlation_id()).collect();
    assert_eq!(lines.last().map(|(message, _)| &**message), Some("call failed"));
}

#[test]
fn the_caller_that_goes_away_is_in_the_log() {
    let ((), log) = logged_from(LevelFilter::DEBUG, async {
        let client = client_with([token("t", 300), Step::Hang], |builder| builder).0;
        let request = Call(RetryClass::Once);
        let mut call = Box::pin(client.send(&request));
        // The login goes on by itself, so that it takes two turns to come to the request.
        for _ in 0..2 {
            assert!(futures_util::poll!(&mut call).is_pending());
            tokio::task::yield_now().await;
        }
        assert!(futures_util::poll!(&mut call).is_pending());
    });
    let line: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!(line["fields"]["message"], "call failed");
    assert_eq!(
        (&line["fields"]["kind"], &line["fields"]["sent"], &line["fields"]["attempts"]),
        (&json!("canceled"), &json!("maybe"), &json!(1))
    );
    assert_eq!(line["span"]["op"], "things.send");
}

//! `webmessaging webhooks trigger`: one signed event to a receiver, once or several times.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Uri};
use serde_json::{Value, json};
use webmessaging::http::{Answer, ExternalClient, Proxy};
use webmessaging::journal::EventId;
use webmessaging::journal::clock::{Clock, SystemClock, SystemEntropy};
use webmessaging::webhooks::{Secrets, Signer, verify};

use super::sample::{self, Sample};
use crate::args::webhooks::TriggerArgs;
use crate::failure::{Exit, Failure, Local};
use crate::input;
use crate::output::{Output, table};

/// Loopback and the ranges of private networks: whoever types the URL means it.
const PRIVATE: [&str; 6] =
    ["127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

/// A receiver says little.
const ANSWER_BYTES_MAX: usize = 64 * 1_024;

pub(super) async fn run(args: TriggerArgs, output: Output) -> Result<Exit, Failure> {
    let secrets = args.secrets.read()?;
    let sample = sample(&args)?;
    let request = request(&args.url, &sample, secrets.as_ref())?;
    let client = client(request.uri())?;
    let mut answers = Vec::new();
    let mut failed = None;
    for _ in 0..args.repeat {
        match client.send(request.clone()).await {
            Ok(answer) => answers.push(answer),
            Err(error) => {
                // The next one would fare no better.
                failed = Some(Failure::from(error));
                break;
            }
        }
    }
    let signed_with = secrets.as_ref().and_then(|secrets| secrets.labels().next());
    output.result(&to_json(&sample, signed_with, &answers, failed.as_ref()), || {
        to_table(&sample, signed_with, &answers)
    })?;
    match failed {
        None => Ok(Exit::Success),
        Some(failure) => {
            output.complain(&failure)?;
            Ok(failure.exit())
        }
    }
}

fn sample(args: &TriggerArgs) -> Result<Sample, Failure> {
    let now = SystemClock.wall();
    let id = EventId::new(now, &SystemEntropy).to_string();
    let event_type = sample::event_type(&args.event);
    if let Some(data) = given_data(args)? {
        return Ok(Sample::new(event_type, id, &data, now));
    }
    // The same state of the same subject is a duplicate: each run is about another one.
    let subject = args.subject.clone().unwrap_or_else(|| format!("sample-{id}"));
    let data = sample::data(event_type, &subject, now).ok_or_else(|| {
        let names = sample::names();
        let message =
            format!("there is no sample of this event: give --data or --data-file, or choose one of {names}");
        Local::input("invalid_input", message).about(&*args.event)
    })?;
    Ok(Sample::new(event_type, id, &data, now))
}

fn given_data(args: &TriggerArgs) -> Result<Option<Value>, Failure> {
    let (place, text) = match (&args.data, &args.data_file) {
        (Some(text), _) => ("--data".to_owned(), text.clone().into_bytes()),
        (None, Some(path)) => (path.display().to_string(), input::bytes(path, verify::BODY_BYTES_MAX)?),
        (None, None) => return Ok(None),
    };
    // The parser's words can repeat the data; where it stopped is enough.
    let data = serde_json::from_slice(&text).map_err(|error| {
        let message = format!("not JSON, see line {} column {}", error.line(), error.column());
        Local::input("invalid_input", message).about(place)
    })?;
    Ok(Some(data))
}

fn request(url: &str, sample: &Sample, secrets: Option<&Secrets>) -> Result<Request<Bytes>, Failure> {
    let mut request = Request::post(url).body(Bytes::from(sample.body.clone())).map_err(|_| {
        Local::input("configuration", "not a url such as http://127.0.0.1:8080/webhooks/genesys")
            .about("--url")
    })?;
    let headers = request.headers_mut();
    if let Some(secrets) = secrets {
        headers.extend(Signer::new(secrets.clone()).sign(&sample.body));
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let id = HeaderValue::try_from(&*sample.id)
        .map_err(|error| Failure::internal("the id of the event does not fit a header", error))?;
    headers.insert(verify::X_GENESYS_EVENT_ID, id);
    Ok(request)
}

fn client(url: &Uri) -> Result<ExternalClient, Failure> {
    let mut client = ExternalClient::builder().allow_private(PRIVATE).answer_bytes_max(ANSWER_BYTES_MAX);
    if url.scheme_str() == Some("http") {
        // It is for this machine alone, and a proxy can be on another one.
        client = client.proxy(Proxy::none());
    }
    Ok(client.build()?)
}

fn to_json(
    sample: &Sample,
    signed_with: Option<&str>,
    answers: &[Answer<Bytes>],
    failed: Option<&Failure>,
) -> Value {
    let answer = |answer: &Answer<Bytes>| {
        let text = String::from_utf8_lossy(&answer.value);
        let body = serde_json::from_slice(&answer.value).unwrap_or_else(|_| Value::from(&*text));
        json!({"status": answer.facts.status.as_u16(), "body": body, "seconds": answer.facts.latency.as_secs_f64()})
    };
    let mut report = json!({
        "ok": failed.is_none(),
        "eventType": sample.event_type,
        "eventId": sample.id,
        "secret": signed_with,
        "answers": answers.iter().map(answer).collect::<Vec<_>>(),
    });
    if let (Value::Object(fields), Some(failure)) = (&mut report, failed) {
        fields.insert("error".to_owned(), failure.json());
    }
    report
}

fn to_table(sample: &Sample, signed_with: Option<&str>, answers: &[Answer<Bytes>]) -> String {
    let row = |name: String, value: String| vec![name, value];
    let signature = signed_with.map_or_else(|| "none".to_owned(), |label| format!("with secret {label}"));
    let mut rows =
        vec![row("event id".to_owned(), sample.id.clone()), row("signature".to_owned(), signature)];
    rows.extend((1..).zip(answers).map(|(number, answer)| {
        let body = String::from_utf8_lossy(&answer.value);
        row(format!("answer {number}"), format!("{} {body}", answer.facts.status.as_u16()))
    }));
    table(&["event", &sample.event_type], rows)
}

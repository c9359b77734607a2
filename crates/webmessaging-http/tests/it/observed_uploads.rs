//! Uploads to presigned URLs, as observers see them: their bytes and their ends, and nothing of the URL.

use std::io::Cursor;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::expect;
use http::{HeaderMap, HeaderValue};
use serde_json::json;
use webmessaging_http::observe::AttemptStarted;
use webmessaging_http::{
    Client, Error, Observer, PresignedPut, PresignedTarget, PresignedUrl, Source, SourceContent,
};
use webmessaging_model::{Method, Operation};

use crate::presigned::client_with;
use crate::script::{Step, status};
use crate::witness::Witness;

const PUT: Operation = Operation::new("things.put", Method::Put, "");
const POST: Operation = Operation::new("things.post", Method::Post, "");

async fn put(client: &Client, operation: &'static Operation, source: &Source) -> Result<(), Error> {
    let issue = || async {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("text/plain"));
        headers.insert("x-amz-key", HeaderValue::from_static("the-customer's"));
        let mut tag = HeaderValue::from_static("a-tag-that-is-a-secret");
        tag.set_sensitive(true);
        headers.insert("if-match", tag);
        let url = PresignedUrl::new("https://store.example:8443/bucket/put?signature=s");
        Ok(PresignedTarget::new(url, headers, Duration::from_secs(300)))
    };
    client.put_presigned(PresignedPut::new(operation, source, 5), issue).await.map(|_| ())
}

fn client(answers: impl Fn(usize) -> Step + Send + Sync + 'static) -> (Client, Witness) {
    let witness = Witness::default();
    let (client, _) = client_with(answers, |builder| builder.observer(witness.clone()));
    (client, witness)
}

#[tokio::test]
async fn bytes_attempts_and_renewed_urls_are_told() {
    let expired = || Step::Answer(403, vec![], json!({"code": "ExpiredToken"}).to_string().into());
    let (client, witness) = client(move |number| match number {
        0 => expired(),
        1 => status(503),
        _ => status(200).header("x-amz-request-id", "r-3"),
    });
    put(&client, &PUT, &Source::bytes("a.txt", "words")).await.unwrap();
    expect![[r#"
        things.put attempt 1 starts: PUT store.example:8443 `` Some(5) bytes, content-type
        things.put attempt 1 ends: permission Some(403) sent yes, 0ns, 5 out, 23 in, request None, retry Some(0ns)
        things.put attempt 2 starts: PUT store.example:8443 `` Some(5) bytes, content-type
        things.put attempt 2 ends: server Some(503) sent yes, 0ns, 5 out, 0 in, request None, retry Some(500ms)
        things.put waits: retry, Some(500ms)
        things.put waited: retry, 500ms
        things.put attempt 3 starts: PUT store.example:8443 `` Some(5) bytes, content-type
        things.put attempt 3 ends: ok Some(200) sent yes, 0ns, 5 out, 0 in, request Some("r-3"), retry None
        things.put ends: ok Some(200), 3 attempts, 500ms, waited 500ms, 15 out, 23 in
    "#]].assert_eq(&witness.text());
}

#[tokio::test]
async fn a_source_that_changed_is_not_told_as_a_failure_of_the_network() {
    let (client, witness) = client(|_| status(200));
    let source = Source::open_with("a.txt", || Ok(SourceContent::from_reader(5, Cursor::new("wo"))));
    put(&client, &PUT, &source).await.unwrap_err();
    put(&client, &PUT, &Source::bytes("a.txt", "other")).await.unwrap();
    put(&client, &PUT, &Source::path("/there/is/no/such/file")).await.unwrap_err();
    put(&client, &POST, &Source::bytes("a.txt", "words")).await.unwrap_err();
    let ends: Vec<_> = witness.lines().into_iter().filter(|line| line.contains(" ends: ")).collect();
    expect![[r#"
        things.put attempt 1 ends: source None sent maybe, 0ns, 0 out, 0 in, request None, retry None
        things.put ends: source None, 1 attempts, 0ns, waited 0ns, 0 out, 0 in
        things.put attempt 1 ends: ok Some(200) sent yes, 0ns, 5 out, 0 in, request None, retry None
        things.put ends: ok Some(200), 1 attempts, 0ns, waited 0ns, 5 out, 0 in
        things.put ends: source None, 0 attempts, 0ns, waited 0ns, 0 out, 0 in
        things.post ends: configuration None, 0 attempts, 0ns, waited 0ns, 0 out, 0 in"#]]
    .assert_eq(&ends.join("\n"));
}

/// What is signed is signed.
#[tokio::test]
async fn no_header_can_be_added() {
    #[derive(Default)]
    struct Adding(Mutex<Vec<String>>);

    impl Observer for Adding {
        fn attempt_started(&self, attempt: &mut AttemptStarted<'_>) {
            let error = attempt.add_header("traceparent", "00-1").unwrap_err();
            let shown: Vec<_> = attempt.headers().collect();
            self.0.lock().unwrap().push(format!("{:?} {error} {shown:?}", error.kind()));
        }
    }

    let adding = Arc::new(Adding::default());
    let (client, arrived) = client_with(|_| status(200), |builder| builder.observer(Arc::clone(&adding)));
    put(&client, &PUT, &Source::bytes("a.txt", "words")).await.unwrap();
    expect![[r#"Configuration an upload to a presigned url is sent with the headers that were signed [("content-type", "text/plain")]"#]].assert_eq(&adding.0.lock().unwrap().join("\n"));
    assert_eq!(arrived.lock().unwrap()[0].0.len(), 3, "exactly the headers that came with the url");
}

//! The presigned upload on a mocked transport: exactly what goes out, and what is refused before it does.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use webmessaging_http::testing::{Halfway, MockTransport, SkippingClock};
use webmessaging_http::transport::{BoxError, Exchange, Failure};
use webmessaging_http::{
    Body, Client, ClientBuilder, Credentials, Error, ErrorKind, PresignedPut, PresignedTarget, PresignedUrl,
    Sent, Source, SourceContent, TransportError,
};
use webmessaging_model::{Method, Operation};

use crate::script::{Step, status};

const PUT: Operation = Operation::new("things.put", Method::Put, "");
const POST: Operation = Operation::new("things.post", Method::Post, "");

/// What arrived: the headers and the bytes.
pub(crate) type Arrived = Arc<Mutex<Vec<(HeaderMap, Vec<u8>)>>>;

fn client(answers: impl Fn(usize) -> Step + Send + Sync + 'static) -> (Client, Arrived) {
    client_with(answers, |builder| builder)
}

/// A client whose bodies are read before they are answered, each with the answer of its number.
pub(crate) fn client_with(
    answers: impl Fn(usize) -> Step + Send + Sync + 'static,
    set_up: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> (Client, Arrived) {
    let arrived = Arrived::default();
    let noted = Arc::clone(&arrived);
    let answers = Arc::new(answers);
    let mut transport = MockTransport::new();
    transport.expect_send().returning(move |request| -> Exchange {
        let (noted, answers) = (Arc::clone(&noted), Arc::clone(&answers));
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let Ok(bytes) = read(body).await else {
                return Err(TransportError::new(Failure::Interrupted, "the body broke off"));
            };
            let number = noted.lock().unwrap().len();
            noted.lock().unwrap().push((parts.headers, bytes));
            answers(number).play().await
        })
    });
    let builder = Client::builder(Credentials::new("id", "secret"))
        .transport(transport)
        .clock(SkippingClock::new())
        .entropy(Halfway);
    (set_up(builder).build().unwrap(), arrived)
}

async fn read(body: Body) -> Result<Vec<u8>, BoxError> {
    use futures_util::TryStreamExt;
    body.try_fold(Vec::new(), |mut all, chunk| async move {
        all.extend(chunk);
        Ok(all)
    })
    .await
}

async fn put(
    client: &Client,
    operation: &'static Operation,
    source: &Source,
) -> Result<Option<String>, Error> {
    let length = source.head(0).await.unwrap().0;
    let issue = || async {
        let mut headers = HeaderMap::new();
        headers.insert("x-signed", HeaderValue::from_static("yes"));
        let url = PresignedUrl::new("https://store.example/put?signature=s");
        Ok(PresignedTarget::new(url, headers, Duration::from_secs(300)))
    };
    let put = PresignedPut::new(operation, source, length);
    client.put_presigned(put, issue).await.map(|(_, stored)| stored.sha256_hex())
}

#[tokio::test]
async fn exactly_the_returned_headers_go_out() {
    let (client, arrived) = client(|_| status(200));
    put(&client, &PUT, &Source::bytes("a.txt", "words")).await.unwrap();
    let arrived = arrived.lock().unwrap();
    let (headers, bytes) = &arrived[0];
    let names: BTreeSet<_> = headers.keys().map(http::HeaderName::as_str).collect();
    // The adapter adds what HTTP needs, and nothing else; see `ways.rs`.
    assert_eq!(names, BTreeSet::from(["x-signed"]));
    assert_eq!(bytes, b"words");
}

#[tokio::test]
async fn an_empty_source_is_an_upload_like_any_other() {
    let (client, arrived) = client(|_| status(200));
    let digest = put(&client, &PUT, &Source::bytes("a.txt", "")).await.unwrap();
    // sha256sum of nothing
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(digest.as_deref(), Some(nothing));
    assert_eq!(arrived.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn only_a_put_is_a_put() {
    let (client, arrived) = client(|_| status(200));
    let error = put(&client, &POST, &Source::bytes("a.txt", "words")).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Configuration, Sent::No));
    assert!(arrived.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_source_that_goes_missing_does_not_undo_what_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    std::fs::write(&path, "words").unwrap();
    let gone = path.clone();
    let (client, arrived) = client(move |_| {
        std::fs::remove_file(&gone).unwrap();
        status(503)
    });
    let error = put(&client, &PUT, &Source::path(&path)).await.unwrap_err();
    assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::Source, Sent::Yes, 1));
    assert_eq!(error.violations().unwrap().to_string(), "source does not exist");
    assert_eq!(arrived.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_path_that_the_server_hands_out_cannot_be_replaced() {
    let builder = Client::builder(Credentials::new("id", "secret")).path(&PUT, "/elsewhere");
    let error = builder.build().unwrap_err();
    assert_eq!(error.to_string(), "things.put: the server hands out this url, there is no path to replace");
}

/// A source of five bytes, and how often it was opened.
fn counted() -> (Source, Arc<AtomicUsize>) {
    let opened = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&opened);
    let source = Source::open_with("a.txt", move || {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(SourceContent::from_reader(5, "words".as_bytes()))
    });
    (source, opened)
}

/// Ten thousand that wait for their URLs would be ten thousand open files.
#[tokio::test]
async fn only_a_lone_upload_is_opened_before_it_has_its_url() {
    let (client, arrived) = client(|_| status(200));
    let target = || {
        let url = PresignedUrl::new("https://store.example/put?signature=s");
        Ok(PresignedTarget::new(url, HeaderMap::new(), Duration::from_secs(300)))
    };
    let ((first, first_opened), (second, second_opened)) = (counted(), counted());
    let issue_second = async || {
        assert_eq!(second_opened.load(Ordering::SeqCst), 0);
        target()
    };
    let issue_first = async || {
        assert_eq!(first_opened.load(Ordering::SeqCst), 1);
        client.put_presigned(PresignedPut::new(&PUT, &second, 5), issue_second).await.unwrap();
        target()
    };
    client.put_presigned(PresignedPut::new(&PUT, &first, 5), issue_first).await.unwrap();
    assert_eq!((first_opened.load(Ordering::SeqCst), second_opened.load(Ordering::SeqCst)), (1, 1));
    assert_eq!(arrived.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_source_that_is_not_as_announced_costs_a_lone_upload_no_url() {
    let (client, arrived) = client(|_| status(200));
    let (source, _) = counted();
    let issue = async || -> Result<PresignedTarget, Error> { unreachable!("nothing can be uploaded") };
    let error = client.put_presigned(PresignedPut::new(&PUT, &source, 6), issue).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Source, Sent::No));
    assert!(arrived.lock().unwrap().is_empty());
}

#[tokio::test]
async fn sources_that_change_do_not_keep_others_from_the_store() {
    let (client, arrived) = client(|_| status(200));
    for _ in 0..12 {
        let source =
            Source::open_with("a.txt", || Ok(SourceContent::from_reader(5, std::io::Cursor::new("wo"))));
        let error = put(&client, &PUT, &source).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Source, Sent::Maybe));
    }
    assert_eq!(client.breakers()[0].failures, 0);
    put(&client, &PUT, &Source::bytes("a.txt", "words")).await.unwrap();
    assert_eq!(arrived.lock().unwrap().len(), 1);
}

//! What is true of every path: routing, the journal, capabilities, starting and stopping.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use webmessaging_emulator::{Emulator, Route, StartError};

use crate::client::{UPLOAD_PATH, demo_token_request, plain_get, send, start, try_send};
use crate::receiver::{PLATFORM_WEBHOOKS, WEBHOOKS};
use crate::transfers::TRANSFERS;

const CAPABILITIES: &str = "/__emulator/capabilities";

fn request(method: &str, path: &str) -> Request<Full<Bytes>> {
    Request::builder().method(method).uri(path).body(Full::default()).unwrap()
}

#[tokio::test]
async fn unknown_paths_are_not_found() {
    let emulator = start().await;
    for path in ["/", "/api/v2/users/me", "/oauth/token/", "/storage/uploads/", "/__emulator"] {
        let answer = send(&emulator, plain_get(path)).await;
        assert_eq!(answer.refusal(), (404, "not.found"), "{path}");
        let body = answer.json();
        assert_eq!(body["contextId"], answer.header("inin-correlation-id"), "{path}");
        assert_eq!(body["status"], 404, "{path}");
    }
    assert_eq!(emulator.requests().iter().filter(|request| request.route.is_none()).count(), 5);
}

#[tokio::test]
async fn wrong_methods_are_refused_and_the_right_one_named() {
    let emulator = start().await;
    let attachment = "/api/v2/conversations/messaging/messages/m/attachments/a";
    for (method, path, allowed, code) in [
        ("GET", "/oauth/token", "POST", "invalid_request"),
        ("PUT", UPLOAD_PATH, "POST", "method.not.allowed"),
        ("POST", "/storage/uploads/1", "PUT", "MethodNotAllowed"),
        ("DELETE", attachment, "GET", "method.not.allowed"),
        ("POST", "/storage/files/1", "GET", "MethodNotAllowed"),
        ("POST", CAPABILITIES, "GET", "method.not.allowed"),
        ("PUT", WEBHOOKS, "POST, GET", "method.not.allowed"),
    ] {
        let answer = send(&emulator, request(method, path)).await;
        assert_eq!(answer.refusal(), (405, code), "{method} {path}");
        assert_eq!(answer.header("allow"), allowed, "{method} {path}");
    }
    assert_eq!(send(&emulator, request("HEAD", attachment)).await.status, 405);
    assert!(emulator.requests().iter().all(|request| request.route.is_none()));
}

#[tokio::test]
async fn capabilities_list_every_endpoint_with_its_contract() {
    let emulator = start().await;
    let answer = send(&emulator, plain_get(CAPABILITIES)).await;
    assert_eq!(answer.status, 200);
    let body = answer.json();
    let endpoints = body["endpoints"].as_array().unwrap();
    let listed: Vec<_> = endpoints
        .iter()
        .map(|endpoint| {
            let text = |field: &str| endpoint[field].as_str().unwrap();
            (text("name"), text("method"), text("path"), text("contract"), endpoint["scopes"].clone())
        })
        .collect();
    let attachment = "/api/v2/conversations/messaging/messages/{messageId}/attachments/{attachmentId}";
    let channel = "/api/v2/communications/channels/{channelId}";
    let conversation = "/api/v2/conversations/{conversationId}";
    let messages = "/api/v2/conversations/{conversationId}/messages";
    let guests = "/api/v2/conversations/webmessaging/guests";
    let guest = "/api/v2/conversations/webmessaging/guests/{guestId}";
    let webhooks_write = || json!(["webhooks:write"]);
    assert_eq!(
        listed,
        [
            ("token", "POST", "/oauth/token", "platform", json!([])),
            ("create-upload", "POST", UPLOAD_PATH, "design", json!(["conversations:messaging:write"])),
            ("put-upload", "PUT", "/storage/uploads/{fileId}", "design", json!([])),
            ("get-attachment", "GET", attachment, "design", json!(["conversations:read"])),
            ("download", "GET", "/storage/files/{fileId}", "design", json!([])),
            ("create-transfer", "POST", TRANSFERS, "design", json!(["webchat:filetransfer:write"])),
            (
                "renew-transfer",
                "POST",
                "/api/v2/webchat/messaging/file-transfers/{transferId}/renew",
                "design",
                json!(["webchat:filetransfer:write"])
            ),
            (
                "get-transfer",
                "GET",
                "/api/v2/webchat/messaging/file-transfers/{transferId}",
                "design",
                json!(["webchat:filetransfer:read"])
            ),
            ("put-transfer", "PUT", "/storage/transfers/{transferId}", "design", json!([])),
            ("download-transfer", "GET", "/storage/transfers/{transferId}", "design", json!([])),
            (
                "list-channels",
                "GET",
                "/api/v2/communications/channels",
                "design",
                json!(["communications:read"])
            ),
            ("get-channel", "GET", channel, "design", json!(["communications:read"])),
            ("update-channel", "PATCH", channel, "design", json!(["communications:write"])),
            ("get-conversation", "GET", conversation, "platform", json!(["conversations:readonly"])),
            ("send-message", "POST", messages, "design", json!(["conversation:write"])),
            ("list-messages", "GET", messages, "design", json!(["conversation:read"])),
            ("create-guest", "POST", guests, "design", json!(["webmessaging:guest:write"])),
            ("get-guest", "GET", guest, "design", json!(["webmessaging:guest:read"])),
            ("update-guest", "PATCH", guest, "design", json!(["conversation:webmessaging:write"])),
            ("list-audits", "GET", "/api/v2/platform/audits", "design", json!(["audits:readonly"])),
            ("create-webhook", "POST", WEBHOOKS, "design", webhooks_write()),
            ("list-webhooks", "GET", WEBHOOKS, "emulator", webhooks_write()),
            ("delete-webhook", "DELETE", &*format!("{WEBHOOKS}/{{webhookId}}"), "emulator", webhooks_write()),
            ("create-platform-webhook", "POST", PLATFORM_WEBHOOKS, "design", webhooks_write()),
            ("list-platform-webhooks", "GET", PLATFORM_WEBHOOKS, "emulator", webhooks_write()),
            (
                "delete-platform-webhook",
                "DELETE",
                &*format!("{PLATFORM_WEBHOOKS}/{{webhookId}}"),
                "emulator",
                webhooks_write()
            ),
        ]
    );
    assert!(!body["notEmulated"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn the_journal_shows_requests_as_they_were_sent() {
    let emulator = start().await;
    let mut posted = demo_token_request();
    posted.headers_mut().insert("x-correlation-id", "abc".try_into().unwrap());
    let length = "grant_type=client_credentials&client_id=demo-client&client_secret=demo-secret".len();
    send(&emulator, posted).await;
    send(&emulator, plain_get("/no%20where?a=b")).await;

    let requests = emulator.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!((requests[0].route, requests[0].status), (Some(Route::Token), Some(200)));
    assert_eq!((requests[0].method.as_str(), requests[0].path.as_str()), ("POST", "/oauth/token"));
    assert_eq!(requests[0].headers["x-correlation-id"], "abc");
    assert_eq!(requests[0].body_bytes, length as u64);
    assert_eq!((requests[1].path.as_str(), requests[1].query.as_deref()), ("/no%20where", Some("a=b")));
    assert_eq!((requests[1].route, requests[1].status), (None, Some(404)));
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let emulator = start().await;
    let mut stream = TcpStream::connect(emulator.address()).await.unwrap();
    let one = format!("GET {CAPABILITIES} HTTP/1.1\r\nhost: x\r\n");
    stream.write_all(format!("{one}\r\n{one}\r\n{one}connection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), 3);
}

#[tokio::test]
async fn many_clients_are_served_at_once() {
    let emulator = start().await;
    let address = emulator.address();
    let tasks: Vec<_> =
        (0..50).map(|_| tokio::spawn(async move { try_send(address, demo_token_request()).await })).collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().status, 200);
    }
    assert_eq!(emulator.count(Route::Token), 50);
}

#[tokio::test]
async fn an_emulator_that_was_shut_down_listens_no_more() {
    let emulator = start().await;
    let address = emulator.address();
    // A connection that is open but idle does not hold up the shutdown.
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(format!("GET {CAPABILITIES} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut byte = [0];
    idle.read_exact(&mut byte).await.unwrap();
    emulator.shutdown().await;
    assert!(TcpStream::connect(address).await.is_err());
    idle.read_to_end(&mut Vec::new()).await.unwrap();
}

#[tokio::test]
async fn a_dropped_emulator_frees_its_port() {
    let emulator = start().await;
    let address = emulator.address();
    drop(emulator);
    // The server ends with the next turn of the runtime.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_address_in_use_is_an_error() {
    let first = start().await;
    let error = Emulator::builder().listen(first.address()).start().await.unwrap_err();
    assert!(matches!(error, StartError::Listen { address, .. } if address == first.address()));
    assert_eq!(error.to_string(), format!("cannot listen on {}", first.address()));
}

#[tokio::test]
async fn debug_of_the_emulator_shows_its_address_only() {
    let emulator = start().await;
    assert_eq!(format!("{emulator:?}"), format!("Emulator {{ address: {}, .. }}", emulator.address()));
}

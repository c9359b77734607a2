//! One message: what goes out, what comes of it, and what is asked before.

use std::time::Duration;

use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use webmessaging_bots::{BotsClient, Card, Message, MessageType, QuickReply, SendMessage};
use webmessaging_emulator::{Fault, Route};
use webmessaging_http::{Client, Credentials, Endpoint, ErrorKind};

use crate::setup::{BOT, CUSTOMER, Setup, text};

#[tokio::test]
async fn every_type_arrives_as_it_was_built() {
    let setup = Setup::new(1).await;
    let messages = [
        text("a < b"),
        Message::cards(CUSTOMER, BOT, [Card::new("Shoes").description("Size 42")]),
        Message::quick_replies(CUSTOMER, BOT, [QuickReply::new("Yes", "y"), QuickReply::new("No", "n")]),
    ];
    for message in &messages {
        setup.bots.send("c-0", message).await.unwrap();
    }
    let arrived = setup.emulator.messages("c-0");
    let bodies: Vec<_> = arrived.iter().map(|message| message.body.clone()).collect();
    assert_eq!(bodies, messages.iter().map(|message| json!(message)).collect::<Vec<_>>());
    assert_eq!(bodies[2]["type"], MessageType::QuickReply.as_str());
}

/// Answers each request on a socket of its own with what comes next, and keeps what it has read.
async fn listen(answers: Vec<&'static str>) -> (std::net::SocketAddr, tokio::task::JoinHandle<Vec<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !is_whole(&request) {
                stream.read_buf(&mut request).await.unwrap();
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            requests.push(request);
        }
        requests
    });
    (address, requests)
}

fn is_whole(request: &[u8]) -> bool {
    let Some((head, body)) = parts(request) else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

fn parts(request: &[u8]) -> Option<(String, &[u8])> {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    Some((String::from_utf8(request[..end].to_vec()).unwrap().to_lowercase(), &request[end..]))
}

#[tokio::test]
async fn the_bytes_that_are_hashed_are_the_bytes_on_the_socket() {
    let (address, requests) = listen(vec![
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 41\r\n\r\n{\"access_token\":\"token\",\"expires_in\":300}",
        "HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 12\r\n\r\n{\"id\":\"m-1\"}",
    ])
    .await;
    let client = Client::builder(Credentials::new("id", "secret")).base_url(format!("http://{address}"));
    let bots = BotsClient::new(client.build().unwrap());
    let sent = bots.send("c-0", &text("Zażółć \"gęślą\" \u{1f389}")).await.unwrap();
    assert_eq!((sent.facts.attempts, sent.message_id.as_str()), (2, "m-1"));
    let requests = requests.await.unwrap();
    for request in &requests[1..] {
        let (head, body) = parts(request).unwrap();
        assert!(head.starts_with("post /api/v2/conversations/c-0/messages http/1.1\r\n"), "{head}");
        assert!(head.contains(&format!("x-genesys-request-id: {}\r\n", sent.request_id)), "{head}");
        assert_eq!(<[u8; 32]>::from(Sha256::digest(body)), sent.sha256);
    }
}

#[tokio::test]
async fn what_breaks_a_rule_never_reaches_the_network() {
    let setup = Setup::new(1).await;
    let error = setup.bots.send("c-0", &text("<script>alert(1)</script>")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(
        error.to_string(),
        "bots.message.send: the input is not valid: text has markup or a script in it: at character 1"
    );
    assert!(setup.emulator.requests().is_empty());
    // Who must, can: the platform has the last word.
    let bare = SendMessage::new("c-0", "r-1", &text("x".repeat(4_097))).unchecked();
    assert!(bare.validate().is_ok());
    let hostile = SendMessage::new("../c?x", "r-1", &text("hi")).to_request().unwrap();
    assert_eq!(hostile.uri(), "/api/v2/conversations/..%2Fc%3Fx/messages");
}

#[tokio::test]
async fn a_message_that_may_have_arrived_is_not_sent_again() {
    let setup = Setup::new(1).await;
    for fault in [
        Fault::drop_after(),
        Fault::status(500),
        Fault::status(502).html("<html>"),
        Fault::truncate_answer(5),
    ] {
        let before = setup.emulator.count(Route::SendMessage);
        setup.emulator.inject(Route::SendMessage, fault);
        let error = setup.bots.send("c-0", &text("hi")).await.unwrap_err();
        assert!(error.may_have_acted(), "{error}");
        assert_eq!(setup.emulator.count(Route::SendMessage), before + 1);
    }
}

#[tokio::test]
async fn conversations_and_participants_are_looked_at_first_and_remembered() {
    let setup = Setup::new(1).await;
    let bots = setup.bots.clone().check_participants(Duration::from_secs(10));
    let refused = async |conversation: &str, message: &Message| {
        let error = bots.send(conversation, message).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        error.violations().unwrap().to_string()
    };
    for _ in 0..3 {
        bots.send("c-0", &text("hi")).await.unwrap();
    }
    assert_eq!(setup.emulator.count(Route::GetConversation), 1);
    assert_eq!(refused("over", &text("hi")).await, "conversationId is not allowed");
    assert_eq!(refused("c-0", &Message::text("nobody", BOT, "hi")).await, "to.id is not allowed");
    assert_eq!(refused("c-0", &Message::text(CUSTOMER, "nobody", "hi")).await, "from.id is not allowed");
    assert_eq!(setup.emulator.count(Route::SendMessage), 3);
    // A message that breaks a rule costs no question, and one whose question failed was not sent.
    let asked = setup.emulator.count(Route::GetConversation);
    refused("c-0", &text("<b>")).await;
    assert_eq!(setup.emulator.count(Route::GetConversation), asked);
    let error = bots.send("nowhere", &text("hi")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

//! Bot messages that were taken: their order, their list, and what else is kept of them.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http_body_util::Full;
use serde_json::{Value, json};
use webmessaging_emulator::{
    BotMessage, Conversation, EmulatedClient, Emulator, Fault, Organization, RateLimit, Route,
};

use crate::client::{builder, request, send, start, token, try_send};
use crate::messages::{CONVERSATION, path, post, text};

/// A message of an explicit token; `id` goes into the header that names a request.
fn message_request(token: &str, conversation: &str, words: &str, id: Option<&str>) -> Request<Full<Bytes>> {
    let mut request = Request::post(path(conversation))
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .header(CONTENT_TYPE, "application/json");
    if let Some(id) = id {
        request = request.header("X-Genesys-Request-Id", id);
    }
    request.body(Full::from(text(words).to_string())).unwrap()
}

async fn listed(emulator: &Emulator, query: &str) -> Value {
    request(emulator, "GET", &format!("{}{query}", path(CONVERSATION)), None).await.json()
}

fn texts(messages: &[BotMessage]) -> Vec<&str> {
    messages.iter().map(|message| message.body["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn messages_are_listed_the_newest_first_page_by_page() {
    let emulator = start().await;
    for words in ["one", "two", "three"] {
        assert_eq!(post(&emulator, &text(words)).await.status, 200);
        emulator.clock().advance(Duration::from_secs(1));
    }
    assert_eq!(texts(&emulator.messages(CONVERSATION)), ["one", "two", "three"]);
    let page = listed(&emulator, "?pageSize=2").await;
    let next = format!("{}?pageSize=2&pageNumber=2", path(CONVERSATION));
    assert_eq!((&page["total"], &page["pageCount"], &page["nextUri"]), (&json!(3), &json!(2), &json!(next)));
    let words = |page: &Value| -> Vec<String> {
        let entities = page["entities"].as_array().unwrap().iter();
        entities.map(|entity| entity["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(words(&page), ["three", "two"]);
    let rest = request(&emulator, "GET", &next, None).await.json();
    assert_eq!(words(&rest), ["one"]);
    assert_eq!(words(&listed(&emulator, "").await), ["three", "two", "one"]);
    let refused = request(&emulator, "GET", &format!("{}?pageSize=101", path(CONVERSATION)), None).await;
    assert_eq!(refused.refusal(), (400, "invalid.query.param.value"));
    assert_eq!(emulator.count(Route::ListMessages), 4);
}

#[tokio::test]
async fn the_list_shows_what_was_sent_with_what_was_answered_and_the_id_of_the_request() {
    let emulator = start().await;
    let bearer = token(&emulator).await;
    let answer = send(&emulator, message_request(&bearer, CONVERSATION, "x", Some("request-1"))).await;
    // The answer has an id of its own.
    assert_ne!(answer.header("x-genesys-request-id"), "request-1");
    let answer = answer.json();
    let mut expected = text("x");
    expected["id"] = answer["id"].clone();
    expected["createdDate"] = answer["createdDate"].clone();
    expected["requestId"] = "request-1".into();
    assert_eq!(listed(&emulator, "").await["entities"], json!([expected]));
    send(&emulator, message_request(&bearer, CONVERSATION, "y", None)).await;
    assert_eq!(listed(&emulator, "").await["entities"][0].get("requestId"), None);
    let ids: Vec<_> = emulator.messages(CONVERSATION).into_iter().map(|message| message.request_id).collect();
    assert_eq!(ids, [Some("request-1".to_owned()), None]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_sent_at_once_are_stored_in_the_order_of_their_times() {
    let emulator = builder().rate_limit(RateLimit::off()).start().await.unwrap();
    let (bearer, address) = (token(&emulator).await, emulator.address());
    let tasks: Vec<_> = (0..100)
        .map(|number| {
            let request = message_request(&bearer, CONVERSATION, &number.to_string(), None);
            tokio::spawn(async move { try_send(address, request).await.unwrap().json() })
        })
        .collect();
    let mut answered = Vec::new();
    for task in tasks {
        answered.push(task.await.unwrap()["id"].as_str().unwrap().to_owned());
    }
    let stored = emulator.messages(CONVERSATION);
    assert!(stored.is_sorted_by_key(|message| message.created));
    let mut ids: Vec<String> = stored.into_iter().map(|message| message.id).collect();
    ids.sort();
    answered.sort();
    assert_eq!(ids, answered);
}

#[tokio::test]
async fn what_is_answered_in_time_or_not_is_stored_when_it_takes_effect() {
    let emulator = start().await;
    emulator.inject(Route::SendMessage, Fault::status(503));
    assert_eq!(post(&emulator, &text("lost")).await.status, 503);
    let bearer = token(&emulator).await;
    emulator.inject(Route::SendMessage, Fault::drop_after());
    let dropped = message_request(&bearer, CONVERSATION, "unanswered", None);
    try_send(emulator.address(), dropped).await.map(drop).unwrap_err();
    post(&emulator, &text("answered")).await;
    assert_eq!(texts(&emulator.messages(CONVERSATION)), ["unanswered", "answered"]);
}

#[tokio::test]
async fn who_sends_needs_one_scope_and_who_lists_another() {
    for (scope, sent, shown) in [
        ("conversation:write", 200, 403),
        ("conversation:read", 403, 200),
        ("conversations:read", 403, 403),
        ("conversation", 403, 403),
    ] {
        let client = EmulatedClient::new("demo-client", "demo-secret").scopes([scope]);
        let emulator = builder().client(client).start().await.unwrap();
        assert_eq!(post(&emulator, &text("x")).await.status, sent, "{scope}");
        let list = request(&emulator, "GET", &path(CONVERSATION), None).await;
        assert_eq!(list.status, shown, "{scope}");
    }
}

#[tokio::test]
async fn snapshots_and_resets_know_messages() {
    let emulator = start().await;
    post(&emulator, &text("before")).await;
    let snapshot = emulator.snapshot();
    post(&emulator, &text("behind")).await;
    assert_eq!(texts(&emulator.messages(CONVERSATION)), ["before", "behind"]);
    emulator.restore(&snapshot).unwrap();
    assert_eq!(texts(&emulator.messages(CONVERSATION)), ["before"]);
    emulator.reset();
    assert!(emulator.messages(CONVERSATION).is_empty());
    emulator.restore(&snapshot).unwrap();
    assert_eq!(listed(&emulator, "").await["total"], 1);
}

#[tokio::test]
async fn a_thousand_conversations_keep_their_messages_apart() {
    let organization = (0..1_000).fold(Organization::empty(), |organization, number| {
        organization.conversation(Conversation::new(format!("conversation/{number}")))
    });
    let emulator = builder().rate_limit(RateLimit::off()).organization(organization).start().await.unwrap();
    let bearer = token(&emulator).await;
    for number in (0..1_000).step_by(37) {
        let encoded = format!("conversation%2F{number}");
        let words = number.to_string();
        for words in [&*words, "more"] {
            let answer = send(&emulator, message_request(&bearer, &encoded, words, None)).await;
            assert_eq!(answer.status, 200);
        }
        let conversation = format!("conversation/{number}");
        assert_eq!(texts(&emulator.messages(&conversation)), [&*words, "more"]);
        let page = request(&emulator, "GET", &path(&encoded), None).await.json();
        assert_eq!(page["selfUri"], format!("{}?pageSize=25&pageNumber=1", path(&encoded)));
    }
    assert!(emulator.messages("conversation/1").is_empty());
}

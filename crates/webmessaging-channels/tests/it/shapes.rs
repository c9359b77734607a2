//! The requests as they go out, without a network.

use http::Method;
use serde_json::json;
use webmessaging_channels::operations::OPERATIONS;
use webmessaging_channels::{GetChannel, ListChannels, UpdateChannel};
use webmessaging_http::Endpoint;
use webmessaging_http::paging::{PageKey, Paged};

#[test]
fn list_channels() {
    let request = ListChannels::new().at(&PageKey::Number(2)).to_request().unwrap();
    assert_eq!(request.method(), Method::GET);
    assert_eq!(request.uri(), "/api/v2/communications/channels?pageSize=100&pageNumber=2");
    assert_eq!(request.headers()["cache-control"], "no-cache");
    assert!(request.body().is_empty());
}

#[test]
fn get_channel() {
    let request = GetChannel::new("a/b").to_request().unwrap();
    assert_eq!(request.method(), Method::GET);
    assert_eq!(request.uri(), "/api/v2/communications/channels/a%2Fb");
    assert_eq!(request.headers()["cache-control"], "no-cache");
}

#[test]
fn update_channel() {
    let change = json!({"webchat": {"maxConcurrentSessions": 800}});
    let request = UpdateChannel::new("channel-1", change).to_request().unwrap();
    assert_eq!(request.method(), Method::PATCH);
    assert_eq!(request.uri(), "/api/v2/communications/channels/channel-1");
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(
        request.body(),
        r#"{"id":"channel-1","configuration":{"webchat":{"maxConcurrentSessions":800}}}"#
    );
}

#[test]
fn every_operation_is_shaped_here() {
    let names: Vec<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
    // The last one is shaped in `webhook.rs`.
    let expected = [
        "channels.channel.list",
        "channels.channel.get",
        "channels.channel.update",
        "channels.webhook.create",
    ];
    assert_eq!(names, expected);
}

//! The real transport against the emulator: what a mock cannot show.

use webmessaging_emulator::{EmulatedClient, Emulator, Fault, Route};
use webmessaging_http::testing::SkippingClock;
use webmessaging_http::{AuthStyle, Client, Credentials, Encoder, Endpoint, ErrorKind, Sent};
use webmessaging_model::{Method, Operation};

const GET_ATTACHMENT: Operation = Operation::new(
    "test.attachment.get",
    Method::Get,
    "/api/v2/conversations/messaging/messages/{messageId}/attachments/{attachmentId}",
)
.scopes(&["conversations:read"]);

/// Reads an attachment that does not exist: the shortest call with a token.
pub(crate) struct Missing;

impl Endpoint for Missing {
    type Answer = serde_json::Value;

    fn operation(&self) -> &'static Operation {
        &GET_ATTACHMENT
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request.path("messageId", "../m?#").path("attachmentId", "a/b")
    }
}

fn client_of(emulator: &Emulator, secret: &str, style: AuthStyle) -> Client {
    Client::builder(Credentials::new("demo-client", secret))
        .base_url(emulator.base_url())
        .auth_style(style)
        .clock(SkippingClock::new())
        .build()
        .unwrap()
}

#[tokio::test]
async fn both_login_styles_are_accepted_and_a_hostile_id_is_inert() {
    let emulator = Emulator::builder().start().await.unwrap();
    for style in [AuthStyle::Basic, AuthStyle::Form] {
        let error = client_of(&emulator, "demo-secret", style).send(&Missing).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.api().and_then(|api| api.code.as_deref()), Some("not.found"));
        assert!(error.request_id().is_some());
    }
    // Both reached the route itself, and nothing else.
    assert_eq!((emulator.count(Route::Token), emulator.count(Route::GetAttachment)), (2, 2));
}

#[tokio::test]
async fn a_wrong_secret_is_refused_in_both_styles() {
    let emulator = Emulator::builder().start().await.unwrap();
    for style in [AuthStyle::Basic, AuthStyle::Form] {
        let error = client_of(&emulator, "wrong", style).send(&Missing).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication);
        assert_eq!(error.api().and_then(|api| api.code.as_deref()), Some("invalid_client"));
    }
    assert_eq!((emulator.count(Route::Token), emulator.count(Route::GetAttachment)), (2, 0));
}

#[tokio::test]
async fn a_scope_the_oauth_client_lacks_is_named_at_login_and_at_the_call() {
    let poor = EmulatedClient::new("demo-client", "demo-secret").scopes(["conversations:messaging:write"]);
    let emulator = Emulator::builder().client(poor).start().await.unwrap();
    let error = client_of(&emulator, "demo-secret", AuthStyle::Basic).send(&Missing).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(error.to_string().contains("needs scope `conversations:read`"), "{error}");

    let asking = Client::builder(Credentials::new("demo-client", "demo-secret"))
        .base_url(emulator.base_url())
        .scopes(["conversations:read"])
        .build()
        .unwrap();
    let error = asking.send(&Missing).await.unwrap_err();
    assert_eq!((error.kind(), error.status().map(|s| s.as_u16())), (ErrorKind::Permission, Some(400)));
}

#[tokio::test]
async fn a_token_withdrawn_by_the_platform_is_replaced() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = client_of(&emulator, "demo-secret", AuthStyle::Basic);
    assert_eq!(client.send(&Missing).await.unwrap_err().kind(), ErrorKind::NotFound);
    // Only the emulator's clock moves: to the client the token is still good for a day.
    emulator.clock().advance(std::time::Duration::from_secs(90_000));
    assert_eq!(client.send(&Missing).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(emulator.count(Route::Token), 2);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let emulator = Emulator::builder().start().await.unwrap();
    let elsewhere = Emulator::builder().start().await.unwrap();
    let client = client_of(&emulator, "demo-secret", AuthStyle::Basic);
    let location = format!("{}/api/v2/elsewhere", elsewhere.base_url());
    for status in [301, 302, 307, 308] {
        emulator.inject(Route::GetAttachment, Fault::status(status).header("location", &location));
        let error = client.send(&Missing).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
        assert_eq!(error.status().map(|s| s.as_u16()), Some(status));
    }
    assert!(elsewhere.requests().is_empty(), "a bearer token was taken elsewhere");
}

#[tokio::test]
async fn cut_connections_and_answers_are_told_apart() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = client_of(&emulator, "demo-secret", AuthStyle::Basic);
    for fault in [Fault::drop_before(), Fault::drop_after(), Fault::truncate_answer(10)] {
        emulator.inject(Route::GetAttachment, fault);
    }
    // The third attempt is cut too, but behind its status, which says enough.
    let error = client.send(&Missing).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::NotFound, 3));
}

#[tokio::test]
async fn nobody_listening_is_not_sent() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = client_of(&emulator, "demo-secret", AuthStyle::Basic);
    emulator.shutdown().await;
    let error = client.send(&Missing).await.unwrap_err();
    assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::Connect, Sent::No, 4));
}

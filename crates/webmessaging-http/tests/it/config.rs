//! What a client can be set up with, and what is refused before anything is sent.

use webmessaging_http::{AuthStyle, Client, ClientBuilder, Credentials, ErrorKind, login};
use webmessaging_model::RetryClass;

use crate::script::{Call, IDEMPOTENT, client_with, done, token};

pub(crate) fn builder() -> ClientBuilder {
    Client::builder(Credentials::new("id", "secret"))
}

#[track_caller]
pub(crate) fn refused(builder: ClientBuilder, message: &str) {
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(error.to_string(), message);
}

/// The two hosts that a setup ends up with.
pub(crate) async fn hosts(set_up: impl FnOnce(ClientBuilder) -> ClientBuilder) -> (String, String) {
    let (client, script) = client_with([token("t", 300), done()], set_up);
    client.send(&Call(RetryClass::Idempotent)).await.unwrap();
    let seen = script.seen();
    (seen[0].uri.clone(), seen[1].uri.clone())
}

#[tokio::test]
async fn hosts_follow_from_the_domain_or_the_base_url() {
    let pair = |login: &str, api: &str| (login.to_owned(), api.to_owned());
    assert_eq!(
        hosts(|b| b.domain("eu_central_1".parse().unwrap())).await,
        pair("https://login.mypurecloud.de/oauth/token", "https://api.mypurecloud.de/api/v2/things")
    );
    assert_eq!(
        hosts(|b| b.base_url("https://api.usw2.pure.cloud/")).await,
        pair("https://login.usw2.pure.cloud/oauth/token", "https://api.usw2.pure.cloud/api/v2/things")
    );
    assert_eq!(
        hosts(|b| b.base_url("http://127.0.0.1:8480")).await,
        pair("http://127.0.0.1:8480/oauth/token", "http://127.0.0.1:8480/api/v2/things")
    );
    assert_eq!(
        hosts(|b| b.base_url("https://gateway.example/genesys").login_url("https://sso.example/l")).await,
        pair("https://sso.example/l/oauth/token", "https://gateway.example/genesys/api/v2/things")
    );
}

#[tokio::test]
async fn a_path_can_be_replaced() {
    let (_, api) = hosts(|b| b.path(&IDEMPOTENT, "/gateway/things")).await;
    assert_eq!(api, "https://api.mypurecloud.com/gateway/things");
    let (login, _) = hosts(|b| b.path(&login::CREATE_TOKEN, "/v2/token")).await;
    assert_eq!(login, "https://login.mypurecloud.com/v2/token");
}

#[test]
fn a_replaced_path_keeps_its_variables() {
    let message = "things.read: the path must begin with a slash and have the variables of `/api/v2/things`";
    refused(builder().path(&IDEMPOTENT, "things"), message);
    refused(builder().path(&IDEMPOTENT, "/things/{id}"), message);
}

#[test]
fn secrets_travel_encrypted_or_not_at_all() {
    let message = "the base url must be https; plain http is for this machine alone";
    refused(builder().base_url("http://api.mypurecloud.com"), message);
    refused(builder().base_url("http://127.0.0.1.example.com"), message);
    refused(builder().base_url("ftp://127.0.0.1"), message);
    refused(builder().base_url("http://10.0.0.1"), message);
    for url in ["http://localhost:1", "http://127.1.2.3:1", "http://[::1]:1"] {
        assert!(builder().base_url(url).build().is_ok(), "{url}");
    }
}

#[test]
fn urls_and_credentials_are_checked() {
    refused(builder().base_url("not a url"), "the base url is not a url");
    let plain = "the login url must be a plain url, without user, query or fragment";
    refused(builder().login_url("https://me@login.example"), plain);
    refused(builder().login_url("https://login.example?x=1"), plain);
    let empty = "client id and client secret must not be empty";
    refused(Client::builder(Credentials::new("", "secret")), empty);
    refused(Client::builder(Credentials::new("id", "")), empty);
    refused(
        Client::builder(Credentials::new("a:b", "secret")),
        "a client id with a colon cannot be sent as basic authentication",
    );
    assert!(Client::builder(Credentials::new("a:b", "secret")).auth_style(AuthStyle::Form).build().is_ok());
}

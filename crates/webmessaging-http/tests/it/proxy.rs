//! Through a proxy on real sockets, and past it.

use rustls::version::TLS13;
use webmessaging_http::testing::SkippingClock;
use webmessaging_http::{Certificates, Client, ClientBuilder, Credentials, Error, ErrorKind, Proxy, Sent};
use webmessaging_model::RetryClass;

use crate::certificates::{Authority, server_config};
use crate::far_side::{FarSide, header};
use crate::forward_proxy::ForwardProxy;
use crate::script::Call;

/// `user` and `pass:word`.
const AUTHORIZATION: &str = "Basic dXNlcjpwYXNzOndvcmQ=";

async fn call(set_up: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<(), Error> {
    let builder = Client::builder(Credentials::new("id", "secret")).clock(SkippingClock::new());
    set_up(builder).build()?.send(&Call(RetryClass::Idempotent)).await.map(|_| ())
}

/// The far side as `*.example.com`, and who vouches for it.
async fn example_com() -> (FarSide, Certificates) {
    let authority = Authority::new("Company");
    let config = server_config(&authority.server("*.example.com"), None, &TLS13);
    (FarSide::tls(config).await, Certificates::only_pem(authority.pem()))
}

fn here(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

#[tokio::test]
async fn https_goes_through_tunnels_and_shows_the_proxy_host_names_alone() {
    let (side, certificates) = example_com().await;
    let proxy = ForwardProxy::start(&side, Some(AUTHORIZATION), None).await;
    let choice = Proxy::to(here(proxy.port)).credentials("user", "pass:word");
    call(|b| b.base_url("https://api.example.com").certificates(certificates).proxy(choice)).await.unwrap();
    assert_eq!(
        proxy.lines(),
        ["CONNECT login.example.com:443 HTTP/1.1", "CONNECT api.example.com:443 HTTP/1.1"]
    );
    for head in proxy.asked() {
        assert_eq!(header(&head, "authorization"), None);
    }
    let heads = side.heads();
    assert_eq!((heads.len(), heads[1][0].as_str()), (2, "GET /api/v2/things HTTP/1.1"));
    for head in heads {
        assert_eq!(header(&head, "proxy-authorization"), None);
    }
}

#[tokio::test]
async fn the_proxy_itself_can_be_reached_by_https() {
    let (side, certificates) = example_com().await;
    let authority = Authority::new("Proxies");
    let tls = server_config(&authority.server("localhost"), None, &TLS13);
    let proxy = ForwardProxy::start(&side, Some(AUTHORIZATION), Some(tls)).await;
    let choice = || Proxy::to(format!("https://localhost:{}", proxy.port)).credentials("user", "pass:word");
    let both = certificates.clone().and_pem(authority.pem());
    call(|b| b.base_url("https://api.example.com").certificates(both).proxy(choice())).await.unwrap();
    assert_eq!((proxy.lines().len(), side.heads().len()), (2, 2));

    let one =
        |b: ClientBuilder| b.base_url("https://api.example.com").certificates(certificates).proxy(choice());
    let error = call(one).await.unwrap_err();
    assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::Tls, Sent::No, 1));
    assert_eq!(proxy.lines().len(), 2);
}

#[tokio::test]
async fn a_proxy_that_wants_credentials_is_told_from_the_platform() {
    let (side, certificates) = example_com().await;
    let plain = FarSide::plain().await;
    let message = "oauth.token: the proxy asks for credentials, or for others than it was given";
    for (base_url, to, suffix) in
        [("https://api.example.com", &side, ""), (&here(plain.port), &plain, ", status 407")]
    {
        let proxy = ForwardProxy::start(to, Some(AUTHORIZATION), None).await;
        let without = Proxy::to(here(proxy.port));
        for choice in [without.clone(), without.credentials("user", "other")] {
            let set_up =
                |b: ClientBuilder| b.base_url(base_url).certificates(certificates.clone()).proxy(choice);
            let error = call(set_up).await.unwrap_err();
            let found = (error.kind(), error.sent(), error.attempts());
            assert_eq!(found, (ErrorKind::Configuration, Sent::No, 1), "{error}");
            assert_eq!(error.to_string(), format!("{message}{suffix}"));
        }
        assert!(to.heads().is_empty());
    }
}

#[tokio::test]
async fn a_proxy_that_opens_no_tunnel_is_asked_again() {
    let proxy = FarSide::stubborn(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").await;
    let choice = Proxy::to(here(proxy.port));
    let error = call(|b| b.base_url("https://api.example.com").proxy(choice)).await.unwrap_err();
    assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::Connect, Sent::No, 4));
}

#[tokio::test]
async fn a_proxy_on_this_machine_gets_what_is_for_this_machine() {
    let side = FarSide::plain().await;
    let proxy = ForwardProxy::start(&side, Some(AUTHORIZATION), None).await;
    let base_url = here(side.port);
    let choice = Proxy::to(here(proxy.port)).credentials("user", "pass:word");
    call(|b| b.base_url(&base_url).proxy(choice)).await.unwrap();
    assert_eq!(proxy.lines()[0], format!("POST {base_url}/oauth/token HTTP/1.1"));
}

#[tokio::test]
async fn this_machine_is_not_reached_through_another_one() {
    let side = FarSide::plain().await;
    for host in ["127.0.0.1", "localhost"] {
        // Asked, it would not be found.
        let choice = Proxy::to("http://proxy.invalid:3128");
        call(|b| b.base_url(format!("http://{host}:{}", side.port)).proxy(choice)).await.unwrap();
    }
    assert_eq!(side.heads().len(), 4);
}

#[tokio::test]
async fn exceptions_and_no_proxy_at_all_go_past_it() {
    let side = FarSide::plain().await;
    let (base_url, login_url) = (here(side.port), format!("http://localhost:{}", side.port));
    for (except, past) in
        [("localhost", 1), ("127.0.0.0/8", 1), ("127.0.0.1, .localhost", 2), ("*", 2), ("", 0)]
    {
        let proxy = ForwardProxy::start(&side, None, None).await;
        let choice = Proxy::to(here(proxy.port)).except(except);
        call(|b| b.base_url(&base_url).login_url(&login_url).proxy(choice)).await.unwrap();
        assert_eq!(proxy.lines().len(), 2 - past, "{except}");
    }
    call(|b| b.base_url(&base_url).proxy(Proxy::none())).await.unwrap();
}

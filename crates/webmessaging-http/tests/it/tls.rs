//! TLS on real sockets: whose certificates are accepted, what is said of the others, and that nobody tries again.

use std::error::Error as _;

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use webmessaging_http::testing::SkippingClock;
use webmessaging_http::{
    Certificates, Client, ClientBuilder, ClientIdentity, Credentials, Error, ErrorKind, Sent,
};
use webmessaging_model::RetryClass;

use crate::certificates::{Authority, Signed, server_config};
use crate::far_side::FarSide;
use crate::script::{Call, Done};

async fn call(side: &FarSide, set_up: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Done, Error> {
    let builder = Client::builder(Credentials::new("id", "secret"))
        .base_url(format!("https://localhost:{}", side.port))
        .clock(SkippingClock::new());
    let answer = set_up(builder).build()?.send(&Call(RetryClass::Idempotent)).await?;
    Ok(answer.value)
}

/// What `client` says of a server that is shown as `server`.
async fn refused(server: &Signed, client: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Error {
    let side = FarSide::tls(server_config(server, None, &TLS13)).await;
    let error = call(&side, client).await.unwrap_err();
    assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::Tls, Sent::No, 1), "{error}");
    assert!(!error.is_transient());
    assert_eq!(side.connections(), 1);
    error
}

#[tokio::test]
async fn a_company_s_own_authority_is_trusted_when_it_is_named() {
    let ours = Authority::new("Company");
    let side = FarSide::tls(server_config(&ours.server("localhost"), None, &TLS13)).await;
    let added = Certificates::system().and_pem(ours.pem());
    let alone = Certificates::only_pem(ours.pem());
    let among_others = Certificates::only_pem(Authority::new("Other").pem() + &ours.pem());
    for certificates in [added, alone, among_others] {
        call(&side, |builder| builder.certificates(certificates)).await.unwrap();
    }
    assert_eq!(side.heads().len(), 6);
}

#[tokio::test]
async fn an_authority_that_is_not_named_is_not_trusted() {
    let server = Authority::new("Company").server("localhost");
    let other = Authority::new("Other");
    let message = "oauth.token: the server's certificate is from an authority that is not trusted here";
    assert_eq!(refused(&server, |builder| builder).await.to_string(), message);
    let only = Certificates::only_pem(other.pem());
    assert_eq!(refused(&server, |builder| builder.certificates(only)).await.to_string(), message);
}

#[tokio::test]
async fn a_certificate_that_does_not_fit_is_told_apart_and_not_quoted() {
    let ours = Authority::new("Company");
    for (server, message, cause) in [
        (ours.server("other.example"), "is for another host name", "NotValidForNameContext"),
        (ours.expired("localhost"), "has expired", "ExpiredContext"),
        (ours.not_yet("localhost"), "is not valid yet", "NotValidYetContext"),
        (ours.client(), "is not for servers", "InvalidPurposeContext"),
    ] {
        let only = Certificates::only_pem(ours.pem());
        let error = refused(&server, |builder| builder.certificates(only)).await;
        assert_eq!(error.to_string(), format!("oauth.token: the server's certificate {message}"));
        let source = error.source().unwrap();
        assert_eq!(source.to_string(), format!("rustls: InvalidCertificate {cause}"));
        assert!(source.source().is_none());
        assert!(!format!("{error:?}").contains("other.example"), "{error:?}");
    }
}

/// What the client makes of a server that answers a greeting with these bytes.
async fn greeted_with(bytes: &'static [u8], attempts: u32) -> Error {
    let side = FarSide::stubborn(bytes).await;
    let error = call(&side, |builder| builder).await.unwrap_err();
    assert_eq!((error.sent(), error.attempts()), (Sent::No, attempts), "{error}");
    assert_eq!(side.connections(), attempts as usize);
    error
}

/// A fatal alert as it is on the wire.
macro_rules! alert {
    ($number:literal) => {
        &[21, 3, 3, 0, 2, 2, $number]
    };
}

#[tokio::test]
async fn a_server_that_cannot_be_spoken_with_is_not_asked_again() {
    for (bytes, message) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "what answers there does not speak tls"),
        (alert!(70), "the server refused the tls handshake"),
        (alert!(112), "the server does not serve this host name"),
    ] {
        let error = greeted_with(bytes, 1).await;
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Tls, format!("oauth.token: {message}")));
    }
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_again() {
    // Closed without a word, and an alert that says `internal_error`.
    for bytes in [&b""[..], alert!(80)] {
        assert_eq!(greeted_with(bytes, 4).await.kind(), ErrorKind::Connect);
    }
}

/// A server that wants a certificate from `theirs`.
async fn strict(theirs: &Authority, version: &'static SupportedProtocolVersion, alpn: &[&str]) -> FarSide {
    let mut config = server_config(&theirs.server("localhost"), Some(theirs), version);
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    FarSide::tls(config).await
}

#[tokio::test]
async fn a_client_identity_is_shown_to_a_server_that_asks() {
    let theirs = Authority::new("Company");
    for version in [&TLS12, &TLS13] {
        let side = strict(&theirs, version, &[]).await;
        let identity = ClientIdentity::from_pem(theirs.client().pem());
        let set_up = |builder: ClientBuilder| {
            builder.certificates(Certificates::only_pem(theirs.pem())).client_identity(identity)
        };
        call(&side, set_up).await.unwrap();
        assert_eq!(side.heads().len(), 2);
    }
}

#[tokio::test]
async fn a_refused_client_certificate_is_reported_and_not_retried() {
    let theirs = Authority::new("Company");
    let stranger = Authority::new("Stranger").client();
    let (missing, wrong) =
        ("the server asks for a client certificate", "the server refused the client certificate");
    // TLS 1.3 refuses after the client took the handshake for done, so a request is on its way; over HTTP/2 the
    // refusal is text.
    for (version, alpn, sent) in
        [(&TLS12, &[][..], Sent::No), (&TLS13, &[][..], Sent::Maybe), (&TLS13, &["h2"][..], Sent::Maybe)]
    {
        for (identity, message) in [(None, missing), (Some(ClientIdentity::from_pem(stranger.pem())), wrong)]
        {
            let side = strict(&theirs, version, alpn).await;
            let set_up = |builder: ClientBuilder| {
                let builder = builder.certificates(Certificates::only_pem(theirs.pem()));
                match identity {
                    Some(identity) => builder.client_identity(identity),
                    None => builder,
                }
            };
            let error = call(&side, set_up).await.unwrap_err();
            assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::Tls, sent, 1), "{alpn:?}");
            assert_eq!(error.to_string(), format!("oauth.token: {message}"));
            assert_eq!((side.connections(), side.heads().len()), (1, 0));
        }
    }
}

//! What connections can be set up with: each mistake is named, and nothing of it repeated.

use webmessaging_http::{Certificates, ClientBuilder, ClientIdentity, Gateway, Proxy};
use webmessaging_model::RetryClass;

use crate::certificates::Authority;
use crate::config::{builder, hosts, refused};
use crate::script::{Call, client_with, done, token};

/// A client that needs no CA store of the machine.
fn here() -> ClientBuilder {
    builder().base_url("http://127.0.0.1:1")
}

#[test]
fn a_proxy_is_a_host_and_a_port() {
    for (url, why) in [
        ("proxy.example", "is not a url, such as `http://proxy.example:3128`"),
        ("", "is not a url, such as `http://proxy.example:3128`"),
        ("proxy.example:3128", "must begin with `http://` or `https://`"),
        ("socks5://proxy.example:1080", "must begin with `http://` or `https://`"),
        ("http://me:word@proxy.example:3128", "must not have a user or password, they are set apart"),
        ("http://proxy.example:3128/path", "must be a host and a port, without path, query or fragment"),
        ("http://proxy.example:3128?a=b", "must be a host and a port, without path, query or fragment"),
    ] {
        refused(builder().proxy(Proxy::to(url)), &format!("the proxy url {why}"));
    }
    let proxy = || Proxy::to("http://proxy.example:3128");
    let user = "the proxy's user must not be empty or have a colon";
    refused(builder().proxy(proxy().credentials("", "word")), user);
    refused(builder().proxy(proxy().credentials("a:b", "word")), user);
    let entry = "entry 2 of the proxy's exceptions is no host name, address or network";
    refused(builder().proxy(proxy().except("host, 10.0.0.0/40")), entry);
    for good in ["http://proxy.example:3128", "https://proxy.example", "http://[::1]:3128/"] {
        assert!(here().proxy(Proxy::to(good)).build().is_ok(), "{good}");
    }
}

#[test]
fn authorities_are_certificates_in_pem() {
    let good = Authority::new("Company").pem();
    let none = "the ca certificates have no section `CERTIFICATE`, are they PEM?";
    for empty in ["", "words", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
        refused(builder().certificates(Certificates::only_pem(empty)), none);
        refused(builder().certificates(Certificates::system().and_pem(good.clone()).and_pem(empty)), none);
    }
    let torn = &good[..good.len() / 2];
    let message = "the ca certificates cannot be read as PEM";
    refused(builder().certificates(Certificates::only_pem(torn)), message);
    let not_one = format!("{good}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let message = "ca certificate 2 of 2 is not an x.509 certificate";
    refused(builder().certificates(Certificates::only_pem(not_one)), message);
}

#[test]
fn an_identity_is_certificates_and_their_key() {
    let authority = Authority::new("Company");
    let (ours, other) = (authority.client(), authority.client());
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let public = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    let broken = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let misfit = "the private key of the client identity is not that of its certificate, or of a kind that is not \
                  supported";
    for (pem, message) in [
        (String::new(), "the client identity has no section `CERTIFICATE`, is it PEM?"),
        (ours.key.clone(), "the client identity has no section `CERTIFICATE`, is it PEM?"),
        (ours.certificate.clone(), "the client identity has no private key"),
        (ours.pem() + &other.key, "the client identity has more than one private key"),
        (ours.pem()[..300].to_owned(), "the client identity cannot be read as PEM"),
        (
            ours.certificate.clone() + encrypted,
            "the client identity has an encrypted private key, which must be decrypted first",
        ),
        (ours.pem() + public, "the client identity has more than certificates and a private key"),
        (ours.certificate.clone() + &other.key, misfit),
        (ours.certificate.clone() + broken, misfit),
    ] {
        refused(here().client_identity(ClientIdentity::from_pem(pem)), message);
    }
    for pem in [ours.pem(), format!("{}{}{}", ours.key, ours.certificate, authority.pem())] {
        assert!(here().client_identity(ClientIdentity::from_pem(pem)).build().is_ok());
    }
}

#[test]
fn a_gateway_is_one_safe_host() {
    let gateway = |host: &str| builder().gateway(Gateway::new(host));
    let host = "the gateway's host must be a host name or address, without protocol, port or path";
    for bad in ["", "https://gateway.example", "gateway.example:8443", "gateway.example/path", "a b"] {
        refused(gateway(bad), host);
    }
    let plain = "the gateway must be a plain url, without user, query or fragment";
    for bad in ["me@gateway.example", "gateway.example?a=b", "gateway.example#a"] {
        refused(gateway(bad), plain);
    }
    let safely = || Gateway::new("gateway.example");
    let protocol = "the gateway's protocol must be `https`, or `http` for this machine";
    refused(builder().gateway(safely().protocol("ftp")), protocol);
    let safe = "the gateway must be https; plain http is for this machine alone";
    refused(builder().gateway(safely().protocol("http")), safe);
    for bad in ["a/../b", "a?b", "a#b", "a b", "%2e%2e/a", "ä"] {
        let message = |what| {
            format!("the gateway's {what} path must be a path, without query and `..`, percent-encoded")
        };
        refused(builder().gateway(safely().login_path(bad)), &message("login"));
        refused(builder().gateway(safely().api_path(bad)), &message("api"));
    }
    let both = "a gateway and a base url or login url exclude each other";
    refused(builder().gateway(safely()).base_url("https://api.example.com"), both);
    refused(builder().login_url("https://login.example.com").gateway(safely()), both);
}

#[tokio::test]
async fn a_gateway_stands_in_for_both_hosts() {
    let pair = |login: &str, api: &str| (login.to_owned(), api.to_owned());
    assert_eq!(
        hosts(|b| b.gateway(Gateway::new("gateway.example"))).await,
        pair("https://gateway.example/oauth/token", "https://gateway.example/api/v2/things")
    );
    let full = Gateway::new("gateway.example").port(8443).login_path("/l/").api_path("a/b%20c");
    assert_eq!(
        hosts(|b| b.domain("mypurecloud.de".parse().unwrap()).gateway(full)).await,
        pair(
            "https://gateway.example:8443/l/oauth/token",
            "https://gateway.example:8443/a/b%20c/api/v2/things"
        )
    );
}

#[tokio::test]
async fn a_default_header_is_kept_out_of_debug_output() {
    let (client, script) = client_with([token("t", 300), done()], |b| b.default_header("x-key", "the key"));
    client.send(&Call(RetryClass::Idempotent)).await.unwrap();
    let value = &script.calls()[0].headers["x-key"];
    assert_eq!((value.to_str().unwrap(), value.is_sensitive()), ("the key", true));
}

#[test]
fn a_default_header_is_one_that_all_calls_can_share() {
    for name in [
        "Authorization",
        "content-length",
        "Host",
        "transfer-encoding",
        "X-Correlation-Id",
        "idempotency-key",
    ] {
        let message = format!("the header `{}` is not one to add", name.to_lowercase());
        refused(builder().default_header(name, "value"), &message);
    }
    let name = "default header 2 has a name that no header can have";
    refused(builder().default_header("x-good", "value").default_header("not a name", "value"), name);
    let value = "the header `x-key` has a value that no header can hold";
    refused(builder().default_header("x-key", "two\nlines"), value);
}

//! What connections can be set up with: each mistake is named, and nothing of it repeated.

use webmessaging_http::{Certificates, ClientBuilder, ClientIdentity, Proxy};

use crate::certificates::Authority;
use crate::config::{builder, refused};

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

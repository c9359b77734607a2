//! Origins are compared whole.

use webmessaging_bots::AllowedOrigins;
use webmessaging_http::ErrorKind;
use webmessaging_model::Code;

use crate::setup::{Setup, text};

#[track_caller]
fn check(origin: &str, expected: Result<&str, Code>) {
    let list = [
        "shop.example",
        "https://bücher.example:8443",
        "http://localhost:3000",
        "[::1]",
        "https://shop.example.:444",
    ];
    let origins = AllowedOrigins::new(list).unwrap();
    let found = origins.admit(origin);
    let found = found.map(|origin| origin.host()).map_err(|violation| violation.code);
    assert_eq!(found.as_deref().map_err(|code| *code), expected, "{origin}");
}

#[test]
fn only_the_same_host_scheme_and_port_will_do() {
    check("https://shop.example", Ok("shop.example"));
    check("https://shop.example/", Ok("shop.example"));
    check("https://SHOP.Example:443", Ok("shop.example"));
    check("https://shop.example.", Ok("shop.example"));
    check("https://shop.example:444", Ok("shop.example"));
    check("https://bücher.example:8443", Ok("xn--bcher-kva.example"));
    check("https://xn--bcher-kva.example:8443", Ok("xn--bcher-kva.example"));
    check("http://localhost:3000", Ok("localhost"));
    check("https://[0:0::1]", Ok("[::1]"));
    for other in [
        "http://shop.example",
        "https://shop.example:8443",
        "https://shop.example:80",
        "https://evil-shop.example",
        "https://a.shop.example",
        "https://shop.example.evil.net",
        "https://xn--shop.example",
        "https://bucher.example:8443",
        // A Cyrillic letter.
        "https://ѕhop.example",
        "http://localhost",
    ] {
        check(other, Err(Code::NotAllowed));
    }
}

#[test]
fn what_is_no_origin_is_malformed() {
    for odd in [
        "null",
        "",
        "shop.example",
        "https://shop.example@evil.net",
        "https://evil.net\\@shop.example",
        "https://shop.example%2eevil.net",
        "https://shop.example/path",
        "https://shop.example//",
        "https://shop.example?x",
        "https://shop.example#x",
        " https://shop.example",
        "https://shop.example\n",
        "https://shop.example..",
        "https://.",
        "https://*.shop.example",
        "ftp://shop.example",
        "javascript://shop.example",
        "https:shop.example",
        "https:shop.example://evil.net",
        "https:///shop.example",
        "https://",
    ] {
        check(odd, Err(Code::Malformed));
    }
    for entry in ["*", "*.shop.example", "https://shop.example/x", "a@b", ""] {
        assert_eq!(AllowedOrigins::new([entry]).unwrap_err().code, Code::Malformed, "{entry}");
    }
}

#[tokio::test]
async fn with_a_list_nothing_is_sent_from_elsewhere() {
    let setup = Setup::new(1).await;
    let origins = AllowedOrigins::new(["shop.example"]).unwrap();
    let bots = setup.bots.clone().allowed_origins(origins);
    let error = bots.send("c-0", &text("hi")).await.unwrap_err();
    assert_eq!(error.to_string(), "bots.message.send: the input is not valid: origin is required");
    let error = bots.from_origin("https://evil.net").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.violations().unwrap().as_slice()[0].code, Code::NotAllowed);
    assert!(setup.bots.from_origin("https://shop.example").is_err(), "there is no list");
    assert!(setup.texts("c-0").is_empty());

    bots.from_origin("https://shop.example").unwrap().send("c-0", &text("hi")).await.unwrap();
    assert_eq!(setup.texts("c-0"), ["hi"]);
}

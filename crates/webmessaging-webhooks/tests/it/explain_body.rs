//! Explanations of bodies: what frameworks and proxies do to them, one finding after the other.

use http::{HeaderMap, HeaderValue};
use webmessaging_webhooks::{Case, FindingCode, Outcome, explain};

use crate::setup::{NEW, both, now, signed, verifier};

/// An event with everything that programs write in different ways.
const SENT: &str = r#"{"eventType":"brand.new","data":{"b":1,"a":"caf\u00e9 <b> & \"c\"/d","n":1.5,"z":10.0,"list":[],"none":{},"deep":[1,{"x":null}]}}"#;

/// The same, as another program writes it.
fn rewritten(style: fn(&str) -> String) -> String {
    style(SENT)
}

/// Checks that the first finding about `arrived` is this one, proven, when `sent` was signed.
fn check(sent: &[u8], arrived: &[u8], code: FindingCode, detail: Option<&str>) {
    let explanation = explain(arrived, &signed(NEW, sent), &both(), now());
    let shown = format!("{explanation}");
    assert_eq!(explanation.outcome, Outcome::Explained, "{shown}");
    let first = &explanation.findings[0];
    assert_eq!((first.code, first.is_proven), (code, true), "{shown}");
    assert_eq!(first.detail.as_deref(), detail, "{shown}");
    assert_eq!(first.secret.as_deref(), Some("new"), "{shown}");
    assert_eq!(first.header.as_deref(), Some("x-genesys-signature"), "{shown}");
    assert_eq!(explanation.error, Some("signature_mismatch"));
    assert!(explanation.is_complete);
}

fn check_json(sent: &str, arrived: &str, detail: &str) {
    assert_ne!(sent, arrived);
    check(sent.as_bytes(), arrived.as_bytes(), FindingCode::JsonReserialized, Some(detail));
}

const COMPACT: &str = r#"{"b":1,"a":"é/<&>","n":1.5,"z":10.0,"l":[],"o":{},"d":[1,{"x":null,"t":true}]}"#;

#[test]
fn json_that_was_compact_and_is_pretty() {
    let arrived = rewritten(|text| {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        serde_json::to_string_pretty(&value).unwrap()
    });
    let sorted = r#"{"data":{"a":"café <b> & \"c\"/d","b":1,"deep":[1,{"x":null}],"list":[],"n":1.5,"none":{},"z":10.0},"eventType":"brand.new"}"#;
    check_json(sorted, &arrived, "compact");
    check_json(COMPACT, &COMPACT.replace(':', ": "), "compact");
}

#[test]
fn json_that_was_pretty_and_is_compact() {
    let compact = r#"{"b":[1,{}],"a":{"c":"d"}}"#;
    for (indent, detail) in
        [("  ", "pretty, two spaces"), ("    ", "pretty, four spaces"), ("\t", "pretty, tabs")]
    {
        let pretty = "{\n_\"b\": [\n__1,\n__{}\n_],\n_\"a\": {\n__\"c\": \"d\"\n_}\n}".replace('_', indent);
        check_json(&pretty, compact, detail);
    }
    let sorted = "{\n  \"a\": {\n    \"c\": \"d\"\n  },\n  \"b\": [\n    1,\n    {}\n  ]\n}";
    check_json(sorted, compact, "pretty, two spaces, keys sorted");
}

#[test]
fn json_with_other_keys_first() {
    check_json(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, "compact, keys sorted");
    check_json(r#"{"a": 1, "b": 2}"#, r#"{"b":2,"a":1}"#, "one line with spaces, keys sorted");
}

#[test]
fn json_with_other_escapes() {
    check_json(r#"{"a":"b\/c"}"#, r#"{"a":"b/c"}"#, "compact, slashes escaped");
    check_json(r#"{"a":"\u00e9\ud83d\ude00"}"#, r#"{"a":"é😀"}"#, "compact, non-ASCII escaped");
    check_json(r#"{"a":"é😀"}"#, r#"{"a":"\u00e9\ud83d\ude00"}"#, "compact");
    let php = "compact, slashes and non-ASCII escaped, as PHP writes it";
    check_json(r#"{"a":"\u00e9\/"}"#, r#"{"a":"é/"}"#, php);
    check_json(r#"{"b":"\u003cb\u003e \u0026"}"#, r#"{"b":"<b> &"}"#, "compact, < > & escaped");
    let go = "compact, keys sorted, < > & escaped, as Go writes it";
    check_json(r#"{"a":1,"b":"\u003c"}"#, r#"{"b":"<","a":1}"#, go);
    let encoder = "compact, keys sorted, < > & escaped and a newline, as Go's encoder writes it";
    check_json("{\"a\":1,\"b\":\"\\u003c\"}\n", r#"{"b":"<","a":1}"#, encoder);
    let python = "one line with spaces and escaped non-ASCII, as Python writes it";
    check_json(r#"{"a": "\u00e9", "b": [1, 2]}"#, r#"{"a":"é","b":[1,2]}"#, python);
    check_json(r#"{"a": "é", "b": [1, 2]}"#, r#"{"a":"é","b":[1,2]}"#, "one line with spaces");
    let dot_net = "compact, everything unusual escaped, as .NET writes it";
    check_json(r#"{"a":"\u00E9\u0022\u002B"}"#, r#"{"a":"é\"+"}"#, dot_net);
    let indented = "{\n    \"a\": \"\\u00e9\"\n}";
    check_json(indented, r#"{"a":"é"}"#, "pretty, four spaces, non-ASCII escaped");
    check_json("{\n  \"a\": \"\\u00e9\"\n}", r#"{"a":"é"}"#, "pretty, two spaces, non-ASCII escaped");
    check_json(
        "{\"a\":\"\\b\\f\\n\\r\\t\\u0001\\\\\"}",
        "{ \"a\":\"\\b\\f\\n\\r\\t\\u0001\\\\\"}",
        "compact",
    );
}

#[test]
fn json_with_other_numbers() {
    let javascript = "compact, numbers as JavaScript writes them";
    check_json(r#"{"a":10,"b":-3,"c":0.5}"#, r#"{"a":10.0,"b":-3.0,"c":5e-1}"#, javascript);
    check_json(
        r#"{"a":10.0,"b":18446744073709551615}"#,
        r#"{"a": 10.0, "b": 18446744073709551615}"#,
        "compact",
    );
}

#[test]
fn json_within_json() {
    check_json(r#"{"a":1}"#, r#""{\"a\":1}""#, "as the content of a JSON string");
}

#[test]
fn white_space_at_the_ends() {
    let code = FindingCode::TrailingNewline;
    let body = SENT.as_bytes();
    check(body, format!("{SENT}\n").as_bytes(), code, Some("without white space at the end"));
    check(body, format!("{SENT}\r\n").as_bytes(), code, Some("without white space at the end"));
    check(body, format!("\n{SENT}\n").as_bytes(), code, Some("without white space at both ends"));
    check(format!("{SENT}\n").as_bytes(), body, code, Some("with a line feed at the end"));
    check(format!("{SENT}\r\n").as_bytes(), body, code, Some("with CR LF at the end"));
}

#[test]
fn line_ends() {
    let code = FindingCode::LineEnds;
    check(b"{\n\"a\":1\n}", b"{\r\n\"a\":1\r\n}", code, Some("with LF where CR LF arrived"));
    check(b"{\r\n\"a\":1\r\n}", b"{\n\"a\":1\n}", code, Some("with CR LF where LF arrived"));
}

#[test]
fn byte_order_marks() {
    let code = FindingCode::ByteOrderMark;
    let marked = format!("\u{feff}{SENT}");
    check(SENT.as_bytes(), marked.as_bytes(), code, Some("without a byte order mark"));
    check(marked.as_bytes(), SENT.as_bytes(), code, Some("with a byte order mark"));
}

#[test]
fn character_sets() {
    let body = r#"{"a":"é"}"#;
    let doubled: String = body.bytes().map(char::from).collect();
    check(
        body.as_bytes(),
        doubled.as_bytes(),
        FindingCode::Latin1,
        Some("read as Latin-1 and written as UTF-8"),
    );
    check(body.as_bytes(), b"{\"a\":\"\xe9\"}", FindingCode::Latin1, Some("written as Latin-1"));
}

#[test]
fn base64_around_the_body() {
    use base64::Engine;
    let encoded = base64::engine::general_purpose::STANDARD.encode(SENT);
    check(SENT.as_bytes(), encoded.as_bytes(), FindingCode::Base64Body, None);
}

#[test]
fn a_signature_of_nothing() {
    check(b"", SENT.as_bytes(), FindingCode::EmptyBodySigned, None);
}

#[test]
fn two_mistakes_at_once() {
    let headers = signed(&format!("{NEW}\n"), br#"{"a": 1}"#);
    let explanation = explain(br#"{"a":1}"#, &headers, &both(), now());
    let codes: Vec<_> = explanation.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [FindingCode::JsonReserialized, FindingCode::SecretWhitespace]);
    assert!(explanation.findings.iter().all(|finding| finding.is_proven));
}

/// Checks that an unproven finding is among those about a body that was signed as something else.
fn suspect(arrived: &[u8], headers: &HeaderMap, code: FindingCode) {
    let explanation = Case::new(arrived, headers).explain(&verifier(), now());
    assert_eq!(explanation.outcome, Outcome::Suspected, "{explanation}");
    let codes: Vec<_> =
        explanation.findings.iter().map(|finding| (finding.code, finding.is_proven)).collect();
    assert_eq!(codes, [(code, false)]);
    assert!(explanation.to_string().starts_with("refused, and this may be why\n"));
}

#[test]
fn what_bodies_look_like() {
    let headers = |encoding: Option<&'static str>| {
        let mut headers = signed(NEW, b"what was really sent");
        if let Some(encoding) = encoding {
            headers.insert("content-encoding", HeaderValue::from_static(encoding));
        }
        headers
    };
    for beginning in
        [&b"\x1f\x8b\x08"[..], b"\x78\x9c\x01", b"\x78\xda\x01", b"\x78\x01\x01", b"\x28\xb5\x2f\xfd"]
    {
        suspect(beginning, &headers(None), FindingCode::CompressedBody);
    }
    suspect(b"\x0b\x02\x80{}", &headers(Some("br")), FindingCode::CompressedBody);
    for encoding in ["gzip", "br", "deflate"] {
        suspect(SENT.as_bytes(), &headers(Some(encoding)), FindingCode::DecompressedBody);
    }
    suspect(b"", &headers(None), FindingCode::EmptyBody);
    suspect("{\"a\":\"\u{fffd}\"}".as_bytes(), &headers(None), FindingCode::ReplacedCharacters);
}

#[test]
fn what_is_signed_and_no_event() {
    for (body, code, error) in [
        ("a=b", FindingCode::BodyNotJson, "body_not_json"),
        ("{}", FindingCode::UnknownShape, "unknown_shape"),
    ] {
        let explanation = explain(body.as_bytes(), &signed(NEW, body.as_bytes()), &both(), now());
        assert_eq!((explanation.outcome, explanation.error), (Outcome::Explained, Some(error)));
        assert_eq!(explanation.findings[0].code, code);
    }
}

#[test]
fn large_bodies() {
    let body = vec![b'x'; 2 * 1_024 * 1_024];
    let headers = signed(NEW, b"something else");
    let explanation = explain(&body, &headers, &both(), now());
    assert_eq!((explanation.outcome, explanation.is_complete), (Outcome::Unexplained, false));
    let small = verifier().body_bytes_max(10);
    let explanation = Case::new(&body, &headers).explain(&small, now());
    assert_eq!(explanation.findings[0].code, FindingCode::BodyTooLarge);
}

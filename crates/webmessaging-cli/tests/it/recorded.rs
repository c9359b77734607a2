//! `webmessaging webhooks verify` and `explain` on recorded deliveries.

use http::HeaderMap;
use webmessaging::model::Timestamp;
use webmessaging::webhooks::{Secret, Signer};

use crate::kept::{AT, Kept, SECRET};
use crate::process::{Run, run};

const BODY: &str = r#"{"eventType": "channel.updated", "eventId": "event-1", "data": {"id": "channel-1", "words": "confidential"}}"#;

fn signer() -> Signer {
    Signer::new(Secret::new("test", SECRET).unwrap())
}

/// Headers as a person would record them.
fn lines(headers: &HeaderMap) -> String {
    let line = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        format!("{name}: {}\n", value.to_str().unwrap())
    };
    headers.iter().map(line).collect()
}

/// Runs one of the two commands on a delivery in files, and sees to it that nothing comes out that must not.
fn check(kept: &Kept, command: &str, body: &str, headers: &str, more: &[&str]) -> Run {
    let (body, headers) = (kept.write("body.json", body), kept.write("headers.txt", headers));
    let secret = kept.secret();
    let fixed = ["webhooks", command, "--body", &body, "--headers", &headers, "--secret-file", &secret];
    let run = kept.run(&[&fixed, more].concat());
    let expected = lines(&signer().sign(BODY.as_bytes()));
    let signature = expected.trim().rsplit('=').nth(1).unwrap();
    for hidden in ["swordfish", "confidential", signature] {
        assert!(
            !format!("{}{}", run.stdout, run.stderr).contains(hidden),
            "{hidden}: {}{}",
            run.stdout,
            run.stderr
        );
    }
    run
}

#[test]
fn a_valid_delivery_is_told_in_both_forms() {
    let kept = Kept::new();
    let headers = lines(&signer().sign(BODY.as_bytes()));
    let json = check(&kept, "verify", BODY, &headers, &["--output", "json"]);
    assert_eq!((json.code, json.stderr.as_str()), (0, ""));
    let report = json.json();
    for (field, value) in [
        ("eventType", "channel.updated"),
        ("subject", "channel-1"),
        ("eventId", "event-1"),
        ("deliveryId", "event-1"),
        ("secret", "2026-11"),
    ] {
        assert_eq!(report[field], value, "{field}");
    }
    assert_eq!((&report["ok"], &report["deliveryIdSigned"]), (&true.into(), &true.into()));
    assert_eq!(report["scheme"], serde_json::json!({"name": "body", "header": "x-genesys-signature"}));

    let table = check(&kept, "verify", BODY, &headers, &[]);
    assert_eq!(table.code, 0);
    for text in ["channel.updated", "channel-1", "2026-11", "body, in x-genesys-signature"] {
        assert!(table.stdout.contains(text), "{}", table.stdout);
    }
    let explained = check(&kept, "explain", BODY, &headers, &[]);
    assert_eq!((explained.code, explained.stdout.as_str()), (0, "valid\n"));
}

#[test]
fn a_body_that_was_written_again_is_refused_and_explained() {
    let kept = Kept::new();
    let headers = lines(&signer().sign(BODY.as_bytes()));
    let rewritten = BODY.replace(": ", ":").replace(", ", ",");
    let refused = check(&kept, "verify", &rewritten, &headers, &[]);
    assert_eq!((refused.code, refused.stdout.as_str()), (3, ""));
    let first = format!(
        "error[webhook.signature_mismatch]: {}: the signature is not of these bytes and secrets",
        kept.path("body.json")
    );
    assert_eq!(refused.stderr.lines().next(), Some(&*first));
    assert!(refused.stderr.contains("\nhint: `webmessaging webhooks explain` "), "{}", refused.stderr);
    let json = check(&kept, "verify", &rewritten, &headers, &["--output", "json"]);
    assert_eq!((json.code, &json.json()["error"]["kind"]), (3, &"webhook.signature_mismatch".into()));

    let explained = check(&kept, "explain", &rewritten, &headers, &[]);
    assert_eq!((explained.code, explained.stderr.as_str()), (3, ""));
    for text in [
        "refused, and this is why\n",
        "[json_reserialized] ",
        "secret `2026-11`",
        "\n    verify the raw bytes",
    ] {
        assert!(explained.stdout.contains(text), "{text}\n{}", explained.stdout);
    }
    let json = check(&kept, "explain", &rewritten, &headers, &["--output", "json"]);
    let report = json.json();
    assert_eq!((json.code, &report["ok"], &report["outcome"]), (3, &false.into(), &"explained".into()));
    assert_eq!(report["findings"][0]["code"], "json_reserialized");
}

#[test]
fn a_recorded_time_is_checked_against_the_time_of_then() {
    let kept = Kept::new();
    let headers = lines(&signer().timestamped("msg_1", AT, BODY.as_bytes()).unwrap());
    let then = AT.to_string();
    let verified = check(&kept, "verify", BODY, &headers, &["--now", &then, "--output", "json"]);
    assert_eq!(verified.code, 0, "{}", verified.stderr);
    assert_eq!(verified.json()["scheme"]["name"], "timestamped");
    assert_eq!(verified.json()["deliveryId"], "msg_1");

    let late = check(&kept, "verify", BODY, &headers, &[]);
    assert!(late.stderr.starts_with("error[webhook.signature_expired]: "), "{}", late.stderr);
    let later = Timestamp::from_unix_millis(AT.unix_millis() + 301_000).to_string();
    let explained = check(&kept, "explain", BODY, &headers, &["--now", &later]);
    assert_eq!(explained.code, 3);
    assert!(explained.stdout.contains("301 s before now, and 300 s are accepted"), "{}", explained.stdout);
}

#[test]
fn body_from_standard_input_and_headers_from_arguments_do() {
    let kept = Kept::new();
    let body = kept.write("body.json", BODY);
    let header = lines(&signer().sign(BODY.as_bytes()));
    let mut verify = kept.command(&["webhooks", "verify", "--body", "-", "--header", header.trim()]);
    verify.env("WEBMESSAGING_WEBHOOK_SECRET", SECRET).stdin(std::fs::File::open(body).unwrap());
    let verified = run(verify.args(["--output", "json"]));
    assert_eq!(
        (verified.code, &verified.json()["secret"]),
        (0, &"environment".into()),
        "{}",
        verified.stderr
    );
}

#[test]
fn a_secret_of_the_standard_is_decoded() {
    let kept = Kept::new();
    let text = "whsec_c3dvcmRmaXNoLXN3b3JkZmlzaC1zd29yZGZpc2g=";
    let secret = kept.write("standard", text);
    let signer = Signer::new(Secret::standard("test", text).unwrap());
    let headers =
        kept.write("headers.txt", lines(&signer.timestamped("msg_1", AT, BODY.as_bytes()).unwrap()));
    let (body, then) = (kept.write("body.json", BODY), AT.to_string());
    let verify = ["webhooks", "verify", "--body", &body, "--headers", &headers, "--now", &then];
    let verified = kept.run(&[&verify[..], &["--secret-file", &secret, "--output", "json"]].concat());
    assert_eq!((verified.code, &verified.json()["secret"]), (0, &"standard".into()), "{}", verified.stderr);
}

#[test]
fn what_cannot_be_checked_is_told_by_its_place() {
    let kept = Kept::new();
    let headers = kept.path("headers.txt");
    let broken = check(&kept, "verify", BODY, "host: localhost\n\nsha256=confidential\n", &[]);
    let message = format!(
        "error[invalid_input]: {headers}:3: not a header such as `X-Genesys-Signature: sha256=...`\n"
    );
    assert_eq!((broken.code, broken.stderr), (3, message));
    let argument = check(&kept, "explain", BODY, "", &["--header", "confidential"]);
    assert_eq!(argument.code, 3);
    assert!(
        argument.stderr.starts_with("error[invalid_input]: --header: not a header"),
        "{}",
        argument.stderr
    );

    let missing = check(&kept, "explain", BODY, "", &[]);
    assert_eq!(missing.code, 3);
    assert!(missing.stdout.contains("[missing_signature] "), "{}", missing.stdout);

    let body = kept.path("body.json");
    for command in ["verify", "explain"] {
        let no_secret = kept.run(&["webhooks", command, "--body", &body]);
        let message = "error[configuration]: there is no secret: give --secret-file, or set WEBMESSAGING_WEBHOOK_SECRET\n";
        assert_eq!((no_secret.code, no_secret.stderr.as_str()), (3, message));
        let no_body = kept.run(&["webhooks", command, "--body", "nothing", "--secret-file", &kept.secret()]);
        assert_eq!(no_body.code, 3);
        assert!(no_body.stderr.starts_with("error[source]: nothing: cannot be read\n"), "{}", no_body.stderr);
    }
    assert_eq!(check(&kept, "verify", BODY, "", &["--now", "yesterday"]).code, 2);
}

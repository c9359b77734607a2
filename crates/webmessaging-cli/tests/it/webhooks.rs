//! `webmessaging webhooks serve` and `trigger`, with what is looked at afterwards.

use crate::kept::{Kept, SECRET};
use crate::process::{command, run};

/// What the answers of a trigger say.
fn statuses(report: &serde_json::Value) -> Vec<&str> {
    report["answers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| answer["body"]["status"].as_str().unwrap())
        .collect()
}

#[cfg(unix)]
#[test]
fn a_delivery_is_kept_worked_on_and_found_afterwards() {
    let kept = Kept::new();
    let receiver = kept.serve(&["--secret-file", &kept.secret()]);
    let sent = kept.trigger(&receiver, &["file-scanned", "--subject", "file-1", "--repeat", "3"]);
    assert_eq!((sent.code, sent.stderr.as_str()), (0, ""));
    let report = sent.json();
    assert_eq!(statuses(&report), ["accepted", "duplicate", "duplicate"]);
    assert_eq!((&report["secret"], &report["answers"][0]["status"]), (&"2026-11".into(), &200.into()));
    // Another delivery of the same state, under another id.
    let again = kept.trigger(&receiver, &["file-scanned", "--subject", "file-1"]);
    assert_eq!(statuses(&again.json()), ["duplicate"]);
    for other in ["file-transfer", "channel-updated", "message-read"] {
        assert_eq!(statuses(&kept.trigger(&receiver, &[other]).json()), ["accepted"], "{other}");
    }
    let own = kept.trigger(&receiver, &["my.own.event", "--data", r#"{"a": 1}"#]);
    assert_eq!(statuses(&own.json()), ["accepted"]);

    let mut actions: Vec<_> =
        kept.records(5).iter().map(|record| record["action"].as_str().unwrap().to_owned()).collect();
    actions.sort_unstable();
    assert_eq!(
        actions,
        ["channel.updated", "file.scanned", "message.read", "transfer.finished", "webhook.received"]
    );
    assert_eq!(receiver.terminate(), Some(0));

    let about = kept.run(&["audit", "export", "--subject", "file:file-1"]);
    assert_eq!((about.code, about.stdout.lines().count()), (0, 1));
    let verified = kept.run(&["audit", "verify", "--output", "json"]);
    assert_eq!(
        (verified.code, &verified.json()["ok"], &verified.json()["records"]),
        (0, &true.into(), &5.into())
    );
    let outbox = kept.run(&["outbox", "list", "--output", "json"]);
    assert_eq!((outbox.code, outbox.json()["targets"].as_array().unwrap().len()), (0, 1));
    assert_eq!(outbox.json()["targets"][0]["due"], 0);
    // What was seen is known to the next one.
    let next = kept.serve(&["--secret-file", &kept.secret()]);
    let sent = kept.trigger(&next, &["file-scanned", "--subject", "file-1"]);
    assert_eq!(statuses(&sent.json()), ["duplicate"]);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_as_well() {
    let kept = Kept::new();
    let receiver = kept.serve(&["--unsigned"]);
    assert!(receiver.url().starts_with("http://127.0.0.1:"));
    assert_eq!(receiver.end("-INT"), Some(0));
}

#[test]
fn without_a_secret_it_does_not_start_and_says_both_ways_out() {
    let kept = Kept::new();
    let serve = ["webhooks", "serve", "--listen", "127.0.0.1:0"];
    let refused = kept.run(&serve);
    assert_eq!((refused.code, refused.stdout.as_str()), (3, ""));
    assert_eq!(
        refused.stderr,
        "error[configuration]: there is no secret to check signatures with: give --secret-file or set \
         WEBMESSAGING_WEBHOOK_SECRET, or believe everybody with --unsigned\n"
    );
    let switched_off = run(kept.command(&serve).env("WEBMESSAGING_WEBHOOK_SECRET", ""));
    assert_eq!(switched_off.code, 3);
    let both =
        run(kept.command(&[&serve[..], &["--unsigned"]].concat()).env("WEBMESSAGING_WEBHOOK_SECRET", SECRET));
    assert_eq!(both.code, 3);
    assert!(both.stderr.contains("there is a secret, and --unsigned would not use it"), "{}", both.stderr);
    assert!(!std::path::Path::new(&kept.path("data")).exists(), "nothing is made before that is clear");
}

#[test]
fn what_is_wrong_with_a_secret_is_told_without_it() {
    let kept = Kept::new();
    let short = kept.write("short", "swordfish");
    let binary = kept.write("binary", b"swordfish\xff");
    let large = kept.write("large", vec![b's'; 5_000]);
    let other = Kept::new();
    for (files, message) in [
        (&[&short][..], format!("error[invalid_input]: {short}: the input is not valid\n  - secret is too small: 9 characters")),
        (&[&binary], format!("error[source]: {binary}: is not text in UTF-8")),
        (&[&large], format!("error[too_large]: {large}: too large: more than 4098 bytes")),
        (&[&"missing".to_owned()], "error[source]: missing: cannot be read\n  caused by: ".to_owned()),
        (&[&kept.secret(), &other.secret()], "error[invalid_input]: the input is not valid\n  - secrets is not allowed: allowed are labels that differ".to_owned()),
    ] {
        let mut serve = kept.command(&["webhooks", "serve", "--listen", "127.0.0.1:0"]);
        for file in files {
            serve.args(["--secret-file", file]);
        }
        let refused = run(&mut serve);
        assert_eq!(refused.code, 3);
        assert!(refused.stderr.starts_with(&message), "{message}\n{}", refused.stderr);
        assert!(!refused.stderr.contains("swordfish"), "{}", refused.stderr);
    }
}

#[test]
fn a_second_one_on_the_same_data_is_told_who_has_it() {
    let kept = Kept::new();
    let first = kept.serve(&["--unsigned"]);
    let second = kept.run(&["webhooks", "serve", "--listen", "127.0.0.1:0", "--unsigned"]);
    assert_eq!((second.code, second.stdout.as_str()), (3, ""));
    let folder = kept.path("data/audit");
    let message = format!("error[audit.locked]: {folder}: another process or log writes to this audit log: ");
    assert!(second.stderr.starts_with(&message), "{}", second.stderr);
    // It has not disturbed the first one.
    assert_eq!(kept.trigger(&first, &["file-scanned"]).code, 0);

    let address = first.url().strip_prefix("http://").unwrap();
    let taken = kept.run(&["webhooks", "serve", "--listen", address, "--unsigned"]);
    assert_eq!(taken.code, 1);
    assert!(taken.stderr.starts_with("error: cannot listen on the address: "), "{}", taken.stderr);
}

#[test]
fn what_a_receiver_refuses_is_told_with_its_reason() {
    let kept = Kept::new();
    let receiver = kept.serve(&["--secret-file", &kept.secret()]);
    let url = format!("{}/webhooks/genesys", receiver.url());
    let unsigned = kept.run(&["webhooks", "trigger", "file-scanned", "--url", &url]);
    assert_eq!(unsigned.code, 5);
    assert!(unsigned.stdout.contains("signature   none"), "{}", unsigned.stdout);
    assert!(unsigned.stderr.contains("status 401, code `missing_signature`"), "{}", unsigned.stderr);

    let other = kept.write("other", "another secret of some length");
    let mut wrong = kept.command(&["webhooks", "trigger", "file-scanned", "--url", &url, "--repeat", "2"]);
    let wrong = run(wrong.args(["--secret-file", &other, "--output", "json"]));
    assert_eq!(wrong.code, 5);
    let report = wrong.json();
    assert_eq!((&report["ok"], &report["error"]["code"]), (&false.into(), &"signature_mismatch".into()));
    assert_eq!(report["answers"].as_array().unwrap().len(), 0, "the second one is not tried");

    // Genuine, but of no known shape: kept for somebody who can read it.
    let shape = kept.trigger(&receiver, &["genesys.cloud.messaging.file.upload.completed", "--data", "{}"]);
    assert_eq!((shape.code, statuses(&shape.json())), (0, vec!["accepted"]));
    let nobody = kept.run(&["webhooks", "trigger", "file-scanned", "--url", "http://127.0.0.1:1/"]);
    assert_eq!(nobody.code, 6);
}

#[test]
fn what_cannot_be_triggered_is_told_before_anything_is_sent() {
    let kept = Kept::new();
    let file = kept.write("data.json", "{\"words\": \"confidential\n");
    for (arguments, code, message) in [
        (
            &["mine", "--url", "http://127.0.0.1:1"][..],
            3,
            "error[invalid_input]: mine: there is no sample of this event: give --data or --data-file, or choose one of file-scanned, file-transfer, channel-updated, message-read",
        ),
        (
            &["mine", "--data", "{", "--url", "http://127.0.0.1:1"],
            3,
            "error[invalid_input]: --data: not JSON, see line 1 column 1",
        ),
        (
            &["mine", "--data-file", &file, "--url", "http://127.0.0.1:1"],
            3,
            &format!("error[invalid_input]: {file}: not JSON, see line 2 column 0"),
        ),
        (&["file-scanned", "--url", "no url"], 3, "error[configuration]: --url: not a url such as "),
        (
            &["file-scanned", "--url", "http://hooks.example.com/"],
            3,
            "error[configuration]: external.deliver: the url must be https",
        ),
        (
            &["file-scanned", "--url", "https://169.254.169.254/"],
            3,
            "error[configuration]: external.deliver: the host has a private address, which is not allowed",
        ),
        (
            &["file-scanned", "--url", "http://127.0.0.1:1", "--subject", "a", "--data", "{}"],
            2,
            "error: the argument '--subject <ID>' cannot be used with",
        ),
        (
            &["file-scanned", "--url", "http://127.0.0.1:1", "--repeat", "0"],
            2,
            "error: invalid value '0' for '--repeat <N>'",
        ),
    ] {
        let refused = run(command(&["webhooks", "trigger"]).args(arguments));
        assert_eq!(refused.code, code, "{}", refused.stderr);
        assert!(refused.stderr.starts_with(message), "{message}\n{}", refused.stderr);
        assert!(!refused.stderr.contains("confidential"), "{}", refused.stderr);
    }
}

/// Plain HTTP stays on this machine, and a proxy can be on another one.
#[test]
fn a_receiver_on_this_machine_is_reached_without_a_proxy() {
    let kept = Kept::new();
    let receiver = kept.serve(&["--unsigned"]);
    let port = receiver.url().rsplit(':').next().unwrap();
    let url = format!("http://localhost:{port}/webhooks/genesys");
    let mut trigger = kept.command(&["webhooks", "trigger", "file-scanned", "--url", &url]);
    // Nobody listens there.
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        trigger.env(name, "http://127.0.0.1:1");
    }
    let sent = run(&mut trigger);
    assert_eq!(sent.code, 0, "{}", sent.stderr);
}

#[cfg(unix)]
#[test]
fn no_secret_is_printed_however_much_is_said() {
    use std::fs::File;
    use std::process::Command;

    use crate::process::Listening;

    let kept = Kept::new();
    let log = kept.path("log");
    let talkative = |mut command: Command| {
        command.env("RUST_LOG", "trace").env("WEBMESSAGING_WEBHOOK_SECRET", SECRET);
        command
    };
    let mut serve = talkative(kept.command(&["webhooks", "serve", "--listen", "127.0.0.1:0", "-vvv"]));
    serve.stderr(File::create(&log).unwrap());
    let receiver = Listening::start(serve);
    let url = format!("{}/webhooks/genesys", receiver.url());
    let trigger = [
        "webhooks",
        "trigger",
        "my.own.event",
        "--data",
        r#"{"words": "confidential"}"#,
        "--url",
        &url,
        "-vvv",
    ];
    let sent = run(&mut talkative(kept.command(&trigger)));
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    kept.records(1);
    assert_eq!(receiver.terminate(), Some(0));

    let text = format!("{}{}{}", sent.stdout, sent.stderr, std::fs::read_to_string(log).unwrap());
    assert!(text.contains("environment") && text.contains("external.deliver"), "the log is empty");
    assert!(text.contains("my.own.event"), "the receiver's log is empty");
    for secret in ["swordfish", "confidential"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

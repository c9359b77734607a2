//! `webmessaging webhooks serve --targets`: from a webhook to another system, whatever happens on the way.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::kept::{Kept, SECRET};
use crate::process::{Listening, run};
#[cfg(unix)]
use crate::system::HANG;
use crate::system::System;

const TRANSFER: &str = r#"{"transferId": "t-1", "status": "complete", "virusScanResult": "clean",
    "fileName": "a.pdf", "downloadUri": "https://bucket.example/a.pdf?sig=swordfish"}"#;

/// An archive with impatient waits, and a secret from the environment.
fn archive(system: &System) -> String {
    format!(
        "[[target]]\nname = \"archive\"\nurl = \"{}\"\nshape = \"archive\"\n\
         auth = {{ header = {{ name = \"x-api-key\", token_env = \"ARCHIVE_KEY\" }} }}\n\
         schedule = [\"1ms\", \"1ms\"]\ntimeout = \"2m\"\nallow_private = [\"127.0.0.1\"]\n",
        system.url()
    )
}

/// A receiver with its targets in the usual place or another one.
fn serve(kept: &Kept, more: &[&str]) -> Listening {
    let mut command = kept.command(&["webhooks", "serve", "--listen", "127.0.0.1:0"]);
    command.args(["--secret-file", &kept.secret()]).args(more);
    command.env("ARCHIVE_KEY", SECRET).env("RUST_LOG", "off");
    Listening::start(command)
}

/// How it stands with the archive, once it is so.
fn standing(kept: &Kept, is_so: impl Fn(&Value) -> bool) -> Value {
    let mut seen = Value::Null;
    for _ in 0..5_000 {
        let list = kept.run(&["outbox", "list", "--target", "archive", "--output", "json"]);
        assert_eq!(list.code, 0, "{}", list.stdout);
        seen = list.json()["targets"][0].clone();
        if is_so(&seen) {
            return seen;
        }
    }
    panic!("it is never so: {seen}");
}

/// What a monitoring system reads.
fn metrics(url: &str) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn trigger(kept: &Kept, receiver: &Listening, more: &[&str]) {
    let sent = kept.trigger(receiver, &[&["file-transfer"], more].concat());
    assert_eq!(sent.code, 0, "{}{}", sent.stdout, sent.stderr);
}

/// The records of this action, once the log has some.
fn recorded(kept: &Kept, action: &str) -> Vec<Value> {
    for _ in 0..500 {
        let records: Vec<_> =
            kept.records(0).into_iter().filter(|record| record["action"] == action).collect();
        if !records.is_empty() {
            return records;
        }
    }
    panic!("there is never a record of {action}");
}

#[test]
fn what_follows_from_a_webhook_is_delivered_once_with_its_key_and_secret() {
    let (kept, system) = (Kept::new(), System::start([]));
    let targets = kept.write("targets.toml", archive(&system));
    let receiver = serve(&kept, &["--targets", &targets]);
    trigger(&kept, &receiver, &["--data", TRANSFER, "--repeat", "2"]);
    let delivered = standing(&kept, |archive| archive["delivered"] == 1);
    assert_eq!(
        (&delivered["due"], &delivered["waiting"], &delivered["dead"]),
        (&0.into(), &0.into(), &0.into())
    );

    let requests = system.requests(1);
    let [request] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!((&request.body["documentId"], &request.body["fileName"]), (&"t-1".into(), &"a.pdf".into()));
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!((request.key().len(), request.header("x-api-key")), (36, SECRET));
    let record = &recorded(&kept, "delivery.succeeded")[0];
    assert_eq!(
        (&record["actor"], &record["details"]["target"]),
        (&"sync".into(), &"archive".into()),
        "{record}"
    );

    let all = kept.run(&["outbox", "list", "--output", "json"]).json();
    let rows: Vec<_> = all["targets"].as_array().unwrap().iter().map(|row| &row["target"]).collect();
    assert_eq!(rows, [&Value::from("archive"), &Value::Null]);
    #[cfg(unix)]
    {
        assert_eq!(receiver.terminate(), Some(0));
        assert_eq!(kept.run(&["audit", "verify"]).code, 0);
        assert_eq!(system.requests(1).len(), 1);
    }
}

#[test]
fn a_system_that_is_busy_gets_it_later_under_the_same_key() {
    let (kept, system) = (Kept::new(), System::start([503, 503]));
    let targets = kept.write("targets.toml", archive(&system));
    let receiver = serve(&kept, &["--targets", &targets]);
    trigger(&kept, &receiver, &[]);
    standing(&kept, |archive| archive["delivered"] == 1);
    let requests = system.requests(3);
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| request.key() == requests[0].key()), "{requests:?}");
    assert_eq!(recorded(&kept, "delivery.failed").len(), 2);
    let figures = metrics(receiver.url());
    for line in [
        "webmessaging_webhook_deliveries_total{answer=\"accepted\"} 1",
        "webmessaging_events_total{action=\"delivery.succeeded\",outcome=\"success\",cause=\"\"} 1",
        "webmessaging_sync_late{target=\"archive\"} 0",
    ] {
        assert!(figures.lines().any(|shown| shown == line), "{line} in {figures}");
    }
}

#[test]
fn what_a_system_refuses_is_mended_within_its_shape_and_tried_again() {
    let (kept, system) = (Kept::new(), System::start([400]));
    let targets = kept.write("targets.toml", archive(&system));
    let receiver = serve(&kept, &["--targets", &targets]);
    trigger(&kept, &receiver, &["--data", TRANSFER]);
    standing(&kept, |archive| archive["dead"] == 1);
    let list = kept.run(&["dead-letters", "list", "--output", "json"]).json();
    let letter = &list["letters"][0];
    assert_eq!(letter["reason"], "rejected, status 400");
    let id = letter["id"].as_str().unwrap();

    // Whoever mends it need not have the secret of the target.
    let show = kept.run(&["dead-letters", "show", id, "--targets", &targets, "--output", "json"]).json();
    assert_eq!(show["by"], "targets");
    let text = show["payloadText"].as_str().unwrap();
    assert!(text.contains("https://bucket.example/a.pdf?[hidden]") && !text.contains("swordfish"), "{text}");

    let edit = |content: &str, more: &[&str]| {
        let file = kept.write("payload.json", content);
        let fixed = ["dead-letters", "edit", id, "--payload-file", &file, "--targets", &targets];
        kept.run(&[&fixed[..], more, &["--output", "json"]].concat())
    };
    for more in [&["--dry-run"][..], &[]] {
        for (content, why) in [("{", "it is not JSON"), ("{}", "missing field"), ("[]", "")] {
            let refused = edit(content, more);
            let error = &refused.json()["error"];
            assert_eq!(
                (refused.code, &error["kind"], &error["subject"]),
                (3, &"sync.invalid_payload".into(), &id.into())
            );
            assert!(error["message"].as_str().unwrap().contains(why), "{error}");
        }
    }
    let own_key = edit(text, &["--key", "mine"]);
    assert_eq!((own_key.code, &own_key.json()["error"]["subject"]), (3, &"--key".into()));
    let mended = text.replace("a.pdf\"", "b.pdf\"");
    let (dry, edited) = (edit(&mended, &["--dry-run"]).json(), edit(&mended, &[]).json());
    assert_eq!(
        (&edited["by"], &edited["key"], &edited["payloadBytes"]),
        (&"targets".into(), &dry["key"], &dry["payloadBytes"])
    );
    assert_eq!((&dry["dryRun"], &edited["dryRun"]), (&true.into(), &false.into()));

    assert_eq!(kept.run(&["dead-letters", "retry", id]).code, 0);
    standing(&kept, |archive| archive["delivered"] == 1);
    let requests = system.requests(2);
    let (refused, mended) = (&requests[0], &requests[1]);
    assert_eq!((requests.len(), &mended.body["fileName"]), (2, &"b.pdf".into()));
    assert_eq!(
        mended.body["storageLocation"], "https://bucket.example/a.pdf?sig=swordfish",
        "what was hidden is back"
    );
    assert_eq!(mended.key(), edited["key"].as_str().unwrap());
    assert_ne!(mended.key(), refused.key());
}

#[test]
fn a_targets_file_that_is_wrong_is_refused_with_its_line_before_anything_is_made() {
    let kept = Kept::new();
    let system = System::start([]);
    let good = archive(&system);
    let refused = |content: &str, message: &str| {
        let targets = kept.write("targets.toml", content);
        let mut serve = kept.command(&["webhooks", "serve", "--unsigned", "--listen", "127.0.0.1:0"]);
        let refused = run(serve.args(["--targets", &targets]));
        assert_eq!((refused.code, refused.stdout.as_str()), (3, ""));
        let message = format!("error[sync.configuration]: {targets}: {message}");
        assert!(refused.stderr.starts_with(&message), "{message}\n{}", refused.stderr);
        assert!(!refused.stderr.contains("swordfish"), "{}", refused.stderr);
        assert!(refused.stderr.contains("synchronize.md#targets"), "{}", refused.stderr);
    };
    refused(&format!("# Ours.\n{good}").replace("timeout", "timout"), "line 8: unknown field `timout`");
    refused(&good.replace("2m", "swordfish"), "line 7: ");
    refused("[[target", "line 1: ");
    refused(&good, "target `archive`: `auth`: the variable `ARCHIVE_KEY` is not set");
    refused(&format!("{good}{good}").replace("token_env", "token"), "two targets have the name `archive`");
    assert!(!std::path::Path::new(&kept.path("data")).exists());

    let missing = kept.path("missing.toml");
    let serve = ["webhooks", "serve", "--unsigned", "--listen", "127.0.0.1:0"];
    for command in [
        kept.command(&serve).args(["--targets", &missing]),
        kept.command(&serve).env("WEBMESSAGING_TARGETS", &missing),
        kept.command(&["dead-letters", "show", "outbox-1"]).env("WEBMESSAGING_TARGETS", &missing),
    ] {
        let refused = run(command);
        assert_eq!(refused.code, 3);
        let message = format!("error[source]: {missing}: cannot be read\n");
        assert!(refused.stderr.starts_with(&message), "{}", refused.stderr);
    }
}

#[test]
fn a_system_that_says_it_is_gone_is_delivered_to_again_when_somebody_switches_it_on() {
    let (kept, system) = (Kept::new(), System::start([410]));
    let targets = kept.write("targets.toml", archive(&system));
    let receiver = serve(&kept, &["--targets", &targets]);
    trigger(&kept, &receiver, &[]);
    standing(&kept, |archive| archive["offSince"].is_string());
    let table = kept.run(&["outbox", "list"]);
    assert!(table.stdout.contains("archive (off)"), "{}", table.stdout);

    let switch = |what: &str, more: &[&str]| kept.run(&[&["outbox", what, "archive"], more].concat());
    assert_eq!(switch("enable", &["--dry-run"]).code, 0);
    assert!(standing(&kept, |_| true)["offSince"].is_string());
    let enabled = switch("enable", &["--output", "json"]).json();
    assert_eq!((&enabled["action"], &enabled["changed"]), (&"enabled".into(), &true.into()));
    standing(&kept, |archive| archive["delivered"] == 1 && archive["offSince"].is_null());
    assert_eq!(switch("enable", &["--output", "json"]).json()["changed"], false);
    assert_eq!(
        switch("disable", &[]).stdout,
        "archive is disabled, for whoever delivers as soon as they look\n"
    );
    let typo = kept.run(&["outbox", "enable", "archvie"]);
    assert_eq!(typo.code, 3);
    assert!(typo.stderr.contains("archvie: no such target"), "{}", typo.stderr);
}

#[test]
fn the_file_in_the_data_directory_is_taken_unless_another_one_is_named() {
    let kept = Kept::new();
    std::fs::create_dir(kept.path("data")).unwrap();
    let usual = kept.write("data/targets.toml", "usual");
    let (variable, flag) = (kept.write("variable", "variable"), kept.write("flag", "flag"));
    let taken = |value: &str, more: &[&str]| {
        let mut serve = kept.command(&["webhooks", "serve", "--unsigned", "--listen", "127.0.0.1:0"]);
        let refused = run(serve.args(more).env("WEBMESSAGING_TARGETS", value));
        assert_eq!(refused.code, 3);
        refused.stderr.split(": ").nth(1).unwrap().to_owned()
    };
    assert_eq!(taken("", &[]), usual);
    assert_eq!(taken(&variable, &[]), variable);
    assert_eq!(taken(&variable, &["--targets", &flag]), flag);
}

#[cfg(unix)]
#[test]
fn no_secret_of_a_target_is_printed_however_much_is_said() {
    use std::fs::File;

    let (kept, system) = (Kept::new(), System::start([503]));
    let targets = kept.write("targets.toml", archive(&system));
    let log = kept.path("log");
    let mut serve = kept.command(&["webhooks", "serve", "--listen", "127.0.0.1:0", "--unsigned", "-vvv"]);
    serve.args(["--targets", &targets]).env("ARCHIVE_KEY", SECRET).env("RUST_LOG", "trace");
    serve.stderr(File::create(&log).unwrap());
    let receiver = Listening::start(serve);
    let url = format!("{}/webhooks/genesys", receiver.url());
    assert_eq!(
        kept.run(&["webhooks", "trigger", "file-transfer", "--data", TRANSFER, "--url", &url]).code,
        0
    );
    standing(&kept, |archive| archive["delivered"] == 1);
    assert_eq!(system.requests(2)[1].header("x-api-key"), SECRET);
    assert_eq!(receiver.terminate(), Some(0));
    let text = std::fs::read_to_string(log).unwrap();
    assert!(text.contains("not delivered") && text.contains("external.deliver"), "the log is empty: {text}");
    assert!(!text.contains("swordfish"), "{text}");
}

/// Ended by the request's own time limit, it would be a failed delivery.
#[cfg(unix)]
#[test]
fn a_system_that_hangs_does_not_hold_up_the_end_and_gets_it_from_the_next_start() {
    let (kept, system) = (Kept::new(), System::start([HANG]));
    let targets = kept.write("targets.toml", archive(&system));
    let receiver = serve(&kept, &["--targets", &targets, "--grace", "1"]);
    trigger(&kept, &receiver, &[]);
    system.requests(1);
    assert_eq!(receiver.terminate(), Some(0));
    let left = standing(&kept, |_| true);
    assert_eq!((&left["due"], &left["leased"]), (&1.into(), &0.into()), "it was given back");
    assert!(kept.records(1).iter().all(|record| record["action"] != "delivery.failed"));

    let _next = serve(&kept, &["--targets", &targets]);
    standing(&kept, |archive| archive["delivered"] == 1);
    let requests = system.requests(2);
    assert_eq!((requests.len(), requests[0].key()), (2, requests[1].key()));
}

#[cfg(unix)]
#[test]
fn what_was_accepted_by_one_that_was_killed_is_delivered_by_the_next() {
    let (kept, system) = (Kept::new(), System::start([]));
    system.set_down(true);
    let waits = vec!["\"2s\""; 20].join(", ");
    // Killed while it sends, the lease has to run out, which is the shorter the less a request may take.
    let targets = archive(&system).replace("\"1ms\", \"1ms\"", &waits).replace("2m", "100ms");
    let targets = kept.write("targets.toml", targets);
    let receiver = serve(&kept, &["--targets", &targets]);
    trigger(&kept, &receiver, &["--subject", "t-1"]);
    system.requests(1);
    standing(&kept, |archive| archive["waiting"] == 1);
    assert_eq!(receiver.end("-KILL"), None);

    system.set_down(false);
    let next = serve(&kept, &["--targets", &targets]);
    trigger(&kept, &next, &["--subject", "t-1"]);
    standing(&kept, |archive| archive["delivered"] == 1);
    let requests = system.requests(2);
    assert!(requests.iter().all(|request| request.key() == requests[0].key()), "{requests:?}");
    assert_eq!(recorded(&kept, "delivery.succeeded").len(), 1);
    assert_eq!(next.terminate(), Some(0));
    assert_eq!(kept.run(&["audit", "verify"]).code, 0);
}

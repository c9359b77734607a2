//! `webmessaging dead-letters` and `outbox` on a store in which something was given up.

use webmessaging::store::{DeadLetterId, DeadLetters, NewItem, Outbox};

use crate::kept::{AT, Kept};
use crate::process::Run;

/// The default key of `{"a":2}`; its digest is from sha256sum.
const NEW_KEY: &str = "sha256:7e8059f495589fcd981232cc11d00b00da3802c01d688fa1cf1f6bed6e5bb33c";

/// Two letters of different targets, and an item behind the first one.
async fn letters() -> Kept {
    let kept = Kept::new();
    let item = |target: &str, key: &str| NewItem::new(target, key, "guest.updated", AT).lane("guest-7");
    kept.bury(item("crm", "guest-7:1").payload(r#"{"a":1,"big":12345678901234567890123}"#), "status 400")
        .await;
    kept.bury(item("archive", "guest-7:2").payload(b"\x1b[2Jwords".to_vec()), "status 422").await;
    let behind = item("crm", "guest-7:3").payload("{}");
    kept.store().await.enqueue(vec![behind], AT).await.unwrap();
    kept
}

fn json(kept: &Kept, arguments: &[&str]) -> (i32, serde_json::Value) {
    let run = kept.run(&[arguments, &["--output", "json"]].concat());
    assert_eq!(run.stderr, "");
    (run.code, run.json())
}

#[track_caller]
fn refused(run: &Run, code: i32, message: &str) {
    assert_eq!(run.code, code, "{}", run.stderr);
    assert!(run.stderr.starts_with(message), "{message}\n{}", run.stderr);
}

#[tokio::test]
async fn the_outbox_tells_what_waits_and_what_holds_it_up() {
    let kept = letters().await;
    let (code, all) = json(&kept, &["outbox", "list"]);
    let names: Vec<_> = all["targets"].as_array().unwrap().iter().map(|t| &t["target"]).collect();
    assert_eq!(names, [&"archive".into(), &"crm".into(), &serde_json::Value::Null]);
    assert_eq!(all["targets"][1]["dead"], 1);
    let all = &all["targets"][2];
    assert_eq!(
        (code, &all["target"], &all["dead"], &all["waiting"]),
        (0, &serde_json::Value::Null, &2.into(), &1.into())
    );
    assert_eq!(all["blockedLanesTotal"], 2);
    assert_eq!(all["oldestOpenAt"], AT.to_string());

    let (_, some) =
        json(&kept, &["outbox", "list", "--target", "crm", "--target", "archive", "--target", "none"]);
    let dead: Vec<_> =
        some["targets"].as_array().unwrap().iter().map(|t| (&t["target"], &t["dead"])).collect();
    assert_eq!(
        dead,
        [(&"crm".into(), &1.into()), (&"archive".into(), &1.into()), (&"none".into(), &0.into())]
    );
    let lane = &some["targets"][0]["blockedLanes"][0];
    assert_eq!(
        (&lane["lane"], &lane["by"], &lane["reason"]),
        (&"guest-7".into(), &"dead_letter".into(), &"status 400".into())
    );

    // In the row of its target and in that of all, a lane is told once.
    let table = kept.run(&["outbox", "list"]);
    assert_eq!(table.stdout.matches("status 400").count(), 1, "{}", table.stdout);
    let table = kept.run(&["outbox", "list", "--target", "crm"]);
    for text in ["oldest", "held up by", "guest-7", "a dead letter", "status 400"] {
        assert!(table.stdout.contains(text), "{text}\n{}", table.stdout);
    }
}

#[tokio::test]
async fn letters_are_listed_by_pages_and_filters() {
    let kept = letters().await;
    let (_, first) = json(&kept, &["dead-letters", "list", "--limit", "1"]);
    assert_eq!(first["letters"][0]["id"], "outbox-1");
    let next = first["next"].as_str().unwrap();
    let (_, second) = json(&kept, &["dead-letters", "list", "--limit", "1", "--after", next]);
    assert_eq!(
        (&second["letters"][0]["target"], &second["next"]),
        (&"archive".into(), &serde_json::Value::Null)
    );

    let count = |filter: &[&str]| {
        let (code, page) = json(&kept, &[&["dead-letters", "list"], filter].concat());
        assert_eq!(code, 0);
        page["letters"].as_array().unwrap().len()
    };
    let filters: [&[&str]; 5] = [
        &["--target", "crm"],
        &["--origin", "outbox"],
        &["--origin", "inbox"],
        &["--lane", "guest-7"],
        &["--lane", "other"],
    ];
    assert_eq!(filters.map(count), [1, 2, 0, 2, 0]);

    let table = kept.run(&["dead-letters", "list", "--limit", "1"]);
    assert!(table.stdout.ends_with(&format!("\nthere are more: --after {next}\n")), "{}", table.stdout);
    let none = kept.run(&["dead-letters", "list", "--lane", "other"]);
    assert_eq!((none.code, none.stdout.as_str()), (0, "there are none\n"));
    for wrong in [["--after", "nowhere"], ["--limit", "0"], ["--limit", "501"]] {
        assert_eq!(kept.run(&[&["dead-letters", "list"], &wrong[..]].concat()).code, 2, "{wrong:?}");
    }
}

#[tokio::test]
async fn a_letter_is_shown_with_its_content() {
    let kept = letters().await;
    let (code, letter) = json(&kept, &["dead-letters", "show", "outbox-1"]);
    assert_eq!((code, &letter["payload"]["a"], &letter["key"]), (0, &1.into(), &"guest-7:1".into()));
    assert_eq!(letter["payloadText"], r#"{"a":1,"big":12345678901234567890123}"#, "to the last digit");
    let table = kept.run(&["dead-letters", "show", "outbox-1"]);
    assert!(table.stdout.contains("\n  \"a\": 1,\n"), "{}", table.stdout);
    // What is no JSON is text, and does not command the terminal.
    let text = kept.run(&["dead-letters", "show", "outbox-2"]);
    assert!(text.stdout.ends_with("\n\n\\u{1b}[2Jwords\n"), "{:?}", text.stdout);

    refused(
        &kept.run(&["dead-letters", "show", "outbox-9"]),
        3,
        "error[store.not_found]: outbox-9: not found",
    );
    refused(
        &kept.run(&["dead-letters", "show", "9"]),
        2,
        "error: invalid value '9' for '<ID>': not the id of a dead letter",
    );
}

#[tokio::test]
async fn a_letter_is_edited_under_a_key_of_its_content_and_tried_again() {
    let kept = letters().await;
    let file = kept.write("payload.json", r#"{"a":2}"#);
    let edit = ["dead-letters", "edit", "outbox-1", "--payload-file", &file];
    let (_, dry) = json(&kept, &[&edit[..], &["--dry-run"]].concat());
    assert_eq!(dry["key"], NEW_KEY);
    let (_, before) = json(&kept, &["dead-letters", "show", "outbox-1"]);
    assert_eq!((&before["key"], &dry["dryRun"]), (&"guest-7:1".into(), &true.into()), "nothing was changed");

    let (code, edited) = json(&kept, &edit);
    assert_eq!((code, &edited["key"], &edited["payloadBytes"]), (0, &NEW_KEY.into(), &7.into()));
    let (_, after) = json(&kept, &["dead-letters", "show", "outbox-1"]);
    assert_eq!((&after["key"], &after["payloadText"]), (&NEW_KEY.into(), &r#"{"a":2}"#.into()));
    assert_eq!(after["history"][0]["key"], "guest-7:1");
    assert!(kept.run(&["dead-letters", "show", "outbox-1"]).stdout.contains("replaced at"));

    // The same content again is the same item; with a key of one's own it is another.
    for more in [&[][..], &["--dry-run"], &["--key", "guest-7:1"], &["--key", "guest-7:1", "--dry-run"]] {
        refused(&kept.run(&[&edit[..], more].concat()), 3, "error[store.conflict]: outbox-1: ");
    }
    assert_eq!(json(&kept, &[&edit[..], &["--key", "mine"]].concat()).1["key"], "mine");
    refused(
        &kept.run(&[&edit[..], &["--key", "", "--dry-run"]].concat()),
        3,
        "error[invalid_input]: --key: ",
    );
    refused(&kept.run(&[&edit[..], &["--key", ""]].concat()), 3, "error[store.invalid_input]: outbox-1: ");

    let retry = ["dead-letters", "retry", "outbox-1"];
    assert_eq!(json(&kept, &[&retry[..], &["--dry-run"]].concat()).0, 0);
    let retried = kept.run(&retry);
    assert_eq!(
        (retried.code, retried.stdout.as_str()),
        (0, "outbox-1 is retried as soon as somebody works on it\n")
    );
    refused(&kept.run(&retry), 3, "error[store.not_found]: outbox-1: not found");
    assert_eq!(json(&kept, &["outbox", "list", "--target", "crm"]).1["targets"][0]["dead"], 0);
}

#[tokio::test]
async fn a_letter_is_dropped_with_a_note_and_kept_for_the_record() {
    let kept = letters().await;
    let drop = ["dead-letters", "drop", "outbox-2", "--note", "by request"];
    let dry = kept.run(&[&drop[..], &["--dry-run"]].concat());
    assert_eq!(dry.stdout, "outbox-2 would be dropped and its lane goes on; nothing was changed\n");
    assert!(
        kept.store()
            .await
            .dead_letter("outbox-2".parse::<DeadLetterId>().unwrap())
            .await
            .unwrap()
            .letter
            .dropped
            .is_none()
    );

    assert_eq!(json(&kept, &drop).1["note"], "by request");
    let (_, letter) = json(&kept, &["dead-letters", "show", "outbox-2"]);
    assert_eq!(letter["dropped"]["note"], "by request");
    let file = kept.write("payload.json", "{}");
    let edit = ["dead-letters", "edit", "outbox-2", "--payload-file", &file];
    for (command, more) in
        [(&drop[..], &[][..]), (&drop, &["--dry-run"]), (&edit, &[]), (&edit, &["--dry-run"])]
    {
        refused(&kept.run(&[command, more].concat()), 3, "error[store.not_found]: outbox-2: ");
    }
    refused(
        &kept.run(&["dead-letters", "drop", "outbox-1"]),
        2,
        "error: the following required arguments were not provided",
    );
}

#[tokio::test]
async fn a_delivery_can_be_retried_and_is_never_edited() {
    let kept = Kept::new();
    kept.bury_delivery("words that are no event", "the body is not JSON").await;
    let (_, list) = json(&kept, &["dead-letters", "list", "--origin", "inbox", "--target", "genesys"]);
    assert_eq!(list["letters"][0]["id"], "inbox-1");
    let (_, letter) = json(&kept, &["dead-letters", "show", "inbox-1"]);
    assert_eq!(
        (&letter["payload"], &letter["payloadText"]),
        (&serde_json::Value::Null, &"words that are no event".into())
    );
    let edit = ["dead-letters", "edit", "inbox-1", "--payload-file", "missing"];
    refused(&kept.run(&edit), 3, "error[invalid_input]: inbox-1: a delivery stays what its sender has sent");
    assert_eq!(json(&kept, &["dead-letters", "retry", "inbox-1"]).0, 0);

    // A receiver takes it up again, and gives it up again.
    let receiver = kept.serve(&["--unsigned"]);
    let is_back = || !json(&kept, &["dead-letters", "list"]).1["letters"].as_array().unwrap().is_empty();
    assert!((0..500).any(|_| is_back()), "nobody has worked on it");
    drop(receiver);
}

#[tokio::test]
async fn all_are_retried_up_to_a_limit_or_those_of_a_target() {
    let kept = letters().await;
    let all = ["dead-letters", "retry", "--all"];
    let retried = |more: &[&str]| json(&kept, &[&all[..], more].concat()).1["retried"].clone();
    assert_eq!(retried(&["--dry-run"]), 2);
    assert_eq!(retried(&["--dry-run", "--target", "none"]), 0);
    assert_eq!(retried(&["--target", "archive"]), 1);
    let last = kept.run(&[&all[..], &["--limit", "1"]].concat());
    assert_eq!(last.code, 0);
    assert!(last.stdout.starts_with("1 dead letter is retried"), "{}", last.stdout);
    assert_eq!(retried(&[]), 0);
    assert_eq!(kept.run(&all).stdout, "there are none\n");
    let wrong: [&[&str]; 4] =
        [&[], &["outbox-1", "--all"], &["outbox-1", "--target", "crm"], &["--all", "--limit", "0"]];
    for wrong in wrong {
        assert_eq!(kept.run(&[&["dead-letters", "retry"], wrong].concat()).code, 2, "{wrong:?}");
    }
}

/// Who looks after a letter is told, and can be chosen.
#[tokio::test]
async fn without_targets_or_with_plain_the_store_alone_looks_after_a_letter() {
    let kept = letters().await;
    let file = kept.write("payload.json", r#"{"a":2}"#);
    let show = ["dead-letters", "show", "outbox-1"];
    let edit = ["dead-letters", "edit", "outbox-1", "--dry-run", "--payload-file", &file];
    assert_eq!(json(&kept, &show).1["by"], "store");
    assert_eq!(json(&kept, &edit).1["by"], "store");
    // No target of this name is in it.
    kept.write("data/targets.toml", "");
    assert_eq!(json(&kept, &show).1["by"], "targets");
    let refused = kept.run(&edit);
    assert_eq!(refused.code, 3);
    let message = "error[sync.not_found]: outbox-1: target `crm`: there is no target of this name\n\nhint: ";
    assert!(refused.stderr.starts_with(message), "{}", refused.stderr);
    assert!(refused.stderr.contains("hint: --plain leaves the targets file aside"), "{}", refused.stderr);
    let plain = |command: &[&str]| json(&kept, &[command, &["--plain"]].concat()).1;
    assert_eq!((&plain(&show)["by"], &plain(&edit)["by"]), (&"store".into(), &"store".into()));
    assert!(plain(&show)["payloadText"].as_str().unwrap().contains("12345678901234567890123"));
    let text = kept.run(&["dead-letters", "show", "outbox-2"]);
    assert!(
        text.stdout.ends_with("\n\nthe content is not JSON; --plain shows it as it is\n"),
        "{}",
        text.stdout
    );
}

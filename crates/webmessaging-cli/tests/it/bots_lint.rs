//! `webmessaging bots lint`, which needs neither network nor credentials.

use serde_json::{Value, json};

use crate::kept::Kept;
use crate::process::run;

fn text(text: &str) -> Value {
    json!({"to": {"id": "customer-1"}, "from": {"id": "bot-1"}, "type": "text", "text": text})
}

#[test]
fn clean_files_are_clean() {
    let kept = Kept::new();
    let one = kept.write("one.json", text("if a < b, I <3 you").to_string());
    let mut named = text("Good morning");
    named["conversationId"] = json!("conversation-1");
    let lines = kept.write("many.jsonl", format!("{named}\n\n{}", text("Here it is")));
    let lint = kept.run(&["bots", "lint", &one, &lines]);
    assert_eq!(
        (lint.code, lint.stdout.as_str(), lint.stderr.as_str()),
        (0, "3 messages, no rule is broken\n", "")
    );
    let json = kept.run(&["bots", "lint", &one, "--output", "json"]).json();
    assert_eq!(json, json!({"ok": true, "messages": 1, "findings": [], "unreadable": []}));

    let mut piped = kept.command(&["bots", "lint", "--lines", "-"]);
    let piped = run(piped.stdin(std::fs::File::open(lines).unwrap()));
    assert_eq!(
        (piped.code, piped.stdout.as_str()),
        (0, "2 messages, no rule is broken\n"),
        "{}",
        piped.stderr
    );
}

#[test]
fn every_violation_is_told_with_its_place() {
    let kept = Kept::new();
    let bad = json!({
        "to": {"id": "customer-1"}, "from": {}, "type": "quickReply", "colour": "red", "conversationId": "c",
        "quickReplies": [{"label": "<b>swordfish</b>", "payload": "x"}, {"label": "x".repeat(81), "payload": ""}],
    });
    let file = kept.write("bad.json", bad.to_string());
    let lint = kept.run(&["bots", "lint", &file]);
    assert_eq!((lint.code, lint.stderr.as_str()), (3, ""));
    for said in ["colour is not allowed", "conversationId is not allowed", "from.id is required"] {
        assert!(lint.stdout.contains(&format!("{file}: {said}\n")), "{said}\n{}", lint.stdout);
    }
    assert!(lint.stdout.ends_with("1 message, of which 1 cannot be sent\n"), "{}", lint.stdout);
    assert!(!lint.stdout.contains("swordfish"), "{}", lint.stdout);

    let long = kept.write("long.json", text(&"x".repeat(4_097)).to_string());
    let json = kept.run(&["bots", "lint", &long, "--output", "json"]);
    let expected = json!([{
        "path": "text", "code": "too_long", "rule": "bot_message.text.max",
        "limit": {"max": 4_096}, "unit": "characters", "actual": {"count": 4_097},
    }]);
    let report = json.json();
    assert_eq!(
        (json.code, &report["ok"], &report["findings"][0]["violations"]),
        (3, &false.into(), &expected)
    );
    assert_eq!(
        (&report["findings"][0]["file"], &report["findings"][0]["line"]),
        (&json!(long), &Value::Null)
    );
}

#[test]
fn lines_are_told_by_their_number_and_the_others_are_looked_at() {
    let kept = Kept::new();
    let (mut nowhere, mut wrong) = (text("<i>"), text("hi"));
    nowhere["conversationId"] = json!(7);
    wrong["conversationId"] = json!("..");
    let lines = [
        text("hi").to_string(),
        String::new(),
        nowhere.to_string(),
        "nonsense".to_owned(),
        wrong.to_string(),
        "x".repeat(300_000),
        text("hi").to_string(),
    ];
    let file = kept.write("many.jsonl", lines.join("\n"));
    let missing = kept.path("missing.json");
    let lint = kept.run(&["bots", "lint", &missing, &file]);
    assert_eq!(lint.code, 3);
    let said = [
        "3: conversationId is malformed",
        "3: text has markup or a script in it: at character 1",
        "4: the message is malformed",
        "5: conversationId is a reserved name",
        "6: the line is too long",
    ];
    let expected: Vec<_> = said.iter().map(|said| format!("{file}:{said}\n")).collect();
    let end = "6 messages, of which 4 cannot be sent\nfiles that cannot be read: 1\n";
    assert_eq!(lint.stdout, format!("{}{end}", expected.concat()));
    assert!(
        lint.stderr.starts_with(&format!("error[source]: {missing}: cannot be read\n")),
        "{}",
        lint.stderr
    );

    let json = kept.run(&["bots", "lint", &missing, &file, "--output", "json"]);
    let report = json.json();
    let lines: Vec<_> = report["findings"].as_array().unwrap().iter().map(|it| it["line"].clone()).collect();
    assert_eq!(
        (json.code, lines, json.stderr.as_str()),
        (3, vec![json!(3), json!(4), json!(5), json!(6)], "")
    );
    assert_eq!(report["findings"][3]["reason"], "the line is too long");
    assert_eq!((&report["unreadable"][0]["kind"], &report["messages"]), (&"source".into(), &6.into()));
    // A file that cannot be read is enough.
    assert_eq!(kept.run(&["bots", "lint", &missing]).code, 3);
    assert_eq!(kept.run(&["bots", "lint"]).code, 2);
}

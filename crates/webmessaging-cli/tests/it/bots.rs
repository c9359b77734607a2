//! `webmessaging bots send` against a stand-alone emulator, in another process.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Emulator, Run, command, run};

const ENDS: [&str; 6] = [
    "--conversation",
    "conversation-id-789",
    "--to",
    "customer-participant-id-123",
    "--from",
    "bot-participant-id-456",
];

struct Setup {
    emulator: Emulator,
    folder: TempDir,
}

impl Setup {
    fn new() -> Self {
        Self::with_faults("")
    }

    /// An emulator on which these go wrong.
    fn with_faults(faults: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("faults.toml");
        fs::write(&path, faults).unwrap();
        let arguments = if faults.is_empty() { vec![] } else { vec!["--faults", path.to_str().unwrap()] };
        Self { emulator: Emulator::start(&arguments), folder }
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = self.emulator.called(&[&["bots", "send"], arguments].concat());
        run(command.current_dir(self.folder.path()))
    }

    /// To the conversation that the emulator has.
    fn send(&self, more: &[&str]) -> Run {
        self.run(&[&ENDS, more].concat())
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.folder.path().join(name), content).unwrap();
    }

    /// The records of the log of the test.
    fn records(&self) -> Vec<Value> {
        let mut export = command(&["audit", "export", "--dir", "audit"]);
        let exported = run(export.current_dir(self.folder.path()));
        exported.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn types(report: &Value) -> Vec<&str> {
    report["messages"].as_array().unwrap().iter().map(|message| message["type"].as_str().unwrap()).collect()
}

#[test]
fn a_text_is_sent_and_on_record_with_its_digest() {
    let setup = Setup::new();
    let sent = setup.send(&["Good morning", "--audit-dir", "audit", "--output", "json"]);
    assert_eq!((sent.code, sent.stderr.as_str()), (0, ""), "{}", sent.stdout);
    let report = sent.json();
    let message = &report["messages"][0];
    let body = r#"{"to":{"id":"customer-participant-id-123"},"from":{"id":"bot-participant-id-456"},"type":"text","text":"Good morning"}"#;
    assert_eq!(
        (&message["bytes"], &message["type"], &message["attempts"]),
        (&json!(body.len()), &"text".into(), &1.into())
    );
    assert_eq!((&message["foundAgain"], &report["notSent"]), (&false.into(), &0.into()));
    for field in ["messageId", "requestId", "latencyMs"] {
        assert!(!message[field].is_null(), "{field}: {report}");
    }
    let records = setup.records();
    assert_eq!((records.len(), &records[0]["action"]), (1, &"bot_message.sent".into()));
    assert_eq!(
        (&records[0]["payloadSha256"], &records[0]["details"]["messageId"]),
        (&message["sha256"], &message["messageId"])
    );

    let table = setup.send(&["Good morning"]);
    for text in [" message ", " request ", " latency ", message["sha256"].as_str().unwrap()] {
        assert!(table.stdout.contains(text), "{text}: {}", table.stdout);
    }
}

#[test]
fn quick_replies_files_and_templates_are_sent() {
    let setup = Setup::new();
    let json = ["--output", "json"];
    let replies = ["--quick-reply", "Yes, please=a=b", "--quick-reply", "No=no"];
    let replies = setup.send(&[&replies, &json[..]].concat());
    assert_eq!((replies.code, types(&replies.json())), (0, vec!["quickReply"]), "{}", replies.stdout);

    let card = json!({
        "to": {"id": "customer-participant-id-123"}, "from": {"id": "bot-participant-id-456"},
        "type": "card", "cards": [{"title": "Blue shoes", "image": "https://shop.example/shoes.png"}],
    });
    setup.write("card.json", &card.to_string());
    let payload = ["--conversation", "conversation-id-789", "--payload"];
    let from_file = setup.run(&[&payload[..], &["card.json"], &json].concat());
    assert_eq!((from_file.code, types(&from_file.json())), (0, vec!["card"]), "{}", from_file.stdout);
    let arguments = [&["bots", "send"], &payload[..], &["-"], &json[..]].concat();
    let mut command = setup.emulator.called(&arguments);
    let piped = run(command.stdin(fs::File::open(setup.folder.path().join("card.json")).unwrap()));
    assert_eq!(
        (piped.code, &piped.json()["messages"][0]["sha256"]),
        (0, &from_file.json()["messages"][0]["sha256"])
    );

    // What is filled in stays text; the digest is that of the text as a person would type it.
    setup.write("hello.txt", "Hello {name}\n");
    let filled = setup.send(&[&["--template", "hello.txt", "--set", "name=<b>Jane</b>"], &json[..]].concat());
    let typed = setup.send(&["Hello ‹b›Jane‹/b›", "--dry-run", "--output", "json"]);
    assert_eq!(
        filled.json()["messages"][0]["sha256"],
        typed.json()["messages"][0]["sha256"],
        "{}",
        filled.stdout
    );
    for (set, said) in [
        (&["--set", "colour=red"][..], "name is required\n  - colour is not allowed"),
        (&["--set", "name=a", "--set", "name=b"], "is set twice"),
    ] {
        let refused = setup.send(&[&["--template", "hello.txt"], set].concat());
        assert!(refused.code == 3 && refused.stderr.contains(said), "{}", refused.stderr);
    }
}

#[test]
fn what_breaks_a_rule_is_refused_without_network_and_not_repeated() {
    let send = |more: &[&str]| run(&mut command(&[&["bots", "send"], &ENDS[..], more].concat()));
    let script = send(&["swordfish <script>alert(1)</script>"]);
    let said = "error[invalid_input]: the input is not valid\n  - text has markup or a script in it: at character 11\n";
    assert!(script.code == 3 && script.stderr.starts_with(said), "{}", script.stderr);
    assert!(!script.stderr.contains("swordfish") && script.stdout.is_empty(), "{}", script.stderr);
    let json = send(&["--quick-reply", "<b>=x", "--quick-reply", "Yes=", "--output", "json"]).json();
    let paths: Vec<_> =
        json["error"]["violations"].as_array().unwrap().iter().map(|it| &it["path"]).collect();
    assert_eq!(paths, ["quickReplies[0].label", "quickReplies[1].payload"]);

    let long = send(&[&"word ".repeat(1_000)]);
    assert!(
        long.code == 3 && long.stderr.contains("text is too long: 5000 characters, at most 4096"),
        "{}",
        long.stderr
    );
    assert!(
        long.stderr.contains("hint: a TEXT that is too long is cut into several messages with --split"),
        "{}",
        long.stderr
    );
    // One part that breaks a rule stops all of them.
    let part = send(&[&format!("{}<i>", "word ".repeat(1_000)), "--split", "--dry-run"]);
    assert!(part.code == 3 && part.stderr.contains("part 2 of 2: "), "{}", part.stderr);
    for id in ["", ".."] {
        let mut ends = ENDS;
        ends[1] = id;
        let nowhere = run(&mut command(&[&["bots", "send"], &ends[..], &["hi", "--dry-run"]].concat()));
        assert!(nowhere.code == 3 && nowhere.stderr.contains("--conversation: "), "{}", nowhere.stderr);
    }
    let missing = run(&mut command(&["bots", "send", "--conversation", "c", "--payload", "missing.json"]));
    assert!(
        missing.code == 3 && missing.stderr.starts_with("error[source]: missing.json: "),
        "{}",
        missing.stderr
    );
}

#[test]
fn a_long_text_is_sent_in_parts_and_a_dry_run_sends_nothing() {
    let setup = Setup::new();
    let text = "word ".repeat(2_000);
    let tried = setup.send(&[&text, "--split", "--dry-run", "--output", "json"]).json();
    assert_eq!((tried["messages"].as_array().unwrap().len(), &tried["dryRun"]), (3, &true.into()));
    let table = setup.send(&["hi", "--dry-run"]);
    assert!(
        table.code == 0 && table.stdout.ends_with("no rule is broken, nothing was sent\n"),
        "{}",
        table.stdout
    );

    let sent = setup.send(&[&text, "--split", "--output", "json", "--audit-dir", "audit"]).json();
    let digests = |report: &Value| {
        let messages = report["messages"].as_array().unwrap().iter();
        messages.map(|message| message["sha256"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(digests(&sent), digests(&tried));
    let records = setup.records();
    let recorded: Vec<_> = records.iter().map(|record| record["payloadSha256"].clone()).collect();
    assert_eq!(recorded, digests(&tried), "in this order, and nothing of the dry runs");
}

#[test]
fn a_conversation_that_is_not_there_and_strangers_are_told() {
    let setup = Setup::new();
    let ends = ["--conversation", "nowhere", "--to", "a", "--from", "b"];
    let missing = setup.run(&[&ends[..], &["hi", "--audit-dir", "audit", "--output", "json"]].concat());
    let report = missing.json();
    assert_eq!(
        (missing.code, &report["error"]["kind"], &report["ok"]),
        (5, &"not_found".into(), &false.into())
    );
    assert_eq!(
        (&report["failed"]["reason"], &report["failed"]["mayHaveArrived"]),
        (&"refused".into(), &false.into())
    );
    assert_eq!(setup.records()[0]["action"], "bot_message.failed");
    let table = setup.run(&[&ends[..], &["hi"]].concat());
    assert!(table.code == 5 && table.stderr.ends_with(" has not arrived\n"), "{}", table.stderr);

    let ends = ["--conversation", "conversation-id-789", "--to", "a", "--from", "b"];
    let strangers = setup.run(&[&ends[..], &["hi", "--check-participants"]].concat());
    assert!(strangers.code == 3 && strangers.stderr.contains("to.id is not allowed"), "{}", strangers.stderr);
    assert_eq!(setup.send(&["hi", "--check-participants"]).code, 0);
}

#[test]
fn an_origin_is_allowed_exactly_or_not_at_all() {
    let setup = Setup::new();
    let allowed =
        ["hi", "--allowed-origin", "https://shop.example", "--allowed-origin", "https://www.shop.example"];
    let from = |origin: &str| setup.send(&[&allowed[..], &["--origin", origin]].concat());
    assert_eq!(from("https://SHOP.example").code, 0);
    for origin in
        ["https://shop.example.evil.net", "https://shop.example:8443", "http://shop.example", "null"]
    {
        let refused = from(origin);
        assert!(
            refused.code == 3 && refused.stderr.starts_with("error[invalid_input]: --origin: "),
            "{origin}: {}",
            refused.stderr
        );
    }
    let wrong = setup.send(&["hi", "--allowed-origin", "https://*.example", "--origin", "https://a.example"]);
    assert!(wrong.code == 3 && wrong.stderr.contains("--allowed-origin: "), "{}", wrong.stderr);
    assert_eq!(setup.send(&["hi", "--origin", "https://shop.example"]).code, 2);
}

#[test]
fn what_goes_with_nothing_else_is_wrong_usage() {
    for wrong in [
        &[][..],
        &["hi", "--quick-reply", "a=b"],
        &["hi", "--payload", "a.json"],
        &["--payload", "a.json"],
        &["hi", "--set", "a=b"],
        &["--quick-reply", "a=b", "--split"],
        &["--quick-reply", "ab"],
        &["hi", "--dry-run", "--check-participants"],
    ] {
        let refused = run(&mut command(&[&["bots", "send"], &ENDS[..], wrong].concat()));
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{wrong:?}: {}", refused.stderr);
    }
}

#[test]
fn a_lost_answer_is_found_again() {
    let setup =
        Setup::with_faults("[[rules]]\nroute = \"send-message\"\nfault = \"drop-after\"\ntimes = 1\n");
    let sent = setup.send(&["hi", "--audit-dir", "audit", "--output", "json"]);
    assert_eq!(sent.code, 0, "{}", sent.stdout);
    let message = sent.json()["messages"][0].clone();
    assert_eq!((&message["foundAgain"], &message["latencyMs"]), (&true.into(), &Value::Null));
    assert_eq!(setup.records()[0]["details"]["messageId"], message["messageId"]);
}

#[test]
fn one_of_which_nobody_can_say_is_not_sent_again() {
    let faults = "[[rules]]\nroute = \"send-message\"\nfault = \"drop-after\"\n\n\
                  [[rules]]\nroute = \"list-messages\"\nfault = \"answer\"\nstatus = 404\n";
    let setup = Setup::with_faults(faults);
    let text = "word ".repeat(2_000);
    let lost = setup.send(&[&text, "--split", "--audit-dir", "audit"]);
    assert_eq!((lost.code, lost.stdout.as_str()), (6, ""), "{}", lost.stderr);
    let records = setup.records();
    let id = records[0]["details"]["messageId"].as_str().unwrap();
    for said in [
        format!("\nmessage {id} may have arrived: do not send it again before you have looked\n"),
        "GET /api/v2/conversations/conversation-id-789/messages lists".to_owned(),
        "`webmessaging bots receipts`".to_owned(),
        "before it 0 were sent, and 2 behind it were not\n".to_owned(),
    ] {
        assert!(lost.stderr.contains(&said), "{said}\n{}", lost.stderr);
    }
    assert!(!lost.stderr.contains("the same command can work later"), "{}", lost.stderr);
    let json = setup.send(&["hi", "--output", "json"]);
    let report = json.json();
    assert_eq!((json.code, &report["failed"]["mayHaveArrived"]), (6, &true.into()));
    assert_eq!((&report["failed"]["reason"], &report["error"]["sent"]), (&"unknown".into(), &"maybe".into()));

    // The list of receipts names it as well.
    let mut receipts = command(&["bots", "receipts", "--audit-dir", "audit", "--output", "json"]);
    let receipts = run(receipts.current_dir(setup.folder.path())).json();
    assert_eq!(
        (&receipts["mayHaveArrived"][0]["requestId"], &receipts["messages"]),
        (&json!(id), &json!([]))
    );
}

#[cfg(unix)]
#[test]
fn an_interrupted_message_may_have_arrived() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::Stdio;

    let setup = Setup::with_faults("[[rules]]\nroute = \"send-message\"\nfault = \"drop-after\"\n");
    let mut send =
        setup.emulator.called(&[&["bots", "send"], &ENDS[..], &["hi", "--output", "json", "-vv"]].concat());
    let mut child = send.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The answer is lost, and before it looks it waits.
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(log.any(|line| line.unwrap().contains("bots.message.send")), "nothing was sent");
    crate::process::signal(&child, "-INT");
    let rest = std::thread::spawn(move || log.count());
    let mut report = String::new();
    child.stdout.take().unwrap().read_to_string(&mut report).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{report}");
    rest.join().unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(
        (&report["failed"]["reason"], &report["failed"]["mayHaveArrived"]),
        (&"interrupted".into(), &true.into())
    );
    assert!(report["failed"]["requestId"].is_string(), "{report}");
}

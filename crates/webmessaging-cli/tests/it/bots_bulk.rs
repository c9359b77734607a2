//! `webmessaging bots bulk`: lists of messages, also for a process that is killed in the middle of one.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;
use webmessaging_emulator::{Emulator, RateLimit};

use crate::process::{Run, command, run};

const CONVERSATION: &str = "conversation-id-789";

struct Setup {
    runtime: tokio::runtime::Runtime,
    emulator: Emulator,
    folder: TempDir,
}

impl Setup {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let emulator = Emulator::builder().rate_limit(RateLimit::off());
        let emulator = runtime.block_on(emulator.start()).unwrap();
        Self { runtime, emulator, folder: TempDir::new().unwrap() }
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = command(&[&["bots", "bulk"], arguments].concat());
        command
            .env("GENESYS_CLIENT_ID", "demo-client")
            .env("GENESYS_CLIENT_SECRET", "demo-secret")
            .env("GENESYS_BASE_PATH", self.emulator.base_url())
            .current_dir(self.folder.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        run(&mut self.command(arguments))
    }

    fn write(&self, lines: &[Value]) {
        let lines: Vec<_> = lines.iter().map(Value::to_string).collect();
        fs::write(self.folder.path().join("list.jsonl"), lines.join("\n")).unwrap();
    }

    fn texts(&self) -> Vec<String> {
        let messages = self.emulator.messages(CONVERSATION);
        messages.iter().map(|message| message.body["text"].as_str().unwrap().to_owned()).collect()
    }
}

fn line(text: &str) -> Value {
    json!({
        "conversationId": CONVERSATION, "to": {"id": "customer-participant-id-123"},
        "from": {"id": "bot-participant-id-456"}, "type": "text", "text": text,
    })
}

const ARGUMENTS: [&str; 5] = ["list.jsonl", "--data-dir", "data", "--output", "json"];

#[test]
fn lines_are_sent_once_and_what_is_wrong_is_told() {
    let setup = Setup::new();
    setup.write(&[line("one"), line("<b>"), json!({}), line("two")]);
    let sent = setup.run(&ARGUMENTS);
    assert_eq!(sent.code, 3, "{}{}", sent.stdout, sent.stderr);
    let report = sent.json();
    assert_eq!((&report["sent"], &report["refused"], &report["ok"]), (&2.into(), &2.into(), &false.into()));
    assert_eq!(report["lines"][0]["line"], 2);
    assert_eq!(report["lines"][0]["violations"][0]["code"], "markup");
    assert_eq!(setup.texts(), ["one", "two"]);

    setup.write(&[line("one"), line("mended"), json!({}), line("changed")]);
    let again = setup.run(&ARGUMENTS).json();
    assert_eq!((&again["sent"], &again["sentBefore"]), (&1.into(), &1.into()));
    assert_eq!((&again["changed"], &again["refused"]), (&1.into(), &1.into()));
    assert_eq!(setup.texts(), ["one", "two", "mended"]);
    let table = setup.run(&ARGUMENTS[..3]);
    assert!(table.stdout.contains("line 4: not what it was in an earlier run"), "{}", table.stdout);
    // What has no name of its own would be sent again.
    for pipe in ["-", "/dev/null"] {
        let refused = setup.run(&[pipe, "--data-dir", "data"]);
        assert!(refused.code == 3 && refused.stderr.contains("--name"), "{}", refused.stderr);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_list_that_cannot_be_read_is_told_with_what_came_of_it() {
    let setup = Setup::new();
    // A file that opens, and whose first byte is nobody's.
    let arguments = ["/proc/self/mem", "--data-dir", "data", "--output", "json"];
    let ended = setup.run(&arguments);
    assert_eq!(ended.code, 3, "{}{}", ended.stdout, ended.stderr);
    let report = ended.json();
    assert_eq!((&report["ok"], &report["sent"]), (&false.into(), &0.into()));
    assert_eq!(
        (&report["error"]["kind"], &report["error"]["subject"]),
        (&"source".into(), &"/proc/self/mem".into())
    );
    let table = setup.run(&arguments[..3]);
    assert!(table.stdout.contains("sent") && table.stderr.contains("cannot be read"), "{}", table.stderr);
}

/// The lines are not at fault, and none of them is done with.
#[test]
fn a_wrong_secret_ends_as_it_does_everywhere() {
    let setup = Setup::new();
    setup.write(&[line("one"), line("two")]);
    let refused = run(setup.command(&ARGUMENTS).env("GENESYS_CLIENT_SECRET", "wrong"));
    assert_eq!(refused.code, 5, "{}{}", refused.stdout, refused.stderr);
    let told: Value = serde_json::from_str(&refused.stdout).unwrap();
    assert_eq!((&told["error"]["kind"], &told["refused"]), (&"authentication".into(), &0.into()));
    assert_eq!(setup.run(&ARGUMENTS).code, 0);
    assert_eq!(setup.texts(), ["one", "two"]);
}

#[test]
fn one_process_at_a_time_sends_lists() {
    let setup = Setup::new();
    setup.write(&[line("one")]);
    fs::create_dir(setup.folder.path().join("data")).unwrap();
    let lock = fs::File::create(setup.folder.path().join("data/bulk.lock")).unwrap();
    lock.lock().unwrap();
    let refused = setup.run(&ARGUMENTS);
    assert_eq!(refused.code, 3, "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("another process") || refused.stdout.contains("another process"));
    lock.unlock().unwrap();
    assert_eq!(setup.run(&ARGUMENTS).code, 0);
    assert_eq!(setup.texts(), ["one"]);
}

#[test]
fn a_process_that_is_killed_has_sent_nothing_twice_and_lost_nothing() {
    let setup = Setup::new();
    let expected: Vec<_> = (0..80).map(|number| number.to_string()).collect();
    setup.write(&expected.iter().map(|text| line(text)).collect::<Vec<_>>());
    for part in 1..=3 {
        let mut child = setup.command(&ARGUMENTS).stdout(std::process::Stdio::null()).spawn().unwrap();
        while setup.texts().len() < part * 20 {
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            setup.runtime.block_on(tokio::task::yield_now());
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let ended = setup.run(&ARGUMENTS);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(setup.texts(), expected);
}

#[cfg(unix)]
#[test]
fn a_list_that_stands_still_is_sent_as_far_as_it_has_come_and_can_be_interrupted() {
    use std::io::Write as _;
    use std::process::Stdio;

    let setup = Setup::new();
    let mut bulk = setup.command(&["-", "--name", "pipe", "--data-dir", "data", "--output", "json"]);
    bulk.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = bulk.spawn().unwrap();
    let mut list = child.stdin.take().unwrap();
    writeln!(list, "{{").unwrap();
    for text in ["one", "two"] {
        writeln!(list, "{}", line(text)).unwrap();
        while setup.texts().last().is_none_or(|last| last != text) {
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            setup.runtime.block_on(tokio::task::yield_now());
        }
    }
    crate::process::signal(&child, "-INT");
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{}", String::from_utf8_lossy(&ended.stderr));
    drop(list);
    // What is known by then is told.
    let told: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!((&told["ok"], &told["error"]["kind"]), (&false.into(), &"canceled".into()));
    assert_eq!((&told["refused"], &told["lines"][0]["line"]), (&1.into(), &1.into()));
    assert!(told["sent"].as_u64().is_some_and(|sent| (1..=2).contains(&sent)), "{told}");
    // Nothing is sent again, also where the end of the command came before its own note of the second line.
    let lines: Vec<_> = [line("one"), line("two"), line("three")].iter().map(Value::to_string).collect();
    fs::write(setup.folder.path().join("list.jsonl"), format!("{{\n{}", lines.join("\n"))).unwrap();
    let again = setup.run(&["list.jsonl", "--name", "pipe", "--data-dir", "data", "--output", "json"]);
    assert_eq!(again.code, 3, "{}{}", again.stdout, again.stderr);
    assert_eq!(setup.texts(), ["one", "two", "three"]);
}

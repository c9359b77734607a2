//! `webmessaging channels plan|apply|validate|export|watch` against a stand-alone emulator, in another process.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Emulator, Run, command, run};

const ID: &str = "a1b2c3d4-e5f6-7890-abcd-ef1234567890";

/// An emulator with the sample organisation, whose channels are in `channels.toml`.
struct Setup {
    emulator: Emulator,
    folder: TempDir,
}

impl Setup {
    fn exported() -> Self {
        let setup = Self { emulator: Emulator::start(&[]), folder: TempDir::new().unwrap() };
        let exported = setup.run(&["export", "--to", "channels.toml"]);
        assert_eq!((exported.code, exported.stdout.as_str()), (0, "2 channels are in channels.toml\n"));
        setup
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.emulator.called(&[&["channels"], arguments].concat());
        command.current_dir(self.folder.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        run(&mut self.command(arguments))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn edit(&self, from: &str, to: &str) {
        let text = self.text("channels.toml");
        assert!(text.contains(from), "{text}");
        fs::write(self.path("channels.toml"), text.replace(from, to)).unwrap();
    }

    /// Somebody else sets the sessions, who has no part in the file.
    fn colleague(&self, sessions: u64) {
        let text =
            format!("[[channel]]\nid = \"{ID}\"\nconfiguration.webchat.maxConcurrentSessions = {sessions}\n");
        fs::write(self.path("other.toml"), text).unwrap();
        assert_eq!(self.run(&["apply", "other.toml", "--yes", "--overwrite"]).code, 0);
    }

    fn sessions(&self) -> Value {
        self.run(&["show", ID, "--output", "json"]).json()["configuration"]["webchat"]["maxConcurrentSessions"]
            .clone()
    }
}

#[test]
fn an_export_is_a_manifest_that_changes_nothing() {
    let setup = Setup::exported();
    let planned = setup.run(&["plan", "channels.toml"]);
    let said = (planned.code, planned.stdout.as_str(), planned.stderr.as_str());
    assert_eq!(said, (0, "0 of 2 channels to change, 0 places\n", ""));
    assert!(setup.text("channels.toml").starts_with("# Primary Web Messaging\n[[channel]]\n"));
    assert!(setup.text("channels.applied.toml").contains("`webmessaging channels apply` writes it"));
    let again = setup.run(&["export", "--to", "channels.toml"]);
    assert_eq!(again.code, 3);
    assert!(again.stderr.starts_with("error[output]: channels.toml: is there already"), "{}", again.stderr);
    // Printed, it is the same text.
    assert_eq!(setup.run(&["export"]).stdout, setup.text("channels.toml"));
    let one = setup.run(&["export", ID, ID, "--output", "json"]).json();
    assert_eq!(one["manifest"]["channel"].as_array().unwrap().len(), 1);
}

#[test]
fn a_change_is_planned_confirmed_and_applied() {
    let setup = Setup::exported();
    setup.edit("maxConcurrentSessions = 500", "maxConcurrentSessions = 800");
    let plan = "a1b2c3d4-e5f6-7890-abcd-ef1234567890 (Primary Web Messaging)\n  ~ /webchat/maxConcurrentSessions: 500 -> 800\n\n\
                1 of 2 channels to change, 1 place\n";
    let planned = setup.run(&["plan", "channels.toml"]);
    assert_eq!((planned.code, planned.stdout.as_str()), (2, plan));
    let colored = run(setup.command(&["plan", "channels.toml"]).env("CLICOLOR_FORCE", "1")).stdout;
    assert!(
        colored.contains("\u{1b}[33m  ~ /webchat/maxConcurrentSessions: 500 -> 800\u{1b}[0m\n"),
        "{colored}"
    );
    let json = setup.run(&["plan", "channels.toml", "--output", "json"]).json();
    assert_eq!((&json["ok"], &json["pending"]), (&json!(true), &json!(true)));
    assert_eq!(json["channels"][0]["changes"][0]["path"], "/webchat/maxConcurrentSessions");

    let unasked = setup.run(&["apply", "channels.toml"]);
    assert_eq!(unasked.code, 2);
    let json = setup.run(&["apply", "channels.toml", "--output", "json"]);
    assert_eq!((json.code, &json.json()["error"]["kind"]), (2, &json!("confirmation")));
    assert!(unasked.stderr.contains("--yes changes without asking"), "{}", unasked.stderr);
    assert_eq!(setup.sessions(), 500);

    let applied = setup.run(&["apply", "channels.toml", "--yes", "--audit-dir", "audit"]);
    assert_eq!((applied.code, applied.stderr.as_str()), (0, ""));
    assert!(applied.stdout.ends_with(
        "a1b2c3d4-e5f6-7890-abcd-ef1234567890: 1 place changed\nc3d4e5f6-a7b8-9012-cdef-123456789012: nothing to change\n\
         channels.applied.toml is new: keep it with the manifest\n"
    ));
    assert_eq!(setup.sessions(), 800);
    let mut verify = command(&["audit", "verify", "--dir", "audit", "--output", "json"]);
    let verified = run(verify.current_dir(setup.folder.path()));
    assert_eq!((verified.code, &verified.json()["records"]), (0, &json!(1)), "{}", verified.stderr);
    assert!(setup.text("channels.applied.toml").contains("maxConcurrentSessions = 800"));
    let again = setup.run(&["apply", "channels.toml"]);
    assert_eq!(again.code, 0, "there is nothing to ask for: {}", again.stderr);
}

#[test]
fn what_a_colleague_has_changed_is_a_conflict_until_somebody_decides() {
    let setup = Setup::exported();
    setup.colleague(900);
    // The file says what it said.
    for arguments in [&["plan", "channels.toml"][..], &["apply", "channels.toml", "--yes"]] {
        let found = setup.run(arguments);
        assert_eq!(found.code, 3, "{}", found.stderr);
        assert!(found.stdout.contains("! ~ /webchat/maxConcurrentSessions: 900 -> 500"), "{}", found.stdout);
        assert!(found.stdout.contains("it was 500"), "{}", found.stdout);
        if arguments[0] == "apply" {
            let said = format!("error[conflict]: {ID}: ");
            assert!(found.stderr.starts_with(&said), "{}", found.stderr);
        }
        let json = run(setup.command(arguments).args(["--output", "json"])).json();
        assert_eq!(json["ok"], false);
        assert_eq!(json["channels"][0]["conflicts"][0]["theirs"], 900);
    }
    assert_eq!(setup.sessions(), 900);
    // Taken over.
    setup.edit("maxConcurrentSessions = 500", "maxConcurrentSessions = 900");
    let behind = setup.run(&["plan", "channels.toml"]);
    assert_eq!(behind.code, 2, "{}", behind.stdout);
    assert!(behind.stdout.contains("channels.applied.toml is behind: `apply` brings it up to date."));
    assert_eq!(setup.run(&["apply", "channels.toml"]).code, 0, "nothing changes, so nobody is asked");
    assert_eq!(setup.run(&["plan", "channels.toml"]).code, 0);
    // Or not.
    setup.colleague(1000);
    assert_eq!(setup.run(&["plan", "channels.toml"]).code, 3);
    assert_eq!(setup.run(&["apply", "channels.toml", "--yes", "--overwrite"]).code, 0);
    assert_eq!((setup.sessions(), setup.run(&["plan", "channels.toml"]).code), (json!(900), 0));
}

#[test]
fn every_mistake_of_a_manifest_is_listed_without_a_connection() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("channels.toml");
    let manifest = path.to_str().unwrap();
    fs::write(
        &path,
        "browsers = [\"safari\"]\n[[channel]]\nid = \"a\"\nconfiguration.webchat = { maxConcurrentSessions = 5000, features = [\"co-browsing\"] }\n",
    )
    .unwrap();
    let found = run(&mut command(&["channels", "validate", manifest]));
    assert_eq!(found.code, 3);
    assert_eq!(
        found.stderr.matches("\n  - channel[0].configuration.webchat.").count(),
        2,
        "{}",
        found.stderr
    );
    let rules = folder.path().join("rules.toml");
    fs::write(&rules, "maxConcurrentSessions = 5000\nbrowsers = {}\n").unwrap();
    let arguments = ["channels", "validate", manifest, "--rules", rules.to_str().unwrap()];
    let passed = run(&mut command(&arguments));
    assert_eq!(
        (passed.code, passed.stdout.as_str()),
        (0, "1 channel, no rule is broken\n"),
        "{}",
        passed.stderr
    );

    fs::write(&path, "[[channel]]\nname = \"a\"\n").unwrap();
    let broken = run(&mut command(&["channels", "validate", manifest, "--output", "json"]));
    assert_eq!((broken.code, &broken.json()["error"]["kind"]), (3, &json!("configuration")));
    assert!(broken.stdout.contains("line 2: unknown field `name`"), "{}", broken.stdout);
}

#[test]
fn a_channel_that_does_not_exist_stops_everything() {
    let setup = Setup::exported();
    setup.edit("c3d4e5f6-a7b8-9012-cdef-123456789012", "nobody");
    setup.edit("maxConcurrentSessions = 500", "maxConcurrentSessions = 800");
    let planned = setup.run(&["plan", "channels.toml"]);
    assert_eq!(planned.code, 5);
    assert!(planned.stdout.contains("nobody\n  ? there is no such channel"), "{}", planned.stdout);
    let applied = setup.run(&["apply", "channels.toml", "--yes"]);
    assert_eq!((applied.code, setup.sessions()), (5, json!(500)));
    assert!(applied.stderr.starts_with("error[not_found]: nobody: "), "{}", applied.stderr);
    assert!(applied.stderr.contains("list the channels"), "{}", applied.stderr);
}

#[test]
fn an_application_that_fails_half_way_says_what_was_done_and_can_be_undone() {
    let faults = TempDir::new().unwrap();
    let script = faults.path().join("faults.toml");
    fs::write(&script, "[[rules]]\nroute = \"update-channel\"\nnth = 2\nfault = \"answer\"\nstatus = 403\n")
        .unwrap();
    for roll_back in [false, true] {
        let emulator = Emulator::start(&["--faults", script.to_str().unwrap()]);
        let setup = Setup { emulator, folder: TempDir::new().unwrap() };
        setup.run(&["export", "--to", "channels.toml"]);
        setup.edit("queueId = \"queue-123\"", "queueId = \"queue-9\"");
        let more = if roll_back { &["--roll-back"][..] } else { &[] };
        let applied = setup.run(&[&["apply", "channels.toml", "--yes", "--output", "json"], more].concat());
        assert_eq!(applied.code, 5, "{}{}", applied.stdout, applied.stderr);
        let json = applied.json();
        let ends: Vec<_> =
            json["channels"].as_array().unwrap().iter().map(|channel| &channel["end"]).collect();
        assert_eq!(ends, ["changed", "failed"]);
        assert_eq!(json["channels"][1]["error"]["kind"], "permission");
        let remembered = setup.text("channels.applied.toml");
        if roll_back {
            assert_eq!(
                (&json["rolledBack"][0]["id"], &json["rolledBack"][0]["end"]),
                (&json!(ID), &json!("changed"))
            );
            assert!(!remembered.contains("queue-9"), "{remembered}");
        } else {
            assert_eq!(remembered.matches("queue-9").count(), 1, "{remembered}");
        }
        let pending = setup.run(&["plan", "channels.toml", "--output", "json"]).json();
        let changing = pending["channels"].as_array().unwrap().iter();
        let changing = changing.filter(|channel| channel["changes"].as_array().unwrap().len() == 1).count();
        assert_eq!(changing, if roll_back { 2 } else { 1 });
        // To do it again does the rest.
        assert_eq!(setup.run(&["apply", "channels.toml", "--yes"]).code, 0);
        assert_eq!(setup.run(&["plan", "channels.toml"]).code, 0);
    }
}

#[test]
fn a_watch_says_what_changes_line_by_line() {
    let setup = Setup::exported();
    let mut watch = setup.command(&["watch", "--every", "1", "--output", "json"]);
    let mut child = watch.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // Which of them the first look sees is not known; one of the later ones is seen as a change.
    let changed = std::thread::scope(|scope| {
        let line = scope.spawn(move || lines.next().unwrap().unwrap());
        let mut sessions = 600;
        while !line.is_finished() {
            setup.colleague(sessions);
            sessions += 1;
        }
        line.join().unwrap()
    });
    let seen: Value = serde_json::from_str(&changed).unwrap();
    assert_eq!((&seen["seen"], &seen["channel"]["id"]), (&json!("changed"), &json!(ID)));
    assert_eq!(seen["changes"][0]["path"], "/configuration/webchat/maxConcurrentSessions");
    assert!(seen["at"].as_str().is_some());
    #[cfg(unix)]
    {
        crate::process::signal(&child, "-TERM");
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// What nobody has applied here can have been changed by anybody.
#[test]
fn a_plan_says_of_which_channels_nothing_is_known() {
    let setup = Setup { emulator: Emulator::start(&[]), folder: TempDir::new().unwrap() };
    let text = format!("[[channel]]\nid = \"{ID}\"\nconfiguration.routing.queueId = \"queue-9\"\n");
    fs::write(setup.path("by-hand"), &text).unwrap();
    let planned = setup.run(&["plan", "by-hand"]);
    let said = format!("is not known of channels that were never applied: {ID}.\n");
    assert!(planned.code == 2 && planned.stdout.ends_with(&said), "{}", planned.stdout);
    let json = setup.run(&["plan", "by-hand", "--output", "json"]).json();
    assert_eq!(json["channels"][0]["wasApplied"], false);
    assert_eq!(setup.run(&["apply", "by-hand", "--yes"]).code, 0);
    assert!(setup.text("by-hand.applied.toml").contains("queue-9"));
    // A channel that is taken out of the manifest is still known.
    fs::write(setup.path("by-hand"), "").unwrap();
    assert_eq!(setup.run(&["apply", "by-hand", "--yes"]).code, 0);
    fs::write(setup.path("by-hand"), text.replace("queue-9", "queue-10")).unwrap();
    assert_eq!(setup.run(&["plan", "by-hand", "--output", "json"]).json()["channels"][0]["wasApplied"], true);
    // Two versions of what was applied say nothing.
    let applied = setup.text("by-hand.applied.toml");
    fs::write(setup.path("by-hand.applied.toml"), format!("{applied}\n{applied}")).unwrap();
    let twice = setup.run(&["plan", "by-hand"]);
    assert!(twice.code == 3 && twice.stderr.contains("twice: keep one"), "{}", twice.stderr);
}

#[cfg(unix)]
#[test]
fn an_interrupted_application_ends_in_order() {
    use std::io::Read;

    let faults = TempDir::new().unwrap();
    let script = faults.path().join("faults.toml");
    fs::write(&script, "[[rules]]\nroute = \"update-channel\"\nnth = 1\nfault = \"drop-after\"\n").unwrap();
    let emulator = Emulator::start(&["--faults", script.to_str().unwrap()]);
    let setup = Setup { emulator, folder: TempDir::new().unwrap() };
    setup.run(&["export", "--to", "channels.toml"]);
    setup.edit("queueId = \"queue-123\"", "queueId = \"queue-9\"");
    let mut command = setup.command(&["apply", "channels.toml", "--yes", "--output", "json", "-vv"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The answer is lost, and before it looks again it waits.
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(log.any(|line| line.unwrap().contains("channels.channel.update")), "nothing was changed");
    crate::process::signal(&child, "-INT");
    let rest = std::thread::spawn(move || log.count());
    let mut report = String::new();
    child.stdout.take().unwrap().read_to_string(&mut report).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{report}");
    rest.join().unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(
        (&report["channels"][0]["end"], &report["channels"][1]["end"]),
        (&json!("changed"), &json!("notTried"))
    );
    assert_eq!(setup.text("channels.applied.toml").matches("queue-9").count(), 1);
}

/// What others have written comes out of a pipe as it went in.
#[test]
fn odd_characters_are_kept() {
    let setup = Setup::exported();
    let text = format!("[[channel]]\nid = \"{ID}\"\nconfiguration.odd = \"a\\u007fb\"\n");
    fs::write(setup.path("odd.toml"), text).unwrap();
    assert_eq!(setup.run(&["apply", "odd.toml", "--yes"]).code, 0);
    let shown = setup.run(&["show", ID, "--output", "json"]).json();
    assert_eq!(shown["configuration"]["odd"], "a\u{7f}b");
}

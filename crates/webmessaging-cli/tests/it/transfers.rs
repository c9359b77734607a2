//! `webmessaging transfers` against a stand-alone emulator, in another process.

use std::process::Command;

use crate::kept::Kept;
use crate::process::{Emulator, Run, run};

const BUCKET: &str = "7ad3cbb8-0f1b-4f6d-9be8-1c2f0c5f3a10";
const EICAR: [&str; 2] = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];

struct Setup {
    kept: Kept,
    emulator: Emulator,
}

impl Setup {
    fn new() -> Self {
        Self { kept: Kept::new(), emulator: Emulator::start(&["--scan-duration", "0"]) }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.emulator.called(&[&["transfers"], arguments].concat());
        command.env("WEBMESSAGING_DATA_DIR", self.kept.path("data"));
        command.env("GENESYS_ORGANIZATION_ID", "organization-1");
        command
    }

    fn call(&self, arguments: &[&str]) -> Run {
        run(&mut self.command(&[arguments, &["--output", "json"]].concat()))
    }

    fn file(&self, what: &str, path: &str) -> Run {
        self.call(&[what, path, "--bucket", BUCKET, "--retention-days", "30"])
    }
}

#[test]
fn a_transfer_goes_from_announcement_to_verdict_in_one_call_and_only_once() {
    let setup = Setup::new();
    let path = setup.kept.write("a.txt", "words");
    let first = setup.file("upload", &path);
    assert_eq!(first.code, 0, "{}", first.stdout);
    let first = first.json();
    assert_eq!((&first["verdict"], &first["sizeBytes"]), (&"clean".into(), &5.into()));
    let again = setup.file("upload", &path).json();
    assert_eq!((&again["transferId"], &again["verdict"]), (&first["transferId"], &"clean".into()));
    assert!(again["sha256"].is_null(), "nothing was sent again: {again}");

    let virus = setup.file("upload", &setup.kept.write("eicar.txt", EICAR.concat()));
    assert_eq!((virus.code, &virus.json()["verdict"]), (4, &"malicious".into()));
    let list = setup.call(&["list"]).json();
    let verdicts: Vec<_> =
        list["transfers"].as_array().unwrap().iter().map(|one| one["verdict"].clone()).collect();
    assert_eq!(verdicts, ["clean", "malicious"], "{list}");
}

#[test]
fn the_steps_can_be_taken_one_by_one() {
    let setup = Setup::new();
    let path = setup.kept.write("a.txt", "words");
    let created = setup.file("create", &path).json();
    let id = created["transferId"].as_str().unwrap();
    assert!(created["expiresAt"].is_string(), "{created}");
    let list = setup.call(&["list"]).json();
    assert_eq!(
        (&list["transfers"][0]["transferId"], &list["transfers"][0]["state"]),
        (&id.into(), &"announced".into())
    );

    let renewed = setup.call(&["renew", id]).json();
    assert!(renewed["uploadUri"].as_str().unwrap().starts_with(setup.emulator.url()), "{renewed}");
    let uploaded = setup.file("upload", &path).json();
    assert_eq!((&uploaded["transferId"], &uploaded["verdict"]), (&id.into(), &"clean".into()));
    let waited = setup.call(&["wait", id]);
    assert_eq!((waited.code, &waited.json()["status"]), (0, &"complete".into()));
    let table = run(&mut setup.command(&["list"]));
    assert!(table.stdout.contains("finished") && table.stdout.contains("a.txt"), "{}", table.stdout);
}

#[test]
fn what_is_wrong_is_said_before_anything_is_announced() {
    let setup = Setup::new();
    let path = setup.kept.write("a.txt", "words");
    let wrong =
        setup.call(&["upload", &path, "--bucket", "b", "--retention-days", "0", "--encryption", "ROT-13"]);
    assert_eq!(wrong.code, 3);
    let rules: Vec<_> = wrong.json()["error"]["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["path"].clone())
        .collect();
    assert_eq!(
        rules,
        [
            "storageBucketReference",
            "accessPolicyDirectives.retentionDays",
            "accessPolicyDirectives.encryptionStandard"
        ]
    );
    let mut nobody = setup.command(&["wait", "t-1"]);
    let nobody = run(nobody.env_remove("GENESYS_ORGANIZATION_ID"));
    assert_eq!(nobody.code, 3);
    assert!(nobody.stderr.contains("there is no organisation"), "{}", nobody.stderr);
    assert_eq!(setup.call(&["wait", "unknown"]).code, 5);
    assert_eq!(setup.file("create", "gone.txt").code, 3);
    assert_eq!(setup.call(&["list"]).json()["transfers"], serde_json::json!([]));
}

#[test]
fn no_url_of_a_transfer_is_printed_however_much_is_said() {
    let setup = Setup::new();
    let path = setup.kept.write("a.txt", "words");
    let arguments = ["upload", &path, "--bucket", BUCKET, "--retention-days", "30", "-vvv"];
    let upload = run(setup.command(&arguments).env("RUST_LOG", "trace"));
    assert_eq!(upload.code, 0, "{}", upload.stderr);
    let text = format!("{}{}", upload.stdout, upload.stderr);
    assert!(text.contains("files.transfer.put"), "the log is empty");
    let ledger = std::fs::read_to_string(setup.kept.path("data/transfers.jsonl")).unwrap();
    assert!(!text.contains("signature=") && !ledger.contains("signature="), "{text}{ledger}");
}

#[test]
fn a_file_is_known_by_its_folder_and_by_what_may_be_done_with_it() {
    let setup = Setup::new();
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_764_060_600);
    let upload = |folder: &str, days: &str| {
        let mut command = setup.command(&["upload", "a.txt", "--bucket", BUCKET, "--output", "json"]);
        let run = run(command.args(["--retention-days", days]).current_dir(setup.kept.path(folder)));
        assert_eq!(run.code, 0, "{}", run.stdout);
        run.json()["transferId"].clone()
    };
    for (folder, words) in [("one", "words"), ("two", "other")] {
        std::fs::create_dir(setup.kept.path(folder)).unwrap();
        let path = setup.kept.write(&format!("{folder}/a.txt"), words);
        std::fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
    }
    let one = upload("one", "30");
    assert_ne!(upload("two", "30"), one);
    assert_eq!(upload("one", "30"), one);
    assert_ne!(upload("one", "60"), one);
}

#[test]
fn a_ledger_can_be_listed_while_an_upload_has_it() {
    let setup = Setup::new();
    let path = setup.kept.write("a.txt", "words");
    assert_eq!(setup.file("upload", &path).code, 0);
    let ledger = setup.kept.path("data/transfers.jsonl");
    let at_work = webmessaging::files::ledger::FileLedger::open(ledger).unwrap();
    assert_eq!(setup.file("upload", &path).code, 3, "one process at a time");
    assert_eq!(setup.call(&["list"]).json()["transfers"][0]["verdict"], "clean");
    drop(at_work);
}

#[test]
fn whatever_fails_once_a_transfer_is_announced_names_it() {
    let setup = Setup { kept: Kept::new(), emulator: Emulator::start(&["--scan-duration", "60000"]) };
    let path = setup.kept.write("a.txt", "words");
    let late = setup.call(&["upload", &path, "--bucket", BUCKET, "--retention-days", "30", "--timeout", "0"]);
    assert_eq!((late.code, &late.json()["error"]["kind"]), (6, &"timeout".into()));
    let id = late.json()["transferId"].as_str().unwrap().to_owned();
    assert_eq!(setup.call(&["list"]).json()["transfers"][0]["transferId"], *id);
    let late = setup.call(&["wait", &id, "--timeout", "0"]);
    assert_eq!((late.code, &late.json()["transferId"]), (6, &id.as_str().into()));
    let people = run(&mut setup.command(&["wait", &id, "--timeout", "0"]));
    assert_eq!((people.code, people.stdout.trim()), (6, &*format!("the transfer is {id}")));
    interrupted(&setup, &id);
}

#[cfg(unix)]
fn interrupted(setup: &Setup, id: &str) {
    use std::io::{BufRead, BufReader, Read};
    use std::process::Stdio;

    let mut command = setup.command(&["wait", id, "--output", "json", "-vv"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    // It has looked once by then.
    let looked = |line: &str| line.contains("files.transfer.get") && line.contains("answered");
    assert!(log.any(|line| looked(&line.unwrap())), "it does not look");
    crate::process::signal(&child, "-INT");
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&report["transferId"], &report["error"]["kind"]), (&id.into(), &"canceled".into()));
}

#[cfg(not(unix))]
fn interrupted(_: &Setup, _: &str) {}

#[test]
fn the_help_says_how_ledgers_and_exit_codes_go_together() {
    let help = |what: &str| run(&mut crate::process::command(&[what, "upload", "--help"])).stdout;
    assert!(help("transfers").contains("One process at a time has a ledger"));
    assert!(help("files").contains("130, 1, 6, 5, 3, 4"));
}

#[test]
fn what_is_done_is_on_record_where_that_is_wanted() {
    let setup = Setup::new();
    let audit = setup.kept.path("audit-of-it");
    let recorded = |path: &str| {
        let policy = ["--bucket", BUCKET, "--retention-days", "30"];
        setup.call(&[&["upload", path, "--audit-dir", &audit], &policy[..]].concat())
    };
    assert_eq!(recorded(&setup.kept.write("a.txt", "words")).code, 0);
    assert_eq!(recorded(&setup.kept.write("eicar.txt", EICAR.concat())).code, 4);
    let log = setup.kept.run(&["audit", "verify", "--dir", &audit, "--output", "json"]).json();
    // Of each the announcement, the bytes and the verdict.
    assert_eq!((&log["ok"], &log["records"]), (&true.into(), &6.into()), "{log}");

    let file = setup.kept.write("no-folder", "");
    let refused = setup.call(&["renew", "transfer-1", "--audit-dir", &file]);
    assert_ne!(refused.code, 0, "{}", refused.stdout);
    assert!(refused.json()["error"]["kind"].as_str().unwrap().starts_with("audit."), "{}", refused.stdout);
}

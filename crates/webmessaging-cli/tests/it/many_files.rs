//! `webmessaging files`: many files at once, what became of them, and those that are kept away.

use std::fs;

use webmessaging::model::Timestamp;
use webmessaging::store::{NewQuarantine, Quarantine};

use crate::kept::Kept;
use crate::process::{Emulator, run};

const EICAR: [&str; 2] = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];

/// Three good files, one of them below, and nothing else.
fn folder(kept: &Kept) -> String {
    fs::create_dir_all(kept.path("files/below")).unwrap();
    for name in ["a.txt", "b.txt", "below/c.txt"] {
        kept.write(&format!("files/{name}"), name);
    }
    kept.path("files")
}

#[test]
fn a_folder_is_uploaded_with_a_line_for_each_file() {
    let (kept, emulator) = (Kept::new(), Emulator::start(&[]));
    let folder = folder(&kept);
    let json = run(&mut emulator.upload(&folder, &["--output", "json"])).json();
    assert_eq!((&json["ok"], &json["good"]), (&true.into(), &2.into()), "{json}");
    assert_eq!(json["files"][1]["path"], format!("{folder}/b.txt"));
    assert_eq!((&json["files"][1]["scan"], &json["files"][1]["sizeBytes"]), (&"clean".into(), &5.into()));

    let table = run(&mut emulator.upload(&folder, &["--recursive"]));
    assert_eq!(table.code, 0);
    assert!(table.stdout.contains("c.txt") && table.stdout.ends_with("3 good\n"), "{}", table.stdout);
}

#[test]
fn each_file_has_its_own_end_and_the_worst_is_the_commands() {
    let (kept, emulator) = (Kept::new(), Emulator::start(&[]));
    let (good, virus) = (kept.write("good.txt", "words"), kept.write("eicar.txt", EICAR.concat()));
    let wrong = kept.write("two words.txt", "words");
    let blocked = run(&mut emulator.upload(&good, &[&virus]));
    assert_eq!(blocked.code, 4);
    assert!(blocked.stdout.ends_with("1 good, 1 blocked\n"), "{}", blocked.stdout);
    let refused = run(&mut emulator.upload(&good, &[&virus, &wrong, "--output", "json"]));
    assert_eq!(refused.code, 3);
    let json = refused.json();
    assert_eq!((&json["good"], &json["blocked"], &json["failed"]), (&1.into(), &1.into(), &1.into()));
    assert_eq!(json["files"][2]["error"]["violations"][0]["rule"], "upload.file_name.charset");
    let named = run(&mut emulator.upload(&good, &[&virus, "--name", "x.txt"]));
    assert_eq!(named.code, 3);
    assert!(named.stderr.contains("--name and --content-type are for a single file"), "{}", named.stderr);
}

#[test]
fn a_ledger_keeps_what_is_there_from_being_uploaded_again() {
    let (kept, emulator) = (Kept::new(), Emulator::start(&[]));
    let (folder, ledger) = (folder(&kept), kept.path("ledger"));
    let upload = |more: &[&str]| {
        let fixed = ["--ledger", &ledger, "--output", "json"];
        run(&mut emulator.upload(&folder, &[&fixed[..], more].concat())).json()
    };
    let first = upload(&[]);
    let again = upload(&["--recursive"]);
    let there: Vec<_> =
        again["files"].as_array().unwrap().iter().map(|file| file["wasThere"].clone()).collect();
    assert_eq!(there, [true, true, false]);
    assert_eq!(again["files"][0]["fileId"], first["files"][0]["fileId"]);
    kept.write("ledger", "somebody's own words\n");
    let error = upload(&[])["error"].clone();
    assert_eq!(error["kind"], "ledger");
    assert_eq!(
        error["message"],
        "the ledger cannot be used: line 1 is no entry of a ledger: name another file"
    );
}

#[test]
fn what_became_of_a_file_can_be_asked_and_a_clean_one_be_had() {
    let (kept, emulator) = (Kept::new(), Emulator::start(&[]));
    let ask = |what: &str, id: &str, more: &[&str]| {
        run(&mut emulator.called(&[&["files", what, id, "--message", "message-1"], more].concat()))
    };
    let upload = |path: &str| {
        let report = run(&mut emulator.upload(path, &["--output", "json"])).json();
        report["fileId"].as_str().unwrap().to_owned()
    };
    let good = upload(&kept.write("good.txt", "words"));
    let virus = upload(&kept.write("eicar.txt", EICAR.concat()));

    let status = ask("status", &good, &["--output", "json"]);
    assert_eq!((status.code, &status.json()["scan"]), (0, &"clean".into()));
    let status = ask("status", &virus, &[]);
    assert_eq!(status.code, 4);
    assert!(status.stdout.contains("malicious"), "{}", status.stdout);
    assert_eq!(ask("status", "unknown", &[]).code, 5);

    let url = ask("url", &good, &["--expires", "60"]);
    assert_eq!(url.code, 0);
    assert!(url.stdout.starts_with(emulator.url()) && url.stdout.contains("expires="), "{}", url.stdout);
    let url = ask("url", &virus, &[]);
    assert_eq!((url.code, url.stdout.as_str()), (4, ""));
    assert!(url.stderr.contains("its scan came to malicious"), "{}", url.stderr);
}

#[tokio::test]
async fn a_file_in_quarantine_stays_there_until_somebody_decides() {
    let kept = Kept::new();
    let store = kept.store().await;
    for file in ["f-1", "f-2"] {
        store.quarantine(NewQuarantine::new(file, "malicious", Timestamp::UNIX_EPOCH)).await.unwrap();
    }
    let files = |arguments: &[&str]| kept.run(&[&["files", "quarantine"], arguments].concat());
    let ids = || {
        let list = files(&["list", "--output", "json"]).json();
        list["files"].as_array().unwrap().iter().map(|file| file["fileId"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(), ["f-1", "f-2"]);
    let rehearsal = files(&["release", "f-1", "--note", "a false alarm", "--dry-run"]);
    assert_eq!(rehearsal.stdout, "f-1 would be noted as released; nothing was changed\n");
    assert_eq!(ids(), ["f-1", "f-2"]);
    assert_eq!(files(&["release", "f-1", "--note", "a false alarm"]).code, 0);
    assert_eq!(files(&["delete", "f-2", "--note", "deleted by hand"]).code, 0);
    assert_eq!(ids(), Vec::<serde_json::Value>::new());
    let twice = files(&["delete", "f-2", "--note", "again"]);
    assert_eq!(twice.code, 3);
    assert!(twice.stderr.contains("f-2: is not in quarantine"), "{}", twice.stderr);
}

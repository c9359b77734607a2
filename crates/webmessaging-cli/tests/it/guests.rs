//! `webmessaging guests` against a stand-alone emulator, in another process.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Emulator, Run, command, run};

const SALT: &str = "a salt that nobody else has";

struct Setup {
    emulator: Emulator,
    folder: TempDir,
}

impl Setup {
    fn new() -> Self {
        Self { emulator: Emulator::start(&[]), folder: TempDir::new().unwrap() }
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = self.emulator.called(&[&["guests"], arguments].concat());
        run(command.current_dir(self.folder.path()))
    }

    fn create(&self, payload: &Value, more: &[&str]) -> Run {
        fs::write(self.folder.path().join("guest.json"), payload.to_string()).unwrap();
        self.run(&[&["create", "guest.json", "--output", "json"], more].concat())
    }
}

fn payload() -> Value {
    json!({"channel": "webmessaging", "consent": {"marketing": true, "dataProcessing": true}})
}

#[test]
fn a_guest_is_created_shown_and_changed() {
    let setup = Setup::new();
    let created = setup.create(&payload(), &["--audit-dir", "audit"]);
    assert_eq!(created.code, 0, "{}{}", created.stdout, created.stderr);
    let (id, etag) = (created.json()["id"].as_str().unwrap().to_owned(), created.json()["etag"].clone());
    let changed = setup.run(&[
        "update",
        &id,
        "--set",
        "plan=gold",
        "--marketing",
        "no",
        "--audit-dir",
        "audit",
        "--output",
        "json",
    ]);
    assert_eq!(changed.code, 0, "{}{}", changed.stdout, changed.stderr);
    let changed = changed.json();
    assert_eq!(changed["changed"], json!(["/attributes", "/consent/marketing"]));
    assert_eq!(changed["consent"], json!({"marketing": false, "dataProcessing": true}));
    assert_ne!(changed["etag"], etag);
    let shown = setup.run(&["get", &id]);
    assert!(
        shown.stdout.contains("\"plan\": \"gold\"") && shown.stdout.contains("version"),
        "{}",
        shown.stdout
    );
    let removed = setup.run(&["update", &id, "--remove", "plan", "--output", "json"]).json();
    assert_eq!(removed["attributes"], json!({}));
    let mut verify = command(&["audit", "verify", "--dir", "audit", "--output", "json"]);
    assert_eq!(run(verify.current_dir(setup.folder.path())).json()["records"], 2);
    let engagement = setup.run(&["engagement", &id, "--push", "--output", "json"]).json();
    assert_eq!((&engagement["messages"], &engagement["pushed"]), (&json!(0), &json!(true)));
    let text = setup.run(&["engagement", &id]);
    assert!(text.code == 0 && text.stdout.contains("mean time of an answer"), "{}", text.stdout);
    let audit = setup.run(&["audit", &id, "--limit", "2", "--output", "json"]).json();
    let actions: Vec<_> = audit["entries"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["GUEST_UPDATED", "GUEST_UPDATED"]);
    let before = setup.run(&["audit", &id, "--until", "2020-01-01T00:00:00Z"]);
    assert!(before.code == 0 && before.stdout.contains("0 entries"), "{}", before.stdout);
    let nobody = setup.run(&["get", "nobody"]);
    assert!(nobody.code == 5 && nobody.stderr.starts_with("error[not_found]: nobody: "), "{}", nobody.stderr);
}

#[test]
fn what_must_not_be_sent_is_refused_and_not_repeated() {
    let setup = Setup::new();
    let mut plain = payload();
    plain["email"] = json!("jane@example.com");
    plain["attributes"] = json!({"note": "call 0171 2345678"});
    let refused = setup.create(&plain, &[]);
    let violations = refused.json()["error"]["violations"].clone();
    assert_eq!((refused.code, violations.as_array().unwrap().len()), (3, 3), "{}", refused.stdout);
    assert!(!refused.stdout.contains("jane") && !refused.stdout.contains("2345678"), "{}", refused.stdout);
    let id = setup.create(&payload(), &[]).json()["id"].as_str().unwrap().to_owned();
    let noted = setup.run(&["update", &id, "--set", "note=jane@example.com"]);
    assert!(noted.code == 3 && !noted.stderr.contains("jane"), "{}", noted.stderr);

    let mut silent = payload();
    silent["consent"]["dataProcessing"] = json!(false);
    let refused = setup.create(&silent, &[]);
    assert!(
        refused.code == 3 && refused.stdout.contains("guest.consent.data_processing"),
        "{}",
        refused.stdout
    );
    assert_eq!(setup.create(&silent, &["--without-consent"]).code, 0);
}

#[test]
fn identities_are_hashed_line_by_line() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("emails", " Jane.Doe@Example.com\n\njane.doe@example.com\n");
    write("salt", &format!("{SALT}\n"));
    let hash = |arguments: &[&str]| {
        let mut command = command(&[&["guests", "hash"], arguments].concat());
        run(command.current_dir(folder.path()).env("WEBMESSAGING_IDENTITY_SALT", SALT))
    };
    let hashed = hash(&["emails"]);
    let lines: Vec<_> = hashed.stdout.lines().collect();
    assert!(hashed.code == 0 && lines.len() == 3, "{}{}", hashed.stdout, hashed.stderr);
    assert_eq!(hash(&["emails", "--salt-file", "salt"]).stdout, hashed.stdout);
    assert_ne!(hash(&["emails", "--salted"]).stdout, hashed.stdout);

    write("phones", "030 1234567\n+49 30 1234567\n");
    let phones = hash(&["phones", "--kind", "phone", "--region", "DE", "--output", "json"]).json();
    assert_eq!(phones["hashes"][0], phones["hashes"][1]);
    write("phones", "030 1234567\nnonsense\n");
    let refused = hash(&["phones", "--kind", "phone", "--region", "DE"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (3, ""));
    assert!(
        refused.stderr.contains("line 2: phone is malformed") && !refused.stderr.contains("nonsense"),
        "{}",
        refused.stderr
    );

    // Hashes stand where their lines do, and a byte order mark is none of them.
    assert_eq!((lines[1], lines[0]), ("", lines[2]));
    write("marked", "\u{feff}jane.doe@example.com\n");
    assert_eq!(hash(&["marked"]).stdout.trim(), lines[0]);
    let bare = run(command(&["guests", "hash", "emails"]).current_dir(folder.path()));
    assert!(bare.code == 3 && bare.stderr.contains("there is no salt"), "{}", bare.stderr);
    write("salt", "default-salt");
    let known = hash(&["emails", "--salt-file", "salt"]);
    assert!(known.code == 3 && known.stderr.contains("salt is not allowed"), "{}", known.stderr);
}

/// What a list comes to.
fn import(setup: &Setup, name: &str, list: &str, more: &[&str]) -> Run {
    fs::write(setup.folder.path().join(name), list).unwrap();
    let arguments = [&["guests", "import", name, "--output", "json", "--jobs", "3"], more].concat();
    let mut command = setup.emulator.called(&arguments);
    run(command.current_dir(setup.folder.path()).env("WEBMESSAGING_IDENTITY_SALT", SALT))
}

#[test]
fn a_list_is_imported_and_what_is_wrong_is_told_line_by_line() {
    let setup = Setup::new();
    let csv = "email,phone,region,marketing,dataProcessing,campaignId,attributes.source\n\
               jane@example.com,030 1234567,DE,yes,yes,WINTER-2026,shop\n\
               \"o'neil@example.com\",,,no,1,,\n\
               nobody,nonsense,DE,no,yes,winter,call 0171 2345678\n\
               kim@example.com,,,maybe,yes,,\n\
               kim@example.com,,,no,no,,\n\
               kim@example.com,too,many,no,yes,,,,\n";
    let imported = import(&setup, "guests.csv", csv, &["--rejects", "rejects.jsonl"]);
    assert_eq!(imported.code, 3, "{}{}", imported.stdout, imported.stderr);
    let report = imported.json();
    assert_eq!(
        (&report["created"], &report["rejected"], &report["mayExist"]),
        (&json!(2), &json!(4), &json!(0))
    );
    let rejects = fs::read_to_string(setup.folder.path().join("rejects.jsonl")).unwrap();
    let mut entries: Vec<Value> = rejects.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    entries.sort_by_key(|entry| entry["line"].as_u64());
    let lines: Vec<_> = entries.iter().map(|entry| entry["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [4, 5, 6, 7]);
    assert_eq!(entries[0]["violations"].as_array().unwrap().len(), 4, "{rejects}");
    assert_eq!(entries[1]["reason"], "marketing is neither yes nor no");
    assert_eq!(entries[2]["error"]["violations"][0]["rule"], "guest.consent.data_processing");
    assert_eq!(entries[3]["reason"], "has 9 fields, and the header 7");
    for plain in ["nobody", "nonsense", "2345678", "kim", "winter"] {
        assert!(!rejects.contains(plain) && !imported.stdout.contains(plain), "{plain}: {rejects}");
    }
    // It is never overwritten.
    let again = import(&setup, "guests.csv", csv, &["--rejects", "rejects.jsonl"]);
    assert!(again.code == 3 && again.stdout.contains("is there already"), "{}", again.stdout);
    let rest = import(&setup, "guests.csv", csv, &["--from-line", "5", "--without-consent"]);
    assert_eq!((&rest.json()["created"], &rest.json()["rejected"]), (&json!(1), &json!(2)));
}

#[test]
fn json_lines_are_imported_and_what_is_not_about_a_line_ends_it() {
    let setup = Setup::new();
    let one = r#"{"email": "jane@example.com", "marketing": false, "dataProcessing": true, "attributes": {"source": "shop"}}"#;
    let list =
        format!("{one}\n\n{{\"email\": \"kim@example.com\"}}\nnonsense\n{}\n{one}", "x".repeat(300_000));
    let imported = import(&setup, "guests.jsonl", &list, &[]).json();
    assert_eq!(
        (&imported["created"], &imported["rejected"], &imported["lastLine"]),
        (&json!(2), &json!(3), &json!(6))
    );

    let unknown = import(&setup, "guests.csv", "email,shoe\n", &[]);
    assert!(unknown.code == 3 && unknown.stdout.contains("column 2 (shoe) is none"), "{}", unknown.stdout);

    let list = format!("{one}\n").repeat(50);
    let refused = import(&setup, "guests.jsonl", &list, &["--client-secret", "wrong"]);
    assert_eq!(refused.code, 5, "{}", refused.stdout);
    let report = refused.json();
    assert_eq!(
        (&report["created"], &report["rejected"], &report["complete"]),
        (&json!(0), &json!(0), &json!(false))
    );
    // Nothing is wrong with those that were begun: they are named.
    let (unfinished, end) =
        (report["unfinished"].as_array().unwrap().clone(), report["lastLine"].as_u64().unwrap());
    assert!(end < 10 && unfinished.len() as u64 == end, "{report}");
    let only: Vec<_> = unfinished.iter().map(Value::to_string).collect();
    let again = import(&setup, "guests.jsonl", &list, &["--only-lines", &only.join(",")]).json();
    assert_eq!((again["created"].as_u64(), again["ok"].as_bool()), (Some(end), Some(true)));
}

#[test]
fn odd_csv_loses_no_line() {
    let setup = Setup::new();
    let head = "email,marketing,dataProcessing,attributes.note\n";
    // A byte order mark, blank lines, a quote that is not closed, and lines behind it.
    let list =
        format!("\u{feff}{head}\n\na@example.com,yes,yes,\"oops\nb@example.com,no,yes,\"fine, thanks\"\n");
    let imported = import(&setup, "guests.csv", &list, &["--rejects", "rejects.jsonl"]).json();
    assert_eq!(
        (&imported["created"], &imported["rejected"], &imported["lastLine"]),
        (&json!(1), &json!(1), &json!(5))
    );
    let rejects = fs::read_to_string(setup.folder.path().join("rejects.jsonl")).unwrap();
    assert_eq!(rejects, "{\"line\":4,\"reason\":\"a quote is not closed in its line\"}\n");
    // A file without a header shows nobody's address, and a column that is there twice is refused.
    for (header, said) in [
        ("jane@example.com,+49301234567,yes,yes", "column 1 is none"),
        ("email,email,marketing,dataProcessing", "column 2 is there twice"),
        ("email,marketing", "has no column dataProcessing"),
        ("", "has no header"),
    ] {
        let refused = import(&setup, "other.csv", header, &[]);
        assert!(refused.code == 3 && refused.stdout.contains(said), "{said}: {}", refused.stdout);
        assert!(!refused.stdout.contains("jane"), "{}", refused.stdout);
    }
}

/// What ends an import is what is told, whatever was wrong with a line before.
#[test]
fn a_missing_network_is_no_mistake_of_a_line() {
    let folder = TempDir::new().unwrap();
    let list =
        "email,marketing,dataProcessing\na@example.com,no,no\nb@example.com,no,yes\nc@example.com,no,yes\n";
    fs::write(folder.path().join("guests.csv"), list).unwrap();
    let mut command = command(&["guests", "import", "guests.csv", "--jobs", "1", "--output", "json"]);
    command.current_dir(folder.path()).env("WEBMESSAGING_IDENTITY_SALT", SALT);
    command
        .env("GENESYS_CLIENT_ID", "id")
        .env("GENESYS_CLIENT_SECRET", "secret")
        .env("GENESYS_BASE_PATH", "http://127.0.0.1:1");
    let imported = run(&mut command);
    assert_eq!(imported.code, 6, "{}", imported.stdout);
    let report = imported.json();
    assert_eq!((&report["rejected"], &report["unfinished"]), (&json!(1), &json!([3])));
}

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
    assert!(
        hashed.code == 0 && lines.len() == 2 && lines[0] == lines[1],
        "{}{}",
        hashed.stdout,
        hashed.stderr
    );
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

    let bare = run(command(&["guests", "hash", "emails"]).current_dir(folder.path()));
    assert!(bare.code == 3 && bare.stderr.contains("there is no salt"), "{}", bare.stderr);
    write("salt", "default-salt");
    let known = hash(&["emails", "--salt-file", "salt"]);
    assert!(known.code == 3 && known.stderr.contains("salt is not allowed"), "{}", known.stderr);
}

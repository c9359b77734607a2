//! `webmessaging files upload` against a stand-alone emulator, in another process.

use std::path::Path;
use std::process::Stdio;

use crate::process::{Emulator, run};

fn file(folder: &Path, name: &str, content: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_clean_file_is_uploaded_and_reported_in_both_forms() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "some.pdf", b"%PDF-1.4\nwords");
    let emulator = Emulator::start(&[]);

    let json = run(&mut emulator.upload(&path, &["--output", "json"]));
    assert_eq!((json.code, json.stderr.as_str()), (0, ""));
    let report = json.json();
    assert_eq!(report["ok"], true);
    assert_eq!(report["fileName"], "some.pdf");
    assert_eq!(report["contentType"], "application/pdf");
    assert_eq!(report["sizeBytes"], 14);
    assert_eq!(report["scan"], "clean");

    let table = run(&mut emulator.upload(&path, &[]));
    assert_eq!(table.code, 0);
    for text in ["some.pdf", "14 B (14 bytes)", "clean"] {
        assert!(table.stdout.contains(text), "{}", table.stdout);
    }
}

#[test]
fn a_malicious_file_is_blocked() {
    let folder = tempfile::tempdir().unwrap();
    let eicar = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat();
    let path = file(folder.path(), "eicar.txt", eicar.as_bytes());
    let emulator = Emulator::start(&[]);
    let upload = run(&mut emulator.upload(&path, &["--output", "json"]));
    assert_eq!(upload.code, 4);
    assert_eq!((&upload.json()["ok"], &upload.json()["scan"]), (&false.into(), &"malicious".into()));

    let unseen = run(&mut emulator.upload(&path, &["--no-wait", "--output", "json"]));
    assert_eq!(unseen.code, 0);
    assert!(unseen.json()["scan"].is_null());
}

#[test]
fn bad_input_lists_every_broken_rule() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "two words.pdf", b"only text");
    let emulator = Emulator::start(&[]);
    let upload = run(&mut emulator.upload(&path, &[]));
    assert_eq!((upload.code, upload.stdout.as_str()), (3, ""));
    let lines: Vec<_> = upload.stderr.lines().collect();
    assert_eq!(lines[0], format!("error[invalid_input]: {path}: the input is not valid"));
    assert_eq!(
        lines[1..3],
        [
            "  - fileName has a forbidden character: at character 4, allowed are A-Z a-z 0-9 _ - .",
            "  - contentType does not match the content: found application/octet-stream, allowed is application/pdf",
        ]
    );
    assert!(lines.last().unwrap().ends_with("docs/errors.md#invalid_input"), "{}", upload.stderr);

    let json = run(&mut emulator.upload(&path, &["--output", "json"]));
    let error = &json.json()["error"];
    assert_eq!((json.code, &error["sent"]), (3, &"no".into()));
    assert_eq!(error["violations"][0]["rule"], "upload.file_name.charset");

    // Under another name and type, and without our checks, it is the platform's turn to refuse.
    let renamed = ["--name", "words.pdf", "--content-type", "text/plain"];
    assert_eq!(run(&mut emulator.upload(&path, &renamed)).code, 0);
    let refused = run(&mut emulator.upload(&path, &["--unchecked"]));
    assert_eq!(refused.code, 5);
    assert!(refused.stderr.contains("  - the server: fileName: pattern"), "{}", refused.stderr);
}

#[test]
fn a_name_that_tells_no_type_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "notes", b"words");
    let upload = run(&mut Emulator::start(&[]).upload(&path, &[]));
    assert_eq!(upload.code, 3);
    assert!(upload.stderr.contains("hint: the media type is told from the file name"), "{}", upload.stderr);
}

/// The bytes are stored; whoever waits in vain must not have to send them again.
#[test]
fn an_uploaded_file_is_reported_even_when_the_verdict_is_not_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "a.txt", b"words");
    let emulator = Emulator::start(&["--scan-duration", "60000"]);
    let json = run(&mut emulator.upload(&path, &["--scan-timeout", "0", "--output", "json"]));
    assert_eq!(json.code, 6);
    let report = json.json();
    assert!(report["fileId"].is_string() && report["scan"].is_null() && report["ok"] == false, "{report}");
    assert_eq!(report["error"]["kind"], "timeout");

    let table = run(&mut emulator.upload(&path, &["--scan-timeout", "0"]));
    assert_eq!(table.code, 6);
    assert!(table.stdout.contains("file id") && table.stdout.contains("not known"), "{}", table.stdout);
    assert!(table.stderr.contains("no scan verdict within 0 s"), "{}", table.stderr);
    assert!(table.stderr.contains("hint: the same command can work later"), "{}", table.stderr);
}

#[cfg(unix)]
#[test]
fn an_interrupted_wait_ends_at_once_and_reports_the_file() {
    use std::io::{BufRead, BufReader, Read};

    use crate::process::signal;

    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "a.txt", b"words");
    let emulator = Emulator::start(&["--scan-duration", "60000"]);
    for name in ["-INT", "-TERM"] {
        let mut upload = emulator.upload(&path, &["--output", "json", "-vv"]);
        let mut child = upload.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The second attachment request shows that the wait has begun.
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let asked = |line: &str| line.contains("files.attachment.get") && line.contains("answered");
        assert!(log.any(|line| asked(&line.unwrap())), "the scan was never asked about");
        signal(&child, name);
        let mut report = String::new();
        child.stdout.take().unwrap().read_to_string(&mut report).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert!(report["fileId"].is_string() && report["ok"] == false, "{report}");
    }
}

#[test]
fn a_reader_that_has_read_enough_is_no_trouble() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "a.txt", b"words");
    let emulator = Emulator::start(&[]);
    let mut upload =
        emulator.upload(&path, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(upload.stdout.take());
    let ended = upload.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn a_variable_set_to_nothing_is_switched_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "a.txt", b"words");
    let emulator = Emulator::start(&[]);
    let mut upload = emulator.upload(&path, &["--base-url", emulator.url(), "-vv"]);
    let upload = run(upload.env("GENESYS_LOGIN_URL", "").env("RUST_LOG", ""));
    assert_eq!(upload.code, 0, "{}", upload.stderr);
    assert!(upload.stderr.contains("files.upload.put"), "the log is empty");
}

#[test]
fn limits_are_the_users_to_raise() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "large.txt", &vec![b'a'; 11 << 20]);
    let emulator = Emulator::start(&["--max-file-size", "20000000"]);
    assert_eq!(run(&mut emulator.upload(&path, &[])).code, 3);
    assert_eq!(run(&mut emulator.upload(&path, &["--max-file-size", "20000000"])).code, 0);
}

#[test]
fn trouble_on_the_way_has_its_own_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "a.txt", b"words");
    let emulator = Emulator::start(&[]);
    let wrong = run(emulator.upload(&path, &[]).env("GENESYS_CLIENT_SECRET", "wrong"));
    assert_eq!(wrong.code, 5);
    assert!(wrong.stderr.starts_with("error[authentication]: "), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("refused the client id or client secret"), "{}", wrong.stderr);

    let plain = run(&mut emulator.upload(&path, &["--base-url", "http://api.example.com"]));
    assert_eq!(plain.code, 3);
    assert!(plain.stderr.starts_with("error[configuration]: the base url must be https"), "{}", plain.stderr);

    let nobody = run(&mut emulator.upload(&path, &["--base-url", "http://127.0.0.1:1", "--output", "json"]));
    assert_eq!((nobody.code, &nobody.json()["error"]["kind"]), (6, &"connect".into()));
}

#[test]
fn no_secret_is_printed_however_much_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "a.txt", b"confidential words");
    let emulator = Emulator::start(&["--client-secret", "swordfish"]);
    let mut upload = emulator.upload(&path, &["-vvv"]);
    let upload = run(upload.env("GENESYS_CLIENT_SECRET", "swordfish").env("RUST_LOG", "trace"));
    assert_eq!(upload.code, 0, "{}", upload.stderr);
    let text = format!("{}{}", upload.stdout, upload.stderr);
    assert!(text.contains("files.upload.put"), "the log is empty");
    for secret in ["swordfish", "signature=", "Bearer ", "Basic ", "confidential"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn what_is_done_is_on_record_where_that_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "a.txt", b"words");
    let audit = folder.path().join("audit");
    let audit = audit.to_str().unwrap();
    let emulator = Emulator::start(&[]);
    assert_eq!(run(&mut emulator.upload(&path, &["--audit-dir", audit])).code, 0);
    let verify =
        || run(&mut emulator.called(&["audit", "verify", "--dir", audit, "--output", "json"])).json();
    let records = verify()["records"].as_u64().unwrap();
    assert!(records >= 2, "the upload and its verdict");
    // Of several files as well, and of one that fails.
    let more = [file(folder.path(), "b.txt", b"more words"), "--audit-dir".to_owned(), audit.to_owned()];
    let more: Vec<_> = more.iter().map(String::as_str).collect();
    assert_eq!(run(&mut emulator.upload(&path, &more)).code, 0);
    assert_eq!(verify()["records"].as_u64().unwrap(), 3 * records);
    let failing = ["--audit-dir", audit, "--base-url", "http://127.0.0.1:1"];
    assert_eq!(run(&mut emulator.upload(&path, &failing)).code, 6);
    let log = verify();
    assert_eq!((&log["ok"], log["records"].as_u64()), (&true.into(), Some(3 * records + 1)), "{log}");
}

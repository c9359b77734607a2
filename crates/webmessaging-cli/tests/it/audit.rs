//! `webmessaging audit verify` and `export` on a log that a receiver has written.

use std::fs;

use crate::kept::Kept;
use crate::process::run;

/// A log with three records.
fn written() -> Kept {
    let kept = Kept::new();
    let receiver = kept.serve(&["--unsigned"]);
    for (records, name) in (1..).zip(["file-1", "file-2", "file-3"]) {
        assert_eq!(kept.trigger(&receiver, &["file-scanned", "--subject", name]).code, 0);
        // One after the other, since work on several deliveries at once has no order.
        kept.records(records);
    }
    kept
}

#[test]
fn an_intact_log_is_told_with_a_checkpoint_to_keep() {
    let kept = written();
    let table = kept.run(&["audit", "verify"]);
    assert_eq!((table.code, table.stderr.as_str()), (0, ""));
    assert!(table.stdout.ends_with("\nintact\n"), "{}", table.stdout);
    let json = kept.run(&["audit", "verify", "--dir", &kept.path("data/audit"), "--output", "json"]);
    let report = json.json();
    assert_eq!(
        (&report["records"], &report["files"], &report["problem"]),
        (&3.into(), &1.into(), &serde_json::Value::Null)
    );
    let checkpoint = report["checkpoint"].as_str().unwrap();
    assert!(checkpoint.starts_with("3:"), "{checkpoint}");
    assert_eq!(kept.run(&["audit", "verify", "--expect", checkpoint]).code, 0);
}

#[test]
fn a_record_that_was_changed_is_named_with_file_and_line() {
    let kept = written();
    let text = fs::read_to_string(kept.audit_file()).unwrap();
    fs::write(kept.audit_file(), text.replace("file-2", "file-9")).unwrap();
    let table = kept.run(&["audit", "verify"]);
    assert_eq!((table.code, table.stderr.as_str()), (7, ""));
    let told = "\nNOT intact: audit-00000000000000000001.jsonl:2: record 2 is not what was written\n";
    assert!(table.stdout.ends_with(told), "{}", table.stdout);
    let json = kept.run(&["audit", "verify", "--output", "json"]);
    let report = json.json();
    assert_eq!((json.code, &report["ok"], &report["records"]), (7, &false.into(), &1.into()));
    assert_eq!((&report["problem"]["line"], &report["problem"]["fault"]), (&2.into(), &"hash".into()));
    // A program that cannot read on says so as well.
    fs::write(kept.audit_file(), text.replacen('{', "", 1)).unwrap();
    let export = kept.run(&["audit", "export"]);
    assert_eq!(export.code, 7);
    assert!(export.stderr.starts_with("error[audit.damaged]: "), "{}", export.stderr);
}

#[test]
fn an_end_that_was_cut_off_is_found_by_a_checkpoint_only() {
    let kept = written();
    let report = kept.run(&["audit", "verify", "--output", "json"]).json();
    let text = fs::read_to_string(kept.audit_file()).unwrap();
    let whole: Vec<_> = text.split_inclusive('\n').collect();
    fs::write(kept.audit_file(), whole[..2].concat()).unwrap();
    assert_eq!(kept.run(&["audit", "verify"]).code, 0);
    let cut = kept.run(&["audit", "verify", "--expect", report["checkpoint"].as_str().unwrap()]);
    assert_eq!(cut.code, 7);
    assert!(cut.stdout.contains("jsonl:2: record 3 is missing at the end"), "{}", cut.stdout);
    // A last line without an end can be one that is just being written.
    fs::write(kept.audit_file(), text.trim_end()).unwrap();
    let torn = kept.run(&["audit", "verify"]);
    assert_eq!(torn.code, 7);
    assert!(
        torn.stdout.contains("jsonl:3: record 3 has no line end\na log that is being written to"),
        "{}",
        torn.stdout
    );
}

#[test]
fn records_are_copied_out_as_they_are() {
    let kept = written();
    let text = fs::read_to_string(kept.audit_file()).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    assert_eq!(kept.run(&["audit", "export"]).stdout, text);
    assert_eq!(kept.run(&["audit", "export", "--subject", "file:file-2"]).stdout, lines[1]);
    let time = |line: &str| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["time"].as_str().unwrap().to_owned()
    };
    assert_eq!(kept.run(&["audit", "export", "--until", &time(lines[0])]).stdout, "");
    assert_eq!(kept.run(&["audit", "export", "--since", &time(lines[0])]).stdout, text);

    let out = kept.path("copy.jsonl");
    let export = ["audit", "export", "--out", &out, "--output", "json"];
    let copied = kept.run(&export);
    assert_eq!((copied.code, &copied.json()["records"]), (0, &3.into()));
    assert_eq!(fs::read_to_string(&out).unwrap(), text);
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&out).unwrap().permissions()) & 0o777,
        0o600
    );
    // Nothing is written over, least of all the log.
    for out in [&out, kept.audit_file().to_str().unwrap()] {
        let again = kept.run(&["audit", "export", "--out", out]);
        assert_eq!(again.code, 3);
        let message = format!("error[output]: {out}: is there already: name a new file\n");
        assert!(again.stderr.starts_with(&message), "{}", again.stderr);
    }
    let nowhere = kept.run(&["audit", "export", "--out", &kept.path("missing/copy.jsonl")]);
    assert_eq!(nowhere.code, 1);
    assert!(nowhere.stderr.starts_with("error: the file cannot be written: "), "{}", nowhere.stderr);
}

#[test]
fn a_reader_that_has_read_enough_is_no_trouble() {
    let kept = written();
    let mut export = kept.command(&["audit", "export"]);
    let mut child =
        export.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn what_is_not_there_is_not_intact() {
    let kept = Kept::new();
    for command in [&["audit", "verify"][..], &["audit", "export"]] {
        let missing = kept.run(command);
        assert_eq!((missing.code, missing.stdout.as_str()), (3, ""));
        let message = format!("error[not_found]: {}: there is no audit log\n", kept.path("data/audit"));
        assert!(missing.stderr.starts_with(&message), "{}", missing.stderr);
    }
    fs::create_dir_all(kept.path("data/audit")).unwrap();
    assert_eq!(kept.run(&["audit", "verify"]).code, 3, "an empty folder is not one either");
    let checkpoint = format!("1:{}", "0".repeat(64));
    assert_eq!(kept.run(&["audit", "verify", "--expect", &checkpoint]).code, 7, "but there was one");
    for wrong in [["--expect", "3"], ["--dir", "a"]] {
        let both = run(kept.command(&["audit", "verify", "--data-dir", "b"]).args(wrong));
        assert_eq!(both.code, 2, "{}", both.stderr);
    }
    assert_eq!(kept.run(&["audit", "export", "--subject", "file"]).code, 2);
}

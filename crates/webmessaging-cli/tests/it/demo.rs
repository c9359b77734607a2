//! `webmessaging demo`, the first thing a newcomer types.

use crate::process::{command, run};

#[test]
fn it_reports_to_programs() {
    let demo = run(&mut command(&["demo", "--output", "json"]));
    assert_eq!((demo.code, demo.stderr.as_str()), (0, ""));
    let report = demo.json();
    assert_eq!(report["ok"], true);
    let uploads = &report["systems"]["uploads"];
    for (figure, value) in
        [("uploaded", 2), ("clean", 1), ("blocked", 1), ("refused", 1), ("retries", 1), ("logins", 1)]
    {
        assert_eq!(uploads[figure], value, "{figure}");
    }
    assert_eq!(uploads["ok"], true);
    let systems = &report["systems"];
    assert_eq!(
        (&systems["transfers"]["verdict"], &systems["transfers"]["renewals"]),
        (&"clean".into(), &1.into())
    );
    for (system, figure, value) in [
        ("bots", "sent", 4),
        ("bots", "requests", 4),
        ("bots", "refused", 1),
        ("bots", "foundAgain", 1),
        ("bots", "toldLater", 5),
        ("bots", "read", 3),
        ("webhooks", "accepted", 3),
        ("webhooks", "duplicates", 1),
        ("webhooks", "refused", 1),
        ("webhooks", "quarantined", 1),
        ("channels", "found", 2),
        ("channels", "violations", 3),
        ("channels", "attempts", 2),
        ("channels", "conflicts", 1),
        ("guests", "rounds", 2),
        ("guests", "conflicts", 1),
        ("sync", "busy", 2),
        ("sync", "repeated", 0),
        ("sync", "guests", 4),
        ("sync", "crmBusy", 2),
        ("sync", "crmRepeated", 0),
    ] {
        assert_eq!(systems[system][figure], value, "{system} {figure}");
        assert_eq!(systems[system]["ok"], true, "{system}");
    }
    assert_eq!(systems["sync"]["files"], serde_json::json!(["sample-document.pdf"]));
    assert_eq!((&systems["audit"]["ok"], &systems["audit"]["intact"]), (&true.into(), &true.into()));
    assert!(
        systems["audit"]["tampering"].as_str().unwrap().ends_with("is not what was written"),
        "{systems}"
    );
    // sha256sum of the EICAR test file
    let eicar = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f";
    assert_eq!(
        (&uploads["files"][1]["sha256"], &uploads["files"][1]["scan"]),
        (&eicar.into(), &"malicious".into())
    );
}

#[test]
fn it_reports_to_people() {
    let demo = run(&mut command(&["demo"]));
    assert_eq!((demo.code, demo.stderr.as_str()), (0, ""));
    for text in
        ["nothing leaves this machine", "sample-document.pdf", "malicious, blocked", "0 requests sent"]
    {
        assert!(demo.stdout.contains(text), "{text} is missing in\n{}", demo.stdout);
    }
    for system in ["uploads", "transfers", "channels", "guests", "bots", "webhooks", "sync", "audit"] {
        let end = format!("{system}: everything went as expected\n");
        assert!(demo.stdout.contains(&end), "{}", demo.stdout);
    }
    assert!(!demo.stdout.contains('\u{1b}'), "colour where nobody asked for it");
}

#[test]
fn it_takes_a_file_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.txt");
    std::fs::write(&path, "my own words").unwrap();
    let path = path.to_str().unwrap();
    let demo = run(&mut command(&["demo", "--file", path, "--output", "json"]));
    assert_eq!(demo.code, 0);
    let systems = &demo.json()["systems"];
    assert_eq!(systems["uploads"]["files"][2]["fileName"], "mine.txt");
    assert_eq!(systems["sync"]["files"].as_array().map(Vec::len), Some(2));

    let demo = run(&mut command(&["demo", "--file", "missing.txt"]));
    assert_eq!(demo.code, 0);
    assert!(demo.stdout.contains("missing.txt: files.upload.create"), "{}", demo.stdout);
}

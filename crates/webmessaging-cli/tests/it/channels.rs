//! `webmessaging channels` against a stand-alone emulator, in another process.

use crate::process::{Emulator, run};

#[test]
fn channels_are_listed_in_both_forms() {
    let emulator = Emulator::start(&[]);
    let table = run(&mut emulator.called(&["channels", "list"]));
    assert_eq!((table.code, table.stderr.as_str()), (0, ""));
    for text in [
        "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        "Primary Web Messaging",
        "Mobile App",
        "queue-123",
        "500",
        "2 channels",
    ] {
        assert!(table.stdout.contains(text), "{text}: {}", table.stdout);
    }
    assert!(!table.stdout.contains("Support Mail"), "{}", table.stdout);

    let json = run(&mut emulator.called(&["channels", "list", "--all", "--output", "json"])).json();
    let names: Vec<_> = json["channels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|channel| channel["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Primary Web Messaging", "Support Mail", "Mobile App"]);
}

#[test]
fn a_channel_is_shown_whole_and_one_that_is_not_there_is_explained() {
    let emulator = Emulator::start(&[]);
    let show =
        |id: &str, more: &[&str]| run(&mut emulator.called(&[&["channels", "show", id], more].concat()));
    let id = "a1b2c3d4-e5f6-7890-abcd-ef1234567890";
    let shown = show(id, &["--output", "json"]).json();
    assert_eq!((&shown["ok"], &shown["id"]), (&true.into(), &id.into()));
    assert_eq!(shown["configuration"]["routing"]["assignmentMode"], "longest-idle");
    let text = show(id, &[]);
    assert!(text.stdout.contains(r#""assignmentMode": "longest-idle""#), "{}", text.stdout);

    let nobody = show("channel-2", &[]);
    assert_eq!((nobody.code, nobody.stdout.as_str()), (5, ""));
    assert!(nobody.stderr.starts_with("error[not_found]: channel-2: "), "{}", nobody.stderr);
    assert!(nobody.stderr.contains("list the channels"), "{}", nobody.stderr);
}

//! The recipes of `docs/reference/audit-log.md` do what the page says, with the tools that it names.

use std::process::Command;

use webmessaging_journal::audit::{AuditLog, Retention};

use crate::samples::{files, lines, log, write_lines};

const PAGE: &str = include_str!("../../../../docs/reference/audit-log.md");

/// The block of this language in the page.
fn recipe(language: &str) -> String {
    let fence = format!("```{language}\n");
    let (_, rest) = PAGE.split_once(&fence).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

fn is_there(tool: &str) -> bool {
    Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Runs the recipe on a good log, on a changed one and on one with a gap.
async fn check(tools: &[&str], run: impl Fn(&std::path::Path) -> Command) {
    if let Some(missing) = tools.iter().find(|tool| !is_there(tool)) {
        println!("skipped: {missing} is not on this machine");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 6, 1_500).await;
    let output = run(folder.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.trim(), "good up to record 6");

    // With a stub in place of the first files.
    let log = AuditLog::builder(folder.path()).file_bytes(1).open().unwrap();
    log.retain(Retention::new("retention").keep_bytes(2_000)).await.unwrap().unwrap();
    log.close().await.unwrap();
    let output = run(folder.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "good up to record 7");

    let file = &files(folder.path())[0];
    let good = lines(file);
    let mut changed = good.clone();
    changed[0] = changed[0].replace("tester", "nobody");
    for bad in [changed, good[1..].to_vec()] {
        write_lines(file, &bad);
        assert!(!run(folder.path()).output().unwrap().status.success());
    }
}

#[tokio::test]
async fn with_jq_and_sha256sum() {
    check(&["jq", "sha256sum", "sed"], |folder| {
        let mut shell = Command::new("sh");
        shell.args(["-c", &recipe("sh")]).current_dir(folder);
        shell
    })
    .await;
}

#[tokio::test]
async fn with_python() {
    check(&["python3"], |folder| {
        let mut python = Command::new("python3");
        python.args(["-c", &recipe("python")]).current_dir(folder);
        python
    })
    .await;
}

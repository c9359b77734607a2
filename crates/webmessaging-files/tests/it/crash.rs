//! A batch in a process that is killed, over and over: everything arrives, and only what was on its way is sent again.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use webmessaging_emulator::{Emulator, Route};
use webmessaging_files::FilesClient;
use webmessaging_files::ledger::{FileLedger, Ledger, LedgerState};
use webmessaging_http::{Client, Credentials};

use crate::setup::{CHANNEL, MESSAGE, pdf};

const URL: &str = "BATCH_CHILD_URL";
const FOLDER: &str = "BATCH_CHILD_FOLDER";
const AT_ONCE: usize = 4;

fn child(url: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["crash::a_child_uploads_a_folder", "--exact", "--nocapture"])
        .env(URL, url)
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Not a test when nobody has started it as a child.
#[test]
fn a_child_uploads_a_folder() {
    let (Ok(url), Ok(folder)) = (std::env::var(URL), std::env::var(FOLDER)) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let http = Client::builder(Credentials::new("demo-client", "demo-secret")).base_url(url).build().unwrap();
    let ledger = FileLedger::open(format!("{folder}.ledger")).unwrap();
    let batch = FilesClient::new(http).batch().directory(folder).channel(CHANNEL).message(MESSAGE);
    let report = runtime.block_on(batch.concurrency(AT_ONCE).ledger(ledger).into_future()).unwrap();
    assert_eq!(report.failed().count(), 0, "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_arrives_however_often_the_process_is_killed() {
    const FILES: usize = 60;
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("files");
    fs::create_dir(&folder).unwrap();
    for number in 0..FILES {
        fs::write(folder.join(format!("{number:02}.pdf")), pdf(50_000 + number)).unwrap();
    }
    let emulator = Emulator::builder().scan_duration(Duration::ZERO).start().await.unwrap();
    let arrived = || emulator.count(Route::PutUpload);
    let mut kills = 0;
    loop {
        let mut child = child(emulator.base_url(), &folder);
        // Some die with the first bytes, some later.
        let enough = arrived() + 1 + kills * 3 % 7;
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if arrived() >= enough {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            tokio::task::yield_now().await;
        };
        match ended {
            Some(status) => {
                assert!(status.success(), "{status}");
                break;
            }
            None => kills += 1,
        }
    }
    assert!(kills >= 5, "killed {kills} times only");
    let entries = FileLedger::open(outer.path().join("files.ledger")).unwrap().entries().await.unwrap();
    assert!(entries.iter().all(|entry| entry.state == LedgerState::Finished), "{entries:?}");
    let names: BTreeSet<_> = entries.iter().map(|entry| entry.key.rsplit('/').next().unwrap()).collect();
    assert_eq!(names.len(), FILES);
    let stored = emulator
        .requests()
        .into_iter()
        .filter(|request| request.route == Some(Route::PutUpload) && request.status == Some(200));
    let again = stored.count() - FILES;
    assert!(again <= kills * AT_ONCE, "{again} were sent again after {kills} deaths");
}

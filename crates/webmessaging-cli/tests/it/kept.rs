//! A data directory with secrets, a receiver on it, and a store to put things into.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use webmessaging::model::Timestamp;
use webmessaging::store::{Inbox, NewDelivery, NewItem, Outbox, SqliteOptions, SqliteStore};

use crate::process::{Listening, Run, command, run};

/// The secret that no output may have.
pub(crate) const SECRET: &str = "swordfish-swordfish-swordfish";

/// When things happened in the stores of these tests.
pub(crate) const AT: Timestamp = Timestamp::from_unix_millis(1_764_060_600_000);

const LEASE: Duration = Duration::from_secs(60);

pub(crate) struct Kept(TempDir);

impl Kept {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("2026-11"), format!("{SECRET}\n")).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.0.path().join(name), content).unwrap();
        self.path(name)
    }

    pub(crate) fn secret(&self) -> String {
        self.path("2026-11")
    }

    /// A command on this data directory.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command.env("WEBMESSAGING_DATA_DIR", self.path("data"));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        run(&mut self.command(arguments))
    }

    pub(crate) fn serve(&self, more: &[&str]) -> Listening {
        let mut command = self.command(&["webhooks", "serve", "--listen", "127.0.0.1:0"]);
        // What goes wrong is in the answers and in the store.
        command.args(more).env("RUST_LOG", "off");
        Listening::start(command)
    }

    pub(crate) fn trigger(&self, receiver: &Listening, more: &[&str]) -> Run {
        let url = format!("{}/webhooks/genesys", receiver.url());
        let fixed =
            ["webhooks", "trigger", "--url", &url, "--secret-file", &self.secret(), "--output", "json"];
        self.run(&[&fixed, more].concat())
    }

    /// The records of the audit log, once there are so many; the work on deliveries comes after their answer.
    pub(crate) fn records(&self, count: usize) -> Vec<serde_json::Value> {
        for _ in 0..500 {
            let export = self.run(&["audit", "export"]);
            assert_eq!((export.code, export.stderr.as_str()), (0, ""));
            let records: Vec<_> =
                export.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            if records.len() >= count {
                return records;
            }
        }
        panic!("there are never {count} records");
    }

    /// The files of the audit log.
    pub(crate) fn audit_file(&self) -> PathBuf {
        Path::new(&self.path("data")).join("audit/audit-00000000000000000001.jsonl")
    }

    pub(crate) async fn store(&self) -> SqliteStore {
        SqliteStore::open(SqliteOptions::new(Path::new(&self.path("data")).join("store.db"))).await.unwrap()
    }

    /// Puts an item into the outbox, and then to the dead letters.
    pub(crate) async fn bury(&self, item: NewItem, reason: &str) {
        let store = self.store().await;
        let target = item.target.clone();
        store.enqueue(vec![item], AT).await.unwrap();
        let claimed = store.claim_items(&target, "test", 1, LEASE, AT).await.unwrap();
        store.bury_item(&claimed[0].claim, reason, AT).await.unwrap();
    }

    /// Takes a delivery into the inbox, and then puts it to the dead letters.
    pub(crate) async fn bury_delivery(&self, body: &'static str, reason: &str) {
        let store = self.store().await;
        store.accept(NewDelivery::new("genesys", "key", "my.own.event", AT).body(body)).await.unwrap();
        let claimed = store.claim_deliveries("test", 1, LEASE, AT).await.unwrap();
        store.bury_delivery(&claimed[0].claim, reason, AT).await.unwrap();
    }
}

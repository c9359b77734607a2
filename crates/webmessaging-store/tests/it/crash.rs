//! Processes and servers that are killed: what was acknowledged is there, once.

use std::collections::BTreeSet;
use std::io::{BufRead, Read};

use webmessaging_store::{
    Accepted, Effects, Enqueued, Inbox, NewItem, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore,
    Store,
};

use crate::child::{GROUP, Orders, accept_group, round_begins, start, worker};
use crate::server::Server;
use crate::sqlite::runtime;
use crate::suite::{LEASE, at, delivery};

/// What children said was done.
#[derive(Debug, Default)]
struct Said {
    accepted: BTreeSet<i64>,
    finished: BTreeSet<String>,
    delivered: BTreeSet<String>,
}

impl Said {
    fn hear(&mut self, line: &str) {
        let Some((what, which)) = line.trim_end().split_once(' ') else { return };
        let is_first = match what {
            "accepted" => self.accepted.insert(which.parse().unwrap()),
            "finished" => self.finished.insert(which.to_owned()),
            "delivered" => self.delivered.insert(which.to_owned()),
            // The test harness of the child speaks, too.
            _ => true,
        };
        assert!(is_first, "twice: {line}");
    }

    /// Hears so many acknowledgements, or all there are.
    fn hear_some(&mut self, lines: &mut impl BufRead, count: usize) {
        let mut line = String::new();
        let before = self.count();
        while self.count() < before + count && lines.read_line(&mut line).unwrap() > 0 {
            self.hear(&line);
            line.clear();
        }
    }

    fn hear_the_rest(&mut self, lines: &mut impl BufRead) {
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        // The last line may be cut off: then nobody can have relied on it.
        let whole = rest.rfind('\n').map_or("", |end| &rest[..end]);
        whole.lines().for_each(|line| self.hear(line));
    }

    fn count(&self) -> usize {
        self.accepted.len() + self.finished.len() + self.delivered.len()
    }

    /// Everything that was said is so, and everything that was begun comes to its end once.
    async fn check(&self, store: &dyn Store, rounds: i64) {
        let now = at(round_begins(rounds));
        for number in &self.accepted {
            let answer = store.accept(delivery(*number)).await.unwrap();
            assert!(matches!(answer, Accepted::Duplicate { .. }), "lost delivery {number}");
        }
        for key in &self.finished {
            let item = NewItem::new("crm", key.clone(), "kind", now);
            let answers = store.enqueue(vec![item], now).await.unwrap();
            assert!(matches!(answers[..], [Enqueued::Known(_)]), "lost item {key}");
        }
        let mut worked_on = BTreeSet::new();
        loop {
            let claimed = store.claim_deliveries("check", 500, LEASE, now).await.unwrap();
            if claimed.is_empty() {
                break;
            }
            for claimed in claimed {
                assert!(!self.finished.contains(&claimed.content_key), "finished, and claimed again");
                assert!(worked_on.insert(claimed.content_key.clone()), "claimed twice");
                let item = NewItem::new("crm", claimed.content_key, "kind", now);
                let effects = Effects::none().enqueue(item);
                store.finish_delivery(&claimed.claim, effects, now).await.unwrap();
            }
        }
        let mut delivered = BTreeSet::new();
        loop {
            let items = store.claim_items("crm", "check", 500, LEASE, now).await.unwrap();
            if items.is_empty() {
                break;
            }
            for item in items {
                assert!(!self.delivered.contains(&item.idempotency_key), "delivered, and claimed again");
                assert!(delivered.insert(item.idempotency_key.clone()), "claimed twice");
                assert_eq!(store.mark_delivered(&[item.claim], now).await.unwrap(), []);
            }
        }
        // Every delivery has led to its item.
        for number in &self.accepted {
            let key = delivery(*number).content_key;
            let answers = store.enqueue(vec![NewItem::new("crm", key, "kind", now)], now).await.unwrap();
            assert!(matches!(answers[..], [Enqueued::Known(_)]), "no item for delivery {number}");
        }
        let stats = store.outbox_stats(None, now).await.unwrap();
        assert_eq!((stats.due, stats.waiting, stats.leased, stats.dead), (0, 0, 0, 0));
    }
}

#[test]
fn what_was_acknowledged_survives_the_death_of_the_process() {
    const ROUNDS: i64 = 50;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut said = Said::default();
    for round in 0..ROUNDS {
        let (mut child, mut lines) = worker(path.to_str().unwrap(), round);
        // Some die at once, some in the middle of more.
        said.hear_some(&mut lines, usize::try_from(round * 37 % 150).unwrap());
        child.kill().unwrap();
        said.hear_the_rest(&mut lines);
        child.wait().unwrap();
    }
    assert!(said.accepted.len() > 100 && !said.finished.is_empty() && !said.delivered.is_empty());
    runtime().block_on(async {
        let store = SqliteStore::open(SqliteOptions::new(&path)).await.unwrap();
        said.check(&store, ROUNDS).await;
    });
}

/// Keys of deliveries move into their table when there are many: whoever dies in the middle of that leaves none behind.
#[test]
fn what_was_seen_is_known_whenever_the_process_dies_while_keys_move() {
    const ROUNDS: usize = 24;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut accepted = 0;
    for round in 0..ROUNDS {
        let (mut child, mut lines) = start(Orders::Accept, path.to_str().unwrap(), accepted);
        let mut said = String::new();
        // A move begins after 16,384 of them and takes as many: some die before it, some in it.
        for _ in 0..10 + round * 7 % 40 {
            lines.read_line(&mut said).unwrap();
        }
        child.kill().unwrap();
        lines.read_to_string(&mut said).unwrap();
        child.wait().unwrap();
        let whole = said.rfind('\n').map_or("", |end| &said[..end]);
        let last = whole.lines().filter_map(|line| line.strip_prefix("accepted ")).next_back();
        accepted = last.map_or(accepted, |last| last.parse().unwrap());
    }
    assert!(accepted > 65_536, "too few for a move: {accepted}");
    runtime().block_on(async {
        let store = SqliteStore::open(SqliteOptions::new(&path)).await.unwrap();
        for first in (0..accepted).step_by(usize::try_from(GROUP).unwrap()) {
            assert_eq!(accept_group(&store, first).await, 0, "forgotten from {first} on");
        }
        // What was on its way when the last one died can be there or not, and is there once now.
        accept_group(&store, accepted).await;
        let stats = store.inbox_stats(at(0)).await.unwrap();
        assert_eq!(i64::try_from(stats.due + stats.waiting).unwrap(), accepted + GROUP);
    });
    let connection = rusqlite::Connection::open(&path).unwrap();
    let moved: i64 =
        connection.query_row("select count(*) from delivery_keys", [], |row| row.get(0)).unwrap();
    assert!(moved > 65_536, "too few have moved: {moved}");
}

#[test]
fn two_processes_share_a_file_and_one_of_them_dies() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut said = Said::default();
    // Different rounds: their deliveries are different ones, and both work on all of them.
    let (mut first, mut of_first) = worker(path.to_str().unwrap(), 1);
    let (mut second, mut of_second) = worker(path.to_str().unwrap(), 2);
    said.hear_some(&mut of_first, 30);
    said.hear_some(&mut of_second, 30);
    first.kill().unwrap();
    said.hear_the_rest(&mut of_first);
    first.wait().unwrap();
    // The other one goes on.
    said.hear_some(&mut of_second, 30);
    second.kill().unwrap();
    said.hear_the_rest(&mut of_second);
    second.wait().unwrap();
    for round in [1, 2] {
        let numbers = round * 1_000_000..(round + 1) * 1_000_000;
        assert!(said.accepted.range(numbers).next().is_some(), "one of them did not get its turn");
    }
    runtime().block_on(async {
        let store = SqliteStore::open(SqliteOptions::new(&path)).await.unwrap();
        said.check(&store, 3).await;
    });
}

#[test]
fn what_was_acknowledged_survives_the_death_of_the_server() {
    const ROUNDS: i64 = 4;
    // With its flushes, which are what is tested.
    let Some(server) = Server::start("") else { return };
    let runtime = runtime();
    let url = runtime.block_on(server.database());
    let mut said = Said::default();
    for round in 0..ROUNDS {
        let (mut child, mut lines) = worker(&url, round);
        said.hear_some(&mut lines, 60 + usize::try_from(round * 50).unwrap());
        server.kill();
        // Its calls fail, and it ends by itself.
        said.hear_the_rest(&mut lines);
        child.wait().unwrap();
        server.revive();
    }
    assert!(said.accepted.len() > 50 && !said.finished.is_empty());
    runtime.block_on(async {
        let options = PostgresOptions::new(url).callers_clock();
        let store = PostgresStore::open(options).await.unwrap();
        said.check(&store, ROUNDS).await;
    });
}

//! A bare loop that groups commits: what SQLite and the disk allow, without a store.

use std::path::Path;

use rusqlite::{Connection, params};
use tokio::sync::{mpsc, oneshot};
use webmessaging_store::NewDelivery;

#[derive(Clone, Copy)]
pub(crate) enum Keys {
    One,
    Two,
}

pub(crate) struct Bare(mpsc::Sender<(NewDelivery, oneshot::Sender<()>)>);

impl Bare {
    pub(crate) fn open(path: &Path, keys: Keys) -> Self {
        let connection = Connection::open(path).unwrap();
        connection
            .execute_batch(
                "pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 4000;
                create table deliveries (
                    id integer primary key, source text not null, delivery_id text, content_key text not null,
                    event_type text not null, received_at integer not null, body blob not null
                ) strict;
                create unique index by_content on deliveries (source, content_key);",
            )
            .unwrap();
        if matches!(keys, Keys::Two) {
            let sql = "create unique index by_id on deliveries (source, delivery_id)";
            connection.execute_batch(sql).unwrap();
        }
        let (calls, mut queue) = mpsc::channel::<(NewDelivery, oneshot::Sender<()>)>(1_024);
        std::thread::spawn(move || {
            let mut group = Vec::new();
            let sql =
                "insert into deliveries (source, delivery_id, content_key, event_type, received_at, body)
                values (?1, ?2, ?3, ?4, ?5, ?6)";
            let mut insert = connection.prepare(sql).unwrap();
            let mut begin = connection.prepare("begin immediate").unwrap();
            let mut commit = connection.prepare("commit").unwrap();
            while queue.blocking_recv_many(&mut group, 256) > 0 {
                begin.execute([]).unwrap();
                for (delivery, _) in &group {
                    let values = params![
                        delivery.source,
                        delivery.delivery_id,
                        delivery.content_key,
                        delivery.event_type,
                        delivery.received_at.unix_millis(),
                        &*delivery.body,
                    ];
                    insert.execute(values).unwrap();
                }
                commit.execute([]).unwrap();
                for (_, answer) in group.drain(..) {
                    answer.send(()).unwrap();
                }
            }
        });
        Self(calls)
    }

    pub(crate) async fn insert(&self, delivery: NewDelivery) {
        let (answer, done) = oneshot::channel();
        self.0.send((delivery, answer)).await.unwrap();
        done.await.unwrap();
    }
}

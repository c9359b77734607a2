//! The least that is as durable: one key, one table, one commit for all that wait.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::sync::{mpsc, oneshot};
use webmessaging_model::Timestamp;
use webmessaging_webhooks::Verifier;

use crate::{secret, serve, start};

type Row = (String, Bytes, oneshot::Sender<()>);

fn writer(path: &std::path::Path) -> mpsc::Sender<Row> {
    let (sender, mut rows) = mpsc::channel::<Row>(1_024);
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection.pragma_update(None, "synchronous", "full").unwrap();
    connection
        .execute("create table inbox (id integer primary key, key text unique, body blob)", [])
        .unwrap();
    std::thread::spawn(move || {
        while let Some(first) = rows.blocking_recv() {
            let mut waiting = vec![first];
            while let Some(row) = (waiting.len() < 512).then(|| rows.try_recv().ok()).flatten() {
                waiting.push(row);
            }
            connection.execute_batch("begin immediate").unwrap();
            let mut insert =
                connection.prepare_cached("insert or ignore into inbox (key, body) values (?1, ?2)").unwrap();
            for (key, body, _) in &waiting {
                insert.execute((key, &body[..])).unwrap();
            }
            connection.execute_batch("commit").unwrap();
            for (_, _, answer) in waiting {
                let _ = answer.send(());
            }
        }
    });
    sender
}

async fn take_bare(
    State((verifier, rows)): State<(Arc<Verifier>, mpsc::Sender<Row>)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if verifier.verify_signature(&body, &headers, Timestamp::UNIX_EPOCH).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    // The least there is to find a delivery by.
    let id = memchr::memmem::find(&body, b"\"eventId\":\"").map(|at| &body[at + 11..]).unwrap_or_default();
    let id = id.split(|byte| *byte == b'"').next().unwrap_or_default();
    let (answer, kept) = oneshot::channel();
    rows.send((String::from_utf8_lossy(id).into_owned(), body.clone(), answer)).await.unwrap();
    kept.await.unwrap();
    StatusCode::OK
}

pub(crate) fn start_bare(folder: &std::path::Path) -> SocketAddr {
    let rows = writer(&folder.join("bare.db"));
    start(async move |listener: TcpListener| {
        let state = (Arc::new(Verifier::new(secret())), rows);
        serve(listener, Router::new().route("/webhooks/genesys", post(take_bare)).with_state(state)).await;
    })
}

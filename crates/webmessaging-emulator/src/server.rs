//! The accept loop: own connections instead of a ready-made server, so that faults can cut them.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::clock;
use crate::connection::{Connection, Socket};

/// How long a graceful shutdown waits for requests that are under way.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// Pause after a failed accept, typically for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop`, then lets running requests end, for a bounded time.
pub(crate) async fn run(listener: TcpListener, router: Router, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let connection = Connection::of(peer);
                    connections.spawn(serve_connection(stream, connection, router.clone(), stop.clone()));
                }
                Err(error) => {
                    tracing::debug!(%error, "accept failed");
                    clock::wait(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if !clock::within(SHUTDOWN_GRACE, all_ended).await {
        connections.shutdown().await;
    }
}

async fn serve_connection(
    stream: TcpStream,
    connection: Connection,
    router: Router,
    stop: CancellationToken,
) {
    // Answers are small; waiting for more to send would only slow tests down.
    let _ = stream.set_nodelay(true);
    let socket = Socket::new(stream, connection.clone());
    let handle = connection.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(handle.clone());
        let answer = router.clone().oneshot(request.map(Body::new));
        async move {
            let Ok(response) = answer.await;
            Ok::<_, Infallible>(response)
        }
    });
    let mut served = pin!(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
    let mut is_stopping = false;
    loop {
        tokio::select! {
            biased;
            // Leaving the loop drops the connection with everything that is under way on it.
            () = connection.is_cut() => break,
            _ = served.as_mut() => break,
            () = stop.cancelled(), if !is_stopping => {
                is_stopping = true;
                served.as_mut().graceful_shutdown();
            }
        }
    }
}

//! The server around the routes: a bounded number of connections, and an end that is waited for.

use std::io;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::sync::Semaphore;
use tower::ServiceExt;

use super::{Widget, log};

/// A client that does not send its next head within this time is hung up on.
const HEAD_TIME_MAX: Duration = Duration::from_secs(30);

/// When there is no descriptor left, for example, the next connection is tried after this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn serve(
    widget: &Widget,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (router, clock, setup) = (widget.router(), &widget.0.clock, &widget.0.setup);
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(setup.connections_max));
    let mut stop = pin!(stop);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                log::cannot_accept(&error);
                clock.watchdog(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Answers are small; without this they would wait for more to come.
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME_MAX)
            .serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                log::connection_failed(&error);
            }
        });
    }
    drop(listener);
    let finished = async {
        connections.shutdown().await;
        widget.finish().await;
    };
    tokio::select! {
        () = finished => {}
        () = clock.watchdog(setup.shutdown_time_max) => {}
    }
    Ok(())
}

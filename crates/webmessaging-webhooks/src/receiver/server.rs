//! The server around the routes: a bounded number of connections, none of them endless, and an end that is waited for.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::sync::Semaphore;
use tower::ServiceExt;

use super::{Receiver, log};

/// A client that does not send its next head within this time is hung up on.
const HEAD_TIME_MAX: Duration = Duration::from_secs(30);

/// When there is no descriptor left, for example, the next connection is tried after this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn serve(
    receiver: &Receiver,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let router = receiver.router().merge(receiver.operations());
    let clock = &receiver.0.clock;
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(receiver.0.setup.connections_max));
    let mut worker = tokio::spawn({
        let receiver = receiver.clone();
        async move { receiver.run().await }
    });
    let mut stop = pin!(stop);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
            // Whoever takes what nobody works on only looks well.
            _ = &mut worker => return Err(io::Error::other("the work on deliveries has ended by itself")),
        };
        match accepted {
            Ok((stream, _)) => {
                // Answers are small; without this they would wait for more to come.
                let _ = stream.set_nodelay(true);
                let connection = connection(TokioIo::new(stream), router.clone());
                let connection = connections.watch(connection);
                tokio::spawn(async move {
                    let _place = place;
                    if let Err(error) = connection.await {
                        log::connection_failed(&error);
                    }
                });
            }
            Err(error) => {
                log::cannot_accept(&error);
                clock.watchdog(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    receiver.stop();
    let end = clock.watchdog(receiver.0.setup.shutdown_time_max);
    let finished = async {
        // Whatever is under way is answered, and what was begun is finished.
        connections.shutdown().await;
        let _ = (&mut worker).await;
    };
    tokio::select! {
        () = finished => {}
        () = end => worker.abort(),
    }
    Ok(())
}

fn connection(
    stream: TokioIo<tokio::net::TcpStream>,
    router: Router,
) -> hyper::server::conn::http1::Connection<
    TokioIo<tokio::net::TcpStream>,
    impl hyper::service::Service<
        Request<Incoming>,
        Response = http::Response<Body>,
        Error = Infallible,
        Future: Send,
    >,
> {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        router.clone().oneshot(request.map(Body::new))
    });
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .serve_connection(stream, service)
}

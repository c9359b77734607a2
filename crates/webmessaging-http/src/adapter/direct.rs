//! The transport on hyper, for hosts that are reached without a proxy.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::{Request, Uri};
use http_body::{Frame, SizeHint};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::client::legacy::{Client, Error as HyperError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use tower::Service;
use tower::timeout::Timeout;
use tower::util::BoxCloneSyncService;

use super::{answer_of, with_length};
use crate::error::Sent;
use crate::guard::{Guard, PrivateAddress};
use crate::tls::{self, TlsFailure};
use crate::transport::{Body, BoxError, Exchange, Failure, Transport, TransportError};

/// A connection that nobody has used for so long is closed; reqwest has the same.
const IDLE_MAX: Duration = Duration::from_secs(90);

/// A peer that does not answer to this many probes, one each 15 seconds, is gone; reqwest has the same.
const PROBE_EVERY: Duration = Duration::from_secs(15);
const PROBES: u32 = 3;

/// Bytes that nobody acknowledges for so long end the connection; reqwest has the same.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(30);

/// So many bytes of a body wait in a connection before more are asked for, and so long a head of an answer can be. hyper's own limit is six times
/// as much, which many uploads at once feel.
const BUFFERED_MAX: usize = 64 * 1024;

type Https = HttpsConnector<HttpConnector<Guarded>>;
type Connector = BoxCloneSyncService<Uri, <Https as Service<Uri>>::Response, BoxError>;

/// A pool of connections.
#[derive(Debug, Clone)]
pub(super) struct Direct(Client<Connector, Outgoing>);

impl Direct {
    pub(super) fn new(tls: ClientConfig, connect_timeout: Duration, guard: Option<Guard>) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Guarded { names: GaiResolver::new(), guard });
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Shared by the addresses of a name: one that is silent leaves time for the others.
        tcp.set_connect_timeout(Some(connect_timeout));
        tcp.set_keepalive(Some(PROBE_EVERY));
        tcp.set_keepalive_interval(Some(PROBE_EVERY));
        tcp.set_keepalive_retries(Some(PROBES));
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(UNACKNOWLEDGED_MAX));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .http1_max_buf_size(BUFFERED_MAX)
            // Names, TCP and TLS together.
            .build(Connector::new(Timeout::new(connector, connect_timeout)));
        Self(client)
    }
}

impl Transport for Direct {
    fn send(&self, request: Request<Body>) -> Exchange {
        let has_host = request.uri().host().is_some_and(|host| !host.is_empty());
        let sending = self.0.request(with_length(request).map(Outgoing));
        Box::pin(async move {
            if !has_host {
                return Err(TransportError::new(Failure::Invalid, "the url has no host"));
            }
            sending.await.map(answer_of).map_err(failure)
        })
    }
}

/// hyper's errors hold neither URL nor header.
fn failure(error: HyperError) -> TransportError {
    if error.is_connect() {
        if let Some(refusal) = tls::find(&error, |cause| cause.downcast_ref::<PrivateAddress>().copied()) {
            return refusal.into();
        }
        return match TlsFailure::of_connecting(&error) {
            Some(tls) => tls.into(),
            None => TransportError::new(Failure::Connect, error),
        };
    }
    match TlsFailure::of_breaking(&error) {
        Some(tls) => TransportError::from(tls).with_sent(Sent::Maybe),
        None => TransportError::new(Failure::Interrupted, error),
    }
}

/// Names, without the addresses that they must not lead to. What was checked is what is connected to, so a name cannot
/// change its mind in between.
#[derive(Debug, Clone)]
struct Guarded {
    names: GaiResolver,
    guard: Option<Guard>,
}

impl Service<Name> for Guarded {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.names.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (resolving, guard) = (self.names.call(name), self.guard.clone());
        Box::pin(async move {
            let found: Vec<_> = resolving.await?.collect();
            Ok(match guard {
                Some(guard) => guard.allowed(found)?.into_iter(),
                None => found.into_iter(),
            })
        })
    }
}

/// A request's body as hyper takes it.
struct Outgoing(Body);

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.get_mut().0).poll_next(cx).map_ok(Frame::data)
    }

    fn is_end_stream(&self) -> bool {
        self.0.length() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.length().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

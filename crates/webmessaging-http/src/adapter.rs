//! The network: hyper where nothing is in the way, reqwest where a proxy is. No other files name them.
//!
//! `docs/adr/0009` has the reasons, `cargo xtask bench transport` the figures.

mod direct;
mod proxied;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, Request, Response, Uri};
use http_body::Body as HttpBody;
use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use self::direct::Direct;
use self::proxied::Proxied;
use crate::connection::{Checked, Route};
use crate::error::Error;
use crate::guard::Guard;
use crate::hosts::is_loopback;
use crate::transport::{Body, BoxError, Exchange, Transport};

/// What the network is made of.
pub(crate) struct Options {
    pub(crate) connect_timeout: Duration,
    pub(crate) connection: Checked,
    /// Both API and login stand on this machine, so a CA store is not indispensable.
    pub(crate) needs_no_tls: bool,
    /// Which addresses names may lead to; any by default.
    pub(crate) guard: Option<Guard>,
}

/// The transport that these options ask for.
pub(crate) fn network(options: &Options) -> Result<Arc<dyn Transport>, Error> {
    let Options { connect_timeout, connection, needs_no_tls, guard } = options;
    let tls = connection.tls_config(*needs_no_tls)?;
    let direct = Direct::new(tls.clone(), *connect_timeout, guard.clone());
    let (route, matcher) = match &connection.route {
        Route::Direct => return Ok(Arc::new(direct)),
        Route::System if !system_may_have_proxy() => return Ok(Arc::new(direct)),
        route @ Route::System => (route, Matcher::from_system()),
        route @ Route::Through { url, except, .. } => {
            (route, Matcher::builder().all(url.as_str()).no(except.as_str()).build())
        }
    };
    let proxied = Proxied::new(route, tls, *connect_timeout)?;
    Ok(Arc::new(ByHost { has_system_route: matches!(route, Route::System), matcher, direct, proxied }))
}

/// Through the proxy what is meant for it, and everything else directly: only there is it known where a name leads.
struct ByHost {
    has_system_route: bool,
    matcher: Matcher,
    direct: Direct,
    proxied: Proxied,
}

impl ByHost {
    /// Whether a proxy is in the way. Whatever the system says, this machine is reached without: a proxy would look for it
    /// elsewhere, and plain `http` must not leave it.
    fn is_proxied(&self, uri: &Uri) -> bool {
        let is_here = || Url::parse(&uri.to_string()).is_ok_and(|url| is_loopback(&url));
        self.matcher.intercept(uri).is_some() && !(self.has_system_route && is_here())
    }
}

impl Transport for ByHost {
    fn send(&self, request: Request<Body>) -> Exchange {
        if self.is_proxied(request.uri()) { self.proxied.send(request) } else { self.direct.send(request) }
    }
}

/// Whether the variables name a proxy, or there are settings that could.
fn system_may_have_proxy() -> bool {
    const VARIABLES: [&str; 6] =
        ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(any(target_os = "macos", windows)) || VARIABLES.into_iter().any(is_set)
}

/// The request with its length, where that is known: object stores refuse what goes out in chunks, and of an empty body
/// hyper tells no length although the server may wait for one.
fn with_length(mut request: Request<Body>) -> Request<Body> {
    let has_body = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    if let Some(length) = request.body().length().filter(|length| *length > 0 || has_body) {
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    request
}

/// The answer with a body that is read as it arrives.
fn answer_of<B>(answer: Response<B>) -> Response<Body>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    answer.map(|body| Body::stream(body.size_hint().exact(), Box::pin(Incoming(body))))
}

struct Incoming<B>(B);

impl<B> Stream for Incoming<B>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(Pin::new(&mut self.0).poll_frame(cx)) {
                // Nobody asked for trailers.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None => return Poll::Ready(None),
            }
        }
    }
}

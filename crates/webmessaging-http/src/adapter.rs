//! The transport on reqwest; no other file names it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Request, Response};

use crate::error::Error;
use crate::transport::{Body, BoxError, Exchange, Failure, Transport, TransportError};

/// How the connection is made.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) connect_timeout: Duration,
    /// Both API and login stand on this machine: no proxy belongs in between, and a CA store is not indispensable.
    pub(crate) loopback: bool,
}

/// A pool of connections.
#[derive(Debug, Clone)]
pub(crate) struct ReqwestTransport(reqwest::Client);

impl ReqwestTransport {
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let builder = || {
            let builder = reqwest::Client::builder()
                .connect_timeout(options.connect_timeout)
                // A redirect would take a bearer token or a signed request somewhere nobody decided.
                .redirect(reqwest::redirect::Policy::none())
                // One retry loop, ours.
                .retry(reqwest::retry::never());
            if options.loopback { builder.no_proxy() } else { builder }
        };
        let mut built = builder().build();
        if built.is_err() && options.loopback {
            // A machine without a CA store can do everything but TLS, and plain HTTP needs none.
            built = builder().tls_certs_only([]).build();
        }
        built.map(Self).map_err(|error| {
            Error::configuration("the http client could not be built, is a CA store installed?")
                .with_source(error.without_url())
        })
    }
}

impl Transport for ReqwestTransport {
    fn send(&self, request: Request<Body>) -> Exchange {
        let client = self.0.clone();
        Box::pin(async move {
            let request = convert(request)?;
            let answer = client.execute(request).await.map_err(failure)?;
            Ok(answer_of(answer))
        })
    }
}

fn convert(request: Request<Body>) -> Result<reqwest::Request, TransportError> {
    let (mut parts, body) = request.into_parts();
    let body = match (body.length(), body.into_full()) {
        (_, Ok(bytes)) => reqwest::Body::from(bytes),
        (length, Err(chunks)) => {
            // A stream without this header goes out chunked, which object stores refuse.
            if let Some(length) = length {
                parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
            }
            reqwest::Body::wrap_stream(chunks)
        }
    };
    reqwest::Request::try_from(Request::from_parts(parts, body))
        .map_err(|error| TransportError::new(Failure::Invalid, error.without_url()))
}

fn answer_of(mut answer: reqwest::Response) -> Response<Body> {
    let length = answer.content_length();
    let (status, version, headers) =
        (answer.status(), answer.version(), std::mem::take(answer.headers_mut()));
    let mut converted = Response::new(Body::stream(length, Box::pin(Incoming(answer.bytes_stream()))));
    *converted.status_mut() = status;
    *converted.version_mut() = version;
    *converted.headers_mut() = headers;
    converted
}

/// Removes the URL, whose query may hold a signature, from both forms of the error.
fn failure(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    let failure = if error.is_connect() {
        Failure::Connect
    } else if error.is_timeout() {
        Failure::Timeout
    } else if error.is_builder() {
        Failure::Invalid
    } else {
        Failure::Interrupted
    };
    TransportError::new(failure, error)
}

struct Incoming<S>(S);

impl<S: Stream<Item = Result<Bytes, reqwest::Error>> + Unpin> Stream for Incoming<S> {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.0).poll_next(cx).map_err(|error| BoxError::from(error.without_url()))
    }
}

//! The transport on reqwest; no other file names it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Request, Response};
use reqwest::{Certificate, Identity, NoProxy};

use crate::connection::{Checked, PROXY_REFUSAL, Route};
use crate::error::{Error, Sent};
use crate::tls::{self, TlsFailure};
use crate::transport::{Body, BoxError, Exchange, Failure, Transport, TransportError};

/// What the network is made of.
pub(crate) struct Options {
    pub(crate) connect_timeout: Duration,
    pub(crate) connection: Checked,
    /// Both API and login stand on this machine, so a CA store is not indispensable.
    pub(crate) needs_no_tls: bool,
}

impl Options {
    fn build(&self, identity: Option<&Identity>, trusts_system: bool) -> reqwest::Result<reqwest::Client> {
        let builder = reqwest::Client::builder()
            .connect_timeout(self.connect_timeout)
            // A redirect would take a bearer token or a signed request somewhere nobody decided.
            .redirect(reqwest::redirect::Policy::none())
            // One retry loop, ours.
            .retry(reqwest::retry::never());
        let builder = match &self.connection.route {
            Route::System => builder,
            Route::Direct => builder.no_proxy(),
            Route::Through { url, authorization, except } => {
                let proxy = reqwest::Proxy::all(url.clone())?.no_proxy(NoProxy::from_string(except));
                builder.proxy(match authorization {
                    Some(value) => proxy.custom_http_auth(value.clone()),
                    None => proxy,
                })
            }
        };
        let added = &self.connection.authorities;
        let added =
            added.iter().map(|der| Certificate::from_der(der)).collect::<reqwest::Result<Vec<_>>>()?;
        let builder =
            if trusts_system { builder.tls_certs_merge(added) } else { builder.tls_certs_only(added) };
        match identity {
            Some(identity) => builder.identity(identity.clone()).build(),
            None => builder.build(),
        }
    }

    fn identity(&self) -> Result<Option<Identity>, Error> {
        let Some(identity) = &self.connection.identity else { return Ok(None) };
        match Identity::from_pem(identity.pem()) {
            Ok(identity) => Ok(Some(identity)),
            // It has what it needs, so this is about something else in it.
            Err(_) => {
                Err(Error::configuration("the client identity has more than certificates and a private key"))
            }
        }
    }
}

const MISFIT: &str = "the private key of the client identity is not that of its certificate, or of a kind that is not supported";

/// A pool of connections.
#[derive(Debug, Clone)]
pub(crate) struct ReqwestTransport(reqwest::Client);

impl ReqwestTransport {
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let (identity, trusts_system) = (options.identity()?, options.connection.trusts_system);
        let mut built = options.build(identity.as_ref(), trusts_system);
        if built.is_err() && options.needs_no_tls {
            // A machine without a CA store can do everything but TLS, and plain HTTP needs none.
            built = options.build(identity.as_ref(), false);
        }
        built.map(Self).map_err(|error| match identity {
            // Without it all is well, and its parts were read: they do not belong together.
            Some(_) if options.build(None, trusts_system && !options.needs_no_tls).is_ok() => {
                Error::configuration(MISFIT)
            }
            _ => Error::configuration("the http client could not be built, is a CA store installed?")
                .with_source(error.without_url()),
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
        if let Some(tls) = TlsFailure::of_connecting(&error) {
            return tls.into();
        }
        if is_proxy_refusal(&error) {
            return TransportError::new(Failure::Invalid, error).with_message(PROXY_REFUSAL);
        }
        Failure::Connect
    } else if let Some(tls) = TlsFailure::of_breaking(&error) {
        return TransportError::from(tls).with_sent(Sent::Maybe);
    } else if error.is_timeout() {
        Failure::Timeout
    } else if error.is_builder() {
        Failure::Invalid
    } else {
        Failure::Interrupted
    };
    TransportError::new(failure, error)
}

/// Whether the proxy answered a request for a tunnel with 407. The type of that error has no name outside of its crate.
fn is_proxy_refusal(error: &reqwest::Error) -> bool {
    const TEXT: &str = "tunnel error: proxy authorization required";
    tls::find(error, |cause| (cause.to_string() == TEXT).then_some(())).is_some()
}

struct Incoming<S>(S);

impl<S: Stream<Item = Result<Bytes, reqwest::Error>> + Unpin> Stream for Incoming<S> {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.0).poll_next(cx).map_err(|error| BoxError::from(error.without_url()))
    }
}

//! The transport on reqwest; no other file names it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::header::CONTENT_LENGTH;
use http::uri::Authority;
use http::{HeaderValue, Request, Response, Uri};
use http_body::Body as _;
use reqwest::{Certificate, Identity, NoProxy};
use url::Url;

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
pub(crate) struct ReqwestTransport {
    client: reqwest::Client,
    /// The last origin that was asked: parsing a host is the larger part of parsing a URL.
    origin: Arc<Mutex<Option<Url>>>,
}

impl ReqwestTransport {
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let (identity, trusts_system) = (options.identity()?, options.connection.trusts_system);
        let mut built = options.build(identity.as_ref(), trusts_system);
        if built.is_err() && options.needs_no_tls {
            // A machine without a CA store can do everything but TLS, and plain HTTP needs none.
            built = options.build(identity.as_ref(), false);
        }
        let with = |client| Self { client, origin: Arc::default() };
        built.map(with).map_err(|error| match identity {
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
        let request = self.convert(request);
        let client = self.client.clone();
        Box::pin(async move {
            let answer = client.execute(request?).await.map_err(failure)?;
            Ok(answer_of(answer))
        })
    }
}

impl ReqwestTransport {
    fn convert(&self, request: Request<Body>) -> Result<reqwest::Request, TransportError> {
        let (mut parts, body) = request.into_parts();
        let url = self.url(&parts.uri).map_err(|error| TransportError::new(Failure::Invalid, error))?;
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
        let mut converted = reqwest::Request::new(parts.method, url);
        *converted.headers_mut() = parts.headers;
        *converted.body_mut() = Some(body);
        Ok(converted)
    }

    /// The URL as reqwest wants it.
    fn url(&self, uri: &Uri) -> Result<Url, url::ParseError> {
        let mut origin = self.origin.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = origin.as_ref().is_some_and(|url| {
            let authority = uri.authority().map(Authority::as_str);
            uri.scheme_str() == Some(url.scheme()) && authority == Some(url.authority())
        });
        if !is_known {
            // Without path and query, which may be secret.
            let mut url = Url::parse(&uri.to_string())?;
            url.set_path("");
            url.set_query(None);
            *origin = Some(url);
        }
        let Some(mut url) = origin.clone() else { return Url::parse(&uri.to_string()) };
        drop(origin);
        url.set_path(uri.path());
        url.set_query(uri.query());
        Ok(url)
    }
}

fn answer_of(answer: reqwest::Response) -> Response<Body> {
    let length = answer.content_length();
    let (mut head, body) = Response::from(answer).into_parts();
    // reqwest keeps the URL there.
    head.extensions.clear();
    Response::from_parts(head, Body::stream(length, Box::pin(Incoming(body))))
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

struct Incoming(reqwest::Body);

impl Stream for Incoming {
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
                Some(Err(error)) => return Poll::Ready(Some(Err(error.without_url().into()))),
                None => return Poll::Ready(None),
            }
        }
    }
}

//! The transport on reqwest, for what goes through a proxy.

use std::time::Duration;

use http::{Request, Response};
use reqwest::NoProxy;
use rustls::ClientConfig;
use url::Url;

use super::{answer_of, with_length};
use crate::connection::{PROXY_REFUSAL, Route};
use crate::error::{Error, Sent};
use crate::tls::{self, TlsFailure};
use crate::transport::{Body, Exchange, Failure, Transport, TransportError};

/// A pool of connections.
#[derive(Debug, Clone)]
pub(super) struct Proxied(reqwest::Client);

impl Proxied {
    pub(super) fn new(
        route: &Route,
        mut tls: ClientConfig,
        connect_timeout: Duration,
    ) -> Result<Self, Error> {
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let build = || {
            let builder = reqwest::Client::builder()
                .connect_timeout(connect_timeout)
                .tls_backend_preconfigured(tls)
                // A redirect would take a bearer token or a signed request somewhere nobody decided.
                .redirect(reqwest::redirect::Policy::none())
                // One retry loop, ours.
                .retry(reqwest::retry::never());
            let builder = match route {
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
            builder.build()
        };
        build().map(Self).map_err(|error: reqwest::Error| {
            Error::configuration("the http client could not be built").with_source(error.without_url())
        })
    }
}

impl Transport for Proxied {
    fn send(&self, request: Request<Body>) -> Exchange {
        let request = convert(request);
        let client = self.0.clone();
        Box::pin(async move {
            let answer = client.execute(request?).await.map_err(failure)?;
            let mut answer = answer_of(Response::from(answer));
            // reqwest keeps the URL there.
            answer.extensions_mut().clear();
            Ok(answer)
        })
    }
}

fn convert(request: Request<Body>) -> Result<reqwest::Request, TransportError> {
    let (parts, body) = with_length(request).into_parts();
    let url =
        Url::parse(&parts.uri.to_string()).map_err(|error| TransportError::new(Failure::Invalid, error))?;
    let body = match body.into_full() {
        Ok(bytes) => reqwest::Body::from(bytes),
        Err(chunks) => reqwest::Body::wrap_stream(chunks),
    };
    let mut converted = reqwest::Request::new(parts.method, url);
    *converted.headers_mut() = parts.headers;
    *converted.body_mut() = Some(body);
    Ok(converted)
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

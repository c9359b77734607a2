//! The upload to a presigned URL: streamed, watched, retried from the first byte, with a new URL when one expires.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, Method, Request};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tracing::Instrument;
use url::Url;
use webmessaging_model::{Actual, Operation};

use crate::answer::Facts;
use crate::client::{Client, Shared};
use crate::clock::{Clock, Wait};
use crate::config::is_safe;
use crate::endpoint::method;
use crate::error::{Error, ErrorKind, Sent};
use crate::pipeline::{Call, Patience, absolute};
use crate::source::Source;
use crate::transport::Body;
use crate::upload_body::{OnTaken, UploadBody, Watch, changed};

/// How often a URL that was refused is asked for anew within one upload.
const RENEWALS_MAX: u32 = 2;

/// A URL whose query is a credential. It is never printed; `Debug` and `Display` show its host.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct PresignedUrl(SecretString);

impl PresignedUrl {
    /// Wraps a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self(SecretString::from(url.into()))
    }

    /// The URL itself. Whoever has it can use it until it expires.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The URL, if it is one that a file may be sent to: `https`, or this machine where the platform is this machine.
    fn checked(&self, shared: &Shared) -> Result<Url, Error> {
        let refuse = |why| Error::new(ErrorKind::UnexpectedAnswer, Sent::Yes).with_message(why);
        let url = Url::parse(self.expose()).map_err(|_| refuse("the presigned url is not a url"))?;
        if !is_safe(&url, shared.is_loopback()) || !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("the presigned url is not one that a file may be sent to"));
        }
        Ok(url)
    }
}

impl fmt::Display for PresignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = Url::parse(self.expose()).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or("unknown host");
        write!(f, "presigned url of {host}")
    }
}

impl fmt::Debug for PresignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PresignedUrl({self})")
    }
}

/// Where to put the bytes, with exactly these headers, for so long.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PresignedTarget {
    /// The URL.
    pub url: PresignedUrl,
    /// The headers that belong to it; no others are sent but those of HTTP itself.
    pub headers: HeaderMap,
    /// How long it lives, counted from the moment it was asked for.
    pub lifetime: Duration,
}

impl PresignedTarget {
    /// A target; headers must be the ones the server signed or named.
    pub fn new(url: PresignedUrl, headers: HeaderMap, lifetime: Duration) -> Self {
        Self { url, headers, lifetime }
    }
}

/// How far an upload is. A retry starts at zero again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes handed to the network in this attempt.
    pub sent_bytes: u64,
    /// Bytes there are.
    pub total_bytes: u64,
    /// The attempt, counted from 1.
    pub attempt: u32,
}

/// An upload to a presigned URL.
#[must_use = "an upload does nothing until it is sent"]
pub struct PresignedPut<'a> {
    operation: &'static Operation,
    source: &'a Source,
    length: u64,
    on_progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

/// What an upload came to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Stored {
    /// SHA-256 of exactly the bytes that were sent.
    pub sha256: [u8; 32],
    /// How many times the URL was asked for.
    pub urls: u32,
    /// How the upload went.
    pub facts: Facts,
}

impl Stored {
    /// The digest in hexadecimal.
    pub fn sha256_hex(&self) -> String {
        hex::encode(self.sha256)
    }
}

impl<'a> PresignedPut<'a> {
    /// The upload of a source that was announced with `length` bytes.
    pub fn new(operation: &'static Operation, source: &'a Source, length: u64) -> Self {
        Self { operation, source, length, on_progress: None }
    }

    /// Calls back with every chunk that is handed to the network.
    pub fn on_progress(mut self, on_progress: Arc<dyn Fn(Progress) + Send + Sync>) -> Self {
        self.on_progress = Some(on_progress);
        self
    }
}

impl fmt::Debug for PresignedPut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresignedPut")
            .field("operation", &self.operation.name)
            .field("source", &self.source)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// A target and when it was asked for.
struct Issued<T> {
    target: T,
    url: Url,
    at: Instant,
}

impl Client {
    /// Uploads to a presigned URL that `issue` asks for.
    ///
    /// Every attempt opens the source at its first byte. `issue` is called once at the start, again before an attempt
    /// whose URL is about to expire, and at most twice after a 403 or 410. `T` is whatever the URL came with; the
    /// last one is given back. The bearer token is never sent.
    ///
    /// # Errors
    /// Whatever `issue` fails with; [`Source`](ErrorKind::Source) when the source cannot be read or is not as long as
    /// announced; [`LinkExpired`](ErrorKind::LinkExpired) and [`Rejected`](ErrorKind::Rejected) when the URL is
    /// refused; [`Timeout`](ErrorKind::Timeout) when the upload stands still; [`Connect`](ErrorKind::Connect),
    /// [`Interrupted`](ErrorKind::Interrupted), [`RateLimited`](ErrorKind::RateLimited) and
    /// [`Server`](ErrorKind::Server) when the retries are used up.
    pub async fn put_presigned<T, F>(
        &self,
        put: PresignedPut<'_>,
        mut issue: impl FnMut() -> F,
    ) -> Result<(T, Stored), Error>
    where
        T: AsRef<PresignedTarget>,
        F: Future<Output = Result<T, Error>>,
    {
        let mut call = Call::begin(&self.0, put.operation, Patience::Waits);
        let span = call.span();
        async {
            let mut issued: Option<Issued<T>> = None;
            let (mut urls, mut refused) = (0, 0);
            loop {
                let at_hand = issued.take().filter(|issued| is_fresh(issued, call.clock().now()));
                let current = if let Some(current) = at_hand {
                    current
                } else {
                    urls += 1;
                    let at = call.clock().now();
                    let target = issue().await?;
                    let url = target.as_ref().url.checked(&self.0).map_err(|error| call.finish(error))?;
                    Issued { target, url, at }
                };
                match attempt(&mut call, &put, current.target.as_ref(), &current.url).await {
                    Ok((sha256, facts)) => return Ok((current.target, Stored { sha256, urls, facts })),
                    Err(error) => {
                        let refusal = Refusal::of(&error);
                        match refusal {
                            Refusal::Other => {
                                call.pause_or_fail(error).await?;
                                issued = Some(current);
                            }
                            Refusal::Expired | Refusal::Unclear if refused < RENEWALS_MAX => {
                                refused += 1;
                                tracing::info!(attempt = call.attempts, "presigned url refused, asking anew");
                            }
                            _ => return Err(call.finish(refusal.explain(error))),
                        }
                    }
                }
            }
        }
        .instrument(span)
        .await
    }
}

/// Whether a URL lives long enough for an attempt to begin.
fn is_fresh<T: AsRef<PresignedTarget>>(issued: &Issued<T>, now: Instant) -> bool {
    let lifetime = issued.target.as_ref().lifetime;
    let margin = (lifetime / 10).min(Duration::from_secs(10));
    now.saturating_duration_since(issued.at) + margin < lifetime
}

/// What an object store's refusal says about the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// It expired; a new one helps.
    Expired,
    /// It was refused without a reason we know; a new one may help.
    Unclear,
    /// It, or its headers, are not what was signed; a new one would not be either.
    Wrong,
    /// The refusal is not about the URL.
    Other,
}

impl Refusal {
    fn of(error: &Error) -> Self {
        let code = error.api().and_then(|api| api.code.as_deref()).unwrap_or_default();
        let message = error.api().and_then(|api| api.message.as_deref()).unwrap_or_default();
        match error.status().map(|status| status.as_u16()) {
            Some(401) => Self::Wrong,
            Some(403) if matches!(code, "SignatureDoesNotMatch" | "InvalidAccessKeyId") => Self::Wrong,
            Some(410) => Self::Expired,
            Some(403) if code.contains("Expired") || message.contains("expired") => Self::Expired,
            Some(403) => Self::Unclear,
            _ => Self::Other,
        }
    }

    fn explain(self, error: Error) -> Error {
        match self {
            Self::Expired => error.with_kind(ErrorKind::LinkExpired),
            _ => error.with_kind(ErrorKind::Rejected).with_message("the presigned url was refused"),
        }
    }
}

async fn attempt(
    call: &mut Call<'_>,
    put: &PresignedPut<'_>,
    target: &PresignedTarget,
    url: &Url,
) -> Result<([u8; 32], Facts), Error> {
    let source_failed =
        |sent: Sent, violation| Error::new(ErrorKind::Source, sent).with_violations(violation);
    let content =
        put.source.open().await.map_err(|violation| call.finish(source_failed(Sent::No, violation)))?;
    if content.length() != put.length {
        let violation = changed(put.length, Actual::Count(content.length()));
        return Err(call.finish(source_failed(Sent::No, violation)));
    }
    let watch = Arc::new(Watch::default());
    let number = call.attempts + 1;
    let on_taken = put.on_progress.clone().map(|report| -> OnTaken {
        let total_bytes = put.length;
        Arc::new(move |sent_bytes| report(Progress { sent_bytes, total_bytes, attempt: number }))
    });
    let body = UploadBody::new(content, Arc::clone(&watch), on_taken);
    let mut request = Request::new(Body::stream(Some(put.length), Box::pin(body)));
    *request.method_mut() = method(put.operation.method);
    debug_assert_eq!(request.method(), Method::PUT, "a presigned upload is a PUT");
    *request.uri_mut() = absolute(url.as_str())?;
    *request.headers_mut() = target.headers.clone();

    let stall = call.shared.timeouts.stall;
    let clock = Arc::clone(&call.shared.clock);
    let progress = Arc::clone(&watch);
    let outcome = call.attempt(request, move |_| stalled(clock, stall, progress)).await;
    match (outcome, watch.outcome()) {
        // A changed source breaks its own body off; what the network made of that does not matter.
        (Err(_), Some(Err(violation))) => Err(call.finish(source_failed(Sent::Maybe, violation))),
        (Err(error), _) => Err(error),
        (Ok(answer), Some(Ok(sha256))) => Ok((sha256, call.facts(&answer))),
        // Success before the last byte was read: whoever answered has not stored this file.
        (Ok(_), _) => Err(call.finish(
            Error::new(ErrorKind::UnexpectedAnswer, Sent::Yes)
                .with_message("the upload was answered before it was complete"),
        )),
    }
}

/// Ends when nothing has moved for one to two times `stall`.
fn stalled(clock: Arc<dyn Clock>, stall: Duration, watch: Arc<Watch>) -> Wait {
    Box::pin(async move {
        let mut before = None;
        loop {
            clock.watchdog(stall).await;
            let taken = watch.taken();
            if before == Some(taken) {
                return;
            }
            before = Some(taken);
        }
    })
}

//! The upload to a presigned URL: streamed, watched, retried from the first byte, with a new URL when one expires.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Request;
use tracing::Instrument;
use url::Url;
use webmessaging_model::Method;

use crate::answer::Facts;
use crate::client::Client;
use crate::clock::{Clock, Wait};
use crate::endpoint::method;
use crate::error::{Error, ErrorKind, Sent};
use crate::limit::Permit;
use crate::log;
use crate::pipeline::{Call, Patience, absolute};
use crate::prepared::{Prepared, UnderWay, source_failed};
use crate::presigned::{PresignedPut, PresignedTarget, Stored};
use crate::upload_body::Watch;

/// How often a URL that expired is asked for anew within one upload.
const RENEWALS_MAX: u32 = 2;

/// A refusal that gives no reason is worth one other URL.
const UNCLEAR_RENEWALS_MAX: u32 = 1;

/// When all bytes are handed over, some are still in buffers on their way; the answer may take this many times longer
/// than a standstill.
const ANSWER_STALLS: u32 = 4;

/// A target and when it was asked for.
struct Issued<T> {
    target: T,
    url: Url,
    at: Instant,
}

impl Client {
    /// Uploads to a presigned URL that `issue` asks for.
    ///
    /// Every attempt opens the source at its first byte; where no other upload of this client is under way, before `issue` is called, so
    /// that the first bytes are read while the URL is asked for. `issue` is called once at the start, again before an attempt
    /// whose URL is about to expire, and after a refusal: at most twice when the URL has expired, once when the store
    /// gives no reason. `T` is whatever the URL came with; the last one is given back. The bearer token is never sent.
    ///
    /// # Errors
    /// Whatever `issue` fails with; [`Source`](ErrorKind::Source) when the source cannot be read or is not as long as
    /// announced; [`LinkExpired`](ErrorKind::LinkExpired) and [`Rejected`](ErrorKind::Rejected) when the URL is
    /// refused; [`Timeout`](ErrorKind::Timeout) when the upload stands still; [`Tls`](ErrorKind::Tls) when the store is
    /// not to be trusted; [`Connect`](ErrorKind::Connect),
    /// [`Interrupted`](ErrorKind::Interrupted), [`RateLimited`](ErrorKind::RateLimited) and
    /// [`Server`](ErrorKind::Server) when the retries are used up; [`Configuration`](ErrorKind::Configuration) when
    /// the operation is not a `PUT`.
    pub async fn put_presigned<T, F>(
        &self,
        put: PresignedPut<'_>,
        mut issue: impl FnMut() -> F,
    ) -> Result<(T, Stored), Error>
    where
        T: AsRef<PresignedTarget>,
        F: Future<Output = Result<T, Error>>,
    {
        self.put_renewed(put, |_| issue()).await
    }

    /// Uploads to a presigned URL, as [`put_presigned`](Self::put_presigned) does, and tells `issue` which refusal made
    /// another URL necessary: none at the start and where the one at hand is about to expire.
    ///
    /// # Errors
    /// Those of [`put_presigned`](Self::put_presigned).
    pub async fn put_renewed<T, F>(
        &self,
        put: PresignedPut<'_>,
        mut issue: impl FnMut(Option<Error>) -> F,
    ) -> Result<(T, Stored), Error>
    where
        T: AsRef<PresignedTarget>,
        F: Future<Output = Result<T, Error>>,
    {
        let mut call = Call::begin(&self.0, put.operation, Patience::Waits(self.0.timeouts.call));
        let span = call.span();
        let outcome = async {
            if put.operation.method != Method::Put {
                return Err(call.finish(Error::configuration("an upload to a presigned url is a PUT")));
            }
            let mut issued: Option<Issued<T>> = None;
            let mut reason = None;
            let (mut urls, mut refused) = (0, 0);
            loop {
                call.tick();
                // Before the URL is looked at, which can expire while its turn comes.
                let permit = call.permit().await?;
                let early = match Prepared::alone(&call, &put).await {
                    Ok(early) => early,
                    Err(error) => {
                        call.pause_or_fail(error).await?;
                        continue;
                    }
                };
                call.tick();
                let at_hand = issued.take().filter(|issued| is_fresh(issued, call.clock().now()));
                let current = if let Some(current) = at_hand {
                    current
                } else {
                    urls += 1;
                    let at = call.clock().now();
                    let target = issue(reason.take()).await.map_err(|error| call.identified(error))?;
                    let url = target.as_ref().url.checked(self.0.is_loopback());
                    Issued { target, url: url.map_err(|error| call.finish(error))?, at }
                };
                let target = current.target.as_ref();
                let error = match attempt(&mut call, &put, target, &current.url, permit, early).await {
                    Ok((sha256, facts)) => return Ok((current.target, Stored { sha256, urls, facts })),
                    Err(error) => error,
                };
                let refusal = Refusal::of(&error);
                if refusal == Refusal::Other {
                    call.pause_or_fail(error).await?;
                    issued = Some(current);
                } else if refused < refusal.renewals_max() {
                    refused += 1;
                    log::url_refused(call.attempts);
                    reason = Some(refusal.explain(error));
                    call.goes_on(Duration::ZERO);
                } else {
                    return Err(call.finish(refusal.explain(error)));
                }
            }
        }
        .instrument(span)
        .await;
        call.over(outcome.as_ref().map(|(_, stored)| stored.facts.status));
        outcome
    }
}

/// Whether a URL lives long enough for an attempt to begin.
fn is_fresh<T: AsRef<PresignedTarget>>(issued: &Issued<T>, now: Instant) -> bool {
    let &PresignedTarget { lifetime, margin, .. } = issued.target.as_ref();
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
        let status = error.status().map_or(0, |status| status.as_u16());
        let says_expired = code.contains("Expired") || message.contains("expired");
        match status {
            410 => Self::Expired,
            400..=499 if says_expired => Self::Expired,
            401 => Self::Wrong,
            403 if matches!(code, "SignatureDoesNotMatch" | "InvalidAccessKeyId") => Self::Wrong,
            403 => Self::Unclear,
            _ => Self::Other,
        }
    }

    fn renewals_max(self) -> u32 {
        match self {
            Self::Expired => RENEWALS_MAX,
            Self::Unclear => UNCLEAR_RENEWALS_MAX,
            Self::Wrong | Self::Other => 0,
        }
    }

    fn explain(self, error: Error) -> Error {
        match self {
            Self::Expired => error.with_kind(ErrorKind::LinkExpired),
            _ => error.with_kind(ErrorKind::Rejected).with_message("the presigned url was refused"),
        }
    }
}

/// One attempt: the digest of the bytes, where it is wanted, and the facts.
async fn attempt(
    call: &mut Call<'_>,
    put: &PresignedPut<'_>,
    target: &PresignedTarget,
    url: &Url,
    permit: Permit<'_>,
    early: Option<Prepared>,
) -> Result<(Option<[u8; 32]>, Facts), Error> {
    let Prepared { body, watch, under_way: _under_way } = match early {
        Some(prepared) => prepared,
        None => Prepared::open(call, put, UnderWay::begin(&call.shared.uploads)).await?,
    };
    let mut request = Request::new(body);
    *request.method_mut() = method(put.operation.method);
    *request.uri_mut() = absolute(url.as_str())?;
    *request.headers_mut() = target.headers.clone();

    // Asking for the URL and opening the source can have taken a while.
    call.tick();
    call.uploads(&watch);
    let stall = call.shared.timeouts.stall;
    let watchdog = stalled(Arc::clone(&call.shared.clock), stall, put.length, Arc::clone(&watch));
    let is_ours = |_: &Error| matches!(watch.outcome(), Some(Err(_)));
    let outcome = call.attempt(request, permit, watchdog, is_ours).await;
    match (outcome, watch.outcome()) {
        // A changed source breaks its own body off; what the network made of that does not matter.
        (Err(_), Some(Err(violation))) => {
            call.attempt_failed_by(ErrorKind::Source);
            Err(source_failed(call, Sent::Maybe, violation))
        }
        (Err(error), _) => Err(error),
        (Ok(answer), Some(Ok(digest))) => Ok((digest.value().await, call.facts(&answer))),
        // Success before the last byte was read: whoever answered has not stored this file.
        (Ok(_), _) => Err(call.finish(
            Error::new(ErrorKind::UnexpectedAnswer, Sent::Yes)
                .with_message("the upload was answered before it was complete"),
        )),
    }
}

/// Ends when nothing has moved for one to two times `stall`, or no answer has come for long after the last byte.
fn stalled(clock: Arc<dyn Clock>, stall: Duration, length: u64, watch: Arc<Watch>) -> Wait {
    Box::pin(async move {
        let mut before = None;
        loop {
            clock.watchdog(stall).await;
            let taken = watch.taken();
            if taken == length {
                clock.watchdog(stall * ANSWER_STALLS).await;
                return;
            }
            if before == Some(taken) {
                return;
            }
            before = Some(taken);
        }
    })
}

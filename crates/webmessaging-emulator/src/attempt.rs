//! One attempt at a delivery: a request on a connection of its own, and the schedule that says what follows from it.

use std::pin::pin;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::Full;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::clock::later;
use crate::delivery::{AttemptResult, DeliveryOutcome};
use crate::target::LoopbackTarget;

/// The platform waits so long for an answer.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// So long after a failed attempt the platform begins the next one.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// As many attempts follow the first one at most.
pub(crate) const RETRIES_MAX: u32 = 5;

/// Nothing is sent later than this after the first attempt began: six answers that do not come, five pauses.
pub(crate) const HORIZON: Duration = Duration::from_secs(85);

/// What follows from an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    End(DeliveryOutcome),
    RetryAt(SystemTime),
}

/// The platform's schedule: repeat what timed out, got lost, or was answered with 429 or 5xx.
pub(crate) fn next(result: AttemptResult, ended: SystemTime, horizon: SystemTime, retries_left: u32) -> Next {
    match result {
        AttemptResult::Answered(200..=299) => return Next::End(DeliveryOutcome::Delivered),
        AttemptResult::Answered(429 | 500..=599)
        | AttemptResult::TimedOut
        | AttemptResult::NotConnected
        | AttemptResult::ConnectionLost => {}
        AttemptResult::Answered(_) => return Next::End(DeliveryOutcome::Refused),
    }
    let retry_at = later(ended, RETRY_PAUSE);
    if retries_left == 0 {
        Next::End(DeliveryOutcome::Exhausted)
    } else if retry_at >= horizon {
        Next::End(DeliveryOutcome::Expired)
    } else {
        Next::RetryAt(retry_at)
    }
}

/// Sends one request and waits for the head of its answer, as long as it takes.
pub(crate) async fn post(target: &LoopbackTarget, headers: HeaderMap, body: Bytes) -> AttemptResult {
    let Ok(stream) = TcpStream::connect(target.addresses.as_slice()).await else {
        return AttemptResult::NotConnected;
    };
    exchange(target, headers, body, stream)
        .await
        .map_or(AttemptResult::ConnectionLost, |status| AttemptResult::Answered(status.as_u16()))
}

/// The status of the answer; `None` when there is none. Its body says nothing here and is not read.
async fn exchange(
    target: &LoopbackTarget,
    headers: HeaderMap,
    body: Bytes,
    stream: TcpStream,
) -> Option<StatusCode> {
    let mut request = Request::post(target.path_and_query.as_str()).body(Full::new(body)).ok()?;
    *request.headers_mut() = headers;
    request.headers_mut().insert(HOST, HeaderValue::from_str(&target.host).ok()?);
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
    let mut connection = pin!(connection);
    let mut answer = pin!(sender.send_request(request));
    let mut is_open = true;
    loop {
        tokio::select! {
            biased;
            answer = answer.as_mut() => return answer.ok().map(|answer| answer.status()),
            // What the connection still had to tell is in the answer.
            _ = connection.as_mut(), if is_open => is_open = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn every_status_has_its_consequence() {
        let horizon = later(UNIX_EPOCH, HORIZON);
        for status in 100..=999 {
            let expected = match status {
                200..=299 => Next::End(DeliveryOutcome::Delivered),
                429 | 500..=599 => Next::RetryAt(later(UNIX_EPOCH, Duration::from_secs(5))),
                _ => Next::End(DeliveryOutcome::Refused),
            };
            assert_eq!(next(AttemptResult::Answered(status), UNIX_EPOCH, horizon, 1), expected, "{status}");
        }
    }

    #[test]
    fn six_timeouts_fit_the_horizon_exactly() {
        let horizon = later(UNIX_EPOCH, HORIZON);
        let mut at = UNIX_EPOCH;
        for left in (1..=RETRIES_MAX).rev() {
            match next(AttemptResult::TimedOut, later(at, ANSWER_WITHIN), horizon, left) {
                Next::RetryAt(retry_at) => at = retry_at,
                Next::End(outcome) => panic!("{outcome:?} with {left} retries left"),
            }
        }
        let ended = later(at, ANSWER_WITHIN);
        assert_eq!(ended, horizon);
        assert_eq!(next(AttemptResult::TimedOut, ended, horizon, 0), Next::End(DeliveryOutcome::Exhausted));
    }

    #[test]
    fn nothing_is_repeated_behind_the_horizon() {
        let horizon = later(UNIX_EPOCH, HORIZON);
        let pause_before = later(UNIX_EPOCH, Duration::from_secs(80));
        let refused = AttemptResult::NotConnected;
        assert_eq!(next(refused, pause_before, horizon, 1), Next::End(DeliveryOutcome::Expired));
        let earlier = pause_before - Duration::from_nanos(1);
        assert_eq!(next(refused, earlier, horizon, 1), Next::RetryAt(horizon - Duration::from_nanos(1)));
    }
}

//! One exchange: out with the request, in with the answer, no longer than the watchdog.

use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use http::{Request, Response};

use super::{Call, ERROR_BYTES_MAX};
use crate::answer::{refusal, request_id};
use crate::clock::Wait;
use crate::error::{Error, ErrorKind, Sent};
use crate::limit::Permit;
use crate::transport::{Body, CollectError, Collector, Failure, TransportError};

impl Call<'_> {
    pub(super) async fn send_once(
        &self,
        request: Request<Body>,
        permit: &mut Permit<'_>,
        watchdog: &mut Wait,
        received_bytes: &mut u64,
    ) -> Result<Response<Bytes>, Error> {
        let too_late = |Elapsed| Error::new(ErrorKind::Timeout, Sent::Maybe);
        permit.goes_out(self.now);
        let sending = self.shared.transport.send(request);
        let head = within(sending, watchdog).await.map_err(too_late)?;
        let head = head.inspect_err(|error| {
            if error.sent() == Sent::No {
                permit.was_not_sent();
            }
        });
        let (head, body) = head.map_err(transport_failed)?.into_parts();
        permit.answered(head.status, &head.headers);

        let is_success = self.operation.is_success(head.status.as_u16());
        let max = if is_success { self.shared.answer_bytes_max } else { ERROR_BYTES_MAX };
        let mut collector = Collector::new(body, max);
        let filled = within(collector.fill(), watchdog).await;
        let body = collector.into_bytes();
        *received_bytes = body.len() as u64;
        if !is_success {
            // The status is known, whatever became of the rest.
            return Err(refusal(&Response::from_parts(head, body), self.clock()));
        }
        let broken = match filled {
            Ok(Ok(())) => return Ok(Response::from_parts(head, body)),
            Ok(Err(CollectError::TooLarge)) => Error::new(ErrorKind::UnexpectedAnswer, Sent::Yes)
                .with_message(format!("the answer is larger than {max} bytes")),
            Ok(Err(CollectError::Broken(source))) => {
                Error::new(ErrorKind::Interrupted, Sent::Yes).with_source(source)
            }
            Err(Elapsed) => Error::new(ErrorKind::Timeout, Sent::Yes),
        };
        Err(broken.with_answer(head.status, request_id(&head.headers), None, None))
    }
}

fn transport_failed(error: TransportError) -> Error {
    let kind = match error.failure() {
        Failure::Connect => ErrorKind::Connect,
        Failure::Tls => ErrorKind::Tls,
        Failure::Timeout => ErrorKind::Timeout,
        Failure::Interrupted => ErrorKind::Interrupted,
        Failure::Invalid => ErrorKind::Configuration,
    };
    let (sent, message) = (error.sent(), error.message());
    let error = Error::new(kind, sent).with_source(error.into_source());
    match message {
        Some(message) => error.with_message(message),
        None => error,
    }
}

/// The watchdog was faster.
pub(crate) struct Elapsed;

pub(crate) async fn within<T>(work: impl Future<Output = T>, watchdog: &mut Wait) -> Result<T, Elapsed> {
    let mut work = pin!(work);
    std::future::poll_fn(move |cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Ok(done)),
        Poll::Pending => watchdog.as_mut().poll(cx).map(|()| Err(Elapsed)),
    })
    .await
}

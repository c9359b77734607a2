//! The bytes of one upload attempt: the source opened, and read ahead of the first byte that is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use webmessaging_model::{Actual, Violation};

use crate::error::{Error, ErrorKind, Sent};
use crate::flow::Pace;
use crate::pipeline::{Call, Elapsed, within};
use crate::presigned::{PresignedPut, Progress};
use crate::transport::Body;
use crate::upload_body::{OnTaken, UploadBody, Watch, changed};

/// An opened source with a body that reads it already.
pub(crate) struct Prepared {
    pub(crate) body: Body,
    pub(crate) watch: Arc<Watch>,
    pub(crate) under_way: UnderWay,
}

impl Prepared {
    /// Opens the source before its URL is at hand, if no other upload is under way: of many that wait for theirs, none holds a file or
    /// memory.
    pub(crate) async fn alone(call: &Call<'_>, put: &PresignedPut<'_>) -> Result<Option<Self>, Error> {
        match UnderWay::alone(&call.shared.uploads) {
            Some(under_way) => Self::open(call, put, under_way).await.map(Some),
            None => Ok(None),
        }
    }

    /// Opens the source and begins to read.
    pub(crate) async fn open(
        call: &Call<'_>,
        put: &PresignedPut<'_>,
        under_way: UnderWay,
    ) -> Result<Self, Error> {
        let opened = within(put.source.open(), &mut call.clock().watchdog(call.shared.timeouts.stall)).await;
        let content = match opened {
            Ok(Ok(content)) if content.length() == put.length => content,
            Ok(Ok(content)) => {
                let violation = changed(put.length, Actual::Count(content.length()));
                return Err(source_failed(call, Sent::No, violation));
            }
            Ok(Err(violation)) => return Err(source_failed(call, Sent::No, violation)),
            Err(Elapsed) => {
                let error = Error::new(ErrorKind::Timeout, Sent::No);
                return Err(call.finish(error.with_message("opening the source took too long")));
            }
        };
        let watch = Arc::new(Watch::default());
        let number = call.attempts + 1;
        let on_taken = put.on_progress.clone().map(|report| -> OnTaken {
            let total_bytes = put.length;
            Arc::new(move |sent_bytes| report(Progress { sent_bytes, total_bytes, attempt: number }))
        });
        let pace = Pace::of(under_way.count, put.digest);
        let hasher = put.digest.then_some(&call.shared.hasher);
        let body = UploadBody::new(content, hasher, pace, Arc::clone(&watch), on_taken);
        let body = if put.length == 0 {
            // Nobody polls a body that is empty, and there is nothing to stream.
            watch.end_of_nothing(put.digest);
            Body::from(Bytes::new())
        } else {
            Body::stream(Some(put.length), Box::pin(body))
        };
        Ok(Self { body, watch, under_way })
    }
}

/// An upload among those that are under way.
pub(crate) struct UnderWay {
    uploads: Arc<AtomicUsize>,
    /// How many there are with it.
    count: usize,
}

impl UnderWay {
    pub(crate) fn begin(uploads: &Arc<AtomicUsize>) -> Self {
        let count = uploads.fetch_add(1, Ordering::Relaxed) + 1;
        Self { uploads: Arc::clone(uploads), count }
    }

    /// Begins, unless another one is under way.
    fn alone(uploads: &Arc<AtomicUsize>) -> Option<Self> {
        let was_none = uploads.compare_exchange(0, 1, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        was_none.then(|| Self { uploads: Arc::clone(uploads), count: 1 })
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.uploads.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(crate) fn source_failed(call: &Call<'_>, sent: Sent, violation: Violation) -> Error {
    call.finish(Error::new(ErrorKind::Source, sent).with_violations(violation))
}

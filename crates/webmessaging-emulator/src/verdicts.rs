//! Verdicts as a test wants them: scans that fail, and files that are judged again.

use std::error::Error;
use std::fmt;
use std::fmt::Display;
use std::sync::atomic::{AtomicUsize, Ordering};

use uuid::Uuid;

use crate::announced::Announced;
use crate::scan::VirusScan;
use crate::state::Shared;
use crate::transfers::TransferRequest;
use crate::uploads::UploadRequest;
use crate::watch::publish_verdict;

/// How many scans are still to fail.
#[derive(Debug, Default)]
pub(crate) struct ScanFailures {
    count: AtomicUsize,
}

impl ScanFailures {
    /// Lets this many scans fail from here on, in place of any that were to fail before.
    pub(crate) fn set(&self, count: usize) {
        self.count.store(count, Ordering::SeqCst);
    }

    /// Whether the scan that begins now is one of them.
    pub(crate) fn take(&self) -> bool {
        let one_fewer = |count: usize| count.checked_sub(1);
        self.count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_fewer).is_ok()
    }
}

/// Why a file was not judged again; see [`Emulator::rejudge`](crate::Emulator::rejudge).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RejudgeError {
    /// There is no file and no transfer with this id.
    NotFound,
    /// There is no verdict yet that could change.
    NotJudged,
}

impl Display for RejudgeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotFound => "there is no file and no transfer with this id",
            Self::NotJudged => "the file has no verdict yet",
        })
    }
}

impl Error for RejudgeError {}

impl Shared {
    /// Changes what the virus scan of a judged file or transfer came to, and tells the webhooks.
    pub(crate) fn rejudge(&self, id: &str, is_malicious: bool) -> Result<(), RejudgeError> {
        let id = Uuid::parse_str(id).map_err(|_| RejudgeError::NotFound)?;
        let virus_scan = if is_malicious { VirusScan::Malicious } else { VirusScan::Clean };
        let _turn = self.turn();
        match self.rejudge_kind::<UploadRequest>(id, virus_scan) {
            Err(RejudgeError::NotFound) => self.rejudge_kind::<TransferRequest>(id, virus_scan),
            result => result,
        }
    }

    fn rejudge_kind<A: Announced>(&self, id: Uuid, virus_scan: VirusScan) -> Result<(), RejudgeError> {
        let (request, verdict) = A::files(self).rejudge(id, virus_scan, self.clock.now())?;
        publish_verdict(self, id, request.as_ref(), verdict);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_scans_fail_as_were_asked_for() {
        let failures = ScanFailures::default();
        assert!(!failures.take());
        failures.set(2);
        assert_eq!([failures.take(), failures.take(), failures.take()], [true, true, false]);
        failures.set(1);
        failures.set(0);
        assert!(!failures.take());
    }
}

//! The verdict on a file so far: it moves forward and never back.

use crate::scan::ScanVerdict;

/// What is known of one file after any number of answers and webhooks in any order.
///
/// It only moves forward: pending, clean, unknown, failed, format rejected, malicious. A late "scanning" does not take a
/// verdict back, and a clean file that turns out to be malicious is blocked for good. An answer that makes no sense to this
/// version blocks as well: somebody has to look.
///
/// # Examples
/// ```
/// use webmessaging_model::{ScanProgress, ScanVerdict};
///
/// let mut progress = ScanProgress::default();
/// assert!(progress.advance(ScanVerdict::Clean));
/// assert!(!progress.advance(ScanVerdict::Pending));
/// assert_eq!(progress.verdict(), ScanVerdict::Clean);
/// assert!(progress.advance(ScanVerdict::Malicious));
/// assert!(!progress.advance(ScanVerdict::Clean));
/// assert_eq!(progress.verdict(), ScanVerdict::Malicious);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ScanProgress(ScanVerdict);

impl ScanProgress {
    /// Progress that begins at a verdict, as it was stored.
    pub const fn new(verdict: ScanVerdict) -> Self {
        Self(verdict)
    }

    /// Takes what another answer or webhook says; tells whether it changed anything.
    pub fn advance(&mut self, verdict: ScanVerdict) -> bool {
        let is_ahead = Self::rank(verdict) > Self::rank(self.0);
        if is_ahead {
            self.0 = verdict;
        }
        is_ahead
    }

    /// The verdict so far.
    pub const fn verdict(self) -> ScanVerdict {
        self.0
    }

    /// The place of a verdict in the order, for stores that compare numbers: 0 for pending, 10 for clean, more for everything
    /// that blocks. The numbers stay as they are.
    pub const fn rank(verdict: ScanVerdict) -> u8 {
        match verdict {
            ScanVerdict::Pending => 0,
            ScanVerdict::Clean => 10,
            ScanVerdict::Failed => 30,
            ScanVerdict::FormatRejected => 40,
            ScanVerdict::Malicious => 50,
            // Also for verdicts that are yet to be invented: what is not known is closed.
            _ => 20,
        }
    }
}

impl Default for ScanProgress {
    /// Nothing is known yet.
    fn default() -> Self {
        Self(ScanVerdict::Pending)
    }
}

impl PartialOrd for ScanProgress {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ScanProgress {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        Self::rank(self.0).cmp(&Self::rank(other.0))
    }
}

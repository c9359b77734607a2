//! What is known of transfers, whoever has said it; the oldest is forgotten first.

use std::collections::{HashMap, VecDeque};

use webmessaging_model::{ScanProgress, ScanVerdict, TransferId};

/// A cache with an end: what must not be forgotten is kept by whoever receives the webhooks.
const TRANSFERS_MAX: usize = 4096;

#[derive(Default)]
pub(super) struct Known {
    verdicts: HashMap<TransferId, ScanProgress>,
    order: VecDeque<TransferId>,
}

impl Known {
    pub(super) fn of(&self, id: &TransferId) -> ScanProgress {
        self.verdicts.get(id).copied().unwrap_or_default()
    }

    /// Adds a verdict; it moves forward or stays.
    pub(super) fn advance(&mut self, id: &TransferId, verdict: ScanVerdict) -> ScanProgress {
        if let Some(progress) = self.verdicts.get_mut(id) {
            progress.advance(verdict);
            return *progress;
        }
        let progress = ScanProgress::new(verdict);
        if verdict != ScanVerdict::Pending {
            if self.order.len() == TRANSFERS_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.verdicts.remove(&oldest);
            }
            self.order.push_back(id.clone());
            self.verdicts.insert(id.clone(), progress);
        }
        progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_forward_and_forgets_the_oldest() {
        let mut known = Known::default();
        let first = TransferId::new("first");
        assert_eq!(known.advance(&first, ScanVerdict::Pending).verdict(), ScanVerdict::Pending);
        assert_eq!(known.advance(&first, ScanVerdict::Clean).verdict(), ScanVerdict::Clean);
        assert_eq!(known.advance(&first, ScanVerdict::Malicious).verdict(), ScanVerdict::Malicious);
        assert_eq!(known.advance(&first, ScanVerdict::Clean).verdict(), ScanVerdict::Malicious);
        for number in 1..TRANSFERS_MAX {
            known.advance(&TransferId::new(number.to_string()), ScanVerdict::Clean);
        }
        assert_eq!(known.of(&first).verdict(), ScanVerdict::Malicious);
        known.advance(&TransferId::new("last"), ScanVerdict::Clean);
        assert_eq!(known.of(&first).verdict(), ScanVerdict::Pending);
        assert_eq!((known.verdicts.len(), known.order.len()), (TRANSFERS_MAX, TRANSFERS_MAX));
    }
}

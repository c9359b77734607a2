//! Scan verdicts add up to the same, in whatever order and however often they come.

use proptest::prelude::*;
use proptest::sample::select;
use webmessaging_model::ScanVerdict;
use webmessaging_webhooks::ScanProgress;

use crate::setup::committed;

const ALL: [ScanVerdict; 6] = [
    ScanVerdict::Pending,
    ScanVerdict::Clean,
    ScanVerdict::Unknown,
    ScanVerdict::Failed,
    ScanVerdict::FormatRejected,
    ScanVerdict::Malicious,
];

fn after(verdicts: &[ScanVerdict]) -> ScanVerdict {
    let mut progress = ScanProgress::default();
    for verdict in verdicts {
        progress.advance(*verdict);
    }
    progress.verdict()
}

fn verdicts() -> impl Strategy<Value = Vec<ScanVerdict>> {
    prop::collection::vec(select(&ALL[..]), 0..12)
}

#[test]
fn the_order_is_total_and_only_clean_stands_between_pending_and_what_blocks() {
    for (index, earlier) in ALL.iter().enumerate() {
        for later in &ALL[index + 1..] {
            assert_eq!(after(&[*later, *earlier]), *later);
            assert_eq!(after(&[*earlier, *later]), *later);
            assert!(ScanProgress::new(*earlier) < ScanProgress::new(*later));
        }
    }
}

proptest! {
    #![proptest_config(committed())]

    #[test]
    fn neither_order_nor_repetition_matters(
        (verdicts, shuffled) in verdicts().prop_flat_map(|verdicts| (Just(verdicts.clone()), Just(verdicts).prop_shuffle())),
        repeated in any::<prop::sample::Index>(),
    ) {
        prop_assert_eq!(after(&verdicts), after(&shuffled));
        if !verdicts.is_empty() {
            let mut again = verdicts.clone();
            again.push(*repeated.get(&verdicts));
            prop_assert_eq!(after(&verdicts), after(&again));
        }
    }

    #[test]
    fn it_never_moves_back(verdicts in verdicts()) {
        let mut progress = ScanProgress::default();
        for verdict in verdicts {
            let before = progress;
            let has_changed = progress.advance(verdict);
            prop_assert!(progress >= before);
            prop_assert_eq!(has_changed, progress != before);
            prop_assert!(before.verdict() != ScanVerdict::Malicious || !has_changed);
            prop_assert_eq!(progress, before.max(ScanProgress::new(verdict)));
        }
    }

    /// Clean is the end only if nothing else but waiting was ever said.
    #[test]
    fn clean_means_that_nobody_objected(verdicts in verdicts()) {
        let objected = verdicts.iter().any(|one| !matches!(one, ScanVerdict::Clean | ScanVerdict::Pending));
        let is_clean = after(&verdicts) == ScanVerdict::Clean;
        prop_assert_eq!(is_clean, verdicts.contains(&ScanVerdict::Clean) && !objected);
    }
}

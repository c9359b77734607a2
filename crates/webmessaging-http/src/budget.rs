//! The retry budget of a client: retries are paid for, successes earn, and who is broke does not retry.
//!
//! When a server is in trouble every caller retries at once, which is the last thing it needs. One bucket for the whole
//! client bounds that, whatever each caller's own policy allows.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, ErrorKind};

/// What retries cost and successes earn.
///
/// The defaults are those of the AWS SDKs: 500 tokens to begin with and at most; a retry costs 14, after 429 only 5,
/// since a server that can count is well; what a call paid for its last retry comes back when it succeeds, and a call
/// that succeeds at once earns 1.
///
/// # Examples
/// ```
/// use webmessaging_http::RetryBudget;
///
/// let strict = RetryBudget::default().capacity(100);
/// let unlimited = RetryBudget::unlimited();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryBudget {
    capacity: Option<u32>,
}

const CAPACITY: u32 = 500;
const COST: u32 = 14;
const COST_OF_THROTTLING: u32 = 5;
const EARNED: u32 = 1;

impl Default for RetryBudget {
    fn default() -> Self {
        Self { capacity: Some(CAPACITY) }
    }
}

impl RetryBudget {
    /// Retries cost nothing.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { capacity: None }
    }

    /// Sets the tokens to begin with and at most; 500 by default. A retry costs 14, after 429 only 5.
    #[must_use]
    pub fn capacity(mut self, tokens: u32) -> Self {
        self.capacity = Some(tokens);
        self
    }
}

/// The tokens that are left.
#[derive(Debug)]
pub(crate) struct Purse {
    capacity: Option<u32>,
    tokens: Mutex<u32>,
}

/// What a retry was paid with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paid(u32);

impl Purse {
    pub(crate) fn new(budget: &RetryBudget) -> Self {
        Self { capacity: budget.capacity, tokens: Mutex::new(budget.capacity.unwrap_or_default()) }
    }

    /// Pays for a retry, if there is enough left.
    pub(crate) fn pay(&self, error: &Error) -> Option<Paid> {
        let cost = match error.kind() {
            ErrorKind::RateLimited => COST_OF_THROTTLING,
            // Nothing was sent and nothing will be before the host is asked again.
            ErrorKind::CircuitOpen => 0,
            _ => COST,
        };
        if self.capacity.is_none() {
            return Some(Paid(0));
        }
        let mut tokens = self.tokens();
        *tokens = tokens.checked_sub(cost)?;
        Some(Paid(cost))
    }

    /// A call succeeded, after a retry or at once.
    pub(crate) fn earn(&self, last: Option<Paid>) {
        if let Some(capacity) = self.capacity {
            let earned = last.map_or(EARNED, |paid| paid.0);
            let mut tokens = self.tokens();
            *tokens = tokens.saturating_add(earned).min(capacity);
        }
    }

    fn tokens(&self) -> MutexGuard<'_, u32> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::Sent;

    fn retries(purse: &Purse, kind: ErrorKind) -> usize {
        let error = Error::new(kind, Sent::Maybe);
        std::iter::from_fn(|| purse.pay(&error)).take(10_000).count()
    }

    #[test]
    fn a_full_purse_pays_for_so_many_retries_and_no_more() {
        let purse = || Purse::new(&RetryBudget::default());
        assert_eq!(retries(&purse(), ErrorKind::Server), 35);
        assert_eq!(retries(&purse(), ErrorKind::RateLimited), 100);
        assert_eq!(retries(&purse(), ErrorKind::CircuitOpen), 10_000);
        assert_eq!(retries(&Purse::new(&RetryBudget::unlimited()), ErrorKind::Server), 10_000);
        assert_eq!(retries(&Purse::new(&RetryBudget::default().capacity(13)), ErrorKind::Server), 0);
    }

    #[test]
    fn successes_fill_it_again() {
        let purse = Purse::new(&RetryBudget::default().capacity(14));
        let error = Error::new(ErrorKind::Server, Sent::Maybe);
        let paid = purse.pay(&error).unwrap();
        assert_eq!(purse.pay(&error), None);
        purse.earn(Some(paid));
        assert!(purse.pay(&error).is_some(), "a retry that worked gives back what it cost");
        for _ in 0..13 {
            purse.earn(None);
        }
        assert_eq!(purse.pay(&error), None);
        purse.earn(None);
        assert!(purse.pay(&error).is_some());
    }

    proptest! {
        #[test]
        fn it_never_holds_more_than_its_capacity(capacity in 0..2_000_u32, steps in prop::collection::vec(0..3_u8, 0..200)) {
            let purse = Purse::new(&RetryBudget::default().capacity(capacity));
            let mut last = None;
            for step in steps {
                match step {
                    0 => last = purse.pay(&Error::new(ErrorKind::Server, Sent::Maybe)).or(last),
                    1 => purse.earn(last.take()),
                    _ => purse.earn(None),
                }
                prop_assert!(*purse.tokens() <= capacity);
            }
        }
    }
}

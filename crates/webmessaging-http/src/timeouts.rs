//! How long things may take.

use std::time::Duration;

/// How long things may take.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use webmessaging_http::Timeouts;
///
/// let timeouts = Timeouts::default().call(Duration::from_secs(20));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) attempt: Duration,
    pub(crate) call: Duration,
    pub(crate) stall: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            attempt: Duration::from_secs(30),
            call: Duration::from_secs(120),
            stall: Duration::from_secs(30),
        }
    }
}

impl Timeouts {
    /// Sets how long connecting may take; 10 seconds by default.
    #[must_use]
    pub const fn connect(mut self, limit: Duration) -> Self {
        self.connect = limit;
        self
    }

    /// Sets how long one attempt of an API call may take, answer included; 30 seconds by default.
    #[must_use]
    pub const fn attempt(mut self, limit: Duration) -> Self {
        self.attempt = limit;
        self
    }

    /// Sets how long a call may take with all its retries; 120 seconds by default. A wait that would not fit is not
    /// begun: the call ends at once with the error that would have been retried. Of an upload only the waits between
    /// attempts count.
    #[must_use]
    pub const fn call(mut self, limit: Duration) -> Self {
        self.call = limit;
        self
    }

    /// Sets how long an upload may stand still; 30 seconds by default. An attempt without progress for one to two
    /// times this long is given up and counts as timed out, so that it is retried. An upload that moves has no limit.
    #[must_use]
    pub const fn stall(mut self, limit: Duration) -> Self {
        self.stall = limit;
        self
    }
}

//! Rate limits as the platform has them: so many requests of one access token, and of one OAuth client, in a window.

mod counters;

use std::time::Duration;

pub(crate) use self::counters::{Caller, Counters, Rates, Standing};

/// How the window of a limit moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RateWindow {
    /// Begins with a request and counts until it ends, then begins anew; what the platform's headers speak of.
    #[default]
    Fixed,
    /// The time before each request.
    Sliding,
}

/// The rate limits of an emulator.
///
/// The defaults are the platform's: 300 requests a minute for one access token, and for all tokens of one OAuth client
/// together.
///
/// # Examples
///
/// ```
/// use webmessaging_emulator::{RateLimit, RateWindow};
///
/// let tight = RateLimit::default().per_token(10).window(RateWindow::Sliding);
/// let none = RateLimit::off();
/// # let _ = (tight, none);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    per_token: u32,
    per_client: u32,
    length: Duration,
    window: RateWindow,
    is_on: bool,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            per_token: 300,
            per_client: 300,
            length: Duration::from_secs(60),
            window: RateWindow::Fixed,
            is_on: true,
        }
    }
}

impl RateLimit {
    /// No limits, and no headers about them.
    #[must_use]
    pub fn off() -> Self {
        Self { is_on: false, ..Self::default() }
    }

    /// Requests of one access token in a window. Default 300.
    #[must_use]
    pub fn per_token(mut self, requests: u32) -> Self {
        self.per_token = requests;
        self
    }

    /// Requests of all access tokens of one OAuth client in a window. Default 300.
    #[must_use]
    pub fn per_client(mut self, requests: u32) -> Self {
        self.per_client = requests;
        self
    }

    /// Length of the window on the emulator's clock. Default 60 s.
    #[must_use]
    pub fn length(mut self, length: Duration) -> Self {
        self.length = length;
        self
    }

    /// How the window moves. Default [`RateWindow::Fixed`].
    #[must_use]
    pub fn window(mut self, window: RateWindow) -> Self {
        self.window = window;
        self
    }
}

//! Sharing a quota with processes that use the same OAuth client and do not talk to us.
//!
//! All we know of the others is the count in the headers of our own answers. Where it is larger than what we can have
//! caused, somebody else is there, and two rules hold until two windows after the last such sign. `docs/adr/0007` has the
//! reasons and `cargo xtask bench limiter` the figures.
//!
//! - **A window that ends** (the platform's own kind): everyone sends at a rate in proportion to what is left, over the
//!   time that is left. All see the same two numbers, so all get the same rate without knowing how many they are, and
//!   the rate falls to nothing before the quota does.
//! - **A window that slides**: when a request of ours leaves it, most of its place is ours again and the rest is free for
//!   everybody. What is free above a small reserve is taken at a rate in proportion to it, the same for all; what lacks
//!   of the reserve is given back in proportion to what each one uses. So all gain the same and lose in proportion,
//!   which ends in equal shares.

use std::time::{Duration, Instant};

use super::WaitReason;
use super::ledger::Gate;
use super::told::Told;

/// Of a window that ends, the rate is as if only a third of its rest were left: bursts stay possible.
const HASTE: u32 = 3;

/// The pace at which what is left is used up when the end is near: a twentieth of the window, and never faster than
/// news travels.
const PACE_PER_WINDOW: u32 = 20;
const PACE_PER_ROUND_TRIP: u32 = 8;

/// Of a window that slides, this part stays unused, so that whoever comes new finds a place.
const RESERVE: f64 = 0.02;

/// Of a place that we leave in such a window, this part is free for everybody. Shares are equal after some four windows.
const LEAK: f64 = 0.25;

/// Less than this is free at no time, as far as the rate of taking goes: news get old.
const FREE_MIN: f64 = 0.25;

/// How fast the estimate of the others follows.
const SMOOTHING: f64 = 0.1;

/// Others send at most so many times as much as we do, as far as estimates go.
const OTHERS_MAX: f64 = 8.0;

/// What of the ledger matters here.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) used: u32,
    pub(super) number: u64,
    pub(super) last_sent: Option<Instant>,
    pub(super) quota: u32,
    pub(super) window: Duration,
    pub(super) round_trip: Duration,
}

impl Own {
    fn reserve(&self) -> f64 {
        (f64::from(self.quota) * RESERVE).max(1.0)
    }

    fn pace(&self) -> Duration {
        (self.window / PACE_PER_WINDOW).max(self.round_trip * PACE_PER_ROUND_TRIP)
    }

    /// When the next one is due that comes `gap` after the last.
    fn after(&self, gap: Duration, now: Instant) -> Instant {
        self.last_sent.map_or(now, |last| last + gap)
    }
}

/// The last word of the server.
#[derive(Debug, Clone, Copy)]
struct News {
    count: u32,
    /// The number of our request that it answered.
    number: u64,
    reset_at: Instant,
}

/// What we make of the others.
#[derive(Debug, Default)]
pub(super) struct Share {
    news: Option<News>,
    shared_until: Option<Instant>,
    /// The window was seen to go on past its end.
    slides: bool,
    /// How many requests the others make for one of ours.
    others: f64,
    /// Of a window that slides: how many places are ours.
    places: f64,
    /// How much there is to take beyond them, by the last news.
    free: f64,
}

impl Share {
    pub(super) fn told_count(&self) -> Option<u32> {
        self.news.map(|news| news.count)
    }

    /// Takes in what the answer to request `number` says. `ours_at_most` is what the server can have counted of ours.
    pub(super) fn learn(&mut self, told: &Told, number: u64, ours_at_most: u32, own: &Own, now: Instant) {
        if told.count > ours_at_most {
            self.shared_until = Some(now + own.window * 2);
        }
        let last = self.news.filter(|last| last.number <= number);
        if self.news.is_some() && last.is_none() {
            // An older answer that was overtaken on its way.
            return;
        }
        if let Some(last) = last.filter(|last| last.number < number) {
            if told.count < last.count / 2 {
                // Ends are told in whole seconds: the window may have ended up to a second before its end.
                self.slides = false;
            } else if now < last.reset_at {
                let ours = count_f64(number - last.number);
                let theirs = (f64::from(told.count) - f64::from(last.count) - ours).max(0.0);
                self.others += (theirs / ours - self.others) * SMOOTHING;
            } else if last.count > own.quota / 2 {
                self.slides = true;
            }
        }
        let on_its_way = own.number.saturating_sub(number);
        let counted = f64::from(own.used) - count_f64(on_its_way);
        let others = (f64::from(told.count) / counted.max(1.0)).min(OTHERS_MAX);
        let left = f64::from(own.quota) - f64::from(told.count) - count_f64(on_its_way) * others;
        self.free = left - own.reserve();
        if self.free < 0.0 {
            let given_back = self.free * f64::from(own.used) / f64::from(told.count.max(1));
            self.places = self.places.min(f64::from(own.used) + given_back).max(0.0);
        }
        self.news = Some(News { count: told.count, number, reset_at: now + told.reset });
    }

    /// One of ours went out; `used` counts it. Beyond our places it has taken one more.
    pub(super) fn sent(&mut self, used: u32) {
        self.places = self.places.max(f64::from(used));
    }

    /// So many of ours have left the window.
    pub(super) fn left(&mut self, count: u32) {
        self.places = (self.places - f64::from(count) * LEAK).max(0.0);
    }

    /// Whether one more is ours to send. `when_leaves` tells when so many of our own have left the window.
    pub(super) fn gate(
        &self,
        now: Instant,
        own: &Own,
        when_leaves: impl Fn(usize) -> Option<Instant>,
    ) -> Gate {
        let Some(news) = self.news.filter(|_| self.shared_until.is_some_and(|until| now < until)) else {
            return Gate::Open;
        };
        let at = if self.slides {
            let lacks = f64::from(own.used) + 1.0 - self.places;
            if lacks <= 0.0 {
                return Gate::Open;
            }
            let taken = if self.free > 0.0 {
                own.after(own.pace().div_f64(self.free.max(FREE_MIN)), now)
            } else {
                news.reset_at.max(own.after(own.pace(), now))
            };
            when_leaves(ceiled(lacks / (1.0 - LEAK))).map_or(taken, |ours| ours.min(taken))
        } else {
            let sent_since = count_f64(own.number.saturating_sub(news.number));
            let left = f64::from(own.quota) - f64::from(news.count) - sent_since - self.others;
            if left > 1.0 {
                let rest = news.reset_at.saturating_duration_since(now) / HASTE;
                own.after(rest.max(own.pace()).div_f64(left), now)
            } else {
                news.reset_at.max(own.after(own.pace(), now))
            }
        };
        if at <= now { Gate::Open } else { Gate::until(at, WaitReason::Shared) }
    }
}

#[expect(clippy::cast_precision_loss, reason = "differences of request numbers are small")]
fn count_f64(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive number of requests, smaller than the quota"
)]
fn ceiled(requests: f64) -> usize {
    requests.ceil().max(1.0) as usize
}

//! A run through a list: lines are taken up as they come, and each conversation has one of them under way.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::poll_fn;
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_core::FusedStream;
use futures_util::future::Either;
use futures_util::stream::{FuturesUnordered, StreamExt};
use webmessaging_bots::{Reason, Undelivered};
use webmessaging_model::ConversationId;

use super::line::Line;
use super::report::{BulkError, BulkReport, BulkStop, LineOutcome};
use super::{Begin, BulkSender, ROOM, Turn, UNDER_WAY};

/// A line of the list, or why there is none, and its number.
type Numbered = (io::Result<String>, u64);

/// Something that has ended.
pub(super) enum Step {
    /// Lines are on record.
    Noted { count: usize, begun: Result<Vec<Begin>, BulkStop> },
    /// A line was sent, or not.
    Ended { conversation: ConversationId, number: u64, outcome: Result<LineOutcome, BulkStop> },
}

/// What happens next.
enum Next {
    Lines(Vec<Numbered>),
    Step(Step),
    /// There is nothing more to do.
    Over,
}

/// A run, and what it has learned.
pub(super) struct Run<'a, F> {
    bulk: &'a BulkSender,
    told: F,
    report: BulkReport,
    /// Conversations of which a line could not be sent.
    held: HashSet<ConversationId>,
    /// Of each conversation that has a line under way, the ones behind it.
    behind: HashMap<ConversationId, VecDeque<Begin>>,
    under_way: usize,
    /// Lines are put on record one lot after the other, so that they stay in their order.
    is_noting: bool,
    /// When it began.
    since: Instant,
    stop: Option<BulkStop>,
}

impl<'a, F: FnMut(u64, &LineOutcome)> Run<'a, F> {
    pub(super) fn new(bulk: &'a BulkSender, told: F) -> Self {
        Self {
            bulk,
            told,
            report: BulkReport::default(),
            held: HashSet::new(),
            behind: HashMap::new(),
            under_way: 0,
            is_noting: false,
            since: bulk.clock.now(),
            stop: None,
        }
    }

    /// To the end of the list, or to what stops it; then to the end of what is under way.
    pub(super) async fn through(
        mut self,
        mut lines: Pin<&mut impl FusedStream<Item = Numbered>>,
    ) -> Result<BulkReport, BulkError> {
        let bulk = self.bulk;
        let mut steps = FuturesUnordered::new();
        loop {
            let room = match UNDER_WAY - self.under_way {
                room if room >= ROOM && !self.is_noting && self.stop.is_none() => room,
                _ => 0,
            };
            let next = poll_fn(|cx| {
                if let Poll::Ready(Some(step)) = steps.poll_next_unpin(cx) {
                    return Poll::Ready(Next::Step(step));
                }
                match there(lines.as_mut(), room, cx) {
                    Some(lines) => Poll::Ready(Next::Lines(lines)),
                    None if steps.is_empty() && (room == 0 || lines.is_terminated()) => {
                        Poll::Ready(Next::Over)
                    }
                    None => Poll::Pending,
                }
            });
            match next.await {
                Next::Lines(lines) => {
                    let ready = self.read(lines);
                    if ready.is_empty() {
                        // Where nothing is waited for others want to run as well.
                        tokio::task::yield_now().await;
                    } else {
                        self.under_way += ready.len();
                        self.is_noting = true;
                        steps.push(Either::Left(bulk.note(ready)));
                    }
                }
                Next::Step(Step::Noted { count, begun }) => {
                    self.is_noting = false;
                    match begun {
                        Ok(begun) if self.can_record() => {
                            let free: Vec<_> =
                                begun.into_iter().filter_map(|begin| self.free(begin)).collect();
                            let take = |(begin, turn)| Either::Right(bulk.take(begin, turn));
                            steps.extend(free.into_iter().map(take));
                        }
                        Ok(begun) => self.under_way -= begun.len(),
                        Err(stop) => self.stops(stop, count),
                    }
                }
                Next::Step(Step::Ended { conversation, number, outcome }) => {
                    match outcome {
                        Ok(outcome) => self.ended(&conversation, number, &outcome),
                        Err(stop) => self.stops(stop, 1),
                    }
                    if let Some((begin, turn)) = self.after(conversation) {
                        steps.push(Either::Right(bulk.take(begin, turn)));
                    }
                }
                Next::Over => break,
            }
        }
        match self.stop {
            Some(stop) => Err(BulkError { stop, report: self.report }),
            None => Ok(self.report),
        }
    }

    /// The messages among these lines; the others are told at once.
    fn read(&mut self, lines: Vec<Numbered>) -> Vec<(u64, Line)> {
        let mut ready = Vec::with_capacity(lines.len());
        for (line, number) in lines {
            match line {
                Ok(text) if text.trim().is_empty() => {}
                Ok(text) => match Line::read(&text) {
                    Ok(line) => ready.push((number, line)),
                    Err(violations) => self.tell(number, &LineOutcome::Rejected(violations)),
                },
                Err(error) => {
                    self.stop = Some(BulkStop::List(number, error));
                    break;
                }
            }
        }
        ready
    }

    /// A line whose turn it is; one that has others before it waits behind them.
    fn free(&mut self, begin: Begin) -> Option<(Begin, Turn)> {
        match self.behind.entry(begin.line.conversation.clone()) {
            Entry::Occupied(mut behind) => {
                behind.get_mut().push_back(begin);
                None
            }
            Entry::Vacant(none) => {
                let is_held = self.held.contains(none.key());
                none.insert(VecDeque::new());
                Some((begin, Turn { is_held, since: self.since }))
            }
        }
    }

    /// The next line of a conversation.
    fn after(&mut self, conversation: ConversationId) -> Option<(Begin, Turn)> {
        let can_record = self.can_record();
        let Entry::Occupied(mut behind) = self.behind.entry(conversation) else { return None };
        if !can_record {
            self.under_way -= mem::take(behind.get_mut()).len();
        }
        if let Some(begin) = behind.get_mut().pop_front() {
            let is_held = self.held.contains(behind.key());
            return Some((begin, Turn { is_held, since: self.since }));
        }
        behind.remove();
        None
    }

    fn ended(&mut self, conversation: &ConversationId, number: u64, outcome: &LineOutcome) {
        let holds = matches!(outcome, LineOutcome::Undelivered(undelivered)
            if !matches!(undelivered.reason, Reason::Refused | Reason::NotRecorded));
        if holds && !self.held.contains(conversation) {
            self.held.insert(conversation.clone());
        }
        self.under_way -= 1;
        self.tell(number, outcome);
        if let LineOutcome::Undelivered(Undelivered { error: Some(error), .. }) = outcome
            && error.is_of_login()
        {
            self.stop.get_or_insert_with(|| BulkStop::Login(error.clone()));
        }
    }

    fn stops(&mut self, stop: BulkStop, lines: usize) {
        self.under_way -= lines;
        // A store that fails is worse than a list that breaks off.
        if self.can_record() {
            self.stop = Some(stop);
        }
    }

    /// Where nothing can be put on record nothing is sent; another run looks for what was about to be.
    fn can_record(&self) -> bool {
        !matches!(self.stop, Some(BulkStop::Store(_)))
    }

    fn tell(&mut self, number: u64, outcome: &LineOutcome) {
        self.report.count(outcome);
        (self.told)(number, outcome);
    }
}

/// The lines that are there now, so many at most; nothing when there is none, or no room.
fn there(
    mut lines: Pin<&mut impl FusedStream<Item = Numbered>>,
    room: usize,
    cx: &mut Context<'_>,
) -> Option<Vec<Numbered>> {
    let mut found = Vec::new();
    while found.len() < room && !lines.is_terminated() {
        match lines.as_mut().poll_next(cx) {
            Poll::Ready(Some(line)) => found.push(line),
            Poll::Ready(None) | Poll::Pending => break,
        }
    }
    (!found.is_empty()).then_some(found)
}

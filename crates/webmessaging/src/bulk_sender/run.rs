//! A run through a list: lines are taken up as they come, and each conversation has one of them under way.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_core::FusedStream;
use futures_util::stream::{FuturesUnordered, StreamExt};
use webmessaging_bots::{Reason, Undelivered};
use webmessaging_model::ConversationId;

use super::line::Line;
use super::report::{BulkError, BulkReport, BulkStop, LineOutcome};
use super::{BulkSender, Turn, UNDER_WAY, WAITING};

/// A line of the list, or why there is none, and its number.
type Numbered = (io::Result<String>, u64);

/// A line that was sent, or not.
pub(super) struct Ended {
    pub(super) conversation: ConversationId,
    pub(super) number: u64,
    pub(super) outcome: Result<LineOutcome, BulkStop>,
}

/// What happens next.
enum Next {
    Lines(Vec<Numbered>),
    Ended(Ended),
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
    behind: HashMap<ConversationId, VecDeque<(u64, Line)>>,
    /// How many there are behind others.
    waiting: usize,
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
            waiting: 0,
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
        let mut under_way = FuturesUnordered::new();
        loop {
            let room = self.room();
            let next = poll_fn(|cx| {
                if let Poll::Ready(Some(ended)) = under_way.poll_next_unpin(cx) {
                    return Poll::Ready(Next::Ended(ended));
                }
                match there(lines.as_mut(), room, cx) {
                    Some(lines) => Poll::Ready(Next::Lines(lines)),
                    None if under_way.is_empty() && (room == 0 || lines.is_terminated()) => {
                        Poll::Ready(Next::Over)
                    }
                    None => Poll::Pending,
                }
            });
            match next.await {
                Next::Lines(lines) => {
                    let free = self.read(lines);
                    if free.is_empty() {
                        // Where nothing is waited for others want to run as well.
                        tokio::task::yield_now().await;
                    }
                    under_way.extend(free.into_iter().map(|(line, turn)| bulk.take(line, turn)));
                }
                Next::Ended(Ended { conversation, number, outcome }) => {
                    match outcome {
                        Ok(outcome) => self.ended(&conversation, number, &outcome),
                        // A store that fails is worse than whatever else stops the list.
                        Err(stop) if self.can_record() => self.stop = Some(stop),
                        Err(_) => {}
                    }
                    under_way.extend(self.after(conversation).map(|(line, turn)| bulk.take(line, turn)));
                }
                Next::Over => break,
            }
        }
        match self.stop {
            Some(stop) => Err(BulkError { stop, report: self.report }),
            None => Ok(self.report),
        }
    }

    /// How many more lines there is room for, wherever they belong.
    fn room(&self) -> usize {
        match self.stop {
            None => (UNDER_WAY - self.behind.len()).min(WAITING - self.waiting),
            Some(_) => 0,
        }
    }

    /// Those of these lines whose turn it is; the others wait behind others, or are told at once because they are no messages.
    fn read(&mut self, lines: Vec<Numbered>) -> Vec<((u64, Line), Turn)> {
        let mut free = Vec::with_capacity(lines.len());
        for (line, number) in lines {
            match line {
                Ok(text) if text.trim().is_empty() => {}
                Ok(text) => match Line::read(&text) {
                    Ok(line) => free.extend(self.free(number, line)),
                    Err(violations) => self.tell(number, &LineOutcome::Rejected(violations)),
                },
                Err(error) => {
                    self.stop = Some(BulkStop::List(number, error));
                    break;
                }
            }
        }
        free
    }

    /// A line whose turn it is; one that has others before it waits behind them.
    fn free(&mut self, number: u64, line: Line) -> Option<((u64, Line), Turn)> {
        match self.behind.entry(line.conversation.clone()) {
            Entry::Occupied(mut behind) => {
                behind.get_mut().push_back((number, line));
                self.waiting += 1;
                None
            }
            Entry::Vacant(none) => {
                let is_held = self.held.contains(none.key());
                none.insert(VecDeque::new());
                Some(((number, line), Turn { is_held, since: self.since }))
            }
        }
    }

    /// The next line of a conversation.
    fn after(&mut self, conversation: ConversationId) -> Option<((u64, Line), Turn)> {
        let can_record = self.can_record();
        let Entry::Occupied(mut behind) = self.behind.entry(conversation) else { return None };
        if can_record && let Some(line) = behind.get_mut().pop_front() {
            self.waiting -= 1;
            let is_held = self.held.contains(behind.key());
            return Some((line, Turn { is_held, since: self.since }));
        }
        self.waiting -= behind.remove().len();
        None
    }

    fn ended(&mut self, conversation: &ConversationId, number: u64, outcome: &LineOutcome) {
        let holds = matches!(outcome, LineOutcome::Undelivered(undelivered)
            if !matches!(undelivered.reason, Reason::Refused | Reason::NotRecorded));
        if holds && !self.held.contains(conversation) {
            self.held.insert(conversation.clone());
        }
        self.tell(number, outcome);
        if let LineOutcome::Undelivered(Undelivered { error: Some(error), .. }) = outcome
            && error.is_of_login()
        {
            self.stop.get_or_insert_with(|| BulkStop::Login(error.clone()));
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

//! The way through a list, page by page: what comes next, when it is over, and when the server leads us in circles.

use std::collections::hash_map::RandomState;
use std::collections::{HashSet, VecDeque};
use std::hash::BuildHasher;

use tokio::task::JoinSet;
use tracing::Instrument;

use crate::answer::Answer;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Sent};
use crate::log;
use crate::paging::next_uri::query_of;
use crate::paging::{Next, Page, PageAnswer, PageKey, Paged};

/// The platform once promised another page for ever; the official tools end after so many empty ones in a row.
const EMPTY_PAGES_MAX: u32 = 3;

/// No cursor is longer; a longer one would not fit a request line either.
const CURSOR_BYTES_MAX: usize = 8 * 1024;

#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) concurrency: usize,
    pub(super) pages_max: u64,
}

type Outcome<E> = Result<Page<<E as crate::Endpoint>::Answer>, Error>;
/// One task, which ends when this is dropped.
type Ahead<E> = JoinSet<Result<Answer<<E as crate::Endpoint>::Answer>, Error>>;

pub(super) struct Walk<E: Paged> {
    client: Client,
    endpoint: E,
    next: Option<PageKey>,
    /// What is wrong with the way on, said when somebody wants to go there.
    failure: Option<Error>,
    pages: u64,
    items: u64,
    /// It began with the first page, so that items can be compared with the list's total.
    is_whole: bool,
    empty_in_a_row: u32,
    /// The number of the last page, as far as a page has told.
    last: Option<u64>,
    /// Digests of the keys that were read, one for each page: they are small, cursors need not be.
    read: HashSet<u64>,
    hasher: RandomState,
    /// Numbered pages under way, without a gap.
    ahead: VecDeque<(u64, Ahead<E>)>,
}

impl<E: Paged> Walk<E> {
    pub(super) fn new(client: Client, endpoint: E, start: Option<PageKey>) -> Self {
        let is_whole = start.is_none();
        let next = start.unwrap_or_else(E::Answer::first);
        Self {
            client,
            endpoint,
            next: Some(next),
            failure: None,
            pages: 0,
            items: 0,
            is_whole,
            empty_in_a_row: 0,
            last: None,
            read: HashSet::new(),
            hasher: RandomState::new(),
            ahead: VecDeque::new(),
        }
    }

    /// Reads the next page. After an error there is none.
    pub(super) async fn turn(mut self: Box<Self>, settings: Settings) -> (Box<Self>, Option<Outcome<E>>) {
        let outcome = match (self.failure.take(), self.next.take()) {
            (Some(failure), _) => Some(Err(failure)),
            (None, Some(key)) => Some(self.page(key, settings).await),
            (None, None) => None,
        };
        (self, outcome)
    }

    async fn page(&mut self, key: PageKey, settings: Settings) -> Outcome<E> {
        let outcome = self.read(&key, settings).await;
        let answer = outcome.map_err(|error| error.with_page(key.clone(), self.pages))?;
        self.check_place(&key, &answer)?;
        match self.after(&key, &answer, settings) {
            Ok(next) => self.next = next,
            Err(failure) => self.failure = Some(failure),
        }
        if self.next.is_none() {
            self.ahead.clear();
        }
        self.pages += 1;
        Ok(Page { key, next: self.next.clone(), answer })
    }

    async fn read(&mut self, key: &PageKey, settings: Settings) -> Result<Answer<E::Answer>, Error> {
        self.read_ahead(key, settings);
        let Some((_, mut page)) = self.ahead.pop_front() else {
            return self.client.send(&self.endpoint.at(key)).await;
        };
        match page.join_next().await {
            Some(Ok(outcome)) => outcome,
            // The endpoint's own code, which would have panicked here without a task just the same.
            Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            _ => Err(Error::new(ErrorKind::Canceled, Sent::Maybe)
                .with_operation(self.endpoint.operation())
                .with_message("the runtime was shut down")),
        }
    }

    /// Sends for the pages from `key` on, as many as may be under way at once and are known to exist. Each is a task of
    /// its own: a slow reader must not let answers that have arrived run into their time limit.
    fn read_ahead(&mut self, key: &PageKey, settings: Settings) {
        let (PageKey::Number(from), Some(last)) = (key, self.last) else { return self.ahead.clear() };
        if self.ahead.front().is_some_and(|(number, _)| number != from) {
            self.ahead.clear();
        }
        if settings.concurrency < 2 {
            return;
        }
        let room = settings.pages_max.saturating_sub(self.pages).min(settings.concurrency as u64);
        let wanted = (*from..=last).zip(0..room).skip(self.ahead.len());
        for (number, _) in wanted {
            let client = self.client.clone();
            let endpoint = self.endpoint.at(&PageKey::Number(number));
            let read = async move { client.send(&endpoint).await };
            let mut page = JoinSet::new();
            page.spawn(read.in_current_span());
            self.ahead.push_back((number, page));
        }
    }

    /// A server that answers with another page than the one asked for would have us read the same one for ever.
    fn check_place(&self, key: &PageKey, answer: &Answer<E::Answer>) -> Result<(), Error> {
        match (key, answer.value.next()) {
            (PageKey::Number(asked), Next::Number { number: Some(found), .. })
                if found != *asked && found > 0 =>
            {
                let message = format!("asked for page {asked} and got page {found}");
                Err(blame(answer, message).with_page(key.clone(), self.pages))
            }
            _ => Ok(()),
        }
    }

    /// The key of the page after this one, if there is one.
    fn after(
        &mut self,
        key: &PageKey,
        answer: &Answer<E::Answer>,
        settings: Settings,
    ) -> Result<Option<PageKey>, Error> {
        let here = |error: Error| error.with_page(key.clone(), self.pages);
        let cursor = |cursor: String| {
            let is_short = cursor.len() <= CURSOR_BYTES_MAX;
            is_short.then_some(cursor).ok_or_else(|| {
                here(blame(
                    answer,
                    format!("the next page's cursor or uri has more than {CURSOR_BYTES_MAX} bytes"),
                ))
            })
        };
        let next = match answer.value.next() {
            Next::End => None,
            Next::Cursor(at) => Some(PageKey::Cursor(cursor(at)?)),
            Next::Uri(uri) => {
                let query = query_of(&self.client.0, &self.endpoint, &cursor(uri)?);
                let query = query.map_err(|error| here(facts_of(answer, error)))?;
                Some(PageKey::Query(query))
            }
            Next::Number { number, count, size, more } => {
                self.after_number(key, answer, [number, count, size], more)
            }
        };
        let Some(next) = next else { return Ok(None) };
        self.items += answer.value.items().len() as u64;
        if self.is_over(key, &next, answer)? {
            return Ok(None);
        }
        self.check_progress(key, &next, answer)?;
        if self.pages + 1 >= settings.pages_max {
            let message = format!("the list has more than {} pages", settings.pages_max);
            return Err(blame(answer, message).with_page(next, self.pages + 1));
        }
        Ok(Some(next))
    }

    /// Numbers and counts are the server's claims, so any of them that promises another page is believed, and what a
    /// page does not say is as the one before said.
    fn after_number(
        &mut self,
        key: &PageKey,
        answer: &Answer<E::Answer>,
        said: [Option<u64>; 3],
        more: bool,
    ) -> Option<PageKey> {
        let [found, count, size] = said.map(|number| number.filter(|number| *number > 0));
        let number = match key {
            PageKey::Number(number) => *number,
            _ => found.unwrap_or(1),
        };
        let size = size.or(self.endpoint.page_size()).filter(|size| *size > 0);
        let by_total = answer.value.total().filter(|total| *total > 0).zip(size);
        let by_total = by_total.map(|(total, size)| total.div_ceil(size));
        self.last = count.max(by_total).or(self.last);
        let is_full = || size.is_some_and(|size| answer.value.items().len() as u64 >= size);
        let promised = more || self.last.map_or_else(is_full, |last| number < last);
        promised.then(|| number.checked_add(1)).flatten().map(PageKey::Number)
    }

    /// Whether promises of more have been empty for long enough. They end the list, unless it counts items that have
    /// not come: then somebody is owed an error.
    fn is_over(&mut self, key: &PageKey, next: &PageKey, answer: &Answer<E::Answer>) -> Result<bool, Error> {
        if !answer.value.items().is_empty() {
            self.empty_in_a_row = 0;
            return Ok(false);
        }
        self.empty_in_a_row += 1;
        if self.empty_in_a_row < EMPTY_PAGES_MAX && next != key {
            return Ok(false);
        }
        let is_counted = match (key, self.last) {
            (PageKey::Number(number), Some(last)) => *number < last,
            _ => self.is_whole && answer.value.total().is_some_and(|total| total > self.items),
        };
        if is_counted {
            let message = format!("{} empty pages in a row, but not all of the list", self.empty_in_a_row);
            return Err(blame(answer, message).with_page(next.clone(), self.pages + 1));
        }
        log::stays_empty(answer.facts.operation);
        Ok(true)
    }

    /// Numbers grow by themselves; a cursor must not lead to where we have been.
    fn check_progress(
        &mut self,
        key: &PageKey,
        next: &PageKey,
        answer: &Answer<E::Answer>,
    ) -> Result<(), Error> {
        if let (PageKey::Number(_), PageKey::Number(_)) = (key, next) {
            return Ok(());
        }
        self.read.insert(self.hasher.hash_one(key));
        if let PageKey::Query(_) = next {
            // The first page has no key of its own, but a query like the others.
            let first = self.endpoint.at(key).to_request()?;
            let query = first.uri().query().unwrap_or_default().to_owned();
            self.read.insert(self.hasher.hash_one(PageKey::Query(query)));
        }
        if self.read.contains(&self.hasher.hash_one(next)) {
            let message = "the next page is one that was read already";
            return Err(blame(answer, message).with_page(key.clone(), self.pages));
        }
        Ok(())
    }
}

/// An error about a page that was answered, but not with what it should be.
fn blame<A>(answer: &Answer<A>, message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    facts_of(answer, Error::unexpected(message))
}

fn facts_of<A>(answer: &Answer<A>, error: Error) -> Error {
    let facts = &answer.facts;
    error
        .with_operation(facts.operation)
        .with_answer(facts.status, facts.request_id.clone(), None, None)
        .with_call(&facts.correlation_id, facts.attempts, Sent::Yes)
}

//! The streams: pages, and the items on them.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::answer::Answer;
use crate::client::Client;
use crate::error::Error;
use crate::paging::walk::{Settings, Walk};
use crate::paging::{PageAnswer, PageKey, Paged};

/// A page that was read, and where it stands.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Page<A> {
    /// The page itself; [`Client::pages_from`] takes it.
    pub key: PageKey,
    /// The page after it; nothing when this is the last one, or the way on is refused, which the next error explains.
    pub next: Option<PageKey>,
    /// What was answered.
    pub answer: Answer<A>,
}

impl<A: PageAnswer> Page<A> {
    /// The items on it.
    pub fn into_items(self) -> Vec<A::Item> {
        self.answer.value.into_items()
    }
}

/// The pages of a list, read as they are asked for; [`Client::pages`] starts one.
///
/// Nothing is sent before the stream is polled, and dropping it ends what is under way. It ends after the first error,
/// and everything before that was given; [`Error::page`] has the key to go on with.
///
/// # Errors
/// Those of [`Client::send`], and [`UnexpectedAnswer`](crate::ErrorKind::UnexpectedAnswer) when
/// - a page that was asked for by number has another one,
/// - a cursor or URI leads back to a page that was read, or a URI to another address than the operation's own,
/// - three pages in a row are empty, or an empty one names itself as the next, and the list counts items that have not
///   come; without that count the list ends there,
/// - the list has more pages than [`pages_max`](Self::pages_max).
#[must_use = "pages are read as the stream is polled"]
pub struct Pages<E: Paged> {
    settings: Settings,
    /// Nothing after the end and while a page is read.
    walk: Option<Box<Walk<E>>>,
    turning: Option<Turning<E>>,
}

type Turn<E> = (Box<Walk<E>>, Option<Result<Page<<E as crate::Endpoint>::Answer>, Error>>);
type Turning<E> = Pin<Box<dyn Future<Output = Turn<E>> + Send>>;

impl<E: Paged> Pages<E> {
    fn new(client: Client, endpoint: E, start: Option<PageKey>) -> Self {
        let walk = Some(Box::new(Walk::new(client, endpoint, start)));
        Self { settings: Settings { concurrency: 1, pages_max: 10_000 }, walk, turning: None }
    }

    /// Sets how many pages may be under way or waiting to be given at once; 1 by default, and 0 counts as 1. It takes
    /// effect where pages are numbered and counted, and the order stays as it is.
    pub fn concurrency(mut self, pages: usize) -> Self {
        self.settings.concurrency = pages.max(1);
        self
    }

    /// Sets how many pages are read at most; 10 000 by default, and 0 counts as 1. What is beyond ends the stream with
    /// an error.
    pub fn pages_max(mut self, pages: u64) -> Self {
        self.settings.pages_max = pages.max(1);
        self
    }

    /// The items of all pages.
    pub fn items(self) -> Items<E> {
        Items { pages: self, page: None, rest: Vec::new().into_iter() }
    }

    /// The next page. When the future is dropped, the page it waited for is not lost.
    pub async fn next(&mut self) -> Option<Result<Page<E::Answer>, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<E: Paged> Stream for Pages<E> {
    type Item = Result<Page<E::Answer>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(walk) = this.walk.take() {
            this.turning = Some(Box::pin(walk.turn(this.settings)));
        }
        let Some(turning) = &mut this.turning else { return Poll::Ready(None) };
        let (walk, page) = ready!(turning.as_mut().poll(cx));
        this.turning = None;
        this.walk = page.as_ref().is_some_and(Result::is_ok).then_some(walk);
        Poll::Ready(page)
    }
}

impl<E: Paged> fmt::Debug for Pages<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The items of a list, read page by page; [`Client::items`] starts one.
///
/// Everything that is said of [`Pages`] holds here too. An item can come twice when the list changes while it is read.
#[must_use = "items are read as the stream is polled"]
pub struct Items<E: Paged> {
    pages: Pages<E>,
    page: Option<PageKey>,
    rest: std::vec::IntoIter<ItemOf<E>>,
}

type ItemOf<E> = <<E as crate::Endpoint>::Answer as PageAnswer>::Item;

impl<E: Paged> Items<E> {
    /// The page that the last item was on; [`Client::pages_from`] goes on there, with the whole of that page again.
    pub fn page(&self) -> Option<&PageKey> {
        self.page.as_ref()
    }

    /// The next item. When the future is dropped, the item it waited for is not lost.
    pub async fn next(&mut self) -> Option<Result<ItemOf<E>, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<E: Paged> Stream for Items<E> {
    type Item = Result<ItemOf<E>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.rest.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(Pin::new(&mut self.pages).poll_next(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(page)) => {
                    self.page = Some(page.key.clone());
                    self.rest = page.into_items().into_iter();
                }
            }
        }
    }
}

/// Items are handed out, never pinned.
impl<E: Paged> Unpin for Items<E> {}

impl<E: Paged> fmt::Debug for Items<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("pages", &self.pages).field("page", &self.page).finish_non_exhaustive()
    }
}

impl Client {
    /// The pages of a list, from the first one on. Nothing is sent yet.
    pub fn pages<E: Paged>(&self, endpoint: E) -> Pages<E> {
        Pages::new(self.clone(), endpoint, None)
    }

    /// The pages of a list, from a known one on: [`Page::key`], [`Page::next`], [`Items::page`] or [`Error::page`] of
    /// an earlier walk, which may have been another process's.
    pub fn pages_from<E: Paged>(&self, endpoint: E, start: PageKey) -> Pages<E> {
        Pages::new(self.clone(), endpoint, Some(start))
    }

    /// The items of a list, from the first page on. Nothing is sent yet.
    pub fn items<E: Paged>(&self, endpoint: E) -> Items<E> {
        self.pages(endpoint).items()
    }
}

//! Channels as a stream that reads no page before it is wanted.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use webmessaging_http::paging::Items;
use webmessaging_http::{Client, Error};

use crate::channel::Channel;
use crate::list_channels::ListChannels;

/// Pages that are read at once, unless the caller says otherwise.
const CONCURRENCY: usize = 4;

/// Channels as they are found; [`ChannelsClient::discover`](crate::ChannelsClient::discover) starts it.
///
/// It ends after the first error; everything before that was given. A channel can come twice when the list changes while it is read.
#[must_use = "channels are read as the stream is polled"]
pub struct Channels {
    http: Client,
    items: Items<ListChannels>,
    all: bool,
}

impl Channels {
    pub(crate) fn new(http: &Client) -> Self {
        Self { http: http.clone(), items: items(http, CONCURRENCY), all: false }
    }

    /// Sets how many pages are under way at once, when the first one has told how many there are; 4 by default. It begins at the first page.
    pub fn concurrency(mut self, pages: usize) -> Self {
        self.items = items(&self.http, pages);
        self
    }

    /// Takes the channels of every type, not only those of web messaging.
    pub fn of_every_type(mut self) -> Self {
        self.all = true;
        self
    }

    /// The next channel. When the future is dropped, the channel it waited for is not lost.
    pub async fn next(&mut self) -> Option<Result<Channel, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

fn items(http: &Client, concurrency: usize) -> Items<ListChannels> {
    http.pages(ListChannels::new()).concurrency(concurrency).items()
}

impl Stream for Channels {
    type Item = Result<Channel, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(Pin::new(&mut self.items).poll_next(cx)) {
                Some(Ok(channel)) if !self.all && !channel.is_web_messaging() => {}
                other => return Poll::Ready(other),
            }
        }
    }
}

impl fmt::Debug for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channels").field("items", &self.items).field("all", &self.all).finish_non_exhaustive()
    }
}

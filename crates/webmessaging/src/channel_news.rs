//! What webhooks say of channels, handed on to the client that keeps them.

use std::fmt;

use webmessaging_channels::ChannelsClient;
use webmessaging_webhooks::EventData;
use webmessaging_webhooks::receiver::{Handler, Handling, Received};

/// A handler that has a client forget each channel that a webhook says was changed, so that its next
/// [`cached_channel`](ChannelsClient::cached_channel) is fresh; then another handler does its work.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use webmessaging::channels::ChannelsClient;
/// use webmessaging::store::Store;
/// use webmessaging::webhooks::Verifier;
/// use webmessaging::webhooks::receiver::{PlatformEvents, Receiver};
/// use webmessaging::ChannelNews;
///
/// fn receiver(store: Arc<dyn Store>, verifier: Verifier, channels: &ChannelsClient) -> Receiver {
///     let work = ChannelNews::new(PlatformEvents::new(Arc::clone(&store)), channels);
///     Receiver::builder(store, verifier).handler(work).build()
/// }
/// ```
#[must_use = "a handler does nothing until a receiver has it"]
pub struct ChannelNews<H> {
    handler: H,
    channels: ChannelsClient,
}

impl<H: Handler> ChannelNews<H> {
    /// Tells this client, and does the work of this handler.
    pub fn new(handler: H, channels: &ChannelsClient) -> Self {
        Self { handler, channels: channels.clone() }
    }
}

impl<H: Handler> Handler for ChannelNews<H> {
    fn handle<'a>(&'a self, received: &'a Received) -> Handling<'a> {
        // At once: to read a channel once too often does no harm.
        if let EventData::ChannelUpdated(changed) = received.event.data()
            && let Some(channel) = &changed.id
        {
            self.channels.forget(channel);
        }
        self.handler.handle(received)
    }
}

impl<H> fmt::Debug for ChannelNews<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelNews").field("channels", &self.channels).finish_non_exhaustive()
    }
}

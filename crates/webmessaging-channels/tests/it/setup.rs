//! An emulator with one channel, and a client whose waits let the emulator's time pass too.

use std::time::Duration;

use serde_json::{Value, json};
use webmessaging_channels::{Channel, ChannelUpdate, ChannelsClient};
use webmessaging_emulator::{Channel as Emulated, Emulator, EmulatorBuilder, Organization};
use webmessaging_http::testing::{Halfway, SkippingClock};
use webmessaging_http::{Client, Credentials};
use webmessaging_journal::{Event, Journal, Recorded, Sink};
use webmessaging_model::json_merge::apply_merge_patch;

pub(crate) const ID: &str = "channel-1";

pub(crate) struct Setup {
    pub(crate) emulator: Emulator,
    pub(crate) channels: ChannelsClient,
    pub(crate) http: Client,
    pub(crate) clock: SkippingClock,
}

impl Setup {
    /// With a channel of 500 sessions and rich media, whose conversations go to `queue-1`.
    pub(crate) async fn new() -> Self {
        let channel = Emulated::new(ID, "Support", "webchat");
        let channel = channel.webchat(500, ["rich-media"]).routing("queue-1", "longest-idle");
        Self::with(|emulator| emulator.organization(Organization::empty().channel(channel))).await
    }

    /// With so many of these, `channel-1` and on.
    pub(crate) async fn several(count: usize) -> Self {
        let organization = (1..=count).fold(Organization::empty(), |organization, number| {
            let channel = Emulated::new(format!("channel-{number}"), "Support", "webchat");
            organization.channel(channel.webchat(500, ["rich-media"]).routing("queue-1", "longest-idle"))
        });
        Self::with(|emulator| emulator.organization(organization)).await
    }

    pub(crate) async fn with(emulator: impl FnOnce(EmulatorBuilder) -> EmulatorBuilder) -> Self {
        let emulator = emulator(Emulator::builder()).start().await.unwrap();
        let theirs = emulator.clock().clone();
        let clock = SkippingClock::with_hook(move |slept: Duration| theirs.advance(slept));
        let builder = Client::builder(Credentials::new("demo-client", "demo-secret"));
        let builder = builder.base_url(emulator.base_url()).clock(clock.clone()).entropy(Halfway);
        let http = builder.build().unwrap();
        Self { emulator, channels: ChannelsClient::new(http.clone()), http, clock }
    }

    pub(crate) async fn channel(&self) -> Channel {
        self.channels.channel(ID).await.unwrap()
    }

    /// Somebody else's change, which this client knows nothing of.
    pub(crate) async fn colleague(&self, id: &str, configuration: Value) {
        let channel = self.channels.channel(id).await.unwrap();
        let mut wanted = Value::Object(channel.configuration.clone());
        apply_merge_patch(&mut wanted, &configuration);
        let wanted = wanted.as_object().unwrap().clone();
        let update = ChannelUpdate::of(channel).configuration(wanted).unchecked();
        self.channels.update(&update).await.unwrap();
    }

    /// The configuration as the emulator has it.
    pub(crate) fn stored(&self) -> Value {
        self.stored_of(0)
    }

    /// The configuration of one of several.
    pub(crate) fn stored_of(&self, index: usize) -> Value {
        json!(self.emulator.organization().channels()[index])["configuration"].clone()
    }
}

/// A journal that takes nothing more.
pub(crate) fn full() -> Journal {
    struct Full;
    impl Sink for Full {
        fn record<'a>(&'a self, _: &'a Event) -> Recorded<'a> {
            let error = webmessaging_journal::Error::new(webmessaging_journal::ErrorKind::Sink, "full");
            Box::pin(std::future::ready(Err(error)))
        }
    }
    Journal::builder().durable("full", Full).build().unwrap()
}

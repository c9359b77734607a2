//! An emulator with one channel, and a client whose waits let the emulator's time pass too.

use std::time::Duration;

use serde_json::{Value, json};
use webmessaging_channels::{Channel, ChannelsClient};
use webmessaging_emulator::{Channel as Emulated, Emulator, EmulatorBuilder, Organization};
use webmessaging_http::testing::{Halfway, SkippingClock};
use webmessaging_http::{Client, Credentials};

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

    /// The configuration as the emulator has it.
    pub(crate) fn stored(&self) -> Value {
        let organization = self.emulator.organization();
        json!(organization.channels()[0])["configuration"].clone()
    }
}

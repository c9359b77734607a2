//! An emulator with conversations, and a client whose waits let the emulator's time pass too.

use std::time::Duration;

use webmessaging_bots::{BotsClient, Message, Sender};
use webmessaging_emulator::{Conversation, Emulator, Organization, Participant, RateLimit};
use webmessaging_http::testing::SkippingClock;
use webmessaging_http::{Client, ClientBuilder, Credentials};

pub(crate) const CUSTOMER: &str = "customer-1";
pub(crate) const BOT: &str = "bot-1";

pub(crate) struct Setup {
    pub(crate) emulator: Emulator,
    pub(crate) bots: BotsClient,
}

impl Setup {
    /// With conversations `c-0`, `c-1` and so on, and `over`, which has ended.
    pub(crate) async fn new(conversations: usize) -> Self {
        Self::with(conversations, |builder| builder).await
    }

    pub(crate) async fn with(
        conversations: usize,
        change: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Self {
        let people = |conversation: Conversation| {
            conversation
                .participant(Participant::new(CUSTOMER, "customer"))
                .participant(Participant::new(BOT, "external"))
        };
        let organization = (0..conversations)
            .map(|number| people(Conversation::new(format!("c-{number}"))))
            .fold(Organization::empty(), Organization::conversation)
            .conversation(people(Conversation::new("over")).ended());
        let builder = Emulator::builder().organization(organization).rate_limit(RateLimit::off());
        let emulator = builder.start().await.unwrap();
        let theirs = emulator.clock().clone();
        let clock = SkippingClock::with_hook(move |slept: Duration| theirs.advance(slept));
        let builder = Client::builder(Credentials::new("demo-client", "demo-secret"));
        let builder = builder.base_url(emulator.base_url()).clock(clock);
        let bots = BotsClient::new(change(builder).build().unwrap());
        Self { emulator, bots }
    }

    pub(crate) fn sender(&self) -> Sender {
        Sender::new(self.bots.clone())
    }

    /// The texts that have arrived in a conversation, in order.
    pub(crate) fn texts(&self, conversation: &str) -> Vec<String> {
        let messages = self.emulator.messages(conversation);
        messages.iter().map(|message| message.body["text"].as_str().unwrap().to_owned()).collect()
    }
}

pub(crate) fn text(text: impl Into<String>) -> Message {
    Message::text(CUSTOMER, BOT, text)
}

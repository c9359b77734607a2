//! An emulator, and a client whose waits let the emulator's time pass too.

use std::time::Duration;

use serde_json::{Value, json};
use webmessaging_emulator::Emulator;
use webmessaging_guests::{
    Attributes, Consent, Created, ETagged, Guest, GuestPayload, GuestUpdate, GuestsClient,
};
use webmessaging_http::testing::{Halfway, SkippingClock};
use webmessaging_http::{Client, Credentials};

pub(crate) struct Setup {
    pub(crate) emulator: Emulator,
    pub(crate) guests: GuestsClient,
    pub(crate) http: Client,
}

impl Setup {
    pub(crate) async fn new() -> Self {
        let emulator = Emulator::builder().start().await.unwrap();
        let theirs = emulator.clock().clone();
        let clock = SkippingClock::with_hook(move |slept: Duration| theirs.advance(slept));
        let builder = Client::builder(Credentials::new("demo-client", "demo-secret"));
        let builder = builder.base_url(emulator.base_url()).clock(clock).entropy(Halfway);
        let http = builder.build().unwrap();
        Self { emulator, guests: GuestsClient::new(http.clone()), http }
    }

    /// A guest with an attribute, who has agreed to the processing of data.
    pub(crate) async fn guest(&self) -> ETagged<Guest> {
        let Created { guest, .. } = self.guests.create(&payload()).await.unwrap();
        guest
    }

    /// Somebody else's change, which this guest's holder knows nothing of.
    pub(crate) async fn colleague(
        &self,
        guest: &ETagged<Guest>,
        change: impl FnOnce(GuestUpdate) -> GuestUpdate,
    ) {
        let now = self.guests.get(guest.value.id.clone()).await.unwrap();
        self.guests.update(&change(GuestUpdate::of(&now))).await.unwrap();
    }

    /// The guest as the emulator has it.
    pub(crate) async fn stored(&self, guest: &ETagged<Guest>) -> Value {
        json!(self.guests.get(guest.value.id.clone()).await.unwrap().value)
    }
}

pub(crate) fn payload() -> GuestPayload {
    let attributes = Attributes::new().with("source", "website").unwrap();
    GuestPayload::new(Consent::new(true, true)).attributes(attributes)
}

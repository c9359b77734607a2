//! What happens to channels is told to the journal, with the facts of its call.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use webmessaging_http::{Endpoint, Error, Facts};
use webmessaging_journal::kind::{ChannelUpdated, OperationFailed};
use webmessaging_journal::{Facts as EventFacts, Journal};
use webmessaging_model::json_merge::Change;
use webmessaging_model::{ChannelFeature, ChannelId};

use crate::channel::Channel;
use crate::client::is_doubtful;
use crate::operations::UPDATE_CHANNEL;
use crate::update_channel::UpdateChannel;

/// That a channel was changed; the digest is that of the bytes that were sent.
pub(crate) async fn updated(
    journal: &Journal,
    channel: &Channel,
    changes: &[Change],
    sent: &UpdateChannel,
    facts: &Facts,
) -> Result<(), Error> {
    let recorded = journal.record(|stamp| {
        let paths: Vec<_> = changes.iter().map(|change| dotted(&change.path)).collect();
        let mut kind = ChannelUpdated::new(channel.id.as_str(), paths);
        kind.features = Some(features(channel));
        let mut event = EventFacts::of(facts).operation(UPDATE_CHANNEL.name);
        if let Ok(request) = sent.to_request() {
            event = event.payload_sha256(Sha256::digest(request.body()).into());
        }
        stamp.event(kind).facts(event)
    });
    recorded.await.map(drop).map_err(|error| Error::not_recorded(facts, error))
}

/// That a change failed. What it failed with matters more than a record that cannot be written.
pub(crate) async fn failed(journal: &Journal, error: &Error, channel: &ChannelId) {
    let recorded = journal.record(|stamp| {
        let maybe_done = is_doubtful(error);
        let kind =
            OperationFailed::new(UPDATE_CHANNEL.name, "channel", channel.as_str(), error.kind().code());
        let event = EventFacts::of(error).operation(UPDATE_CHANNEL.name);
        stamp.event(kind.maybe_done(maybe_done)).facts(event)
    });
    let _ = recorded.await;
}

/// `/webchat/features` is `configuration.webchat.features` where people read it.
pub(crate) fn dotted(pointer: &str) -> String {
    format!("configuration{}", pointer.replace('/', ".").replace("~1", "/").replace("~0", "~"))
}

/// By the name of each feature there is, whether the channel has it.
fn features(channel: &Channel) -> BTreeMap<String, bool> {
    let known = ChannelFeature::KNOWN.iter().map(|name| ((*name).to_owned(), false));
    let mut features: BTreeMap<_, _> = known.collect();
    features.extend(channel.features().map(|feature| (feature.as_str().to_owned(), true)));
    features
}

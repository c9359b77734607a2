//! Every operation of this crate: paths, scopes and where they are described.

use webmessaging_model::{Contract, Method, Operation, RetryClass};

const CHANNELS: &str = "design document: web messaging channel capabilities";

/// Lists the channels, page by page.
pub const LIST_CHANNELS: Operation =
    Operation::new("channels.channel.list", Method::Get, "/api/v2/communications/channels")
        .scopes(&["communications:read"])
        .contract(Contract::Design)
        .source(CHANNELS);

/// Reads a channel.
pub const GET_CHANNEL: Operation =
    Operation::new("channels.channel.get", Method::Get, "/api/v2/communications/channels/{channelId}")
        .scopes(&["communications:read"])
        .contract(Contract::Design)
        .source(CHANNELS);

/// Changes what a request names of a channel's configuration. One that may have arrived is not sent again unseen: a colleague may have
/// changed the same since.
pub const UPDATE_CHANNEL: Operation =
    Operation::new("channels.channel.update", Method::Patch, "/api/v2/communications/channels/{channelId}")
        .scopes(&["communications:write"])
        .retry(RetryClass::Once)
        .contract(Contract::Design)
        .source(CHANNELS);

/// Registers a webhook for changes of channels. A second request finds the name taken, so there is never a second webhook.
pub const CREATE_WEBHOOK: Operation =
    Operation::new("channels.webhook.create", Method::Post, "/api/v2/platform/webhooks")
        .success(&[200, 201])
        .scopes(&["webhooks:write"])
        .retry(RetryClass::Idempotent)
        .contract(Contract::Design)
        .source(CHANNELS);

/// All of them, for documentation, configuration and tests.
pub const OPERATIONS: &[&Operation] = &[&LIST_CHANNELS, &GET_CHANNEL, &UPDATE_CHANNEL, &CREATE_WEBHOOK];

/// The event that a channel was changed.
pub const CHANNEL_UPDATED_EVENT: &str = "channel.updated";

//! Every operation of this crate: paths, scopes and where they are described.

use webmessaging_model::{Contract, Method, Operation, RetryClass};

const MESSAGES: &str = "design document: web messaging bot messages, step 2";

/// Sends a message. One that may have arrived is not sent again: the person would read it twice.
pub const SEND_MESSAGE: Operation =
    Operation::new("bots.message.send", Method::Post, "/api/v2/conversations/{conversationId}/messages")
        .success(&[200, 201, 202, 204])
        .scopes(&["conversation:write"])
        .retry(RetryClass::Once)
        .contract(Contract::Design)
        .source(MESSAGES);

/// Lists the messages of a conversation, the newest first, page by page. The document has no way to look what has arrived; the path is ours.
pub const LIST_MESSAGES: Operation =
    Operation::new("bots.message.list", Method::Get, "/api/v2/conversations/{conversationId}/messages")
        .scopes(&["conversation:read"])
        .contract(Contract::Design)
        .source(MESSAGES);

/// Reads a conversation: whether it is under way, and who takes part.
pub const GET_CONVERSATION: Operation =
    Operation::new("bots.conversation.get", Method::Get, "/api/v2/conversations/{conversationId}")
        .scopes(&["conversations:readonly"])
        .source("https://developer.genesys.cloud/devapps/api-explorer");

/// Registers a webhook. The name tells webhooks apart, so a second request finds the first one's.
pub const CREATE_WEBHOOK: Operation =
    Operation::new("bots.webhook.create", Method::Post, "/api/v2/platform/webhooks/webhooks")
        .success(&[200, 201])
        .scopes(&["webhooks:write"])
        .retry(RetryClass::Idempotent)
        .contract(Contract::Design)
        .source("design document: web messaging bot messages, step 3");

/// The event of a read receipt.
pub(crate) const READ_EVENT: &str = "conversation:participated:read";

/// All of them, for documentation, configuration and tests.
pub const OPERATIONS: &[&Operation] = &[&SEND_MESSAGE, &LIST_MESSAGES, &GET_CONVERSATION, &CREATE_WEBHOOK];

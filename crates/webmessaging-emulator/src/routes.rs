//! The table of emulated endpoints, which drives routing, scope checks and the capabilities document.

mod table;

use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Display;
use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use http::Method;

use crate::control;
use crate::serve::serve;
use crate::state::Shared;

pub(crate) use self::table::ENDPOINTS;

/// One emulated endpoint: what faults are injected into and what requests are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Route {
    /// `POST /oauth/token`: client credentials for a bearer token.
    Token,
    /// `POST /api/v2/conversations/messaging/webmessaging/upload`: announces a file.
    CreateUpload,
    /// `PUT` of the bytes to the signed URL that [`CreateUpload`](Self::CreateUpload) answered.
    PutUpload,
    /// `GET /api/v2/conversations/messaging/messages/{messageId}/attachments/{attachmentId}`: state of a file.
    GetAttachment,
    /// `GET` of the bytes from the signed URL that [`GetAttachment`](Self::GetAttachment) answered.
    Download,
    /// `POST /api/v2/webchat/messaging/file-transfers`: announces a file transfer.
    CreateTransfer,
    /// `POST /api/v2/webchat/messaging/file-transfers/{transferId}/renew`: new URLs for a transfer that waits for its bytes.
    RenewTransfer,
    /// `GET /api/v2/webchat/messaging/file-transfers/{transferId}`: state of a transfer.
    GetTransfer,
    /// `PUT` of the bytes to the signed URL that [`CreateTransfer`](Self::CreateTransfer) or
    /// [`RenewTransfer`](Self::RenewTransfer) answered.
    PutTransfer,
    /// `GET` of the bytes from a signed URL that those or [`GetTransfer`](Self::GetTransfer) answered.
    DownloadTransfer,
    /// `GET /api/v2/communications/channels`: the channels, page by page.
    ListChannels,
    /// `GET /api/v2/communications/channels/{channelId}`: a channel.
    GetChannel,
    /// `PATCH /api/v2/communications/channels/{channelId}`: changes a channel's configuration.
    UpdateChannel,
    /// `GET /api/v2/conversations/{conversationId}`: a conversation.
    GetConversation,
    /// `POST /api/v2/conversations/{conversationId}/messages`: sends a bot message.
    SendMessage,
    /// `GET /api/v2/conversations/{conversationId}/messages`: the bot messages of a conversation, page by page.
    ListMessages,
    /// `POST /api/v2/conversations/webmessaging/guests`: creates a guest.
    CreateGuest,
    /// `GET /api/v2/conversations/webmessaging/guests/{guestId}`: a guest.
    GetGuest,
    /// `PATCH /api/v2/conversations/webmessaging/guests/{guestId}`: changes a guest that is as the sender has seen it.
    UpdateGuest,
    /// `GET /api/v2/platform/audits`: what happened to an entity, page by page.
    ListAudits,
    /// `POST /api/v2/platform/webhooks/webhooks`: registers a webhook as the file upload document has it.
    CreateWebhook,
    /// `GET /api/v2/platform/webhooks/webhooks`: those webhooks, page by page.
    ListWebhooks,
    /// `DELETE /api/v2/platform/webhooks/webhooks/{webhookId}`: removes one of them.
    DeleteWebhook,
    /// `POST /api/v2/platform/webhooks`: registers a webhook as the channel document has it.
    CreatePlatformWebhook,
    /// `GET /api/v2/platform/webhooks`: those webhooks, page by page.
    ListPlatformWebhooks,
    /// `DELETE /api/v2/platform/webhooks/{webhookId}`: removes one of them.
    DeletePlatformWebhook,
}

impl Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Token => "token",
            Self::CreateUpload => "create-upload",
            Self::PutUpload => "put-upload",
            Self::GetAttachment => "get-attachment",
            Self::Download => "download",
            Self::CreateTransfer => "create-transfer",
            Self::RenewTransfer => "renew-transfer",
            Self::GetTransfer => "get-transfer",
            Self::PutTransfer => "put-transfer",
            Self::DownloadTransfer => "download-transfer",
            Self::ListChannels => "list-channels",
            Self::GetChannel => "get-channel",
            Self::UpdateChannel => "update-channel",
            Self::GetConversation => "get-conversation",
            Self::SendMessage => "send-message",
            Self::ListMessages => "list-messages",
            Self::CreateGuest => "create-guest",
            Self::GetGuest => "get-guest",
            Self::UpdateGuest => "update-guest",
            Self::ListAudits => "list-audits",
            Self::CreateWebhook => "create-webhook",
            Self::ListWebhooks => "list-webhooks",
            Self::DeleteWebhook => "delete-webhook",
            Self::CreatePlatformWebhook => "create-platform-webhook",
            Self::ListPlatformWebhooks => "list-platform-webhooks",
            Self::DeletePlatformWebhook => "delete-platform-webhook",
        })
    }
}

/// Whose word an endpoint follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contract {
    /// The design documents of this project; not in the platform's published API.
    Design,
    /// What a real organisation answers.
    Platform,
    /// Neither: an addition of the emulator.
    Emulator,
}

impl Contract {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Design => "design",
            Self::Platform => "platform",
            Self::Emulator => "emulator",
        }
    }
}

/// How an endpoint words its refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorShape {
    /// The platform's JSON error body.
    Platform,
    /// `error` and `error_description`, as OAuth has it.
    OAuth,
    /// An `<Error>` document, as object stores answer.
    Storage,
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) route: Route,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// Scopes a bearer token must have; without any, the endpoint takes no bearer token at all.
    pub(crate) scopes: &'static [&'static str],
    pub(crate) contract: Contract,
    pub(crate) errors: ErrorShape,
    pub(crate) summary: &'static str,
}

/// Every scope that some endpoint asks for.
pub(crate) fn all_scopes() -> impl Iterator<Item = &'static str> {
    ENDPOINTS.iter().flat_map(|endpoint| endpoint.scopes.iter().copied())
}

/// The router over the table; all calls go through [`serve`].
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let paths: BTreeSet<&str> =
        ENDPOINTS.iter().map(|endpoint| endpoint.path).chain(control::paths()).collect();
    paths
        .into_iter()
        .fold(Router::new(), |router, path| router.route(path, any(serve)))
        .fallback(serve)
        .with_state(shared)
}

/// The endpoints of a matched path template, each with a method of its own.
pub(crate) fn endpoints_at(template: &str) -> impl Iterator<Item = &'static Endpoint> {
    ENDPOINTS.iter().filter(move |endpoint| endpoint.path == template)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::subscription::Collection;

    #[test]
    fn routes_are_unique_and_so_are_methods_and_templates() {
        let routes: HashSet<Route> = ENDPOINTS.iter().map(|endpoint| endpoint.route).collect();
        let places: HashSet<(&Method, &str)> =
            ENDPOINTS.iter().map(|endpoint| (&endpoint.method, endpoint.path)).collect();
        assert_eq!(routes.len(), ENDPOINTS.len());
        assert_eq!(places.len(), ENDPOINTS.len());
    }

    #[test]
    fn webhooks_are_where_their_collections_say() {
        for (collection, route) in [
            (Collection::Webhooks, Route::CreateWebhook),
            (Collection::PlatformWebhooks, Route::CreatePlatformWebhook),
        ] {
            let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.route == route).unwrap();
            assert_eq!(endpoint.path, collection.path());
        }
    }
}

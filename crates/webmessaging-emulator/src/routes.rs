//! The table of emulated endpoints, which drives routing, scope checks and the capabilities document.

use std::fmt;
use std::fmt::Display;
use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use http::Method;
use serde_json::{Value, json};

use crate::serve::serve;
use crate::state::Shared;

/// Where the emulator says what it emulates.
pub(crate) const CAPABILITIES_PATH: &str = "/__emulator/capabilities";

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
    /// `GET /api/v2/communications/channels`: the channels, page by page.
    ListChannels,
    /// `GET /api/v2/conversations/{conversationId}`: a conversation.
    GetConversation,
}

impl Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Token => "token",
            Self::CreateUpload => "create-upload",
            Self::PutUpload => "put-upload",
            Self::GetAttachment => "get-attachment",
            Self::Download => "download",
            Self::ListChannels => "list-channels",
            Self::GetConversation => "get-conversation",
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
}

impl Contract {
    fn name(self) -> &'static str {
        match self {
            Self::Design => "design",
            Self::Platform => "platform",
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

/// Everything that is emulated.
pub(crate) static ENDPOINTS: [Endpoint; 7] = [
    Endpoint {
        route: Route::Token,
        method: Method::POST,
        path: "/oauth/token",
        scopes: &[],
        contract: Contract::Platform,
        errors: ErrorShape::OAuth,
        summary: "client credentials for a bearer token",
    },
    Endpoint {
        route: Route::CreateUpload,
        method: Method::POST,
        path: "/api/v2/conversations/messaging/webmessaging/upload",
        scopes: &["conversations:messaging:write"],
        contract: Contract::Design,
        errors: ErrorShape::Platform,
        summary: "announces a file and answers a signed upload URL",
    },
    Endpoint {
        route: Route::PutUpload,
        method: Method::PUT,
        path: "/storage/uploads/{fileId}",
        scopes: &[],
        contract: Contract::Design,
        errors: ErrorShape::Storage,
        summary: "takes the bytes of an announced file at its signed URL",
    },
    Endpoint {
        route: Route::GetAttachment,
        method: Method::GET,
        path: "/api/v2/conversations/messaging/messages/{messageId}/attachments/{attachmentId}",
        scopes: &["conversations:read"],
        contract: Contract::Design,
        errors: ErrorShape::Platform,
        summary: "state of a file, and a signed download URL once it is cleared",
    },
    Endpoint {
        route: Route::Download,
        method: Method::GET,
        path: "/storage/files/{fileId}",
        scopes: &[],
        contract: Contract::Design,
        errors: ErrorShape::Storage,
        summary: "gives the bytes of a cleared file at its signed URL",
    },
    Endpoint {
        route: Route::ListChannels,
        method: Method::GET,
        path: "/api/v2/communications/channels",
        scopes: &["communications:read"],
        contract: Contract::Design,
        errors: ErrorShape::Platform,
        summary: "the channels of the organisation, page by page",
    },
    Endpoint {
        route: Route::GetConversation,
        method: Method::GET,
        path: "/api/v2/conversations/{conversationId}",
        scopes: &["conversations:readonly"],
        contract: Contract::Platform,
        errors: ErrorShape::Platform,
        summary: "a conversation and its participants",
    },
];

/// What somebody could expect of a platform and does not find here.
const NOT_EMULATED: [&str; 8] = [
    "permissions and divisions: only OAuth scopes are checked",
    "grants other than client credentials, token revocation and introspection",
    "webhooks",
    "changes of channels, guests, bot messages and file transfers",
    "communications and messages of a conversation: it has participants only",
    "TLS: the emulator speaks plain HTTP/1.1",
    "range and conditional requests on downloads",
    "a real virus scanner: only the EICAR test string is found",
];

/// Every scope that some endpoint asks for.
pub(crate) fn all_scopes() -> impl Iterator<Item = &'static str> {
    ENDPOINTS.iter().flat_map(|endpoint| endpoint.scopes.iter().copied())
}

/// The router over the table; all calls go through [`serve`].
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    ENDPOINTS
        .iter()
        .fold(Router::new(), |router, endpoint| router.route(endpoint.path, any(serve)))
        .route(CAPABILITIES_PATH, any(serve))
        .fallback(serve)
        .with_state(shared)
}

/// The endpoint of a matched path template; each template has one method.
pub(crate) fn endpoint_at(template: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.path == template)
}

/// The capabilities document.
pub(crate) fn capabilities() -> Value {
    let endpoints: Vec<Value> = ENDPOINTS
        .iter()
        .map(|endpoint| {
            json!({
                "name": endpoint.route.to_string(),
                "method": endpoint.method.as_str(),
                "path": endpoint.path,
                "contract": endpoint.contract.name(),
                "scopes": endpoint.scopes,
                "summary": endpoint.summary,
            })
        })
        .collect();
    json!({ "endpoints": endpoints, "notEmulated": NOT_EMULATED })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn routes_and_templates_are_unique() {
        let routes: HashSet<Route> = ENDPOINTS.iter().map(|endpoint| endpoint.route).collect();
        let paths: HashSet<&str> = ENDPOINTS.iter().map(|endpoint| endpoint.path).collect();
        assert_eq!(routes.len(), ENDPOINTS.len());
        assert_eq!(paths.len(), ENDPOINTS.len());
    }
}

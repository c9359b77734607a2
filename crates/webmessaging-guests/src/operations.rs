//! Every operation of this crate: paths, scopes and where they are described.

use webmessaging_model::{Contract, Method, Operation, RetryClass};

/// The document names methods of an SDK that there are not; the paths are ours, kept in this one place.
const GUESTS: &str = "design document: web messaging guest sessions";

/// Creates a guest. One that may have arrived is not sent again: there would be two guests.
pub const CREATE_GUEST: Operation =
    Operation::new("guests.guest.create", Method::Post, "/api/v2/conversations/webmessaging/guests")
        .success(&[200, 201])
        .scopes(&["webmessaging:guest:write"])
        .retry(RetryClass::Once)
        .contract(Contract::Design)
        .source(GUESTS);

/// Reads a guest.
pub const GET_GUEST: Operation =
    Operation::new("guests.guest.get", Method::Get, "/api/v2/conversations/webmessaging/guests/{guestId}")
        .scopes(&["webmessaging:guest:read"])
        .contract(Contract::Design)
        .source(GUESTS);

/// Changes a guest. A second request finds another version, so that nothing is ever changed twice.
pub const UPDATE_GUEST: Operation = Operation::new(
    "guests.guest.update",
    Method::Patch,
    "/api/v2/conversations/webmessaging/guests/{guestId}",
)
.scopes(&["conversation:webmessaging:write"])
.retry(RetryClass::Idempotent)
.contract(Contract::Design)
.source(GUESTS);

/// Lists what the platform has recorded of a guest, the newest first, page by page.
pub const LIST_AUDITS: Operation =
    Operation::new("guests.audit.list", Method::Get, "/api/v2/platform/audits")
        .scopes(&["audits:readonly"])
        .contract(Contract::Design)
        .source(GUESTS);

/// All of them, for documentation, configuration and tests.
pub const OPERATIONS: &[&Operation] = &[&CREATE_GUEST, &GET_GUEST, &UPDATE_GUEST, &LIST_AUDITS];

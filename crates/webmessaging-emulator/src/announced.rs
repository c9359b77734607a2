//! What uploads and transfers have in common: announced, sent to a signed URL, scanned, told about, handed out.

use std::fmt::Debug;

use http::{HeaderMap, Method};
use serde_json::Value;
use uuid::Uuid;

use crate::answer::Refusal;
use crate::files::Files;
use crate::scan::Verdict;
use crate::state::Shared;

/// The announcement of one file.
pub(crate) trait Announced: Clone + Debug + Send + Sync + 'static {
    /// The path variable that holds the id at the object store.
    const ID_PARAM: &'static str;

    /// Where the files that are announced like this are kept.
    fn files(shared: &Shared) -> &Files<Self>;

    fn file_name(&self) -> &str;

    /// The declared content type.
    fn content_type(&self) -> &str;

    /// The declared size in bytes.
    fn file_size(&self) -> u64;

    /// Whether a virus scan is wanted.
    fn is_scanned(&self) -> bool;

    /// Checks what the bytes come with, but for their length and signature.
    fn check_headers(&self, id: Uuid, headers: &HeaderMap) -> Result<(), Refusal>;

    /// The type and the data of the event that tells a verdict.
    fn verdict_event(&self, shared: &Shared, id: Uuid, verdict: Verdict) -> (&'static str, Value);
}

impl Shared {
    /// A URL that allows one method on one path until `expires` (Unix seconds); `length` is the exact number of bytes that
    /// may be sent, 0 for downloads.
    pub(crate) fn signed_url(&self, method: &Method, path: &str, expires: u64, length: u64) -> String {
        format!("{}{path}?{}", self.base_url, self.signer.query(method, path, expires, length))
    }
}

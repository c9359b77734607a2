#![doc = include_str!("../README.md")]

pub mod operations;

mod client;
mod create_upload;
mod create_webhook;
mod deliver;
mod delivered;
mod download_url;
mod expiry;
mod gate;
mod get_attachment;
mod quarantine;
mod race;
mod record;
mod register_webhook;
mod signed_download;
mod upload;
mod wait_for_scan;

pub use crate::client::FilesClient;
pub use crate::create_upload::{CreateUpload, UploadTicket};
pub use crate::create_webhook::{CreateWebhook, CreatedWebhook};
pub use crate::deliver::Deliver;
pub use crate::delivered::{DeliverError, Delivered};
pub use crate::download_url::{AskDownloadUrl, DownloadUrl};
pub use crate::expiry::ExpiryPolicy;
pub use crate::gate::ScanGate;
pub use crate::get_attachment::{Attachment, GetAttachment};
pub use crate::quarantine::{BlockReason, BlockedFile, HookOutcome, Hooked, QuarantineHook, Quarantined};
pub use crate::register_webhook::Registered;
pub use crate::signed_download::SignedDownload;
pub use crate::upload::{Upload, UploadedFile};
pub use crate::wait_for_scan::WaitForScan;

/// Compiles the examples of a guide.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/know-what-the-scanner-said.md")]
struct Guide;

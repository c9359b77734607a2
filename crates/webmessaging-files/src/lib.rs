#![doc = include_str!("../README.md")]

pub mod batch;
pub mod ledger;
pub mod operations;

mod client;
mod create_transfer;
mod create_upload;
mod create_webhook;
mod deliver;
mod delivered;
mod download_url;
mod expiry;
mod file_transfer;
mod gate;
mod get_attachment;
mod get_transfer;
mod judge;
mod keep_fresh;
mod life_cycle;
mod organization;
mod poller;
mod quarantine;
mod race;
mod record;
mod register_webhook;
mod renew_transfer;
mod signed_download;
mod transfer;
mod transfer_manager;
mod upload;
mod upload_transfer;
mod wait_for_scan;
mod wait_for_transfer;

pub use webmessaging_http::{CreatedWebhook, Registered};

pub use crate::batch::{Batch, BatchEvent, BatchFile, BatchItem, BatchReport, BatchUpload};
pub use crate::client::FilesClient;
pub use crate::create_transfer::{CreateTransfer, TransferTicket};
pub use crate::create_upload::{CreateUpload, UploadTicket};
pub use crate::create_webhook::CreateWebhook;
pub use crate::deliver::Deliver;
pub use crate::delivered::{DeliverError, Delivered};
pub use crate::download_url::{AskDownloadUrl, DownloadUrl};
pub use crate::expiry::ExpiryPolicy;
pub use crate::file_transfer::{FileTransfer, FinishedTransfer};
pub use crate::gate::ScanGate;
pub use crate::get_attachment::{Attachment, GetAttachment};
pub use crate::get_transfer::{GetTransfer, TransferMetadata, TransferState};
pub use crate::keep_fresh::KeepFresh;
pub use crate::quarantine::{BlockReason, BlockedFile, HookOutcome, Hooked, QuarantineHook, Quarantined};
pub use crate::renew_transfer::RenewTransfer;
pub use crate::signed_download::SignedDownload;
pub use crate::transfer::{Transfer, UploadedTransfer};
pub use crate::transfer_manager::TransferManager;
pub use crate::upload::{Upload, UploadedFile};
pub use crate::upload_transfer::UploadTransfer;
pub use crate::wait_for_scan::WaitForScan;
pub use crate::wait_for_transfer::WaitForTransfer;

/// Compiles the examples of a guide.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/know-what-the-scanner-said.md")]
struct ScannerGuide;

/// Compiles the examples of a guide.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/upload-files.md")]
struct UploadGuide;

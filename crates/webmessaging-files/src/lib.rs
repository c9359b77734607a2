#![doc = include_str!("../README.md")]

pub mod operations;

mod client;
mod create_transfer;
mod create_upload;
mod file_transfer;
mod get_attachment;
mod get_transfer;
mod keep_fresh;
mod organization;
mod poller;
mod record;
mod renew_transfer;
mod transfer;
mod transfer_manager;
mod upload;
mod upload_transfer;
mod wait_for_scan;
mod wait_for_transfer;

pub use crate::client::FilesClient;
pub use crate::create_transfer::{CreateTransfer, TransferTicket};
pub use crate::create_upload::{CreateUpload, UploadTicket};
pub use crate::file_transfer::{FileTransfer, FinishedTransfer};
pub use crate::get_attachment::{Attachment, GetAttachment};
pub use crate::get_transfer::{GetTransfer, TransferMetadata, TransferState};
pub use crate::keep_fresh::KeepFresh;
pub use crate::renew_transfer::RenewTransfer;
pub use crate::transfer::{Transfer, UploadedTransfer};
pub use crate::transfer_manager::TransferManager;
pub use crate::upload::{Upload, UploadedFile};
pub use crate::upload_transfer::UploadTransfer;
pub use crate::wait_for_scan::WaitForScan;
pub use crate::wait_for_transfer::WaitForTransfer;

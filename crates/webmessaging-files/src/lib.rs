#![doc = include_str!("../README.md")]

pub mod ledger;
pub mod operations;

pub mod batch;
mod client;
mod create_upload;
mod get_attachment;
mod record;
mod upload;
mod wait_for_scan;

pub use crate::batch::{Batch, BatchEvent, BatchFile, BatchItem, BatchReport, BatchUpload};
pub use crate::client::FilesClient;
pub use crate::create_upload::{CreateUpload, UploadTicket};
pub use crate::get_attachment::{Attachment, GetAttachment};
pub use crate::upload::{Upload, UploadedFile};
pub use crate::wait_for_scan::WaitForScan;

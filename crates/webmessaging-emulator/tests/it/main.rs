//! Drives the emulator over real HTTP, without any client of this workspace.

mod agreement;
mod attachments;
mod client;
mod faults;
mod oauth;
mod server;
mod storage;
mod uploads;

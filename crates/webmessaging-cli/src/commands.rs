//! The commands, one module each.

pub(crate) mod audit;
pub(crate) mod bots;
pub(crate) mod channels;
pub(crate) mod dead_letters;
pub(crate) mod emulator;
pub(crate) mod files;
pub(crate) mod guests;
pub(crate) mod outbox;
pub(crate) mod transfers;
pub(crate) mod webhooks;
pub(crate) mod widget;

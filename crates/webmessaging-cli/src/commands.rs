//! The commands, one module each.

pub(crate) mod emulator;
pub(crate) mod files;

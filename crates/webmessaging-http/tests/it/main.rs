//! The pipeline on a mocked transport, where every policy can be watched without a network or a wait.

mod calls;
mod config;
mod emulated;
mod redaction;
mod script;
mod source;
mod tokens;

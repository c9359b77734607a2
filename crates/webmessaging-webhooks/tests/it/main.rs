//! Tests.
mod receiver;

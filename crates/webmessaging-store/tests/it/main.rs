//! Tests of the stores: one suite of promises that every engine keeps, and what is special about each.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that fails says so"
)]
mod child;
mod crash;
mod memory;
mod model;
mod postgres;
mod postgres_faults;
mod postgres_plans;
mod postgres_races;
mod postgres_together;
mod server;
mod sqlite;
mod sqlite_faults;
mod sqlite_schema;
mod sqlite_together;
mod suite;

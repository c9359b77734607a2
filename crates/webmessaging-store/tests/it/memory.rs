//! The store in memory keeps the promises, so that it can stand for the others.

use webmessaging_store::{MemoryStore, Store};

use crate::sqlite::runtime;
use crate::suite::{Run, promises};

fn run(promise: impl for<'a> FnOnce(&'a dyn Store) -> Run<'a>) {
    runtime().block_on(promise(&MemoryStore::new()));
}

promises!(super::run);

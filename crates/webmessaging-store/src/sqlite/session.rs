//! A connection with what its thread remembers.

use std::cell::{RefCell, RefMut};
use std::ops::Deref;

use rusqlite::Connection;

use super::keys::Keys;

/// The connection of a thread.
pub(super) struct Session {
    connection: Connection,
    keys: RefCell<Keys>,
}

impl Session {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, keys: RefCell::default() }
    }

    /// The keys of the inbox; for one job at a time.
    pub(super) fn keys(&self) -> RefMut<'_, Keys> {
        self.keys.borrow_mut()
    }
}

impl Deref for Session {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

//! By what a second delivery is told from a first one.
//!
//! Keys are random. An index over each would change a page of the file for every key, and those pages, not the deliveries, would be
//! most of what is written. So the keys of the last rows are in memory alone: their rows are on the disk, and who opens the store reads them
//! from there. When they are many they go into a table, in the order of the keys and a few with each commit, so that those that
//! belong on one page are written together.

use std::collections::HashMap;
use std::mem;
use std::vec;

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::inbox::NewDelivery;

/// So many keys are in memory before they begin to move into the table: about two megabytes. The more there are, the closer
/// together they lie in the table.
const FRESH_MAX: usize = 32_768;

/// For each new key so many move, so that a move ends before the next begins.
const PACE: usize = 2;

/// 16 bytes of a hash: that two of them are alike by chance will not happen, and if it does, the row tells.
type Key = [u8; 16];

/// The keys of one delivery.
pub(super) struct Pair {
    content: Key,
    id: Option<Key>,
}

impl Pair {
    pub(super) fn new(source: &str, content_key: &str, delivery_id: Option<&str>) -> Self {
        Self { content: key(b'c', source, content_key), id: delivery_id.map(|id| key(b'd', source, id)) }
    }

    pub(super) fn of(delivery: &NewDelivery) -> Self {
        Self::new(&delivery.source, &delivery.content_key, delivery.delivery_id.as_deref())
    }

    fn each(&self) -> impl Iterator<Item = Key> {
        [Some(self.content), self.id].into_iter().flatten()
    }

    /// Takes the keys of a row that is deleted out of the table, where they are: see [`Keys::settle_row`].
    pub(super) fn remove(&self, connection: &Connection, row: i64) -> Result<(), Error> {
        let sql = "delete from delivery_keys where key in (?1, ?2) and delivery_id = ?3";
        connection.prepare_cached(sql)?.execute(params![self.content, self.id, row])?;
        Ok(())
    }
}

fn key(which: u8, source: &str, key: &str) -> Key {
    let mut hash = Sha256::new_with_prefix([which]);
    hash.update(source.len().to_be_bytes());
    hash.update(source);
    hash.update(key);
    let hash = hash.finalize();
    hash.first_chunk().copied().unwrap_or_default()
}

/// The keys that are not in the table yet, as of the transaction that is under way.
#[derive(Debug)]
pub(super) struct Keys {
    fresh: HashMap<Key, i64>,
    fresh_max: usize,
    /// The last row that was looked at.
    seen: i64,
    /// By which SQLite tells that somebody else has written.
    version: Option<i64>,
    /// Whether it holds for this transaction.
    is_current: bool,
    /// How many came with this transaction.
    added: usize,
    moving: Option<Move>,
    /// Whether a job has moved keys, which moves back when the job is taken back.
    is_of_job: bool,
}

/// Keys on their way into the table.
#[derive(Debug)]
struct Move {
    keys: vec::IntoIter<Key>,
    /// The last row of them.
    up_to: i64,
}

impl Default for Keys {
    fn default() -> Self {
        Self::new(FRESH_MAX)
    }
}

impl Keys {
    fn new(fresh_max: usize) -> Self {
        Self {
            fresh: HashMap::new(),
            fresh_max,
            seen: 0,
            version: None,
            is_current: false,
            added: 0,
            moving: None,
            is_of_job: false,
        }
    }

    /// A transaction has begun: others may have written before it.
    pub(super) fn begin(&mut self) {
        self.is_current = false;
        self.added = 0;
        self.is_of_job = false;
    }

    /// A transaction was taken back. What is on the disk is read again when it is asked for.
    pub(super) fn forget(&mut self) {
        *self = Self::new(self.fresh_max);
    }

    /// A job was taken back, the rest of its transaction was not.
    pub(super) fn forget_job(&mut self) {
        if self.is_of_job {
            self.forget();
        }
    }

    /// When the first delivery with one of these keys was received.
    pub(super) fn find(
        &mut self,
        connection: &Connection,
        pair: &Pair,
        delivery: &NewDelivery,
    ) -> Result<Option<i64>, Error> {
        self.refresh(connection)?;
        let mut first = None;
        let mut look = |row: i64| -> Result<(), Error> {
            let sql = "select received_at from deliveries
                where id = ?1 and source = ?2 and (content_key = ?3 or delivery_id = ?4)";
            let values = params![row, delivery.source, delivery.content_key, delivery.delivery_id];
            // A row that is gone, or one of another key, says nothing.
            let at = connection.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?;
            first = first.into_iter().chain(at).min();
            Ok(())
        };
        for key in pair.each() {
            self.fresh.get(&key).copied().map_or(Ok(()), &mut look)?;
        }
        let sql = "select delivery_id from delivery_keys where key in (?1, ?2)";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![pair.content, pair.id])?;
        while let Some(row) = rows.next()? {
            look(row.get(0)?)?;
        }
        Ok(first)
    }

    /// A row was written, after none with its keys was found.
    pub(super) fn add(&mut self, row: i64, pair: &Pair) {
        for key in pair.each() {
            self.fresh.insert(key, row);
            self.added += 1;
        }
        self.seen = row;
    }

    /// Moves some keys into the table, at the end of a transaction.
    pub(super) fn settle(&mut self, connection: &Connection) -> Result<(), Error> {
        let added = mem::take(&mut self.added);
        if added == 0 {
            return Ok(());
        }
        if self.moving.is_none() && self.fresh.len() >= self.fresh_max {
            self.moving = Some(self.start());
        }
        self.proceed(connection, added.saturating_mul(PACE))
    }

    /// Sees to it that the keys of a row and of all before it are in the table, so that they can be removed with it. In memory, here or
    /// in another process, they would go there later and stay for ever.
    pub(super) fn settle_row(&mut self, connection: &Connection, row: i64) -> Result<(), Error> {
        // What is read now is without the rows that the job has deleted.
        self.is_of_job |= !self.is_current;
        self.refresh(connection)?;
        // By the table, because another process may remember the row as well.
        if settled(connection)? < row {
            self.is_of_job = true;
            self.moving = Some(self.start());
            self.proceed(connection, usize::MAX)?;
        }
        Ok(())
    }

    fn start(&self) -> Move {
        let mut keys: Vec<_> = self.fresh.keys().copied().collect();
        keys.sort_unstable();
        Move { keys: keys.into_iter(), up_to: self.seen }
    }

    fn proceed(&mut self, connection: &Connection, count: usize) -> Result<(), Error> {
        let Some(moving) = &mut self.moving else { return Ok(()) };
        let up_to = moving.up_to;
        let sql = "insert or replace into delivery_keys (key, delivery_id) values (?1, ?2)";
        let mut statement = connection.prepare_cached(sql)?;
        for key in moving.keys.by_ref().take(count) {
            if let Some(row) = self.fresh.get(&key).filter(|row| **row <= up_to) {
                statement.execute(params![key, row])?;
            }
        }
        if moving.keys.len() == 0 {
            let sql = "update delivery_keys_settled set up_to = max(up_to, ?1)";
            connection.prepare_cached(sql)?.execute([up_to])?;
            self.fresh.retain(|_, row| *row > up_to);
            self.moving = None;
        }
        Ok(())
    }

    /// Takes in what others have written, or what was there before the store was opened.
    fn refresh(&mut self, connection: &Connection) -> Result<(), Error> {
        if mem::replace(&mut self.is_current, true) {
            return Ok(());
        }
        let done = self.read(connection);
        if done.is_err() {
            // Half of it would be taken for the whole from now on.
            self.forget();
        }
        done
    }

    fn read(&mut self, connection: &Connection) -> Result<(), Error> {
        let version = connection.prepare_cached("pragma data_version")?.query_row([], |row| row.get(0))?;
        if self.version.replace(version) == Some(version) {
            return Ok(());
        }
        let settled = settled(connection)?;
        self.fresh.retain(|_, row| *row > settled);
        self.seen = self.seen.max(settled);
        let sql = "select id, source, content_key, delivery_id from deliveries where id > ?1 order by id";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([self.seen])?;
        while let Some(row) = rows.next()? {
            let (source, content_key): (String, String) = (row.get(1)?, row.get(2)?);
            let delivery_id: Option<String> = row.get(3)?;
            self.add(row.get(0)?, &Pair::new(&source, &content_key, delivery_id.as_deref()));
            // A store of an earlier version has all of its keys in its rows.
            if self.fresh.len() >= self.fresh_max.saturating_mul(2) {
                self.moving = Some(self.start());
                self.proceed(connection, usize::MAX)?;
            }
        }
        self.added = 0;
        Ok(())
    }
}

/// The keys of all rows up to this one are in the table.
fn settled(connection: &Connection) -> Result<i64, Error> {
    let sql = "select up_to from delivery_keys_settled";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

#[cfg(test)]
mod tests;

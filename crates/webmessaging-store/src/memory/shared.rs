//! What processes share, in memory: intents, quarantine, scans, leases, values, rates.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use webmessaging_model::Timestamp;

use super::{MemoryStore, Tables};
use crate::check;
use crate::error::{Error, ErrorKind};
use crate::ids::IntentId;
use crate::intents::{Begun, Intent, IntentOutcome, Intents, NewIntent};
use crate::leases::{Lease, LeaseAnswer, Leases};
use crate::limits::LIST_MAX;
use crate::quarantine::{NewQuarantine, Quarantine, QuarantineEntry, QuarantineState};
use crate::rate_leases::{Permits, RateLeases, RateQuota};
use crate::scan_states::{NewScan, ScanAdvance, ScanState, ScanStates};
use crate::shared_values::{SharedValue, SharedValues};
use crate::store::Stored;

impl Intents for MemoryStore {
    fn begin_intent(&self, new: NewIntent) -> Stored<'_, Begun> {
        self.work(move |tables| {
            check::intent(&new)?;
            let is_same = |known: &Intent| (&known.operation, &known.key) == (&new.operation, &new.key);
            match tables.intents.values().find(|(known, _)| is_same(known)) {
                Some((known, None)) => return Ok(Begun::Open(known.clone())),
                Some((known, Some(IntentOutcome::Done))) => return Ok(Begun::Done(known.clone())),
                Some((_, Some(IntentOutcome::NotDone))) | None => {}
            }
            tables.intents.retain(|_, (known, _)| !is_same(known));
            let id = IntentId::new(tables.next_id());
            let NewIntent { operation, key, details, begun_at } = new;
            let intent = Intent { id, operation, key, details, begun_at, finished_at: None, note: None };
            tables.intents.insert(id.get(), (intent, None));
            Ok(Begun::New(id))
        })
    }

    fn finish_intent<'a>(
        &'a self,
        id: IntentId,
        outcome: IntentOutcome,
        note: &'a str,
        now: Timestamp,
    ) -> Stored<'a, ()> {
        self.work(move |tables| match tables.intents.get_mut(&id.get()) {
            None => Err(Error::new(ErrorKind::NotFound)),
            Some((_, Some(known))) if *known == outcome => Ok(()),
            Some((_, Some(_))) => Err(Error::finished_differently()),
            Some((intent, open)) => {
                intent.finished_at = Some(now);
                intent.note = Some(check::cut(note));
                *open = Some(outcome);
                Ok(())
            }
        })
    }

    fn open_intents(
        &self,
        older_than: Timestamp,
        after: Option<IntentId>,
        limit: u32,
    ) -> Stored<'_, Vec<Intent>> {
        self.work(move |tables| {
            let open = tables.intents.values().filter(|(_, outcome)| outcome.is_none());
            let listed = open
                .map(|(intent, _)| intent)
                .filter(|intent| intent.begun_at < older_than && after.is_none_or(|after| intent.id > after));
            Ok(listed.take(page(limit)).cloned().collect())
        })
    }
}

impl Quarantine for MemoryStore {
    fn quarantine(&self, entry: NewQuarantine) -> Stored<'_, bool> {
        self.work(move |tables| {
            check::file(&entry)?;
            Ok(tables.put_into_quarantine(entry))
        })
    }

    fn quarantine_entry<'a>(&'a self, file_id: &'a str) -> Stored<'a, Option<QuarantineEntry>> {
        self.work(move |tables| Ok(tables.quarantine.get(file_id).cloned()))
    }

    fn quarantined<'a>(&'a self, after: Option<&'a str>, limit: u32) -> Stored<'a, Vec<QuarantineEntry>> {
        self.work(move |tables| {
            let held = tables.quarantine.values().filter(|entry| entry.state == QuarantineState::Held);
            let listed = held.filter(|entry| after.is_none_or(|after| *entry.file_id > *after));
            Ok(listed.take(page(limit)).cloned().collect())
        })
    }

    fn release_quarantined<'a>(&'a self, file_id: &'a str, note: &'a str, at: Timestamp) -> Stored<'a, ()> {
        self.work(move |tables| {
            tables.held(file_id)?.state = QuarantineState::Released { at, note: check::cut(note) };
            Ok(())
        })
    }

    fn delete_quarantined<'a>(&'a self, file_id: &'a str, note: &'a str, at: Timestamp) -> Stored<'a, ()> {
        self.work(move |tables| {
            tables.held(file_id)?.state = QuarantineState::Deleted { at, note: check::cut(note) };
            Ok(())
        })
    }
}

impl ScanStates for MemoryStore {
    fn advance_scan(&self, scan: NewScan) -> Stored<'_, ScanAdvance> {
        self.work(move |tables| {
            check::scan(&scan)?;
            Ok(tables.advance(&scan))
        })
    }

    fn scan_state<'a>(&'a self, subject: &'a str) -> Stored<'a, Option<ScanState>> {
        self.work(move |tables| Ok(tables.scans.get(subject).cloned()))
    }
}

impl Leases for MemoryStore {
    fn acquire_lease<'a>(
        &'a self,
        name: &'a str,
        holder: &'a str,
        ttl: Duration,
        now: Timestamp,
    ) -> Stored<'a, LeaseAnswer> {
        self.work(move |tables| {
            check::lease(name, holder)?;
            let known = tables.leases.get(name);
            if let Some(held) = known.filter(|known| known.expires_at > now && known.holder != holder) {
                return Ok(LeaseAnswer::Held { holder: held.holder.clone(), until: held.expires_at });
            }
            let lease = Lease {
                name: name.to_owned(),
                holder: holder.to_owned(),
                token: known.map_or(0, |known| known.token) + 1,
                expires_at: now + ttl,
            };
            tables.leases.insert(name.to_owned(), lease.clone());
            Ok(LeaseAnswer::Acquired(lease))
        })
    }

    fn renew_lease<'a>(&'a self, lease: &'a Lease, ttl: Duration, now: Timestamp) -> Stored<'a, Lease> {
        self.work(move |tables| {
            let known = tables.current(lease, now).ok_or_else(|| Error::new(ErrorKind::LeaseLost))?;
            known.expires_at = now + ttl;
            Ok(known.clone())
        })
    }

    fn release_lease<'a>(&'a self, lease: &'a Lease, now: Timestamp) -> Stored<'a, ()> {
        self.work(move |tables| {
            if let Some(known) = tables.current(lease, now) {
                known.expires_at = now;
            }
            Ok(())
        })
    }
}

impl SharedValues for MemoryStore {
    fn load_value<'a>(&'a self, key: &'a str, now: Timestamp) -> Stored<'a, Option<SharedValue>> {
        self.work(move |tables| {
            let known = tables.values.get(key).filter(|(_, expires_at, _)| *expires_at > now);
            Ok(known.and_then(|(value, expires_at, token)| {
                Some(SharedValue { value: value.clone()?, expires_at: *expires_at, token: *token })
            }))
        })
    }

    fn store_value<'a>(
        &'a self,
        key: &'a str,
        value: SecretString,
        expires_at: Timestamp,
        token: i64,
    ) -> Stored<'a, ()> {
        self.work(move |tables| {
            check::value(key, value.expose_secret())?;
            if tables.values.get(key).is_some_and(|(_, _, known)| *known > token) {
                return Err(Error::new(ErrorKind::LeaseLost));
            }
            tables.values.insert(key.to_owned(), (Some(value), expires_at, token));
            Ok(())
        })
    }
}

impl RateLeases for MemoryStore {
    fn take_permits<'a>(&'a self, quota: &'a RateQuota, wanted: u32, now: Timestamp) -> Stored<'a, Permits> {
        self.work(move |tables| {
            check::quota(quota)?;
            let grants = tables.grants.entry(quota.name.clone()).or_default();
            let at = grants.last().map_or(now, |(last, _)| now.max(*last));
            grants.retain(|(granted_at, _)| *granted_at > at - quota.window);
            let used = grants.iter().map(|(_, permits)| i64::from(*permits)).sum();
            let first = grants.first().map(|(first, _)| first.unix_millis());
            let permits = Permits::of(quota, wanted, used, first, at);
            if permits.granted > 0 {
                grants.push((at, permits.granted));
            }
            Ok(permits)
        })
    }
}

impl Tables {
    pub(super) fn put_into_quarantine(&mut self, entry: NewQuarantine) -> bool {
        let known = self.quarantine.get(&entry.file_id);
        if known.is_some_and(|known| known.state == QuarantineState::Held) {
            return false;
        }
        let NewQuarantine { file_id, reason, at, details } = entry;
        let state = QuarantineState::Held;
        let entry = QuarantineEntry { file_id: file_id.clone(), reason, details, quarantined_at: at, state };
        self.quarantine.insert(file_id, entry);
        true
    }

    /// What news come to, without taking them.
    pub(super) fn advanced(&self, scan: &NewScan) -> ScanAdvance {
        ScanAdvance::of(self.scans.get(&scan.subject).cloned(), scan)
    }

    pub(super) fn advance(&mut self, scan: &NewScan) -> ScanAdvance {
        let advance = self.advanced(scan);
        self.scans.insert(scan.subject.clone(), advance.current.clone());
        advance
    }

    fn held(&mut self, file_id: &str) -> Result<&mut QuarantineEntry, Error> {
        let held = self.quarantine.get_mut(file_id).filter(|entry| entry.state == QuarantineState::Held);
        held.ok_or_else(|| Error::new(ErrorKind::NotFound))
    }

    fn current(&mut self, lease: &Lease, now: Timestamp) -> Option<&mut Lease> {
        let known = self.leases.get_mut(&lease.name);
        known.filter(|known| known.token == lease.token && known.expires_at > now)
    }
}

fn page(limit: u32) -> usize {
    usize::try_from(limit.min(LIST_MAX)).unwrap_or(usize::MAX)
}

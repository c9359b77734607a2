//! How much a client may begin in a minute, for a bounded number of clients.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::client::Client;

/// As many clients are remembered; about 1 MiB.
const CLIENTS_MAX: usize = 10_000;

const MINUTE: Duration = Duration::from_secs(60);

/// A minute's worth at once, and then one with each part of a minute.
#[derive(Debug)]
pub(super) struct Rate {
    /// What one costs.
    part: Duration,
    clients: Mutex<Clients>,
}

/// When each client will have a whole minute's worth again. Those for whom that is soonest are forgotten first, which gives away least.
#[derive(Debug, Default)]
struct Clients {
    restored_at: HashMap<Client, Instant>,
    by_time: BTreeSet<(Instant, Client)>,
}

impl Rate {
    pub(super) fn per_minute(most: u32) -> Self {
        Self { part: MINUTE / most.max(1), clients: Mutex::default() }
    }

    /// Takes one, or tells how long to wait for it.
    pub(super) fn take(&self, client: Client, now: Instant) -> Result<(), Duration> {
        // Every change is whole before anything in it can panic.
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let restored_at = clients.restored_at.get(&client).copied().unwrap_or(now).max(now);
        let next = restored_at + self.part;
        let over = next.saturating_duration_since(now).saturating_sub(MINUTE);
        if !over.is_zero() {
            return Err(over);
        }
        clients.set(client, next, now);
        Ok(())
    }
}

impl Clients {
    fn set(&mut self, client: Client, at: Instant, now: Instant) {
        if let Some(before) = self.restored_at.insert(client, at) {
            self.by_time.remove(&(before, client));
        }
        self.by_time.insert((at, client));
        while let Some((soonest, whose)) = self.by_time.first().copied() {
            if soonest > now && self.by_time.len() <= CLIENTS_MAX {
                return;
            }
            self.by_time.remove(&(soonest, whose));
            self.restored_at.remove(&whose);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use webmessaging::http::Clock as _;
    use webmessaging::http::clock::TokioClock;

    use super::*;

    fn client(number: u32) -> Client {
        IpAddr::V4(Ipv4Addr::from_bits(number)).into()
    }

    #[tokio::test]
    async fn a_client_has_its_share_and_is_told_when_there_is_more() {
        let rate = Rate::per_minute(10);
        let start = TokioClock.now();
        for _ in 0..10 {
            assert_eq!(rate.take(client(1), start), Ok(()));
        }
        assert_eq!(rate.take(client(1), start), Err(Duration::from_secs(6)));
        assert_eq!(rate.take(client(2), start), Ok(()), "others have their own");
        let later = start + Duration::from_secs(6);
        assert_eq!(rate.take(client(1), later), Ok(()));
        assert_eq!(rate.take(client(1), later), Err(Duration::from_secs(6)), "a refusal costs nothing");
        let next_minute = later + MINUTE;
        for _ in 0..10 {
            assert_eq!(rate.take(client(1), next_minute), Ok(()));
        }
        assert!(rate.take(client(1), next_minute).is_err());
    }

    #[tokio::test]
    async fn the_number_of_clients_is_bounded_and_the_greediest_are_remembered() {
        let rate = Rate::per_minute(2);
        let start = TokioClock.now();
        for _ in 0..2 {
            rate.take(client(0), start).unwrap();
        }
        for number in 1..=20_000 {
            rate.take(client(number), start).unwrap();
        }
        let known = || {
            let clients = rate.clients.lock().unwrap();
            assert_eq!(clients.restored_at.len(), clients.by_time.len());
            clients.by_time.len()
        };
        assert_eq!(known(), CLIENTS_MAX);
        assert!(rate.take(client(0), start).is_err());
        rate.take(client(1), start + MINUTE).unwrap();
        assert_eq!(known(), 1, "who has all of it again needs no place");
    }
}

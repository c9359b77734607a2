//! Threads that own a session: one writes, in groups that share a commit, and a few read.
//!
//! A commit costs a flush of the disk, whatever is in it. While one is under way the next calls gather in the queue, and all of
//! them go into the next one: the more there is to do, the less a call costs. Nobody is answered before the flush.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::session::Session;
use crate::error::{Error, ErrorKind};

/// So many calls share a commit at most; more would make the first of them wait for the last.
const GROUP_MAX: usize = 256;

/// How long SQLite itself waits for the lock. It asks less and less often, up to ten times a second, and who writes without a pause
/// lets go for moments only: asked anew in short turns, it finds one.
pub(super) const TURN: Duration = Duration::from_millis(8);

/// The queue to a thread.
#[derive(Debug, Clone)]
pub(super) struct Calls(mpsc::Sender<Box<dyn Job>>);

pub(super) type Queue = mpsc::Receiver<Box<dyn Job>>;

impl Calls {
    /// A queue that lets `calls` wait before who comes next has to.
    pub(super) fn queue(calls: usize) -> (Self, Queue) {
        let (sender, receiver) = mpsc::channel(calls.max(1));
        (Self(sender), receiver)
    }

    /// Has something done on the thread.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Session) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.send(work, true).await
    }

    /// As [`call`](Self::call), for work that writes with one statement at most: what fails of it leaves nothing behind by itself.
    pub(super) async fn call_once<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Session) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.send(work, false).await
    }

    async fn send<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Session) -> Result<T, Error> + Send + 'static,
        needs_savepoint: bool,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Call { work: Some(work), done: None, reply, needs_savepoint });
        self.0.send(job).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

fn stopped() -> Error {
    Error::new(ErrorKind::Internal).with_message("the thread of the store has ended: open the store again")
}

/// Something to do on a session.
pub(super) trait Job: Send {
    /// Does it, unless nobody waits for it any more. Tells what went wrong.
    fn run(&mut self, session: &Session) -> Result<(), Error>;

    /// Whether it has to be taken back when it fails.
    fn needs_savepoint(&self) -> bool;

    /// Tells who waits: what came of it, or what spoiled the transaction that it was part of.
    fn answer(self: Box<Self>, spoiled: Option<&Error>);
}

struct Call<T, F> {
    work: Option<F>,
    done: Option<Result<T, Error>>,
    reply: oneshot::Sender<Result<T, Error>>,
    needs_savepoint: bool,
}

impl<T, F> Job for Call<T, F>
where
    T: Send,
    F: FnOnce(&Session) -> Result<T, Error> + Send,
{
    fn run(&mut self, session: &Session) -> Result<(), Error> {
        if self.reply.is_closed() {
            return Ok(());
        }
        let Some(work) = self.work.take() else { return Ok(()) };
        let done = work(session);
        let outcome = done.as_ref().map(|_| ()).map_err(Clone::clone);
        self.done = Some(done);
        outcome
    }

    fn needs_savepoint(&self) -> bool {
        self.needs_savepoint
    }

    fn answer(self: Box<Self>, spoiled: Option<&Error>) {
        let answer = match (self.done, spoiled) {
            // Its own error says more than that of the others.
            (Some(Err(error)), _) => Err(error),
            (_, Some(error)) => Err(error.clone()),
            (Some(done), None) => done,
            (None, None) => return,
        };
        // Who went away does not want to know.
        let _ = self.reply.send(answer);
    }
}

/// Writes until there is nobody left who could call; waits so long for other processes.
pub(super) fn write(session: &Session, mut queue: Queue, busy: Duration) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    let turns = busy.as_millis() / TURN.as_millis();
    while queue.blocking_recv_many(&mut group, GROUP_MAX) > 0 {
        let spoiled = commit(session, &mut group, turns).err();
        for job in group.drain(..) {
            job.answer(spoiled.as_ref());
        }
    }
}

/// Reads until there is nobody left who could call. Several threads can share a queue.
pub(super) fn read(session: &Session, queue: &Arc<Mutex<Queue>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(mut job) = next else { return };
        let spoiled = snapshot(session, &mut *job).err();
        job.answer(spoiled.as_ref());
    }
}

/// Runs a group in one transaction; a job that fails is taken back alone, and takes nobody with it.
fn commit(session: &Session, group: &mut [Box<dyn Job>], turns: u128) -> Result<(), Error> {
    begin(session, turns)?;
    session.keys().begin();
    let done = group.iter_mut().try_for_each(|job| {
        let needs_savepoint = job.needs_savepoint();
        if needs_savepoint {
            run(session, "savepoint job")?;
        }
        let outcome = job.run(session);
        if session.is_autocommit() {
            // Trouble so deep that SQLite has taken back everything, the work of the others included.
            return Err(outcome.err().unwrap_or_else(|| Error::new(ErrorKind::Internal)));
        }
        if !needs_savepoint {
            return Ok(());
        }
        if outcome.is_err() {
            session.keys().forget_job();
            run(session, "rollback to job")?;
        }
        run(session, "release job")
    });
    let done = done.and_then(|()| session.keys().settle(session)).and_then(|()| run(session, "commit"));
    if done.is_err() {
        session.keys().forget();
        if !session.is_autocommit() {
            run(session, "rollback")?;
        }
    }
    done
}

fn begin(session: &Session, turns: u128) -> Result<(), Error> {
    for _ in 1..turns {
        match run(session, "begin immediate") {
            Err(error) if error.kind() == ErrorKind::Busy => {}
            begun => return begun,
        }
    }
    run(session, "begin immediate")
}

/// Runs a job on one state of the store, whatever is written meanwhile.
fn snapshot(session: &Session, job: &mut dyn Job) -> Result<(), Error> {
    run(session, "begin")?;
    // What went wrong is told by the job itself.
    let _ = job.run(session);
    if session.is_autocommit() { Ok(()) } else { run(session, "rollback") }
}

fn run(session: &Session, sql: &str) -> Result<(), Error> {
    session.prepare_cached(sql)?.execute([])?;
    Ok(())
}

//! The thread that writes a log: takes what waits, writes it at once, makes it durable once, and answers all.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;
use webmessaging_model::Timestamp;

use super::checkpoint::Checkpoint;
use super::folder::Folder;
use super::line;
use super::medium::Medium;
use super::recover::{Recovered, TAIL_BYTES, unwritable};
use super::removed::{self, Removed};
use super::retention::{self, Retention};
use crate::clock::{Clock, SystemEntropy};
use crate::error::{Error, ErrorKind};
use crate::event::{Actor, EventId, Stamp};
use crate::kind::RecordsRemoved;

/// So much is written at once: a caller does not wait for a queue without end.
const BATCH_BYTES_MAX: usize = 1024 * 1024;
const BATCH_RECORDS_MAX: usize = 4_096;
const _: () = assert!(
    BATCH_BYTES_MAX + BATCH_RECORDS_MAX * line::CHAIN_BYTES + 2 * line::BYTES_MAX < TAIL_BYTES,
    "what a crash leaves of a batch has to fit into the tail that is looked at"
);

pub(super) type Answer<T> = oneshot::Sender<Result<T, Error>>;

/// What the writer has to do.
#[derive(Debug)]
pub(super) enum Job {
    Record(Vec<u8>, Answer<Checkpoint>),
    Request(Request),
}

/// What comes after the records before it.
#[derive(Debug)]
pub(super) enum Request {
    Head(Answer<Checkpoint>),
    Retain(Retention, Answer<Option<Removed>>),
    Close(Answer<()>),
}

/// When a file is full.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rotation {
    pub(super) bytes: u64,
    pub(super) age: Duration,
}

/// Makes a file something to write to; a test puts faults in between.
pub(super) type Wrap = fn(File) -> Box<dyn Medium>;

#[derive(Debug)]
pub(super) struct Writer {
    folder: Folder,
    clock: Arc<dyn Clock>,
    rotation: Rotation,
    wrap: Wrap,
    medium: Box<dyn Medium>,
    /// The bytes and the record up to which everything is durable.
    length: u64,
    head: Checkpoint,
    /// When the first record of the file was made; `None` of an empty file.
    began: Option<Timestamp>,
    /// There may be something behind `length`.
    is_dirty: bool,
    /// There may be a removal without a record.
    owes_record: bool,
    buffer: Vec<u8>,
}

impl Writer {
    pub(super) fn new(
        folder: Folder,
        recovered: Recovered,
        clock: Arc<dyn Clock>,
        rotation: Rotation,
        wrap: Wrap,
    ) -> Self {
        let Recovered { file, length, head, began, torn: _ } = recovered;
        let (medium, buffer) = (wrap(file), Vec::new());
        Self {
            folder,
            clock,
            rotation,
            wrap,
            medium,
            length,
            head,
            began,
            is_dirty: false,
            owes_record: true,
            buffer,
        }
    }

    /// Works until it is closed or nobody is left who could ask.
    pub(super) fn run(mut self, mut jobs: Receiver<Job>) {
        let mut batch = Batch::default();
        self.catch_up();
        while let Some(job) = jobs.blocking_recv() {
            let mut next = Some(job);
            while let Some(job) = next.take() {
                match job {
                    Job::Record(body, answer) => {
                        batch.push(body, answer);
                        if !batch.is_full() {
                            next = jobs.try_recv().ok();
                        }
                    }
                    Job::Request(request) => {
                        self.work_off(&mut batch);
                        if let Some(closed) = self.answer(request) {
                            // Whoever waits for it may open the log again.
                            drop(self);
                            let _ = closed.send(Ok(()));
                            return;
                        }
                    }
                }
            }
            self.work_off(&mut batch);
        }
    }

    /// Does what was asked; to be closed is answered by the caller. That nobody waits any more is no concern of the log.
    fn answer(&mut self, request: Request) -> Option<Answer<()>> {
        match request {
            Request::Head(answer) => {
                let _ = answer.send(Ok(self.head));
            }
            Request::Retain(rule, answer) => {
                let _ = answer.send(self.retain(&rule));
            }
            Request::Close(answer) => return Some(answer),
        }
        None
    }

    fn work_off(&mut self, batch: &mut Batch) {
        if batch.bodies.is_empty() {
            return;
        }
        let result = self.write(&batch.bodies);
        batch.bodies.clear();
        batch.bytes = 0;
        match result {
            Ok(heads) => {
                for (answer, head) in batch.answers.drain(..).zip(heads) {
                    let _ = answer.send(Ok(head));
                }
                if self.owes_record {
                    self.catch_up();
                }
            }
            Err(error) => {
                for answer in batch.answers.drain(..) {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }

    /// Writes all of them durably, or leaves the log as it was.
    fn write(&mut self, bodies: &[Vec<u8>]) -> Result<Vec<Checkpoint>, Error> {
        self.tidy_up()?;
        let now = self.clock.wall();
        self.rotate_if_due(now)?;

        let (mut head, mut heads) = (self.head, Vec::with_capacity(bodies.len()));
        self.buffer.clear();
        for body in bodies {
            line::append(&mut self.buffer, &mut head, body);
            heads.push(head);
        }
        self.is_dirty = true;
        let written = self.medium.write_from(self.length, &self.buffer).and_then(|()| self.medium.sync());
        if let Err(error) = written {
            // At once, so that nothing half-written lies there; if that fails too, before the next record.
            let _ = self.tidy_up();
            return Err(unwritable(error));
        }
        self.is_dirty = false;
        self.length = self.length.saturating_add(u64::try_from(self.buffer.len()).unwrap_or(u64::MAX));
        self.head = head;
        self.began.get_or_insert(now);
        self.buffer.shrink_to(BATCH_BYTES_MAX);
        Ok(heads)
    }

    /// Cuts off what a write has left that failed, and looks whether somebody else was at the file.
    fn tidy_up(&mut self) -> Result<(), Error> {
        if self.is_dirty {
            self.medium.cut(self.length).map_err(unwritable)?;
            self.is_dirty = false;
        }
        if self.medium.length().map_err(unwritable)? == self.length {
            return Ok(());
        }
        let message =
            "somebody else has changed the newest file of the audit log: find out who, and open it again";
        Err(Error::new(ErrorKind::Damaged, message))
    }

    fn rotate_if_due(&mut self, now: Timestamp) -> Result<(), Error> {
        let Some(began) = self.began else { return Ok(()) };
        if self.length < self.rotation.bytes && now.since(began) < self.rotation.age {
            return Ok(());
        }
        let file = self.folder.create(self.head.seq.saturating_add(1)).map_err(unwritable)?;
        self.medium = (self.wrap)(file);
        (self.length, self.began) = (0, None);
        Ok(())
    }

    fn retain(&mut self, rule: &Retention) -> Result<Option<Removed>, Error> {
        let removed = retention::apply(&self.folder, rule, self.clock.wall())?;
        self.record_removal()?;
        Ok(removed.map(|removed| Removed { unrecorded_from: None, ..removed }))
    }

    /// Records a removal that could not be recorded when it was done; the stub knows of it until then.
    fn catch_up(&mut self) {
        // Whoever writes next hears that it cannot be done, and it is tried again after that.
        let _ = self.record_removal();
    }

    fn record_removal(&mut self) -> Result<(), Error> {
        self.owes_record = true;
        let stub = removed::read(self.folder.path())?;
        if let Some((removed, first)) = stub.and_then(|stub| stub.unrecorded_from.map(|first| (stub, first)))
        {
            let (now, last) = (self.clock.wall(), removed.last);
            let kind = RecordsRemoved::new(first, last.seq, last.hash_hex(), removed.cause.clone());
            let stamp = Stamp::new(EventId::new(now, &SystemEntropy), now, Actor::default());
            self.write(&[line::body(&stamp.event(kind))?])?;
            removed::write(self.folder.path(), &Removed { unrecorded_from: None, ..removed })?;
        }
        self.owes_record = false;
        Ok(())
    }
}

/// Records that are written together.
#[derive(Debug, Default)]
struct Batch {
    bodies: Vec<Vec<u8>>,
    answers: Vec<Answer<Checkpoint>>,
    bytes: usize,
}

impl Batch {
    fn push(&mut self, body: Vec<u8>, answer: Answer<Checkpoint>) {
        self.bytes = self.bytes.saturating_add(body.len());
        self.bodies.push(body);
        self.answers.push(answer);
    }

    fn is_full(&self) -> bool {
        self.bytes >= BATCH_BYTES_MAX || self.bodies.len() >= BATCH_RECORDS_MAX
    }
}

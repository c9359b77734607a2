//! `webmessaging guests import`: a list of guests, created line by line, with a file that says what was wrong with the others.

mod rejects;
mod totals;

use std::collections::BTreeSet;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use webmessaging::guests::{GuestPayload, GuestsClient, IdentityHasher};
use webmessaging::{Error, ErrorKind};

use self::rejects::Rejects;
use self::totals::Totals;
use super::lines::{GuestLines, Line};
use super::salt;
use crate::args::guests::ImportArgs;
use crate::failure::{Exit, Failure, Local};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::recording::Recording;

/// Lines that are read ahead of those that are worked on.
const AHEAD: usize = 64;

pub(super) async fn run(args: ImportArgs, output: Output) -> Result<Exit, Failure> {
    let recording = Recording::begin(&args.audit, "command")?;
    let outcome = import(args, &recording, output).await;
    recording.end(outcome).await
}

async fn import(args: ImportArgs, recording: &Recording, output: Output) -> Result<Exit, Failure> {
    let hasher = salt::hasher(&args.salt)?;
    let lines = GuestLines::open(&args.guests, args.format)?;
    let wanted = Wanted { from: args.from_line, only: args.only_lines.into_iter().collect() };
    let guests = args.connection.client()?.guests().journal(recording.journal());
    let rejects = args.rejects.as_deref().map(Rejects::new).transpose()?;
    let interrupt = Interrupt::listen()?;
    let mut import = Import {
        guests,
        hasher,
        without_consent: args.without_consent,
        rejects,
        totals: Totals::default(),
        under_way: JoinSet::new(),
    };
    let worked = import.work(read(lines, wanted), args.jobs.into(), &interrupt).await;
    // Whatever has gone wrong: what is under way is not left alone.
    while let Some(ended) = import.under_way.join_next().await {
        import.note(ended)?;
    }
    if let Some(rejects) = import.rejects {
        rejects.end()?;
    }
    let totals = import.totals;
    let exit = totals.report(interrupt.is_heard(), worked.is_err(), args.rejects.as_deref(), output)?;
    worked.map(|()| exit)
}

/// Which lines are to be worked on.
struct Wanted {
    from: u64,
    /// All where none is named.
    only: BTreeSet<u64>,
}

impl Wanted {
    fn has(&self, line: u64) -> bool {
        line >= self.from && (self.only.is_empty() || self.only.contains(&line))
    }
}

/// Reads on a thread of its own, which nobody waits for: standard input can stand still.
fn read(mut lines: GuestLines, wanted: Wanted) -> mpsc::Receiver<Result<Line, Box<Local>>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    std::thread::spawn(move || {
        loop {
            let read = match lines.next() {
                Ok(Some(line)) if !wanted.has(line.number) => continue,
                Ok(Some(line)) => Ok(line),
                Ok(None) => return,
                Err(failure) => Err(failure),
            };
            let is_over = read.is_err();
            if sender.blocking_send(read).is_err() || is_over {
                return;
            }
        }
    });
    receiver
}

type Ended = Result<(u64, Result<(), Error>), tokio::task::JoinError>;

struct Import {
    guests: GuestsClient,
    hasher: IdentityHasher,
    without_consent: bool,
    rejects: Option<Rejects>,
    totals: Totals,
    under_way: JoinSet<(u64, Result<(), Error>)>,
}

impl Import {
    async fn work(
        &mut self,
        mut lines: mpsc::Receiver<Result<Line, Box<Local>>>,
        jobs: usize,
        interrupt: &Interrupt,
    ) -> Result<(), Failure> {
        loop {
            if self.totals.is_hopeless || interrupt.is_heard() {
                return Ok(());
            }
            if self.under_way.len() >= jobs {
                if let Some(ended) = self.under_way.join_next().await {
                    self.note(ended)?;
                }
                continue;
            }
            tokio::select! {
                Some(ended) = self.under_way.join_next() => self.note(ended)?,
                line = lines.recv() => match line {
                    Some(line) => self.begin(line?)?,
                    None => return Ok(()),
                },
                () = interrupt.clone().heard() => return Ok(()),
            }
        }
    }

    fn begin(&mut self, line: Line) -> Result<(), Failure> {
        let Line { number, record } = line;
        self.totals.last = number;
        let payload = record.and_then(|record| {
            record.payload(&self.hasher).map_err(|violations| serde_json::json!({"violations": violations}))
        });
        match payload {
            Ok(payload) => {
                let (guests, may) = (self.guests.clone(), self.without_consent);
                self.under_way.spawn(async move { (number, create(&guests, &payload, may).await) });
                Ok(())
            }
            Err(why) => self.totals.reject(&mut self.rejects, number, &why),
        }
    }

    fn note(&mut self, ended: Ended) -> Result<(), Failure> {
        let (line, created) = ended.map_err(|error| Failure::internal("a line was not worked on", error))?;
        match created {
            Ok(()) => {
                self.totals.created += 1;
                Ok(())
            }
            Err(error) => self.totals.failed(&mut self.rejects, line, error),
        }
    }
}

async fn create(guests: &GuestsClient, payload: &GuestPayload, without_consent: bool) -> Result<(), Error> {
    let created = if without_consent {
        guests.create_without_consent(payload).await
    } else {
        guests.create(payload).await
    };
    created.map(drop)
}

/// Whether a failure is about its line alone; every other one would be the next line's as well.
fn is_about_the_line(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Rejected)
}

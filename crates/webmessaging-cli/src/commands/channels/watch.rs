//! `webmessaging channels watch`: what changes, as it is seen.

use std::time::Duration;

use serde_json::{Value, json};
use webmessaging::journal::clock::{Clock, SystemClock};

use crate::args::channels::WatchArgs;
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::output::{Output, colored_plan, print};

pub(super) async fn run(args: WatchArgs, output: Output) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen()?;
    let channels = args.connection.client()?.channels();
    let mut watch = channels.watch(Duration::from_secs(args.every.into()));
    output.note(&format!("looking every {} seconds", args.every))?;
    let looked = async {
        loop {
            let seen = match watch.next().await {
                Ok(seen) => seen,
                // What may pass is waited for; it comes with the next look.
                Err(error) if error.is_transient() => {
                    output.complain(&error.into())?;
                    continue;
                }
                Err(error) => return Err(Failure::from(error)),
            };
            let at = SystemClock.wall();
            for sighting in seen {
                if output.is_for_people() {
                    print(&format!("{at} {}", colored_plan(&sighting.to_string())))?;
                } else {
                    let mut line = json!(sighting);
                    if let Value::Object(fields) = &mut line {
                        fields.insert("at".to_owned(), json!(at));
                    }
                    // A line each, for programs that read along.
                    print(&line.to_string())?;
                }
            }
        }
    };
    tokio::select! {
        outcome = looked => outcome,
        () = interrupt.heard() => Ok(Exit::Success),
    }
}

//! The benches whose tables are part of the documentation.

use std::fmt::Write as _;
use std::process::Stdio;

use crate::report::{Report, Result};
use crate::workspace::Workspace;

/// What `cargo xtask bench` runs: a bench target, and what its page says.
struct Bench {
    name: &'static str,
    package: &'static str,
    title: &'static str,
    about: &'static str,
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "transport",
        package: "webmessaging-http",
        title: "Transport: what the pipeline costs",
        about: "The same POST with a JSON body and a JSON answer over loopback, once through the client with everything it does for a real\n\
                call (rate limiter, token, breaker, retry budget, correlation id, spans), once through a loop of bare reqwest that sets the same\n\
                path and headers. The messages go to 64 conversations in turns, so both put an id into the path of each. Nine rounds of 20 000 calls in turns on one thread; the ratios are the medians of the rounds. The machine is part of\n\
                the figures, the ratios less so.",
    },
    Bench {
        name: "upload",
        package: "webmessaging-http",
        title: "Uploads: what of the network's speed reaches the file, in how much memory",
        about: "Files over loopback to a sink that reads and forgets, a process of its own, in turns with a bare reqwest client that streams the same file\n\
                in chunks of the same size; fifteen rounds, five where Node.js takes part; the ratios are their medians, and each contestant runs twice and is timed\n\
                the second time. Through the client the bytes are counted, watched and held to their length. In the second table and beside Node.js everybody has the URL;\n\
                what the announcement before it costs is in the third one. *Hashed in line* is the bare stream with a SHA-256 of every chunk. The *floor* is a thread that reads and writes to a socket,\n\
                one that hashes behind it, and nothing else. Memory is the growth over what the process had\n\
                before. One upload is sent in pieces of 512 KiB, with its digest in pieces of 256 KiB, which a thread of the client's own hashes; up to 4 at once\n\
                are sent in pieces of 256 KiB, more in pieces of 64 KiB, which are slower and take less memory.\n\n\
                Then the limit of the digest, which is one chain that no second core shortens: what SHA-256 does with bytes that are at hand, and what one thread\n\
                does that reads them and hashes. The thread that hashes is always the same one, and wakes nobody but the sender. One of a pool comes back on the core\n\
                on which it last ran, be it the sender's, while the other core is idle. The fifth table has\n\
                what the bytes cost in processor time and which rate that allows if no core ever waits: the limit of four at once.\n\n\
                Last, how the quota's own floor is met, and uploads beside Node.js, which makes no digest. Its last column is what a digest allows at most: where\n\
                that is below 2.5, nothing that makes one can be 2.5 times as fast as Node.js without.\n\
                `npm install --prefix crates/webmessaging-http/benches/upload/axios` enables it.",
    },
    Bench {
        name: "channels",
        package: "webmessaging-channels",
        title: "Channels: how long it takes to find all of them",
        about: "100 pages of 100 channels from a process that answers at once, after 20 ms and after 50 ms: with axios and over a bare socket, page by page, and\n\
                through the client with everything it does for a real call, with so many pages under way at once. All read each channel into what their\n\
                language has for it, all of it, on one thread. Five rounds in turns; the times and the ratios are their medians. Where answers come at once, most of\n\
                the client's time is the JSON of the configurations, which is kept whole; the line below the table has what that takes alone.\n\n\
                `npm install --prefix crates/webmessaging-channels/benches/channels/axios` enables axios.",
    },
    Bench {
        name: "guests",
        package: "webmessaging-guests",
        title: "Guests: what a check and a hash cost",
        about: "A payload that is valid, from JSON text into the types, and against the JSON Schema as `check_payload` does it, which looks for plain identities as well; and\n\
                the hash of an e-mail address with all that brings it to one form. Beside them Node.js: Ajv with the same schema, and a hash of the trimmed and\n\
                lower-cased address. A million each, five rounds in turns; the times and the ratios are their medians.\n\n\
                `npm install --prefix crates/webmessaging-guests/benches/guests/node` enables Node.js.",
    },
    Bench {
        name: "bots",
        package: "webmessaging",
        title: "Bots: what a message costs, and what becomes of many when everything goes wrong",
        about: "A text to one of 64 conversations over loopback, to a server that takes everything at once, from one thread: through the client with everything it does (check\n\
                for markup, SHA-256 of the body, rate limiter, token, breaker, ids, spans), through bare reqwest and over a bare hyper connection, which do the POST alone, and by the\n\
                document's steps in Node.js (its own fetch). Then with the audit log, flushed to the disk before a message counts as sent, and with the outbox in SQLite, where a\n\
                CRM's notice is durable by then; Node.js tells its CRM with another POST and forgets it. Three rounds in turns; the ratios are their medians.\n\
                The sketch is beaten by what bare reqwest beats it by, and a little more. A message that waits for the disk shares a flush with those that are under way at once, so\n\
                16 at once share it by 16, and one alone has it for itself: beside the figure is what the flush of so many records allows to those who all wait for the same one, at the speed\n\
                of bare reqwest, and how long it took just then; who does not wait for it can be sending meanwhile. The processor time with the audit log has that of the log's own thread in it.\n\n\
                The second table has what the check takes: of valid messages, and of texts that are made to be slow. The third is 100,000 messages to 1,000 conversations of the\n\
                emulator, of whose requests one in a hundred each is dropped before it acts, dropped after it, answered 500, answered 429 and answered with\n\
                half an answer; what has arrived is counted there. Waits are skipped there, since a 429 holds up everybody.",
    },
    Bench {
        name: "start",
        package: "webmessaging-cli",
        title: "Command: what a single message costs from the shell",
        about: "A process that logs in to the emulator, sends one message and ends, in turns with one of Node.js that does the same with its own fetch; forty of each,\n\
                medians. The memory is the most that was seen while the process ran. The size is that of a release build.",
    },
    Bench {
        name: "limiter",
        package: "webmessaging-http",
        title: "Rate limiter: how much of the quota is used, and how many requests are refused",
        about: "Steady load above the platform's quota of 300 requests in 60 seconds, sixteen callers in each process, twenty windows, answers after\n\
                20 to 120 ms, processes that do not talk to each other. The server is a model and time is paused, so the machine does not\n\
                matter; chance is seeded, but for the outages below. *Quota used* counts from the time when all processes were there for a window; *least share* is what the\n\
                process with the least got, as a part of an even share.",
    },
    Bench {
        name: "store",
        package: "webmessaging-store",
        title: "Store: what of the disk's speed reaches the callers",
        about: "Deliveries with two keys each, accepted by callers that have one call at a time, beside a bare loop that groups commits: a thread with one\n\
                prepared statement and a channel in front of it. In turns, five rounds; the ratios are the medians of the rounds. Store and loop flush every commit\n\
                (`synchronous=FULL`). The disk is most of the figures, and what else uses it.",
    },
    Bench {
        name: "receiver",
        package: "webmessaging-webhooks",
        title: "Receiver: deliveries a second, each durable before it is answered",
        about: "Signed deliveries of 600 bytes over loopback, five rounds of 60 000 in turns with a bare server: the same HTTP library, the same check of\n\
                the signature, one key and the body in one table, commits that waiting deliveries share. Both flush every commit (`synchronous=FULL`). The\n\
                receiver reads the event, looks for two keys and keeps the delivery as work; the work itself is not part of it. Server, store and load share the\n\
                machine; the ratios are the medians of the rounds. The last column is of a round with 80 % of the receiver's rate, in which each answer is\n\
                timed from when its request was due.\n\n\
                The second table, at 64 connections and in turns as well, is beside Express 5 in Node.js, once with a set in memory and once as durable,\n\
                with fewer deliveries and after some to warm it up. `npm install --prefix crates/webmessaging-webhooks/benches/receiver/express` enables it.",
    },
    Bench {
        name: "verify",
        package: "webmessaging-webhooks",
        title: "Webhooks: what a verified delivery costs",
        about: "Signature, event and keys of a delivery in memory, on one thread; the best of fifteen rounds.",
    },
    Bench {
        name: "audit",
        package: "webmessaging-journal",
        title: "Audit log: what the chain costs, and what of the disk's speed reaches the writers",
        about: "CPU of a record, and records a second with a flush to the disk that waiting records share, beside a bare loop of write and flush. The disk\n\
                is most of the second table, and what else uses it.",
    },
];

/// The names of the benches, for the command line.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    BENCHES.iter().map(|bench| bench.name)
}

/// Runs one bench, or all of them, prints the tables and writes them to `docs/benchmarks`.
pub(crate) fn run(workspace: &Workspace, only: Option<&str>) -> Result<Report> {
    let folder = workspace.root.join("docs/benchmarks");
    std::fs::create_dir_all(&folder)?;
    let mut written = 0;
    for bench in BENCHES.iter().filter(|bench| only.is_none_or(|name| name == bench.name)) {
        let mut command = workspace.cargo();
        command.args(["bench", "--package", bench.package, "--bench", bench.name]).stderr(Stdio::inherit());
        if bench.package == "webmessaging-cli" {
            // As it is installed.
            command.args(["--profile", "release"]);
        }
        let output = command.output()?;
        let tables = String::from_utf8_lossy(&output.stdout).into_owned();
        println!("{tables}");
        if !output.status.success() {
            return Ok(Report::fail(format!("the bench {} failed", bench.name)));
        }
        std::fs::write(folder.join(format!("{}.md", bench.name)), page(bench, &tables))?;
        written += 1;
    }
    Ok(Report::pass(format!("{written} written to docs/benchmarks")))
}

fn page(bench: &Bench, tables: &str) -> String {
    let mut page = format!("# {}\n\n{}\n\n", bench.title, bench.about);
    // Writing to a string cannot fail.
    let _ = writeln!(page, "Made by `cargo xtask bench {}`.\n\n{}", bench.name, tables.trim());
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_how_it_was_made() {
        let limiter = BENCHES.iter().find(|bench| bench.name == "limiter").unwrap();
        let page = page(limiter, "\n| a |\n|---|\n| 1 |\n");
        assert!(page.starts_with("# Rate limiter"), "{page}");
        assert!(page.ends_with("Made by `cargo xtask bench limiter`.\n\n| a |\n|---|\n| 1 |\n"), "{page}");
    }
}

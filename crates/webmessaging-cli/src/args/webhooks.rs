//! What can be typed after `webhooks`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use webmessaging::model::Timestamp;

use super::data::StoreArgs;
use super::secrets::SecretArgs;
use super::targets::TargetsArgs;

#[derive(Debug, Args)]
pub(crate) struct WebhooksArgs {
    #[command(subcommand)]
    pub(crate) command: WebhooksCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WebhooksCommand {
    /// Take webhooks until it is interrupted: each is kept before it is answered, worked on afterwards, and delivered to
    /// the systems that the targets file names
    #[command(
        after_help = "The first line on standard output says where it listens. Ctrl-C and SIGTERM end it when what it \
                            has begun is finished; what is left is for the next start. A delivery that is done is remembered for a day, to \
                            know it again."
    )]
    Serve(Box<ServeArgs>),
    /// Check a recorded delivery as `serve` does
    Verify(DeliveryArgs),
    /// Find out which mistake it is that a recorded delivery is refused for
    Explain(DeliveryArgs),
    /// Send an event to a receiver, signed with the first secret, or unsigned where there is none
    Trigger(Box<TriggerArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address and port to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,

    /// Believe everybody who can reach the address; for tests, and for networks that keep strangers out
    #[arg(long)]
    pub(crate) unsigned: bool,

    #[command(flatten)]
    pub(crate) secrets: SecretArgs,

    #[command(flatten)]
    pub(crate) targets: TargetsArgs,

    /// How long requests to targets may take to end when it is interrupted, in seconds; what has not ended is sent again
    /// by the next start
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=3_600))]
    pub(crate) grace: u64,

    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// A delivery as it was recorded.
#[derive(Debug, Args)]
pub(crate) struct DeliveryArgs {
    /// File with the exact bytes of the body, or `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) body: PathBuf,

    /// A header of the request, such as `X-Genesys-Signature: sha256=...`
    #[arg(long, value_name = "HEADER")]
    pub(crate) header: Vec<String>,

    /// File with further headers, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) headers: Option<PathBuf>,

    /// When it came, such as 2026-11-25T08:30:00Z; now by default. It matters to signatures that have a time
    #[arg(long, value_name = "TIMESTAMP")]
    pub(crate) now: Option<Timestamp>,

    #[command(flatten)]
    pub(crate) secrets: SecretArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TriggerArgs {
    /// A sample event (`file-scanned`, `file-transfer`, `channel-updated`, `message-read`), or any event type together
    /// with its data
    pub(crate) event: String,

    /// The receiver: https, or http on this machine
    #[arg(long, value_name = "URL")]
    pub(crate) url: String,

    /// The data of the event, in place of the sample's
    #[arg(long, value_name = "JSON")]
    pub(crate) data: Option<String>,

    /// File with the data of the event, or `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    pub(crate) data_file: Option<PathBuf>,

    /// Id of what the sample is about, such as a file; a fresh one by default
    #[arg(long, value_name = "ID", conflicts_with_all = ["data", "data_file"])]
    pub(crate) subject: Option<String>,

    /// How many times to send the same delivery, to see that only the first one counts
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) repeat: u16,

    #[command(flatten)]
    pub(crate) secrets: SecretArgs,
}

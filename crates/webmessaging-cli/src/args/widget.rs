//! What can be typed after `widget`.

use std::net::SocketAddr;

use clap::{Args, Subcommand};
use webmessaging::model::limits;

use super::ConnectionArgs;
use super::data::StoreArgs;
use crate::recording::AuditArgs;

#[derive(Debug, Args)]
pub(crate) struct WidgetArgs {
    #[command(subcommand)]
    pub(crate) command: WidgetCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WidgetCommand {
    /// Let browsers upload files without credentials until it is interrupted, from the pages of the origins that are named
    #[command(
        after_help = "The first line on standard output says where it listens. Ctrl-C and SIGTERM end it when the uploads that \
                            it has begun are finished."
    )]
    Serve(Box<ServeArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// An origin whose pages may upload, such as `https://shop.example`: scheme, host and port, exactly
    #[arg(long, value_name = "URL", required = true)]
    pub(crate) origin: Vec<String>,

    /// Address and port to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8481")]
    pub(crate) listen: SocketAddr,

    /// How many bytes a file may have
    #[arg(long, value_name = "BYTES", default_value_t = limits::FILE_SIZE_BYTES_MAX.value, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_file_size: u64,

    /// How many uploads an address may begin in a minute
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) uploads_per_minute: u32,

    /// How many proxies stand in front of it, each of which adds an address to `X-Forwarded-For`
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=16))]
    pub(crate) trusted_proxies: u8,

    #[command(flatten)]
    pub(crate) audit: AuditArgs,

    /// Put blocked files into the quarantine of the store, where `files quarantine list` shows them
    #[arg(long, help_heading = "Data")]
    pub(crate) quarantine: bool,

    #[command(flatten)]
    pub(crate) store: StoreArgs,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

//! What can be typed after `bots`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::ConnectionArgs;
use super::audit::AuditDirArgs;
use super::data::StoreArgs;
use crate::recording::AuditArgs;

#[derive(Debug, Args)]
pub(crate) struct BotsArgs {
    #[command(subcommand)]
    pub(crate) command: BotsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BotsCommand {
    /// Check a message and send it, once
    #[command(
        after_help = "A message whose answer is lost is looked for in its conversation before anything is sent again. Where nobody can say \
                            whether it has arrived, the exit code is 6 and the report has the id of its request. Exit codes: 0 sent, 3 refused here, \
                            5 refused by the platform, 6 network or platform trouble, 1 sent and not on record, 130 interrupted."
    )]
    Send(Box<SendArgs>),
    /// Send the messages of a list, each line once: run again, the command goes on where it was interrupted
    #[command(
        after_help = "Each line is a message in JSON with a `conversationId` beside its fields; the lines of a conversation are sent in their order. \
                            Exit codes: 0 all sent, 3 some refused or changed, 5 login refused, 6 some left for another run, 1 some not on record, 130 interrupted."
    )]
    Bulk(Box<BulkArgs>),
    /// Check messages in files and name every rule that one breaks, without network and credentials
    #[command(
        after_help = "Exit codes: 0 no rule is broken, 3 some are, or a file cannot be read, 2 wrong usage."
    )]
    Lint(LintArgs),
    /// List which of the messages in an audit log were read
    Receipts(ReceiptsArgs),
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("content").required(true).args(["text", "quick_reply", "template", "payload"])))]
pub(crate) struct SendArgs {
    /// Text of the message; other users of the machine can see arguments, a file for `--payload` or `--template` they cannot
    #[arg(value_name = "TEXT")]
    pub(crate) text: Option<String>,

    /// Conversation that the message is for
    #[arg(long, value_name = "ID")]
    pub(crate) conversation: String,

    /// Participant that the message is for
    #[arg(long, value_name = "ID", required_unless_present = "payload", conflicts_with = "payload")]
    pub(crate) to: Option<String>,

    /// Participant that the message is from, which is the bot
    #[arg(long, value_name = "ID", required_unless_present = "payload", conflicts_with = "payload")]
    pub(crate) from: Option<String>,

    /// Send answers to choose from in place of a text; the label, up to the first `=`, is what the person sees
    #[arg(long, value_name = "LABEL=PAYLOAD", value_parser = pair)]
    pub(crate) quick_reply: Vec<(String, String)>,

    /// Send the text of this file, or of standard input for `-`, with its places such as `{name}` filled in; one newline at the
    /// end does not count
    #[arg(long, value_name = "FILE")]
    pub(crate) template: Option<PathBuf>,

    /// Fill in a place of the template
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair, conflicts_with_all = ["text", "quick_reply", "payload"])]
    pub(crate) set: Vec<(String, String)>,

    /// Send a whole message in JSON, with `to` and `from` in it, from this file, or from standard input for `-`
    #[arg(long, value_name = "FILE")]
    pub(crate) payload: Option<PathBuf>,

    /// Cut a text that is too long between words and send its parts in order; without it, such a text is refused
    #[arg(long, conflicts_with_all = ["quick_reply", "template", "payload"])]
    pub(crate) split: bool,

    /// Look first whether the conversation is under way and both sides take part in it
    #[arg(long)]
    pub(crate) check_participants: bool,

    /// Origin of the page that asks for the message, as its `Origin` header has it; it has to be allowed
    #[arg(long, value_name = "ORIGIN", requires = "allowed_origin")]
    pub(crate) origin: Option<String>,

    /// Origin of pages that may have messages sent, such as `https://shop.example`
    #[arg(long, value_name = "ORIGIN", requires = "origin")]
    pub(crate) allowed_origin: Vec<String>,

    /// Check, and show what would be sent, without network and credentials
    #[arg(long, conflicts_with = "check_participants")]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) audit: AuditArgs,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct BulkArgs {
    /// File with a message on each line, or `-` for standard input
    #[arg(value_name = "FILE")]
    pub(crate) list: PathBuf,

    /// What the list is called, in place of the path of its file: the same name, and nothing is sent twice
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Conversations that messages are sent to at the same time
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: u16,

    #[command(flatten)]
    pub(crate) audit: AuditArgs,

    #[command(flatten)]
    pub(crate) store: StoreArgs,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// Files with a message in JSON each, or `-` for standard input; those named `.jsonl` have one on each line, which can name its
    /// `conversationId` as well
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// Take every file for one with a message on each line, whatever its name is
    #[arg(long)]
    pub(crate) lines: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReceiptsArgs {
    #[command(flatten)]
    pub(crate) place: AuditDirArgs,
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("has no `=`")?;
    Ok((name.to_owned(), value.to_owned()))
}

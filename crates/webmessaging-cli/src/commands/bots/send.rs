//! `webmessaging bots send`: one message, or the parts of a long text, each when the one before it has arrived.

use std::num::NonZeroU32;
use std::time::Duration;

use webmessaging::Error;
use webmessaging::bots::{AllowedOrigins, BotsClient, Message, Sender};
use webmessaging::model::ConversationId;

use super::report::{Ended, Shape, Trouble};
use super::{about, content};
use crate::args::bots::SendArgs;
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::recording::Recording;

/// So long it counts who was seen in the conversation: all parts of a text.
const PRESENCE_LIFE: Duration = Duration::from_secs(60);

/// So often a message is sent that has certainly not arrived: somebody waits for it.
const ROUNDS: NonZeroU32 = NonZeroU32::new(3).unwrap();

pub(super) async fn run(args: SendArgs, output: Output) -> Result<Exit, Failure> {
    // Everything that can be known here comes before anybody is asked.
    let conversation =
        content::conversation(&*args.conversation).map_err(|found| about(found, "--conversation"))?;
    let origins = admitted(&args)?;
    let messages = content::messages(&args)?;
    if args.dry_run {
        return super::report::dry_run(&messages, output);
    }
    let recording = Recording::begin(&args.audit, "command")?;
    let outcome = match client(args, origins, &recording) {
        Ok(bots) => send(bots, &conversation, messages, output).await,
        Err(error) => Err(error.into()),
    };
    recording.end(outcome).await
}

/// The allowed origins, when the one that asks is among them.
fn admitted(args: &SendArgs) -> Result<Option<(AllowedOrigins, String)>, Failure> {
    let Some(origin) = &args.origin else { return Ok(None) };
    let allowed = AllowedOrigins::new(&args.allowed_origin);
    let allowed = allowed.map_err(|violation| about(violation, "--allowed-origin"))?;
    allowed.admit(origin).map_err(|violation| about(violation, "--origin"))?;
    Ok(Some((allowed, origin.clone())))
}

fn client(
    args: SendArgs,
    origins: Option<(AllowedOrigins, String)>,
    recording: &Recording,
) -> Result<BotsClient, Error> {
    let mut bots = args.connection.client()?.bots().journal(recording.journal());
    if args.check_participants {
        bots = bots.check_participants(PRESENCE_LIFE);
    }
    match origins {
        Some((allowed, origin)) => bots.allowed_origins(allowed).from_origin(&origin),
        None => Ok(bots),
    }
}

async fn send(
    bots: BotsClient,
    conversation: &ConversationId,
    messages: Vec<Message>,
    output: Output,
) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen()?;
    let sender = Sender::builder(bots).rounds(ROUNDS).build();
    let mut ended = Ended::new(conversation);
    let mut messages = messages.into_iter();
    // What comes behind a part that was refused would be read as if it were all: it is not sent.
    for message in messages.by_ref() {
        let shape = Shape::of(&message);
        match deliver(&sender, conversation, message, &interrupt).await {
            Ok(delivered) => ended.sent.push((shape, delivered)),
            Err(trouble) => {
                ended.failed = Some((shape, trouble));
                break;
            }
        }
    }
    ended.not_sent = messages.len();
    ended.report(output)
}

async fn deliver(
    sender: &Sender,
    conversation: &ConversationId,
    message: Message,
    interrupt: &Interrupt,
) -> Result<webmessaging::bots::Delivered, Trouble> {
    let ticket = sender.enqueue(conversation.clone(), message).await?;
    let request_id = ticket.request_id().to_owned();
    tokio::select! {
        outcome = ticket => Ok(outcome?),
        () = interrupt.clone().heard() => Err(Trouble::interrupted(request_id)),
    }
}

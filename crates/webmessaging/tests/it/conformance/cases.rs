//! How each operation is called, and which endpoint of the emulator answers it. A new operation is one more case.

use std::pin::Pin;

use serde_json::json;
use webmessaging::bots::operations::{
    CREATE_WEBHOOK as CREATE_READ_WEBHOOK, GET_CONVERSATION, LIST_MESSAGES, SEND_MESSAGE,
};
use webmessaging::bots::{self, ListMessages};
use webmessaging::channels::operations::{
    self as channel_operations, GET_CHANNEL, LIST_CHANNELS, UPDATE_CHANNEL,
};
use webmessaging::channels::{self, GetChannel, ListChannels, UpdateChannel};
use webmessaging::files::operations::{
    CREATE_TRANSFER, CREATE_UPLOAD, CREATE_WEBHOOK, GET_ATTACHMENT, GET_TRANSFER, PUT_TRANSFER, PUT_UPLOAD,
    RENEW_TRANSFER,
};
use webmessaging::files::{CreateWebhook, TransferManager};
use webmessaging::guests::operations::{CREATE_GUEST, GET_GUEST, LIST_AUDITS, UPDATE_GUEST};
use webmessaging::guests::{Consent, ETagged, Guest, GuestPayload, GuestUpdate, ListAudits};
use webmessaging::http::login::CREATE_TOKEN;
use webmessaging::http::{Error, Source};
use webmessaging::model::{AccessPolicyDirectives, EncryptionStandard, Operation, TransferPayload};
use webmessaging_emulator::Route;

use super::{ATTACHMENT, MESSAGE, Setup};

type Run = for<'a> fn(&'a Setup) -> Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

/// One operation.
pub(crate) struct Case {
    pub(crate) operation: &'static Operation,
    pub(crate) route: Route,
    /// Whether the caller learns something from the body of the answer.
    pub(crate) is_read: bool,
    pub(crate) run: Run,
}

pub(crate) const CASES: &[Case] = &[
    Case {
        operation: &CREATE_TOKEN,
        route: Route::Token,
        is_read: true,
        run: |setup| Box::pin(attachment(setup)),
    },
    Case {
        operation: &CREATE_UPLOAD,
        route: Route::CreateUpload,
        is_read: true,
        run: |setup| Box::pin(upload(setup)),
    },
    Case {
        operation: &PUT_UPLOAD,
        route: Route::PutUpload,
        is_read: false,
        run: |setup| Box::pin(upload(setup)),
    },
    Case {
        operation: &GET_ATTACHMENT,
        route: Route::GetAttachment,
        is_read: true,
        run: |setup| Box::pin(attachment(setup)),
    },
    Case {
        operation: &CREATE_WEBHOOK,
        route: Route::CreateWebhook,
        is_read: true,
        run: |setup| Box::pin(webhook(setup)),
    },
    Case {
        operation: &CREATE_TRANSFER,
        route: Route::CreateTransfer,
        is_read: true,
        run: |setup| Box::pin(transfer(setup)),
    },
    Case {
        operation: &RENEW_TRANSFER,
        route: Route::RenewTransfer,
        is_read: true,
        run: |setup| Box::pin(renewal(setup)),
    },
    Case {
        operation: &PUT_TRANSFER,
        route: Route::PutTransfer,
        is_read: false,
        run: |setup| Box::pin(transfer(setup)),
    },
    Case {
        operation: &GET_TRANSFER,
        route: Route::GetTransfer,
        is_read: true,
        run: |setup| Box::pin(status(setup)),
    },
    Case {
        operation: &LIST_CHANNELS,
        route: Route::ListChannels,
        is_read: true,
        run: |setup| Box::pin(async { setup.client.http().send(&ListChannels::new()).await.map(drop) }),
    },
    Case {
        operation: &GET_CHANNEL,
        route: Route::GetChannel,
        is_read: true,
        run: |setup| Box::pin(async { setup.client.http().send(&GetChannel::new(CHANNEL)).await.map(drop) }),
    },
    Case {
        operation: &UPDATE_CHANNEL,
        route: Route::UpdateChannel,
        is_read: true,
        run: |setup| Box::pin(update(setup)),
    },
    Case {
        operation: &channel_operations::CREATE_WEBHOOK,
        route: Route::CreatePlatformWebhook,
        is_read: true,
        run: |setup| Box::pin(channel_webhook(setup)),
    },
    Case {
        operation: &CREATE_GUEST,
        route: Route::CreateGuest,
        is_read: true,
        run: |setup| Box::pin(async { guest(setup).await.map(drop) }),
    },
    Case {
        operation: &GET_GUEST,
        route: Route::GetGuest,
        is_read: true,
        run: |setup| Box::pin(read_guest(setup)),
    },
    Case {
        operation: &UPDATE_GUEST,
        route: Route::UpdateGuest,
        is_read: true,
        run: |setup| Box::pin(changed_guest(setup)),
    },
    Case {
        operation: &LIST_AUDITS,
        route: Route::ListAudits,
        is_read: true,
        run: |setup| {
            Box::pin(async { setup.client.http().send(&ListAudits::new("guest-1")).await.map(drop) })
        },
    },
    Case {
        operation: &SEND_MESSAGE,
        route: Route::SendMessage,
        is_read: true,
        run: |setup| Box::pin(bot_message(setup)),
    },
    Case {
        operation: &LIST_MESSAGES,
        route: Route::ListMessages,
        is_read: true,
        run: |setup| {
            Box::pin(async { setup.client.http().send(&ListMessages::new(CONVERSATION)).await.map(drop) })
        },
    },
    Case {
        operation: &CREATE_READ_WEBHOOK,
        route: Route::CreateWebhook,
        is_read: true,
        run: |setup| Box::pin(read_webhook(setup)),
    },
    Case {
        operation: &GET_CONVERSATION,
        route: Route::GetConversation,
        is_read: true,
        run: |setup| Box::pin(async { setup.client.bots().conversation(CONVERSATION).await.map(drop) }),
    },
];

/// Of the sample organisation.
const CONVERSATION: &str = "conversation-id-789";
const CUSTOMER: &str = "customer-participant-id-123";
const BOT: &str = "bot-participant-id-456";
const CHANNEL: &str = "a1b2c3d4-e5f6-7890-abcd-ef1234567890";

async fn bot_message(setup: &Setup) -> Result<(), Error> {
    let message = bots::Message::text(CUSTOMER, BOT, "Good morning");
    setup.client.bots().send(CONVERSATION, &message).await.map(drop)
}

async fn read_webhook(setup: &Setup) -> Result<(), Error> {
    let webhook = bots::CreateWebhook::new("https://receiver.example/webhooks/genesys");
    setup.client.bots().register_read_webhook(webhook).await.map(drop)
}

async fn channel_webhook(setup: &Setup) -> Result<(), Error> {
    let uri = "https://receiver.example/webhooks/genesys";
    let webhook = channels::CreateWebhook::new(uri, "swordfish-swordfish");
    setup.client.channels().register_webhook(webhook).await.map(drop)
}

async fn update(setup: &Setup) -> Result<(), Error> {
    let change = json!({"webchat": {"maxConcurrentSessions": 800}});
    setup.client.http().send(&UpdateChannel::new(CHANNEL, change)).await.map(drop)
}

async fn guest(setup: &Setup) -> Result<ETagged<Guest>, Error> {
    let payload = GuestPayload::new(Consent::new(false, true));
    setup.client.guests().create(&payload).await.map(|created| created.guest)
}

async fn read_guest(setup: &Setup) -> Result<(), Error> {
    let guest = guest(setup).await?;
    setup.client.guests().get(guest.value.id).await.map(drop)
}

async fn changed_guest(setup: &Setup) -> Result<(), Error> {
    let guest = guest(setup).await?;
    let update = GuestUpdate::of(&guest).consent(Consent::new(true, true));
    setup.client.guests().update(&update).await.map(drop)
}

async fn upload(setup: &Setup) -> Result<(), Error> {
    let source = Source::bytes("report.pdf", "%PDF-1.7\nwhatever");
    let channel = "12345678-1234-1234-1234-123456789012";
    let upload = setup.client.files().upload(source).channel(channel).message(MESSAGE);
    upload.await.map(drop)
}

async fn attachment(setup: &Setup) -> Result<(), Error> {
    setup.client.files().attachment(MESSAGE, ATTACHMENT).await.map(drop)
}

fn transfers(setup: &Setup) -> (TransferManager, TransferPayload) {
    let policy = AccessPolicyDirectives::new(30, EncryptionStandard::Aes256, true);
    let bucket = "12345678-1234-1234-1234-123456789abc";
    (setup.client.transfers("organization-1"), TransferPayload::new("hello.txt", 5, bucket, policy))
}

async fn transfer(setup: &Setup) -> Result<(), Error> {
    let (manager, payload) = transfers(setup);
    let transfer = manager.create(payload).await?;
    manager.upload(&transfer, Source::bytes("hello.txt", "hello")).await.map(drop)
}

async fn renewal(setup: &Setup) -> Result<(), Error> {
    let (manager, payload) = transfers(setup);
    let transfer = manager.create(payload).await?;
    manager.renew(&transfer.transfer_id).await.map(drop)
}

async fn status(setup: &Setup) -> Result<(), Error> {
    let (manager, payload) = transfers(setup);
    let transfer = manager.create(payload).await?;
    manager.status(&transfer.transfer_id).await.map(drop)
}

async fn webhook(setup: &Setup) -> Result<(), Error> {
    let webhook = CreateWebhook::new("https://receiver.example/webhooks/genesys");
    setup.client.files().register_scan_webhook(webhook).await.map(drop)
}

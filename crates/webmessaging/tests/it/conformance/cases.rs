//! How each operation is called, and which endpoint of the emulator answers it. A new operation is one more case.

use std::pin::Pin;

use webmessaging::files::CreateWebhook;
use webmessaging::files::operations::{CREATE_UPLOAD, CREATE_WEBHOOK, GET_ATTACHMENT, PUT_UPLOAD};
use webmessaging::http::login::CREATE_TOKEN;
use webmessaging::http::{Error, Source};
use webmessaging::model::Operation;
use webmessaging_emulator::Route;

use super::{ATTACHMENT, MESSAGE, Setup};

type Run = for<'a> fn(&'a Setup) -> Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

/// One operation.
pub(crate) struct Case {
    pub(crate) operation: &'static Operation,
    pub(crate) route: Route,
    /// Whether the caller learns something from the body of the answer.
    pub(crate) is_read: bool,
    /// Whether something that exists already is as good as one that was made.
    pub(crate) may_exist: bool,
    pub(crate) run: Run,
}

pub(crate) const CASES: &[Case] = &[
    Case {
        operation: &CREATE_TOKEN,
        route: Route::Token,
        is_read: true,
        may_exist: false,
        run: |setup| Box::pin(attachment(setup)),
    },
    Case {
        operation: &CREATE_UPLOAD,
        route: Route::CreateUpload,
        is_read: true,
        may_exist: false,
        run: |setup| Box::pin(upload(setup)),
    },
    Case {
        operation: &PUT_UPLOAD,
        route: Route::PutUpload,
        is_read: false,
        may_exist: false,
        run: |setup| Box::pin(upload(setup)),
    },
    Case {
        operation: &GET_ATTACHMENT,
        route: Route::GetAttachment,
        is_read: true,
        may_exist: false,
        run: |setup| Box::pin(attachment(setup)),
    },
    Case {
        operation: &CREATE_WEBHOOK,
        route: Route::CreateWebhook,
        is_read: true,
        may_exist: true,
        run: |setup| Box::pin(webhook(setup)),
    },
];

async fn upload(setup: &Setup) -> Result<(), Error> {
    let source = Source::bytes("report.pdf", "%PDF-1.7\nwhatever");
    let channel = "12345678-1234-1234-1234-123456789012";
    let upload = setup.client.files().upload(source).channel(channel).message(MESSAGE);
    upload.await.map(drop)
}

async fn attachment(setup: &Setup) -> Result<(), Error> {
    setup.client.files().attachment(MESSAGE, ATTACHMENT).await.map(drop)
}

async fn webhook(setup: &Setup) -> Result<(), Error> {
    let webhook = CreateWebhook::new("https://receiver.example/webhooks/genesys");
    setup.client.files().register_scan_webhook(webhook).await.map(drop)
}

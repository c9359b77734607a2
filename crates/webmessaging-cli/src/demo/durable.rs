//! What follows from the uploads: the platform's webhooks, kept and worked on; a document system that is told; an audit log.

mod reports;

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use webmessaging::bots::Receipts;
use webmessaging::files::UploadedFile;
use webmessaging::journal::Journal;
use webmessaging::journal::audit::AuditLog;
use webmessaging::journal::clock::{Clock, SystemClock};
use webmessaging::model::FileId;
use webmessaging::store::{SqliteOptions, SqliteStore, Store};
use webmessaging::sync::{Auth, OutboxSink, Secrets, ShapeName, SyncWorker, Target, TargetConfig, Targets};
use webmessaging::webhooks::event::CONVERSATION_PARTICIPATED_READ;
use webmessaging::webhooks::receiver::{FileFacts, HandlerError, PlatformEvents, Receiver};
use webmessaging::webhooks::{Secret, Verifier};
use webmessaging_emulator::{Emulator, SeededWebhook, StateSeed, Tamper};

use crate::demo::Report;
use crate::demo::other_system::OtherSystem;
use crate::demo::uploads::Stored;
use crate::failure::Failure;

/// What the embedded platform signs with.
pub(crate) const TOKEN: &str = "the demo's webhook token";

const SCAN_COMPLETED: &str = "genesys.cloud.messaging.file.upload.completed";

/// What the demo waits for takes milliseconds; this is for machines that are busy with other things.
const LOOKS_MAX: u32 = 1_500;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What is known of the files that were uploaded.
type Uploaded = Arc<Mutex<HashMap<FileId, FileFacts>>>;

/// The durable core at work.
pub(crate) struct Durable {
    folder: TempDir,
    store: Arc<dyn Store>,
    receiver: Receiver,
    audit: AuditLog,
    journal: Journal,
    /// Tells the CRMs as well, of guests and of messages.
    told: Journal,
    documents: OtherSystem,
    crm: OtherSystem,
    /// Another one, for messages, that is down at first.
    messages: OtherSystem,
    receipts: Receipts,
    uploaded: Uploaded,
    stop: watch::Sender<bool>,
    served: JoinHandle<std::io::Result<()>>,
    synchronized: JoinHandle<()>,
}

impl Durable {
    /// Starts everything, and has the platform send its webhooks here.
    pub(crate) async fn start(emulator: &Emulator) -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(|error| Failure::internal("no temporary folder", error))?;
        let started = Self::started(folder, emulator).await;
        started.map_err(|error| Failure::internal("the receiver did not start", error))
    }

    async fn started(folder: TempDir, emulator: &Emulator) -> Result<Self, Box<dyn std::error::Error>> {
        let path = folder.path().join("store.db");
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(SqliteOptions::new(path)).await?);
        let audit = AuditLog::builder(folder.path().join("audit")).open()?;
        let receipts = Receipts::new();
        let journal = Journal::builder()
            .durable("audit", audit.clone())
            .durable("receipts", receipts.clone())
            .build()?;
        let (documents, crm) = (OtherSystem::start()?, OtherSystem::start()?);
        let messages = OtherSystem::start_down()?;
        let targets = Targets::new([
            target("documents", &documents, ShapeName::Documents)?,
            target("crm", &crm, ShapeName::CrmGuests)?,
            target("messages", &messages, ShapeName::CrmMessages)?,
        ])?;
        let worker =
            SyncWorker::builder(Arc::clone(&store), targets.clone()).journal(journal.clone()).build()?;
        // What is recorded of a guest or a message is in the outbox before the call is over.
        let outbox = OutboxSink::new(Arc::clone(&store), targets.clone()).wake(worker.wake());
        let told = Journal::builder().durable("audit", audit.clone()).durable("outbox", outbox).build()?;
        let (wake, uploaded) = (worker.wake().clone(), Uploaded::default());
        let receiver = Receiver::builder(Arc::clone(&store), Verifier::new(Secret::new("demo", TOKEN)?))
            .journal(journal.clone())
            .handler(PlatformEvents::new(Arc::clone(&store)).files(lookup(Arc::clone(&uploaded))))
            .items_for(move |event, now| {
                wake.wake();
                targets.iter().filter_map(|target| target.item_for(event, now)).collect()
            })
            .build();
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/webhooks/genesys", listener.local_addr()?);
        let wanted = [SCAN_COMPLETED, CONVERSATION_PARTICIPATED_READ];
        let webhooks = wanted.map(|event_type| SeededWebhook::webhook(registration(&url, event_type)));
        emulator.seed(StateSeed::new().webhooks(webhooks)).await?;
        let (stop, stopping) = watch::channel(false);
        let (stop_receiver, stop_worker) = (heard(stopping.clone()), heard(stopping));
        let served = tokio::spawn({
            let receiver = receiver.clone();
            async move { receiver.serve(listener, stop_receiver).await }
        });
        let synchronized = tokio::spawn(async move { worker.run(stop_worker).await });
        // The first event comes twice, as events do.
        emulator.tamper(Tamper::Duplicate);
        Ok(Self {
            folder,
            store,
            receiver,
            audit,
            journal,
            told,
            documents,
            crm,
            messages,
            receipts,
            uploaded,
            stop,
            served,
            synchronized,
        })
    }

    /// Where everything is recorded.
    pub(crate) fn journal(&self) -> Journal {
        self.journal.clone()
    }

    /// Where guests and messages are recorded, and by which CRMs are told of them.
    pub(crate) fn told_journal(&self) -> Journal {
        self.told.clone()
    }

    /// Where messages are noted, and their receipts come in.
    pub(crate) fn receipts(&self) -> Receipts {
        self.receipts.clone()
    }

    /// Brings the CRM of messages up, once it was asked in vain, and waits until it knows of so many.
    pub(crate) async fn tell_of_messages(&self, count: usize) -> ToldOf {
        self.until(|it| it.messages.figures().0 > 0).await;
        self.messages.up();
        self.until(|it| it.messages.told().len() >= count).await;
        let (busy, _, repeated) = self.messages.figures();
        ToldOf { of: self.messages.told(), busy, repeated }
    }

    /// A file was uploaded: the platform's event about its scan has no more than its id.
    pub(crate) fn uploaded(&self, file: &UploadedFile) {
        let facts = FileFacts::new(file.file_name.as_str(), file.size_bytes, file.content_type.as_str());
        let mut uploaded = self.uploaded.lock().unwrap_or_else(PoisonError::into_inner);
        uploaded.insert(file.file_id.clone(), facts);
    }

    /// Waits for what follows from so many uploads and changes of guests, ends everything, and tells.
    pub(crate) async fn finish(
        self,
        emulator: &Emulator,
        uploads: Stored,
        guests: usize,
    ) -> Result<[Report; 3], Failure> {
        // Somebody who does not know the secret tries as well.
        emulator.tamper(Tamper::WrongSignature);
        let forged = json!({ "fileId": "forged", "virusScanResult": "clean", "status": "completed" });
        emulator
            .send_event(SCAN_COMPLETED, forged)
            .map_err(|error| Failure::internal("the embedded platform sent no event", error))?;
        // A scan of each upload, and a receipt.
        let expected = u64::try_from(uploads.all + 1).unwrap_or(u64::MAX);
        let is_received = self
            .until(|it| {
                let status = it.receiver.status();
                let refused: u64 = status.refused.iter().map(|(_, count)| count).sum();
                status.handled >= expected && status.duplicates >= 1 && refused >= 1
            })
            .await;
        let is_synchronized = self
            .until(|it| it.documents.told().len() >= uploads.clean && it.crm.told().len() >= guests)
            .await;
        self.stop.send_replace(true);
        let stopped = async { (self.served.await, self.synchronized.await) }.await;
        let is_stopped = matches!(stopped, (Ok(Ok(())), Ok(())));
        let audited = self.audit.close().await;
        let webhooks =
            reports::webhooks(&self.receiver, &*self.store, is_received && is_stopped, expected).await?;
        let sync =
            reports::synchronization([&self.documents, &self.crm], is_synchronized, [uploads.clean, guests]);
        let audit = reports::audit(&self.folder.path().join("audit"), self.folder.path(), audited.is_ok())?;
        Ok([webhooks, sync, audit])
    }

    pub(crate) async fn until(&self, is_done: impl Fn(&Self) -> bool) -> bool {
        for _ in 0..LOOKS_MAX {
            if is_done(self) {
                return true;
            }
            SystemClock.watchdog(LOOK_EVERY).await;
        }
        false
    }
}

/// What a system was told of, and how often it was asked in vain, or for the second time.
pub(crate) struct ToldOf {
    pub(crate) of: Vec<String>,
    pub(crate) busy: u32,
    pub(crate) repeated: u32,
}

async fn heard(mut stopping: watch::Receiver<bool>) {
    // Without its other end there is nothing left to wait for.
    let _ = stopping.wait_for(|stop| *stop).await;
}

fn target(name: &str, system: &OtherSystem, shape: ShapeName) -> Result<Target, Box<dyn std::error::Error>> {
    let soon = [Duration::from_millis(50); 5];
    let target = TargetConfig::new(name, system.url.as_str(), shape)
        .auth(Auth::None)
        .schedule(soon)
        .allow_private(["127.0.0.1"]);
    Ok(target.build(&Secrets::none())?)
}

fn lookup(
    uploaded: Uploaded,
) -> impl Fn(FileId) -> webmessaging::webhooks::receiver::FileFound + Send + Sync + 'static {
    move |id| {
        let facts = uploaded.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        // The event can be faster than the upload's own answer.
        let found = facts.map(Some).ok_or_else(|| HandlerError::retry("the file is not known yet"));
        Box::pin(async move { found })
    }
}

fn registration(url: &str, event_type: &str) -> Value {
    json!({
        "name": event_type,
        "uri": url,
        "method": "POST",
        "eventFilter": format!("eventType = \"{event_type}\""),
        "contentType": "application/json",
    })
}

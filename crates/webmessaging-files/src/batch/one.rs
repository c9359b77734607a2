//! One file of a batch: what the ledger knows of it, the upload where one is due, the scan.

use std::sync::Arc;

use futures_util::future::{Either, FutureExt, select};
use webmessaging_http::{Error, ErrorKind, Sent};
use webmessaging_model::{ContentType, FileId, MessageId, ScanProgress, ScanVerdict, UploadStatus};

use super::report::{BatchFile, BatchUpload};
use super::{BatchEvent, BatchItem, Canceled, Plan};
use crate::get_attachment::Attachment;
use crate::judge::{Arrived, Scan, Scanned};
use crate::ledger::{LedgerEntry, LedgerState, ledger_failed};
use crate::operations::GET_ATTACHMENT;
use crate::upload::{OnAnnounced, Upload};

impl Plan {
    pub(super) async fn one(&self, index: usize, item: BatchItem, canceled: Canceled) -> BatchFile {
        let name = item.key.clone();
        let place =
            Place { key: self.key(&item), stamp: item.stamp.clone(), message: self.message_of(&item) };
        let outcome = if canceled.clone().now_or_never().is_some() {
            Err(canceled_before())
        } else {
            self.tell(BatchEvent::Begun { index, name: &name });
            self.follow(index, &item, &place, canceled).await
        };
        BatchFile { name, outcome }
    }

    async fn follow(
        &self,
        index: usize,
        item: &BatchItem,
        place: &Place,
        canceled: Canceled,
    ) -> Result<BatchUpload, Error> {
        let upload = match self.known(item, place).await? {
            Some(known) => known,
            None => self.upload(index, item, place, canceled.clone()).await?,
        };
        if !self.scan {
            return Ok(upload);
        }
        let arrived = arrived(item, &upload);
        let (files, message, gate) = (&self.files, &place.message, self.gate.clone());
        let scan = Scan { files, message, gate, within: self.scan_within, retries_left: 0 };
        // What an earlier run has noted counts, unless a webhook has said worse since.
        let scanned = if let Some(noted) = upload.verdict {
            match self.worse(noted, &upload.file_id) {
                Some(told) => told,
                None => return Ok(upload),
            }
        } else {
            self.tell(BatchEvent::Stored { index });
            match select(Box::pin(scan.wait(&arrived)), canceled).await {
                Either::Left((Ok(Some(scanned)), _)) => scanned,
                // The bytes are there: whoever comes again must not send them again.
                Either::Left((Ok(None), _)) => return Ok(upload.troubled(self.undecided())),
                Either::Left((Err(error), _)) => return Ok(upload.troubled(error)),
                Either::Right(_) => {
                    let canceled = Error::new(ErrorKind::Canceled, Sent::Yes);
                    return Ok(upload.troubled(canceled.with_operation(&GET_ATTACHMENT)));
                }
            }
        };
        let (attachment, concluded) = scan.conclude(&arrived, scanned).await;
        let upload = BatchUpload { verdict: Some(attachment.verdict()), ..upload };
        // What could not be seen to is not noted as finished: the next run sees to it.
        let noted = match concluded {
            Ok(()) => self.note(place.entry(LedgerState::Finished, &upload)).await,
            Err(error) => Err(error),
        };
        Ok(match noted {
            Ok(()) => upload,
            Err(error) => upload.troubled(error),
        })
    }

    /// What a webhook has said of a file, where it is worse than what is known.
    fn worse(&self, known: ScanVerdict, file: &FileId) -> Option<Scanned> {
        let told = self.gate.verdict(file.clone());
        let is_worse = ScanProgress::new(told) > ScanProgress::new(known);
        is_worse.then(|| Scanned { attachment: Attachment::blocked(file.clone().into(), told), facts: None })
    }

    fn undecided(&self) -> Error {
        Error::new(ErrorKind::Timeout, Sent::Yes)
            .with_operation(&GET_ATTACHMENT)
            .with_message(format!("no scan verdict within {} s", self.scan_within.as_secs()))
    }

    /// What is there already. Of a file whose bytes may have arrived the platform is asked.
    async fn known(&self, item: &BatchItem, place: &Place) -> Result<Option<BatchUpload>, Error> {
        let Some(ledger) = &self.ledger else { return Ok(None) };
        let entry = ledger.find(&place.key).await.map_err(ledger_failed)?;
        // A scan that failed says nothing about the file, and may be tried again.
        let is_worth = |entry: &LedgerEntry| entry.verdict.as_deref() != Some(ScanVerdict::Failed.as_str());
        let entry = entry.filter(|entry| entry.is_of(&place.stamp) && is_worth(entry));
        let Some(entry) = entry else { return Ok(None) };
        let mut upload = BatchUpload {
            file_id: FileId::new(entry.id),
            size_bytes: entry.size,
            sha256: entry.sha256,
            was_there: true,
            verdict: entry.verdict.as_deref().map(verdict),
            trouble: None,
            uploaded: None,
        };
        if entry.state == LedgerState::Announced {
            let attachment = match self.files.attachment(place.message.clone(), upload.file_id.clone()).await
            {
                Ok(attachment) => attachment,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            // Whatever else the platform says of it, it has something.
            if attachment.status == Some(UploadStatus::Pending) {
                return Ok(None);
            }
            // Nobody could note it any more; the source is what it was, by its stamp.
            upload.sha256 = item.source.sha256().await.ok().map(hex::encode);
            self.note(place.entry(LedgerState::Stored, &upload)).await?;
        }
        Ok(Some(upload))
    }

    async fn upload(
        &self,
        index: usize,
        item: &BatchItem,
        place: &Place,
        canceled: Canceled,
    ) -> Result<BatchUpload, Error> {
        let mut upload = self
            .files
            .upload(item.source.clone())
            .channel(self.channel.clone())
            .message(place.message.clone())
            .cancel_on(canceled);
        if let Some(content_type) = &item.content_type {
            upload = upload.content_type(content_type.clone());
        }
        if !self.checked {
            upload = upload.unchecked();
        }
        if let Some(report) = self.on_event.clone() {
            upload = upload.on_progress(move |progress| report(BatchEvent::Sent { index, progress }));
        }
        if let Some(note) = self.note_announced(place) {
            upload = upload.on_announced(note);
        }
        let Upload { plan, mut cancel } = upload;
        // On the heap: it is most of what a batch would be made of.
        let (file, recorded) = Box::pin(plan.run(&mut cancel)).await?;
        let upload = BatchUpload {
            file_id: file.file_id.clone(),
            size_bytes: Some(file.size_bytes),
            sha256: file.sha256.clone(),
            was_there: false,
            verdict: None,
            trouble: None,
            uploaded: Some(file),
        };
        let noted = self.note(place.entry(LedgerState::Stored, &upload)).await;
        match recorded.and(noted) {
            Ok(()) => Ok(upload),
            Err(error) => Ok(upload.troubled(error)),
        }
    }

    fn note_announced(&self, place: &Place) -> Option<OnAnnounced> {
        let (ledger, place) = (Arc::clone(self.ledger.as_ref()?), place.clone());
        Some(Arc::new(move |id| {
            let ledger = Arc::clone(&ledger);
            let entry = LedgerEntry::new(&*place.key, &*place.stamp, LedgerState::Announced, id.as_str());
            Box::pin(async move { ledger.note(entry).await })
        }))
    }

    async fn note(&self, entry: LedgerEntry) -> Result<(), Error> {
        match &self.ledger {
            Some(ledger) => ledger.note(entry).await.map_err(ledger_failed),
            None => Ok(()),
        }
    }

    /// The same file for another message is another upload.
    fn key(&self, item: &BatchItem) -> String {
        format!("{} {} {}", self.channel, self.message_of(item), item.key)
    }

    fn message_of(&self, item: &BatchItem) -> MessageId {
        item.message.clone().unwrap_or_else(|| self.message.clone())
    }
}

impl BatchUpload {
    /// The first trouble is the one that is told.
    fn troubled(mut self, error: Error) -> Self {
        self.trouble.get_or_insert(error);
        self
    }
}

/// What is known of a file, for the record of its scan.
fn arrived(item: &BatchItem, upload: &BatchUpload) -> Arrived {
    match &upload.uploaded {
        Some(file) => Arrived::from(file),
        None => Arrived {
            file_id: upload.file_id.clone(),
            file_name: Some(item.source.name().to_owned()),
            size_bytes: upload.size_bytes,
            content_type: item
                .content_type
                .clone()
                .or_else(|| ContentType::from_file_name(item.source.name())),
            sha256: upload.sha256.clone(),
        },
    }
}

/// Where a file goes, and how the ledger knows it.
#[derive(Clone)]
struct Place {
    key: String,
    stamp: String,
    message: MessageId,
}

impl Place {
    fn entry(&self, state: LedgerState, upload: &BatchUpload) -> LedgerEntry {
        let mut entry = LedgerEntry::new(&*self.key, &*self.stamp, state, upload.file_id.as_str());
        (entry.size, entry.sha256) = (upload.size_bytes, upload.sha256.clone());
        entry.verdict = upload.verdict.map(|verdict| verdict.as_str().to_owned());
        entry
    }
}

/// A verdict by its stable name; one that this version does not know is not clean.
fn verdict(name: &str) -> ScanVerdict {
    const KNOWN: [ScanVerdict; 4] =
        [ScanVerdict::Clean, ScanVerdict::Malicious, ScanVerdict::FormatRejected, ScanVerdict::Failed];
    KNOWN.into_iter().find(|known| known.as_str() == name).unwrap_or(ScanVerdict::Unknown)
}

fn canceled_before() -> Error {
    Error::new(ErrorKind::Canceled, Sent::No).with_operation(&crate::operations::CREATE_UPLOAD)
}

//! What follows when the bytes of a file have arrived: the wait for its verdict, its record, its block.

use std::time::Duration;

use webmessaging_http::{Error, ErrorKind, Facts, Sent};
use webmessaging_journal::Facts as EventFacts;
use webmessaging_model::{ContentType, FileId, MessageId, ScanVerdict};

use crate::client::FilesClient;
use crate::gate::ScanGate;
use crate::get_attachment::Attachment;
use crate::operations::GET_ATTACHMENT;
use crate::quarantine::{BlockReason, BlockedFile};
use crate::upload::UploadedFile;
use crate::wait_for_scan::is_blocked;

/// The part of a delivery that begins when the bytes have arrived.
pub(crate) struct Scan<'a> {
    pub(crate) files: &'a FilesClient,
    pub(crate) message: &'a MessageId,
    pub(crate) gate: ScanGate,
    pub(crate) within: Duration,
    /// How often the file is uploaded again after a scan that failed.
    pub(crate) retries_left: u32,
}

/// A file whose bytes have arrived, by this process or an earlier one.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) file_id: FileId,
    pub(crate) file_name: Option<String>,
    pub(crate) size_bytes: Option<u64>,
    pub(crate) content_type: Option<ContentType>,
    pub(crate) sha256: Option<String>,
}

impl From<&UploadedFile> for Arrived {
    fn from(file: &UploadedFile) -> Self {
        Self {
            file_id: file.file_id.clone(),
            file_name: Some(file.file_name.clone()),
            size_bytes: Some(file.size_bytes),
            content_type: Some(file.content_type.clone()),
            sha256: file.sha256.clone(),
        }
    }
}

/// What the platform or a webhook has said.
pub(crate) struct Scanned {
    pub(crate) attachment: Attachment,
    /// Of the call that told, where it was a call.
    pub(crate) facts: Option<Facts>,
}

impl Scan<'_> {
    /// Waits for the verdict; nothing when there is none in time. Whoever gives up gives up here: what follows from a verdict is
    /// done to its end.
    pub(crate) async fn wait(&self, file: &Arrived) -> Result<Option<Scanned>, Error> {
        let wait = self.files.wait_for_scan(self.message.clone(), file.file_id.clone());
        match wait.within(self.within).gate(&self.gate).run().await {
            Ok((attachment, facts)) => Ok(Some(Scanned { attachment, facts })),
            // The file is there, and nothing is wrong with it: whoever delivers it has to know it more than that it takes long.
            Err(error) if is_undecided(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sees to what follows from a verdict; gives the one that counts in the end, also when something of it failed.
    pub(crate) async fn conclude(&self, file: &Arrived, scanned: Scanned) -> (Attachment, Result<(), Error>) {
        let Scanned { attachment, facts } = scanned;
        let judged = self.judge(file, &attachment, facts.as_ref()).await;
        // Recording takes time, in which a webhook can come that blocks the file; and bytes that are not ours are told to the gate.
        let told = self.gate.verdict(file.file_id.clone());
        if attachment.verdict() != ScanVerdict::Clean || !is_blocked(told) {
            return (attachment, judged);
        }
        let attachment = attachment.with_known(told);
        match judged {
            Ok(()) => {
                let judged = self.judge(file, &attachment, None).await;
                (attachment, judged)
            }
            Err(error) => (attachment, Err(error)),
        }
    }

    /// Records the verdict, and blocks the file where it has to be.
    pub(crate) async fn judge(
        &self,
        file: &Arrived,
        attachment: &Attachment,
        facts: Option<&Facts>,
    ) -> Result<(), Error> {
        let files = self.files;
        let event_facts = facts.map_or_else(EventFacts::new, EventFacts::of);
        let verdict = attachment.verdict();
        if verdict == ScanVerdict::Clean && has_other_bytes(file, attachment) {
            // For others who ask the gate; this version cannot tell what the platform has there.
            self.gate.tell(file.file_id.clone(), ScanVerdict::Unknown);
            files.quarantine_with(&self.blocked(file, BlockReason::DigestMismatch), event_facts).await?;
            return Err(Error::new(ErrorKind::UnexpectedAnswer, Sent::Yes)
                .with_operation(&GET_ATTACHMENT)
                .with_message("the platform has other bytes than were sent: their sha-256 differs"));
        }
        files.scanned(&self.blocked(file, BlockReason::Verdict(verdict)), verdict, event_facts).await
    }

    fn blocked(&self, file: &Arrived, reason: BlockReason) -> BlockedFile {
        let mut blocked = BlockedFile::new(file.file_id.clone(), self.message.clone(), reason);
        blocked.file_name.clone_from(&file.file_name);
        blocked.size_bytes = file.size_bytes;
        blocked.content_type.clone_from(&file.content_type);
        blocked.is_tried_again = self.retries_left > 0 && reason == BlockReason::Verdict(ScanVerdict::Failed);
        blocked
    }
}

/// Whether there was no verdict within the time, and nothing else wrong.
fn is_undecided(error: &Error) -> bool {
    error.kind() == ErrorKind::Timeout
}

fn has_other_bytes(file: &Arrived, attachment: &Attachment) -> bool {
    let (ours, theirs) = (file.sha256.as_deref(), attachment.sha256.as_deref());
    ours.zip(theirs).is_some_and(|(ours, theirs)| !ours.eq_ignore_ascii_case(theirs))
}

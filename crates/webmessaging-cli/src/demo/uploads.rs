//! Uploads: a clean document past a busy server, a malicious file, a program under a false name.

use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::BinaryBytes;
use serde_json::{Map, Value};
use webmessaging::files::{FilesClient, UploadedFile};
use webmessaging::model::ScanVerdict;
use webmessaging::{Client, Error, ErrorKind, Source};
use webmessaging_emulator::{Emulator, Fault, Route};

use crate::commands::files;
use crate::demo::Report;
use crate::demo::durable::Durable;
use crate::demo::samples::Samples;
use crate::failure::Failure;

const CHANNEL: &str = "12345678-1234-1234-1234-123456789012";
const MESSAGE: &str = "87654321-4321-4321-4321-210987654321";
const SCAN_TIMEOUT: Duration = Duration::from_secs(30);

/// How many files the platform has, and how many of them are clean.
pub(crate) struct Stored {
    pub(crate) all: usize,
    pub(crate) clean: usize,
}

/// Uploads the samples, and a file of the user's own; how many were stored comes along.
pub(crate) async fn show(
    emulator: &Emulator,
    client: &Client,
    own: Option<PathBuf>,
    durable: &Durable,
) -> Result<(Stored, Report), Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::internal("no temporary folder", error))?;
    let samples = Samples::write(folder.path())
        .map_err(|error| Failure::internal("the sample files cannot be written", error))?;
    let mut show = Show {
        files: client.files().journal(durable.journal()),
        durable,
        ok: true,
        steps: Vec::new(),
        uploads: Vec::new(),
        blocked: 0,
        refused: 0,
    };

    // The object store is busy at first, as object stores are.
    emulator.inject(Route::PutUpload, Fault::status(503).header("retry-after", "1"));
    show.document(&samples.document, emulator).await?;
    show.malicious(&samples.malicious).await?;
    show.renamed(&samples.renamed, emulator).await;
    if let Some(path) = own {
        show.own(&path).await;
    }
    let clean = show.uploads.iter().filter(|(_, verdict)| *verdict == ScanVerdict::Clean).count();
    Ok((Stored { all: show.uploads.len(), clean }, show.report(emulator)))
}

struct Show<'a> {
    files: FilesClient,
    /// Wants to know what was uploaded.
    durable: &'a Durable,
    ok: bool,
    steps: Vec<(String, String)>,
    uploads: Vec<(UploadedFile, ScanVerdict)>,
    blocked: u32,
    refused: u32,
}

impl Show<'_> {
    /// A good file, and what the platform saw of it.
    async fn document(&mut self, path: &Path, emulator: &Emulator) -> Result<(), Failure> {
        let (file, verdict) = self.upload("a document", path).await?;
        self.ok &= verdict == ScanVerdict::Clean && file.facts.attempts == 2;
        let requests = emulator.requests();
        let statuses = |route| {
            let of_route = requests.iter().filter(|request| request.route == Some(route));
            let statuses: Vec<_> = of_route.filter_map(|request| Some(request.status?.to_string())).collect();
            statuses.join(", ")
        };
        let journey = [
            ("checked", "name, size, ids, media type, first bytes: no request".to_owned()),
            ("logged in", format!("POST /oauth/token: {}", statuses(Route::Token))),
            ("announced", format!("POST .../webmessaging/upload: {}", statuses(Route::CreateUpload))),
            ("sent", format!("PUT to the presigned URL: {} (the 503 is staged)", statuses(Route::PutUpload))),
            ("scanned", format!("GET .../attachments/...: {}", statuses(Route::GetAttachment))),
        ];
        self.steps.extend(journey.map(|(step, what)| (format!("  {step}"), what)));
        Ok(())
    }

    async fn malicious(&mut self, path: &Path) -> Result<(), Failure> {
        let (_, verdict) = self.upload("the EICAR test file", path).await?;
        self.ok &= verdict == ScanVerdict::Malicious;
        Ok(())
    }

    /// A file of the user's own may come to any end; the report says which.
    async fn own(&mut self, path: &Path) {
        if let Err(error) = self.upload("your file", path).await {
            self.refused += 1;
            self.steps.push(("your file".to_owned(), format!("{}: {error}", path.display())));
        }
    }

    async fn upload(&mut self, step: &str, path: &Path) -> Result<(UploadedFile, ScanVerdict), Error> {
        let file = self.files.upload(Source::path(path)).channel(CHANNEL).message(MESSAGE).await?;
        self.durable.uploaded(&file);
        let scan = self.files.wait_for_scan(MESSAGE, file.file_id.clone()).within(SCAN_TIMEOUT);
        let verdict = scan.await?.verdict();
        let outcome = match verdict {
            ScanVerdict::Clean => "clean",
            ScanVerdict::Malicious => "malicious, blocked",
            _ => "not clean, blocked",
        };
        self.blocked += u32::from(verdict != ScanVerdict::Clean);
        let (name, size) = (&file.file_name, BinaryBytes(file.size_bytes));
        let sha256 = file.sha256.as_deref().and_then(|digest| digest.get(..12)).unwrap_or_default();
        self.steps.push((step.to_owned(), format!("{name}, {size}, sha-256 {sha256}...: {outcome}")));
        self.uploads.push((file.clone(), verdict));
        Ok((file, verdict))
    }

    /// A program under a document's name: refused here, before anything is sent.
    async fn renamed(&mut self, path: &Path, emulator: &Emulator) {
        let before = emulator.requests().len();
        let upload = self.files.upload(Source::path(path)).channel(CHANNEL).message(MESSAGE);
        let outcome = match upload.await {
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                let sent = emulator.requests().len() - before;
                self.ok &= sent == 0;
                self.refused += 1;
                let why = error.violations().map(ToString::to_string).unwrap_or_default();
                format!("refused, {sent} requests sent:\n{why}")
            }
            other => {
                self.ok = false;
                format!("should have been refused: {other:?}")
            }
        };
        self.steps.push(("a program renamed to .pdf".to_owned(), outcome));
    }

    fn report(self, emulator: &Emulator) -> Report {
        let logins = emulator.count(Route::Token);
        let bytes: u64 = self.uploads.iter().map(|(file, _)| file.size_bytes).sum();
        let retries: u32 = self.uploads.iter().map(|(file, _)| file.facts.attempts - 1).sum();
        let clean = self.uploads.iter().filter(|(_, verdict)| *verdict == ScanVerdict::Clean).count();
        let requests = emulator.requests().len();
        let figures: [(&str, Value); 9] = [
            ("uploaded", self.uploads.len().into()),
            ("clean", clean.into()),
            ("blocked", self.blocked.into()),
            ("refused", self.refused.into()),
            ("bytes", bytes.into()),
            ("retries", retries.into()),
            ("logins", logins.into()),
            ("requests", requests.into()),
            (
                "files",
                self.uploads.iter().map(|(file, verdict)| files::to_json(file, Some(*verdict))).collect(),
            ),
        ];
        let figures: Map<_, _> = figures.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
        let mut steps = self.steps;
        steps.push((
            "altogether".to_owned(),
            format!("logins: {logins}, requests: {requests}, retries: {retries}, bytes: {bytes}"),
        ));
        Report { system: "uploads", ok: self.ok && logins == 1, figures, steps }
    }
}

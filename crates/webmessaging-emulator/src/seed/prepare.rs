//! Seeds on their way into the state: checked, scanned, and their contents stored.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use uuid::Uuid;

use crate::document::Problems;
use crate::files::{Files, SharedContent, StoredFile};
use crate::scan::Scanner;
use crate::schema::Schemas;
use crate::seed::{SeedError, SeededContent, SeededFile, StateSeed, read};
use crate::uploads::UploadRequest;

/// A seed that can be applied as often as wanted, and always gives the same ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct PreparedSeed {
    files: Option<Vec<PreparedFile>>,
}

#[derive(Clone, Debug)]
struct PreparedFile {
    id: Uuid,
    request: Arc<UploadRequest>,
    content: Option<SharedContent>,
    is_scanning: bool,
}

impl PreparedSeed {
    /// The files as they are when they begin `now`; `None` when the seed does not mention files.
    pub(crate) fn files(&self, store: &Files, now: SystemTime) -> Option<HashMap<Uuid, StoredFile>> {
        let files = self.files.as_ref()?.iter().map(|file| {
            let request = Arc::clone(&file.request);
            (file.id, store.seeded(request, file.content.as_ref(), file.is_scanning, now))
        });
        Some(files.collect())
    }
}

/// Checks a seed and stores its contents in `directory`.
pub(crate) async fn prepare(
    seed: StateSeed,
    schemas: &Schemas,
    directory: PathBuf,
) -> Result<PreparedSeed, SeedError> {
    let ids = check(&seed, schemas)?;
    let Some(files) = seed.files else { return Ok(PreparedSeed::default()) };
    let stored = tokio::task::spawn_blocking(move || {
        ids.into_iter().zip(files).map(|(id, file)| store(id, file, &directory)).collect()
    });
    let files: Result<_, std::io::Error> =
        stored.await.map_err(std::io::Error::other).and_then(|stored| stored);
    Ok(PreparedSeed { files: Some(files.map_err(SeedError::Storage)?) })
}

/// Holds the files to the rules of an announcement, and gives each its id.
fn check(seed: &StateSeed, schemas: &Schemas) -> Result<Vec<Uuid>, SeedError> {
    let mut problems = Problems::default();
    let mut ids = Vec::new();
    let mut known = HashSet::new();
    for (index, file) in seed.files.iter().flatten().enumerate() {
        let place = read::place(index);
        let id = file.id.as_ref().map_or_else(|| Ok(Uuid::new_v4()), |id| Uuid::parse_str(id));
        match id {
            Ok(id) if known.insert(id) => ids.push(id),
            Ok(_) => problems.add(&place, "id", "is the id of an earlier file as well"),
            Err(_) => problems.add(&place, "id", "must be a UUID"),
        }
        let announcement = json!({
            "fileName": file.file_name,
            "contentType": file.content_type,
            "fileSize": file.length(),
            "channelId": "seed",
            "messageId": file.message_id,
            "uploadType": "webmessaging",
        });
        for detail in schemas.check_upload_request(&announcement) {
            let message = format!("breaks the rule {} of an announcement", detail.error_code);
            problems.add(&place, &detail.field_name, message);
        }
    }
    problems.into_result(ids).map_err(SeedError::Invalid)
}

fn store(id: Uuid, file: SeededFile, directory: &PathBuf) -> std::io::Result<PreparedFile> {
    let request = UploadRequest {
        file_size: file.length(),
        file_name: file.file_name,
        content_type: file.content_type,
        message_id: file.message_id,
    };
    let content = match file.content {
        SeededContent::Announced { .. } => None,
        SeededContent::Complete(bytes) => {
            let mut stored = NamedTempFile::new_in(directory)?;
            stored.write_all(&bytes)?;
            let mut scanner = Scanner::new(&request.content_type);
            scanner.update(&bytes);
            Some(SharedContent {
                path: Arc::new(stored.into_temp_path()),
                sha256: Sha256::digest(&bytes).into(),
                verdict: scanner.finish(),
            })
        }
    };
    Ok(PreparedFile { id, request: Arc::new(request), content, is_scanning: file.is_scanning })
}

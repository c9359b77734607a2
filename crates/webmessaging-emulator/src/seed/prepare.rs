//! Seeds on their way into the state: checked, scanned, and their contents stored.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use secrecy::SecretString;
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use uuid::Uuid;

use crate::document::{Place, Problems};
use crate::files::{Files, SharedContent, StoredFile};
use crate::organization::Organization;
use crate::scan::Scanner;
use crate::schema::Schemas;
use crate::seed::file::SeededContent;
use crate::seed::{SeedError, SeededFile, SeededOrganization, SeededWebhook, StateSeed, file, webhook};
use crate::subscription::{SUBSCRIPTIONS_MAX, Subscription};
use crate::uploads::UploadRequest;

/// A seed that can be applied as often as wanted, and always gives the same ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct PreparedSeed {
    files: Option<Vec<PreparedFile>>,
    organization: SeededOrganization,
    webhooks: Option<Vec<Arc<Subscription>>>,
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
    pub(crate) fn files(
        &self,
        store: &Files<UploadRequest>,
        now: SystemTime,
    ) -> Option<HashMap<Uuid, StoredFile<UploadRequest>>> {
        let files = self.files.as_ref()?.iter().map(|file| {
            let request = Arc::clone(&file.request);
            (file.id, store.seeded(request, file.content.as_ref(), file.is_scanning, now))
        });
        Some(files.collect())
    }

    /// The organisation that `former` becomes; `None` when the seed does not mention one.
    pub(crate) fn organization(&self, former: &Organization) -> Option<Organization> {
        self.organization.replacing(former)
    }

    /// The webhooks; `None` when the seed does not mention webhooks.
    pub(crate) fn webhooks(&self) -> Option<&[Arc<Subscription>]> {
        self.webhooks.as_deref()
    }

    /// The same seed, but with this organisation, and without files and webhooks that it does not mention.
    pub(crate) fn completed(self, organization: Organization) -> Self {
        Self {
            files: Some(self.files.unwrap_or_default()),
            organization: organization.into(),
            webhooks: Some(self.webhooks.unwrap_or_default()),
        }
    }
}

/// Checks a seed and stores its contents in `directory`. The token is that of the organisation's webhooks.
pub(crate) async fn prepare(
    seed: StateSeed,
    schemas: &Schemas,
    token: &SecretString,
    directory: PathBuf,
) -> Result<PreparedSeed, SeedError> {
    let mut problems = Problems::default();
    let ids = file_ids(seed.files.as_deref().unwrap_or_default(), schemas, &mut problems);
    seed.organization.check(&mut problems);
    let webhooks = seed.webhooks.map(|webhooks| subscriptions(&webhooks, token, &mut problems));
    let ids = problems.into_result(ids).map_err(SeedError::Invalid)?;
    let files = match seed.files {
        Some(files) => Some(store_all(ids, files, directory).await.map_err(SeedError::Storage)?),
        None => None,
    };
    Ok(PreparedSeed { files, organization: seed.organization, webhooks })
}

/// Holds an organisation to the rules of a seed.
pub(crate) fn check_organization(organization: &Organization) -> Result<(), SeedError> {
    let mut problems = Problems::default();
    SeededOrganization::from(organization.clone()).check(&mut problems);
    problems.into_result(()).map_err(SeedError::Invalid)
}

/// Holds the files to the rules of an announcement, and gives each its id.
fn file_ids(files: &[SeededFile], schemas: &Schemas, problems: &mut Problems) -> Vec<Uuid> {
    let mut ids = Ids::default();
    for (index, file) in files.iter().enumerate() {
        let place = file::place(index);
        ids.add(file.id.as_deref(), "file", &place, problems);
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
    ids.given
}

/// Holds the webhooks to the rules of a registration, and gives each its id.
fn subscriptions(
    webhooks: &[SeededWebhook],
    token: &SecretString,
    problems: &mut Problems,
) -> Vec<Arc<Subscription>> {
    if webhooks.len() > SUBSCRIPTIONS_MAX {
        let message = format!("must be a list of at most {SUBSCRIPTIONS_MAX} tables");
        problems.add(&Place::default(), "webhooks", message);
        return Vec::new();
    }
    let mut ids = Ids::default();
    let mut names = HashSet::new();
    let mut subscriptions = Vec::new();
    for (index, webhook) in webhooks.iter().enumerate() {
        let place = webhook::place(index);
        let id = ids.add(webhook.id.as_deref(), "webhook", &place, problems);
        let checked = webhook.check(token, &place, problems);
        let (Some(id), Some(subscription)) = (id, checked) else { continue };
        if !names.insert((subscription.collection, subscription.name.clone())) {
            problems.add(&place, "name", "is the name of an earlier webhook of this collection as well");
        }
        subscriptions.push(Arc::new(Subscription { id: id.to_string(), ..subscription }));
    }
    subscriptions
}

/// The ids of a list.
#[derive(Debug, Default)]
struct Ids {
    known: HashSet<Uuid>,
    given: Vec<Uuid>,
}

impl Ids {
    /// The id that an entry asks for, or a fresh one; `None` and a problem for one that it cannot have.
    fn add(
        &mut self,
        wanted: Option<&str>,
        entry: &str,
        place: &Place,
        problems: &mut Problems,
    ) -> Option<Uuid> {
        let Ok(id) = wanted.map_or_else(|| Ok(Uuid::new_v4()), Uuid::parse_str) else {
            problems.add(place, "id", "must be a UUID");
            return None;
        };
        if !self.known.insert(id) {
            problems.add(place, "id", format!("is the id of an earlier {entry} as well"));
            return None;
        }
        self.given.push(id);
        Some(id)
    }
}

async fn store_all(
    ids: Vec<Uuid>,
    files: Vec<SeededFile>,
    directory: PathBuf,
) -> std::io::Result<Vec<PreparedFile>> {
    let stored = tokio::task::spawn_blocking(move || {
        ids.into_iter().zip(files).map(|(id, file)| store(id, file, &directory)).collect()
    });
    stored.await.map_err(std::io::Error::other).and_then(|stored| stored)
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

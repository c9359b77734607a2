//! The client for guests.

use std::num::NonZeroU32;

use http::StatusCode;
use serde_json::{Value, json};
use webmessaging_http::{Answer, Client, Error, ErrorKind, Facts, Sent};
use webmessaging_journal::Journal;
use webmessaging_model::json_merge::{Change, diff, merge_patch};
use webmessaging_model::{Code, GuestId, Operation, Timestamp, Violation, Violations};

use crate::conflict::GuestConflict;
use crate::create_guest::CreateGuest;
use crate::engagement::Engagement;
use crate::get_guest::GetGuest;
use crate::guest::{ETagged, Guest};
use crate::guest_update::GuestUpdate;
use crate::list_audits::{Audits, ListAudits};
use crate::merge_policy::{MergePolicy, changed};
use crate::operations::{CREATE_GUEST, UPDATE_GUEST};
use crate::payload::GuestPayload;
use crate::record::{self, Visitor};
use crate::update_guest::UpdateGuest;

/// How often a change is sent, as the document has it.
const ATTEMPTS: NonZeroU32 = NonZeroU32::new(3).unwrap();

/// Creates guests and changes them. Cheap to clone.
///
/// # Examples
/// ```no_run
/// use webmessaging_guests::{Consent, GuestPayload, GuestUpdate, GuestsClient, IdentityHasher};
/// use webmessaging_http::{Client, Credentials};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let guests = GuestsClient::new(Client::builder(Credentials::new("id", "secret")).build()?);
/// let hasher = IdentityHasher::hmac_sha256(std::env::var("IDENTITY_SALT")?)?;
/// let identity = hasher.resolve(Some("jane@example.com"), None)?;
/// let payload = GuestPayload::new(Consent::new(false, true)).identity(&identity);
/// let created = guests.create(&payload).await?;
/// let update = GuestUpdate::of(&created.guest).attribute("plan", "gold")?;
/// let updated = guests.update(&update).await?;
/// println!("{}: {} changes", updated.guest.value.id, updated.changes.len());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct GuestsClient {
    http: Client,
    journal: Journal,
    visitor: Visitor,
    policy: MergePolicy,
    attempts: NonZeroU32,
}

/// A guest that was created.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Created {
    /// The guest, with its version.
    pub guest: ETagged<Guest>,
    /// How the call went.
    pub facts: Facts,
}

/// What an update came to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Updated {
    /// The guest as it is now, with its version.
    pub guest: ETagged<Guest>,
    /// What was changed of it; nothing where it was so already.
    pub changes: Vec<Change>,
    /// How often the change was sent: more than once when somebody else was faster.
    pub rounds: u32,
    /// How the call went that answered last.
    pub facts: Facts,
}

impl GuestsClient {
    /// A client that tells nobody what it does.
    pub fn new(http: Client) -> Self {
        Self {
            http,
            journal: Journal::none(),
            visitor: Visitor::default(),
            policy: MergePolicy::default(),
            attempts: ATTEMPTS,
        }
    }

    /// Sets who is told of guests: audit log, metrics, outbox; nobody by default. A call is over when its durable sinks have the record; one that
    /// was made and could not be recorded fails with [`NotRecorded`](ErrorKind::NotRecorded).
    #[must_use]
    pub fn journal(mut self, journal: Journal) -> Self {
        self.journal = journal;
        self
    }

    /// Sets who the requests come from, for the audit log. Clone the client for each visitor.
    #[must_use]
    pub fn on_behalf_of(mut self, visitor: Visitor) -> Self {
        self.visitor = visitor;
        self
    }

    /// Sets what is merged, and what is not.
    #[must_use]
    pub fn policy(mut self, policy: MergePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets how often a change is sent when somebody else is always faster; 3 times by default.
    #[must_use]
    pub fn attempts(mut self, attempts: NonZeroU32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Creates a guest that has agreed to the processing of data.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) without that consent; those of [`Client::send`]. A creation whose answer was lost is not sent again: the guest may exist.
    pub async fn create(&self, payload: &GuestPayload) -> Result<Created, Error> {
        if !payload.consent.data_processing {
            let error = without_consent(&CREATE_GUEST);
            record::failed(&self.journal, &error, &CREATE_GUEST, "").await;
            return Err(error);
        }
        self.create_without_consent(payload).await
    }

    /// Creates a guest, whether or not it has agreed to the processing of data: there can be another basis for it.
    ///
    /// # Errors
    /// Those of [`create`](Self::create), but for consent.
    pub async fn create_without_consent(&self, payload: &GuestPayload) -> Result<Created, Error> {
        let sent = self.http.send(&CreateGuest::new(payload.clone())).await.and_then(versioned);
        match sent {
            Ok((guest, facts)) => {
                record::created(&self.journal, &self.visitor, &guest.value, &json!(payload), &facts).await?;
                Ok(Created { guest, facts })
            }
            Err(error) => {
                record::failed(&self.journal, &error, &CREATE_GUEST, "").await;
                Err(error)
            }
        }
    }

    /// Reads a guest.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such guest; [`UnexpectedAnswer`](ErrorKind::UnexpectedAnswer) when it has no version; those of
    /// [`Client::send`].
    pub async fn get(&self, id: impl Into<GuestId>) -> Result<ETagged<Guest>, Error> {
        let answer = self.http.send(&GetGuest::new(id)).await?;
        versioned(answer).map(|(guest, _)| guest)
    }

    /// Changes a guest. When somebody else was faster, the guest is read again, both changes are brought together, and what is left of ours is
    /// sent for the new version: 3 times at most.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a guest that has not agreed to the processing of data, and for a place that must not be
    /// touched; [`Conflict`](ErrorKind::Conflict) when both sides have changed the same places in different ways, or somebody was always faster: its
    /// source is a [`GuestConflict`] with both versions; [`NotRecorded`](ErrorKind::NotRecorded); those of [`Self::get`].
    pub async fn update(&self, update: &GuestUpdate) -> Result<Updated, Error> {
        let updated = self.apply(update).await;
        match &updated {
            Err(error) if error.kind() != ErrorKind::NotRecorded => {
                record::failed(&self.journal, error, &UPDATE_GUEST, update.id.as_str()).await;
            }
            _ => {}
        }
        updated
    }

    /// Calculates the engagement of a guest, records it, and writes it into the guest's attributes (`durationMs`, `messageCount`, `avgResponseTimeMs`,
    /// `conversionFlag`, `calculatedAt`), as [`update`](Self::update) does.
    ///
    /// # Errors
    /// Those of [`Self::update`]. What could not be written is on record all the same.
    pub async fn push_engagement(&self, guest: &ETagged<Guest>) -> Result<(Engagement, Updated), Error> {
        let engagement = Engagement::of(&guest.value);
        self.check(&GuestUpdate::of(guest))?;
        record::engagement(&self.journal, &guest.value.id, &engagement).await?;
        let at = Timestamp::from(self.http.clock().wall());
        let update = GuestUpdate::of(guest).figures(engagement.attributes(at));
        self.update(&update).await.map(|updated| (engagement, updated))
    }

    /// What the platform has recorded of a guest, the newest first, read as it is asked for.
    pub fn audits(&self, list: ListAudits) -> Audits {
        Audits::new(&self.http, list)
    }

    async fn apply(&self, update: &GuestUpdate) -> Result<Updated, Error> {
        self.check(update)?;
        let (mut etag, mut current, mut wanted) =
            (update.etag.clone(), update.base.clone(), update.wanted.clone());
        let mut latest: Option<(ETagged<Guest>, Facts)> = None;
        let mut round = 0;
        // What was sent, and may be there though its answer was lost.
        let mut sent_before: Vec<Change> = Vec::new();
        loop {
            let changes = diff(&current, &wanted);
            let Some(patch) = merge_patch(&current, &wanted) else {
                return self.already_there(update, latest, sent_before, round).await;
            };
            round += 1;
            let sent = self.http.send(&UpdateGuest::new(update.id.clone(), &*etag, patch)).await;
            match sent.and_then(versioned) {
                Ok((guest, facts)) => {
                    record::updated(&self.journal, &self.visitor, &guest.value, &changes, &facts).await?;
                    return Ok(Updated { guest, changes, rounds: round, facts });
                }
                Err(error)
                    if error.kind() == ErrorKind::Conflict
                        && error.status() == Some(StatusCode::PRECONDITION_FAILED) =>
                {
                    // An attempt before the one that was answered can have made the change.
                    sent_before = if error.attempts() > 1 { changes } else { Vec::new() };
                    let (theirs, facts) =
                        self.http.send(&GetGuest::new(update.id.clone())).await.and_then(versioned)?;
                    let now = theirs.value.content();
                    // It can have been withdrawn meanwhile. A change of consent itself is for the merge to judge.
                    let is_about_consent = changed(&update.base, &update.wanted, "/consent");
                    if !agrees(&now) && !update.is_without_consent && !is_about_consent {
                        return Err(without_consent(&UPDATE_GUEST));
                    }
                    match self.policy.merge(&update.base, &update.wanted, &now) {
                        Ok(merged) if merged != now && round >= self.attempts.get() => {
                            return Err(conflict(error, Vec::new(), &update.wanted, theirs));
                        }
                        Ok(merged) => wanted = merged,
                        Err(places) => return Err(conflict(error, places, &update.wanted, theirs)),
                    }
                    theirs.etag().clone_into(&mut etag);
                    current = now;
                    latest = Some((theirs, facts));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Nothing is to be done: it was so before, or a change whose answer was lost has made it so.
    async fn already_there(
        &self,
        update: &GuestUpdate,
        latest: Option<(ETagged<Guest>, Facts)>,
        changes: Vec<Change>,
        rounds: u32,
    ) -> Result<Updated, Error> {
        let (guest, facts) = match latest {
            Some(latest) => latest,
            None => self.http.send(&GetGuest::new(update.id.clone())).await.and_then(versioned)?,
        };
        if !changes.is_empty() {
            record::updated(&self.journal, &self.visitor, &guest.value, &changes, &facts).await?;
        }
        Ok(Updated { guest, changes, rounds, facts })
    }

    fn check(&self, update: &GuestUpdate) -> Result<(), Error> {
        // To withdraw a consent needs none.
        let may_change = agrees(&update.wanted) || agrees(&update.base) || update.is_without_consent;
        if !may_change {
            return Err(without_consent(&UPDATE_GUEST));
        }
        match self.policy.touched(&update.base, &update.wanted) {
            Some(pointer) => {
                let violation = Violation::new(pointer.to_owned(), Code::NotAllowed, "guest.protected");
                Err(Error::from(Violations::from(violation)).with_operation(&UPDATE_GUEST))
            }
            None => Ok(()),
        }
    }
}

fn agrees(content: &Value) -> bool {
    content.pointer("/consent/dataProcessing") == Some(&Value::Bool(true))
}

fn without_consent(operation: &'static Operation) -> Error {
    let violation = Violation::new("consent.dataProcessing", Code::Required, "guest.consent.data_processing");
    Error::from(Violations::from(violation)).with_operation(operation)
}

/// A guest without a version cannot be changed safely.
fn versioned(answer: Answer<Guest>) -> Result<(ETagged<Guest>, Facts), Error> {
    let Answer { value, facts, .. } = answer;
    match facts.etag.clone() {
        Some(etag) => Ok((ETagged::new(value, etag), facts)),
        None => Err(Error::new(ErrorKind::UnexpectedAnswer, Sent::Yes)
            .with_operation(facts.operation)
            .with_subject(value.id.as_str())
            .with_message("the guest came without an ETag, so that nobody can change it safely")),
    }
}

fn conflict(
    error: Error,
    places: Vec<webmessaging_model::json_merge::Conflict>,
    mine: &Value,
    theirs: ETagged<Guest>,
) -> Error {
    let conflict = GuestConflict { places, mine: mine.clone(), theirs: Box::new(theirs) };
    error.with_message(format!("the guest is not what it was: {conflict}")).with_source(conflict)
}

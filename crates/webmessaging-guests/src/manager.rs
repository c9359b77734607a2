//! Everything about guests in one place, for whoever has their plain identities.

use webmessaging_http::Error;
use webmessaging_model::GuestId;

use crate::client::{Created, GuestsClient, Updated};
use crate::engagement::Engagement;
use crate::guest::{ETagged, Guest};
use crate::guest_record::GuestRecord;
use crate::guest_update::GuestUpdate;
use crate::identity::IdentityHasher;
use crate::list_audits::{Audits, ListAudits};
use crate::operations::CREATE_GUEST;

/// Guests from plain records to their engagement: identities are hashed here, and nothing else of them leaves the process.
///
/// Audit log, metrics and a CRM hear of everything through the client's journal; give it `OutboxSink` of `webmessaging-sync` for a CRM that must not be
/// missed.
///
/// # Examples
/// ```no_run
/// use webmessaging_guests::{GuestManager, GuestRecord, GuestUpdate, GuestsClient, IdentityHasher};
///
/// # async fn example(guests: GuestsClient, record: GuestRecord) -> Result<(), Box<dyn std::error::Error>> {
/// let hasher = IdentityHasher::hmac_sha256(std::env::var("IDENTITY_SALT")?)?;
/// let manager = GuestManager::new(guests, hasher);
/// let created = manager.create(&record).await?;
/// let updated = manager.update(&GuestUpdate::of(&created.guest).attribute("plan", "gold")?).await?;
/// let (engagement, _) = manager.engagement(&updated.guest).await?;
/// println!("{} messages", engagement.messages);
/// let mut audits = manager.audits(created.guest.value.id);
/// while let Some(entry) = audits.next().await {
///     println!("{:?}", entry?);
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct GuestManager {
    guests: GuestsClient,
    hasher: IdentityHasher,
}

impl GuestManager {
    /// A manager that hashes identities this way.
    pub fn new(guests: GuestsClient, hasher: IdentityHasher) -> Self {
        Self { guests, hasher }
    }

    /// The client that it works with.
    pub fn client(&self) -> &GuestsClient {
        &self.guests
    }

    /// Creates a guest of a record.
    ///
    /// # Errors
    /// [`InvalidInput`](webmessaging_http::ErrorKind::InvalidInput) with everything that is wrong with the record; those of
    /// [`GuestsClient::create`].
    pub async fn create(&self, record: &GuestRecord) -> Result<Created, Error> {
        let invalid = |violations| Error::from(violations).with_operation(&CREATE_GUEST);
        self.guests.create(&record.payload(&self.hasher).map_err(invalid)?).await
    }

    /// Changes a guest.
    ///
    /// # Errors
    /// Those of [`GuestsClient::update`].
    pub async fn update(&self, update: &GuestUpdate) -> Result<Updated, Error> {
        self.guests.update(update).await
    }

    /// Calculates the engagement of a guest, and writes it into its attributes.
    ///
    /// # Errors
    /// Those of [`GuestsClient::push_engagement`].
    pub async fn engagement(&self, guest: &ETagged<Guest>) -> Result<(Engagement, Updated), Error> {
        self.guests.push_engagement(guest).await
    }

    /// What the platform has recorded of a guest.
    pub fn audits(&self, guest: impl Into<GuestId>) -> Audits {
        self.guests.audits(ListAudits::new(guest))
    }
}

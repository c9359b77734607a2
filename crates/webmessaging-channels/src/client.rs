//! The client for channels.

use std::num::NonZeroUsize;
use std::time::Duration;

use http::StatusCode;
use webmessaging_http::{Answer, Client, Error, ErrorKind, Facts, Sent};
use webmessaging_journal::Journal;
use webmessaging_model::{ChannelId, ChannelRules};

use crate::cache::Cache;
use crate::channel::Channel;
use crate::channel_update::ChannelUpdate;
use crate::discover::Channels;
use crate::get_channel::GetChannel;
use crate::plan::{Plan, Updated, check};
use crate::record;
use crate::update_channel::UpdateChannel;

/// How often a change is worked out anew, when nobody knows whether the last one has arrived.
const ROUNDS_MAX: u32 = 3;

/// How long to wait before that, unless the platform says so itself; twice as long before the second time.
const PAUSE: Duration = Duration::from_secs(1);

/// Whoever is asked to wait for longer decides for himself.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// What can be done when there is none.
pub(crate) const NO_CHANNEL: &str =
    "there is no such channel, or not any more: list the channels to see which there are";

/// Finds channels and changes them. Cheap to clone.
///
/// # Examples
/// ```no_run
/// use webmessaging_channels::{ChannelUpdate, ChannelsClient};
/// use webmessaging_http::{Client, Credentials};
///
/// # async fn example() -> Result<(), webmessaging_http::Error> {
/// let channels = ChannelsClient::new(Client::builder(Credentials::new("id", "secret")).build()?);
/// let mut found = channels.discover();
/// while let Some(channel) = found.next().await {
///     let update = ChannelUpdate::of(channel?).max_concurrent_sessions(800);
///     let updated = channels.update(&update).await?;
///     println!("{}: {} changes", updated.channel.id, updated.changes.len());
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct ChannelsClient {
    pub(crate) http: Client,
    pub(crate) rules: ChannelRules,
    pub(crate) journal: Journal,
    cache: Cache,
}

impl ChannelsClient {
    /// A client with the documented rules.
    pub fn new(http: Client) -> Self {
        Self { http, rules: ChannelRules::default(), journal: Journal::none(), cache: Cache::default() }
    }

    /// Replaces the rules that configurations are checked against.
    #[must_use]
    pub fn rules(mut self, rules: ChannelRules) -> Self {
        self.rules = rules;
        self
    }

    /// Sets who is told of changes: audit log, metrics, outbox; nobody by default. A change is over when its durable sinks have the
    /// record; one that was made and could not be recorded fails with [`NotRecorded`](ErrorKind::NotRecorded).
    #[must_use]
    pub fn journal(mut self, journal: Journal) -> Self {
        self.journal = journal;
        self
    }

    /// Sets how many channels [`cached_channel`](Self::cached_channel) keeps, and for how long; 1 000 and 60 seconds by default. The clones that
    /// are made of this client share what it keeps.
    #[must_use]
    pub fn cache(mut self, channels_max: NonZeroUsize, life: Duration) -> Self {
        self.cache = Cache::new(channels_max, life);
        self
    }

    /// The channels of web messaging, read as they are asked for: the first one before the second page is. When the first page has told how
    /// many there are, four pages are under way at once, in order.
    pub fn discover(&self) -> Channels {
        Channels::new(&self.http)
    }

    /// Reads a channel.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such channel, and those of [`Client::send`].
    pub async fn channel(&self, id: impl Into<ChannelId>) -> Result<Channel, Error> {
        self.read(id.into()).await.map(|answer| answer.value)
    }

    /// A channel as it was read within the last 60 seconds, or as it is read now. After a change through this client or a clone of it, and after
    /// [`forget`](Self::forget), it is read anew.
    ///
    /// # Errors
    /// Those of [`Self::channel`].
    pub async fn cached_channel(&self, id: impl Into<ChannelId>) -> Result<Channel, Error> {
        let id = id.into();
        match self.cache.get(&id, self.http.clock().now()) {
            Some(channel) => Ok(channel),
            None => self.channel(id).await,
        }
    }

    /// Has the next [`cached_channel`](Self::cached_channel) read the channel anew: for whoever hears of `channel.updated` from a webhook.
    pub fn forget(&self, id: &ChannelId) {
        self.cache.forget(id);
    }

    /// Says what an update would do, and does nothing: the dry run.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) with every rule that it would break and that was not broken before;
    /// [`Conflict`](ErrorKind::Conflict) when somebody has changed the same places, whose source is
    /// [`Conflicts`](webmessaging_model::json_merge::Conflicts) with all of them; those of [`Self::channel`].
    pub async fn plan(&self, update: &ChannelUpdate) -> Result<Plan, Error> {
        self.plan_with_facts(update).await.map(|(plan, _)| plan)
    }

    /// Changes a channel: what differs is sent, and nothing else. The channel is read first, and what others have changed since it was read
    /// for the update stays as they have it.
    ///
    /// When the answer is lost, or says nothing about the change, the channel is read again a second or two later: either the change is there,
    /// or it is worked out anew, three times at most.
    ///
    /// # Errors
    /// Those of [`Self::plan`]; [`Rejected`](ErrorKind::Rejected) with the platform's details when it takes the configuration for wrong;
    /// [`NotRecorded`](ErrorKind::NotRecorded); and those of [`Client::send`]. Where the answer was lost to the
    /// last, the change can be there all the same.
    pub async fn update(&self, update: &ChannelUpdate) -> Result<Updated, Error> {
        let updated = self.apply(update).await;
        match &updated {
            Err(error) if error.kind() != ErrorKind::NotRecorded => {
                record::failed(&self.journal, error, &update.id).await;
            }
            _ => {}
        }
        updated
    }

    async fn apply(&self, update: &ChannelUpdate) -> Result<Updated, Error> {
        // What may be there already: a change whose answer was lost.
        let mut doubtful: Option<(Plan, UpdateChannel, Error)> = None;
        let mut round = 1;
        loop {
            let (plan, seen) = match self.plan_with_facts(update).await {
                Ok(planned) => planned,
                // The look says nothing about the change, so its own trouble counts.
                Err(error) => return Err(doubtful.map_or(error, |(.., lost)| lost)),
            };
            let Some(patch) = plan.patch.clone() else {
                return self.already_there(plan, seen, doubtful).await;
            };
            let endpoint = UpdateChannel::new(update.id.clone(), patch);
            let change = self.cache.forget_after(&update.id);
            let sent = self.http.send(&endpoint).await;
            drop(change);
            match sent {
                Ok(Answer { value, facts, .. }) => {
                    record::updated(&self.journal, &value, &plan.changes, &endpoint, &facts).await?;
                    return Ok(Updated { channel: value, changes: plan.changes, facts });
                }
                Err(error) if is_doubtful(&error) && round < ROUNDS_MAX => {
                    let wait = error.retry_after().unwrap_or(round * PAUSE);
                    if wait > PAUSE_MAX {
                        return Err(error);
                    }
                    self.http.clock().sleep(wait).await;
                    doubtful = Some((plan, endpoint, error));
                    round += 1;
                }
                Err(error) => return Err(explained(error)),
            }
        }
    }

    /// Nothing is to be done: it was so before, or a change whose answer was lost has made it so.
    async fn already_there(
        &self,
        plan: Plan,
        facts: Facts,
        doubtful: Option<(Plan, UpdateChannel, Error)>,
    ) -> Result<Updated, Error> {
        let changes = match doubtful {
            Some((before, sent, _)) => {
                record::updated(&self.journal, &plan.channel, &before.changes, &sent, &facts).await?;
                before.changes
            }
            None => Vec::new(),
        };
        Ok(Updated { channel: plan.channel, changes, facts })
    }

    async fn plan_with_facts(&self, update: &ChannelUpdate) -> Result<(Plan, Facts), Error> {
        if update.checked {
            // Before anything is sent.
            check(&self.rules, update, &update.base, &update.wanted)?;
        }
        let Answer { value, facts, .. } = self.read(update.id.clone()).await?;
        Ok((Plan::new(update, value, &self.rules)?, facts))
    }

    async fn read(&self, id: ChannelId) -> Result<Answer<Channel>, Error> {
        let asked = self.cache.ask(self.http.clock().now());
        let answer = self.http.send(&GetChannel::new(id)).await.map_err(explained)?;
        self.cache.put(asked, answer.value.clone());
        Ok(answer)
    }
}

/// Whether the change can be there all the same: the answer was lost, is none that can be read, or says that the server has failed.
pub(crate) fn is_doubtful(error: &Error) -> bool {
    let is_lost = matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::Timeout);
    let is_unclear = matches!(error.kind(), ErrorKind::UnexpectedAnswer | ErrorKind::Server);
    error.sent() != Sent::No && (is_lost || is_unclear)
}

/// Says what can be done about it.
fn explained(error: Error) -> Error {
    match error.status() {
        Some(StatusCode::NOT_FOUND) => error.with_message(NO_CHANNEL),
        Some(StatusCode::BAD_REQUEST) => error.with_message("rejected by the gateway"),
        _ => error,
    }
}

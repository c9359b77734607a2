//! What happens to guests is told to the journal: which fields, and never what is in them.

use std::fmt;

use serde_json::Value;
use webmessaging_http::{Error, ErrorKind, Facts, Sent};
use webmessaging_journal::kind::{
    ChannelContext, Consent, DataChanges, EngagementCalculated, GuestChange, GuestCreated, GuestUpdated,
    OperationFailed,
};
use webmessaging_journal::{Facts as EventFacts, Journal};
use webmessaging_model::json_merge::Change;
use webmessaging_model::plain_identity::{is_hash, is_plain_identity};
use webmessaging_model::{GuestId, Operation};

use crate::engagement::Engagement;
use crate::guest::Guest;
use crate::operations::UPDATE_GUEST;

/// Who a request comes from, for the audit log. `Debug` does not show it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Visitor {
    ip_address: Option<String>,
    user_agent: Option<String>,
    gdpr_applicable: Option<bool>,
}

impl Visitor {
    /// Nobody knows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the address that the request came from.
    #[must_use]
    pub fn ip_address(mut self, address: impl Into<String>) -> Self {
        self.ip_address = Some(address.into());
        self
    }

    /// Sets what the browser says of itself; up to 256 characters of it are recorded.
    #[must_use]
    pub fn user_agent(mut self, agent: impl Into<String>) -> Self {
        self.user_agent = Some(agent.into());
        self
    }

    /// Sets whether the GDPR applies.
    #[must_use]
    pub fn gdpr_applicable(mut self, applicable: bool) -> Self {
        self.gdpr_applicable = Some(applicable);
        self
    }
}

impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Visitor([hidden])")
    }
}

/// That a guest was created.
pub(crate) async fn created(
    journal: &Journal,
    visitor: &Visitor,
    guest: &Guest,
    sent: &Value,
    facts: &Facts,
) -> Result<(), Error> {
    let recorded = journal.record(|stamp| {
        let change = change(visitor, guest, sent_fields(sent));
        stamp.event(GuestCreated::new(guest.id.as_str(), change)).facts(EventFacts::of(facts))
    });
    let lost = |error| Error::not_recorded(facts, error).with_subject(guest.id.as_str());
    recorded.await.map(drop).map_err(lost)
}

/// That a guest was changed.
pub(crate) async fn updated(
    journal: &Journal,
    visitor: &Visitor,
    guest: &Guest,
    changes: &[Change],
    facts: &Facts,
) -> Result<(), Error> {
    let recorded = journal.record(|stamp| {
        let mut fields = DataChanges::new();
        for change in changes {
            fields = match &change.after {
                Some(after) => within(fields, &dotted(&change.path), after),
                None => fields.with(&dotted(&change.path), None::<&str>),
            };
        }
        let change = change(visitor, guest, fields);
        stamp.event(GuestUpdated::new(guest.id.as_str(), change)).facts(EventFacts::of(facts))
    });
    recorded.await.map(drop).map_err(|error| Error::not_recorded(facts, error))
}

/// That the engagement of a guest was calculated.
pub(crate) async fn engagement(
    journal: &Journal,
    guest: &GuestId,
    engagement: &Engagement,
) -> Result<(), Error> {
    let recorded = journal.record(|stamp| {
        let duration = engagement.duration.unwrap_or_default();
        let mut kind = EngagementCalculated::new(guest.as_str(), duration, engagement.messages);
        kind.mean_response = engagement.mean_response;
        kind.converted = Some(engagement.converted);
        stamp.event(kind)
    });
    let lost =
        |error| Error::new(ErrorKind::NotRecorded, Sent::No).with_operation(&UPDATE_GUEST).with_source(error);
    recorded.await.map(drop).map_err(lost)
}

/// That a call failed. What it failed with matters more than a record that cannot be written.
pub(crate) async fn failed(journal: &Journal, error: &Error, operation: &Operation, guest: &str) {
    let recorded = journal.record(|stamp| {
        let kind = OperationFailed::new(operation.name, "guest", guest, error.kind().code());
        let facts = EventFacts::of(error).operation(operation.name.to_owned());
        stamp.event(kind.maybe_done(error.may_have_acted())).facts(facts)
    });
    let _ = recorded.await;
}

fn change(visitor: &Visitor, guest: &Guest, fields: DataChanges) -> Box<GuestChange> {
    let mut change = GuestChange::new(fields).external_id(guest.id.as_str());
    // Another program can have stored something else there.
    if let Some(hash) = guest.email_hash().filter(|hash| is_hash(hash)) {
        change = change.email_hash(hash);
    }
    if let Some(consent) = guest.consent() {
        change = change.consent_flags(Consent::new(consent.marketing, consent.data_processing));
    }
    if let Some(at) = guest.modified_date {
        change = change.last_interaction(at);
    }
    let text = |name: &str| {
        let text = guest.rest.get("channelContext")?.get(name)?.as_str()?;
        (!is_plain_identity(text)).then(|| text.into())
    };
    let (page, campaign) = (text("originPage"), text("campaignId"));
    if page.is_some() || campaign.is_some() {
        change = change.channel_context(ChannelContext::new(page, campaign));
    }
    if let Some(address) = &visitor.ip_address {
        change = change.ip_address(&**address);
    }
    if let Some(agent) = &visitor.user_agent {
        change = change.user_agent(&**agent);
    }
    if let Some(applicable) = visitor.gdpr_applicable {
        change = change.gdpr_applicable(applicable);
    }
    Box::new(change)
}

fn sent_fields(sent: &Value) -> DataChanges {
    let fields = sent.as_object().into_iter().flatten();
    fields.fold(DataChanges::new(), |changes, (name, value)| within(changes, name, value))
}

/// Every field of a value, by its path.
fn within(changes: DataChanges, path: &str, value: &Value) -> DataChanges {
    match value {
        Value::Object(fields) => fields
            .iter()
            .fold(changes, |changes, (name, value)| within(changes, &format!("{path}.{name}"), value)),
        Value::Bool(flag) => changes.with(path, *flag),
        Value::String(text) => changes.with(path, text.as_str()),
        Value::Null => changes.with(path, None::<&str>),
        other => changes.with(path, other.to_string().as_str()),
    }
}

/// `/consent/marketing` is `consent.marketing` where people read it.
fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~")
}

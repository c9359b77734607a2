//! Documents as seeds.

use serde_json::Value;

use crate::document::{DocumentError, Fields, Place, Problems, from_json};
use crate::seed::{SeededOrganization, StateSeed, file, webhook};
use crate::subscription::SUBSCRIPTIONS_MAX;

/// More files than this are not seeded at once.
const FILES_MAX: usize = 10_000;

/// The seed in a request's body.
pub(crate) fn from_body(body: &[u8]) -> Result<StateSeed, DocumentError> {
    from_json(body, seed)
}

/// The seed of a document, or an unfinished one and problems.
pub(super) fn seed(document: &Value, problems: &mut Problems) -> StateSeed {
    let Some(mut fields) = Fields::new(document, Place::default(), problems) else {
        return StateSeed::default();
    };
    let files = fields.optional_list("files", FILES_MAX);
    let organization = fields.read("organization", "a table of keys and values", a_table);
    let webhooks = fields.optional_list("webhooks", SUBSCRIPTIONS_MAX);
    fields.finish();
    StateSeed {
        files: files.map(|list| {
            entries(list, |index, value| file::read(Fields::new(value, file::place(index), problems)?))
        }),
        organization: organization.map_or_else(SeededOrganization::default, |organization| {
            SeededOrganization::read(organization, problems)
        }),
        webhooks: webhooks
            .map(|list| entries(list, |index, value| webhook::read(value, &webhook::place(index), problems))),
    }
}

fn a_table(value: &Value) -> Option<&Value> {
    value.is_object().then_some(value)
}

/// What `read` makes of the entries of a list, which it is told with their indexes.
pub(super) fn entries<T>(list: &[Value], mut read: impl FnMut(usize, &Value) -> Option<T>) -> Vec<T> {
    list.iter().enumerate().filter_map(|(index, value)| read(index, value)).collect()
}

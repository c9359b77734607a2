//! The platform's shapes of a page, read leniently: whatever is missing, null or of another type is not said.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::paging::{Next, PageAnswer, PageKey};

/// A page of a list with numbered pages.
///
/// The short form without URIs is the same with less in it. Other fields are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound = "T: Deserialize<'de>")]
#[non_exhaustive]
pub struct Entities<T> {
    /// The items of this page.
    #[serde(default = "Vec::new", deserialize_with = "list")]
    pub entities: Vec<T>,
    /// How many items a full page has.
    #[serde(default, deserialize_with = "number")]
    pub page_size: Option<u64>,
    /// The number of this page, counted from 1.
    #[serde(default, deserialize_with = "number")]
    pub page_number: Option<u64>,
    /// How many pages there are.
    #[serde(default, deserialize_with = "number")]
    pub page_count: Option<u64>,
    /// How many items the whole list has.
    #[serde(default, deserialize_with = "number")]
    pub total: Option<u64>,
    /// Whether the page names a next one; the URI itself is not needed.
    #[serde(rename = "nextUri", default, deserialize_with = "is_text")]
    pub has_next_uri: bool,
}

impl<T: Send + 'static> PageAnswer for Entities<T> {
    type Item = T;

    fn items(&self) -> &[T] {
        &self.entities
    }

    fn into_items(self) -> Vec<T> {
        self.entities
    }

    fn next(&self) -> Next {
        Next::Number {
            number: self.page_number,
            count: self.page_count,
            size: self.page_size,
            more: self.has_next_uri,
        }
    }

    fn total(&self) -> Option<u64> {
        self.total
    }

    fn first() -> PageKey {
        PageKey::Number(1)
    }
}

/// A page of a list whose pages hang together by a cursor in the body: `cursor`, or `nextPage` in newer areas.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound = "T: Deserialize<'de>")]
#[non_exhaustive]
pub struct CursorPage<T> {
    /// The items of this page.
    #[serde(default = "Vec::new", deserialize_with = "list")]
    pub entities: Vec<T>,
    /// Where the list goes on; nothing on the last page.
    #[serde(default, deserialize_with = "text")]
    pub cursor: Option<String>,
    /// The same under the name that newer areas use.
    #[serde(default, deserialize_with = "text")]
    pub next_page: Option<String>,
    /// How many items the whole list has.
    #[serde(default, deserialize_with = "number")]
    pub total: Option<u64>,
}

impl<T: Send + 'static> PageAnswer for CursorPage<T> {
    type Item = T;

    fn items(&self) -> &[T] {
        &self.entities
    }

    fn into_items(self) -> Vec<T> {
        self.entities
    }

    fn next(&self) -> Next {
        self.cursor.as_ref().or(self.next_page.as_ref()).map_or(Next::End, |at| Next::Cursor(at.clone()))
    }

    fn total(&self) -> Option<u64> {
        self.total
    }
}

/// A page of a list whose pages hang together by a URI in the body.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound = "T: Deserialize<'de>")]
#[non_exhaustive]
pub struct UriPage<T> {
    /// The items of this page.
    #[serde(default = "Vec::new", deserialize_with = "list")]
    pub entities: Vec<T>,
    /// Where the list goes on; nothing on the last page.
    #[serde(default, deserialize_with = "text")]
    pub next_uri: Option<String>,
    /// How many items the whole list has.
    #[serde(default, deserialize_with = "number")]
    pub total: Option<u64>,
}

impl<T: Send + 'static> PageAnswer for UriPage<T> {
    type Item = T;

    fn items(&self) -> &[T] {
        &self.entities
    }

    fn into_items(self) -> Vec<T> {
        self.entities
    }

    fn next(&self) -> Next {
        self.next_uri.as_ref().map_or(Next::End, |uri| Next::Uri(uri.clone()))
    }

    fn total(&self) -> Option<u64> {
        self.total
    }
}

fn list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    Value::deserialize(from).map(|value| value.as_u64())
}

/// A cursor is text; one that is a number is as good.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Value::deserialize(from).map(|value| match value {
        Value::String(text) => Some(text).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn is_text<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    text(from).map(|text| text.is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entities(body: Value) -> Entities<u8> {
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn what_is_missing_or_strange_is_not_said() {
        let nothing = entities(json!({}));
        assert_eq!(
            nothing,
            entities(json!({"entities": null, "total": null, "pageCount": "4", "nextUri": ""}))
        );
        assert_eq!(
            nothing,
            entities(json!({"total": -1, "pageCount": 1.5, "pageSize": [], "nextUri": null}))
        );
        assert_eq!(nothing.next(), Next::Number { number: None, count: None, size: None, more: false });
    }

    #[test]
    fn a_full_page_and_a_short_one_are_read() {
        let full = json!({
            "entities": [1, 2], "pageSize": 2, "pageNumber": 3, "total": 9, "pageCount": 5, "selfUri": "/a?pageNumber=3",
            "firstUri": "/a?pageNumber=1", "nextUri": "/a?pageNumber=4", "lastUri": "/a?pageNumber=5",
        });
        let page = entities(full);
        assert_eq!((page.items(), page.total()), (&[1, 2][..], Some(9)));
        assert_eq!(page.next(), Next::Number { number: Some(3), count: Some(5), size: Some(2), more: true });
        let short =
            entities(json!({"entities": [], "pageSize": 25, "pageNumber": 1, "total": 0, "pageCount": 0}));
        assert_eq!(
            short.next(),
            Next::Number { number: Some(1), count: Some(0), size: Some(25), more: false }
        );
    }

    #[test]
    fn a_cursor_has_two_names() {
        let next = |body: Value| serde_json::from_value::<CursorPage<u8>>(body).unwrap().next();
        assert_eq!(next(json!({"entities": [1], "cursor": "c"})), Next::Cursor("c".to_owned()));
        assert_eq!(next(json!({"nextPage": "n", "previousPage": "p"})), Next::Cursor("n".to_owned()));
        assert_eq!(next(json!({"nextPage": 4, "cursor": null})), Next::Cursor("4".to_owned()));
        assert_eq!(next(json!({"nextPage": "n", "cursor": "c"})), Next::Cursor("c".to_owned()));
        assert_eq!(next(json!({"entities": [1], "cursor": ""})), Next::End);
    }

    #[test]
    fn a_uri_is_passed_on_as_it_is() {
        let next = |body: Value| serde_json::from_value::<UriPage<u8>>(body).unwrap().next();
        assert_eq!(next(json!({"nextUri": "/a?after=b", "total": 3})), Next::Uri("/a?after=b".to_owned()));
        assert_eq!(next(json!({"nextUri": {}})), Next::End);
    }
}

//! Where a page is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::endpoint::Encoder;

/// Where a page of a list is: as much as it takes to ask for it again, in this process or another one.
///
/// `Debug` and `Display` show no cursor and no query.
///
/// # Examples
/// ```
/// use webmessaging_http::paging::PageKey;
///
/// assert_eq!(PageKey::Number(7).to_string(), "page 7");
/// assert_eq!(PageKey::Cursor("abc".to_owned()).to_string(), "the page at a cursor");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PageKey {
    /// The first page; the request says nothing about pages.
    #[default]
    First,
    /// The page of this number, counted from 1.
    Number(u64),
    /// The page at a cursor that the page before it gave.
    Cursor(String),
    /// The page whose request has this query, taken from the URI that the page before it gave.
    Query(String),
}

impl fmt::Display for PageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("the first page"),
            Self::Number(number) => write!(f, "page {number}"),
            Self::Cursor(_) => f.write_str("the page at a cursor"),
            Self::Query(_) => f.write_str("the page at a uri"),
        }
    }
}

impl fmt::Debug for PageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("First"),
            Self::Number(number) => write!(f, "Number({number})"),
            Self::Cursor(cursor) => write!(f, "Cursor({} bytes)", cursor.len()),
            Self::Query(query) => write!(f, "Query({} bytes)", query.len()),
        }
    }
}

impl Encoder {
    /// Asks for a page of a list: `pageNumber` for a number, `cursor` for a cursor. The query of a URI replaces every
    /// other parameter, because the server put them all into it. An endpoint with other names adds its own parameter.
    #[must_use]
    pub fn page(self, key: &PageKey) -> Self {
        match key {
            PageKey::First => self,
            PageKey::Number(number) => self.query("pageNumber", number.to_string()),
            PageKey::Cursor(cursor) => self.query("cursor", cursor),
            PageKey::Query(query) => self.whole_query(query),
        }
    }
}

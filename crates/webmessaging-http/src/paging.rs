//! Lists that come in pages: one trait for the request, one for the answer, and streams over both.
//!
//! The platform has three ways to say where a list goes on, and each has a ready answer type:
//!
//! | answer | next page | example |
//! |---|---|---|
//! | [`Entities`] | by number, `pageNumber` | most lists |
//! | [`CursorPage`] | by a cursor in the body, `cursor` or `nextPage` | audit results |
//! | [`UriPage`] | by a URI in the body, `nextUri` | web deployments |
//!
//! One [`send`](crate::Client::send) gives one page; [`Client::pages`](crate::Client::pages) and
//! [`Client::items`](crate::Client::items) give all of them, lazily.
//!
//! # Lists that change meanwhile
//! A page is a look at the list at one moment. What is added or removed between two looks moves the border between
//! their pages: an item can come twice, and by number one can be passed over. Whoever must not act twice goes by the
//! items' ids.

mod answers;
mod key;
mod next_uri;
mod pages;
mod walk;

pub use self::answers::{CursorPage, Entities, UriPage};
pub use self::key::PageKey;
pub use self::pages::{Items, Page, Pages};

use crate::endpoint::Endpoint;

/// An endpoint whose answer is one page of a list.
///
/// # Examples
/// ```
/// use webmessaging_http::paging::{Entities, PageKey, Paged};
/// use webmessaging_http::{Encoder, Endpoint};
/// use webmessaging_model::{Method, Operation};
///
/// const LIST_WIDGETS: Operation = Operation::new("widgets.list", Method::Get, "/api/v2/widgets")
///     .scopes(&["widgets:readonly"])
///     .source("https://developer.genesys.cloud/devapps/api-explorer");
///
/// #[derive(serde::Deserialize)]
/// struct Widget {
///     name: String,
/// }
///
/// #[derive(Clone)]
/// struct ListWidgets {
///     page: PageKey,
/// }
///
/// impl Endpoint for ListWidgets {
///     type Answer = Entities<Widget>;
///
///     fn operation(&self) -> &'static Operation {
///         &LIST_WIDGETS
///     }
///
///     fn encode(&self, request: Encoder) -> Encoder {
///         request.query("pageSize", "100").page(&self.page)
///     }
/// }
///
/// impl Paged for ListWidgets {
///     fn at(&self, page: &PageKey) -> Self {
///         Self { page: page.clone() }
///     }
///
///     fn page_size(&self) -> Option<u64> {
///         Some(100)
///     }
/// }
///
/// # async fn example(client: webmessaging_http::Client) -> Result<(), webmessaging_http::Error> {
/// let mut widgets = client.items(ListWidgets { page: PageKey::First });
/// while let Some(widget) = widgets.next().await {
///     println!("{}", widget?.name);
/// }
/// # Ok(()) }
/// # let second = ListWidgets { page: PageKey::First }.at(&PageKey::Number(2)).to_request()?;
/// # assert_eq!(second.uri(), "/api/v2/widgets?pageSize=100&pageNumber=2");
/// # Ok::<(), webmessaging_http::Error>(())
/// ```
pub trait Paged: Endpoint<Answer: PageAnswer> + Clone + Send + 'static {
    /// The same request for another page.
    #[must_use]
    fn at(&self, page: &PageKey) -> Self;

    /// How many items a full page has, as far as the request says so; it tells a full page where the answer does not.
    fn page_size(&self) -> Option<u64> {
        None
    }
}

/// An answer that is one page of a list.
pub trait PageAnswer: Send + 'static {
    /// What the list is made of.
    type Item: Send;

    /// The items of this page.
    fn items(&self) -> &[Self::Item];

    /// The items of this page, for good.
    fn into_items(self) -> Vec<Self::Item>;

    /// What the page says of the one after it.
    fn next(&self) -> Next;

    /// How many items the whole list has, where the server counts them. It can differ from page to page.
    fn total(&self) -> Option<u64> {
        None
    }

    /// The key of the first page.
    fn first() -> PageKey {
        PageKey::First
    }
}

/// What a page says of the one after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// There is none.
    End,
    /// Pages are numbered. Zero counts as not said.
    Number {
        /// The number that this page has.
        number: Option<u64>,
        /// How many pages there are.
        count: Option<u64>,
        /// How many items a full page has.
        size: Option<u64>,
        /// Whether the page names a next one, whatever it says by numbers.
        more: bool,
    },
    /// There is one at this cursor.
    Cursor(String),
    /// There is one at this URI, absolute or relative to the API's host. It is followed on the operation's own
    /// address only.
    Uri(String),
}

//! What the toolkit knows about itself, for documentation, configuration and tests.

use webmessaging_model::Operation;

/// Every operation of the features that are switched on.
///
/// # Examples
/// ```
/// let names: Vec<_> = webmessaging::reference::operations().map(|operation| operation.name).collect();
/// assert!(names.contains(&"oauth.token"));
/// ```
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    let operations = webmessaging_http::login::OPERATIONS.iter();
    #[cfg(feature = "bots")]
    let operations = operations.chain(webmessaging_bots::operations::OPERATIONS);
    #[cfg(feature = "channels")]
    let operations = operations.chain(webmessaging_channels::operations::OPERATIONS);
    #[cfg(feature = "files")]
    let operations = operations.chain(webmessaging_files::operations::OPERATIONS);
    #[cfg(feature = "guests")]
    let operations = operations.chain(webmessaging_guests::operations::OPERATIONS);
    operations.copied()
}

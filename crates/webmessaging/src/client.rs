//! One client that hands out the clients of every feature.

#[cfg(feature = "bots")]
use webmessaging_bots::BotsClient;
#[cfg(feature = "channels")]
use webmessaging_channels::ChannelsClient;
#[cfg(feature = "files")]
use webmessaging_files::{FilesClient, TransferManager};
#[cfg(feature = "guests")]
use webmessaging_guests::GuestsClient;

/// The way to every feature; all of them share its token, its connections and its limits. Cheap to clone.
///
/// # Examples
/// ```
/// use webmessaging::{Client, Credentials, http};
///
/// let http = http::Client::builder(Credentials::new("client-id", "client-secret"))
///     .domain("eu_west_1".parse()?)
///     .build()?;
/// let client = Client::new(http);
/// # let _ = client;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    http: webmessaging_http::Client,
}

impl Client {
    /// A client that calls the platform through `http`.
    pub fn new(http: webmessaging_http::Client) -> Self {
        Self { http }
    }

    /// A client with the settings of this process: its environment, and the file where there is one.
    ///
    /// # Errors
    /// Those of [`Loader::load`](webmessaging_http::settings::Loader::load),
    /// [`Settings::builder`](webmessaging_http::Settings::builder) and
    /// [`ClientBuilder::build`](webmessaging_http::ClientBuilder::build).
    ///
    /// # Examples
    /// ```no_run
    /// let client = webmessaging::Client::from_settings()?;
    /// # Ok::<(), webmessaging::Error>(())
    /// ```
    #[cfg(feature = "settings")]
    pub fn from_settings() -> Result<Self, webmessaging_http::Error> {
        let settings =
            webmessaging_http::Settings::loader().operations(crate::reference::operations()).load()?;
        settings.builder()?.build().map(Self::new)
    }

    /// What the calls go through; it sends any [`Endpoint`](webmessaging_http::Endpoint).
    pub fn http(&self) -> &webmessaging_http::Client {
        &self.http
    }

    /// Messages of bots; a [`Sender`](webmessaging_bots::Sender) over it keeps their order.
    #[cfg(feature = "bots")]
    pub fn bots(&self) -> BotsClient {
        BotsClient::new(self.http.clone())
    }

    /// Channels: found, and changed.
    #[cfg(feature = "channels")]
    pub fn channels(&self) -> ChannelsClient {
        ChannelsClient::new(self.http.clone())
    }

    /// File uploads.
    #[cfg(feature = "files")]
    pub fn files(&self) -> FilesClient {
        FilesClient::new(self.http.clone())
    }

    /// Guests: created, and changed.
    #[cfg(feature = "guests")]
    pub fn guests(&self) -> GuestsClient {
        GuestsClient::new(self.http.clone())
    }

    /// File transfers of an organisation. Waits share one look-out within a manager and its clones, so keep it.
    #[cfg(feature = "files")]
    pub fn transfers(&self, organization: impl Into<webmessaging_model::OrganizationId>) -> TransferManager {
        TransferManager::new(self.http.clone(), organization)
    }
}

impl From<webmessaging_http::Client> for Client {
    fn from(http: webmessaging_http::Client) -> Self {
        Self::new(http)
    }
}

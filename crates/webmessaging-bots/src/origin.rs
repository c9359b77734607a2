//! Who may ask for messages: the origins of pages, compared exactly.

use url::{Host, Url};
use webmessaging_model::{Code, Violation};

const PATH: &str = "origin";

/// The origins that may have messages sent, by scheme, host and port.
///
/// Hosts are compared in their ASCII form and never by their end: `evil-example.com` and `example.com.evil.net` are not `example.com`.
///
/// # Examples
/// ```
/// use webmessaging_bots::AllowedOrigins;
///
/// let origins = AllowedOrigins::new(["shop.example", "https://bücher.example:8443"])?;
/// assert!(origins.admit("https://SHOP.example").is_ok());
/// assert!(origins.admit("https://xn--bcher-kva.example:8443").is_ok());
/// assert!(origins.admit("https://shop.example.evil.net").is_err());
/// assert!(origins.admit("https://shop.example@evil.net").is_err());
/// # Ok::<(), webmessaging_model::Violation>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedOrigins(Vec<Origin>);

/// An origin that was looked at: where a page comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: Host,
    port: u16,
}

impl AllowedOrigins {
    /// A list of origins, or of hosts, which are those of `https` on its own port.
    ///
    /// # Errors
    /// A violation for an entry that is no origin: with a path, a query, a user, a wildcard, or of another scheme than `http` and `https`.
    pub fn new<S: AsRef<str>>(origins: impl IntoIterator<Item = S>) -> Result<Self, Violation> {
        let read = |entry: S| {
            let entry = entry.as_ref();
            if entry.contains("://") {
                Origin::parse(entry)
            } else {
                Origin::parse(&format!("https://{entry}"))
            }
        };
        origins.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Looks at the origin of a request, as its `Origin` header has it.
    ///
    /// # Errors
    /// A violation when it is no origin (`null` is none) or not in the list. It is not repeated.
    pub fn admit(&self, origin: &str) -> Result<Origin, Violation> {
        let origin = Origin::parse(origin)?;
        if self.0.contains(&origin) {
            return Ok(origin);
        }
        Err(Violation::new(PATH, Code::NotAllowed, "bot_message.origin.allowed"))
    }
}

impl Origin {
    fn parse(text: &str) -> Result<Self, Violation> {
        let malformed = || Violation::new(PATH, Code::Malformed, "bot_message.origin");
        // A parser takes these away or turns them; an origin has none of them.
        if text.bytes().any(|byte| byte <= b' ' || matches!(byte, b'\\' | b'@' | b'*' | b'?' | b'#' | b'%')) {
            return Err(malformed());
        }
        let (scheme, behind) = text.split_once("://").ok_or_else(malformed)?;
        if !["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web)) {
            return Err(malformed());
        }
        let path = behind.find('/').and_then(|at| behind.get(at..)).unwrap_or_default();
        let url = Url::parse(text).map_err(|_| malformed())?;
        let is_web = matches!(url.scheme(), "http" | "https");
        let (Some(host), Some(port), true, "" | "/") =
            (url.host(), url.port_or_known_default(), is_web, path)
        else {
            return Err(malformed());
        };
        // The root's dot is no part of the name.
        let host = match host {
            Host::Domain(name) => Host::Domain(name.strip_suffix('.').unwrap_or(name).to_owned()),
            Host::Ipv4(address) => Host::Ipv4(address),
            Host::Ipv6(address) => Host::Ipv6(address),
        };
        if matches!(&host, Host::Domain(name) if name.is_empty() || name.ends_with('.')) {
            return Err(malformed());
        }
        Ok(Self { scheme: url.scheme().to_owned(), host, port })
    }

    /// The host, in its ASCII form.
    pub fn host(&self) -> String {
        self.host.to_string()
    }
}

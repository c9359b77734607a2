//! Where an organisation lives: the regions of Genesys Cloud, and any other domain.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// A region of Genesys Cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Region {
    /// The key the official SDKs use, for example `eu_west_1`.
    pub key: &'static str,
    /// The domain its hosts share, for example `mypurecloud.ie`.
    pub domain: &'static str,
    /// A second domain of the same region, where there is one.
    pub alias: Option<&'static str>,
}

const fn region(key: &'static str, domain: &'static str, alias: Option<&'static str>) -> Region {
    Region { key, domain, alias }
}

impl Region {
    /// The regions of the official JavaScript SDK 262.0.0 (`PureCloudRegionHosts.js`), checked 2026-11-20.
    ///
    /// Regions are added now and then; [`Domain`] takes any other domain as it is.
    pub const ALL: &'static [Self] = &[
        region("ap_northeast_1", "mypurecloud.jp", Some("apne1.pure.cloud")),
        region("ap_northeast_2", "apne2.pure.cloud", None),
        region("ap_northeast_3", "apne3.pure.cloud", None),
        region("ap_south_1", "aps1.pure.cloud", None),
        region("ap_southeast_1", "apse1.pure.cloud", None),
        region("ap_southeast_2", "mypurecloud.com.au", Some("apse2.pure.cloud")),
        region("ca_central_1", "cac1.pure.cloud", None),
        region("eu_central_1", "mypurecloud.de", Some("euc1.pure.cloud")),
        region("eu_central_2", "euc2.pure.cloud", None),
        region("eu_west_1", "mypurecloud.ie", Some("euw1.pure.cloud")),
        region("eu_west_2", "euw2.pure.cloud", None),
        region("eusc_de_east_1", "edee1.eusc-pure.cloud", None),
        region("me_central_1", "mec1.pure.cloud", None),
        region("mx_central_1", "mxc1.pure.cloud", None),
        region("sa_east_1", "sae1.pure.cloud", None),
        region("us_east_1", "mypurecloud.com", Some("use1.pure.cloud")),
        region("us_east_2", "use2.us-gov-pure.cloud", None),
        region("us_west_2", "usw2.pure.cloud", None),
    ];
}

/// The domain of an organisation: a region by its key (`eu_west_1`, `eu-west-1`) or domain, or any other domain.
///
/// The default is `mypurecloud.com`, as in the design documents and the official SDKs.
///
/// # Examples
/// ```
/// use webmessaging_model::Domain;
///
/// let domain: Domain = "eu-west-1".parse()?;
/// assert_eq!(domain.api_url(), "https://api.mypurecloud.ie");
/// assert_eq!(domain.login_url(), "https://login.mypurecloud.ie");
/// assert_eq!("new1.pure.cloud".parse::<Domain>()?.as_str(), "new1.pure.cloud");
/// # Ok::<(), webmessaging_model::region::InvalidDomain>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Domain(String);

impl Domain {
    /// The domain itself, for example `mypurecloud.ie`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The base URL of the platform API, without a slash at the end.
    pub fn api_url(&self) -> String {
        format!("https://api.{}", self.0)
    }

    /// The base URL of the login server, without a slash at the end.
    pub fn login_url(&self) -> String {
        format!("https://login.{}", self.0)
    }

    /// The known region that the domain belongs to.
    pub fn region(&self) -> Option<&'static Region> {
        Region::ALL.iter().find(|region| region.domain == self.0 || region.alias == Some(&*self.0))
    }
}

impl Default for Domain {
    fn default() -> Self {
        Self("mypurecloud.com".to_owned())
    }
}

impl From<&Region> for Domain {
    fn from(region: &Region) -> Self {
        Self(region.domain.to_owned())
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Domain {
    type Err = InvalidDomain;

    fn from_str(text: &str) -> Result<Self, InvalidDomain> {
        let text = text.trim().to_ascii_lowercase();
        let key = text.replace('-', "_");
        if let Some(region) = Region::ALL.iter().find(|region| region.key == key) {
            return Ok(Self::from(region));
        }
        // A credential goes to this host, so anything that could move it elsewhere (a port, a path, user-info)
        // is refused rather than repaired.
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if text.len() <= 240 && text.contains('.') && text.split('.').all(label) {
            Ok(Self(text))
        } else {
            Err(InvalidDomain(()))
        }
    }
}

/// Neither a known region nor a domain name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidDomain(());

impl fmt::Display for InvalidDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("neither a region such as `eu_west_1` nor a domain such as `mypurecloud.ie`")
    }
}

impl Error for InvalidDomain {}

//! How connections are made: through which proxy, trusting whom, and shown as whom.

mod certificates;
mod proxy;
mod tls_config;

use rustls::pki_types::CertificateDer;

use crate::config::ClientBuilder;
use crate::error::Error;

pub use self::certificates::{Certificates, ClientIdentity};
pub use self::proxy::Proxy;

pub(crate) use self::proxy::{REFUSAL as PROXY_REFUSAL, Route};

/// What a client is told about its connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connection {
    /// `None` leaves it to the system.
    pub(crate) proxy: Option<Proxy>,
    pub(crate) certificates: Certificates,
    pub(crate) identity: Option<ClientIdentity>,
}

/// The same, with every part checked.
pub(crate) struct Checked {
    pub(crate) route: Route,
    pub(crate) trusts_system: bool,
    pub(crate) authorities: Vec<CertificateDer<'static>>,
    pub(crate) identity: Option<ClientIdentity>,
}

impl Connection {
    /// Checks everything there is. Where nobody chose a proxy, one of the system is used unless `is_local`.
    pub(crate) fn checked(self, is_local: bool) -> Result<Checked, Error> {
        let route = match self.proxy {
            Some(proxy) => proxy.checked()?,
            None if is_local => Route::Direct,
            None => Route::System,
        };
        if let Some(identity) = &self.identity {
            identity.parts()?;
        }
        let (trusts_system, authorities) = self.certificates.checked()?;
        Ok(Checked { route, trusts_system, authorities, identity: self.identity })
    }
}

impl ClientBuilder {
    /// Sets the proxy. By default it is the system's: the variables `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in
    /// upper or lower case, and on macOS and Windows the settings. When API or login server is this machine there is
    /// none by default: what is plain `http` must not leave it.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.connection.proxy = Some(proxy);
        self
    }

    /// Sets which authorities are trusted; those of the system by default. It holds for every host this client speaks
    /// with, hosts of presigned URLs included.
    pub fn certificates(mut self, certificates: Certificates) -> Self {
        self.connection.certificates = certificates;
        self
    }

    /// Sets the certificate that is shown to every server that asks for one; none by default.
    pub fn client_identity(mut self, identity: ClientIdentity) -> Self {
        self.connection.identity = Some(identity);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_s_proxy_is_for_other_machines_and_for_those_who_choose_none() {
        let route = |proxy, is_local| {
            let connection = Connection { proxy, ..Connection::default() };
            connection.checked(is_local).unwrap().route
        };
        assert!(matches!(route(None, false), Route::System));
        assert!(matches!(route(None, true), Route::Direct));
        assert!(matches!(route(Some(Proxy::none()), false), Route::Direct));
        assert!(matches!(route(Some(Proxy::to("http://127.0.0.1:3128")), true), Route::Through { .. }));
    }
}

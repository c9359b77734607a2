//! What TLS needs of a connection's setup: whom we trust, and who we are.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier, client::WantsClientCert};
use rustls_platform_verifier::Verifier;

use super::Checked;
use crate::error::Error;

const MISFIT: &str = "the private key of the client identity is not that of its certificate, or of a kind that is not supported";

impl Checked {
    /// The setup of TLS. Where it is not needed, a machine without a CA store can do everything else.
    pub(crate) fn tls_config(&self, is_dispensable: bool) -> Result<ClientConfig, Error> {
        // The process may have chosen one; the one here is what it is built with.
        let provider =
            CryptoProvider::get_default().map_or_else(|| Arc::new(aws_lc_rs::default_provider()), Arc::clone);
        let start = || {
            ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()
                .map_err(|error| {
                    Error::configuration(
                        "the cryptography of this process has no version of tls in common with us",
                    )
                    .with_source(error)
                })
        };
        let verified = if self.trusts_system {
            match system_verifier(&self.authorities, &provider) {
                Ok(verifier) => start()?.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
                Err(_) if is_dispensable => self.trusting_named(start()?)?,
                Err(error) => {
                    return Err(Error::configuration(
                        "the http client could not be built, is a CA store installed?",
                    )
                    .with_source(error));
                }
            }
        } else {
            self.trusting_named(start()?)?
        };
        let Some(identity) = &self.identity else { return Ok(verified.with_no_client_auth()) };
        let (certificates, key) = identity.parts()?;
        verified.with_client_auth_cert(certificates, key).map_err(|_| Error::configuration(MISFIT))
    }

    /// Trusts the authorities that were named, and nobody else.
    fn trusting_named(
        &self,
        builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    ) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Error> {
        let mut roots = RootCertStore::empty();
        for authority in &self.authorities {
            roots.add(authority.clone()).map_err(|error| {
                Error::configuration("a ca certificate cannot be trusted").with_source(error)
            })?;
        }
        Ok(builder.with_root_certificates(roots))
    }
}

fn system_verifier(
    added: &[CertificateDer<'static>],
    provider: &Arc<CryptoProvider>,
) -> Result<Verifier, rustls::Error> {
    if added.is_empty() {
        return Verifier::new(Arc::clone(provider));
    }
    Verifier::new_with_extra_roots(added.iter().cloned(), Arc::clone(provider))
}

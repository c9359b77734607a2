//! Whom we trust and who we are, both read from PEM. The bytes themselves are in no message.

use std::fmt;

use rustls::RootCertStore;
use rustls::pki_types::pem::{PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretSlice};

use crate::error::Error;

/// The certificate authorities that a server's certificate may come from.
///
/// # Examples
/// ```no_run
/// use webmessaging_http::{Certificates, Client, Credentials};
///
/// let certificates = Certificates::system().and_pem(std::fs::read("company-ca.pem")?);
/// let client = Client::builder(Credentials::new("id", "secret")).certificates(certificates).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Certificates {
    is_system: bool,
    pems: Vec<Vec<u8>>,
}

impl Certificates {
    /// Those of the system; on Linux `SSL_CERT_FILE` and `SSL_CERT_DIR` say where they are.
    pub fn system() -> Self {
        Self { is_system: true, pems: Vec::new() }
    }

    /// Those of a PEM, and no others. Presigned URLs lead to other hosts than the API: their authority must be there
    /// too.
    pub fn only_pem(pem: impl Into<Vec<u8>>) -> Self {
        Self { is_system: false, pems: vec![pem.into()] }
    }

    /// Adds those of a PEM, which holds one or more of them.
    #[must_use]
    pub fn and_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.pems.push(pem.into());
        self
    }

    /// Whether the system's count, and what counts besides.
    pub(crate) fn checked(&self) -> Result<(bool, Vec<CertificateDer<'static>>), Error> {
        let mut all = Vec::new();
        for pem in &self.pems {
            let found = sections::<CertificateDer<'static>>("the ca certificates", pem)?;
            if found.is_empty() {
                return Err(Error::configuration(
                    "the ca certificates have no section `CERTIFICATE`, are they PEM?",
                ));
            }
            all.extend(found);
        }
        for (index, certificate) in all.iter().enumerate() {
            if RootCertStore::empty().add(certificate.clone()).is_err() {
                let (number, count) = (index + 1, all.len());
                return Err(Error::configuration(format!(
                    "ca certificate {number} of {count} is not an x.509 certificate"
                )));
            }
        }
        Ok((self.is_system, all))
    }
}

impl Default for Certificates {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("is_system", &self.is_system)
            .field("pems", &self.pems.len())
            .finish()
    }
}

/// The certificate and private key that this client shows to servers that ask for one (mutual TLS).
///
/// # Examples
/// ```no_run
/// use webmessaging_http::{Client, ClientIdentity, Credentials};
///
/// // `cat client.crt client.key > client.pem`
/// let identity = ClientIdentity::from_pem(std::fs::read("client.pem")?);
/// let client = Client::builder(Credentials::new("id", "secret")).client_identity(identity).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientIdentity(SecretSlice<u8>);

impl ClientIdentity {
    /// The identity in a PEM: the certificate, then those between it and the authority, and, before or behind them,
    /// one unencrypted private key (PKCS #8, PKCS #1 or SEC 1).
    pub fn from_pem(certificates_and_key: impl Into<Vec<u8>>) -> Self {
        Self(SecretSlice::from(certificates_and_key.into()))
    }

    /// Its certificates and its key, when there is what an identity needs and nothing else.
    pub(crate) fn parts(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
        const WHAT: &str = "the client identity";
        let refuse = |why| Err(Error::configuration(format!("{WHAT} {why}")));
        let pem = self.0.expose_secret();
        // An encrypted key is no section of its own to the parser, or none that it can read.
        if pem.windows(ENCRYPTED.len()).any(|bytes| bytes == ENCRYPTED) {
            return refuse("has an encrypted private key, which must be decrypted first");
        }
        let certificates = sections::<CertificateDer<'static>>(WHAT, pem)?;
        if certificates.is_empty() {
            return refuse("has no section `CERTIFICATE`, is it PEM?");
        }
        let mut keys = sections::<PrivateKeyDer<'static>>(WHAT, pem)?;
        let all = sections::<(SectionKind, Vec<u8>)>(WHAT, pem)?.len();
        match (keys.pop(), keys.len()) {
            (None, _) => refuse("has no private key"),
            (Some(_), 0) if all > certificates.len() + 1 => {
                refuse("has more than certificates and a private key")
            }
            (Some(key), 0) => Ok((certificates, key)),
            (Some(_), _) => refuse("has more than one private key"),
        }
    }
}

/// In the heading of an encrypted PKCS #8 key, and in the first lines of older forms.
const ENCRYPTED: &[u8] = b"ENCRYPTED";

fn sections<T: PemObject>(what: &str, pem: &[u8]) -> Result<Vec<T>, Error> {
    // The parser's own error repeats what it found.
    T::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| Error::configuration(format!("{what} cannot be read as PEM")))
}

//! Failures of TLS: found in the chain of an error, told apart, and stripped of what they quote from certificates.
//!
//! A server's certificate is checked before anything is sent. A client's certificate is refused during the handshake
//! by TLS 1.2, and by TLS 1.3 only after the client takes the handshake for done: then the alert is the answer to a
//! request that is already under way. Over HTTP/2 that alert arrives as text.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError};

use crate::transport::{Failure, TransportError};

/// What rustls said: for people, and by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsFailure {
    message: &'static str,
    name: String,
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rustls: {}", self.name)
    }
}

impl StdError for TlsFailure {}

impl From<TlsFailure> for TransportError {
    fn from(failure: TlsFailure) -> Self {
        let message = failure.message;
        Self::new(Failure::Tls, failure).with_message(message)
    }
}

impl TlsFailure {
    /// Why no connection came about, if TLS is why, and trying again would not change it.
    pub(crate) fn of_connecting(error: &(dyn StdError + 'static)) -> Option<Self> {
        let found = find(error, |cause| cause.downcast_ref().cloned())?;
        match found {
            // The server is in trouble, or somebody stopped it: another try may find it well.
            rustls::Error::AlertReceived(
                AlertDescription::InternalError | AlertDescription::UserCanceled,
            ) => None,
            found => Some(Self::of(&found)),
        }
    }

    /// How the server refused the client's certificate, if that is what broke the connection.
    pub(crate) fn of_breaking(error: &(dyn StdError + 'static)) -> Option<Self> {
        let found = find(error, |cause| {
            let mut refusals =
                OF_CLIENT_CERTIFICATES.iter().map(|alert| rustls::Error::AlertReceived(*alert));
            refusals.find(|refusal| {
                cause.downcast_ref() == Some(refusal) || cause.to_string() == refusal.to_string()
            })
        })?;
        Some(Self::of(&found))
    }

    fn of(error: &rustls::Error) -> Self {
        // `Variant(Inner { .. })` without what is inside: names and times of a certificate are in there.
        let debug = format!("{error:?}");
        let names: Vec<_> = debug.split(|c: char| !c.is_ascii_alphanumeric()).take(2).collect();
        Self { message: message(error), name: names.join(" ").trim_end().to_owned() }
    }
}

/// The alerts with which a server refuses a client's certificate, or that there is none.
const OF_CLIENT_CERTIFICATES: &[AlertDescription] = &[
    AlertDescription::AccessDenied,
    AlertDescription::BadCertificate,
    AlertDescription::CertificateExpired,
    AlertDescription::CertificateRequired,
    AlertDescription::CertificateRevoked,
    AlertDescription::CertificateUnknown,
    AlertDescription::DecryptError,
    AlertDescription::UnknownCA,
    AlertDescription::UnsupportedCertificate,
];

/// Looks through the causes, and into I/O errors, which hide what they carry from `source`.
pub(crate) fn find<T>(
    error: &(dyn StdError + 'static),
    look: impl Fn(&(dyn StdError + 'static)) -> Option<T>,
) -> Option<T> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = look(cause) {
            return Some(found);
        }
        let carried = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = carried.map(|carried| carried as &(dyn StdError + 'static)).or_else(|| cause.source());
    }
    None
}

fn message(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(error) => of_server_certificate(error),
        rustls::Error::NoCertificatesPresented => "the server has shown no certificate",
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server asks for a client certificate"
        }
        rustls::Error::AlertReceived(alert) if OF_CLIENT_CERTIFICATES.contains(alert) => {
            "the server refused the client certificate"
        }
        rustls::Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            "the server does not serve this host name"
        }
        // Some servers say so, too, when they miss a client certificate.
        rustls::Error::AlertReceived(_) => "the server refused the tls handshake",
        rustls::Error::PeerIncompatible(_) => "the server speaks no tls that this client speaks",
        rustls::Error::InvalidMessage(_) => "what answers there does not speak tls",
        _ => "the tls handshake failed",
    }
}

fn of_server_certificate(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::UnknownIssuer => {
            "the server's certificate is from an authority that is not trusted here"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for another host name"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the server's certificate is not for servers"
        }
        CertificateError::Revoked => "the server's certificate has been revoked",
        CertificateError::BadSignature => "the server's certificate is not signed by the authority it names",
        _ => "the server's certificate cannot be trusted",
    }
}

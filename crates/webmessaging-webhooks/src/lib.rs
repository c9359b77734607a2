#![doc = include_str!("../README.md")]

pub mod error;
pub mod event;
pub mod explain;
#[cfg(feature = "axum")]
pub mod receiver;
pub mod secret;
pub mod sign;
pub mod verify;

pub use secrecy::SecretString;

pub use crate::error::{Error, ErrorKind};
pub use crate::event::{ContentKey, Event, EventData};
pub use crate::explain::{Case, Explanation, Finding, FindingCode, Outcome, explain};
pub use crate::secret::{Secret, Secrets};
pub use crate::sign::{Signer, Spelling};
pub use crate::verify::{Delivery, Proof, Scheme, Verifier};
pub use webmessaging_model::ScanProgress;

/// Runs the examples of a guide.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/verify-webhooks.md")]
struct VerifyGuide;

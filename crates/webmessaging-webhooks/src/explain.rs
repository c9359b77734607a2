//! Explanations: which mistake it was that a delivery was refused for, and never what the right signature would have been.

mod claims;
mod finding;
mod json;
mod keys;
mod search;
mod texts;

use std::fmt;

use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use serde::Serialize;
use webmessaging_model::Timestamp;

use self::claims::{Claim, claims};
use self::keys::keys;
use self::search::{Match, search};
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::secret::{Secret, Secrets};
use crate::verify::{ID, Marks, Proof, SIGNATURE, SIGNATURES_MAX, TIMESTAMP, Verifier, text};

pub use self::finding::{Finding, FindingCode};

/// Explains a delivery by the rules of a verifier that accepts every form.
///
/// See [`Case`] for a verifier of your own, the URL of the request, and secrets that are retired.
///
/// # Examples
/// ```
/// use webmessaging_model::Timestamp;
/// use webmessaging_webhooks::{FindingCode, Secret, Secrets, Signer, explain};
///
/// let secret = Secret::new("2026-11", "correct horse battery staple")?;
/// let headers = Signer::new(secret.clone()).sign(br#"{"eventType": "example"}"#);
/// // A framework has parsed the body, and written it again.
/// let body = br#"{"eventType":"example"}"#;
///
/// let explanation = explain(body, &headers, &Secrets::from(secret), Timestamp::UNIX_EPOCH);
/// assert_eq!(explanation.findings[0].code, FindingCode::JsonReserialized);
/// # Ok::<(), webmessaging_model::Violations>(())
/// ```
pub fn explain(body: &[u8], headers: &HeaderMap, secrets: &Secrets, now: Timestamp) -> Explanation {
    Case::new(body, headers).explain(&Verifier::new(secrets.clone()).timestamped(true), now)
}

/// A delivery that is to be explained.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    body: &'a [u8],
    headers: &'a HeaderMap,
    url: Option<&'a str>,
    retired: Option<&'a Secrets>,
}

impl<'a> Case<'a> {
    /// A delivery, as it got to the verifier.
    pub fn new(body: &'a [u8], headers: &'a HeaderMap) -> Self {
        Self { body, headers, url: None, retired: None }
    }

    /// Adds the URL it was sent to, in case it was signed, too.
    #[must_use]
    pub fn url(mut self, url: &'a str) -> Self {
        self.url = Some(url);
        self
    }

    /// Adds secrets that the verifier does not accept any more, in case one of them is still in use.
    #[must_use]
    pub fn retired(mut self, secrets: &'a Secrets) -> Self {
        self.retired = Some(secrets);
        self
    }

    /// Finds out what is wrong.
    ///
    /// It looks at one delivery as long as it takes to hash 256 MiB, which is about a second, so it is for people and not for
    /// every request.
    pub fn explain(&self, verifier: &Verifier, now: Timestamp) -> Explanation {
        match verifier.verify_signature(self.body, self.headers, now) {
            Ok(proof) => self.signed(&proof, verifier),
            Err(error) => self.refused(verifier, now, &error),
        }
    }

    fn signed(&self, proof: &Proof, verifier: &Verifier) -> Explanation {
        let label = Some(proof.secret_label());
        let mut explanation = Explanation::new(Outcome::Valid);
        explanation.secret = label.map(str::to_owned);
        if proof.secret_index() > 0 {
            let detail =
                format!("number {} of {}", proof.secret_index() + 1, verifier.secrets().as_slice().len());
            explanation
                .findings
                .push(Finding::new(FindingCode::OldSecret, true).detail(Some(detail)).secret(label));
        }
        if let Err(error) = Event::from_slice(self.body) {
            let code = match error.kind() {
                ErrorKind::NotJson => FindingCode::BodyNotJson,
                _ => FindingCode::UnknownShape,
            };
            let finding = Finding::new(code, true).detail(Some(error.to_string()));
            explanation.findings.insert(0, finding);
            explanation.outcome = Outcome::Explained;
            explanation.error = Some(error.kind().code());
        }
        explanation
    }

    fn refused(&self, verifier: &Verifier, now: Timestamp, error: &Error) -> Explanation {
        let mut explanation = Explanation::new(Outcome::Explained);
        explanation.error = Some(error.kind().code());
        match error.kind() {
            ErrorKind::TooLarge => explanation.findings.push(Finding::new(FindingCode::BodyTooLarge, true)),
            ErrorKind::Expired => explanation.findings.push(self.expired(verifier, now)),
            _ => self.search(verifier, &mut explanation),
        }
        explanation
    }

    fn expired(&self, verifier: &Verifier, now: Timestamp) -> Finding {
        let seconds = self.headers.get(TIMESTAMP).and_then(text).and_then(|text| text.parse::<i64>().ok());
        let as_millis = Timestamp::from_unix_millis(seconds.unwrap_or_default());
        if as_millis.since(now).max(now.since(as_millis)) <= verifier.timestamp_window() {
            return Finding::new(FindingCode::TimestampInMilliseconds, true).header(&TIMESTAMP);
        }
        let at = Timestamp::from_unix_millis(seconds.unwrap_or_default().saturating_mul(1_000));
        let (away, where_to) = if at < now { (now.since(at), "before") } else { (at.since(now), "after") };
        let window = verifier.timestamp_window().as_secs();
        let detail = format!("{} s {where_to} now, and {window} s are accepted", away.as_secs());
        Finding::new(FindingCode::TimestampOutsideWindow, true).detail(Some(detail)).header(&TIMESTAMP)
    }

    fn search(&self, verifier: &Verifier, explanation: &mut Explanation) {
        let claims = claims(self.headers, verifier);
        let current = verifier.secrets().as_slice();
        let retired = self.retired.map(Secrets::as_slice).unwrap_or_default();
        let secrets: Vec<&Secret> = current.iter().chain(retired).collect();
        let keys = keys(secrets.iter().copied());
        let found = search(&claims, &keys, self.body, self.headers, self.url);
        for one in &found.matches {
            let label = one.secret.and_then(|index| secrets.get(index)).map(|secret| secret.label());
            let is_retired = one.secret.is_some_and(|index| index >= current.len());
            explanation.add_match(one, claims.get(one.claim), label, is_retired);
        }
        let observed = self.observe(verifier, &claims);
        let is_known = |code| explanation.findings.iter().any(|known| known.code == code);
        let observed: Vec<_> = observed.into_iter().filter(|one| !is_known(one.code)).collect();
        if explanation.findings.is_empty() {
            explanation.outcome = if observed.is_empty() { Outcome::Unexplained } else { Outcome::Suspected };
        }
        explanation.findings.extend(observed);
        explanation.tried = found.tried.into_iter().collect();
        explanation.is_complete = found.is_complete && self.body.len() <= texts::REWRITTEN_BYTES_MAX;
    }

    /// What the request looks like, whatever its signature proves.
    fn observe(&self, verifier: &Verifier, claims: &[Claim]) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut saw = |code| findings.push(Finding::new(code, false));
        let is_asked = |claim: &&Claim| !claim.codes.contains(&FindingCode::OtherHeader);
        if verifier.accepts_timestamped() && self.headers.contains_key(SIGNATURE) {
            match Marks::read(self.headers).map_err(|error| error.kind()) {
                Ok(_) => {}
                Err(ErrorKind::MissingSignature) => saw(FindingCode::TimestampedIncomplete),
                Err(_) => saw(FindingCode::TimestampUnreadable),
            }
        } else if verifier.accepts_timestamped() && self.headers.contains_key(ID) {
            saw(FindingCode::TimestampedIncomplete);
        }
        if !claims.iter().any(|claim| is_asked(&claim)) {
            saw(FindingCode::MissingSignature);
        }
        if claims.iter().filter(is_asked).count() > SIGNATURES_MAX {
            saw(FindingCode::TooManySignatures);
        }
        if self.body.is_empty() {
            saw(FindingCode::EmptyBody);
        }
        let encoding = self.headers.get(CONTENT_ENCODING).and_then(text).unwrap_or("identity");
        if is_compressed(self.body) || encoding == "br" && !looks_like_json(self.body) {
            saw(FindingCode::CompressedBody);
        } else if encoding != "identity" && looks_like_json(self.body) {
            saw(FindingCode::DecompressedBody);
        }
        if std::str::from_utf8(self.body).is_ok_and(|text| text.contains('\u{fffd}')) {
            saw(FindingCode::ReplacedCharacters);
        }
        for claim in claims.iter().filter(is_asked) {
            if let Err(detail) = claim.mac {
                let of_claim = claim.codes.iter().map(|code| {
                    let detail = detail.filter(|_| *code == FindingCode::WrongHash);
                    Finding::new(*code, false).detail(detail).header(&claim.header)
                });
                findings.extend(of_claim);
            }
        }
        findings
    }
}

impl fmt::Debug for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("body_bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// What an explanation comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Outcome {
    /// The delivery is accepted.
    Valid,
    /// It is refused, and at least one finding is proven.
    Explained,
    /// It is refused, and the findings are what it looks like.
    Suspected,
    /// It is refused, and nothing that was tried explains it. Mostly the secret is another one.
    Unexplained,
}

/// Why a delivery is refused, or that it is not.
///
/// It holds no secret, nothing of the body and no signature, given or expected, so it can be shown to whoever runs the sender.
/// `Display` is for people, serde for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Explanation {
    /// What it comes to.
    pub outcome: Outcome,
    /// The code of the error that the verifier gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    /// The label of the secret of a delivery that is signed all right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// What was found, the proven and likely things first.
    pub findings: Vec<Finding>,
    /// What was looked for.
    pub tried: Vec<FindingCode>,
    /// Whether everything was tried; large bodies are not written again in other styles.
    pub is_complete: bool,
}

impl Explanation {
    fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            error: None,
            secret: None,
            findings: Vec::new(),
            tried: Vec::new(),
            is_complete: true,
        }
    }

    fn add_match(&mut self, one: &Match, claim: Option<&Claim>, label: Option<&str>, is_retired: bool) {
        let retired = is_retired.then_some((FindingCode::OldSecret, Some("it is not accepted any more")));
        for (code, detail) in one.mistakes.iter().copied().chain(retired) {
            if self.findings.iter().all(|known| known.code != code) {
                let finding = Finding::new(code, true).detail(detail).secret(label);
                self.findings.push(match claim {
                    Some(claim) => finding.header(&claim.header),
                    None => finding,
                });
            }
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.outcome {
            Outcome::Valid => "valid",
            Outcome::Explained => "refused, and this is why",
            Outcome::Suspected => "refused, and this may be why",
            Outcome::Unexplained => "refused, and nothing that was tried explains it",
        })?;
        for finding in &self.findings {
            write!(f, "\n[{}] {finding}\n    {}", finding.code, finding.advice)?;
        }
        if self.outcome == Outcome::Unexplained {
            let tried: Vec<_> = self.tried.iter().map(|code| code.code()).collect();
            write!(f, "\ntried: {}", tried.join(", "))?;
            f.write_str("\n    compare the secrets of both sides by their SHA-256")?;
        }
        Ok(())
    }
}

/// Whether it begins as gzip, zlib or Zstandard do.
fn is_compressed(body: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 5] = [b"\x1f\x8b", b"\x78\x01", b"\x78\x9c", b"\x78\xda", b"\x28\xb5\x2f\xfd"];
    BEGINNINGS.iter().any(|beginning| body.starts_with(beginning))
}

fn looks_like_json(body: &[u8]) -> bool {
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'['))
}

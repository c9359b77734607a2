//! `webmessaging guests hash`: the hashes of identities, in the order of their lines.

use serde_json::json;
use webmessaging::guests::{IdentityHash, IdentityHasher};
use webmessaging::model::{Violation, Violations};

use super::{about, salt};
use crate::args::guests::{HashArgs, IdentityKind};
use crate::failure::{Exit, Failure};
use crate::input;
use crate::output::Output;

const IDENTITIES_BYTES_MAX: usize = 64 * 1024 * 1024;

pub(super) fn run(args: &HashArgs, output: Output) -> Result<Exit, Failure> {
    let hasher = salt::hasher(&args.salt)?;
    let shown = args.identities.display().to_string();
    let text = input::text(&args.identities, IDENTITIES_BYTES_MAX)?;
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        // Hashes stand where their lines do.
        if line.trim().is_empty() {
            found.push(None);
            continue;
        }
        match hash(&hasher, args, line) {
            Ok(hash) => found.push(Some(hash)),
            Err(mut violation) => {
                violation.path = format!("line {number}: {}", violation.path).into();
                refused.push(violation);
            }
        }
    }
    // Half a list would be taken for the whole.
    Violations::check(refused).map_err(|violations| about(violations, shown))?;
    let digits: Vec<_> = found.iter().map(|hash| hash.as_ref().map(IdentityHash::as_str)).collect();
    output.result(&json!({"ok": true, "hashes": digits}), || {
        digits.iter().map(|digits| digits.unwrap_or_default()).collect::<Vec<_>>().join("\n")
    })?;
    Ok(Exit::Success)
}

fn hash(hasher: &IdentityHasher, args: &HashArgs, line: &str) -> Result<IdentityHash, Violation> {
    match args.kind {
        IdentityKind::Email => hasher.email(line),
        IdentityKind::Phone => hasher.phone_in(line, args.region.as_deref()),
    }
}

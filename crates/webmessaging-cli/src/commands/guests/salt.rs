//! What identities are hashed with.

use webmessaging::SecretString;
use webmessaging::guests::IdentityHasher;

use super::about;
use crate::args::guests::SaltArgs;
use crate::failure::{Failure, Local};
use crate::input;

const VARIABLE: &str = "WEBMESSAGING_IDENTITY_SALT";

/// Enough for any key.
const SALT_BYTES_MAX: usize = 4_096;

pub(super) fn hasher(args: &SaltArgs) -> Result<IdentityHasher, Failure> {
    let (salt, from) = match &args.salt_file {
        Some(path) => {
            let text = input::text(path, SALT_BYTES_MAX)?;
            let line = text.strip_suffix('\n').map_or(&*text, |line| line.strip_suffix('\r').unwrap_or(line));
            (Some(line.to_owned()), path.display().to_string())
        }
        None => (input::variable(VARIABLE)?, VARIABLE.to_owned()),
    };
    let missing = || {
        Local::input("configuration", "there is no salt: give --salt-file, or set WEBMESSAGING_IDENTITY_SALT")
    };
    let salt = SecretString::from(salt.ok_or_else(missing)?);
    let made =
        if args.salted { IdentityHasher::salted_sha256(salt) } else { IdentityHasher::hmac_sha256(salt) };
    made.map_err(|violation| about(violation, from))
}

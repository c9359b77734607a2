//! The secrets that webhooks are signed with: from files and from the environment, never from an argument.

use std::path::{Path, PathBuf};

use clap::Args;
use webmessaging::model::Violations;
use webmessaging::webhooks::secret::SECRET_BYTES_MAX;
use webmessaging::webhooks::{Secret, Secrets};

use crate::failure::{Failure, Local};
use crate::input;

const VARIABLE: &str = "WEBMESSAGING_WEBHOOK_SECRET";

/// The label of the secret in the environment.
const ENVIRONMENT: &str = "environment";

/// How secrets of the Standard Webhooks specification begin; they are base64 of the key.
const STANDARD: &str = "whsec_";

#[derive(Debug, Args)]
#[command(next_help_heading = "Secrets")]
pub(crate) struct SecretArgs {
    /// File with a secret, which is called by the file's name; the current one first. One newline at the end does not
    /// count, and after `whsec_` the secret is base64. `WEBMESSAGING_WEBHOOK_SECRET` has another one, called
    /// `environment`
    #[arg(long, value_name = "PATH")]
    secret_file: Vec<PathBuf>,
}

impl SecretArgs {
    /// The secrets that were given, if any.
    pub(crate) fn read(&self) -> Result<Option<Secrets>, Failure> {
        let mut secrets = Vec::new();
        for path in &self.secret_file {
            // What fits is a secret with a line end of either kind.
            let text = input::text(path, SECRET_BYTES_MAX + 2)?;
            let text = text.strip_suffix('\n').map_or(&*text, |line| line.strip_suffix('\r').unwrap_or(line));
            secrets.push(
                secret(&label(path), text)
                    .map_err(|error| Local::from(error).about(path.display().to_string()))?,
            );
        }
        if let Some(text) = input::variable(VARIABLE)? {
            secrets.push(secret(ENVIRONMENT, &text).map_err(|error| Local::from(error).about(VARIABLE))?);
        }
        if secrets.is_empty() {
            return Ok(None);
        }
        Ok(Some(Secrets::new(secrets).map_err(Local::from)?))
    }

    /// The secrets, at least one.
    pub(crate) fn required(&self) -> Result<Secrets, Failure> {
        let missing = "there is no secret: give --secret-file, or set WEBMESSAGING_WEBHOOK_SECRET";
        self.read()?.ok_or_else(|| Local::input("configuration", missing).into())
    }
}

fn secret(label: &str, text: &str) -> Result<Secret, Violations> {
    if text.starts_with(STANDARD) { Secret::standard(label, text) } else { Secret::new(label, text) }
}

fn label(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

//! `webmessaging channels validate` and `plan`: what a manifest says, and what it would change.

use serde_json::{Value, json};
use webmessaging::Error;
use webmessaging::channels::{ChannelsClient, ManifestPlan};

use crate::args::channels::{PlanArgs, ValidateArgs};
use crate::failure::{Exit, Failure};
use crate::manifests::{ManifestFile, rules};
use crate::output::{Output, colored_plan, printable};

pub(super) fn validate(args: &ValidateArgs, output: Output) -> Result<Exit, Failure> {
    let path = &args.manifest.manifest;
    let manifest = ManifestFile::read(path)?.manifest;
    let checked = manifest.check(&rules(args.manifest.rules.as_deref())?);
    checked.map_err(|violations| Failure::about(Error::from(violations), path.display().to_string()))?;
    let count = manifest.channels.len();
    output.result(&json!({"ok": true, "channels": count}), || {
        let channels = if count == 1 { "1 channel".to_owned() } else { format!("{count} channels") };
        format!("{channels}, no rule is broken")
    })?;
    Ok(Exit::Success)
}

pub(super) async fn plan(args: PlanArgs, output: Output) -> Result<Exit, Failure> {
    let planned = Planned::new(args, |channels| channels).await?;
    output.result(&planned.report(), || planned.text())?;
    Ok(planned.exit())
}

/// A plan with all it was made of.
pub(super) struct Planned {
    pub(super) file: ManifestFile,
    pub(super) channels: ChannelsClient,
    pub(super) plan: ManifestPlan,
}

impl Planned {
    pub(super) async fn new(
        args: PlanArgs,
        set_up: impl FnOnce(ChannelsClient) -> ChannelsClient,
    ) -> Result<Self, Failure> {
        let path = &args.manifest.manifest;
        let file = ManifestFile::read(path)?;
        let channels = args.connection.client()?.channels().rules(rules(args.manifest.rules.as_deref())?);
        let channels = set_up(channels);
        let plan = channels.plan_manifest(&file.manifest, file.last.as_ref()).await;
        let plan = plan.map_err(|error| Failure::about(error, path.display().to_string()))?;
        let plan = if args.overwrite { plan.overwriting() } else { plan };
        Ok(Self { file, channels, plan })
    }

    pub(super) fn exit(&self) -> Exit {
        if self.plan.is_in_conflict() {
            Exit::CONFLICT
        } else if !self.plan.missing.is_empty() {
            Exit::Refused
        } else if self.plan.is_empty() && !self.file.is_behind(&self.plan) {
            Exit::Success
        } else {
            Exit::Pending
        }
    }

    pub(super) fn report(&self) -> Value {
        let mut report = json!(self.plan);
        if let Value::Object(fields) = &mut report {
            fields.insert("ok".to_owned(), matches!(self.exit(), Exit::Success | Exit::Pending).into());
            fields.insert("pending".to_owned(), (!self.plan.is_empty()).into());
            fields.insert("appliedIsBehind".to_owned(), self.file.is_behind(&self.plan).into());
        }
        report
    }

    pub(super) fn text(&self) -> String {
        let mut paragraphs = vec![colored_plan(&self.plan.to_string())];
        if self.plan.is_in_conflict() {
            let hint =
                "Take over what others have changed into the manifest, and apply that; or say --overwrite.";
            paragraphs.push(hint.to_owned());
        }
        let changing = self.plan.channels.iter().filter(|channel| !channel.is_empty());
        let unknown: Vec<_> = changing
            .filter(|channel| !channel.was_applied)
            .map(|channel| printable(channel.id().as_str()))
            .collect();
        if !unknown.is_empty() {
            let unknown = unknown.join(", ");
            paragraphs.push(format!(
                "What others have changed is not known of channels that were never applied: {unknown}."
            ));
        }
        if let Some(path) = self.file.applied.as_deref().filter(|_| self.file.is_behind(&self.plan)) {
            paragraphs.push(format!("{} is behind: `apply` brings it up to date.", path.display()));
        }
        paragraphs.join("\n\n")
    }
}

//! `webmessaging channels validate` and `plan`: what a manifest says, and what it would change.

use serde_json::{Value, json};
use webmessaging::Error;
use webmessaging::channels::{ChannelsClient, ManifestPlan};

use crate::args::channels::{PlanArgs, ValidateArgs};
use crate::failure::{Exit, Failure};
use crate::manifests::{ManifestFile, rules};
use crate::output::{Output, colored_plan};

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
    let exit = planned.exit();
    let mut report = json!(planned.plan);
    if let Value::Object(fields) = &mut report {
        fields.insert("ok".to_owned(), matches!(exit, Exit::Success | Exit::Pending).into());
        fields.insert("pending".to_owned(), (!planned.plan.is_empty()).into());
    }
    output.result(&report, || planned.text())?;
    Ok(exit)
}

/// A plan with all it was made of.
pub(super) struct Planned {
    pub(super) file: ManifestFile,
    pub(super) channels: ChannelsClient,
    pub(super) plan: ManifestPlan,
    is_overwriting: bool,
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
        let last = file.last.as_ref().filter(|_| !args.overwrite);
        let plan = channels.plan_manifest(&file.manifest, last).await;
        let plan = plan.map_err(|error| Failure::about(error, path.display().to_string()))?;
        Ok(Self { file, channels, plan, is_overwriting: args.overwrite })
    }

    pub(super) fn exit(&self) -> Exit {
        if self.plan.has_conflicts() {
            Exit::CONFLICT
        } else if !self.plan.missing.is_empty() {
            Exit::Refused
        } else if self.plan.is_empty() {
            Exit::Success
        } else {
            Exit::Pending
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = colored_plan(&self.plan.to_string());
        if self.plan.has_conflicts() {
            text.push_str("\n\nTake over what others have changed into the manifest, or say --overwrite.");
        }
        let unknown = self.file.unknown().filter(|_| !self.is_overwriting && !self.plan.is_empty());
        if let Some(path) = unknown {
            text = format!(
                "{text}\n\nWhat others have changed is not known before {} is there; the first `apply` makes it.",
                path.display()
            );
        }
        text
    }
}

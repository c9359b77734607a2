//! Manifests, planned and applied: channel by channel, with the end of each.

use std::collections::{HashMap, HashSet};

use webmessaging_http::{Error, ErrorKind, Sent};
use webmessaging_model::{ChannelId, Violations};

use crate::applied::{Applied, AppliedChannel, ApplyEnd};
use crate::channel::Channel;
use crate::client::{ChannelsClient, NO_CHANNEL};
use crate::manifest::{Declared, Manifest};
use crate::manifest_plan::{ManifestPlan, PlannedChannel};
use crate::operations::UPDATE_CHANNEL;
use crate::plan::{Plan, Updated};

/// So many channels are read one by one; for more of them the pages of the list take fewer requests.
const SINGLY_MAX: usize = 10;

fn end_of(updated: Updated) -> ApplyEnd {
    if updated.changes.is_empty() { ApplyEnd::Unchanged } else { ApplyEnd::Changed(updated.changes) }
}

fn refused(kind: ErrorKind, message: &'static str) -> Error {
    Error::new(kind, Sent::No).with_operation(&UPDATE_CHANNEL).with_message(message)
}

impl ChannelsClient {
    /// Says what a manifest would change, and changes nothing. `last` is the manifest as it was applied last, if that is known: where a channel
    /// is not any more what that says, somebody else has changed it, and a change of ours there is a conflict.
    ///
    /// Up to ten channels are read one by one, more by listing all that there are.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) with every rule that the manifest breaks, but for what the channels have already; and those of
    /// [`Client::send`](webmessaging_http::Client::send).
    pub async fn plan_manifest(
        &self,
        manifest: &Manifest,
        last: Option<&Manifest>,
    ) -> Result<ManifestPlan, Error> {
        let invalid = |violations| Error::from(violations).with_operation(&UPDATE_CHANNEL);
        let checked = manifest.check(&self.rules);
        // What is wrong with the manifest itself no channel can excuse.
        let of_itself =
            |violations: &Violations| violations.iter().any(|broken| broken.rule.starts_with("manifest."));
        if let Err(violations) = &checked
            && of_itself(violations)
        {
            return Err(invalid(violations.clone()));
        }
        let mut found = self.current(manifest.channels.iter().map(|declared| &declared.id)).await?;
        if checked.is_err() {
            manifest.check_beside(&self.rules, |id| found.get(id)).map_err(invalid)?;
        }
        let (mut channels, mut missing) = (Vec::new(), Vec::new());
        for declared in &manifest.channels {
            match found.remove(&declared.id) {
                Some(channel) => {
                    let last = last.and_then(|last| last.channel(&declared.id));
                    channels.push(PlannedChannel::new(manifest, declared, last, channel));
                }
                None => missing.push(declared.id.clone()),
            }
        }
        Ok(ManifestPlan { channels, missing, overwrites: false })
    }

    /// Changes what a plan says, channel by channel, and stops at the first that fails. Before the first change every channel is looked at
    /// again: one that is gone, or that somebody has changed at the same places since it was planned, fails before anything is sent.
    ///
    /// Whatever happens later, the outcome has exactly what was done; [`roll_back`](Self::roll_back) undoes it. To apply the manifest
    /// again does what is left to do.
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) when the plan is in conflict, [`NotFound`](ErrorKind::NotFound) when channels of it are missing, and
    /// those of [`Client::send`](webmessaging_http::Client::send) when the channels cannot be looked at. Nothing was sent then.
    pub async fn apply_manifest(&self, plan: &ManifestPlan) -> Result<Applied, Error> {
        self.apply_manifest_while(plan, || true).await
    }

    /// The same, as long as `go_on` says so: it is asked before each channel. Those that it leaves out are [`NotTried`](ApplyEnd::NotTried). To drop the
    /// future instead loses the outcome.
    ///
    /// # Errors
    /// Those of [`apply_manifest`](Self::apply_manifest).
    pub async fn apply_manifest_while(
        &self,
        plan: &ManifestPlan,
        go_on: impl Fn() -> bool + Send,
    ) -> Result<Applied, Error> {
        if plan.is_in_conflict() {
            let message = "somebody else has changed what the plan would change";
            return Err(refused(ErrorKind::Conflict, message));
        }
        if !plan.missing.is_empty() {
            return Err(refused(ErrorKind::NotFound, NO_CHANNEL));
        }
        let mut applied = Applied { channels: plan.channels.iter().map(AppliedChannel::planned).collect() };
        if self.are_ready(&mut applied).await? {
            for channel in applied.pending() {
                if !go_on() {
                    break;
                }
                self.change(channel).await;
                if matches!(channel.end, ApplyEnd::Failed(_)) {
                    break;
                }
            }
        }
        Ok(applied)
    }

    async fn change(&self, channel: &mut AppliedChannel) {
        channel.end = match self.update(&channel.update).await {
            Ok(updated) => {
                channel.compare(&updated.channel);
                end_of(updated)
            }
            Err(error) => ApplyEnd::Failed(error),
        };
    }

    /// Whether all that is to change is as it was planned; the first channel that is not has failed.
    async fn are_ready(&self, applied: &mut Applied) -> Result<bool, Error> {
        let ids: Vec<_> = applied.pending().map(|channel| channel.update.id.clone()).collect();
        let mut found = self.current(ids.iter()).await?;
        for channel in applied.pending() {
            let looked = match found.remove(&channel.update.id) {
                Some(now) => Plan::new(&channel.update, now, &self.rules).map(drop),
                None => Err(refused(ErrorKind::NotFound, NO_CHANNEL)),
            };
            if let Err(error) = looked {
                channel.end = ApplyEnd::Failed(error);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Undoes what an application has done, the last change first: each place that it has changed gets back what was there, unless somebody has
    /// changed it since; what was `null` is removed. A change that failed and may be there all the same is looked after too. It stops at
    /// nothing: the outcome has every such channel, and one that could not be brought back is [`Failed`](ApplyEnd::Failed).
    pub async fn roll_back(&self, applied: &Applied) -> Applied {
        let mut back = Applied { channels: Vec::new() };
        for channel in applied.channels.iter().rev().filter(|channel| channel.may_be_changed()) {
            let update = channel.undoing();
            let end = self.update(&update).await.map_or_else(ApplyEnd::Failed, end_of);
            let declared = Declared::new(channel.id().clone());
            back.channels.push(AppliedChannel { end, differing: Vec::new(), declared, update });
        }
        back
    }

    /// The channels of these ids as they are now; those that do not exist are not among them.
    async fn current<'a>(
        &self,
        ids: impl Iterator<Item = &'a ChannelId>,
    ) -> Result<HashMap<ChannelId, Channel>, Error> {
        let mut wanted: HashSet<_> = ids.collect();
        let mut found = HashMap::new();
        if wanted.len() > SINGLY_MAX {
            let mut listed = self.discover().of_every_type();
            while !wanted.is_empty()
                && let Some(channel) = listed.next().await
            {
                let channel = channel?;
                if wanted.remove(&channel.id) {
                    found.insert(channel.id.clone(), channel);
                }
            }
        }
        // A list that changes while it is read can leave one out.
        for id in wanted {
            match self.channel(id.clone()).await {
                Ok(channel) => found.insert(id.clone(), channel),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
        }
        Ok(found)
    }
}

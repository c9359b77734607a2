//! Manifests, planned and applied: channel by channel, with the end of each.

use std::collections::{HashMap, HashSet};

use webmessaging_http::{Error, ErrorKind, Sent};
use webmessaging_model::ChannelId;
use webmessaging_model::json_merge::Change;

use crate::channel::Channel;
use crate::channel_update::ChannelUpdate;
use crate::client::{ChannelsClient, NO_CHANNEL, is_doubtful};
use crate::manifest::Manifest;
use crate::manifest_plan::{ManifestPlan, PlannedChannel};
use crate::operations::UPDATE_CHANNEL;
use crate::plan::Plan;

/// So many channels are read one by one; for more of them the pages of the list take fewer requests.
const SINGLY_MAX: usize = 10;

/// What became of a plan: every channel of it, in its order.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Applied {
    /// The channels.
    pub channels: Vec<AppliedChannel>,
}

/// What became of one channel.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AppliedChannel {
    /// How it ended.
    pub end: ApplyEnd,
    update: ChannelUpdate,
}

/// How a channel of a plan ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ApplyEnd {
    /// It was as it should be.
    Unchanged,
    /// It was changed, at these places.
    Changed(Vec<Change>),
    /// The change failed. It can be there all the same where the error says that it may have been sent.
    Failed(Error),
    /// It was not touched, because another one had failed.
    NotTried,
}

impl Applied {
    /// The channel that failed, with its error; when nothing did, all channels are as planned.
    pub fn failed(&self) -> Option<(&ChannelId, &Error)> {
        self.channels.iter().find_map(|channel| match &channel.end {
            ApplyEnd::Failed(error) => Some((channel.id(), error)),
            _ => None,
        })
    }

    fn pending(&mut self) -> impl Iterator<Item = &mut AppliedChannel> {
        self.channels.iter_mut().filter(|channel| matches!(channel.end, ApplyEnd::NotTried))
    }
}

fn refused(kind: ErrorKind, message: &'static str) -> Error {
    Error::new(kind, Sent::No).with_operation(&UPDATE_CHANNEL).with_message(message)
}

impl AppliedChannel {
    /// The channel.
    pub fn id(&self) -> &ChannelId {
        &self.update.id
    }
}

impl ChannelsClient {
    /// Says what a manifest would change, and changes nothing. `last` is the manifest as it was applied last, if that is known: where a channel
    /// is not any more what that says, somebody else has changed it, and a change of ours there is a conflict.
    ///
    /// Up to ten channels are read one by one, more by listing all that there are.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) with every rule that the manifest breaks, before anything is asked; and those of
    /// [`Client::send`](webmessaging_http::Client::send).
    pub async fn plan_manifest(
        &self,
        manifest: &Manifest,
        last: Option<&Manifest>,
    ) -> Result<ManifestPlan, Error> {
        manifest
            .check(&self.rules)
            .map_err(|violations| Error::from(violations).with_operation(&UPDATE_CHANNEL))?;
        let mut found = self.current(manifest.channels.iter().map(|declared| &declared.id)).await?;
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
        Ok(ManifestPlan { channels, missing })
    }

    /// Changes what a plan says, channel by channel, and stops at the first that fails. Before the first change every channel is looked at
    /// again: one that is gone, or that somebody has changed at the same places since it was planned, fails before anything is sent.
    ///
    /// Whatever happens later, the outcome has exactly what was done; [`roll_back`](Self::roll_back) undoes it. To apply the manifest
    /// again does what is left to do.
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) when the plan has conflicts, [`NotFound`](ErrorKind::NotFound) when channels of it are missing, and
    /// those of [`Client::send`](webmessaging_http::Client::send) when the channels cannot be looked at. Nothing was sent then.
    pub async fn apply_manifest(&self, plan: &ManifestPlan) -> Result<Applied, Error> {
        if plan.has_conflicts() {
            let message = "somebody else has changed what the plan would change";
            return Err(refused(ErrorKind::Conflict, message));
        }
        if !plan.missing.is_empty() {
            return Err(refused(ErrorKind::NotFound, NO_CHANNEL));
        }
        let mut applied = Applied {
            channels: plan
                .channels
                .iter()
                .map(|channel| AppliedChannel {
                    end: if channel.is_empty() { ApplyEnd::Unchanged } else { ApplyEnd::NotTried },
                    update: channel.update.clone(),
                })
                .collect(),
        };
        if self.are_ready(&mut applied).await? {
            self.update_each(applied.pending()).await;
        }
        Ok(applied)
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

    /// Undoes what an application has done, the last change first: each place gets back what was there, unless somebody has changed it
    /// since. A change that failed and may be there all the same is looked after too. It stops at nothing: the outcome has every such channel,
    /// and one that could not be brought back is [`Failed`](ApplyEnd::Failed).
    pub async fn roll_back(&self, applied: &Applied) -> Applied {
        let changed = applied.channels.iter().rev().filter(|channel| match &channel.end {
            ApplyEnd::Changed(_) => true,
            // Where nothing of it is there, there is nothing to undo.
            ApplyEnd::Failed(error) => is_doubtful(error) || error.kind() == ErrorKind::NotRecorded,
            ApplyEnd::Unchanged | ApplyEnd::NotTried => false,
        });
        let mut back = Applied {
            channels: changed
                .map(|channel| AppliedChannel { end: ApplyEnd::NotTried, update: channel.update.reversed() })
                .collect(),
        };
        for channel in &mut back.channels {
            channel.end = self.end_of(&channel.update).await;
        }
        back
    }

    async fn update_each(&self, channels: impl Iterator<Item = &mut AppliedChannel>) {
        for channel in channels {
            channel.end = self.end_of(&channel.update).await;
            if matches!(channel.end, ApplyEnd::Failed(_)) {
                return;
            }
        }
    }

    async fn end_of(&self, update: &ChannelUpdate) -> ApplyEnd {
        match self.update(update).await {
            Ok(updated) if updated.changes.is_empty() => ApplyEnd::Unchanged,
            Ok(updated) => ApplyEnd::Changed(updated.changes),
            Err(error) => ApplyEnd::Failed(error),
        }
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

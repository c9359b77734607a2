//! Progress bars on standard error, where a person sees them; indicatif hides them where standard error is not a terminal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use webmessaging::files::BatchEvent;

use crate::output::Output;

const FILE: &str = "{msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";
const TOTAL: &str = "{pos}/{len} files {wide_bar} {msg} {elapsed}";

/// The bar of one file.
pub(crate) fn single(output: Output, name: &str) -> ProgressBar {
    if !output.is_for_people() {
        return ProgressBar::hidden();
    }
    bar(FILE).with_message(name.to_owned())
}

fn bar(template: &str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// A bar for each file under way, and one for all of them.
#[derive(Clone)]
pub(super) struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    files: Arc<Mutex<HashMap<usize, ProgressBar>>>,
}

impl Bars {
    pub(super) fn new(output: Output) -> Self {
        let all = MultiProgress::new();
        if !output.is_for_people() {
            all.set_draw_target(ProgressDrawTarget::hidden());
        }
        let total = all.add(bar(TOTAL));
        Self { all, total, files: Arc::default() }
    }

    /// Shows what happens.
    pub(super) fn tell(&self, event: &BatchEvent<'_>) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            BatchEvent::Listed { files } => self.total.set_length(u64::try_from(*files).unwrap_or(u64::MAX)),
            BatchEvent::Begun { index, name } => {
                let bar = bar(FILE).with_message((*name).to_owned());
                files.insert(*index, self.all.insert_before(&self.total, bar));
            }
            BatchEvent::Sent { index, progress } => {
                if let Some(bar) = files.get(index) {
                    bar.set_length(progress.total_bytes);
                    bar.set_position(progress.sent_bytes);
                }
            }
            BatchEvent::Ended { index, .. } => {
                if let Some(bar) = files.remove(index) {
                    bar.finish_and_clear();
                }
                self.total.inc(1);
            }
            _ => {}
        }
    }

    pub(super) fn end(&self) {
        self.total.finish_and_clear();
    }
}

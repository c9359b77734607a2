//! Progress bars on standard error, where a person sees them; indicatif hides them where standard error is not a terminal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use webmessaging::files::BatchEvent;

use crate::output::Output;

const FILE: &str = "{msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";
const TOTAL: &str = "{msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";

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
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The files under way, with the bytes that have gone out of each.
    under_way: HashMap<usize, (ProgressBar, u64)>,
    files: usize,
    ended: usize,
    /// The bytes of the files that have ended.
    bytes: u64,
}

impl Bars {
    pub(super) fn new(output: Output) -> Self {
        let all = MultiProgress::new();
        if !output.is_for_people() {
            all.set_draw_target(ProgressDrawTarget::hidden());
        }
        let total = all.add(bar(TOTAL));
        Self { all, total, state: Arc::default() }
    }

    /// Shows what happens.
    pub(super) fn tell(&self, event: &BatchEvent<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            BatchEvent::Listed { files, bytes } => {
                state.files = *files;
                self.total.set_length(*bytes);
            }
            BatchEvent::Begun { index, name } => {
                let bar = bar(FILE).with_message((*name).to_owned());
                state.under_way.insert(*index, (self.all.insert_before(&self.total, bar), 0));
            }
            BatchEvent::Sent { index, progress } => {
                if let Some((bar, sent)) = state.under_way.get_mut(index) {
                    *sent = progress.sent_bytes;
                    bar.set_length(progress.total_bytes);
                    bar.set_position(progress.sent_bytes);
                }
            }
            BatchEvent::Ended { index, file } => {
                state.ended += 1;
                if let Some((bar, _)) = state.under_way.remove(index) {
                    bar.finish_and_clear();
                }
                let size = file.outcome.as_ref().ok().and_then(|upload| upload.size_bytes);
                state.bytes = state.bytes.saturating_add(size.unwrap_or_default());
            }
            _ => {}
        }
        let sent: u64 = state.under_way.values().map(|(_, sent)| *sent).sum();
        self.total.set_position(state.bytes.saturating_add(sent));
        self.total.set_message(format!("{}/{} files", state.ended, state.files));
    }

    pub(super) fn end(&self) {
        self.total.finish_and_clear();
    }
}

//! Progress on stderr, on a terminal only.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The one place that draws on stderr, so that alerts, logs and bars do not tear each other.
#[derive(Debug)]
pub struct Screen;

static BARS: OnceLock<MultiProgress> = OnceLock::new();

impl Screen {
    fn bars() -> &'static MultiProgress {
        BARS.get_or_init(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)))
    }

    /// Runs `write` with the bars taken off the screen.
    pub fn suspend<T>(write: impl FnOnce() -> T) -> T {
        match BARS.get() {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }
}

/// A bar (when the total is known) or a spinner; nothing when stderr is no terminal.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A bar over `total` bytes, or a spinner where the total is unknown.
    pub fn bytes(quiet: bool, total: Option<u64>) -> Self {
        let style = match total {
            Some(_) => "{bar:30} {percent:>3} %  {bytes}/{total_bytes}  {msg}  {eta} left",
            None => "{spinner} {bytes} read  {msg}",
        };
        Self::new(quiet, total, style)
    }

    /// A bar over so many rows; more may be planned later.
    pub fn rows(quiet: bool) -> Self {
        Self::new(quiet, Some(0), "{bar:30} {percent:>3} %  {human_pos}/{human_len} rows  {msg}")
    }

    /// So many more than were thought of are to be done.
    pub fn lengthen(&self, more: u64) {
        if let Some(bar) = &self.bar {
            bar.inc_length(more);
        }
    }

    /// So many more are done.
    pub fn advance(&self, more: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(more);
        }
    }

    /// A spinner with a message.
    pub fn spinner(quiet: bool) -> Self {
        Self::new(quiet, None, "{spinner} {elapsed}  {msg}")
    }

    fn new(quiet: bool, total: Option<u64>, style: &str) -> Self {
        if quiet || !io::stderr().is_terminal() {
            return Self { bar: None };
        }
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        let bar = Screen::bars().add(bar);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar: Some(bar) }
    }

    /// Moves the bar and says `message` beside it; the message is made only when it is shown.
    pub fn update(&self, position: u64, message: impl FnOnce() -> String) {
        if let Some(bar) = &self.bar {
            bar.set_position(position);
            bar.set_message(message());
        }
    }

    /// Takes the bar off the screen.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

//! The tables in a terminal: hosts and their rates, open incidents, the busiest sources.
//!
//! ```text
//! overview (serve) ─▶ screen: the same lines, drawn ─▶ terminal (watch), text (once)
//! ```
//! What traffic brings is escaped before it becomes a part of a line.

mod screen;
mod watch;

use chrono::TimeDelta;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serve::answers::{Answers, Fault};
use serve::overview::{Lines, Overview};

use screen::Screen;
pub use watch::watch;

/// How much of the past is shown: the first unless another is asked for.
pub const SPANS: [TimeDelta; 4] =
    [TimeDelta::hours(1), TimeDelta::hours(6), TimeDelta::hours(24), TimeDelta::days(7)];

/// Lines of each list; as many are shown as the terminal has room for.
const LINES: Lines = Lines { hosts: 20, incidents: 20, sources: 20 };

/// Columns of the text: what a terminal has that nobody made wider.
const TEXT_COLUMNS: u16 = 100;

/// Looks at the tables.
///
/// # Errors
/// Those of a query.
pub async fn look(answers: &Answers, length: TimeDelta) -> Result<Overview, Fault> {
    Overview::look(answers, length, LINES).await
}

/// The same lines as plain text.
pub fn text(overview: &Overview, uri: &str) -> String {
    let screen = Screen::plain(overview, uri);
    let area = Rect::new(0, 0, TEXT_COLUMNS, screen.rows());
    let mut buffer = Buffer::empty(area);
    screen.draw(area, &mut buffer);
    (0..area.height).map(|y| screen::row(&buffer, y).trim_end().to_owned() + "\n").collect()
}

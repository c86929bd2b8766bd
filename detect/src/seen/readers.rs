//! Who read pages in the last minute, and who of them loaded nothing a browser loads with them and came from nowhere.

use crate::record::event::{Event, flag};
use crate::record::source::Source;
use crate::store::table::Table;

/// What one source did.
#[derive(Debug, Clone, Copy, Default)]
struct Read {
    pages: u32,
    assets: u32,
    /// A page was reached by a link, or the source names its operator.
    led: bool,
}

/// Readers of one minute.
#[derive(Debug, Clone, Default)]
pub struct Readers {
    sources: Table<Read>,
}

impl Readers {
    /// Readers among some records.
    pub fn of<'a>(events: impl Iterator<Item = &'a Event>) -> Self {
        let mut sources: Table<Read> = Table::default();
        for event in events.filter(|event| !event.is_empty()) {
            let (read, _) = sources.entry(event.source.0, Read::default);
            if event.has(flag::ASSET) {
                read.assets += 1;
            } else {
                read.pages += 1;
                read.led |= !event.has(flag::REFERER_NONE)
                    || event.flags & (flag::DECLARED_BOT | flag::WRITE) != 0;
            }
        }
        Self { sources }
    }

    /// Sources that read a page.
    pub fn count(&self) -> usize {
        self.sources.iter().filter(|(_, read)| read.pages > 0).count()
    }

    /// Whether a source read pages alone: without assets, without a link that led to any, without a name.
    pub fn is_alone(&self, source: Source) -> bool {
        self.sources.get(source.0).is_some_and(Read::is_alone)
    }

    /// Sources that read pages alone.
    pub fn alone(&self) -> usize {
        self.sources.iter().filter(|(_, read)| read.is_alone()).count()
    }
}

impl Read {
    const fn is_alone(&self) -> bool {
        self.pages > 0 && self.assets == 0 && !self.led
    }
}

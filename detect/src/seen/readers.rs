//! Who read pages in the last minute, and who of them loaded nothing a browser loads with them and came from nowhere.

use crate::math::hash::mix;
use crate::record::event::{Event, flag};
use crate::record::source::Source;
use crate::store::table::Table;

/// Networks, /16s or /32s, from which on a name is not that of one operator: of the crawlers whose operators publish where
/// they come from, the widest spread, Bing's, has about a dozen. A choice with a margin on top.
const OPERATOR_NETWORKS_MAX: usize = 16;

/// What one source did.
#[derive(Debug, Clone, Copy, Default)]
struct Read {
    pages: u32,
    assets: u32,
    /// A page was reached by a link, or the source names its operator, and may be believed.
    led: bool,
}

/// Readers of one minute.
#[derive(Debug, Clone, Default)]
pub struct Readers {
    sources: Table<Read>,
}

impl Readers {
    /// Readers among some records.
    pub fn of<'a>(events: impl Iterator<Item = &'a Event> + Clone) -> Self {
        let names = Operators::of(events.clone());
        let mut sources: Table<Read> = Table::default();
        for event in events.filter(|event| !event.is_empty()) {
            let (read, _) = sources.entry(event.source.0, Read::default);
            if event.has(flag::ASSET) {
                read.assets += 1;
            } else {
                read.pages += 1;
                read.led |= !event.has(flag::REFERER_NONE)
                    || event.has(flag::WRITE)
                    || names.are_believed(event);
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

/// Paths for each of its networks below which a program polls, as those do that many people run, and monitors.
const POLLED_PATHS_MAX: f64 = 0.5;

/// From how many networks the user agent of each program comes, and for how many paths.
#[derive(Debug, Default)]
struct Operators {
    names: Table<Spread>,
}

/// Distinct networks and paths of one user agent.
#[derive(Debug, Clone, Copy, Default)]
struct Spread {
    networks: usize,
    paths: usize,
}

impl Operators {
    fn of<'a>(events: impl Iterator<Item = &'a Event>) -> Self {
        let mut operators = Self::default();
        let mut seen: Table<()> = Table::default();
        for event in events.filter(|event| is_program(event)) {
            let mut is_new = |part: u64| seen.entry(mix(event.user_agent ^ mix(part)), || ()).1;
            let (network, path) = (is_new(event.source.network().0), is_new(event.path));
            let (spread, _) = operators.names.entry(event.user_agent, Spread::default);
            spread.networks += usize::from(network);
            spread.paths += usize::from(path);
        }
        operators
    }

    /// Whether a record names its operator, and its name comes from where one operator may be, or is of a program that
    /// polls. Programs that fetch for people are run by everybody.
    fn are_believed(&self, event: &Event) -> bool {
        let spread = self.names.get(event.user_agent);
        let is_named = event.has(flag::DECLARED_BOT);
        event.has(flag::FETCHER)
            || spread.is_some_and(|spread| spread.polls() || is_named && spread.is_of_one())
    }
}

/// Whether a record says that a program sent it.
const fn is_program(event: &Event) -> bool {
    event.program != 0 || event.has(flag::DECLARED_BOT)
}

impl Spread {
    /// Whether it is spread no wider than one operator is.
    const fn is_of_one(self) -> bool {
        self.networks <= OPERATOR_NETWORKS_MAX
    }

    /// Whether it asks for a few paths from many places.
    #[expect(clippy::cast_precision_loss, reason = "records of a minute")]
    fn polls(self) -> bool {
        (self.paths as f64) < POLLED_PATHS_MAX * self.networks as f64
    }
}

impl Read {
    const fn is_alone(&self) -> bool {
        self.pages > 0 && self.assets == 0 && !self.led
    }
}

//! Tells the operator when the clocks of a partition's producers cannot be trusted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use detect::Tally;
use detect::limits::{OFFSET_LAG_US_MAX, OFFSET_QUANTUM_US};
use ingest::FileSource;

/// How often each partition is looked at.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Records of a look not judged at the time they name from which it is worth a line: this many, and one in a hundred.
const ODD_MIN: u64 = 10;

/// Lines of one run, at most: what a log says must not fill a disk.
const LINES_MAX: u32 = 100;

/// Zones are whole multiples of this from each other.
const QUARTER_S: u64 = OFFSET_QUANTUM_US.unsigned_abs() / 1_000_000;

/// What the way of a record adds to the offset of its clock, at most.
const WAY_S: u64 = OFFSET_LAG_US_MAX.unsigned_abs() / 1_000_000;

/// One in how many records of a file is late where its parts are in the wrong order.
const JOINED_SHARE: u64 = 10;

/// What each partition's clocks were like.
#[derive(Debug)]
pub struct Times {
    partitions: BTreeMap<Arc<str>, Watched>,
    looked: Instant,
    lines: u32,
}

#[derive(Debug, Default)]
struct Watched {
    tally: Tally,
    /// Share of odd records of which was told, in thousandths; 0 when it is over.
    told: u64,
}

impl Times {
    /// Nothing yet.
    pub fn start(now: Instant) -> Self {
        Self { partitions: BTreeMap::new(), looked: now, lines: 0 }
    }

    /// Notes that a partition is read.
    pub fn watch(&mut self, partition: &Arc<str>) {
        self.partitions.entry(Arc::clone(partition)).or_default();
    }

    /// Looks at all partitions, when it is time.
    pub fn look(&mut self, now: Instant, tally: impl Fn(&str) -> Tally) {
        if now - self.looked >= LOOK_EVERY {
            self.looked = now;
            self.look_at_all(tally);
        }
    }

    /// Looks at all partitions.
    pub fn look_at_all(&mut self, tally: impl Fn(&str) -> Tally) {
        for (partition, watched) in &mut self.partitions {
            if let Some(news) = watched.news(tally(partition)) {
                say(partition, &news, &mut self.lines);
            }
        }
    }

    /// Looks at a partition for the last time.
    pub fn close(&mut self, partition: &str, tally: Tally) {
        let Some((name, mut watched)) = self.partitions.remove_entry(partition) else { return };
        if let Some(news) = watched.news(tally) {
            say(&name, &news, &mut self.lines);
        }
    }
}

impl Watched {
    /// What is worth a line of the records since the last look: a share that was not told of, or half of it.
    fn news(&mut self, tally: Tally) -> Option<Tally> {
        let news = tally.since(&self.tally);
        self.tally = tally;
        if news.records == 0 {
            return None;
        }
        let share = news.odd() * 1_000 / news.records;
        if share < 10 {
            self.told = 0;
            return None;
        }
        if news.odd() < ODD_MIN || share < self.told.saturating_mul(2).max(10) {
            return None;
        }
        self.told = share;
        Some(news)
    }
}

fn say(partition: &str, news: &Tally, lines: &mut u32) {
    *lines = lines.saturating_add(1);
    if *lines > LINES_MAX {
        return;
    }
    let example = offset(news.offset_us);
    let Tally { records, late, implausible, corrected, .. } = *news;
    let advice = advice(partition, news);
    tracing::warn!(%partition, records, late, implausible, corrected, %example, "{advice}");
    if *lines == LINES_MAX {
        tracing::warn!("no more is said of wrong clocks in this run");
    }
}

/// What may be wrong, and what to do.
fn advice(partition: &str, news: &Tally) -> &'static str {
    let seconds = news.offset_us.unsigned_abs() / 1_000_000;
    let near = seconds + WAY_S;
    if near >= 4 * QUARTER_S && near % QUARTER_S <= 2 * WAY_S {
        "records name the time of another zone: set `time-zone` if the log has no offset, else check the clock of the edge"
    } else if news.late < news.implausible {
        "records name times that nothing confirms: they are stored and counted only; check the clock of the edge"
    } else if FileSource::is_of_file(partition) && news.late * JOINED_SHARE >= news.records {
        "records come too late to be judged: they are stored and counted only; if rotated logs were joined newest first, give \
         them one by one, in any order"
    } else {
        "records come too late to be judged: they are stored and counted only"
    }
}

/// `5h ahead`, `1h 30m behind`.
fn offset(offset_us: i64) -> String {
    let seconds = offset_us.unsigned_abs() / 1_000_000;
    // What is added by the way to Kafka is not the clock's.
    let unit = if seconds > 3_000 { QUARTER_S } else { 1 };
    let rounded = Duration::from_secs((seconds + unit / 2) / unit * unit);
    let side = if offset_us < 0 { "behind" } else { "ahead" };
    format!("{} {side}", humantime::format_duration(rounded))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(records: u64, corrected: u64) -> Tally {
        Tally { records, corrected, offset_us: 17_997_000_000, ..Tally::default() }
    }

    #[test]
    fn a_share_is_told_once_and_again_when_it_doubles_or_returns() {
        let mut watched = Watched::default();
        let mut told = Vec::new();
        let (mut records, mut corrected) = (0, 0);
        for more in [5, 20, 25, 39, 41, 100, 0, 20] {
            records += 1_000;
            corrected += more;
            told.push(watched.news(tally(records, corrected)).is_some());
        }
        assert_eq!(told, [false, true, false, false, true, true, false, true]);
        assert!(watched.news(tally(records, corrected)).is_none(), "no records, no news");
        assert!(Watched::default().news(tally(20, 2)).is_none(), "two lines are no matter");
    }

    #[test]
    fn an_offset_is_read_as_a_clock_shows_it() {
        assert_eq!(offset(17_997_000_000), "5h ahead");
        assert_eq!(offset(-5_401_000_000), "1h 30m behind");
        assert_eq!(offset(-75_000_000), "1m 15s behind");
        let behind = Tally { late: 5, offset_us: -18_003_000_000, ..Tally::default() };
        assert!(advice("edge/0", &behind).contains("time-zone"));
        let slow = Tally { late: 5, offset_us: -75_000_000, ..Tally::default() };
        assert!(advice("edge/0", &slow).contains("too late"));
        let joined = Tally { records: 40, ..slow };
        let file = format!("file/{:032x}", 7);
        assert!(advice(&file, &joined).contains("one by one"));
        assert!(!advice("edge/0", &joined).contains("one by one"));
        let lost = Tally { implausible: 5, offset_us: 2_000_000_000_000, ..Tally::default() };
        assert!(advice(&file, &lost).contains("nothing confirms"));
    }
}

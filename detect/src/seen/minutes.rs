//! Per-minute rows: what was seen of each host and of each source that mattered.

use schemas::limits::WINDOW_US;
use schemas::{SourceWindow, TargetWindow};
use serde::{Deserialize, Serialize};

use crate::limits::{
    HISTOGRAM_KEPT_MAX, WINDOW_HOT_SOURCES_MAX, WINDOW_HOT_VALUES_MAX, WINDOW_SOURCES_MAX,
};
use crate::record::event::{Event, flag};
use crate::record::source::Source;
use crate::store::histogram::Histogram;
use crate::store::lendable::Lendable;
use crate::store::table::Table;

/// Requests a source needs in a minute for entropies, and for a row of its own.
pub const SOURCE_REQUESTS_MIN: u32 = 32;

/// Requests a host needs in a minute for entropies.
pub const TARGET_REQUESTS_MIN: u64 = 50;

/// Requests of a source kept as they are before it gets histograms.
const INLINE: usize = 4;

/// Bytes that the table of sources keeps for the next minute: room for some thousands.
const SOURCES_KEPT_BYTES: usize = 4_096 * Table::<SourceMinute>::ENTRY_BYTES;

/// Bytes that the histograms of one host keep for the next minute.
pub const MINUTE_KEPT_BYTES: usize = 5 * HISTOGRAM_KEPT_MAX * Table::<u64>::ENTRY_BYTES;

/// One host in the running minute.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TargetMinute {
    /// Requests decided on.
    pub requests: i64,
    /// Requests too late.
    pub late: i64,
    /// Requests whose time was not believed.
    pub implausible: i64,
    /// Requests judged at another time than they name.
    pub corrected: i64,
    bytes: i64,
    errors: [i64; 2],
    sources: Histogram,
    paths: Histogram,
    queries: Histogram,
    user_agents: Histogram,
    statuses: Histogram,
    /// Highest evidence against the rate, nats.
    pub score: f64,
}

impl TargetMinute {
    /// Counts one record.
    pub fn add(&mut self, event: &Event) {
        if event.has(flag::LATE) {
            self.late += 1;
            return;
        }
        if event.has(flag::IMPLAUSIBLE) {
            self.implausible += 1;
            return;
        }
        self.corrected += i64::from(event.has(flag::CORRECTED));
        self.requests += 1;
        self.bytes += i64::from(event.bytes);
        if let class @ 4..=5 = event.status_class() {
            self.errors[usize::from(class - 4)] += 1;
        }
        self.sources.add(event.source.0);
        self.paths.add(event.path);
        self.queries.add(event.query);
        self.user_agents.add(event.user_agent);
        self.statuses.add(u64::from(event.status));
    }

    /// Whether anything was counted.
    pub const fn is_empty(&self) -> bool {
        self.requests == 0 && self.late == 0 && self.implausible == 0
    }

    /// The row, and a fresh minute.
    pub fn take(
        &mut self,
        window_end: i64,
        host: Option<String>,
        forecast: Option<(f64, f64)>,
    ) -> TargetWindow {
        let entropies = |histogram: &Histogram| histogram.entropies(TARGET_REQUESTS_MIN);
        let row = TargetWindow {
            window_start: window_end - WINDOW_US,
            window_end,
            host,
            requests: self.requests,
            late_requests: self.late,
            implausible_requests: self.implausible,
            corrected_requests: self.corrected,
            response_bytes: self.bytes,
            errors_4xx: self.errors[0],
            errors_5xx: self.errors[1],
            distinct_sources: self.sources.distinct(),
            distinct_paths: self.paths.distinct(),
            distinct_user_agents: self.user_agents.distinct(),
            entropy_source: entropies(&self.sources),
            entropy_path: entropies(&self.paths),
            entropy_query: entropies(&self.queries),
            entropy_user_agent: entropies(&self.user_agents),
            entropy_status: entropies(&self.statuses),
            baseline_requests: forecast.map(|(mean, _)| mean),
            baseline_dispersion: forecast.map(|(_, size)| size),
            score: self.score,
        };
        (self.requests, self.late, self.implausible, self.corrected) = (0, 0, 0, 0);
        (self.bytes, self.errors, self.score) = (0, [0; 2], 0.0);
        for histogram in [
            &mut self.sources,
            &mut self.paths,
            &mut self.queries,
            &mut self.user_agents,
            &mut self.statuses,
        ] {
            if histogram.len() > HISTOGRAM_KEPT_MAX {
                *histogram = Histogram::default();
            } else {
                histogram.clear();
            }
        }
        row
    }

    /// Bytes held at most, by what it counts.
    pub const fn weight(&self) -> usize {
        self.sources.weight()
            + self.paths.weight()
            + self.queries.weight()
            + self.user_agents.weight()
            + self.statuses.weight()
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Values {
    path: u64,
    query: u64,
    user_agent: u64,
    host: u64,
    status: u16,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct HotSource {
    /// Distinct values beyond its first requests.
    values: usize,
    paths: Histogram,
    queries: Histogram,
    user_agents: Histogram,
    hosts: Histogram,
    statuses: Histogram,
}

impl HotSource {
    /// Counts a request; distinct values take of the `room` that all sources share.
    fn add(&mut self, values: Values, room: &mut usize) {
        self.paths.add_within(values.path, room);
        self.queries.add_within(values.query, room);
        self.user_agents.add_within(values.user_agent, room);
        self.hosts.add_within(values.host, room);
        self.statuses.add_within(u64::from(values.status), room);
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct SourceMinute {
    requests: u32,
    errors_4xx: u32,
    errors_5xx: u32,
    hot: u32,
    bytes: u64,
    first: [Values; INLINE],
    score: f64,
    wanted: bool,
}

/// Bytes of all sources of a minute at most: each hot one begins with the values of its first requests.
pub const BYTES_MAX: usize = WINDOW_SOURCES_MAX * Table::<SourceMinute>::ENTRY_BYTES
    + WINDOW_HOT_SOURCES_MAX
        * (2 * size_of::<HotSource>() + 5 * (INLINE + 1) * 2 * Table::<u64>::ENTRY_BYTES)
    + WINDOW_HOT_VALUES_MAX * Table::<u64>::ENTRY_BYTES;

/// All sources in the running minute.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceMinutes {
    sources: Lendable<SourceMinute>,
    hot: Vec<HotSource>,
    /// Distinct values that hot sources have shown beyond their first requests.
    hot_values: usize,
    /// Sources whose counts, or whose histograms, were given up for room.
    pub refused: u64,
}

impl SourceMinutes {
    /// Counts one record.
    pub fn add(&mut self, event: &Event) {
        if self.sources.len() >= WINDOW_SOURCES_MAX && self.sources.get(event.source.0).is_none() {
            self.make_room();
        }
        if self.hot.len() >= WINDOW_HOT_SOURCES_MAX {
            self.make_hot_room();
        }
        let (minute, _) = self.sources.entry(event.source.0, SourceMinute::default);
        minute.bytes += u64::from(event.bytes);
        match event.status_class() {
            4 => minute.errors_4xx += 1,
            5 => minute.errors_5xx += 1,
            _ => {}
        }
        let values = Values {
            path: event.path,
            query: event.query,
            user_agent: event.user_agent,
            host: event.host,
            status: event.status,
        };
        let seen = minute.requests as usize;
        minute.requests += 1;
        if seen < INLINE {
            minute.first[seen] = values;
            return;
        }
        if minute.hot == 0 {
            let mut hot = HotSource::default();
            let mut room = usize::MAX;
            minute.first.iter().for_each(|values| hot.add(*values, &mut room));
            self.hot.push(hot);
            minute.hot = u32::try_from(self.hot.len()).unwrap_or(u32::MAX);
        }
        let mut room = WINDOW_HOT_VALUES_MAX.saturating_sub(self.hot_values);
        let before = room;
        let hot = &mut self.hot[minute.hot as usize - 1];
        hot.add(values, &mut room);
        hot.values += before - room;
        self.hot_values += before - room;
    }

    /// Those with the fewest requests make room, a quarter at least: who is here but once is not missed, and who comes
    /// late in the minute may be the one that matters. Sources with histograms stay.
    fn make_room(&mut self) {
        let before = self.sources.len();
        let mut few = 1_u32;
        while self.sources.len() > WINDOW_SOURCES_MAX / 4 * 3 {
            let is_wanted = |minute: &SourceMinute| minute.wanted && few < SOURCE_REQUESTS_MIN;
            self.sources
                .own()
                .retain(|_, minute| minute.requests > few || minute.hot != 0 || is_wanted(minute));
            few = few.saturating_mul(2);
        }
        self.refused += (before - self.sources.len()) as u64;
    }

    /// The same for histograms: those of the sources with the fewest requests go. One that asks again begins anew.
    fn make_hot_room(&mut self) {
        let mut few = u32::try_from(2 * INLINE).unwrap_or(u32::MAX);
        while self.hot.len() > WINDOW_HOT_SOURCES_MAX / 4 * 3 {
            let mut all = std::mem::take(&mut self.hot);
            for (_, minute) in
                self.sources.own().entries_mut().filter(|(_, minute)| minute.hot != 0)
            {
                let hot = std::mem::take(&mut all[minute.hot as usize - 1]);
                if minute.requests > few {
                    self.hot.push(hot);
                    minute.hot = u32::try_from(self.hot.len()).unwrap_or(u32::MAX);
                } else {
                    self.hot_values -= hot.values;
                    self.refused += 1;
                    minute.hot = 0;
                }
            }
            few = few.saturating_mul(2);
        }
    }

    /// Notes the evidence against a source; it gets a row whatever its requests.
    pub fn score(&mut self, source: Source, score: f64) {
        if let Some(minute) = self.sources.get_mut(source.0) {
            minute.score = minute.score.max(score);
            minute.wanted = true;
        }
    }

    /// Rows of the sources that mattered, in order of source; then a fresh minute.
    pub fn take(
        &mut self,
        window_end: i64,
        baseline: f64,
        name: impl Fn(Source) -> String,
    ) -> Vec<SourceWindow> {
        let mut rows = Vec::new();
        let sources = self.sources.own();
        for (key, minute) in sources.iter() {
            if minute.requests < SOURCE_REQUESTS_MIN && !minute.wanted {
                continue;
            }
            let source = Source(*key);
            let mut few = HotSource::default();
            let hot = if minute.hot == 0 {
                minute
                    .first
                    .iter()
                    .take(minute.requests as usize)
                    .for_each(|values| few.add(*values, &mut usize::MAX.clone()));
                &few
            } else {
                &self.hot[minute.hot as usize - 1]
            };
            let entropies =
                |histogram: &Histogram| histogram.entropies(u64::from(SOURCE_REQUESTS_MIN));
            rows.push(SourceWindow {
                window_start: window_end - WINDOW_US,
                window_end,
                source: name(source),
                requests: i64::from(minute.requests),
                response_bytes: i64::try_from(minute.bytes).unwrap_or(i64::MAX),
                errors_4xx: i64::from(minute.errors_4xx),
                errors_5xx: i64::from(minute.errors_5xx),
                distinct_paths: hot.paths.distinct(),
                distinct_hosts: hot.hosts.distinct(),
                distinct_user_agents: hot.user_agents.distinct(),
                entropy_path: entropies(&hot.paths),
                entropy_query: entropies(&hot.queries),
                entropy_user_agent: entropies(&hot.user_agents),
                entropy_status: entropies(&hot.statuses),
                baseline_requests: baseline,
                score: minute.score,
            });
        }
        rows.sort_by(|a, b| a.source.cmp(&b.source));
        if sources.state_bytes() > SOURCES_KEPT_BYTES {
            *sources = Table::default();
        } else {
            sources.clear();
        }
        self.hot = Vec::new();
        self.hot_values = 0;
        rows
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Lends the sources to the next clone.
    pub fn lend(&mut self) {
        self.sources.lend();
    }

    /// Bytes held.
    pub fn state_bytes(&self) -> usize {
        let hot: usize = self
            .hot
            .iter()
            .map(|hot| {
                size_of::<HotSource>()
                    + hot.paths.weight()
                    + hot.queries.weight()
                    + hot.user_agents.weight()
                    + hot.hosts.weight()
                    + hot.statuses.weight()
            })
            .sum();
        self.sources.state_bytes() + hot
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::HISTOGRAM_VALUES_MAX;
    use crate::math::hash::mix;

    const HEAVY: u64 = 1 << 40;

    fn event(source: u64, path: u64) -> Event {
        Event { source: Source(source), path: mix(path), status: 200, ..Event::default() }
    }

    /// Rows of a minute in which `rows` come, and whether their sources stay within bounds.
    fn minute(events: impl Iterator<Item = Event>) -> (SourceMinutes, Vec<SourceWindow>) {
        let mut minutes = SourceMinutes::default();
        for event in events {
            minutes.add(&event);
        }
        assert!(minutes.sources.len() <= WINDOW_SOURCES_MAX);
        assert!(minutes.hot.len() <= WINDOW_HOT_SOURCES_MAX);
        assert!(minutes.hot_values <= WINDOW_HOT_VALUES_MAX);
        assert!(minutes.state_bytes() <= BYTES_MAX, "{}", minutes.state_bytes());
        let held: usize = minutes.hot.iter().map(|hot| hot.values).sum();
        assert_eq!(held, minutes.hot_values);
        let rows = minutes.take(60_000_000, 1.0, |source| source.0.to_string());
        (minutes, rows)
    }

    #[test]
    fn who_comes_late_has_a_row_though_others_fill_the_minute() {
        let others = (1..=2 * WINDOW_SOURCES_MAX as u64).map(|source| event(source, 1));
        let (minutes, rows) = minute(others.chain((0..100).map(|path| event(HEAVY, path))));
        let [row] = rows.as_slice() else { panic!("{} rows", rows.len()) };
        assert_eq!((row.source.as_str(), row.requests), (HEAVY.to_string().as_str(), 100));
        assert_eq!(row.distinct_paths, 100);
        assert!(minutes.refused >= WINDOW_SOURCES_MAX as u64, "{}", minutes.refused);
        assert!(minutes.state_bytes() < 1 << 20, "the room is not kept: {}", minutes.state_bytes());
    }

    #[test]
    fn who_comes_late_has_entropies_though_others_fill_the_histograms() {
        let others = (1..=2 * WINDOW_HOT_SOURCES_MAX as u64)
            .flat_map(|source| (0..6).map(move |path| event(source, path)));
        let (minutes, rows) = minute(others.chain((0..64).map(|path| event(HEAVY, path))));
        let [row] = rows.as_slice() else { panic!("{} rows", rows.len()) };
        assert_eq!((row.requests, row.distinct_paths), (64, 64));
        assert!(row.entropy_path.h1.is_some_and(|bits| bits > 5.9), "{:?}", row.entropy_path);
        assert!(minutes.refused >= WINDOW_HOT_SOURCES_MAX as u64, "{}", minutes.refused);
    }

    #[test]
    fn values_have_bounded_room_and_requests_stay_right() {
        let fills = (WINDOW_HOT_VALUES_MAX / HISTOGRAM_VALUES_MAX) as u64;
        let most = HISTOGRAM_VALUES_MAX as u64;
        let others =
            (1..=fills + 1).flat_map(|source| (0..most + 10).map(move |path| event(source, path)));
        let (_, rows) = minute(others.chain((0..100).map(|path| event(HEAVY, path % 50))));
        let requests = |row: &SourceWindow| row.requests;
        assert_eq!(rows.iter().map(requests).max(), i64::try_from(most + 10).ok());
        assert!(rows.iter().all(|row| row.distinct_paths <= i64::try_from(most).unwrap()));
        let heavy = rows.iter().find(|row| row.source == HEAVY.to_string()).unwrap();
        assert_eq!(heavy.requests, 100, "of whom no new value finds room");
        assert!(heavy.distinct_paths >= i64::try_from(INLINE).unwrap());
    }

    #[test]
    fn a_host_keeps_the_room_of_a_quiet_minute_and_not_that_of_a_flood() {
        let mut host = TargetMinute::default();
        let mut kept = |paths: u64| {
            (0..paths).for_each(|path| host.add(&event(path, path)));
            let row = host.take(60_000_000, None, None);
            let paths = i64::try_from(paths).unwrap();
            assert_eq!((row.requests, row.distinct_paths), (paths, paths));
            assert!(host.is_empty() && host.paths.len() == 0);
            host.sources.state_bytes() + host.paths.state_bytes()
        };
        let quiet = kept(HISTOGRAM_KEPT_MAX as u64);
        assert!(quiet > 0 && quiet <= MINUTE_KEPT_BYTES, "{quiet}");
        assert_eq!(kept(HISTOGRAM_KEPT_MAX as u64 + 1), 0);
    }
}

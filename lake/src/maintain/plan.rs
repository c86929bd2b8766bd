//! Which files are written anew, together: decided from the list of files alone.
//!
//! Small files cost every query a round trip each, so they are merged; rows of a closed day are put in order of host and
//! time, so that a question about one host opens little. Both grow by steps of several files at a time, so that each
//! row is written anew a few times at most, however slowly rows trickle in.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _};

use super::files::{LiveFile, MERGED, SORTED};

/// What is worth a merge, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Quiet time after which a day that is over takes no more rows worth waiting for, milliseconds.
    closed_after_ms: i64,
    /// Age of a file that is merged, milliseconds.
    settled_ms: i64,
    /// Fresh files that are worth one merge.
    fresh_min: usize,
}

impl Patience {
    /// Beside writers, again and again: late edges deliver within the hour, and what was written just now has neighbours
    /// that are still to come, at a commit every 30 s sixteen in eight minutes.
    pub(crate) const STEADY: Self =
        Self { closed_after_ms: 2 * 3_600_000, settled_ms: 5 * 60_000, fresh_min: MERGE_MIN };

    /// Once, by the word of a person.
    pub(crate) const NONE: Self = Self { closed_after_ms: 0, settled_ms: 0, fresh_min: 2 };
}

/// Files that are worth merging once more when each of them was merged already, or that come late.
const MERGE_MIN: usize = 16;

/// Share of the aim below which a file is small.
const SMALL: u64 = 8;

/// Share of what is sorted already that rows come late must have before both are sorted together.
const LATE_SHARE: u64 = 8;

/// Input of one job in units of the aim: what a crash makes undone.
const JOB_AIMS: u64 = 8;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// How rows are ordered within a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// By time.
    Merged,
    /// By host and time.
    Sorted,
}

/// What files of a table without partitions are merged by: its rows go by age as whole files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spans {
    Days,
    Months,
}

/// Files that may be merged with each other.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Span<'a> {
    /// Of a partition.
    Date(&'a str),
    /// Whose last row is of a year and month, and of a day of it or 0.
    Until(i32, u32, u32),
    /// Whose times are not known.
    Unknown,
}

impl<'a> Span<'a> {
    fn of(file: &'a LiveFile, spans: Spans) -> Self {
        if let Some(date) = &file.date {
            return Self::Date(date);
        }
        let last = file.times.and_then(|(_, last)| DateTime::from_timestamp_micros(last));
        last.map_or(Self::Unknown, |last| {
            let day = if spans == Spans::Days { last.day() } else { 0 };
            Self::Until(last.year(), last.month(), day)
        })
    }
}

/// Files that are written anew together, by index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) layout: Layout,
    pub(crate) files: Vec<usize>,
}

/// Plans for a table at a time, with files of `aim` bytes in mind.
pub(crate) fn plan(
    files: &[LiveFile],
    now_ms: i64,
    aim: u64,
    patience: Patience,
    spans: Spans,
) -> Vec<Job> {
    let mut dates: BTreeMap<Span<'_>, Vec<usize>> = BTreeMap::new();
    for (at, file) in files.iter().enumerate() {
        if !file.is_foreign && file.rows.is_some() {
            dates.entry(Span::of(file, spans)).or_default().push(at);
        }
    }
    let mut jobs = Vec::new();
    for (span, mut members) in dates {
        members.sort_by_key(|at| {
            files.get(*at).map(|file| (file.times.map_or(i64::MIN, |(from, _)| from), &file.path))
        });
        let of = |at: &usize| files.get(*at);
        let newest_ms = members.iter().filter_map(of).map(|file| file.written_ms).max();
        let closed = matches!(span, Span::Date(date) if is_over(date, now_ms))
            && newest_ms.is_some_and(|newest| newest + patience.closed_after_ms <= now_ms);
        if closed {
            jobs.extend(sort(files, &members, aim));
        } else {
            jobs.extend(merge(
                files,
                &members,
                now_ms - patience.settled_ms,
                patience.fresh_min,
                aim,
            ));
        }
    }
    jobs
}

/// Whether a date lies before the present day.
fn is_over(date: &str, now_ms: i64) -> bool {
    let Ok(date) = date.parse::<chrono::NaiveDate>() else { return false };
    let day = date.signed_duration_since(chrono::NaiveDate::default()).num_days();
    day < now_ms.div_euclid(DAY_MS)
}

fn sort(files: &[LiveFile], members: &[usize], aim: u64) -> Vec<Job> {
    let size = |at: &usize| files.get(*at).map_or(0, |file| file.size);
    let is_sorted =
        |at: &&usize| files.get(**at).is_some_and(|file| file.name().starts_with(SORTED));
    let (sorted, late): (Vec<&usize>, Vec<&usize>) = members.iter().partition(is_sorted);
    let grows: Vec<&usize> = sorted.into_iter().filter(|at| size(at) < aim / 2).collect();
    let late_bytes: u64 = late.iter().map(|at| size(at)).sum();
    let grown_bytes: u64 = grows.iter().map(|at| size(at)).sum();
    let enough = late.len() >= MERGE_MIN || late_bytes.saturating_mul(LATE_SHARE) >= grown_bytes;
    if late.is_empty() || !enough {
        return Vec::new();
    }
    let taken = members.iter().filter(|at| late.contains(at) || grows.contains(at));
    cut(files, taken.copied(), aim, Layout::Sorted)
}

fn merge(
    files: &[LiveFile],
    members: &[usize],
    settled_ms: i64,
    fresh_min: usize,
    aim: u64,
) -> Vec<Job> {
    let small = |merged: bool| {
        let taken = members.iter().filter(move |at| {
            files.get(**at).is_some_and(|file| {
                file.name().starts_with(MERGED) == merged
                    && !file.name().starts_with(SORTED)
                    && file.size < aim / SMALL
                    && file.written_ms <= settled_ms
            })
        });
        taken.copied().collect::<Vec<usize>>()
    };
    let (fresh, merged) = (small(false), small(true));
    let mut jobs = Vec::new();
    for (taken, least) in [(fresh, fresh_min), (merged, MERGE_MIN)] {
        if taken.len() >= least {
            jobs.extend(cut(files, taken.into_iter(), aim, Layout::Merged));
        }
    }
    jobs
}

/// Cuts files in order of time into jobs of bounded input.
fn cut(
    files: &[LiveFile],
    taken: impl Iterator<Item = usize>,
    aim: u64,
    layout: Layout,
) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::new();
    let mut bytes = 0;
    for at in taken {
        let size = files.get(at).map_or(0, |file| file.size);
        let fits = bytes + size <= aim.saturating_mul(JOB_AIMS);
        if let Some(job) = jobs.last_mut().filter(|_| fits) {
            bytes += size;
            job.files.push(at);
        } else {
            bytes = size;
            jobs.push(Job { layout, files: vec![at] });
        }
    }
    jobs
}

#[cfg(test)]
mod tests {
    use super::*;

    const AIM: u64 = 512 << 20;
    const HOUR_MS: i64 = 3_600_000;
    /// 2026-01-02T12:00:00Z.
    const NOON_MS: i64 = 1_767_355_200_000;

    fn file(name: &str, date: &str, size: u64, age_ms: i64) -> LiveFile {
        LiveFile {
            path: format!("date={date}/{name}").into(),
            size,
            written_ms: NOON_MS - age_ms,
            date: Some(date.into()),
            rows: Some(1),
            times: Some((-age_ms, -age_ms)),
            is_foreign: false,
            remove: serde_json::from_str(r#"{"path":"x","dataChange":false}"#).unwrap(),
        }
    }

    fn parts(count: i64, date: &str, age_ms: i64) -> Vec<LiveFile> {
        let part = |n| file(&format!("part-{n:03}"), date, 1 << 20, age_ms + n * 30_000);
        (0..count).map(part).collect()
    }

    fn jobs(files: &[LiveFile]) -> Vec<(Layout, usize)> {
        plan(files, NOON_MS, AIM, Patience::STEADY, Spans::Days)
            .iter()
            .map(|job| (job.layout, job.files.len()))
            .collect()
    }

    #[test]
    fn an_open_day_is_merged_once_there_is_enough() {
        assert_eq!(jobs(&parts(15, "2026-01-02", HOUR_MS)), []);
        assert_eq!(jobs(&parts(16, "2026-01-02", HOUR_MS)), [(Layout::Merged, 16)]);
        assert_eq!(jobs(&parts(16, "2026-01-02", 0)), [], "the newest are left alone");
        let mut merged = parts(15, "2026-01-02", HOUR_MS);
        merged.push(file("merged-1", "2026-01-02", 16 << 20, HOUR_MS));
        assert_eq!(jobs(&merged), [], "what is merged waits for others that are");
    }

    #[test]
    fn a_person_need_not_wait() {
        let now = |files: &[LiveFile]| {
            let plan = plan(files, NOON_MS, AIM, Patience::NONE, Spans::Days);
            plan.iter().map(|job| (job.layout, job.files.len())).collect::<Vec<_>>()
        };
        assert_eq!(now(&parts(2, "2026-01-02", 0)), [(Layout::Merged, 2)]);
        assert_eq!(now(&parts(2, "2026-01-01", 0)), [(Layout::Sorted, 2)]);
        assert_eq!(now(&parts(1, "2026-01-02", 0)), []);
    }

    #[test]
    fn rows_are_taken_in_order_of_time() {
        let files = parts(16, "2026-01-02", HOUR_MS);
        let plan = plan(&files, NOON_MS, AIM, Patience::STEADY, Spans::Days);
        assert_eq!(plan[0].files, (0..16).rev().collect::<Vec<_>>());
    }

    #[test]
    fn a_closed_day_is_sorted_once() {
        assert_eq!(jobs(&parts(3, "2026-01-01", 3 * HOUR_MS)), [(Layout::Sorted, 3)]);
        assert_eq!(jobs(&parts(3, "2026-01-01", HOUR_MS)), [], "late rows may come");
        assert_eq!(jobs(&[file("sorted-1", "2026-01-01", 1 << 20, 3 * HOUR_MS)]), []);
    }

    #[test]
    fn a_trickle_of_late_rows_does_not_rewrite_the_day() {
        let mut files = vec![file("sorted-1", "2026-01-01", 100 << 20, 9 * HOUR_MS)];
        files.extend(parts(3, "2026-01-01", 3 * HOUR_MS));
        assert_eq!(jobs(&files), []);
        files.extend(parts(16, "2026-01-01", 4 * HOUR_MS));
        assert_eq!(jobs(&files), [(Layout::Sorted, 20)]);
    }

    #[test]
    fn large_files_are_left_and_long_days_are_cut() {
        let large = |n: i64| file(&format!("part-{n}"), "2026-01-01", AIM, 3 * HOUR_MS + n);
        let files: Vec<_> = (0..9).map(large).collect();
        assert_eq!(jobs(&files), [(Layout::Sorted, 8), (Layout::Sorted, 1)]);
        let done: Vec<_> =
            (0..9).map(|n| file(&format!("sorted-{n}"), "2026-01-01", AIM, 3 * HOUR_MS)).collect();
        assert_eq!(jobs(&done), []);
    }

    #[test]
    fn without_partitions_files_are_merged_by_the_day_or_month_of_their_last_row() {
        let mut files = parts(40, "2026-01-02", HOUR_MS);
        for (file, day) in files.iter_mut().zip((1..=20).chain(1..=20)) {
            let last = format!("2026-01-{day:02}T12:00:00Z").parse::<DateTime<chrono::Utc>>();
            file.date = None;
            file.times = Some((0, last.unwrap().timestamp_micros()));
        }
        let jobs = |spans| plan(&files, NOON_MS, AIM, Patience::NONE, spans).len();
        assert_eq!((jobs(Spans::Days), jobs(Spans::Months)), (20, 1));
    }

    #[test]
    fn files_with_deletions_are_never_touched() {
        let mut files = parts(3, "2026-01-01", 3 * HOUR_MS);
        files[1].is_foreign = true;
        assert_eq!(jobs(&files), [(Layout::Sorted, 2)]);
    }
}

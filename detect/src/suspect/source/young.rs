//! Hosts that have not been watched for long: what the heaviest of their visitors do is not known yet.

use super::reading::COUNTED_MAX;
use super::{CRAWL_PATHS_MIN, Circumstances, Suspect};

/// Seconds for which a host has been watched, up to which the quantile of its sources says little: half an hour, a choice. One in
/// two hundred is above it, so that hundreds have to pass before it knows a program that comes every few minutes.
const YOUNG_S: i64 = 1_800;

/// Requests of a minute, or of ten, decayed, up to which a program fetches what it needs and is done: an installation of packages has some
/// hundreds. A choice: who asks for fifty a second is above it within twenty seconds, who asks for twenty within a minute
/// and a half.
const BURST_MAX: f32 = 800.0;

/// Of ten minutes, against those of one, from which it is no burst but goes on: a steady pace is there after two minutes,
/// `10 (1 − exp(−t/600))` against `1 − exp(−t/60)`.
const GOES_ON_RATIO: f32 = 2.0;

/// Share of what it asks for under its own name from which it is a program, and shows it: nine in ten, a choice.
const PROGRAM_MIN: f32 = 0.9;

/// Distinct paths for each of its pages of ten minutes: three in ten, a choice, for jobs of one client fetch the same two or
/// three times.
const NEW_MIN: f64 = 0.3;

/// Seconds that its answers of a minute take, decayed, from which it holds the origin up: half of one worker. A choice.
const HOLDS_UP_S: f32 = 30.0;

/// Whether a source may be a program that fetches what it needs once, on a host of which little is known: it says what it is, asks
/// for ever new things, gets them, keeps nobody waiting, and has not gone on for long.
pub(super) fn fetches_once(suspect: &Suspect<'_>, circumstances: &Circumstances<'_>) -> bool {
    let record = suspect.record;
    let minute = record.pages_60 + record.assets_60;
    let long = record.pages_600 + record.assets_600;
    let pages = f64::from(record.pages_600.min(COUNTED_MAX));
    circumstances.watched_s < YOUNG_S
        && record.programs_60 >= PROGRAM_MIN * record.pages_60
        && 2.0 * record.pages_60 >= record.assets_60
        && record.distinct_paths() >= CRAWL_PATHS_MIN.max(NEW_MIN * pages)
        && record.writes_60 + record.aborted_60 < (1.0 - PROGRAM_MIN) * minute
        && suspect.attempts.is_none_or(|tried| tried.probes[0] < (1.0 - PROGRAM_MIN) * minute)
        && record.seconds_60 <= HOLDS_UP_S
        && (long <= BURST_MAX || minute <= BURST_MAX && long < GOES_ON_RATIO * minute)
}

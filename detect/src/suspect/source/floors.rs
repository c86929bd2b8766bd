//! Floors of the table of tests that several rows share.

/// Ordinary requests per second up to which a host is quiet: sixty in ten minutes, so that thirty are half of its traffic.
pub(super) const QUIET_RATE: f64 = 0.1;

/// Distinct paths guessed at in ten minutes, or at once, that are no matter.
pub(super) const PROBING_FLOOR: f64 = 26.0;

/// The same on a host with next to no traffic; it rises to that with sixty requests in ten minutes.
pub(super) const QUIET_PROBING_FLOOR: f64 = 16.0;

/// The same in an hour and in a day.
pub(super) const QUIET_PATHS_3600_FLOOR: f64 = 36.0;
pub(super) const QUIET_PATHS_86400_FLOOR: f64 = 72.0;

/// Attack texts on such a host: they say more than an unknown path.
pub(super) const QUIET_HOSTILE_FLOOR: f64 = 12.0;

/// Paths guessed at and attack texts together, each of which counts by itself: what is both counts twice.
pub(super) const ATTACKS_FLOOR: f64 = 40.0;

/// Attack texts among them: of fewer it is a search for paths.
pub(super) const ATTACKS_TEXTS_MIN: f64 = 8.0;

/// Pages, decayed over ten minutes, and assets, over an hour, below which whose answers take long waits for a few reports.
pub(super) const HELD_REQUESTS_MIN: f32 = 25.0;

/// Requests, decayed over a minute, below which who draws much fetches one large thing: a backup, an image of a disk.
pub(super) const DRAWS_MIN: f32 = 20.0;

/// Share of aborted requests from which a source does little else.
pub(super) const ABORTED_MIN: f64 = 0.8;

/// Times within ten minutes, decayed, that somebody draws what he has, from which it is no download that failed: a person tries
/// again once or twice. A choice.
pub const AGAIN_MIN: f64 = 5.0;

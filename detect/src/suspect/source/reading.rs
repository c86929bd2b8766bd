//! Whether a source reads page after page, as a program does.

use super::{CRAWL_PATHS_MIN, Circumstances, Suspect};

/// Pages decayed over a minute against those over ten seconds, from which a source has been reading long enough to be
/// held for a scraper: faster than that it is a flood. Ten seconds at a steady rate R give `60 R (1 − exp(−10/60))`
/// against `10 R (1 − exp(−1))`.
const READING_RATIO_MIN: f32 = 1.457;

/// Share of writes from which a source does not read.
const WRITING_MIN: f32 = 0.5;

/// Share of pages read by programs that say what they are, up to which a source poses as a browser.
const POSING_MAX: f32 = 0.1;

/// Distinct paths per page of who reads: a program that polls asks for the same again and again.
const NEW_PAGES_MIN: f64 = 0.6;

/// Pages up to which distinct paths are counted apart.
pub(super) const COUNTED_MAX: f32 = 250.0;

/// Megabytes of each answer up to which there is nothing in it to read where all are sent elsewhere: a kilobyte, a choice; what a
/// server says beside the address has some hundred bytes.
const LED_MEGABYTES_MAX: f32 = 0.001;

/// Whether it is only sent elsewhere, on a host that does so with all: links of letters are followed there, and short ones.
pub(super) fn is_led_away(suspect: &Suspect<'_>, circumstances: &Circumstances<'_>) -> bool {
    let record = suspect.record;
    circumstances.leads_away
        && record.megabytes_60 <= LED_MEGABYTES_MAX * (record.pages_60 + record.assets_60)
}

/// Pages read by a program: for long enough, and hundreds of them. That it loads hardly an asset is told over the time that
/// the pages are counted in: those of an address that many share come in spells.
pub(super) fn reads(suspect: &Suspect<'_>, circumstances: &Circumstances<'_>) -> bool {
    let record = suspect.record;
    !circumstances.origin_fails
        && !is_led_away(suspect, circumstances)
        && !record.asks_again()
        && record.writes_60 < WRITING_MIN * record.pages_60
        && record.pages_60 >= READING_RATIO_MIN * record.pages_10
        && record.distinct_paths() >= CRAWL_PATHS_MIN
        && (record.programs_60 < POSING_MAX * record.pages_60
            || record.distinct_paths()
                >= NEW_PAGES_MIN * f64::from(record.pages_600.min(COUNTED_MAX)))
}

/// Reads pages for long under a browser's name, where browsers load assets or where it alone asks for as much as
/// all others together.
pub(super) fn poses_for_long(suspect: &Suspect<'_>, circumstances: &Circumstances<'_>) -> bool {
    let record = suspect.record;
    let pages = f64::from(record.pages_3600);
    record.is_bare_3600()
        && reads(suspect, circumstances)
        && record.programs_60 < POSING_MAX * record.pages_60
        && (circumstances.population.has_browsers() || pages >= 3_600.0 * circumstances.level)
}

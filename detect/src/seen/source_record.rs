//! What one source has been doing on one host.

use serde::{Deserialize, Serialize};

use crate::record::event::{Event, flag};
use crate::record::source::Source;
use crate::seen::accepted::LONG_S;

/// Time constants of the decayed counts, seconds.
const TAU_S: [f64; SCALES] = [10.0, 60.0, 600.0, 3_600.0];
const SCALES: usize = 4;

/// Seconds after which a source is taken for gone, and its counts for nothing.
const HORIZON_S: usize = 4_096;

/// What is left of the counts of ten minutes, below which a source begins anew.
const FORGOTTEN: f32 = 0.05;

/// `exp(−Δ/τ)` for whole seconds.
#[derive(Debug, Clone)]
pub struct Decay {
    factors: [Vec<f32>; SCALES],
}

impl Default for Decay {
    fn default() -> Self {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "a table of factors"
        )]
        let factors =
            TAU_S.map(|tau| (0..HORIZON_S).map(|s| libm::exp(-(s as f64) / tau) as f32).collect());
        Self { factors }
    }
}

impl Decay {
    /// Factors of the time constants after some seconds.
    pub fn by(&self, seconds: i64) -> [f32; SCALES] {
        let at = usize::try_from(seconds.max(0)).unwrap_or(HORIZON_S);
        [0, 1, 2, 3].map(|which| self.factors[which].get(at).copied().unwrap_or(0.0))
    }
}

/// What a source has been doing on one host. Counts named `_10`, `_60`, `_600` are decayed with that time
/// constant in seconds: a steady rate `R` reads `10 R`, `60 R`, `600 R`, `3600 R`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// Host.
    pub host: u64,
    /// Source.
    pub source: Source,
    /// First second seen.
    pub first_s: i64,
    /// Last second seen.
    pub last_s: i64,
    /// Requests.
    pub all_10: f32,
    /// Requests other than assets.
    pub pages_10: f32,
    /// Requests other than assets.
    pub pages_60: f32,
    /// Requests other than assets.
    pub pages_600: f32,
    /// Requests other than assets.
    pub pages_3600: f32,
    /// Requests other than assets by programs that say what they are.
    pub programs_60: f32,
    /// Writes.
    pub writes_60: f32,
    /// Requests for assets.
    pub assets_60: f32,
    /// Requests for assets.
    pub assets_600: f32,
    /// Requests for assets.
    pub assets_3600: f32,
    /// Megabytes sent.
    pub megabytes_60: f32,
    /// Seconds that its requests took.
    pub seconds_60: f32,
    /// Requests broken off before they were answered.
    pub aborted_60: f32,
    /// Connections that ended without a request.
    pub empty_60: f32,
    /// Linear-counting bitmap of the paths.
    pub paths: u64,
    /// Linear-counting bitmap of the user agents.
    pub agents: u64,
    /// Linear-counting bitmap of the JA4 fingerprints.
    pub ja4s: u64,
    /// Majority vote on the shape of paths, pages only: the shape, and its lead.
    pub shape: u32,
    shape_lead: u16,
    shape_pages: u16,
    /// The same on the paths themselves.
    path: u32,
    path_lead: u16,
    /// Tests whose alarm was already raised, by slot.
    pub reported: u32,
    /// Requests that did not name an operator in the user agent.
    undeclared_600: f32,
}

/// Assets for each page up to which nothing a browser loads is loaded with it: a program that follows links meets some.
pub const BARE_ASSETS_MAX: f32 = 0.05;

/// Share of requests without an operator's name up to which a source names it: one in ten, a choice, for a crawler that looks first
/// under the name of a browser, or has a helper that names nobody.
const UNDECLARED_MAX: f32 = 0.1;

/// Distinct paths of who asks for one, and for a few on the way to it. A choice.
const ONE_PATH_MAX: f64 = 4.5;

/// Distinct paths up to which a program asks for the same few: of more, one that was never asked for is too often taken for one of
/// them. A choice.
const FEW_PATHS_MAX: f64 = 16.5;

/// Bit of a path among those of a source.
const fn path_bit(event: &Event) -> u64 {
    1 << (event.path >> 58)
}

/// Assets for each page from which they are loaded with it: the least of a browser whose cache holds nearly all. A choice.
const BROWSED_ASSETS_MIN: f32 = 0.1;

/// Pages whose shapes are remembered: what a source did long ago does not matter.
const SHAPE_PAGES_MAX: u16 = 256;

/// What a request took is counted up to here, milliseconds: a stream of an hour is told at its end, and was no more at a
/// time than one.
pub const TOLD_MS_MAX: u32 = 60_000;

#[expect(clippy::cast_possible_truncation, reason = "decayed counts carry 24 bits")]
const fn f64_to_f32(x: f64) -> f32 {
    x as f32
}

/// Pages of a minute, decayed, up to which a person reads: one every two seconds, for those who load one anew until they get
/// in. A choice.
const PERSON_PAGES_MAX: f32 = 30.0;

/// Requests per second of a player at most: a list and a part every two seconds, and as much again when it begins. A choice.
const PLAYER_RATE_MAX: f32 = 2.0;

/// Assets of a minute, decayed, and distinct paths from which a page was loaded with what belongs to it. A choice: somebody
/// who has been here before has most of it.
const PERSON_ASSETS_MIN: f32 = 1.5;
const PERSON_PATHS_MIN: f64 = 2.5;

/// Takes a vote for a majority, of which the lead is kept (Boyer and Moore 1981).
const fn vote((most, lead): (&mut u32, &mut u16), value: u32) {
    if *most == value {
        *lead += 1;
    } else if *lead == 0 {
        (*most, *lead) = (value, 1);
    } else {
        *lead -= 1;
    }
}

/// Pages of a minute, decayed, of an open page that looks for news every second, with a margin. A choice.
const POLLING_PAGES_MAX: f32 = 75.0;

/// Requests of a minute, decayed, of a program that watches: some pages every half a minute. A choice.
const WATCHING_MAX: f32 = 15.0;

impl SourceRecord {
    /// A source first seen with this event.
    pub fn new(event: &Event) -> Self {
        let now_s = event.ts.div_euclid(1_000_000);
        Self {
            host: event.host,
            source: event.source,
            first_s: now_s,
            last_s: now_s,
            ..Self::default()
        }
    }

    /// Lets the counts decay.
    pub(super) fn decay(&mut self, [ten, minute, long, hour]: [f32; SCALES]) {
        self.all_10 *= ten;
        self.pages_10 *= ten;
        self.pages_60 *= minute;
        self.assets_60 *= minute;
        self.programs_60 *= minute;
        self.writes_60 *= minute;
        self.megabytes_60 *= minute;
        self.seconds_60 *= minute;
        self.aborted_60 *= minute;
        self.empty_60 *= minute;
        self.pages_600 *= long;
        self.pages_3600 *= hour;
        self.assets_600 *= long;
        self.undeclared_600 *= long;
        self.assets_3600 *= hour;
        if long < FORGOTTEN {
            (self.paths, self.agents, self.ja4s, self.reported) = (0, 0, 0, 0);
        }
    }

    /// Counts one record.
    pub(super) fn add(&mut self, event: &Event) {
        self.all_10 += 1.0;
        if event.has(flag::ABORTED) {
            self.aborted_60 += 1.0;
        }
        if event.is_empty() {
            self.empty_60 += 1.0;
            return;
        }
        if event.has(flag::ASSET) {
            self.assets_60 += 1.0;
            self.assets_600 += 1.0;
            self.assets_3600 += 1.0;
        } else {
            self.pages_10 += 1.0;
            self.pages_60 += 1.0;
            self.pages_600 += 1.0;
            self.pages_3600 += 1.0;
            if event.program != 0 {
                self.programs_60 += 1.0;
            }
            if event.has(flag::WRITE) {
                self.writes_60 += 1.0;
            }
        }
        if !event.has(flag::ASSET) {
            self.note_shape(event);
        }
        self.megabytes_60 += f64_to_f32(f64::from(event.bytes) / 1e6);
        self.seconds_60 += f64_to_f32(f64::from(event.duration_ms.min(TOLD_MS_MAX)) / 1e3);
        self.paths |= path_bit(event);
        self.agents |= 1 << (event.user_agent >> 58);
        if event.ja4 != 0 {
            self.ja4s |= 1 << (event.ja4 >> 58);
        }
        if !event.has(flag::DECLARED_BOT) {
            self.undeclared_600 += 1.0;
        }
    }

    fn note_shape(&mut self, event: &Event) {
        if self.shape_pages == SHAPE_PAGES_MAX {
            self.shape_pages /= 2;
            self.shape_lead /= 2;
            self.path_lead /= 2;
        }
        self.shape_pages += 1;
        #[expect(clippy::cast_possible_truncation, reason = "half of a hash")]
        let path = event.path as u32;
        vote((&mut self.shape, &mut self.shape_lead), event.shape);
        vote((&mut self.path, &mut self.path_lead), path);
    }

    /// Whether it counts through paths of one shape. The lead of a share `s` is at least `2 s − 1` of the pages.
    pub fn counts_through(&self) -> bool {
        self.shape != 0 && 5 * self.shape_lead >= 3 * self.shape_pages
    }

    /// Whether it asks for one page again and again: for two of three that it asked for of late.
    pub fn asks_again(&self) -> bool {
        self.path_lead > 0 && 3 * u32::from(self.path_lead) >= u32::from(self.shape_pages)
    }

    /// How much the source asked for in the last hour, where it has been here for long and asks for few things, of which what this
    /// event asks for is one; otherwise 0.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count that is not negative"
    )]
    pub fn was_asked(&self, event: &Event, now_s: i64) -> u32 {
        let knows = self.paths & path_bit(event) != 0 && self.distinct_paths() < FEW_PATHS_MAX;
        if now_s - self.first_s >= LONG_S && knows { self.pages_3600 as u32 } else { 0 }
    }

    /// Whether it says who runs it, with nearly all that it asked for in ten minutes.
    pub fn is_declared(&self) -> bool {
        self.undeclared_600 <= UNDECLARED_MAX * (self.pages_600 + self.assets_600)
    }

    /// The same source without an operator's name.
    #[cfg(test)]
    pub(crate) const fn undeclared(mut self) -> Self {
        self.undeclared_600 = f32::MAX;
        self
    }

    /// Many people behind one address, as far as that shows: five user agents, and assets that browsers load, or three
    /// JA4 fingerprints. Where neither the host's visitors load assets nor the log has fingerprints, user agents suffice.
    pub fn is_shared(&self, visitors_load_assets: bool) -> bool {
        let browses = self.browses();
        let many_programs = match self.ja4s.count_ones() {
            0 => !visitors_load_assets,
            programs => programs >= 3,
        };
        self.agents.count_ones() >= 5 && (browses || many_programs)
    }

    /// Whether it asks for hardly anything but one thing, and nothing a browser loads with it.
    pub fn is_of_one_thing(&self) -> bool {
        self.is_of_one_path() || self.is_bare() && self.counts_through()
    }

    /// Whether all that it asks for is one path and a few on the way to it, and nothing a browser loads with them.
    pub fn is_of_one_path(&self) -> bool {
        self.is_bare() && self.distinct_paths() < ONE_PATH_MAX
    }

    /// Pages of the last minute without what a browser loads with them.
    pub fn is_bare(&self) -> bool {
        self.assets_60 <= BARE_ASSETS_MAX * self.pages_60
    }

    /// Pages of the last minute with what a browser loads with them.
    pub fn browses(&self) -> bool {
        self.assets_60 > BROWSED_ASSETS_MIN * self.pages_60
    }

    /// Whether it asks no faster than a player of a stream does.
    pub const fn is_slow(&self) -> bool {
        self.all_10 <= 10.0 * PLAYER_RATE_MAX
    }

    /// Reads as a person with a browser does: pages with what belongs to them, at a pace that a person has.
    pub fn is_person_like(&self) -> bool {
        self.browses()
            && (0.3..=PERSON_PAGES_MAX).contains(&self.pages_60)
            && self.assets_60 >= PERSON_ASSETS_MIN
            && self.distinct_paths() >= PERSON_PATHS_MIN
    }

    /// Has loaded a page with what belongs to it within the hour, and asks no faster than a page does that looks for news by
    /// itself. Of those who share an address each has loaded it, and none asks faster than a person reads; of each user agent
    /// there is one at least.
    pub fn is_open_page(&self) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "at most 64")]
        let people = self.agents.count_ones().max(1) as f32;
        let is_open = |people: f32, pages_max: f32| {
            self.assets_3600 >= PERSON_ASSETS_MIN * people && self.pages_60 <= pages_max
        };
        self.distinct_paths() >= PERSON_PATHS_MIN
            && (is_open(1.0, POLLING_PAGES_MAX) || is_open(people, PERSON_PAGES_MAX * people))
    }

    /// Asks no faster than a program that watches for the owner.
    pub fn is_unhurried(&self) -> bool {
        self.pages_60 + self.assets_60 <= WATCHING_MAX
    }

    /// Ten minutes of pages without what a browser loads with them.
    pub fn is_bare_600(&self) -> bool {
        !self.browses() && self.assets_600 <= BARE_ASSETS_MAX * self.pages_600
    }

    /// An hour of them.
    pub fn is_bare_3600(&self) -> bool {
        !self.browses() && self.assets_3600 <= BARE_ASSETS_MAX * self.pages_3600
    }

    /// Distinct paths, roughly, saturating at some hundreds: `64 ln(64 / zeros)` (linear counting, Whang et al. 1990).
    pub fn distinct_paths(&self) -> f64 {
        let zeros = f64::from(self.paths.count_zeros()).max(0.5);
        64.0 * libm::log(64.0 / zeros)
    }
}

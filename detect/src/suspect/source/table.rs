//! Tests that a single source can fail, as a table: one row for each counter and time scale.

use crate::seen::heaviest;
use crate::seen::source_record::SourceRecord;
use crate::suspect::source::floors::{
    ABORTED_MIN, AGAIN_MIN, DRAWS_MIN, HELD_REQUESTS_MIN, PROBING_FLOOR, QUIET_PATHS_3600_FLOOR,
    QUIET_PATHS_86400_FLOOR, QUIET_PROBING_FLOOR, QUIET_RATE,
};
use crate::suspect::source::hostile::{
    ATTACK_TEXTS_600, ATTACK_TEXTS_86400, ATTACKS_600, COMMANDS_86400,
};
use crate::suspect::source::reading::{poses_for_long, reads};
use crate::suspect::source::refused::{REFUSED_60, REFUSED_600};
use crate::suspect::source::why::{
    DEAD_LINKS, FAR_BEYOND, FLOOR_SAYS_IT, FORM_IS_READ, HALF_AS_MUCH_AGAIN, HELD_SHARE,
    MOSTLY_TRIES, ONE_IN_A_THOUSAND, PROBING, QUIET_LONG, QUIET_PATHS, READS_AN_ANSWER,
};
use crate::suspect::source::young::fetches_once;
use crate::suspect::source::{Circumstances, Solo, Suspect};

/// One test: is `counter` above what `envelope` allows?
pub struct Test {
    /// Name in the reference: what is counted, and the seconds.
    pub name: &'static str,
    /// What it speaks of; each is reported once until the source has been quiet.
    pub solo: Solo,
    /// Time over which is counted, seconds.
    pub scale_s: f64,
    /// What is counted.
    pub counter: fn(&Suspect<'_>) -> f64,
    /// Count below which it is nobody's harm, or what any source may do by chance.
    pub floor: f64,
    /// The same on a host with hardly any traffic of its own, see [`QUIET_RATE`].
    pub quiet_floor: f64,
    /// Where the floor comes from.
    pub why: &'static str,
    /// Where the quiet floor comes from; empty where there is none.
    pub why_quiet: &'static str,
    /// Upper envelope of what an ordinary source does.
    pub envelope: fn(&Circumstances<'_>) -> f64,
    /// Where the envelope comes from.
    pub usual: &'static str,
    /// Evidence needed at the default rate of false alarms, nats.
    pub nats: f64,
    /// Where that comes from.
    pub why_nats: &'static str,
    /// What the counter must be a share of.
    pub of: fn(&Suspect<'_>) -> f64,
    /// That share: below it the source mostly does something else.
    pub share: f64,
    /// Where that comes from; empty where it is a share of nothing.
    pub why_share: &'static str,
    /// Quantiles of the host's sources must be known.
    pub needs_learning: bool,
    /// How many people behind one address are judged, whose counts are sums.
    pub shared: Shared,
    /// What else must hold.
    pub also: fn(&Suspect<'_>, &Circumstances<'_>) -> bool,
}

/// How a test judges an address that many people seem to share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shared {
    /// Like any other: what it counts nobody does, or its share tells.
    AsOne,
    /// Each of them may do what one may: floor and envelope times their number, this many for each user agent.
    AsMany(f64),
    /// Not at all.
    Skipped,
}

/// People behind one address who share a user agent, at least: a choice, far below what a campus shows.
const PEOPLE_PER_AGENT: f64 = 4.0;

/// Share of requests in vain in what a source asks for, from which it is searching, where a quarter of them and more are for what is only
/// searched for, or it counts through numbers, in paths or in what it asks of one.
const IN_VAIN_MIN: f32 = 0.4;
const SOUGHT_MIN: f32 = 0.25;

/// The same where their words tell nothing, over ten minutes and an hour, assets included: two in three. A reader of links that looks
/// for them in scripts, and loads those, asks in vain as often as not, and in spells more often; who goes through a list of names finds
/// next to none of them.
const WORDLESS_MIN: f32 = 0.65;

/// New paths in vain per page of the last ten minutes, from which a source is searching: below, it is a program that asks
/// for much all the time and has new names for some of it.
const NEW_IN_VAIN_MIN: f32 = 0.1;

/// Distinct paths in vain that tell a search on a host not yet known: every path is new there.
const COLD_PATHS_MIN: f32 = 100.0;

/// Paths in vain within a minute from which a program that names its operator is searching: crawlers follow dead links, and
/// slowly.
const DECLARED_PATHS_MIN: f32 = 20.0;

/// Mostly in vain, and for ever new paths.
fn searches(suspect: &Suspect<'_>, circumstances: &Circumstances<'_>) -> bool {
    let Some(attempts) = suspect.attempts else { return false };
    let [paths_60, paths_600, _, _] = attempts.paths;
    let [_, probes_600, probes_hour, probes_day] = attempts.probes;
    let [_, sought_600, _, sought_day] = attempts.sought;
    let is_over = |of_600: f32, of_day: f32, share: f32| {
        of_600 >= share * suspect.record.pages_600
            || of_day >= share * attempts.pages[3] && paths_60 < 1.0
    };
    let has_words = sought_600 >= SOUGHT_MIN * probes_600 || sought_day >= SOUGHT_MIN * probes_day;
    let counts = suspect.record.counts_through() || suspect.record.is_of_one_path();
    let in_vain = if has_words || counts {
        is_over(probes_600, probes_day, IN_VAIN_MIN)
    } else {
        let SourceRecord { assets_600, assets_3600, pages_3600, .. } = *suspect.record;
        is_over(probes_600 - WORDLESS_MIN * assets_600, probes_day, WORDLESS_MIN)
            && probes_hour >= WORDLESS_MIN * (pages_3600 + assets_3600)
    };
    let named = !suspect.record.is_declared() || paths_60 >= DECLARED_PATHS_MIN;
    in_vain
        && named
        && paths_600 >= NEW_IN_VAIN_MIN * suspect.record.pages_600
        && (circumstances.learned || paths_600 >= COLD_PATHS_MIN)
}

/// Seconds from which a source has been here before what is happening now.
const REGULAR_S: i64 = 600;

/// Requests, decayed over ten seconds, beyond which nobody asks again for what failed: twenty-five a second, assets
/// included: a choice.
const RETURN_10_MAX: f32 = 250.0;

/// Who was here before an outage and comes back at once is no flood.
fn is_no_return(suspect: &Suspect<'_>, circumstances: &Circumstances<'_>) -> bool {
    let record = suspect.record;
    !circumstances.origin_fails
        || record.last_s - record.first_s < REGULAR_S
        || record.all_10 > RETURN_10_MAX
}

/// A test that needs no share, no learning and no more, and does not judge shared addresses.
pub(super) const PLAIN: Test = Test {
    name: "",
    solo: Solo::Flood,
    scale_s: 10.0,
    counter: |_| 0.0,
    floor: f64::INFINITY,
    quiet_floor: f64::INFINITY,
    why: "",
    why_quiet: "",
    envelope: |_| 0.0,
    usual: "",
    nats: 0.0,
    why_nats: FLOOR_SAYS_IT,
    of: |_| 0.0,
    share: 0.0,
    why_share: "",
    needs_learning: false,
    shared: Shared::Skipped,
    also: |_, _| true,
};

/// Share of tries in pages within minutes: a form is read for every try.
const FORM_SHARE_MIN: f64 = 0.4;

/// Credentials tried in vain. Shares: who mostly does something else is a person.
pub(super) const CREDENTIALS: Test = Test {
    solo: Solo::Credentials,
    shared: Shared::AsMany(1.0),
    share: 0.5,
    why_share: MOSTLY_TRIES,
    ..PLAIN
};

/// Paths guessed; whoever shares an address with others guesses all the same.
const PROBES: Test = Test { solo: Solo::Probes, shared: Shared::AsOne, also: searches, ..PLAIN };

/// Pages read without assets.
const PAGES: Test = Test { solo: Solo::Pages, needs_learning: true, ..PLAIN };

/// Every test of a single source, in order of how much it says.
pub const TESTS: &[Test] = &[
    Test {
        name: "tries_60",
        scale_s: 60.0,
        counter: |s| s.attempts(|a| a.tries[0]),
        floor: 12.0,
        why: "people who forgot a password try five to ten times, and not within a minute",
        envelope: |c| (0.3 * c.usual_writes_600).max(1.5),
        usual: "grows with what one source usually writes there in ten minutes, of which a burst may fall into \
                one minute; where nobody writes, a mistake or two: a choice",
        of: |s| f64::from(s.record.pages_60),
        share: FORM_SHARE_MIN,
        why_share: FORM_IS_READ,
        ..CREDENTIALS
    },
    Test {
        name: "tries_600",
        scale_s: 600.0,
        counter: |s| s.attempts(|a| a.tries[1]),
        floor: 24.0,
        why: "twice the most that locks of accounts and patience allow a person in ten minutes",
        envelope: |c| c.usual_writes_600.max(6.0),
        usual: "what one source usually writes there in ten minutes; where nobody writes, the mistakes of one \
                person: a choice",
        of: |s| f64::from(s.record.pages_600),
        share: FORM_SHARE_MIN,
        why_share: FORM_IS_READ,
        ..CREDENTIALS
    },
    Test {
        name: "tries_3600",
        scale_s: 3_600.0,
        counter: |s| s.attempts(|a| a.tries[2]),
        floor: 30.0,
        why: "a try every two minutes for an hour is a program",
        envelope: |c| c.usual_writes(6.0).max(8.0),
        usual: "six times ten minutes where programs write all the time; people do not go on for an hour, so \
                that theirs stays that of ten minutes; the least is a choice",
        of: |s| s.attempts(|a| a.pages[2]),
        ..CREDENTIALS
    },
    Test {
        name: "tries_86400",
        scale_s: 86_400.0,
        counter: |s| s.attempts(|a| a.tries[3]),
        floor: 24.0,
        why: "more than one try an hour all day: nobody forgets a password day and night",
        envelope: |c| c.usual_writes(144.0).max(8.0),
        usual: "a day of ten minutes where programs write all the time; people do not go on for a day; the least \
                is a choice",
        of: |s| s.attempts(|a| a.pages[3]),
        ..CREDENTIALS
    },
    REFUSED_60,
    REFUSED_600,
    ATTACK_TEXTS_600,
    ATTACKS_600,
    COMMANDS_86400,
    ATTACK_TEXTS_86400,
    Test {
        name: "unknown_paths_60",
        scale_s: 60.0,
        counter: |s| s.attempts(|a| a.paths[0]),
        floor: PROBING_FLOOR,
        quiet_floor: QUIET_PROBING_FLOOR,
        why: PROBING,
        why_quiet: QUIET_PATHS,
        envelope: |_| 4.0,
        usual: DEAD_LINKS,
        ..PROBES
    },
    Test {
        name: "unknown_paths_600",
        scale_s: 600.0,
        counter: |s| s.attempts(|a| a.paths[1]),
        floor: PROBING_FLOOR,
        quiet_floor: QUIET_PROBING_FLOOR,
        why: PROBING,
        why_quiet: QUIET_PATHS,
        envelope: |_| 8.0,
        usual: DEAD_LINKS,
        ..PROBES
    },
    Test {
        name: "unknown_paths_3600",
        scale_s: 3_600.0,
        counter: |s| s.attempts(|a| a.paths[2]),
        floor: 60.0,
        quiet_floor: QUIET_PATHS_3600_FLOOR,
        why_quiet: QUIET_LONG,
        why: "more than twice the floor of ten minutes: old links are found in vain one by one",
        envelope: |_| 16.0,
        usual: DEAD_LINKS,
        ..PROBES
    },
    Test {
        name: "unknown_paths_86400",
        scale_s: 86_400.0,
        counter: |s| s.attempts(|a| a.paths[3]),
        floor: 120.0,
        quiet_floor: QUIET_PATHS_86400_FLOOR,
        why_quiet: QUIET_LONG,
        why: "more than four times the floor of ten minutes: whoever meets dead links for a day meets fewer",
        envelope: |_| 32.0,
        usual: DEAD_LINKS,
        ..PROBES
    },
    Test {
        name: "pages_10",
        shared: Shared::AsMany(PEOPLE_PER_AGENT),
        also: |s, c| is_no_return(s, c) && !fetches_once(s, c),
        counter: |s| f64::from(s.record.pages_10),
        floor: 70.0,
        why: "seven pages a second for ten seconds; people open no more than two",
        envelope: |c| 1.5 * f64::from(c.population.pages_10.max(12.0)),
        usual: HALF_AS_MUCH_AGAIN,
        nats: 10.0,
        why_nats: FAR_BEYOND,
        ..PLAIN
    },
    Test {
        name: "requests_10",
        shared: Shared::AsMany(PEOPLE_PER_AGENT),
        also: |s, c| is_no_return(s, c) && !fetches_once(s, c),
        counter: |s| f64::from(s.record.all_10),
        floor: 200.0,
        why: "twenty requests a second for ten seconds: a heavy page loads as many once",
        envelope: |c| 1.5 * f64::from(c.population.all_10.max(40.0)),
        usual: HALF_AS_MUCH_AGAIN,
        nats: 10.0,
        why_nats: FAR_BEYOND,
        ..PLAIN
    },
    Test {
        name: "pages_alone_60",
        scale_s: 60.0,
        counter: |s| f64::from(s.record.pages_60),
        floor: 40.0,
        why: "a page every one and a half seconds: nobody reads as fast",
        envelope: |c| c.readers_60(),
        usual: "the host's own quantile of readers without assets, held down where visitors load them: passing \
                robots must not become the measure of who passes",
        nats: 7.0,
        why_nats: ONE_IN_A_THOUSAND,
        also: |s, c| s.record.is_bare() && reads(s, c) && !fetches_once(s, c),
        ..PAGES
    },
    Test {
        name: "pages_alone_600",
        scale_s: 600.0,
        counter: |s| f64::from(s.record.pages_600),
        floor: 180.0,
        why: "a page every three seconds for ten minutes, and more",
        envelope: |c| 2.0 * c.readers_60(),
        usual: "twice that of a minute: a person who reads for ten minutes pauses, a program does not: a choice",
        nats: 4.0,
        why_nats: "a choice: less than in one minute, for ten minutes of it are evidence that the floor holds \
                   already",
        also: |s, c| s.record.is_bare_600() && reads(s, c) && c.population.has_browsers(),
        ..PAGES
    },
    Test {
        name: "pages_alone_3600",
        scale_s: 3_600.0,
        counter: |s| f64::from(s.record.pages_3600),
        floor: 200.0,
        why: "two hundred pages within an hour, for an hour: who opens as many reads none of them",
        envelope: |c| 4.0 * c.readers_60(),
        usual: "four times that of a minute: a program that reads slowly is one all the same: a choice",
        nats: 4.0,
        why_nats: "a choice: as over ten minutes",
        also: poses_for_long,
        ..PAGES
    },
    Test {
        name: "aborted_60",
        solo: Solo::Aborts,
        scale_s: 60.0,
        counter: |s| f64::from(s.record.aborted_60),
        floor: 20.0,
        why: "a browser opens up to six connections ahead of need and lets them go, not twenty a minute",
        envelope: |_| 2.0,
        usual: "a visitor breaks off one or two as they leave: a choice",
        nats: 7.0,
        why_nats: ONE_IN_A_THOUSAND,
        of: |s| f64::from(s.record.pages_60 + s.record.assets_60 + s.record.empty_60),
        share: ABORTED_MIN,
        why_share: "a choice: a browser that lets some connections go asks for something on the others",
        ..PLAIN
    },
    Test {
        name: "megabytes_60",
        shared: Shared::AsMany(PEOPLE_PER_AGENT),
        solo: Solo::Bytes,
        scale_s: 60.0,
        counter: |s| f64::from(s.record.megabytes_60),
        floor: 100.0,
        why: "13 Mbit/s for a minute: a film; what is much beyond it is told by the host's own quantile",
        envelope: |c| 1.5 * f64::from(c.population.megabytes_60),
        usual: HALF_AS_MUCH_AGAIN,
        nats: 10.0,
        why_nats: FAR_BEYOND,
        needs_learning: true,
        also: |s, _| s.record.pages_60 + s.record.assets_60 >= DRAWS_MIN,
        ..PLAIN
    },
    Test {
        name: "megabytes_600",
        shared: Shared::AsMany(PEOPLE_PER_AGENT),
        solo: Solo::Bytes,
        scale_s: heaviest::MEMORY_S,
        counter: |s| s.drawn.again,
        floor: 1_000.0,
        why: "13 Mbit/s for ten minutes, of what it has already; and five times at least: a person whose download failed \
              tries again once or twice",
        envelope: |c| 1.5 * f64::from(c.population.megabytes_60),
        usual: HALF_AS_MUCH_AGAIN,
        nats: 4.0,
        why_nats: "a choice: less than in one minute, for that it is drawn again is evidence, too",
        of: |s| s.drawn.all,
        share: 0.05,
        why_share: "a choice: a twentieth of the bytes of all large answers; where many download each has less",
        needs_learning: true,
        also: |s, _| s.drawn.times >= AGAIN_MIN,
        ..PLAIN
    },
    Test {
        name: "seconds_60",
        shared: Shared::AsMany(PEOPLE_PER_AGENT),
        solo: Solo::Time,
        scale_s: 60.0,
        counter: |s| f64::from(s.record.seconds_60),
        floor: 300.0,
        why: "five answers that are worked at all the time for a minute: who waits for one asks for no other",
        envelope: |c| 1.5 * f64::from(c.population.seconds_60),
        usual: HALF_AS_MUCH_AGAIN,
        nats: 10.0,
        why_nats: FAR_BEYOND,
        needs_learning: true,
        // Where all answers are late, browsers wait for all that belongs to a page.
        also: |s, c| !c.origin_fails && s.record.is_of_one_thing(),
        ..PLAIN
    },
    Test {
        name: "seconds_600",
        shared: Shared::AsMany(PEOPLE_PER_AGENT),
        solo: Solo::Time,
        scale_s: heaviest::MEMORY_S,
        counter: |s| s.held.own,
        floor: 300.0,
        why: "half of the time for ten minutes an answer for it is worked at",
        envelope: |c| f64::from(c.population.seconds_60),
        usual: READS_AN_ANSWER,
        nats: 4.0,
        why_nats: "a choice: less than in one minute, for that most of the host's time goes there is evidence, too",
        of: |s| s.held.all,
        share: 0.1,
        why_share: HELD_SHARE,
        needs_learning: true,
        also: |s, c| {
            !c.origin_fails
                && s.record.is_of_one_thing()
                && s.record.pages_600 + s.record.assets_3600 >= HELD_REQUESTS_MIN
        },
        ..PLAIN
    },
];

impl Test {
    /// The floor on a host with this ordinary rate, requests per second: it rises from the quiet one.
    pub fn floor_at(&self, level: f64) -> f64 {
        let share = (level / QUIET_RATE).clamp(0.0, 1.0);
        let quiet = self.least_floor();
        quiet + share * (self.floor - quiet)
    }

    /// The least floor of any host.
    pub const fn least_floor(&self) -> f64 {
        self.quiet_floor.min(self.floor)
    }
}

//! Texts of attacks, by what sends hardly anything else.

use super::Solo;
use super::floors::{ATTACKS_FLOOR, ATTACKS_TEXTS_MIN, PROBING_FLOOR, QUIET_HOSTILE_FLOOR};
use super::table::{PLAIN, Shared, Test};
use super::why::{DEAD_LINKS, MIXED_TEXTS, PROBING, QUIET_TEXTS};

/// Texts of attacks sent; whoever shares an address with others sends them all the same.
const HOSTILE: Test =
    Test { solo: Solo::Hostile, shared: Shared::AsOne, why_share: MIXED_TEXTS, ..PLAIN };

/// Sent at once.
pub const ATTACK_TEXTS_600: Test = Test {
    name: "attack_texts_600",
    scale_s: 600.0,
    counter: |s| s.attempts(|a| a.hostile[1]),
    floor: PROBING_FLOOR,
    quiet_floor: QUIET_HOSTILE_FLOOR,
    why: PROBING,
    why_quiet: QUIET_TEXTS,
    envelope: |_| 1.0,
    usual: "an ordinary source sends none; one path that only looks like an attack is allowed for: a choice",
    of: |s| f64::from(s.record.pages_600),
    share: 0.2,
    ..HOSTILE
};

/// Sent at once together with guesses of paths: scanners mix both, and stay below what is told of each.
pub const ATTACKS_600: Test = Test {
    name: "attacks_and_paths_600",
    solo: Solo::Attacks,
    scale_s: 600.0,
    counter: |s| s.attempts(|a| a.texts_600 + a.paths[1]),
    floor: ATTACKS_FLOOR,
    why: "twenty paths that are not there and carry an attack each, or as much of one and the other, eight texts of attacks at \
          least, whatever tool the agent names: a passing robot asks for up to thirty paths, of which few do: a choice",
    envelope: |_| 8.0,
    usual: DEAD_LINKS,
    of: |s| f64::from(s.record.pages_600),
    share: 0.9,
    why_share: "a choice: it does nothing else, where one request may count twice",
    also: |s, _| s.attempts(|a| a.texts_600) >= ATTACKS_TEXTS_MIN,
    ..HOSTILE
};

/// Share of texts of attacks in what a source asks for in a day, from which it does hardly anything else.
const COMMANDS_SHARE_MIN: f64 = 0.6;

/// Those that have a server run something, in a day.
pub const COMMANDS_86400: Test = Test {
    name: "commands_86400",
    scale_s: 86_400.0,
    counter: |s| s.attempts(|a| a.commands_day),
    floor: 12.0,
    why: "a dozen, or half as many that are written or sent by a program and answered with success: a passing robot tries one weakness that runs \
          something a few times, and no visitor does: a choice",
    envelope: |_| 1.0,
    usual: "an ordinary source sends none; one search for how something is run is allowed for: a choice",
    of: |s| s.attempts(|a| a.pages[3]),
    share: COMMANDS_SHARE_MIN,
    why_share: "a choice: most of what it asks for in the day; who reads about such things reads more than he searches for",
    // A command may count twice.
    also: |s, _| s.attempts(|a| a.hostile[3]) >= COMMANDS_SHARE_MIN * s.attempts(|a| a.pages[3]),
    ..HOSTILE
};

/// Sent in a day.
pub const ATTACK_TEXTS_86400: Test = Test {
    name: "attack_texts_86400",
    scale_s: 86_400.0,
    counter: |s| s.attempts(|a| a.hostile[3]),
    floor: 60.0,
    why: "more than twice the floor of ten minutes over a day: nobody meets as many such addresses by chance",
    envelope: |_| 3.0,
    usual: "an ordinary source sends none; a few that only look like attacks are allowed for in a day: a \
            choice",
    of: |s| s.attempts(|a| a.pages[3]),
    share: 0.2,
    ..HOSTILE
};

//! Every maximum of the detector, named. Memory is bounded by these; the greater of what they cut off is counted.

use schemas::limits::{PANE_US, SUB_PANE_US, WINDOW_US};

/// A step forward that makes nobody late needs no witness: at least this long, and as long as the lateness that is
/// allowed, µs.
pub const JUMP_US_MIN: i64 = 10_000_000;

/// Records in a row that must agree before a longer jump in time is believed, where arrivals do not explain it. So many
/// are held back at most.
pub const JUMP_CONFIRMATIONS: usize = 16;

/// Records that must agree at the end of a partition, or when it falls silent.
pub const END_CONFIRMATIONS: usize = 3;

/// At the end a step may be this many times the widest of late.
pub const SPARSE_FACTOR: i64 = 4;

/// Longest step in a partition of so few records that none was believed before its end, µs.
pub const FIRST_STEP_US_MAX: i64 = 86_400_000_000;

/// A record may be this far ahead of its arrival: clocks of edges and brokers differ, µs. Time moves no further than
/// the arrival all the same.
pub const SKEW_US_MAX: i64 = 60_000_000;

/// The first record of a partition is believed at once when it is at most this old on arrival, µs.
pub const LIVE_LAG_US_MAX: i64 = 600_000_000;

/// Zones are whole multiples of this from each other, µs.
pub const OFFSET_QUANTUM_US: i64 = 900_000_000;

/// Two producers are at most this many quarter-hours apart: UTC-12 and UTC+14.
pub const ZONE_SPREAD_QUANTA_MAX: i64 = 26 * 4;

/// Lag on arrival up to which the offset of a clock is told from it, µs.
pub const OFFSET_LAG_US_MAX: i64 = 120_000_000;

/// Records from which an offset is told, in a minute of arrivals or longer.
pub const OFFSET_RECORDS_MIN: u32 = 8;

/// Minutes in a row that must come to the same offset.
pub const OFFSET_PERIODS: u32 = 3;

/// Arrivals since the start from which it is told that event time was poisoned before.
pub const HEAL_RECORDS_MIN: u32 = 64;

/// Believed time this far ahead of all arrivals since the start is taken back, µs.
pub const HEAL_AHEAD_US: i64 = 3_600_000_000;

/// Hosts with a state of their own; records of further hosts share one state.
pub const TARGETS_MAX: usize = 4_096;

/// Bytes of the states of all hosts together, at the end of a second; beyond it hosts that came last and hold much are
/// given up. Within a second only what its records bring is added.
pub const HOSTS_BYTES_MAX: usize = 1_536 << 20;

/// Bytes that the limits of all that is kept from one second to the next may add up to; records that wait for their
/// second aside.
pub const STATE_BYTES_MAX: usize = 4 << 30;

/// Hosts that are admitted with their first answer other than a refusal; further ones by merit.
pub const HOSTS_AT_ONCE: usize = 1_024;

/// Hosts that wait for admission.
pub const HOSTS_WAITING_MAX: usize = 16_384;

/// Live (host, source) records over all hosts.
pub const SOURCES_MAX: usize = 2_000_000;

/// (host, source) pairs whose attempts in vain are remembered for days.
pub const ATTEMPTERS_MAX: usize = 262_144;

/// Sources of one host whose tries of credentials are counted in half an hour.
pub const TRYING_SOURCES_MAX: usize = 4_096;

/// Records with the text of an attack, of one host and the last hour, that are kept to see what they have in common.
pub const TEXTS_SAMPLED_MAX: usize = 256;

/// Words of the bitmap that tells the paths one source asked for in vain apart: 1,024 bits count to some thousands.
pub const VAIN_PATH_WORDS: usize = 16;

/// Sources of one host told apart by the time that their answers take.
pub const HOLDERS_MAX: usize = 12;

/// Sources of one host told apart by the bytes that they draw.
pub const DRAWERS_MAX: usize = 24;

/// Large things that one of them drew last, which are known again.
pub const DRAWN_PATHS_MAX: usize = 8;

/// Endpoints that take writes remembered for one host.
pub const ENDPOINTS_MAX: usize = 256;

/// Refused paths of one host whose askers are counted.
pub const MISSES_MAX: usize = 4_096;

/// Sources with their own counters in the running minute; beyond them those with the fewest requests make room.
pub const WINDOW_SOURCES_MAX: usize = 500_000;

/// Sources with their own histograms in the running minute; beyond them those with the fewest requests lose theirs.
pub const WINDOW_HOT_SOURCES_MAX: usize = 65_536;

/// Distinct values counted apart for all hot sources of the running minute together.
pub const WINDOW_HOT_VALUES_MAX: usize = 4_194_304;

/// Values of one histogram of a host whose room is kept for the next minute.
pub const HISTOGRAM_KEPT_MAX: usize = 64;

/// Votes of one window of a host whose room is kept for the next: what fifty sampled records a second cast in a pane, at
/// four each. Of all hosts this is what the limits of the rest leave of [`STATE_BYTES_MAX`].
pub const VOTES_KEPT_MAX: usize = 1_024;

/// Distinct values one histogram counts apart; further values share the rest of the table.
pub const HISTOGRAM_VALUES_MAX: usize = 65_536;

/// Records of one host kept as a sample from one second.
pub const SAMPLES_PER_SECOND_MAX: usize = 128;

/// Sampled records of the last minute kept for one host.
pub const RECENT_SAMPLES_MAX: usize = 8_192;

/// Sampled records of ordinary traffic kept for one host.
pub const BASELINE_SAMPLES_MAX: usize = 4_096;

/// Values whose ordinary share is remembered, for one attribute of one host.
pub const COMPOSITION_VALUES_MAX: usize = 8_192;

/// Hours of a week, each of which a host has a usual rate of.
pub const SEASON_HOURS: usize = 168;

/// Visits that are remembered of each hour of the week.
pub const SEASON_VISITS: usize = 4;

/// Hours under suspicion that wait to be learned: suspicion is given up after two thirds of an hour.
pub const SEASON_SHADOW_HOURS_MAX: usize = 2;

/// Records of ordinary traffic of a week kept for one host: each is some per mille, and a rule that selects none of them
/// selects less than one in a hundred (the rule of three).
pub const SLOW_SAMPLES_MAX: usize = 512;

/// Words of the first bitmap of what a host knows: 800 values until it is full.
pub const KNOWN_WORDS_MIN: usize = 256;

/// Words of the greatest bitmap of what a host knows, of which there are two: 52,000 values each.
pub const KNOWN_WORDS_MAX: usize = 16_384;

/// Visitors of one host noted in ten minutes.
pub const VISITORS_NOTED_MAX: usize = 16_384;

/// Votes (source and value) counted in one window of one host: what 128 sampled records a second cast in most of a minute
/// in which each of them shows all there is to vote on, and visitors never; in panes there is room left.
pub const VOTES_CAST_MAX: usize = 98_304;

/// Texts (paths, user agents, …) kept by name.
pub const NAMES_MAX: usize = 1_000_000;

/// Bytes of one text that are looked at and kept; a longer one is known by its beginning.
pub const NAME_BYTES_MAX: usize = 1_024;

/// Bytes of all texts kept by name; the last may go beyond.
pub const NAMES_BYTES_MAX: usize = 128 << 20;

/// Sources of one host noted in one minute as reading pages without assets.
pub const BARE_SOURCES_MAX: usize = 256;

/// Sources that stand out on one host in one second, and one more of each thing that none of them stands out by; further
/// ones stand out in the next.
pub const ALARMS_MAX: usize = 4_096;

/// Incidents open at once on one host; beyond them one may open of each class of which none is, and one that changes its
/// class makes room for another.
pub const OPEN_INCIDENTS_MAX: usize = 4;

/// Closed incidents of one host that may be opened again; those closed longest ago are forgotten.
pub const CLOSED_INCIDENTS_MAX: usize = 16;

/// Rules of one incident found by what its requests have in common; a list of sources may be one more. A rule that selects
/// more takes the place of the one that selects least.
pub const INCIDENT_RULES_MAX: usize = 4;

/// Tests that spoke for one incident; of more the strongest.
pub const EVIDENCE_MAX: usize = 32;

/// Distinct sources one incident counts one by one; beyond them those with the fewest requests make room.
pub const INCIDENT_SOURCES_COUNTED_MAX: usize = 200_000;

/// Sources in the rule of an incident of single sources; one with more requests takes the place of the one with the fewest.
pub const RULE_SOURCES_MAX: usize = 1_024;

/// Incidents that later ones on other hosts are compared with: one of each host.
pub const CAMPAIGN_INCIDENTS_MAX: usize = TARGETS_MAX;

/// Sources of an incident by which it is compared with others: of sets ten times as large some two dozen are in the draw.
pub const CAMPAIGN_SOURCES_MAX: usize = 256;

/// Hosts of one campaign that are told apart; each further incident counts as on one more.
pub const CAMPAIGN_HOSTS_MAX: usize = 1_024;

/// Conjuncts of a fingerprint.
pub const FINGERPRINT_CONJUNCTS_MAX: usize = 4;

/// Values in one list of a fingerprint.
pub const FINGERPRINT_LIST_MAX: usize = 64;

/// Bytes of one value as it is written in a fingerprint.
pub const FINGERPRINT_VALUE_BYTES_MAX: usize = 4 * NAME_BYTES_MAX;

/// Bytes of the values of one list of a fingerprint.
pub const FINGERPRINT_LIST_BYTES_MAX: usize = 2 * FINGERPRINT_VALUE_BYTES_MAX;

const _: () = assert!(WINDOW_US % PANE_US == 0 && PANE_US % SUB_PANE_US == 0, "windows nest");
const _: () = assert!(HEAL_AHEAD_US > SKEW_US_MAX, "what skew allows is not taken back");

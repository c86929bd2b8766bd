//! What is wrong today: a list that can only shrink.

/// Scenario, seeds, and what comes out in place of what is right.
pub const KNOWN_WRONG: &[(&str, &[u64], &str)] = &[
    ("false_googlebot", &[1, 2], "nothing found; late"),
    ("swarm_of_homes_reads_paths", &[1, 2], "found, by what next to none of its requests show"),
];

//! What is wrong today.

/// Scenario, seeds, and what comes out in place of what is right.
pub const KNOWN_WRONG: &[(&str, &[u64], &str)] = &[
    (
        "swarm_of_homes_reads_versions",
        &[1, 2],
        "http_flood and cache_busting; fingerprints list browsers, 7–10 % of ordinary requests",
    ),
    (
        "swarm_of_homes_reads_paths",
        &[1, 2],
        "http_flood; fingerprints list browsers, 9–13 % of ordinary requests",
    ),
    ("swarm_meets_challenge_pages", &[1, 2], "content_discovery after 2 s"),
];

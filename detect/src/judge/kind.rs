//! Of which kind is it, given that it is hostile? Ordered rules, the first that fits wins.

use schemas::Kind;

use crate::judge::evidence::Case;

/// One rule.
struct Rule {
    kind: Kind,
    fits: fn(&Case) -> bool,
}

/// Requests of a source to log-ins that still look like a list of stolen credentials tried one by one.
const TRIES_EACH_MAX: f64 = 30.0;

/// Sources from which trying credentials is the work of many.
const STUFFERS_MIN: f64 = 10.0;

/// Sources of a swarm in the window, and requests of each.
const SWARM_SOURCES_MIN: f64 = 15.0;
const SWARM_EACH_MAX: f64 = 3.0;

/// Distinct paths per request: a swarm divides the site among its members, a flood repeats what it asks for.
const SWARM_SPREAD_MIN: f64 = 0.6;

/// Excess up to which it reads rather than floods, requests per second.
const SWARM_RATE_MAX: f64 = 40.0;

/// Bytes of an answer from which copying it is worth a name.
const LARGE_BYTES: f64 = 5e6;

/// Time to serve from which a request is dear, ms.
const DEAR_MS: f64 = 1_000.0;

/// Every rule, in order.
const RULES: &[Rule] = &[
    Rule { kind: Kind::CredentialStuffing, fits: |case| tries(case) && is_spread(case) },
    Rule { kind: Kind::BruteForce, fits: tries },
    Rule { kind: Kind::VulnScan, fits: |case| case.seen.hostile >= 0.3 },
    Rule { kind: Kind::ContentDiscovery, fits: |case| case.seen.probes >= 0.5 },
    Rule { kind: Kind::SlowHttp, fits: |case| case.seen.empty >= 0.5 },
    Rule { kind: Kind::StreamAbuse, fits: breaks_off },
    Rule { kind: Kind::BulkDownload, fits: draws },
    Rule { kind: Kind::Swarm, fits: swarms },
    Rule { kind: Kind::AppExhaustion, fits: is_dear },
    Rule { kind: Kind::CacheBusting, fits: busts_caches },
];

/// Kind of the first rule that fits, or a flood.
pub fn kind_of(case: &Case) -> Kind {
    RULES.iter().find(|rule| (rule.fits)(case)).map_or(Kind::HttpFlood, |rule| rule.kind)
}

fn tries(case: &Case) -> bool {
    let (seen, ordinary) = (case.seen.auth, case.ordinary.auth);
    seen >= 0.6 && ordinary < 0.5 && seen > 3.0 * ordinary && case.seen.fetchers < 0.5
}

fn is_spread(case: &Case) -> bool {
    let seen = &case.seen;
    seen.sources >= STUFFERS_MIN && seen.count < TRIES_EACH_MAX * seen.sources
}

/// Streams opened and broken off, again and again.
fn breaks_off(case: &Case) -> bool {
    case.seen.aborted >= 0.6 && case.ordinary.aborted < 0.2
}

fn draws(case: &Case) -> bool {
    case.seen.bytes > 8.0 * case.ordinary.bytes && case.seen.bytes > LARGE_BYTES
}

/// Very many sources that read a few pages each, of the kinds the host has, and nothing a browser loads with them.
fn swarms(case: &Case) -> bool {
    let (seen, ordinary) = (&case.seen, &case.ordinary);
    seen.sources >= SWARM_SOURCES_MIN
        && seen.count <= SWARM_EACH_MAX * seen.sources
        && seen.path_spread >= SWARM_SPREAD_MIN
        && seen.assets < 0.1 * ordinary.assets
        && seen.known_sources < 0.5
        && case.rate.is_none_or(|rate| rate - case.level < SWARM_RATE_MAX)
}

fn is_dear(case: &Case) -> bool {
    let (seen, ordinary) = (case.seen.duration_ms, case.ordinary.duration_ms);
    seen > 5.0 * ordinary.max(20.0) && seen > DEAR_MS
}

fn busts_caches(case: &Case) -> bool {
    let (seen, ordinary) = (&case.seen, &case.ordinary);
    seen.queries >= 0.8
        && seen.query_spread >= 0.8
        && seen.top_path >= 0.5
        && seen.count >= 20.0
        && ordinary.query_spread * ordinary.queries < 0.5
        && seen.cache_miss.is_none_or(|missed| missed >= 0.5)
}

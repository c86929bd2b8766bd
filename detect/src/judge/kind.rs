//! Of which kind is it, given that it is hostile? Ordered rules, the first that fits wins.

use schemas::Kind;

use crate::judge::evidence::Case;
use crate::judge::profile::Profile;
use crate::judge::rule::Rule;
use crate::record::event::takes_long_to_send;

/// Requests of a source to log-ins that still look like a list of stolen credentials tried one by one.
const TRIES_EACH_MAX: f64 = 30.0;

/// Share of tries, and of them with the forms of log-ins that are read for them, from which nothing else is done: two forms at most for
/// a try, and who comes in goes on to something else. Choices.
const FORM_TRIES_MIN: f64 = 0.3;
const WITH_FORMS_MIN: f64 = 0.8;

/// Sources from which trying credentials is the work of many.
const STUFFERS_MIN: f64 = 10.0;

/// Sources of a swarm in the window, and requests of each.
const SWARM_SOURCES_MIN: f64 = 15.0;
const SWARM_EACH_MAX: f64 = 3.0;

/// Distinct paths per request: a swarm divides the site among its members, a flood repeats what it asks for.
const SWARM_SPREAD_MIN: f64 = 0.6;

/// Excess up to which it reads rather than floods, requests per second.
const SWARM_RATE_MAX: f64 = 40.0;

/// Share that is sent elsewhere from which nothing is read: most of it, a choice.
const SENT_ELSEWHERE_MIN: f64 = 0.8;

/// Networks that try one weakness in a burst, and requests of each source.
const BURST_NETWORKS_MIN: f64 = 10.0;
const BURST_EACH_MAX: f64 = 5.0;

/// Bytes of an answer from which copying it is worth a name.
const LARGE_BYTES: f64 = 5e6;

/// Time to serve from which a request is dear, ms.
const DEAR_MS: f64 = 1_000.0;

/// Distinct paths up to which, and requests of each source from which, those who are refused or sent on go round in a circle:
/// a search goes on to the next. Choices.
const CIRCLE_PATHS_MAX: f64 = 4.0;
const CIRCLE_EACH_MIN: f64 = 5.0;

/// Share of repeated requests with a new query of their source, from which queries are made up: who polls sends his own again
/// and again. A choice.
const RENEWED_MIN: f64 = 0.5;

/// Requests of each source up to which each asks once, and excess from which that is no link with a key of each reader, requests
/// per second. Choices: the second is more than a letter to some ten thousand brings.
const ONCE_EACH_MAX: f64 = 1.2;
const ONCE_RATE_MIN: f64 = 30.0;

/// Sources, shares of one path and of all that they ask for, share of sources that were here before that says something of who was
/// not, what is left of it, and errors beyond the ordinary, from which it is an endpoint that is overtaxed. Choices: people use an
/// application's cheap parts, too, half of them came before, and a page that takes long need not fail.
const TAXERS_MIN: f64 = 20.0;
const TAXED_PATH_MIN: f64 = 0.7;
const TAXED_ONLY_MIN: f64 = 0.9;
const KNOWN_MIN: f64 = 0.5;
const NEWCOMERS: f64 = 0.5;
const TAXED_ERRORS_MIN: f64 = 0.05;

/// Shares of assets and of distinct paths, and requests, from which files are asked for under ever new addresses; times the ordinary
/// time to serve, from twenty milliseconds on, or share of misses, from which each of them has to be made. Choices: who looks at
/// pictures asks for some that others have asked for, and the caches have those.
const MADE_ASSETS_MIN: f64 = 0.9;
const MADE_SPREAD_MIN: f64 = 0.9;
const MADE_COUNT_MIN: f64 = 50.0;
const MADE_TIMES: f64 = 5.0;
const MADE_MISSES_MIN: f64 = 0.5;

/// Every rule, in order.
pub const RULES: &[Rule] = &[
    Rule {
        name: "tries_of_many",
        kind: Kind::CredentialStuffing,
        says: "credentials are handed over by many sources, a few times by each",
        why: "a choice: ten sources are many; thirty tries by each go through a list, more guess at one account",
        fits: |case| tries(case) && is_spread(case.seen.sources, case.seen.count),
    },
    Rule {
        name: "tries",
        kind: Kind::BruteForce,
        says: "credentials are handed over, much more than usual",
        why: "a choice: most of it, or four in five with the forms that are read for it, where ordinary traffic has less than a third \
              as much, and not by programs that fetch for people",
        fits: tries,
    },
    Rule {
        name: "one_weakness",
        kind: Kind::ExploitBurst,
        says: "one and the same attack is sent from many networks, a few times by each source",
        why: "a choice: three in ten carry an attack in their text, half of them for one path; ten networks, up to \
              five requests by each source: one scanner tries many weaknesses, many try the one that is new",
        fits: bursts,
    },
    Rule {
        name: "attack_texts",
        kind: Kind::VulnScan,
        says: "requests carry attacks in their text",
        why: "a choice: three in ten; scanners mix them with harmless ones, visitors send next to none",
        fits: |case| case.seen.hostile >= 0.3,
    },
    Rule {
        name: "probes",
        kind: Kind::ContentDiscovery,
        says: "paths are asked for that the host does not serve",
        why: "a choice: half of it; less is a crawl that meets dead links, and four paths at most that each source asks for \
              five times and more are a circle of redirects, or a poll of what is gone",
        fits: |case| case.seen.probes >= 0.5 && !goes_round(case),
    },
    Rule {
        name: "empty_connections",
        kind: Kind::SlowHttp,
        says: "connections come without a request",
        why: "a choice: half of it; browsers open some ahead of need, beside others that they use",
        fits: |case| case.seen.empty >= 0.5,
    },
    Rule {
        name: "broken_off",
        kind: Kind::StreamAbuse,
        says: "streams are opened and broken off, again and again",
        why: "a choice: most of it, where fewer than a fifth of ordinary requests are",
        fits: breaks_off,
    },
    Rule {
        name: "large_answers",
        kind: Kind::BulkDownload,
        says: "large answers are drawn",
        why: "a choice: eight times the ordinary mean, from 5 MB on; a page and its images are smaller",
        fits: draws,
    },
    Rule {
        name: "swarm",
        kind: Kind::Swarm,
        says: "very many sources read a few pages each, of the kinds the host has, and nothing a browser loads \
               with them",
        why: "a choice: three pages by each of fifteen sources and more, hardly a path twice, slower than a flood, and not four in \
              five sent elsewhere",
        fits: swarms,
    },
    Rule {
        name: "dear",
        kind: Kind::AppExhaustion,
        says: "requests take the origin long",
        why: "a choice: five times the ordinary mean, from a second on; a page that takes as long is rare. Not where a megabyte \
              and more is sent at 100 kB a second: then the client takes the time; nor where caches answer",
        fits: is_dear,
    },
    Rule {
        name: "random_queries",
        kind: Kind::CacheBusting,
        says: "one path is asked for under ever new queries, so that no cache can answer",
        why: "a choice: four in five carry a query of their own, for one path, of twenty requests and more, half of them a new \
              one where a source asks again; a cache answers none that writes",
        fits: busts_caches,
    },
    Rule {
        name: "made_anew",
        kind: Kind::CacheBusting,
        says: "files are asked for under ever new addresses, each of which has to be made",
        why: "a choice: nine in ten are assets, and of another path each, of fifty requests and more; they take five times as long as \
              is ordinary, or half of them miss the caches, twice as many as ordinarily: a crowd looks at the same pictures",
        fits: is_made_anew,
    },
];

fn tries(case: &Case) -> bool {
    let (seen, ordinary) = (case.seen.auth, case.ordinary.auth);
    let with_forms = seen >= FORM_TRIES_MIN && seen + case.seen.forms >= WITH_FORMS_MIN;
    (seen >= 0.6 || with_forms)
        && ordinary < 0.5
        && seen > 3.0 * ordinary
        && case.seen.fetchers < 0.5
}

fn bursts(case: &Case) -> bool {
    case.seen.hostile >= 0.3 && is_of_one_weakness(&case.seen)
}

/// Whether one thing is asked for from many networks, a few times by each source.
pub fn is_of_one_weakness(seen: &Profile) -> bool {
    seen.top_path >= 0.5
        && seen.networks >= BURST_NETWORKS_MIN
        && seen.count <= BURST_EACH_MAX * seen.sources
}

/// Whether tries are the work of many sources, each of which has a few.
pub fn is_spread(sources: f64, tries: f64) -> bool {
    sources >= STUFFERS_MIN && tries < TRIES_EACH_MAX * sources
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
        && !is_sent_elsewhere(seen)
        && seen.count <= SWARM_EACH_MAX * seen.sources
        && seen.path_spread >= SWARM_SPREAD_MIN
        && seen.assets < 0.1 * ordinary.assets
        && seen.known_sources < 0.5
        && case.rate.is_none_or(|rate| rate - case.level < SWARM_RATE_MAX)
}

/// Whether most is sent elsewhere, and reads nothing here.
pub fn is_sent_elsewhere(seen: &Profile) -> bool {
    seen.moved >= SENT_ELSEWHERE_MIN
}

/// A few paths, asked for by the same again and again.
fn goes_round(case: &Case) -> bool {
    let seen = &case.seen;
    seen.path_spread * seen.count <= CIRCLE_PATHS_MAX
        && seen.count >= CIRCLE_EACH_MIN * seen.sources
}

fn is_dear(case: &Case) -> bool {
    let (seen, ordinary) = (&case.seen, case.ordinary.duration_ms);
    let is_sent = takes_long_to_send(seen.bytes, seen.duration_ms);
    seen.duration_ms > 5.0 * ordinary.max(20.0)
        && seen.duration_ms > DEAR_MS
        && !is_sent
        && seen.cache_miss.is_none_or(|missed| missed >= 0.5)
}

/// Whether files are asked for under ever new addresses, so that each has to be made.
pub fn is_made_anew(case: &Case) -> bool {
    let (seen, ordinary) = (&case.seen, &case.ordinary);
    let takes_long = seen.duration_ms > MADE_TIMES * ordinary.duration_ms.max(20.0)
        && !takes_long_to_send(seen.bytes, seen.duration_ms);
    let misses = |missed: f64| {
        missed >= MADE_MISSES_MIN && missed >= 2.0 * ordinary.cache_miss.unwrap_or(0.0)
    };
    seen.assets >= MADE_ASSETS_MIN
        && seen.path_spread >= MADE_SPREAD_MIN
        && seen.count >= MADE_COUNT_MIN
        && seen.writes < 0.1
        && seen.cache_miss.map_or(takes_long, misses)
}

/// Whether it is held to take the origin long, by those who ask for nothing else and were not here before, while more of it fails:
/// the host's visitors run the same, but were here before, and use more of it.
pub fn overtaxes(case: &Case) -> bool {
    let (seen, ordinary) = (&case.seen, &case.ordinary);
    seen.sources >= TAXERS_MIN
        && seen.top_path >= TAXED_PATH_MIN
        && case.only >= TAXED_ONLY_MIN
        && ordinary.known_sources >= KNOWN_MIN
        && seen.known_sources <= NEWCOMERS * ordinary.known_sources
        && seen.errors_5xx >= ordinary.errors_5xx + TAXED_ERRORS_MIN
        && case.kind() == Kind::AppExhaustion
}

/// Whether the queries are new ones where a source asks again; where hardly any does, much comes of it all the same.
fn are_made_up(case: &Case) -> bool {
    match case.renewed {
        Some(renewed) => renewed >= RENEWED_MIN,
        None if case.seen.count < ONCE_EACH_MAX * case.seen.sources => {
            case.rate.is_none_or(|rate| rate - case.level >= ONCE_RATE_MIN)
        }
        None => true,
    }
}

fn busts_caches(case: &Case) -> bool {
    let (seen, ordinary) = (&case.seen, &case.ordinary);
    seen.queries >= 0.8
        && seen.writes < 0.2
        && seen.query_spread >= 0.8
        && seen.top_path >= 0.5
        && seen.count >= 20.0
        && are_made_up(case)
        && ordinary.query_spread * ordinary.queries < 0.5
        && seen.cache_miss.is_none_or(|missed| missed >= 0.5)
}

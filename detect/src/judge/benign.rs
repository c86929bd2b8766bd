//! What looks like an attack and is none: ordered rules with names, the first that fits wins.

use schemas::Kind;

use crate::judge::evidence::Case;
use crate::judge::kind::is_made_anew;
use crate::judge::rule::Rule;

/// Networks from which a crawler comes, at most: anybody can send its name, few its addresses.
const CRAWLER_NETWORKS_MAX: f64 = 8.0;

/// The same for one that stays polite.
const POLITE_NETWORKS_MAX: f64 = 12.0;

/// Networks from which a service delivers, at most: clouds have many.
const DELIVERY_NETWORKS_MAX: f64 = 24.0;

/// Excess up to which deliveries are no flood, requests per second.
const DELIVERY_RATE_MAX: f64 = 30.0;

/// Excess up to which a link that went round is no flood, requests per second: thousands of servers fetch a page within a
/// minute.
const FETCH_RATE_MAX: f64 = 100.0;

/// Share of credentials from which nothing is excused by what it otherwise looks like.
const AUTH_MAX: f64 = 0.3;

/// Excess up to which a crawler from one operator's networks is one, requests per second.
const CRAWL_RATE_MAX: f64 = 100.0;

/// Times the ordinary rate up to which more is what people do that are answered with errors, or that share an address.
const MORE_MAX: f64 = 4.0;

/// Requests per second, over ten seconds, of a class that opens the same page behind one address.
const CLASS_RATE_MAX: f64 = 60.0;

/// Requests per second of one person who is in a hurry.
const PERSON_RATE: f64 = 2.0;

/// Requests per second above that on hosts that have next to none.
const MORE_RATE: f64 = 20.0;

/// Share of one user agent from which what was renewed is one program, each client of which has paths of its own.
const ONE_PROGRAM_MIN: f64 = 0.5;

/// Distinct paths per request up to which a renewed program asks for the same everywhere.
const UPDATED_SPREAD_MAX: f64 = 0.6;

/// Excess up to which a crawler is polite, requests per second.
const POLITE_RATE_MAX: f64 = 10.0;

/// Requests from which the share of one path says something.
const CRAWLER_COUNT_MIN: f64 = 20.0;

/// Share of one path in what a crawler reads, at most, and beyond what visitors of a host with few paths ask for.
const CRAWLER_TOP_PATH_MAX: f64 = 0.5;
const CRAWLER_TOP_PATH_MORE: f64 = 0.1;

/// Share of those that name their operator from which a crowd is one of programs.
const DECLARED_MIN: f64 = 0.8;

/// Share of sources that were here before from which what comes is a return.
const REGULARS_MIN: f64 = 0.6;

/// The same where the origin fails for a quarter of them at once: those who hold a connection open for hours leave no line
/// until it ends. A flood of strangers has next to none.
const SOME_REGULARS_MIN: f64 = 0.15;

/// Share of sources that were here before from which those who ask in vain are the host's own.
const UPDATED_MIN: f64 = 0.8;

/// Share of ordinary records that a rule selects from which it tells nothing apart.
const ORDINARY_LOOK_MIN: f64 = 0.5;

/// Players from which they are many, the share of one path in what they ask for at most, and the share of those that ask no
/// faster than a player does.
const PLAYERS_MIN: f64 = 20.0;
const PLAYLIST_MAX: f64 = 0.6;
const SLOW_MIN: f64 = 0.9;

/// Probes of a monitor, and pages that each looks at, at most; time that an answer may take, ms; excess up to which they harm
/// nobody, requests per second.
const WATCHERS_MAX: f64 = 64.0;
const WATCHED_PATHS_MAX: f64 = 6.0;
const WATCHED_MS_MAX: f64 = 500.0;
const WATCHED_RATE_MAX: f64 = 20.0;

/// Times the ordinary rate up to which what poses as a browser may be a monitor that drives one.
const WATCHED_TIMES_MAX: f64 = 3.0;

/// Pages that are viewed at once, with what their scripts ask for, and paths in all, at most; shares of assets, of what is new to who
/// asks for it, and of assets that name the page, at least; and the share of writes, which scripts send, at most.
const VIEWS_MAX: f64 = 48.0;
const FILES_MAX: f64 = 200.0;
const VIEWED_ASSETS_MIN: f64 = 0.85;
const VIEWED_WRITES_MAX: f64 = 0.1;
const VIEWED_FRESH_MIN: f64 = 0.9;
const VIEWED_LED_MIN: f64 = 0.7;

/// Sources that view pages so, at most: addresses of a proxy or places of a service; more are a crowd.
const VIEWERS_MAX: f64 = 12.0;

/// Requests of one fetcher that come of one link: the page, its image, a second try.
const FETCHES_MAX: f64 = 4.0;

/// Every rule, in order.
pub const RULES: &[Rule] = &[
    Rule {
        name: "link_fetched",
        kind: Kind::Fetcher,
        says: "a link went round among programs that fetch what it leads to: each names its operator and asks a \
               few times",
        why: "one link costs a fetcher the page, its image and a second try; the shares are choices, four in five and \
              half; a hundred a second is more than one link brings",
        fits: is_fetched_link,
    },
    Rule {
        name: "delivered",
        kind: Kind::Fetcher,
        says: "a service delivers what was ordered of it: from few networks, writes that are taken and hand over no \
               credentials",
        why: "a choice: two dozen networks are what one operator sends from, a flood comes from more; thirty a \
              second hurt nobody",
        fits: is_delivered,
    },
    Rule {
        name: "watched",
        kind: Kind::Fetcher,
        says: "programs ask for a few pages now and then, and are answered at once: they watch, or look for news",
        why: "a choice: what monitors do, whose probes are some dozens, each with a few pages every half a minute, at worst all at once; \
              twenty a second above the ordinary harm nobody, where all is served, nothing is written and nothing takes long; under the \
              name of a browser up to three times the ordinary rate in all",
        fits: is_watched,
    },
    Rule {
        name: "viewed",
        kind: Kind::Fetcher,
        says: "a few pages are viewed with all that belongs to them: through a proxy of several addresses, or by a service that looks at \
               pages for others",
        why: "a choice: pages of the web have some seventy files, few have more than two hundred, each asked for once by who views the \
              page, and naming it but for those asked for ahead, and scripts that ask for one thing more; from a dozen places at \
              once, and sixty requests a second above the ordinary, a service looks at one",
        fits: is_viewed,
    },
    Rule {
        name: "return",
        kind: Kind::RetryStorm,
        says: "those who were here before come back at once to what they used, since it failed them",
        why: "a choice: three in five came before while a fifth of the answers fail, or one in seven did while a \
              quarter of them fail; ten sources, five programs, half of it for one path; strangers have next to none",
        fits: is_return,
    },
    Rule {
        name: "origin_fails",
        kind: Kind::OriginFault,
        says: "the origin answers everybody with errors, whatever they ask for",
        why: "a choice: two in five fail where fewer than one in five did, and no path that seven in ten ask for; where \
              the software of the senders stands out, up to four times the ordinary rate and twenty a second",
        fits: origin_fails,
    },
    Rule {
        name: "taken_away",
        kind: Kind::OriginFault,
        says: "what the host used to serve is gone: a deployment, not a search for it",
        why: "a choice: most is refused, yet fewer than a third of that was never served; no more than half as much \
              again as usual and five a second",
        fits: was_taken_away,
    },
    Rule {
        name: "update",
        kind: Kind::Deploy404,
        says: "those who were here before ask for other paths than before, in vain: their program was renewed, \
               or the host was",
        why: "a choice: four in five came before, and ask for the same as each other or are one program; a search \
              brings strangers, ever new paths, log-ins or attack texts",
        fits: is_update,
    },
    Rule {
        name: "crawled",
        kind: Kind::Crawler,
        says: "programs that name their operator read page after page, from where one operator is",
        why: "anybody can send the name of a crawler, few its networks: eight, or twelve up to ten a second, \
              and never above a hundred a second; half of it for one path, or a tenth more than visitors ask for it \
              where there are few paths to read; the numbers are choices",
        fits: is_crawled,
    },
    Rule {
        name: "streamed",
        kind: Kind::FlashCrowd,
        says: "many play or look at the same, and the caches answer: a stream that begins, with players that were not there \
               before",
        why: "a choice: nine in ten are assets, four in five of them from the caches, or, where the log does not tell of these, asked for no \
              faster than ever, and they are not made anew for each; three in five for one path at most, which a list of what plays next is; nine in ten of twenty sources and more ask \
              for two a second at most: a flood asks faster, or past the caches",
        fits: is_streamed,
    },
    Rule {
        name: "shared_address",
        kind: Kind::FlashCrowd,
        says: "many people behind few addresses",
        why: "a choice: up to three addresses, four fifths from one, five user agents and more, none of which half \
              run; up to four times the ordinary rate, and twenty a second or two for each user agent",
        fits: is_shared_address,
    },
    Rule {
        name: "more_of_the_same",
        kind: Kind::FlashCrowd,
        says: "there is more of what is there anyway: the best that can be said of it holds for half of the \
               ordinary",
        why: "a rule that selects half of the ordinary records tells nothing apart; ten nats from software, well \
              below an alarm, would: a choice",
        fits: is_more_of_the_same,
    },
];

/// A link went round among programs that fetch what it leads to: each names its operator and asks a few times.
fn is_fetched_link(case: &Case) -> bool {
    let seen = &case.seen;
    seen.declared >= DECLARED_MIN
        && seen.fetchers >= 0.5
        && seen.count <= FETCHES_MAX * seen.sources
        && seen.queries < 0.5
        && seen.writes == 0.0
        && excess_is_below(case, FETCH_RATE_MAX)
}

/// A service delivers what was ordered of it: from few networks, writes that are taken and hand over no credentials.
fn is_delivered(case: &Case) -> bool {
    let seen = &case.seen;
    seen.declared >= DECLARED_MIN
        && seen.networks <= DELIVERY_NETWORKS_MAX
        && seen.writes >= 0.8
        && seen.refused < 0.1
        && seen.auth < AUTH_MAX
        && excess_is_below(case, DELIVERY_RATE_MAX)
}

/// Programs ask for a few pages now and then, and are answered at once.
fn is_watched(case: &Case) -> bool {
    let seen = &case.seen;
    let paths = seen.path_spread * seen.count;
    seen.unhurried >= 0.9
        && seen.sources <= WATCHERS_MAX
        && paths <= WATCHED_PATHS_MAX
        && seen.assets < 0.5
        && seen.refused + seen.errors_5xx < 0.05
        && seen.writes == 0.0
        && seen.hostile == 0.0
        && seen.auth == 0.0
        && seen.queries < 0.5
        && seen.duration_ms <= WATCHED_MS_MAX.max(2.0 * case.ordinary.duration_ms)
        && excess_is_below(case, WATCHED_RATE_MAX)
        && (seen.programs >= 0.9
            || case.rate.is_none_or(|rate| rate <= WATCHED_TIMES_MAX * case.level))
}

/// A few pages are viewed with all that belongs to them.
pub fn is_viewed(case: &Case) -> bool {
    let seen = &case.seen;
    let pages = seen.count * (1.0 - seen.assets);
    // The count of pages is a difference of shares.
    (0.5..VIEWS_MAX + 0.5).contains(&pages)
        && seen.sources <= VIEWERS_MAX
        && seen.path_spread * seen.count <= FILES_MAX
        && seen.assets >= VIEWED_ASSETS_MIN
        && case.view.fresh >= VIEWED_FRESH_MIN
        && case.view.led_assets >= VIEWED_LED_MIN
        && seen.refused + seen.errors_5xx < 0.1
        && seen.writes < VIEWED_WRITES_MAX
        && seen.hostile + seen.auth == 0.0
        && excess_is_below(case, CLASS_RATE_MAX)
}

/// Whether what comes above the ordinary stays below so many requests per second, as far as the rate is known.
fn excess_is_below(case: &Case, max: f64) -> bool {
    case.rate.is_none_or(|rate| rate - case.level <= max)
}

/// Whether there is no more than so many people make of a host when they ask again, as far as the rate is known.
fn is_bearable(case: &Case, people: f64) -> bool {
    let most = MORE_MAX * case.level + MORE_RATE.max(PERSON_RATE * people);
    case.rate.is_none_or(|rate| rate <= most)
}

/// Those who were here before come back at once to what they used, since it failed them.
fn is_return(case: &Case) -> bool {
    let seen = &case.seen;
    let as_ever = case.software_nats < 10.0
        && seen.agents >= 5.0
        && seen.top_agent < case.ordinary.top_agent + 0.1;
    let failing = seen.errors_5xx.max(case.all.errors_5xx);
    seen.sources >= 10.0
        && seen.top_path >= 0.5
        && as_ever
        && (seen.known_sources >= REGULARS_MIN && failing >= 0.2
            || seen.known_sources >= SOME_REGULARS_MIN && failing >= 0.25)
}

/// The origin answers everybody with errors, whatever they ask for.
fn origin_fails(case: &Case) -> bool {
    let seen = &case.seen;
    seen.errors_5xx >= 0.4
        && case.ordinary.errors_5xx < 0.2
        && case.all.errors_5xx >= 0.3
        && seen.top_path < 0.7
        && (case.software_nats < 20.0 || is_bearable(case, 0.0))
}

/// What the host used to serve is gone: a deployment, not a search for it.
fn was_taken_away(case: &Case) -> bool {
    let seen = &case.seen;
    let broken = seen.refused >= 0.6 && seen.probes < 0.3 * seen.refused && seen.auth < 0.3;
    broken
        && case.software_nats < 20.0
        && case.rate.is_some_and(|rate| rate < 1.5 * case.level + 5.0)
}

/// Those who were here before ask for other paths than before, in vain: their program was renewed, or the host was.
fn is_update(case: &Case) -> bool {
    let seen = &case.seen;
    seen.known_sources >= UPDATED_MIN
        && seen.sources >= 4.0
        && seen.refused >= 0.4
        && seen.auth < 0.3
        && seen.hostile < 0.05
        && (seen.path_spread <= UPDATED_SPREAD_MAX || seen.top_agent >= ONE_PROGRAM_MIN)
        && case.software_nats < 10.0
}

/// Programs that name their operator read page after page, from where one operator is.
fn is_crawled(case: &Case) -> bool {
    let seen = &case.seen;
    let polite = excess_is_below(case, POLITE_RATE_MAX);
    let networks_max = if polite { POLITE_NETWORKS_MAX } else { CRAWLER_NETWORKS_MAX };
    let top_path_max = CRAWLER_TOP_PATH_MAX.max(case.ordinary.top_path + CRAWLER_TOP_PATH_MORE);
    seen.declared >= DECLARED_MIN
        && seen.networks <= networks_max
        && excess_is_below(case, CRAWL_RATE_MAX)
        && (seen.top_path < top_path_max || seen.count < CRAWLER_COUNT_MIN)
}

/// Many play the same, and the caches answer.
fn is_streamed(case: &Case) -> bool {
    let seen = &case.seen;
    seen.assets >= 0.9
        && !is_made_anew(case)
        && seen.cache_miss.map_or(case.each <= 1.0, |missed| missed <= 0.2)
        && seen.sources >= PLAYERS_MIN
        && seen.top_path <= PLAYLIST_MAX
        && seen.refused + seen.errors_5xx < 0.1
        && seen.slow >= SLOW_MIN
}

/// There is more of what is there anyway: the best that can be said of it holds for half of the ordinary.
fn is_more_of_the_same(case: &Case) -> bool {
    case.share >= ORDINARY_LOOK_MIN && case.software_nats < 10.0
}

/// Many people behind few addresses.
fn is_shared_address(case: &Case) -> bool {
    let seen = &case.seen;
    is_of_few(case)
        && seen.agents >= 5.0
        && seen.top_agent < 0.5
        && seen.auth < AUTH_MAX
        && is_bearable(case, seen.agents)
        && case.software_nats < 10.0
}

/// Whether it comes from few addresses, most of it from one.
fn is_of_few(case: &Case) -> bool {
    case.seen.sources <= 3.0 && case.seen.top_source >= 0.8
}

/// Whether few addresses ask for more than the people who may be behind them: no crowd, however much it looks like one.
pub fn is_beyond_few(case: &Case) -> bool {
    is_of_few(case)
        && !is_bearable(case, case.seen.agents)
        && !excess_is_below(case, CLASS_RATE_MAX)
}

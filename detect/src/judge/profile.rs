//! What a set of records looks like: the shares that tell a crowd from an attack.

use crate::math::hash::Hasher;
use crate::record::event::{Event, flag};
use crate::store::table::Table;

/// Shares and counts of a set of records; all shares 0–1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Profile {
    /// Records.
    pub count: f64,
    /// Distinct sources.
    pub sources: f64,
    /// Distinct /16s and /32s.
    pub networks: f64,
    /// Share of assets.
    pub assets: f64,
    /// Share without referer, among non-assets.
    pub referer_none: f64,
    /// Share without referer, among all records.
    pub referer_none_all: f64,
    /// Share with a referer of another host, among non-assets.
    pub referer_other: f64,
    /// Share with a referer of another host, among all records.
    pub referer_other_all: f64,
    /// Share that hands over credentials.
    pub auth: f64,
    /// Share of those that are answered with 500–599.
    pub auth_errors: f64,
    /// Share that reads the form of a log-in.
    pub forms: f64,
    /// Share of refused paths on paths the host is not known to serve.
    pub probes: f64,
    /// Share of refused paths.
    pub refused: f64,
    /// Share that is sent elsewhere.
    pub moved: f64,
    /// Share of responses 500–599.
    pub errors_5xx: f64,
    /// Distinct paths per record.
    pub path_spread: f64,
    /// Share of the most frequent path.
    pub top_path: f64,
    /// Distinct queries per record with a query, among records with a query.
    pub query_spread: f64,
    /// Share with a query.
    pub queries: f64,
    /// Share whose path, query or user agent carries an attack.
    pub hostile: f64,
    /// Share of programs that fetch on behalf of people, or watch for the owner.
    pub fetchers: f64,
    /// Share of cache misses among the records that tell of the cache; `None` where none does.
    pub cache_miss: Option<f64>,
    /// Share of connections without a request.
    pub empty: f64,
    /// Share of requests broken off before they were answered.
    pub aborted: f64,
    /// Share of user agents that are no browser's.
    pub programs: f64,
    /// Share of user agents that name their operator.
    pub declared: f64,
    /// Mean time to serve, ms.
    pub duration_ms: f64,
    /// Mean bytes sent.
    pub bytes: f64,
    /// Share of requests with a body.
    pub writes: f64,
    /// Share of sources seen before.
    pub known_sources: f64,
    /// Share of sources that read as browsers do, by all that they asked for of late.
    pub browsing: f64,
    /// Share of sources that ask no faster than a player of a stream does.
    pub slow: f64,
    /// Share of sources that ask no faster than a program that watches for the owner does.
    pub unhurried: f64,
    /// Share of the heaviest source.
    pub top_source: f64,
    /// Share of the most frequent user agent, each source counted once.
    pub top_agent: f64,
    /// Distinct user agents.
    pub agents: f64,
    /// The most frequent path.
    pub main_path: u64,
}

#[expect(clippy::cast_precision_loss, reason = "counts of a sample")]
const fn f(n: usize) -> f64 {
    n as f64
}

/// What is counted on the way to a [`Profile`].
#[derive(Debug, Default)]
struct Sums {
    n: usize,
    pages: usize,
    facts: [usize; FACTS],
    forms: usize,
    auth_errors: usize,
    known_sources: usize,
    browsing: usize,
    slow: usize,
    unhurried: usize,
    duration_ms: f64,
    bytes: f64,
    paths: Table<usize>,
    queries: Table<usize>,
    sources: Table<usize>,
    networks: Table<()>,
    agents: Table<usize>,
    /// Sources with their user agents.
    seen: Table<()>,
}

/// Facts that hold of a record or not, in the order of [`facts`].
const FACTS: usize = 20;

fn facts(event: &Event, is_probe: bool) -> [bool; FACTS] {
    let page = !event.has(flag::ASSET);
    let auth = event.flags & (flag::AUTH | flag::TOKEN) != 0;
    let from_elsewhere = !event.has(flag::REFERER_NONE) && !event.has(flag::REFERER_OWN);
    [
        event.program != 0,
        event.has(flag::REFERER_NONE),
        from_elsewhere,
        !page,
        page && event.has(flag::REFERER_NONE),
        page && from_elsewhere,
        auth,
        is_probe,
        event.is_refused_path(),
        event.is_redirected(),
        event.status_class() == 5,
        event.query != 0,
        event.has(flag::DECLARED_BOT),
        event.has(flag::WRITE),
        event.has(flag::HOSTILE),
        event.has(flag::FETCHER),
        event.has(flag::ABORTED),
        event.has(flag::CACHE_MISS),
        event.flags & (flag::CACHE_MISS | flag::CACHE_HIT) != 0,
        event.is_empty(),
    ]
}

impl Sums {
    fn add(&mut self, event: &Event, hasher: &Hasher, is_probe: bool) {
        self.n += 1;
        self.pages += usize::from(!event.has(flag::ASSET));
        let facts = facts(event, is_probe);
        self.facts.iter_mut().zip(facts).for_each(|(sum, fact)| *sum += usize::from(fact));
        let is_auth = event.flags & (flag::AUTH | flag::TOKEN) != 0;
        self.auth_errors += usize::from(is_auth && event.status_class() == 5);
        self.forms += usize::from(event.has(flag::FORM));
        self.duration_ms += f64::from(event.duration_ms);
        self.bytes += f64::from(event.bytes);
        *self.paths.entry(event.path, || 0).0 += 1;
        if event.query != 0 {
            *self.queries.entry(event.query, || 0).0 += 1;
        }
        let key = hasher.pair(event.source.0, event.user_agent);
        if self.seen.entry(key, || ()).1 {
            *self.agents.entry(event.user_agent, || 0).0 += 1;
        }
    }

    /// Counts the source of an event; whether it is the first of it.
    fn add_source(&mut self, event: &Event) -> bool {
        let (count, is_new) = self.sources.entry(event.source.0, || 0);
        *count += 1;
        if is_new {
            self.networks.entry(event.source.network().0, || ());
        }
        is_new
    }

    fn profile(&self) -> Profile {
        let most = |table: &Table<usize>| table.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let share = |part: usize, whole: usize| f(part) / f(whole.max(1));
        let [programs, none_all, other_all, ..] = self.facts;
        let [_, _, _, assets, referer_none, referer_other, auth, probes, refused, ..] = self.facts;
        let [
            ..,
            moved,
            errors_5xx,
            queries,
            declared,
            writes,
            hostile,
            fetchers,
            aborted,
            missed,
            cached,
            empty,
        ] = self.facts;
        let n = self.n;
        let main_path =
            self.paths.iter().max_by_key(|(key, count)| (*count, *key)).map_or(0, |(key, _)| *key);
        Profile {
            count: f(n),
            sources: f(self.sources.len()),
            networks: f(self.networks.len()),
            assets: share(assets, n),
            referer_none: share(referer_none, self.pages),
            referer_none_all: share(none_all, n),
            referer_other: share(referer_other, self.pages),
            referer_other_all: share(other_all, n),
            auth: share(auth, n),
            auth_errors: share(self.auth_errors, auth),
            forms: share(self.forms, n),
            probes: share(probes, n),
            refused: share(refused, n),
            moved: share(moved, n),
            errors_5xx: share(errors_5xx, n),
            path_spread: share(self.paths.len(), n),
            top_path: share(most(&self.paths), n),
            query_spread: share(self.queries.len(), queries),
            queries: share(queries, n),
            programs: share(programs, n),
            declared: share(declared, n),
            hostile: share(hostile, n),
            fetchers: share(fetchers, n),
            aborted: share(aborted, n),
            empty: share(empty, n),
            cache_miss: (cached > 0).then(|| share(missed, cached)),
            duration_ms: self.duration_ms / f(n.max(1)),
            bytes: self.bytes / f(n.max(1)),
            writes: share(writes, n),
            known_sources: share(self.known_sources, self.sources.len()),
            browsing: share(self.browsing, self.sources.len()),
            slow: share(self.slow, self.sources.len()),
            unhurried: share(self.unhurried, self.sources.len()),
            top_source: share(most(&self.sources), n),
            top_agent: share(most(&self.agents), self.seen.len()),
            agents: f(self.agents.len()),
            main_path,
        }
    }
}

/// What is known of a source besides the records that are looked at.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each holds or not, whatever the others do")]
pub struct Maker {
    /// It was seen before.
    pub known: bool,
    /// It reads as browsers do.
    pub browses: bool,
    /// It asks no faster than a player of a stream does.
    pub is_slow: bool,
    /// It asks no faster than a program that watches for the owner does.
    pub is_unhurried: bool,
}

/// Share of one set's visits, each a source with a user agent, whose user agents are as frequent in the other: 1 where both
/// run the same in the same shares. `None` of fewer than `least` visits on either side, from which it cannot be told.
#[expect(clippy::cast_precision_loss, reason = "counts of samples")]
pub fn overlap<'a>(
    one: impl Iterator<Item = &'a Event>,
    other: impl Iterator<Item = &'a Event>,
    least: usize,
    hasher: &Hasher,
) -> Option<f64> {
    let (one, other) = (visits(one, hasher), visits(other, hasher));
    if one.0 < least || other.0 < least {
        return None;
    }
    let share = |(all, agents): &(usize, Table<usize>), agent: u64| {
        agents.get(agent).map_or(0.0, |count| *count as f64 / *all as f64)
    };
    Some(one.1.iter().map(|(agent, _)| share(&one, *agent).min(share(&other, *agent))).sum())
}

/// Visits, and how many of them are of each user agent.
fn visits<'a>(events: impl Iterator<Item = &'a Event>, hasher: &Hasher) -> (usize, Table<usize>) {
    let mut seen: Table<()> = Table::default();
    let mut agents: Table<usize> = Table::default();
    for event in events {
        if seen.entry(hasher.pair(event.source.0, event.user_agent), || ()).1 {
            *agents.entry(event.user_agent, || 0).0 += 1;
        }
    }
    (seen.len(), agents)
}

/// How far records are what viewing pages comes with; all shares 0–1.
#[derive(Debug, Clone, Copy, Default)]
pub struct View {
    /// Share of the assets that name a page of the host, or any where the log does not tell which host it is.
    pub led_assets: f64,
    /// Share of what its source did not ask for before, among these.
    pub fresh: f64,
    /// Share of assets that name a page and are new to their source.
    pub viewed: f64,
}

impl View {
    /// The view of some records.
    pub fn of<'a>(events: impl Iterator<Item = &'a Event>, hasher: &Hasher) -> Self {
        let mut asked: Table<()> = Table::default();
        let (mut all, mut assets, mut led, mut viewed) = (0_usize, 0_usize, 0_usize, 0_usize);
        for event in events {
            let is_fresh = asked.entry(hasher.pair(event.source.0, event.path), || ()).1;
            let is_led = event.has(flag::ASSET) && event.names_page();
            all += 1;
            assets += usize::from(event.has(flag::ASSET));
            led += usize::from(is_led);
            viewed += usize::from(is_led && is_fresh);
        }
        let share = |part: usize, whole: usize| f(part) / f(whole.max(1));
        Self {
            led_assets: share(led, assets),
            fresh: share(asked.len(), all),
            viewed: share(viewed, all),
        }
    }
}

/// Repetitions from which it is known whether they renew their query.
const REPEATED_MIN: usize = 20;

/// Of requests with a query, in order of time, those that are not the first of their source: the share whose query its source
/// did not send just before. `None` of fewer than [`REPEATED_MIN`].
#[expect(clippy::cast_precision_loss, reason = "counts of a sample")]
pub fn renewed<'a>(events: impl Iterator<Item = &'a Event>) -> Option<f64> {
    let mut last: Table<u64> = Table::default();
    let (mut repeated, mut anew) = (0_usize, 0_usize);
    for event in events.filter(|event| event.query != 0) {
        let (query, is_first) = last.entry(event.source.0, || event.query);
        repeated += usize::from(!is_first);
        anew += usize::from(*query != event.query);
        *query = event.query;
    }
    (repeated >= REPEATED_MIN).then(|| anew as f64 / repeated as f64)
}

impl Profile {
    /// Profile of some records. `is_probe` tells refused paths that the host does not serve, `what_of` what else is known
    /// of a record's source.
    pub fn of<'a>(
        events: impl Iterator<Item = &'a Event>,
        hasher: &Hasher,
        is_probe: impl Fn(&Event) -> bool,
        what_of: impl Fn(&Event) -> Maker,
    ) -> Self {
        let mut sums = Sums::default();
        for event in events {
            sums.add(event, hasher, is_probe(event));
            if sums.add_source(event) {
                let Maker { known, browses, is_slow, is_unhurried } = what_of(event);
                sums.known_sources += usize::from(known);
                sums.browsing += usize::from(browses);
                sums.slow += usize::from(is_slow);
                sums.unhurried += usize::from(is_unhurried);
            }
        }
        sums.profile()
    }
}

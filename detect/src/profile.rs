//! What a set of records looks like: the shares that tell a crowd from an attack.

use crate::event::{Event, flag};
use crate::hash::Hasher;
use crate::table::Table;

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
    /// Share with a referer of another host, among non-assets.
    pub referer_other: f64,
    /// Share that hands over credentials.
    pub auth: f64,
    /// Share of the credentials handed over that was refused.
    pub auth_refused: f64,
    /// Share of refused paths on paths the host is not known to serve.
    pub probes: f64,
    /// Share of refused paths.
    pub refused: f64,
    /// Share of responses 500–599.
    pub errors_5xx: f64,
    /// Share of the most frequent path.
    pub top_path: f64,
    /// Distinct paths per record.
    pub path_spread: f64,
    /// Distinct queries per record with a query, among records with a query.
    pub query_spread: f64,
    /// Share with a query.
    pub queries: f64,
    /// Share of cache misses.
    pub cache_miss: f64,
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

impl Profile {
    /// Profile of some records. `is_probe` tells refused paths that the host does not serve, `is_known` sources
    /// seen before.
    pub fn of<'a>(
        events: impl Iterator<Item = &'a Event>,
        hasher: &Hasher,
        is_probe: impl Fn(&Event) -> bool,
        is_known: impl Fn(&Event) -> bool,
    ) -> Self {
        let (mut n, mut pages, mut auths) = (0_usize, 0_usize, 0_usize);
        let mut sums = [0_usize; 13];
        let (mut duration, mut bytes) = (0.0, 0.0);
        let (mut paths, mut queries, mut sources, mut networks, mut agents, mut seen) = (
            Table::default(),
            Table::default(),
            Table::default(),
            Table::default(),
            Table::default(),
            Table::default(),
        );
        for event in events {
            n += 1;
            let asset = event.has(flag::ASSET);
            let auth = event.has(flag::AUTH);
            pages += usize::from(!asset);
            auths += usize::from(auth);
            let facts = [
                asset,
                !asset && event.has(flag::REFERER_NONE),
                !asset && !event.has(flag::REFERER_NONE) && !event.has(flag::REFERER_OWN),
                auth,
                auth && event.is_refused_login(),
                is_probe(event),
                event.is_refused_path(),
                event.status_class() == 5,
                event.query != 0,
                event.has(flag::CACHE_MISS),
                event.has(flag::DECLARED_BOT),
                event.has(flag::WRITE),
                false,
            ];
            sums.iter_mut().zip(facts).for_each(|(sum, fact)| *sum += usize::from(fact));
            duration += f64::from(event.duration_ms);
            bytes += f64::from(event.bytes);
            *paths.entry(event.path, || 0_usize).0 += 1;
            if event.query != 0 {
                *queries.entry(event.query, || 0_usize).0 += 1;
            }
            let (count, new) = sources.entry(event.source.0, || 0_usize);
            *count += 1;
            if new {
                sums[12] += usize::from(is_known(event));
                networks.entry(event.source.network().0, || ());
            }
            if seen.entry(hasher.pair(event.source.0, event.user_agent), || ()).1 {
                *agents.entry(event.user_agent, || 0_usize).0 += 1;
            }
        }
        let most = |table: &Table<usize>| table.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let share = |part: usize, whole: usize| f(part) / f(whole.max(1));
        let main_path =
            paths.iter().max_by_key(|(key, count)| (*count, *key)).map_or(0, |(key, _)| *key);
        Self {
            count: f(n),
            sources: f(sources.len()),
            networks: f(networks.len()),
            assets: share(sums[0], n),
            referer_none: share(sums[1], pages),
            referer_other: share(sums[2], pages),
            auth: share(sums[3], n),
            auth_refused: share(sums[4], auths),
            probes: share(sums[5], n),
            refused: share(sums[6], n),
            errors_5xx: share(sums[7], n),
            top_path: share(most(&paths), n),
            path_spread: share(paths.len(), n),
            query_spread: share(queries.len(), sums[8]),
            queries: share(sums[8], n),
            cache_miss: share(sums[9], n),
            declared: share(sums[10], n),
            duration_ms: duration / f(n.max(1)),
            bytes: bytes / f(n.max(1)),
            writes: share(sums[11], n),
            known_sources: share(sums[12], sources.len()),
            top_source: share(most(&sources), n),
            top_agent: share(most(&agents), seen.len()),
            agents: f(agents.len()),
            main_path,
        }
    }
}

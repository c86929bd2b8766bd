//! Attacks: who takes part, how fast they ask, and for what.

use std::net::IpAddr;

use crate::agent::Tool;
use crate::config::EventKind;
use crate::queue::{Actor, Queue};
use crate::random::{Random, micros, seconds};
use crate::request::{Cache, Client, Method, Referer, Tail, Uri};
use crate::site::{Answer, Resource, timed};
use crate::visit::Ask;
use crate::words::{ENDINGS, GUESSES};
use crate::world::{World, ephemeral_port};

/// Seconds until an attack is at full rate.
const RAMP_S: f64 = 4.0;
/// Number of different paths a guesser can try.
pub(crate) const GUESS_COUNT: u64 = (GUESSES.len() * GUESSES.len() * ENDINGS.len()) as u64;

/// Path number `number` of those a guesser tries.
pub(crate) fn guess_parts(number: u64) -> (&'static str, &'static str, &'static str) {
    let at =
        |n: u64, list: &[&'static str]| list[usize::try_from(n % list.len() as u64).unwrap_or(0)];
    let words = GUESSES.len() as u64;
    let (first, rest) = (number % words, number / words);
    (at(first, &GUESSES), at(rest / ENDINGS.len() as u64, &GUESSES), at(rest, &ENDINGS))
}

/// An attack on one site.
#[derive(Debug)]
pub(crate) struct Attack {
    random: Random,
    kind: EventKind,
    site: u16,
    event: u16,
    bots: Vec<Client>,
    rate: f64,
    start_us: i64,
    end_us: i64,
    /// Requests so far.
    made: u64,
    /// The current second and its factor on the rate.
    wobble: (i64, f64),
}

impl Attack {
    /// An attack of this kind on site number `site` in this span; nothing for what is no attack.
    pub(crate) fn new(
        kind: EventKind,
        site: u16,
        event: u16,
        span_us: (i64, i64),
        world: &World,
        seed: u64,
    ) -> Option<Self> {
        let mut random = Random::new(seed ^ 0x6174_7461, u64::from(event));
        let rate_of_site = world.site(site).rate;
        let (bots, rate) = strength(kind, rate_of_site)?;
        let bots = recruit(kind, bots, u64::from(event), world, &mut random);
        let (start_us, end_us) = span_us;
        Some(Self {
            random,
            kind,
            site,
            event,
            bots,
            rate,
            start_us,
            end_us,
            made: 0,
            wobble: (0, 1.0),
        })
    }

    fn gap_us(&mut self, now_us: i64) -> i64 {
        let second = now_us / 1_000_000;
        if self.wobble.0 != second {
            self.wobble = (second, self.random.lognormal(1.0, 0.15));
        }
        let ramp = (seconds(now_us - self.start_us) / RAMP_S).clamp(0.15, 1.0);
        micros(self.random.exponential(1.0 / (self.rate * ramp * self.wobble.1)))
    }

    fn last_request(&self, now_us: i64) -> bool {
        self.end_us - now_us < 1_000_000
    }

    /// What is asked next, and the answer.
    fn compose(&mut self, now_us: i64, world: &World) -> (Target, Answer) {
        let site = world.site(self.site);
        let last = self.last_request(now_us);
        let random = &mut self.random;
        let of = |id: u32| &site.resources[id as usize];
        match self.kind {
            EventKind::HttpFlood | EventKind::HttpFloodDistributed => {
                let what = match site.login.filter(|_| self.kind == EventKind::HttpFloodDistributed)
                {
                    Some(_) => of(site.views.0[site.views.0.len() / 2]),
                    None => of(site.home),
                };
                let answer = if random.chance(0.12) {
                    timed(503, Cache::Dynamic, 560.0, 600.0, random)
                } else {
                    timed(200, Cache::Dynamic, what.size, what.ms * 2.5, random)
                };
                (Target::of(what), answer)
            }
            EventKind::CacheBusting => {
                let what = of(site.home);
                let answer = timed(200, Cache::Miss, what.size, what.ms * 1.6, random);
                let tail = Tail::Buster(random.next());
                (Target { tail, ..Target::of(what) }, answer)
            }
            EventKind::ContentDiscovery => {
                // A stride without a common divisor visits every path once before any twice.
                let number = self.made.wrapping_mul(15_013) % GUESS_COUNT;
                let answer = match random.below(100) {
                    0 => timed(200, Cache::Dynamic, 4_100.0, 30.0, random),
                    1 => timed(301, Cache::Dynamic, 170.0, 5.0, random),
                    2 | 3 => site.error(403, random),
                    _ => site.error(404, random),
                };
                let target = Target {
                    method: Method::Get,
                    path: site.empty_path,
                    tail: Tail::Guess(number),
                };
                (target, answer)
            }
            EventKind::CredentialStuffing | EventKind::BruteForce => {
                let what = of(site.login.unwrap_or(site.home));
                let (ok, failed, _) = what.answer;
                let found = match self.kind {
                    EventKind::BruteForce => last,
                    _ => random.chance(0.012),
                };
                let status = if found { ok } else { failed };
                (Target::of(what), timed(status, Cache::Dynamic, 900.0, what.ms, random))
            }
            EventKind::Scraping
            | EventKind::FlashCrowd
            | EventKind::Deploy
            | EventKind::OriginFault => {
                let next = usize::try_from(self.made).unwrap_or(0) % site.items.len().max(1);
                let what = of(site.items.get(next).copied().unwrap_or(site.home));
                let answer = site.answer(what, random);
                (Target::of(what), answer)
            }
        }
    }
}

struct Target {
    method: Method,
    path: u32,
    tail: Tail,
}

impl Target {
    const fn of(what: &Resource) -> Self {
        Self { method: what.method, path: what.path, tail: Tail::Nothing }
    }
}

impl Actor for Attack {
    fn wake(&mut self, now_us: i64, world: &World, queue: &mut Queue) -> Option<i64> {
        if now_us >= self.end_us {
            return None;
        }
        let bot = self.random.index(self.bots.len());
        let (target, answer) = self.compose(now_us, world);
        self.made += 1;
        let ask = Ask {
            at_us: now_us,
            site: self.site,
            event: self.event,
            client: self.bots[bot],
            method: target.method,
            uri: Uri { path: target.path, tail: target.tail },
            referer: Referer::Nothing,
        };
        ask.answered(answer, queue);
        Some(now_us + self.gap_us(now_us))
    }
}

/// Number of machines and requests a second of an attack on a site with this ordinary rate.
fn strength(kind: EventKind, site_rate: f64) -> Option<(u64, f64)> {
    match kind {
        EventKind::HttpFlood => Some((1, (4.0 * site_rate).max(65.0))),
        EventKind::HttpFloodDistributed => Some((380, (8.0 * site_rate).max(120.0))),
        EventKind::CacheBusting => Some((90, (5.0 * site_rate).max(90.0))),
        EventKind::ContentDiscovery => Some((1, 16.0)),
        EventKind::CredentialStuffing => Some((280, 10.0)),
        EventKind::BruteForce => Some((2, 7.0)),
        EventKind::Scraping => Some((3, 15.0)),
        EventKind::FlashCrowd | EventKind::Deploy | EventKind::OriginFault => None,
    }
}

fn recruit(
    kind: EventKind,
    many: u64,
    block: u64,
    world: &World,
    random: &mut Random,
) -> Vec<Client> {
    let tool = match kind {
        EventKind::ContentDiscovery => Tool::PathGuesser,
        EventKind::BruteForce => Tool::Python,
        EventKind::Scraping | EventKind::HttpFlood => Tool::DisguisedPython,
        EventKind::HttpFloodDistributed | EventKind::CredentialStuffing => Tool::DisguisedGo,
        EventKind::CacheBusting => Tool::DisguisedNode,
        EventKind::FlashCrowd | EventKind::Deploy | EventKind::OriginFault => Tool::Curl,
    };
    let mut bots: Vec<Client> = Vec::new();
    let mut known: Vec<IpAddr> = Vec::new();
    while (bots.len() as u64) < many {
        let client = if many < 10 {
            world.server(2_000 + block, tool, random)
        } else {
            let address = world.networks.infected_home(random);
            Client { address, agent: world.agents.tool(tool), port: ephemeral_port(random) }
        };
        if !known.contains(&client.address.ip) {
            known.push(client.address.ip);
            bots.push(client);
        }
    }
    bots
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_guesser_tries_no_path_twice() {
        let tried: BTreeSet<_> =
            (0..GUESS_COUNT).map(|made| guess_parts(made * 15_013 % GUESS_COUNT)).collect();
        assert_eq!(tried.len() as u64, GUESS_COUNT);
    }
}

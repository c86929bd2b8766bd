//! What visits a site besides its visitors: monitors, crawlers, and scanners of a few requests.

use crate::agent::Tool;
use crate::queue::{Actor, Queue};
use crate::random::{Random, micros};
use crate::request::{BACKGROUND, Cache, Client, Method, Referer, Tail, Uri};
use crate::site::timed;
use crate::visit::Ask;
use crate::world::{World, ephemeral_port};

/// Seconds between two looks of a monitor.
const MONITOR_EVERY_S: f64 = 30.0;
/// Most requests of one background scanner.
const PROBES_MAX: u64 = 14;
/// Mean seconds between two background scanners at one site.
const PROBES_EVERY_S: f64 = 210.0;

/// Looks at the home page every half minute, from two places in turn.
#[derive(Debug)]
pub(crate) struct Monitor {
    random: Random,
    site: u16,
    looks: u64,
}

impl Monitor {
    /// Monitor of site number `site`.
    pub(crate) fn new(site: u16, seed: u64) -> Self {
        Self { random: Random::new(seed ^ 0x6d6f_6e69, u64::from(site)), site, looks: 0 }
    }
}

impl Actor for Monitor {
    fn wake(&mut self, now_us: i64, world: &World, queue: &mut Queue) -> Option<i64> {
        let site = world.site(self.site);
        self.looks += 1;
        let place = 40 + self.looks % 2;
        let mut fixed = Random::new(place, 0);
        let mut client = world.server(place, Tool::Monitor, &mut fixed);
        client.port = ephemeral_port(&mut self.random);
        let home = &site.resources[site.home as usize];
        let ask = Ask {
            at_us: now_us,
            site: self.site,
            event: BACKGROUND,
            client,
            method: if place == 40 { Method::Get } else { Method::Head },
            uri: Uri { path: home.path, tail: Tail::Nothing },
            referer: Referer::Nothing,
        };
        // A HEAD has no body.
        let body = if place == 40 { home.size } else { 0.0 };
        ask.answered(timed(200, Cache::Dynamic, body, home.ms, &mut self.random), queue);
        Some(now_us + micros(MONITOR_EVERY_S + 0.2 * self.random.unit()))
    }
}

/// Walks over a site's pages, slowly.
#[derive(Debug)]
pub(crate) struct Crawler {
    random: Random,
    site: u16,
    tool: Tool,
    every_s: f64,
}

impl Crawler {
    /// A crawler that asks site number `site` for `share` of its ordinary traffic.
    pub(crate) fn new(site: u16, tool: Tool, share: f64, world: &World, seed: u64) -> Self {
        let name = u64::from(site) * 16 + tool as u64;
        let every_s = 1.0 / (world.site(site).rate * share).max(1.0 / 600.0);
        Self { random: Random::new(seed ^ 0x6372_6177, name), site, tool, every_s }
    }
}

impl Actor for Crawler {
    fn wake(&mut self, now_us: i64, world: &World, queue: &mut Queue) -> Option<i64> {
        let site = world.site(self.site);
        let machine = self.random.below(6);
        let mut fixed = Random::new(50 + self.tool as u64, machine);
        let client = world.server(50 + self.tool as u64, self.tool, &mut fixed);
        let page = &site.resources[self.random.choose(&site.views.0) as usize];
        let answer = site.answer(page, &mut self.random);
        let ask = Ask {
            at_us: now_us,
            site: self.site,
            event: BACKGROUND,
            client,
            method: Method::Get,
            uri: Uri { path: page.path, tail: Tail::Nothing },
            referer: Referer::Nothing,
        };
        if page.method == Method::Get && !page.numbered {
            ask.answered(answer, queue);
        }
        Some(now_us + micros(self.random.exponential(self.every_s)))
    }
}

/// Lets a scanner come by now and then: a few well-known paths, about one a second, then gone.
#[derive(Debug)]
pub(crate) struct Scanners {
    random: Random,
    site: u16,
}

impl Scanners {
    /// Scanners that come to site number `site`.
    pub(crate) fn new(site: u16, seed: u64) -> Self {
        Self { random: Random::new(seed ^ 0x7363_616e, u64::from(site)), site }
    }
}

impl Actor for Scanners {
    fn wake(&mut self, now_us: i64, world: &World, queue: &mut Queue) -> Option<i64> {
        let mut random = self.random.fork();
        let tool = random.choose(&[Tool::Curl, Tool::Python, Tool::Go, Tool::DisguisedGo]);
        let client = world.server(1_000 + random.below(60), tool, &mut random);
        let first = random.index(world.site(self.site).probes.len());
        let left = 1 + random.below(PROBES_MAX);
        let scanner = Scanner { site: self.site, client, at: first, left, random };
        queue.wake_at(now_us, Box::new(scanner));
        Some(now_us + micros(self.random.exponential(PROBES_EVERY_S)))
    }
}

#[derive(Debug)]
struct Scanner {
    random: Random,
    site: u16,
    client: Client,
    at: usize,
    left: u64,
}

impl Actor for Scanner {
    fn wake(&mut self, now_us: i64, world: &World, queue: &mut Queue) -> Option<i64> {
        let site = world.site(self.site);
        let garbage = self.random.chance(0.04);
        self.at = (self.at + 1) % site.probes.len();
        let ask = Ask {
            at_us: now_us,
            site: self.site,
            event: BACKGROUND,
            client: self.client,
            method: if garbage { Method::Garbage } else { Method::Get },
            uri: Uri { path: site.probes[self.at], tail: Tail::Nothing },
            referer: Referer::Nothing,
        };
        let status = if garbage { 400 } else { 404 };
        ask.answered(site.error(status, &mut self.random), queue);
        self.left = self.left.checked_sub(1)?;
        Some(now_us + micros(1.0 + self.random.exponential(1.5)))
    }
}

//! Visits: people and apps that come, look around and leave.

use crate::models::Visitors;
use crate::queue::{Actor, Queue};
use crate::random::{Random, micros, seconds};
use crate::request::{
    BACKGROUND, CROWD_REFERER, Client, Content, Method, Referer, Request, Tail, Uri,
};
use crate::site::{Answer, COLD_SHARE, PICTURE_FETCH, Resource, not_modified, timed};
use crate::world::{Trouble, World};

/// Where first requests come from: links found by searching, shared or remembered.
const REFERER_SHARES: [f64; 5] = [0.3, 0.14, 0.07, 0.05, 0.04];
/// Share of fetches of old assets at the start of a deployment's aftermath.
const STALE_SHARE: f64 = 0.9;
/// Share of requests to the origin that fail while it is at fault.
const FAULT_SHARE: f64 = 0.75;

/// A request before it is answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask {
    pub(crate) at_us: i64,
    pub(crate) site: u16,
    pub(crate) event: u16,
    pub(crate) client: Client,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) referer: Referer,
}

impl Ask {
    /// Sends it off with its answer.
    pub(crate) fn answered(self, answer: Answer, queue: &mut Queue) {
        let shape = self.uri.path % 61;
        let body = if self.method == Method::Post { 214 } else { 0 };
        queue.log(Request {
            start_us: self.at_us,
            end_us: self.at_us + answer.duration_us,
            site: self.site,
            event: self.event,
            client: self.client,
            method: self.method,
            uri: self.uri,
            referer: self.referer,
            cache: answer.cache,
            status: answer.status,
            bytes: (420 + 3 * shape + body, answer.bytes + 390),
        });
    }
}

/// One visit: a landing, some views with time to think between them, and what pages pull in.
#[derive(Debug)]
struct Visit {
    random: Random,
    site: u16,
    event: u16,
    client: Client,
    /// Whether the browser has nothing of this site in its cache.
    cold: bool,
    /// Whether style sheets and scripts were fetched or were there already.
    equipped: bool,
    views_left: u64,
    landing: Option<u32>,
    referer: Referer,
}

impl Actor for Visit {
    fn wake(&mut self, now_us: i64, world: &World, queue: &mut Queue) -> Option<i64> {
        let site = world.site(self.site);
        let viewed = match self.landing.take() {
            Some(landing) => landing,
            None => site.views.0[site.views.1.draw(&mut self.random)],
        };
        let page = &site.resources[viewed as usize];
        let took_us = self.fetch(now_us, page, world, queue);
        if page.content == Content::Html && page.method == Method::Get {
            self.referer = Referer::Own(page.path);
            self.pull_in(now_us + took_us, page, world, queue);
        } else if matches!(self.referer, Referer::Elsewhere(_)) {
            self.referer = Referer::Nothing;
        }
        self.views_left = self.views_left.checked_sub(1)?;
        let think_s = self.random.lognormal(site.model.think_s, 0.8);
        Some(now_us + took_us + micros(think_s.clamp(0.2, 240.0)))
    }
}

impl Visit {
    /// Asks for one resource as anyone would; returns how long it took, microseconds.
    fn fetch(&mut self, at_us: i64, what: &Resource, world: &World, queue: &mut Queue) -> i64 {
        let site = world.site(self.site);
        let mut answer = site.answer(what, &mut self.random);
        let mut event = self.event;
        if let Some((disruption, _)) = world.disruption(self.site, at_us)
            && disruption.trouble == Trouble::OriginFault
            && answer.cache.asked_origin()
            && self.random.chance(FAULT_SHARE)
        {
            let status = self.random.choose(&[502, 502, 503, 504]);
            answer = timed(status, answer.cache, 560.0, 300.0, &mut self.random);
            event = disruption.event;
        }
        self.ask(at_us, event, what, answer, queue);
        answer.duration_us
    }

    fn ask(&mut self, at_us: i64, event: u16, what: &Resource, answer: Answer, queue: &mut Queue) {
        let tail = if what.numbered {
            Tail::Number(10_000 + self.random.below(4_000))
        } else {
            Tail::Nothing
        };
        let ask = Ask {
            at_us,
            site: self.site,
            event,
            client: self.client,
            method: what.method,
            uri: Uri { path: what.path, tail },
            referer: self.referer,
        };
        ask.answered(answer, queue);
    }

    /// What a page makes a browser fetch: style sheets and scripts, pictures, calls of scripts.
    fn pull_in(&mut self, at_us: i64, page: &Resource, world: &World, queue: &mut Queue) {
        let site = world.site(self.site);
        let mut later_us = at_us + 30_000;
        let mut soon = |random: &mut Random| {
            later_us += micros(random.exponential(0.02));
            later_us
        };
        if self.cold && !self.equipped {
            self.equipped = true;
            for i in 0..site.assets[0].len() {
                let at_us = soon(&mut self.random);
                self.fetch_asset(at_us, i, world, queue);
            }
        }
        let (first, many) = page.pictures;
        let (cold, warm) = PICTURE_FETCH;
        for id in first..first + many {
            if !self.random.chance(if self.cold { cold } else { warm }) {
                continue;
            }
            let at_us = soon(&mut self.random);
            let picture = &site.resources[id as usize];
            if self.random.chance(0.05) {
                let answer = not_modified(&mut self.random);
                self.ask(at_us, self.event, picture, answer, queue);
            } else {
                self.fetch(at_us, picture, world, queue);
            }
        }
        for (id, mean) in &site.calls {
            if self.random.chance(*mean) {
                let at_us = soon(&mut self.random) + 200_000;
                self.fetch(at_us, &site.resources[*id as usize], world, queue);
            }
        }
    }

    /// Fetches asset number `i`; after a deployment a page kept elsewhere asks for the old one.
    fn fetch_asset(&mut self, at_us: i64, i: usize, world: &World, queue: &mut Queue) {
        let site = world.site(self.site);
        if let Some((disruption, passed)) = world.disruption(self.site, at_us)
            && disruption.trouble == Trouble::Deploy
            && self.random.chance(STALE_SHARE * (1.0 - passed))
        {
            let old = &site.resources[site.assets[0][i] as usize];
            let answer = site.error(404, &mut self.random);
            self.ask(at_us, disruption.event, old, answer, queue);
            return;
        }
        let id = site.assets[world.release(self.site, at_us)][i];
        self.fetch(at_us, &site.resources[id as usize], world, queue);
    }
}

/// Starts ordinary visits to one site, for as long as the run lasts.
#[derive(Debug)]
pub(crate) struct Visits {
    random: Random,
    site: u16,
}

impl Visits {
    /// Visits to site number `site`.
    pub(crate) fn new(site: u16, seed: u64) -> Self {
        Self { random: Random::new(seed ^ 0x0076_6973_6974, u64::from(site)), site }
    }
}

impl Actor for Visits {
    fn wake(&mut self, now_us: i64, world: &World, queue: &mut Queue) -> Option<i64> {
        let site = world.site(self.site);
        let mut random = self.random.fork();
        let client = world.visitor(self.site, 0.12, &mut random);
        let landing = random.chance(site.model.lands_home).then_some(site.home);
        let visit = Visit {
            site: self.site,
            event: BACKGROUND,
            client,
            cold: random.chance(COLD_SHARE),
            equipped: false,
            views_left: random.geometric(site.model.views).min(60),
            landing,
            referer: first_referer(site.model.visitors, &mut random),
            random,
        };
        queue.wake_at(now_us, Box::new(visit));
        let rate = site.visit_rate * world.level(self.site, now_us);
        Some(now_us + micros(self.random.exponential(1.0 / rate)))
    }
}

fn first_referer(visitors: Visitors, random: &mut Random) -> Referer {
    if visitors == Visitors::Apps {
        return Referer::Nothing;
    }
    let mut at = random.unit();
    for (index, share) in (0_u8..).zip(REFERER_SHARES) {
        if at < share {
            return Referer::Elsewhere(index);
        }
        at -= share;
    }
    Referer::Nothing
}

/// A crowd: many real people follow one link at about the same time.
#[derive(Debug)]
pub(crate) struct Crowd {
    pub(crate) random: Random,
    pub(crate) site: u16,
    pub(crate) event: u16,
    pub(crate) start_us: i64,
    pub(crate) end_us: i64,
    /// Visits a second at the height of it.
    pub(crate) peak: f64,
}

impl Crowd {
    /// Rises for a fifth of its time, stays, and fades over the last two fifths.
    fn shape(&self, now_us: i64) -> f64 {
        let passed = seconds(now_us - self.start_us) / seconds(self.end_us - self.start_us);
        (passed / 0.2).min((1.0 - passed) / 0.4).clamp(0.04, 1.0)
    }
}

impl Actor for Crowd {
    fn wake(&mut self, now_us: i64, world: &World, queue: &mut Queue) -> Option<i64> {
        if now_us >= self.end_us {
            return None;
        }
        let site = world.site(self.site);
        let mut random = self.random.fork();
        let visit = Visit {
            site: self.site,
            event: self.event,
            client: world.visitor(self.site, 0.6, &mut random),
            cold: random.chance(0.85),
            equipped: false,
            views_left: random.geometric(1.2).min(20),
            landing: site.items.get(site.items.len() / 3).copied(),
            referer: if random.chance(0.85) {
                Referer::Elsewhere(CROWD_REFERER)
            } else {
                Referer::Nothing
            },
            random,
        };
        queue.wake_at(now_us, Box::new(visit));
        Some(now_us + micros(self.random.exponential(1.0 / (self.peak * self.shape(now_us)))))
    }
}

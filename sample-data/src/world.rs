//! What a run does not change: sites, networks, software, levels of traffic and disruptions.

use crate::agent::{Agents, Tool};
use crate::config::GenerateConfig;
use crate::models::{MODELS, Visitors};
use crate::network::Networks;
use crate::random::{Random, Weighted, mix2, seconds, whole, zipf};
use crate::request::Client;
use crate::site::Site;

/// Seconds simulated before the first line is written, so that a run starts in full swing.
pub(crate) const LEAD_S: i64 = 300;
/// Length of one step of the level of traffic, seconds.
const STEP_S: i64 = 10;
/// Gateways behind which many people share an address.
const GATEWAYS: usize = 14;
/// Share of visits through a gateway: of browsers and of apps.
const GATEWAY_SHARE: (f64, f64) = (0.07, 0.2);

/// How a site itself misbehaves for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// New names for style sheets and scripts; pages kept elsewhere still name the old ones.
    Deploy,
    /// The origin answers with errors.
    OriginFault,
}

/// A [`Trouble`] with its place and time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Disruption {
    pub(crate) trouble: Trouble,
    pub(crate) site: u16,
    pub(crate) event: u16,
    pub(crate) start_us: i64,
    pub(crate) end_us: i64,
}

/// Everything that actors look at and do not change.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) networks: Networks,
    pub(crate) agents: Agents,
    pub(crate) sites: Vec<Site>,
    pub(crate) disruptions: Vec<Disruption>,
    start_us: i64,
    seed: u64,
    levels: Vec<Vec<f64>>,
    gateways: Weighted,
}

impl World {
    /// The world of a run, without disruptions.
    pub(crate) fn new(config: &GenerateConfig) -> Self {
        let models = (0..config.hosts).map(|number| &MODELS[number % MODELS.len()]);
        let total: f64 = models.clone().map(|model| model.share).sum();
        let sites: Vec<Site> = models
            .enumerate()
            .map(|(number, model)| {
                Site::new(model, number, config.rate * model.share / total, config.seed)
            })
            .collect();
        let levels = (0..sites.len()).map(|site| levels(config, site)).collect();
        Self {
            networks: Networks::new(config.seed),
            agents: Agents::new(),
            sites,
            disruptions: Vec::new(),
            start_us: config.start_us,
            seed: config.seed,
            levels,
            gateways: Weighted::new((0..GATEWAYS).map(|rank| zipf(rank, 0.8))),
        }
    }

    pub(crate) fn site(&self, site: u16) -> &Site {
        &self.sites[usize::from(site)]
    }

    /// Traffic of a site at a time, as a multiple of its mean.
    pub(crate) fn level(&self, site: u16, now_us: i64) -> f64 {
        let step = (now_us - self.start_us) / 1_000_000 + LEAD_S;
        let levels = &self.levels[usize::from(site)];
        let step = usize::try_from(step.max(0) / STEP_S).unwrap_or(0);
        levels.get(step).or(levels.last()).copied().unwrap_or(1.0)
    }

    /// The disruption that a site is in, and how much of it has passed (0–1).
    pub(crate) fn disruption(&self, site: u16, now_us: i64) -> Option<(Disruption, f64)> {
        let hit = self
            .disruptions
            .iter()
            .find(|d| d.site == site && (d.start_us..d.end_us).contains(&now_us))?;
        Some((*hit, seconds(now_us - hit.start_us) / seconds(hit.end_us - hit.start_us)))
    }

    /// Which release of its assets a site serves: 0, or 1 once deployed.
    pub(crate) fn release(&self, site: u16, now_us: i64) -> usize {
        usize::from(
            self.disruptions
                .iter()
                .any(|d| d.site == site && d.trouble == Trouble::Deploy && now_us >= d.start_us),
        )
    }

    /// Someone who visits a site: mostly people who have been there before, some through a gateway.
    /// `strangers` is the share that the site has never seen.
    pub(crate) fn visitor(&self, site: u16, strangers: f64, random: &mut Random) -> Client {
        let place = self.site(site);
        let apps = place.model.visitors == Visitors::Apps;
        let shared = if apps { GATEWAY_SHARE.1 } else { GATEWAY_SHARE.0 };
        let port = ephemeral_port(random);
        if random.chance(shared) {
            let address = self.networks.gateway(self.gateways.draw(random) as u64);
            return Client { address, agent: self.device(apps, random), port };
        }
        let population = 1_500.0 + 450.0 * place.rate;
        let who = if random.chance(strangers) {
            random.next()
        } else {
            let unit = random.unit();
            mix2(u64::from(site), whole(population * unit * unit))
        };
        // What a person uses is theirs: drawn from who they are.
        let mut own = Random::new(self.seed ^ 0x6f77_6e65, who);
        Client { address: self.networks.visitor(who), agent: self.device(apps, &mut own), port }
    }

    fn device(&self, apps: bool, random: &mut Random) -> u16 {
        if apps { self.agents.app(random) } else { self.agents.browser(random) }
    }

    /// A rented server running a tool.
    pub(crate) fn server(&self, block: u64, tool: Tool, random: &mut Random) -> Client {
        let address = self.networks.server(block, random);
        Client { address, agent: self.agents.tool(tool), port: ephemeral_port(random) }
    }
}

/// A port that a client's system would choose.
pub(crate) fn ephemeral_port(random: &mut Random) -> u16 {
    u16::try_from(32_768 + random.below(28_000)).unwrap_or(40_000)
}

/// Hour of the day times a slowly wandering factor: a log-normal AR(1), 0.9 from step to step.
fn levels(config: &GenerateConfig, site: usize) -> Vec<f64> {
    let mut random = Random::new(config.seed ^ 0x6c65_7665, site as u64);
    let steps = (config.duration_s + LEAD_S) / STEP_S + 1;
    let (sigma, keep) = (0.1, 0.9_f64);
    let mut wander = 0.0;
    (0..steps)
        .map(|step| {
            wander = keep * wander + sigma * (1.0 - keep * keep).sqrt() * random.normal();
            let at_s = seconds(config.start_us) + seconds((step * STEP_S - LEAD_S) * 1_000_000);
            let hour = at_s / 3_600.0 % 24.0;
            // Mean 1 over a day; highest in the afternoon, lowest at four in the morning.
            let day = 1.0 + 0.4 * libm::cos((hour - 16.0) * std::f64::consts::PI / 12.0);
            day * libm::exp(wander)
        })
        .collect()
}

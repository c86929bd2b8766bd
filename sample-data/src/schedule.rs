//! When and where the events of a run happen, and the actors that make them.

use crate::agent::Tool;
use crate::attack::Attack;
use crate::background::{Crawler, Monitor, Scanners};
use crate::config::{EventKind, GenerateConfig};
use crate::queue::Queue;
use crate::random::Random;
use crate::visit::{Crowd, Visits};
use crate::world::{Disruption, LEAD_S, Trouble, World};

/// An event with its place and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) kind: EventKind,
    pub(crate) site: u16,
    pub(crate) start_us: i64,
    pub(crate) end_us: i64,
}

/// Spreads the events of a run evenly over the time after its warm-up.
pub(crate) fn plan(config: &GenerateConfig, world: &World) -> Vec<Planned> {
    let events = config.scenario.events();
    let warm_up_s = config.warm_up_s();
    let many = i64::try_from(events.len()).unwrap_or(1).max(1);
    let step_s = (config.duration_s - warm_up_s - config.cool_down_s()) / many;
    (0_i64..)
        .zip(events)
        .map(|(index, &kind)| {
            let start_us = config.start_us + (warm_up_s + index * step_s) * 1_000_000;
            let end_us = (start_us + kind.lasts_s() * 1_000_000)
                .min(config.start_us + config.duration_s * 1_000_000);
            Planned { kind, site: place(kind, index, world), start_us, end_us }
        })
        .collect()
}

/// The first site of the preferred kind; where there is none, the sites in turn.
fn place(kind: EventKind, index: i64, world: &World) -> u16 {
    let needs_login = matches!(kind, EventKind::CredentialStuffing | EventKind::BruteForce);
    let preferred = world.sites.iter().position(|s| s.model.host.0 == kind.prefers());
    let with_login = || world.sites.iter().position(|s| needs_login && s.login.is_some());
    let in_turn = || usize::try_from(index).unwrap_or(0) % world.sites.len();
    u16::try_from(preferred.or_else(with_login).unwrap_or_else(in_turn)).unwrap_or(0)
}

/// Puts everything that acts into the queue, and troubles into the world.
pub(crate) fn populate(
    config: &GenerateConfig,
    planned: &[Planned],
    world: &mut World,
    queue: &mut Queue,
) {
    let seed = config.seed;
    let begin_us = config.start_us - LEAD_S * 1_000_000;
    let mut stagger = Random::new(seed, 0x7374_6167);
    for site in (0_u16..).take(world.sites.len()) {
        let mut soon = |spread_s: u64| {
            begin_us + i64::try_from(stagger.below(spread_s * 1_000_000)).unwrap_or(0)
        };
        queue.wake_at(soon(2), Box::new(Visits::new(site, seed)));
        queue.wake_at(soon(30), Box::new(Monitor::new(site, seed)));
        queue.wake_at(soon(200), Box::new(Scanners::new(site, seed)));
        for (tool, share) in [(Tool::SeekCrawler, 0.012), (Tool::ArchiveCrawler, 0.006)] {
            queue.wake_at(soon(60), Box::new(Crawler::new(site, tool, share, world, seed)));
        }
    }
    for (event, plan) in (1_u16..).zip(planned) {
        add_event(event, *plan, seed, world, queue);
    }
}

fn add_event(event: u16, plan: Planned, seed: u64, world: &mut World, queue: &mut Queue) {
    let Planned { kind, site, start_us, end_us } = plan;
    let trouble = match kind {
        EventKind::Deploy => Some(Trouble::Deploy),
        EventKind::OriginFault => Some(Trouble::OriginFault),
        _ => None,
    };
    if let Some(trouble) = trouble {
        world.disruptions.push(Disruption { trouble, site, event, start_us, end_us });
    } else if kind == EventKind::FlashCrowd {
        let random = Random::new(seed ^ 0x6372_6f77, u64::from(event));
        let peak = (world.site(site).visit_rate * 22.0).max(2.5);
        queue.wake_at(start_us, Box::new(Crowd { random, site, event, start_us, end_us, peak }));
    } else if let Some(attack) = Attack::new(kind, site, event, (start_us, end_us), world, seed) {
        queue.wake_at(start_us, Box::new(attack));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_plan_has_a_warm_up_and_no_crowding() {
        let config = GenerateConfig::default();
        let world = World::new(&config);
        let planned = plan(&config, &world);
        assert_eq!(planned.len(), EventKind::ALL.len());
        assert!(planned[0].start_us - config.start_us >= 600_000_000);
        for (i, a) in planned.iter().enumerate() {
            assert!(a.end_us <= config.start_us + config.duration_s * 1_000_000);
            for b in &planned[i + 1..] {
                let apart = a.site != b.site || b.start_us - a.end_us >= 300_000_000;
                assert!(apart, "{a:?} and {b:?}");
            }
        }
    }
}

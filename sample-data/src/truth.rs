//! What really happened in a generated log.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::calendar::rfc3339;
use crate::config::{EventKind, GenerateConfig};
use crate::request::Request;
use crate::schedule::Planned;
use crate::world::World;

/// Sources that the truth names for one event, at most.
pub const SOURCES_MAX: usize = 20;

/// The truth of one generated log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// Always `generated`: no line was ever sent by anyone.
    pub origin: String,
    /// Seed of the run.
    pub seed: u64,
    /// Scenario of the run.
    pub scenario: String,
    /// Format of the lines.
    pub format: String,
    /// First instant of the log, RFC 3339.
    pub start: String,
    /// The instant after it, RFC 3339: the end of the run, or the last line where a limit on lines cut it off.
    pub end: String,
    /// Lines written.
    pub lines: u64,
    /// Lines that belong to no event.
    pub background_requests: u64,
    /// Hosts of the run; the log names them where its format can.
    pub hosts: Vec<String>,
    /// What happened, in the order of its start.
    pub events: Vec<TruthEvent>,
}

/// One event of a generated log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TruthEvent {
    /// What it is, by the name that [`EventKind`] has.
    pub event: String,
    /// Kind of incident that names it; nothing where no incident is expected at all.
    pub kind: Option<String>,
    /// Verdict that is right: `attack` or `benign`.
    pub verdict: String,
    /// Host it happens to.
    pub host: String,
    /// First of its lines, RFC 3339; nothing when there is none.
    pub start: Option<String>,
    /// Last of its lines, RFC 3339.
    pub end: Option<String>,
    /// First of its lines, microseconds since 1970.
    pub start_us: i64,
    /// Last of its lines, microseconds since 1970.
    pub end_us: i64,
    /// Lines that belong to it; 0 when the log ended before it.
    pub requests: u64,
    /// Distinct client addresses.
    pub source_count: u64,
    /// Its heaviest addresses, heaviest first, at most [`SOURCES_MAX`].
    pub sources: Vec<String>,
    /// One sentence for a person.
    pub note: String,
}

/// Counts lines into the truth while they are written.
#[derive(Debug)]
pub(crate) struct Tally {
    lines: u64,
    background: u64,
    last_us: i64,
    events: Vec<EventTally>,
}

#[derive(Debug, Default)]
struct EventTally {
    span_us: Option<(i64, i64)>,
    requests: u64,
    sources: BTreeMap<IpAddr, u64>,
}

impl Tally {
    pub(crate) fn new(events: usize) -> Self {
        let events = (0..events).map(|_| EventTally::default()).collect();
        Self { lines: 0, background: 0, last_us: 0, events }
    }

    pub(crate) const fn lines(&self) -> u64 {
        self.lines
    }

    pub(crate) fn add(&mut self, request: &Request) {
        self.lines += 1;
        self.last_us = request.end_us;
        let Some(event) = usize::from(request.event).checked_sub(1) else {
            self.background += 1;
            return;
        };
        let tally = &mut self.events[event];
        let at = request.end_us;
        tally.requests += 1;
        tally.span_us =
            Some(tally.span_us.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        *tally.sources.entry(request.client.address.ip).or_default() += 1;
    }

    pub(crate) fn truth(
        self,
        config: &GenerateConfig,
        planned: &[Planned],
        world: &World,
    ) -> Truth {
        let cut_off = config.lines_max.is_some_and(|max| self.lines >= max);
        let end_us = config.start_us + config.duration_s * 1_000_000;
        let events = planned
            .iter()
            .zip(self.events)
            .map(|(plan, tally)| tally.truth(plan, &world.site(plan.site).host))
            .collect();
        Truth {
            origin: "generated".to_owned(),
            seed: config.seed,
            scenario: config.scenario.to_string(),
            format: config.format.to_string(),
            start: rfc3339(config.start_us),
            end: rfc3339(if cut_off { self.last_us } else { end_us }),
            lines: self.lines,
            background_requests: self.background,
            hosts: world.sites.iter().map(|site| site.host.clone()).collect(),
            events,
        }
    }
}

impl EventTally {
    fn truth(self, plan: &Planned, host: &str) -> TruthEvent {
        let (kind, note) = expected(plan.kind);
        let mut sources: Vec<(IpAddr, u64)> = self.sources.into_iter().collect();
        // Stable: addresses of equal weight stay in their own order.
        sources.sort_by_key(|(_, requests)| std::cmp::Reverse(*requests));
        let (start_us, end_us) = self.span_us.unwrap_or((plan.start_us, plan.end_us));
        TruthEvent {
            event: plan.kind.to_string(),
            kind: kind.map(str::to_owned),
            verdict: if plan.kind.is_attack() { "attack" } else { "benign" }.to_owned(),
            host: host.to_owned(),
            start: self.span_us.map(|span| rfc3339(span.0)),
            end: self.span_us.map(|span| rfc3339(span.1)),
            start_us,
            end_us,
            requests: self.requests,
            source_count: sources.len() as u64,
            sources: sources.iter().take(SOURCES_MAX).map(|(ip, _)| ip.to_string()).collect(),
            note: note.to_owned(),
        }
    }
}

const fn expected(kind: EventKind) -> (Option<&'static str>, &'static str) {
    match kind {
        EventKind::HttpFlood => {
            (Some("http_flood"), "one server asks for the home page as fast as it can")
        }
        EventKind::HttpFloodDistributed => {
            (Some("http_flood"), "hundreds of infected machines ask for one resource")
        }
        EventKind::ContentDiscovery => {
            (Some("content_discovery"), "one server tries paths that may exist")
        }
        EventKind::CredentialStuffing => {
            (Some("credential_stuffing"), "hundreds of machines try a few stolen passwords each")
        }
        EventKind::BruteForce => (Some("brute_force"), "two servers guess passwords, and find one"),
        EventKind::CacheBusting => (
            Some("cache_busting"),
            "dozens of machines ask for the home page with ever new queries",
        ),
        EventKind::Scraping => {
            (Some("scraping"), "three neighbouring servers copy the catalogue page by page")
        }
        EventKind::FlashCrowd => (
            Some("flash_crowd"),
            "many people follow one link from elsewhere, with all that pages pull in",
        ),
        EventKind::Deploy => {
            (None, "assets got new names; pages kept elsewhere ask for the old ones")
        }
        EventKind::OriginFault => {
            (Some("origin_fault"), "three in four requests that reach the origin fail")
        }
    }
}

//! Composition of a host's traffic by votes: in one window each source counts once for each value it shows.
//!
//! One visitor loads a page in thirty requests; votes make the counts independent enough for a test. A value's
//! votes are tested *given the number of votes*, so that a change of volume alone is no evidence.

use serde::{Deserialize, Serialize};

use crate::limits::COMPOSITION_VALUES_MAX;
use crate::math::evalue::{Forecast, log_e};
use crate::math::hash::Hasher;
use crate::record::column::Column;
use crate::record::event::{Event, flag};
use crate::store::table::Table;

/// Votes by attribute and value: the attribute's number, the value's key, its votes.
pub type Tally = Vec<(u8, u64, u32)>;

/// Facts about an event that its host and its source know.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts {
    /// Refused, and the host is not known to serve the path.
    pub probe: bool,
    /// Its source reads pages without what a browser loads with them.
    pub bare: bool,
}

/// What is voted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Attribute {
    /// User agent.
    UserAgent,
    /// JA4 fingerprint.
    Ja4,
    /// User agent and JA4 together.
    Software,
    /// /24 or /48.
    Prefix,
    /// Autonomous system.
    Asn,
    /// Referer: none, own host, elsewhere.
    Referer,
    /// Path, assets aside.
    Path,
    /// Path with the first query parameter.
    QueryKey,
    /// Path with a refusing status.
    Refusal,
    /// Hands over credentials.
    Credentials,
    /// Asks for what the host does not serve.
    Probe,
    /// Reads page after page and nothing a browser loads with them.
    Bare,
}

impl Attribute {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::UserAgent,
        Self::Ja4,
        Self::Software,
        Self::Prefix,
        Self::Asn,
        Self::Referer,
        Self::Path,
        Self::QueryKey,
        Self::Refusal,
        Self::Credentials,
        Self::Probe,
        Self::Bare,
    ];

    /// Name in the evidence.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UserAgent => "user_agent",
            Self::Ja4 => "ja4",
            Self::Software => "user_agent+ja4",
            Self::Prefix => "source_prefix",
            Self::Asn => "client_asn",
            Self::Referer => "referer",
            Self::Path => "path",
            Self::QueryKey => "path+query_key",
            Self::Refusal => "path+status",
            Self::Credentials => "credentials",
            Self::Probe => "unknown_path",
            Self::Bare => "pages_without_assets",
        }
    }

    /// Whether it speaks of who sends rather than of what is asked for.
    pub const fn is_software_or_network(self) -> bool {
        matches!(self, Self::UserAgent | Self::Ja4 | Self::Software | Self::Prefix | Self::Asn)
    }

    /// Columns of the predicates that speak of it.
    pub const fn columns(self) -> &'static [Column] {
        use Column as C;
        match self {
            Self::UserAgent => &[C::UserAgent],
            Self::Ja4 => &[C::Ja4],
            Self::Software => &[C::UserAgent, C::Ja4],
            Self::Prefix | Self::Bare => &[C::Source],
            Self::Asn => &[C::Asn],
            Self::Referer => &[C::Referer],
            Self::Path => &[C::Path],
            Self::QueryKey => &[C::Path, C::Query],
            Self::Refusal => &[C::Path, C::Status],
            Self::Credentials => &[C::Path, C::Query, C::Method],
            Self::Probe => &[C::Status],
        }
    }

    /// Negative-binomial size of the votes: content comes in fashions, software does not.
    const fn size(self) -> f64 {
        match self {
            Self::UserAgent | Self::Ja4 | Self::Software | Self::Prefix | Self::Asn => 10.0,
            Self::Referer => 20.0,
            Self::Path
            | Self::QueryKey
            | Self::Refusal
            | Self::Credentials
            | Self::Probe
            | Self::Bare => 4.0,
        }
    }

    /// The votes its own are a share of: what is asked for is a share of all that is asked for.
    const fn whole(self) -> usize {
        if self as usize > Self::Path as usize { Self::Path as usize } else { self as usize }
    }

    /// The value an event votes for.
    fn value(self, event: &Event, facts: Facts, hasher: &Hasher) -> u64 {
        match self {
            Self::Credentials => u64::from(event.has(flag::AUTH)),
            Self::Probe => u64::from(facts.probe),
            Self::Bare => u64::from(facts.bare),
            Self::UserAgent => event.user_agent.max(1),
            Self::Ja4 => event.ja4,
            Self::Software if event.ja4 == 0 => 0,
            Self::Software => hasher.pair(event.user_agent, event.ja4),
            Self::Prefix => event.source.prefix().0,
            Self::Asn => u64::from(event.asn),
            Self::Referer => 1 + u64::from(event.flags & (flag::REFERER_NONE | flag::REFERER_OWN)),
            Self::Path if event.has(flag::ASSET) => 0,
            Self::Path => hasher.pair(event.path, u64::from(event.method)),
            Self::QueryKey if event.query_key == 0 => 0,
            Self::QueryKey => hasher.pair(event.path, event.query_key),
            Self::Refusal if event.status < 400 || event.has(flag::ASSET) => 0,
            Self::Refusal => hasher.pair(event.path, u64::from(event.status)),
        }
    }
}

const KINDS: usize = Attribute::ALL.len();

/// Ordinary shares, exponentially forgotten.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Composition {
    weights: Table<f64>,
    totals: [f64; KINDS],
    values: [f64; KINDS],
    gain: f64,
}

/// Panes after which a vote weighs 1/e: six hours.
const MEMORY_PANES: f64 = 4_320.0;

impl Composition {
    /// Takes in the votes of one ordinary pane.
    pub fn learn(&mut self, votes: &[(u8, u64, u32)]) {
        self.gain = if self.gain == 0.0 { 1.0 } else { self.gain * (1.0 + 1.0 / MEMORY_PANES) };
        for (attribute, key, count) in votes {
            let weight = f64::from(*count) * self.gain;
            self.totals[usize::from(*attribute)] += weight;
            if self.weights.len() < COMPOSITION_VALUES_MAX || self.weights.get(*key).is_some() {
                let (sum, new) = self.weights.entry(*key, || 0.0);
                *sum += weight;
                if new {
                    self.values[usize::from(*attribute)] += 1.0;
                }
            }
        }
        if self.gain > 1e3 || self.weights.len() >= COMPOSITION_VALUES_MAX {
            self.rescale();
        }
    }

    /// Brings the gain back to 1 and makes room by forgetting the rarest values.
    fn rescale(&mut self) {
        let gain = self.gain.max(1.0);
        let mut sorted: Vec<f64> = self.weights.iter().map(|(_, weight)| *weight).collect();
        sorted.sort_by(f64::total_cmp);
        let cut = if sorted.len() * 4 >= COMPOSITION_VALUES_MAX * 3 {
            sorted[sorted.len() / 3]
        } else {
            0.0
        };
        self.weights.retain(|_, weight| {
            let keep = *weight > cut;
            *weight /= gain;
            keep
        });
        self.totals.iter_mut().for_each(|total| *total /= gain);
        self.gain = 1.0;
    }

    /// Votes learned on one attribute.
    pub fn learned(&self, attribute: Attribute) -> f64 {
        self.totals[attribute.whole()] / self.gain.max(1.0)
    }

    /// Ordinary share of a value; half a vote where it was never seen.
    pub fn share(&self, attribute: Attribute, key: u64) -> f64 {
        let seen = self.weights.get(key).copied().unwrap_or(0.0) / self.gain.max(1.0);
        (seen + 0.5) / (self.learned(attribute) + 1.0)
    }

    /// Number of values known of one attribute.
    fn known(&self, attribute: Attribute) -> f64 {
        self.values[attribute as usize].max(2.0)
    }

    /// Bytes held.
    pub const fn state_bytes(&self) -> usize {
        self.weights.state_bytes()
    }
}

/// A value that drew more votes than its share allows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HotValue {
    /// Of which attribute.
    pub attribute: Attribute,
    /// Votes expected, upper envelope.
    pub expected: f64,
    /// Votes seen.
    pub observed: f64,
    /// Evidence after the correction for the number of values looked at, nats.
    pub score: f64,
    /// A record that shows the value.
    pub example: Event,
}

/// Votes in the running window of one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Votes {
    cast: Table<()>,
    counts: Table<(u8, u32)>,
    totals: [u32; KINDS],
    /// Strongest hot value of each attribute in this window.
    hot: [Option<HotValue>; KINDS],
}

/// Votes a value needs before it is looked at.
const VOTES_MIN: u32 = 4;

/// Votes a host needs to have shown before its composition is judged.
const LEARNED_MIN: f64 = 60.0;

impl Votes {
    /// Lets an event vote; returns the strongest evidence it gave, nats.
    pub fn vote(&mut self, event: &Event, facts: Facts, hasher: &Hasher, ordinary: &Composition) {
        let who = event.source.0;
        let look = hasher.pair(
            who,
            event.user_agent
                ^ event.ja4.rotate_left(17)
                ^ u64::from(event.flags & (flag::REFERER_NONE | flag::REFERER_OWN)),
        );
        let content = !event.has(flag::ASSET);
        let new_look = self.cast.get(look).is_none();
        if new_look {
            self.cast.entry(look, || ());
        } else if !content {
            return;
        }
        for attribute in Attribute::ALL {
            let of_look = (attribute as usize) < Attribute::Path as usize;
            if of_look && !new_look || !of_look && !content {
                continue;
            }
            let value = attribute.value(event, facts, hasher);
            if value == 0 {
                continue;
            }
            let key = hasher.pair(value, attribute as u64 + 1);
            if self.cast.entry(hasher.pair(key, who), || ()).1 {
                self.count(attribute, key, event, ordinary);
            }
        }
    }

    fn count(&mut self, attribute: Attribute, key: u64, event: &Event, ordinary: &Composition) {
        let slot = attribute as usize;
        self.totals[slot] += 1;
        let total = f64::from(self.totals[attribute.whole()]);
        let (entry, _) = self.counts.entry(key, || (attribute as u8, 0));
        entry.1 += 1;
        let observed = f64::from(entry.1);
        if entry.1 < VOTES_MIN || ordinary.learned(attribute) < LEARNED_MIN {
            return;
        }
        let expected = 1.3 * total * ordinary.share(attribute, key);
        if observed < 2.0 * expected {
            return;
        }
        let forecast = Forecast { mean: expected, size: attribute.size() };
        let score = log_e(observed, forecast) - libm::log(ordinary.known(attribute));
        if self.hot[slot].is_none_or(|hot| hot.score < score) {
            self.hot[slot] =
                Some(HotValue { attribute, expected, observed, score, example: *event });
        }
    }

    /// Hot values of this window, strongest first, at least `nats` strong.
    pub fn hot(&self, nats: f64) -> Vec<HotValue> {
        let mut hot: Vec<HotValue> =
            self.hot.iter().flatten().filter(|hot| hot.score >= nats).copied().collect();
        hot.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.attribute.cmp(&b.attribute)));
        hot
    }

    /// Strongest evidence in this window, nats.
    pub fn strongest(&self) -> f64 {
        self.hot.iter().flatten().map(|hot| hot.score).fold(0.0, f64::max)
    }

    /// The counts, for learning.
    pub fn tally(&self) -> Tally {
        self.counts.iter().map(|(key, (attribute, count))| (*attribute, *key, *count)).collect()
    }

    /// Starts the next window.
    pub fn clear(&mut self) {
        if self.cast.len() > 4_096 {
            *self = Self::default();
            return;
        }
        self.cast.clear();
        self.counts.clear();
        self.totals = [0; KINDS];
        self.hot = [None; KINDS];
    }

    /// Bytes held.
    pub const fn state_bytes(&self) -> usize {
        self.cast.state_bytes() + self.counts.state_bytes()
    }
}

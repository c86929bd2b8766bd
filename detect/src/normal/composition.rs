//! Ordinary shares of the values of each attribute, in votes.

use serde::{Deserialize, Serialize};

use crate::limits::COMPOSITION_VALUES_MAX;
use crate::math::hash::Hasher;
use crate::record::attribute::{ATTRIBUTES, Attribute};
use crate::store::table::Table;

/// Votes by attribute and value: the attribute's number, the value's key, its votes.
pub type Tally = Vec<(u8, u64, u32)>;

/// Ordinary shares, exponentially forgotten.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Composition {
    weights: Table<f64>,
    totals: [f64; ATTRIBUTES],
    values: [f64; ATTRIBUTES],
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

    /// The key under which votes for a value are counted.
    pub const fn key(attribute: Attribute, value: u64, hasher: &Hasher) -> u64 {
        hasher.pair(value, attribute as u64 + 1)
    }

    /// Votes learned for a value.
    pub fn seen(&self, key: u64) -> f64 {
        self.weights.get(key).copied().unwrap_or(0.0) / self.gain.max(1.0)
    }

    /// Ordinary share of a value; half a vote where it was never seen.
    pub fn share(&self, attribute: Attribute, key: u64) -> f64 {
        let seen = self.seen(key);
        (seen + 0.5) / (self.learned(attribute) + 1.0)
    }

    /// Number of values known of one attribute: at most as many as there is room for, however many came and went.
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    pub const fn known(&self, attribute: Attribute) -> f64 {
        self.values[attribute as usize].clamp(2.0, COMPOSITION_VALUES_MAX as f64)
    }

    /// Bytes held at most, by what it counts.
    pub const fn weight(&self) -> usize {
        self.weights.weight()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::hash::mix;

    #[test]
    fn invented_values_have_bounded_room_and_hide_neither_the_usual_nor_the_rare() {
        let path = Attribute::Path as u8;
        let mut ordinary = Composition::default();
        let usual: Vec<u64> = (0..50).map(|value| mix(1_000_000_000 + value)).collect();
        for pane in 0..400 {
            let invented = (0..1_000).map(|n| (path, mix(pane * 1_000 + n), 1));
            let mut votes: Tally = invented.collect();
            votes.extend(usual.iter().map(|key| (path, *key, 20)));
            ordinary.learn(&votes);
            assert!(ordinary.weights.len() <= COMPOSITION_VALUES_MAX);
        }
        assert!(ordinary.weight() <= COMPOSITION_VALUES_MAX * Table::<f64>::ENTRY_BYTES);
        for key in &usual {
            let share = ordinary.share(Attribute::Path, *key);
            assert!((share - 0.01).abs() < 0.002, "{share}: a twentieth of the half");
        }
        assert!(ordinary.share(Attribute::Path, mix(5)) < 1e-5, "asked for once, days ago");
        // what a value must surmount for the number of those looked at grows no further
        let known = ordinary.known(Attribute::Path);
        assert!(known <= 8_192.0 && known > 1_000.0, "{known}");
    }
}

//! Test of the composition: a value drew more votes than its ordinary share of them allows.
//!
//! Votes are tested *given the number of votes*, so that a change of volume alone is no evidence.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::math::evalue::{Forecast, log_e, tail_probability};
use crate::math::hash::Hasher;
use crate::normal::composition::Composition;
use crate::record::attribute::{ATTRIBUTES, Attribute};
use crate::record::event::Event;
use crate::seen::votes::{Count, Votes};

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
    /// The same where its share is held to be no better known than from the visits that showed it, nats.
    pub convicts: f64,
    /// A record that shows the value.
    pub example: Event,
}

/// Votes a value needs before it is looked at: fewer are one household.
const VOTES_MIN: u32 = 4;

/// Votes a host needs to have shown before its composition is judged: a value never seen among them has a share below
/// 10 % with 95 % confidence (the rule of three), and half a vote is added to each.
const LEARNED_MIN: f64 = 30.0;

/// Upper envelope of a share: the 90th percentile of a share estimated from some hundred votes is about this much
/// above its mean (binomial, shares of 5–20 %).
const SHARE_ENVELOPE: f64 = 1.3;

/// Votes of one visit: who stays for some minutes votes in each window of them, and knows of no more than one program. A
/// choice; 6,800 votes were of 900 visits to a made-up shop.
const VISIT_VOTES: f64 = 8.0;

/// Factor above the envelope below which no value is looked at: a crowd doubles shares of its own accord.
const LIFT_MIN: f64 = 2.0;

/// The strongest hot value of each attribute in a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Hot {
    values: [Option<HotValue>; ATTRIBUTES],
}

fn test(count: &Count<'_>, ordinary: &Composition) -> Option<HotValue> {
    let attribute = count.attribute;
    if ordinary.learned(attribute) < LEARNED_MIN {
        return None;
    }
    let (observed, of) = (f64::from(count.votes), f64::from(count.of));
    let expected = SHARE_ENVELOPE * of * ordinary.share(attribute, count.key);
    if observed < LIFT_MIN * expected {
        return None;
    }
    let (of_program, program) = count.program;
    if program != 0 {
        // Another version of a program that is here anyway, and no more of it, is an update.
        let share = ordinary.share(Attribute::Program, program);
        if f64::from(of_program) < LIFT_MIN * SHARE_ENVELOPE * of * share {
            return None;
        }
    }
    let forecast = Forecast { mean: expected, size: attribute.size() };
    let score = log_e(observed, forecast) - libm::log(ordinary.known(attribute));
    let convicts = score.min(convicts(count, ordinary));
    Some(HotValue { attribute, expected, observed, score, convicts, example: *count.example })
}

/// Evidence against a share that was estimated from visits: of what came is known a gamma posterior, Jeffreys' half a visit
/// before any, so that the votes to come are negative-binomial of that size (Gelman et al., Bayesian Data Analysis, 2.6).
fn convicts(count: &Count<'_>, ordinary: &Composition) -> f64 {
    let attribute = count.attribute;
    let seen = ordinary.seen(count.key) / VISIT_VOTES + 0.5;
    let of = ordinary.learned(attribute) / VISIT_VOTES + 1.0;
    let mean = SHARE_ENVELOPE * f64::from(count.of) * seen / of;
    let forecast = Forecast { mean, size: attribute.size().min(seen) };
    log_e(f64::from(count.votes), forecast) - libm::log(ordinary.known(attribute))
}

impl HotValue {
    /// Probability of so many votes or more, by what is ordinary.
    pub fn tail(&self) -> f64 {
        let forecast = Forecast { mean: self.expected, size: self.attribute.size() };
        tail_probability(self.observed, forecast)
    }
}

impl Hot {
    /// Looks at the values that drew votes in the last second.
    pub fn look(
        &mut self,
        votes: &mut Votes,
        recent: &VecDeque<Event>,
        ordinary: &Composition,
        hasher: &Hasher,
    ) {
        votes.show_fresh(VOTES_MIN, recent, hasher, |count| {
            let Some(value) = test(count, ordinary) else { return };
            let slot = &mut self.values[value.attribute as usize];
            if slot.is_none_or(|hot| hot.score < value.score) {
                *slot = Some(value);
            }
        });
    }

    /// Hot values of this window, strongest first, at least `nats` strong.
    pub fn at_least(&self, nats: f64) -> Vec<HotValue> {
        let mut hot: Vec<HotValue> =
            self.values.iter().flatten().filter(|hot| hot.score >= nats).copied().collect();
        hot.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.attribute.cmp(&b.attribute)));
        hot
    }

    /// Attributes with a value at least `nats` strong.
    pub fn count(&self, nats: f64) -> u64 {
        self.values.iter().flatten().filter(|hot| hot.score >= nats).count() as u64
    }

    /// Strongest evidence in this window, nats.
    pub fn strongest(&self) -> f64 {
        self.values.iter().flatten().map(|hot| hot.score).fold(0.0, f64::max)
    }
}

//! Pulses: what is too little to be a matter each time, and comes again and again.

use serde::{Deserialize, Serialize};

use crate::explain::rule::Rule;

/// Excess requests of a pulse below which it is chance: half a page and its images.
const PULSE_REQUESTS_MIN: f64 = 20.0;

/// Seconds that a pulse lasts at most: longer is no pulse, and counts by its seconds.
const PULSE_S: i64 = 10;

/// Time without one after which they are over, seconds: a quarter of an hour, as for an incident that may be opened again.
const OVER_S: i64 = 900;

/// Pulses from which they are no accident: twice is chance, three times a plan. A choice.
const PULSES_MIN: u32 = 3;

/// Pulses of one rule on one host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pulses {
    rule: Rule,
    /// Start of the running one, second.
    begun_s: i64,
    count: u32,
    /// Excess requests of those before, and of the running one so far.
    before: f64,
    running: f64,
}

impl Pulses {
    /// Takes in what was found of a rule in the last seconds, with its excess requests; the excess of all pulses together, once
    /// there are several.
    pub fn note(noted: &mut Option<Self>, rule: &Rule, excess: f64, now_s: i64) -> Option<f64> {
        if excess < PULSE_REQUESTS_MIN {
            return None;
        }
        let goes_on =
            noted.as_ref().is_some_and(|all| all.rule == *rule && now_s - all.begun_s <= OVER_S);
        if !goes_on {
            *noted = None;
        }
        let none =
            || Self { rule: rule.clone(), begun_s: now_s, count: 1, before: 0.0, running: 0.0 };
        let all = noted.get_or_insert_with(none);
        if now_s - all.begun_s > PULSE_S {
            all.before += all.running;
            (all.begun_s, all.running) = (now_s, 0.0);
            all.count += 1;
        }
        all.running = all.running.max(excess);
        (all.count >= PULSES_MIN).then_some(all.before + all.running)
    }

    /// Bytes held at most, by what it counts.
    pub fn weight(&self) -> usize {
        self.rule.atoms.iter().map(|atom| 64 + 16 * atom.values()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_pulses_of_one_rule_add_up_and_what_lasts_or_stays_away_does_not() {
        let (one, other) = (
            Rule { atoms: Vec::new() },
            Rule { atoms: vec![crate::explain::rule::Atom::Source(Vec::new())] },
        );
        let run = |found: &[(i64, &Rule, f64)]| {
            let mut noted = None;
            found
                .iter()
                .map(|(at, rule, excess)| Pulses::note(&mut noted, rule, *excess, *at))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            run(&[
                (0, &one, 25.0),
                (2, &one, 30.0),
                (60, &one, 30.0),
                (120, &one, 20.0),
                (122, &one, 30.0)
            ]),
            [None, None, None, Some(80.0), Some(90.0)]
        );
        assert_eq!(
            run(&[(0, &one, 30.0), (4, &one, 40.0), (9, &one, 50.0)]),
            [None; 3],
            "one pulse"
        );
        assert_eq!(
            run(&[(0, &one, 30.0), (60, &one, 30.0), (1_000, &one, 30.0)]),
            [None; 3],
            "long ago"
        );
        assert_eq!(
            run(&[(0, &one, 30.0), (60, &other, 30.0), (120, &one, 30.0)]),
            [None; 3],
            "another"
        );
        assert_eq!(
            run(&[(0, &one, 19.0), (60, &one, 19.0), (120, &one, 19.0)]),
            [None; 3],
            "too little"
        );
    }
}

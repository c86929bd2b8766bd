//! How much evidence a test needs, from the false alarms that an operator allows.
//!
//! An e-value is at least `A` with probability `1/A` at most while its forecast holds (Markov; for the running
//! evidence of one pane Ville), and an e-detector with threshold `A` looks `A` times or more, on average, until it
//! raises a false alarm (Shin, Ramdas, Rinaldo, "E-detectors", 2022: ARL ≥ A). Several tests together raise no more
//! than the sum of theirs. All of it is as good as the forecast: traffic that goes beyond it of its own accord raises
//! more alarms, and what selects an excess and calls it harm has to tell them apart (`bench calibration` counts
//! both). With one threshold for all of them, `L` looks a site-day and `F` false alarms allowed:
//!
//! ```text
//! false alarms a site-day ≤ L / A,   hence   ln A = ln(L / F)
//! ```
//!
//! A threshold that was not derived but chosen moves by the same bound: `k` times fewer false alarms need `ln k` nats
//! more, however many looks there are.

use schemas::limits::{PANE_US, SUB_PANE_US};

use crate::config::DEFAULT_FALSE_ALARMS;
use crate::record::attribute::ATTRIBUTES;
use crate::seen::host::RECENT_S;
use crate::suspect::drift::PANE_S;

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

/// Looks at one thing a site-day.
#[derive(Debug, Clone, Copy)]
pub struct Looks {
    /// What is looked at.
    pub what: &'static str,
    /// How often a day.
    pub a_day: f64,
    /// Where the number comes from.
    pub why: &'static str,
}

/// Every look at a host, or at the strangers, that may raise an alarm.
#[expect(clippy::cast_precision_loss, reason = "some seconds, some attributes")]
pub const LOOKS: [Looks; 5] = [
    Looks {
        what: "rate",
        a_day: DAY_S * 1e6 / SUB_PANE_US as f64,
        why: "an e-detector over the seconds",
    },
    Looks {
        what: "votes of a pane",
        a_day: ATTRIBUTES as f64 * DAY_S * 1e6 / PANE_US as f64,
        why: "one e-value for each attribute and pane: the mean over the values known, which is what the correction for \
              their number comes to",
    },
    Looks {
        what: "votes of a minute",
        a_day: ATTRIBUTES as f64 * DAY_S / RECENT_S as f64,
        why: "the same for each attribute and minute",
    },
    Looks { what: "readers alone", a_day: DAY_S / 60.0, why: "an e-detector over the minutes" },
    Looks {
        what: "rate over days",
        a_day: DAY_S / PANE_S as f64,
        why: "an e-detector over five minutes each",
    },
];

/// Evidence needed under one setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// Evidence that raises an alarm of a host, nats: `ln(L / F)`.
    pub nats: f64,
    /// Nats above those at the default.
    stricter: f64,
}

impl Budget {
    /// With so many false alarms a site-day.
    pub fn of(false_alarms: f64) -> Self {
        let looks: f64 = LOOKS.iter().map(|one| one.a_day).sum();
        Self {
            nats: libm::log(looks / false_alarms),
            stricter: libm::log(DEFAULT_FALSE_ALARMS / false_alarms),
        }
    }

    /// Evidence needed where so much was chosen for the default, nats. Never below none: what is no evidence raises no
    /// alarm, however many are allowed.
    pub fn moved(&self, nats: f64) -> f64 {
        (nats + self.stricter).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::evalue::{EDetector, Forecast};

    #[test]
    fn the_threshold_is_the_logarithm_of_looks_over_false_alarms() {
        // 86,400 seconds, 14 attributes in 17,280 panes and 1,440 minutes, 1,440 minutes of readers, 288 of days
        let looks = 86_400.0 + 14.0 * (17_280.0 + 1_440.0) + 1_440.0 + 288.0;
        for false_alarms in [1e-6, 0.01, 1.0, 10.0] {
            let nats = Budget::of(false_alarms).nats;
            assert!((libm::exp(nats) * false_alarms / looks - 1.0).abs() < 1e-9, "{nats}");
        }
    }

    #[test]
    fn fewer_false_alarms_need_more_evidence_everywhere_and_never_less_than_none() {
        let budgets = [10.0, 1.0, 0.01, 1e-3, 1e-6].map(Budget::of);
        for pair in budgets.windows(2) {
            assert!(pair[0].nats < pair[1].nats);
            for chosen in [0.0, 4.0, 7.0, 10.0] {
                assert!(pair[0].moved(chosen) <= pair[1].moved(chosen));
            }
        }
        assert_eq!(
            budgets[2].moved(7.0).to_bits(),
            7.0_f64.to_bits(),
            "the default is what was chosen"
        );
        assert!((budgets[3].moved(7.0) - 7.0 - libm::log(10.0)).abs() < 1e-9);
        assert_eq!(budgets[0].moved(4.0).to_bits(), 0.0_f64.to_bits());
    }

    /// A count of a negative binomial by its definition: failures before the `size`th success.
    fn draw(mean: f64, size: u32, state: &mut u64) -> f64 {
        let p = f64::from(size) / (f64::from(size) + mean);
        let mut failures = 0.0;
        let mut successes = 0;
        while successes < size {
            *state = crate::math::hash::mix(*state);
            #[expect(clippy::cast_precision_loss, reason = "a share of 53 bits")]
            let unit = (*state >> 11) as f64 / (1_u64 << 53) as f64;
            if unit < p {
                successes += 1;
            } else {
                failures += 1.0;
            }
        }
        failures
    }

    #[test]
    fn alarms_under_the_forecast_are_no_more_than_were_allowed() {
        let (looks, allowed) = (200_000_u32, 400.0);
        let threshold = libm::log(f64::from(looks) / allowed);
        for (mean, size) in [(2.0, 5), (10.0, 10), (30.0, 3)] {
            let forecast = Forecast { mean, size: f64::from(size) };
            let (mut detector, mut alarms, mut state) = (EDetector::default(), 0.0, 1_u64);
            for _ in 0..looks {
                if detector.observe(draw(mean, size, &mut state), forecast) >= threshold {
                    alarms += 1.0;
                    detector.reset();
                }
            }
            assert!(alarms > 0.0 && alarms <= allowed, "{alarms} of {allowed} at {forecast:?}");
        }
    }
}

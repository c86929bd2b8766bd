//! The one test of the detector: is a count larger than a negative-binomial forecast allows?
//!
//! An *e-value* is a bet against the forecast whose expected pay-off is at most 1 while the forecast holds; its
//! logarithm, in nats, adds up over independent looks. An e-detector accumulates such bets so that, with
//! threshold `A`, false alarms come at most every `A` looks on average.
//!
//! Sources: Shin, Ramdas, Rinaldo, "E-detectors" (2022); Shiryaev (1963), Roberts (1966).

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// Alternatives tested together, as multiples of the forecast.
pub const RATIOS: [f64; 9] = [1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0, 1000.0];

/// Their logarithms.
static LOG_RATIOS: LazyLock<[f64; RATIOS.len()]> = LazyLock::new(|| RATIOS.map(libm::log));

/// A negative-binomial forecast: mean `mean`, variance `mean + mean² / size`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Mean count, above zero.
    pub mean: f64,
    /// Size `r`; infinity is Poisson, small is bursty.
    pub size: f64,
}

impl Default for Forecast {
    /// Nothing is expected.
    fn default() -> Self {
        Self { mean: 0.0, size: f64::INFINITY }
    }
}

/// Log e-value of `count` against a forecast for one alternative mean `ρ μ`, nats, by `ρ` and its logarithm:
/// `x ln ρ + (x + r) ln((r + μ) / (r + ρμ))`, the likelihood ratio of two negative binomials of one size.
fn bet(count: f64, Forecast { mean, size }: Forecast, (ratio, log_ratio): (f64, f64)) -> f64 {
    if size > 1e9 {
        return count * log_ratio - mean * (ratio - 1.0);
    }
    count * log_ratio + (count + size) * libm::log((size + mean) / (size + ratio * mean))
}

/// The bets on [`RATIOS`].
fn bets(count: f64, forecast: Forecast) -> [f64; RATIOS.len()] {
    let mut bets = *LOG_RATIOS;
    for (log_ratio, ratio) in bets.iter_mut().zip(RATIOS) {
        *log_ratio = bet(count, forecast, (ratio, *log_ratio));
    }
    bets
}

/// Log e-value of `count` against `forecast`, nats: the mean of the e-values over [`RATIOS`].
///
/// # Example
/// ```
/// use detect::evalue::{Forecast, log_e};
/// let forecast = Forecast { mean: 10.0, size: 10.0 };
/// assert!(log_e(50.0, forecast) > 4.0);
/// assert!(log_e(10.0, forecast) < 0.0);
/// ```
pub fn log_e(count: f64, forecast: Forecast) -> f64 {
    log_mean_exp(&bets(count, forecast))
}

/// `ln((1/n) Σ exp(xᵢ))` without overflow.
pub fn log_mean_exp(values: &[f64]) -> f64 {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !most.is_finite() {
        return most;
    }
    let sum: f64 = values.iter().map(|value| libm::exp(value - most)).sum();
    #[expect(clippy::cast_precision_loss, reason = "a handful of values")]
    let n = values.len() as f64;
    most + libm::log(sum / n)
}

/// Shiryaev–Roberts e-detector over [`RATIOS`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EDetector {
    log_sums: [f64; RATIOS.len()],
}

impl Default for EDetector {
    fn default() -> Self {
        Self { log_sums: [f64::NEG_INFINITY; RATIOS.len()] }
    }
}

impl EDetector {
    /// Takes one count in; returns the accumulated evidence, nats.
    pub fn observe(&mut self, count: f64, forecast: Forecast) -> f64 {
        for (log_sum, bet) in self.log_sums.iter_mut().zip(bets(count, forecast)) {
            // ln(1 + e^S) + bet; the cap keeps an endless attack from needing as long to forget
            *log_sum = (softplus(*log_sum) + bet).min(EVIDENCE_NATS_MAX);
        }
        self.evidence()
    }

    /// Evidence so far, nats.
    pub fn evidence(&self) -> f64 {
        log_mean_exp(&self.log_sums)
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

/// Evidence is not accumulated beyond this, nats.
pub const EVIDENCE_NATS_MAX: f64 = 60.0;

fn softplus(x: f64) -> f64 {
    if x == f64::NEG_INFINITY {
        0.0
    } else if x > 40.0 {
        x
    } else {
        libm::log1p(libm::exp(x))
    }
}

/// Probability that a negative binomial is at least `count`: `I_{μ/(r+μ)}(x, r)`, the
/// incomplete beta function, or gamma where it is Poisson: what the evidence of an incident shows.
pub fn tail_probability(count: f64, forecast: Forecast) -> f64 {
    if count <= 0.0 {
        return 1.0;
    }
    let p = forecast.mean / (forecast.size + forecast.mean);
    if !(p > 0.0 && p < 1.0 && forecast.size.is_finite()) {
        return if forecast.mean > 0.0 {
            statrs::function::gamma::gamma_lr(count, forecast.mean)
        } else {
            0.0
        };
    }
    statrs::function::beta::checked_beta_reg(count, forecast.size, p).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use statrs::distribution::{Discrete, NegativeBinomial};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// The defining law of an e-value: E[e] ≤ 1 while the forecast holds.
        #[test]
        fn the_bet_does_not_pay_under_the_forecast(mean in 0.1_f64..20.0, size in 1.0_f64..20.0) {
            let forecast = Forecast { mean, size };
            let law = NegativeBinomial::new(size, size / (size + mean)).unwrap();
            let mut expectation = 0.0;
            for x in 0..1_000_u32 {
                let p = law.pmf(u64::from(x));
                if p > 0.0 {
                    let bets: f64 = [1.25, 2.0, 5.0].map(|rho| libm::exp(bet(f64::from(x), forecast, (rho, libm::log(rho))))).iter().sum();
                    expectation += p * bets / 3.0;
                }
            }
            prop_assert!(expectation <= 1.0 + 1e-6, "{expectation}");
        }

        #[test]
        fn more_requests_are_more_evidence(count in 20.0_f64..500.0, mean in 0.5_f64..19.0, size in 0.5_f64..50.0) {
            let forecast = Forecast { mean, size };
            prop_assert!(log_e(count + 1.0, forecast) >= log_e(count, forecast));
        }

        #[test]
        fn the_tail_is_the_sum_of_the_law(count in 1_u32..60, mean in 0.5_f64..20.0, size in 1.0_f64..20.0) {
            let law = NegativeBinomial::new(size, size / (size + mean)).unwrap();
            let below: f64 = (0..count).map(|x| law.pmf(u64::from(x))).sum();
            let tail = tail_probability(f64::from(count), Forecast { mean, size });
            prop_assert!((tail - (1.0 - below)).abs() < 1e-6, "{tail} {below}");
        }
    }

    #[test]
    fn a_tripled_rate_alarms_in_seconds_and_quiet_never() {
        let forecast = Forecast { mean: 100.0, size: 20.0 };
        let mut detector = EDetector::default();
        for _ in 0..10_000 {
            assert!(detector.observe(90.0, forecast) < 5.0);
        }
        let seconds = (1..100).find(|_| detector.observe(300.0, forecast) > 23.0).unwrap();
        assert!(seconds <= 4, "{seconds}");
    }
}

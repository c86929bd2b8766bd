//! Intervals of what was counted, 95 %.

use statrs::distribution::{ContinuousCDF, Gamma};

use crate::measure::float;

/// Quantile of the normal distribution at 97.5 %.
const Z: f64 = 1.959_964;

/// Wilson's interval of a share of which `right` among `of` were seen (E. B. Wilson, "Probable inference, the law of
/// succession, and statistical inference", 1927).
pub fn wilson(right: u64, of: u64) -> (f64, f64) {
    let (right, n) = (float(right), float(of));
    if n == 0.0 {
        return (0.0, 1.0);
    }
    let share = right / n;
    let middle = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

/// Exact interval of a rate of which `count` events in `over` units were seen (F. Garwood, "Fiducial limits for the
/// Poisson distribution", 1936): quantiles of gamma distributions.
pub fn garwood(count: u64, over: f64) -> (f64, f64) {
    let quantile = |shape: f64, level: f64| {
        Gamma::new(shape, 1.0).map_or(f64::NAN, |gamma| gamma.inverse_cdf(level)) / over
    };
    let low = if count == 0 { 0.0 } else { quantile(float(count), 0.025) };
    (low, quantile(float(count) + 1.0, 0.975))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: (f64, f64), b: (f64, f64)) -> bool {
        (a.0 - b.0).abs() < 2e-4 && (a.1 - b.1).abs() < 2e-4
    }

    #[test]
    fn intervals_are_those_of_the_tables() {
        // R: binom::binom.wilson(7, 10), (0, 20); Garwood's table: 0 and 5 events
        assert!(near(wilson(7, 10), (0.3968, 0.8922)), "{:?}", wilson(7, 10));
        assert!(near(wilson(0, 20), (0.0, 0.1611)), "{:?}", wilson(0, 20));
        assert!(near(garwood(0, 1.0), (0.0, 3.6889)), "{:?}", garwood(0, 1.0));
        assert!(near(garwood(5, 1.0), (1.6235, 11.6683)), "{:?}", garwood(5, 1.0));
    }
}

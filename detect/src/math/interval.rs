//! Exact confidence bounds of a share (C. J. Clopper and E. S. Pearson, *The use of confidence or fiducial limits
//! illustrated in the case of the binomial*, Biometrika 26, 1934).
//!
//! With `k` hits among `n`, the upper bound is the greatest `p` under which `k` or fewer hits are no less likely than
//! `α`, the lower one the least under which `k` or more are: quantiles of the beta distribution. Both may be no whole
//! numbers, as the effective sizes of weighted samples are not.
//!
//! The incomplete beta function comes from `statrs`, which takes logarithms of the platform. The bounds are rounded
//! outwards to [`STEP`] so that its last bits do not show; they are printed and decide nothing.

/// What bounds are rounded outwards to.
const STEP: f64 = 1e-6;

/// Halvings of the interval: far below [`STEP`].
const HALVINGS: usize = 40;

/// Upper bound of the share of which `hits` of `n` were seen, with error probability `alpha`; 1 without a sample.
pub fn upper(hits: f64, n: f64, alpha: f64) -> f64 {
    let hits = hits.max(0.0);
    if n - hits <= 1e-9 || n.is_nan() {
        return 1.0;
    }
    let bound = quantile(hits + 1.0, n - hits, 1.0 - alpha);
    (libm::ceil(bound / STEP) * STEP).min(1.0)
}

/// Lower bound of the share of which `hits` of `n` were seen, with error probability `alpha`; 0 without a sample.
pub fn lower(hits: f64, n: f64, alpha: f64) -> f64 {
    let hits = hits.min(n);
    if hits <= 1e-9 || hits.is_nan() {
        return 0.0;
    }
    let bound = quantile(hits, n - hits + 1.0, alpha);
    (libm::floor(bound / STEP) * STEP).max(0.0)
}

/// Quantile of the beta distribution, by bisection.
fn quantile(a: f64, b: f64, level: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        match statrs::function::beta::checked_beta_reg(a, b, middle) {
            Ok(below) if below < level => low = middle,
            _ => high = middle,
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 2e-4
    }

    #[test]
    fn bounds_are_those_of_the_tables() {
        // two-sided 95 %, as in R's binom.test
        for (hits, n, low, high) in [
            (0.0, 10.0, 0.0, 0.3085),
            (5.0, 10.0, 0.1871, 0.8129),
            (10.0, 10.0, 0.6915, 1.0),
            (1.0, 100.0, 0.0003, 0.0545),
            (50.0, 4_096.0, 0.0091, 0.0161),
        ] {
            assert!(near(lower(hits, n, 0.025), low), "{hits} of {n}: {}", lower(hits, n, 0.025));
            assert!(near(upper(hits, n, 0.025), high), "{hits} of {n}: {}", upper(hits, n, 0.025));
        }
    }

    #[test]
    fn without_a_hit_the_bound_has_a_closed_form() {
        for n in [1.0_f64, 30.0, 2_048.0] {
            assert!(near(upper(0.0, n, 0.05), 1.0 - libm::pow(0.05, 1.0 / n)));
        }
    }

    #[test]
    fn without_a_sample_nothing_is_known() {
        assert_eq!((lower(0.0, 0.0, 0.05), upper(0.0, 0.0, 0.05)), (0.0, 1.0));
        assert_eq!((lower(f64::NAN, f64::NAN, 0.05), upper(f64::NAN, f64::NAN, 0.05)), (0.0, 1.0));
    }
}

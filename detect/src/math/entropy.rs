//! Entropy estimates from counts, in bits.
//!
//! Shannon entropy read off a sample grows with the size of the sample, so it is reported, with the Miller–Madow
//! correction, but two windows of different size are compared by the collision entropy, whose collision
//! probability has an unbiased estimate at any size.

/// Why there is no entropy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntropyError {
    /// The counts sum to zero: a silent 0 bits would read as "one value only".
    #[error("the counts sum to zero: there is nothing to take the entropy of")]
    NoMass,
    /// A collision needs a pair.
    #[error("one observation has no pair: collision entropy needs at least two")]
    NoPair,
    /// The sum of the counts does not fit 64 bits.
    #[error("the counts sum to more than 2^64")]
    Overflow,
}

#[expect(clippy::cast_precision_loss, reason = "counts below 2^53 are exact, above they round")]
const fn float(n: u64) -> f64 {
    n as f64
}

fn total(counts: &[u64]) -> Result<u64, EntropyError> {
    let sum = counts
        .iter()
        .try_fold(0_u64, |sum, count| sum.checked_add(*count))
        .ok_or(EntropyError::Overflow)?;
    if sum == 0 { Err(EntropyError::NoMass) } else { Ok(sum) }
}

/// Shannon entropy of a histogram: `H = Σ pᵢ·log2(1/pᵢ)`, `pᵢ = counts[i] / Σ counts`, in bits.
///
/// - `counts`: requests per distinct value; the sum is taken in the given order.
/// - returns: bits, `0.0 ..= log2(number of non-zero counts)`.
///
/// # Errors
/// [`EntropyError::NoMass`] on a zero sum, [`EntropyError::Overflow`] when the sum exceeds 64 bits.
///
/// # Source
/// Shannon, "A Mathematical Theory of Communication" (1948), §6.
///
/// # Example
/// ```
/// assert_eq!(detect::entropy::entropy_bits(&[5, 5, 5, 5]), Ok(2.0));
/// ```
pub fn entropy_bits(counts: &[u64]) -> Result<f64, EntropyError> {
    let n = float(total(counts)?);
    let mut bits = 0.0;
    let mut values = 0_u64;
    for count in counts.iter().filter(|count| **count > 0) {
        let p = float(*count) / n;
        bits -= p * libm::log2(p);
        values += 1;
    }
    Ok(bits.clamp(0.0, libm::log2(float(values))))
}

/// Shannon entropy with the Miller–Madow correction: `H + (K − 1) / (2 n ln 2)` bits, `K` non-zero counts, at
/// most `log2 n`.
///
/// # Errors
/// As [`entropy_bits`].
///
/// # Source
/// Miller, "Note on the bias of information estimates" (1955).
///
/// # Example
/// ```
/// // two values, four observations: 1 bit + 1 / (8 ln 2)
/// let bits = detect::entropy::miller_madow(&[2, 2]).unwrap();
/// assert!((bits - 1.180_336_880).abs() < 1e-9);
/// ```
pub fn miller_madow(counts: &[u64]) -> Result<f64, EntropyError> {
    let plug_in = entropy_bits(counts)?;
    let n = float(total(counts)?);
    let values = float(counts.iter().filter(|count| **count > 0).count() as u64);
    Ok((plug_in + (values - 1.0) / (2.0 * n * std::f64::consts::LN_2)).min(libm::log2(n)).max(0.0))
}

/// Probability that two different observations share a value, unbiased: `Σ c(c−1) / (n(n−1))`.
///
/// # Errors
/// [`EntropyError::NoPair`] below two observations; otherwise as [`entropy_bits`].
///
/// # Example
/// ```
/// assert_eq!(detect::entropy::collision_probability(&[2, 1]), Ok(1.0 / 3.0));
/// ```
pub fn collision_probability(counts: &[u64]) -> Result<f64, EntropyError> {
    let n = total(counts)?;
    if n < 2 {
        return Err(EntropyError::NoPair);
    }
    let pairs = |c: u64| u128::from(c) * u128::from(c.saturating_sub(1));
    let same: u128 = counts.iter().map(|count| pairs(*count)).fold(0, u128::saturating_add);
    #[expect(clippy::cast_precision_loss, reason = "a ratio of counts needs no more than 53 bits")]
    let ratio = same as f64 / pairs(n) as f64;
    Ok(ratio)
}

/// Collision (Rényi-2) entropy in bits: `−log2 max(P, 1/n²)` of the unbiased collision probability `P`.
///
/// Without any collision the true value is only bounded from below; `2·log2 n` is reported.
///
/// # Errors
/// As [`collision_probability`].
///
/// # Source
/// Rényi, "On measures of entropy and information" (1961); the estimate is Simpson's (1949).
///
/// # Example
/// ```
/// assert_eq!(detect::entropy::entropy_h2(&[7]), Ok(0.0));
/// assert_eq!(detect::entropy::entropy_h2(&[1, 1, 1, 1]), Ok(4.0));
/// ```
pub fn entropy_h2(counts: &[u64]) -> Result<f64, EntropyError> {
    let n = float(total(counts)?);
    let p = collision_probability(counts)?.max(1.0 / (n * n));
    Ok((-libm::log2(p)).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_has_no_entropy() {
        assert_eq!(entropy_bits(&[]), Err(EntropyError::NoMass));
        assert_eq!(entropy_bits(&[0, 0]), Err(EntropyError::NoMass));
        assert_eq!(entropy_h2(&[1]), Err(EntropyError::NoPair));
        assert_eq!(entropy_bits(&[u64::MAX, 1]), Err(EntropyError::Overflow));
    }

    /// Over all samples of size 4 from (1/2, 1/4, 1/4), the mean estimate is Σp² exactly.
    #[test]
    fn collision_probability_is_unbiased() {
        let p = [0.5, 0.25, 0.25];
        let mut mean = 0.0;
        for sample in 0..81_usize {
            let picks = [sample % 3, sample / 3 % 3, sample / 9 % 3, sample / 27];
            let mut counts = [0_u64; 3];
            let mut weight = 1.0;
            for pick in picks {
                counts[pick] += 1;
                weight *= p[pick];
            }
            mean += weight * collision_probability(&counts).unwrap();
        }
        assert!((mean - 0.375).abs() < 1e-12, "{mean}");
    }

    proptest! {
        #[test]
        fn entropy_is_at_most_log2_of_the_values(counts in prop::collection::vec(0_u64..1_000, 1..50)) {
            prop_assume!(counts.iter().sum::<u64>() >= 2);
            let values = float(counts.iter().filter(|c| **c > 0).count() as u64);
            let h = entropy_bits(&counts).unwrap();
            prop_assert!((0.0..=libm::log2(values)).contains(&h));
            prop_assert!(miller_madow(&counts).unwrap() >= h - 1e-12 || miller_madow(&counts).unwrap() >= libm::log2(float(counts.iter().sum())) - 1e-9);
            prop_assert!(entropy_h2(&counts).unwrap() >= 0.0);
        }

        #[test]
        fn order_does_not_matter_for_collisions(mut counts in prop::collection::vec(0_u64..1_000, 2..50)) {
            prop_assume!(counts.iter().sum::<u64>() >= 2);
            let before = entropy_h2(&counts);
            counts.reverse();
            prop_assert_eq!(before, entropy_h2(&counts));
        }
    }
}

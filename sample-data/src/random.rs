//! Random numbers that are the same on every platform, and the distributions drawn from them.
//!
//! The generator is xoshiro256++ seeded through `SplitMix64` (Blackman and Vigna, "Scrambled linear
//! pseudorandom number generators", 2021). Transcendental functions come from `libm`, because those
//! of the platform differ in the last bit.

/// A stream of random numbers; streams of different (seed, name) are independent.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: [u64; 4],
}

/// `SplitMix64`'s output function: one well-mixed number from one counter.
pub(crate) const fn mix(counter: u64) -> u64 {
    let z = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number that depends on both arguments and their order.
pub(crate) const fn mix2(a: u64, b: u64) -> u64 {
    mix(mix(a) ^ b.wrapping_mul(0xd6e8_feb8_6659_fd93))
}

impl Random {
    /// The stream called `name` of the run with this seed.
    pub(crate) fn new(seed: u64, name: u64) -> Self {
        let base = mix2(seed, name);
        let word = |i: u64| mix(base.wrapping_add(i.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        Self { state: [word(1), word(2), word(3), word(4)] }
    }

    /// A stream of its own, for something that this stream decided to create.
    pub(crate) fn fork(&mut self) -> Self {
        Self::new(self.next(), 0)
    }

    /// 64 random bits.
    pub(crate) fn next(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform in `[0, 1)`, 53 bits.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform in `0..bound` (bias below 2⁻³² for the bounds used here); 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// Uniform index of a slice of this length; 0 when it is empty.
    #[expect(clippy::cast_possible_truncation, reason = "below a length that is a usize")]
    pub(crate) fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// One element; `slice` must not be empty.
    pub(crate) fn choose<T: Copy>(&mut self, slice: &[T]) -> T {
        slice[self.index(slice.len())]
    }

    /// True with probability `p`.
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Exponential with this mean, in the mean's unit.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    /// Standard normal (Box and Muller, 1958; the second value is thrown away).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(1.0 - self.unit())).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// Log-normal with this median; `sigma` is the standard deviation of the logarithm.
    pub(crate) fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        median * libm::exp(sigma * self.normal())
    }

    /// Number of failures before the first success, with this mean.
    pub(crate) fn geometric(&mut self, mean: f64) -> u64 {
        if mean <= 0.0 {
            return 0;
        }
        let stay = mean / (1.0 + mean);
        whole(libm::log(1.0 - self.unit()) / libm::log(stay))
    }
}

/// A choice between `n` things with given weights.
#[derive(Debug, Clone)]
pub(crate) struct Weighted {
    cumulative: Vec<f64>,
}

impl Weighted {
    /// Weights in any unit; must not be empty.
    pub(crate) fn new(weights: impl IntoIterator<Item = f64>) -> Self {
        let mut total = 0.0;
        let cumulative = weights
            .into_iter()
            .map(|w| {
                total += w;
                total
            })
            .collect();
        Self { cumulative }
    }

    /// Index of the thing chosen.
    pub(crate) fn draw(&self, random: &mut Random) -> usize {
        let total = self.cumulative.last().copied().unwrap_or(0.0);
        let at = random.unit() * total;
        self.cumulative.partition_point(|&c| c <= at).min(self.cumulative.len().saturating_sub(1))
    }
}

/// Zipf's weight of rank `rank` (from 0): `(rank + 1)^-exponent`.
pub(crate) fn zipf(rank: usize, exponent: f64) -> f64 {
    libm::pow(count(rank) + 1.0, -exponent)
}

/// A count as a double.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2⁵³")]
pub(crate) const fn count(n: usize) -> f64 {
    n as f64
}

/// The whole part of a double; 0 for what is negative or no number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating is wanted")]
pub(crate) const fn whole(x: f64) -> u64 {
    x as u64
}

/// Seconds as microseconds.
#[expect(clippy::cast_possible_truncation, reason = "saturating is wanted")]
pub(crate) const fn micros(seconds: f64) -> i64 {
    (seconds * 1e6) as i64
}

/// Microseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "times here are far below 2⁵³ microseconds")]
pub(crate) const fn seconds(us: i64) -> f64 {
    us as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_pinned() {
        let mut random = Random::new(1, 2);
        let bits: Vec<u64> = (0..3).map(|_| random.next()).collect();
        expect_test::expect![[r"
            [
                15060997528571081537,
                4340069671498954821,
                15563006346573187889,
            ]
        "]]
        .assert_debug_eq(&bits);
    }

    #[test]
    fn means_are_as_documented() {
        let mut random = Random::new(7, 0);
        let n = 200_000;
        let mean = |f: &mut dyn FnMut(&mut Random) -> f64, random: &mut Random| {
            (0..n).map(|_| f(random)).sum::<f64>() / f64::from(n)
        };
        assert!((mean(&mut |r| r.exponential(3.0), &mut random) - 3.0).abs() < 0.05);
        assert!((mean(&mut Random::normal, &mut random)).abs() < 0.02);
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let geometric = mean(&mut |r| r.geometric(4.0) as f64, &mut random);
        assert!((geometric - 4.0).abs() < 0.1, "{geometric}");
    }

    #[test]
    fn weights_are_obeyed() {
        let choice = Weighted::new([1.0, 0.0, 3.0]);
        let mut random = Random::new(3, 0);
        let mut seen = [0_u32; 3];
        for _ in 0..40_000 {
            seen[choice.draw(&mut random)] += 1;
        }
        assert_eq!(seen[1], 0);
        assert!((28_000..32_000).contains(&seen[2]), "{seen:?}");
    }
}

//! Numbers without a pattern, the same in every run.

/// A generator of such numbers.
#[derive(Debug, Clone)]
pub struct Draw(u64);

/// A well-mixed number of `n`: what belongs to one visitor, page or address is always the same.
pub const fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// One of several independent generators of a seed.
    pub fn of(seed: u64, purpose: u64) -> Self {
        Self::new(mix(seed.wrapping_mul(1_000_003).wrapping_add(purpose)))
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    pub fn unit(&mut self) -> f64 {
        self.below(1 << 30) as f64 / f64::from(1 << 30)
    }

    /// Whether something of this probability happens.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    pub fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.unit()
    }

    /// A waiting time of this mean.
    pub fn wait(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    /// A rank below `n`, each about as likely as one over one more than itself.
    pub fn zipf(&mut self, n: u64) -> u64 {
        let rank = libm::pow(n as f64, self.unit()) as u64;
        rank.saturating_sub(1).min(n - 1)
    }

    /// A number from 1 up to `most` whose mean is a little less than `mean`.
    pub fn several(&mut self, mean: f64, most: u64) -> u64 {
        let mut n = 1;
        while n < most && self.chance(1.0 - 1.0 / mean) {
            n += 1;
        }
        n
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }
}

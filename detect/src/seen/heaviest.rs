//! The sources of one host that have most of what is summed up over ten minutes: whoever has more than a share of one in so many
//! as are kept is among them.
//!
//! # Source
//! Metwally, Agrawal and El Abbadi, "Efficient computation of frequent and top-k elements in data streams" (2005): Space-Saving.

use serde::{Deserialize, Serialize};

use crate::record::event::Event;
use crate::record::source::Source;

/// Time constant of the decayed sums, seconds.
pub const MEMORY_S: f64 = 600.0;

/// What is kept of a source beside its sum.
pub trait Beside {
    /// Of one that takes the place of another, whose sum was this; 0 where the place was free.
    fn begin(inherited: f32) -> Self;

    /// Lets sums decay: so much is left.
    fn decay(&mut self, left: f32);
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Heavy<T> {
    source: Source,
    sum: f32,
    beside: T,
}

/// At most so many of the heaviest, and the sum of all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heaviest<T, const MOST: usize> {
    kept: Vec<Heavy<T>>,
    all: f32,
    at_s: i64,
}

/// A source whose sum has grown.
#[derive(Debug)]
pub struct Grown<'a, T> {
    /// Its sum, with what it inherited.
    pub sum: f32,
    /// The sum of all.
    pub all: f32,
    /// What else is kept of it.
    pub beside: &'a mut T,
}

impl<T, const MOST: usize> Default for Heaviest<T, MOST> {
    fn default() -> Self {
        Self { kept: Vec::new(), all: 0.0, at_s: 0 }
    }
}

impl<T: Beside, const MOST: usize> Heaviest<T, MOST> {
    /// Adds to the sum of an event's source.
    pub fn add(&mut self, event: &Event, amount: f32) -> Option<Grown<'_, T>> {
        self.decay(event.ts.div_euclid(1_000_000));
        self.all += amount;
        let known = self.kept.iter().position(|heavy| heavy.source == event.source);
        let at = known.unwrap_or_else(|| self.place_for(event.source));
        let Heavy { sum, beside, .. } = self.kept.get_mut(at)?;
        *sum += amount;
        Some(Grown { sum: *sum, all: self.all, beside })
    }

    /// How many are kept.
    #[cfg(test)]
    pub const fn len(&self) -> usize {
        self.kept.len()
    }

    /// Bytes held at most, by what it counts.
    pub const fn weight(&self) -> usize {
        self.kept.capacity() * size_of::<Heavy<T>>()
    }

    /// Gives a source a place, that of the lightest if there is no other.
    fn place_for(&mut self, source: Source) -> usize {
        if self.kept.len() < MOST {
            self.kept.push(Heavy { source, sum: 0.0, beside: T::begin(0.0) });
            return self.kept.len() - 1;
        }
        let lightest = self.kept.iter_mut().enumerate();
        let lightest = lightest.min_by(|(_, a), (_, b)| a.sum.total_cmp(&b.sum));
        let Some((at, heavy)) = lightest else { return 0 };
        (heavy.source, heavy.beside) = (source, T::begin(heavy.sum));
        at
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a share of sums that carry 24 bits"
    )]
    fn decay(&mut self, now_s: i64) {
        let passed = now_s - self.at_s;
        if passed <= 0 {
            return;
        }
        self.at_s = now_s;
        let left = libm::exp(-(passed as f64) / MEMORY_S) as f32;
        self.all *= left;
        for heavy in &mut self.kept {
            heavy.sum *= left;
            heavy.beside.decay(left);
        }
    }
}

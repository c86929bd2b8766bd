//! Goal: whatever happens to a group of processes, the laws of the tables hold.
//!
//! ```text
//! seed ─▶ topic (partitions of lines, good and bad) ─▶ world ─▶ laws
//!                                                       │
//!            each turn one of: a member reads · commits · stops · is killed · starts · is held for dead;
//!            partitions pass from one to another; a write of the store fails
//! ```
//! Members are whole processes, but for the Kafka client: the pipeline with its threads, tables in a folder. After each
//! turn a member's threads have done what they were told, so that a seed is the same history each time.
//!
//! `SIMULATION_SEEDS=17..18 cargo test --release -p cli --test simulation -- --nocapture` repeats one seed and tells what
//! happens in it, `0..100000` tries many.
#![cfg(test)]

#[path = "../../../lake/tests/common/fault.rs"]
#[expect(dead_code, reason = "the tests of the lake use the rest")]
mod fault;
mod group;
mod laws;
mod member;
mod topic;
mod world;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use world::World;

/// Seeds of an ordinary test run: a minute or two.
const SEEDS: Range<u64> = 0..200;

fn seeds() -> Range<u64> {
    let Ok(text) = std::env::var("SIMULATION_SEEDS") else { return SEEDS };
    let (from, to) = text.split_once("..").expect("SIMULATION_SEEDS is like 0..200");
    from.parse().expect("a number")..to.parse().expect("a number")
}

#[test]
fn whatever_happens_the_laws_hold() {
    let is_one = seeds().count() == 1;
    let (mut members, mut deaths) = (0, 0);
    for seed in seeds() {
        let run = catch_unwind(AssertUnwindSafe(|| {
            let mut world = World::of(seed, is_one);
            world.run();
            world.counts
        }));
        let counts = run.unwrap_or_else(|_| {
            panic!("seed {seed}: repeat it with SIMULATION_SEEDS={seed}..{}", seed + 1)
        });
        members += counts.started;
        deaths += counts.deaths;
    }
    // The seeds of an ordinary run come to some two thousand processes, of which every other dies.
    if seeds() == SEEDS {
        assert!(members > 1_000 && deaths > 500, "{members} {deaths}");
    }
}

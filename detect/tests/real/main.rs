//! Traffic made after reports of real incidents: what must be found in it, what must not, with what kind, from
//! whom. A scenario has two seeds and a test for each; those that today's detector gets wrong are in
//! [`KNOWN_WRONG`], which can only shrink.
#![cfg(test)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "small numbers"
)]

mod expect;
mod known;
mod predicate;
mod regex;
mod scene;
mod swarm;
#[path = "../traffic/mod.rs"]
mod traffic;

use expect::Scenario;
use known::KNOWN_WRONG;

type Make = fn(u64) -> Scenario;

fn check(name: &str, seed: u64) {
    let (_, make) = ALL.iter().find(|(known, _)| *known == name).unwrap();
    let (came, wrong) = make(seed).run();
    let known =
        KNOWN_WRONG.iter().find(|(known, seeds, _)| *known == name && seeds.contains(&seed));
    match known {
        None => assert!(wrong.is_empty(), "wrong: {wrong:#?}\nfound: {came:#?}"),
        Some(_) => assert!(
            !wrong.is_empty(),
            "{name} with seed {seed} is right now: take it out of KNOWN_WRONG\nfound: {came:#?}"
        ),
    }
}

macro_rules! scenarios {
    ($($name:ident = $make:path),* $(,)?) => {
        /// Every scenario by name.
        const ALL: &[(&str, Make)] = &[$((stringify!($name), $make)),*];
        $(mod $name {
            #[test]
            fn seed_1() {
                super::check(stringify!($name), 1);
            }
            #[test]
            fn seed_2() {
                super::check(stringify!($name), 2);
            }
        })*
    };
}

scenarios! {
    swarm_of_homes_reads_versions = swarm::of_versions,
    swarm_of_homes_reads_paths = swarm::of_paths,
    swarm_meets_challenge_pages = swarm::challenged,
}

#[test]
fn the_list_of_the_known_names_scenarios() {
    for (name, seeds, came) in KNOWN_WRONG {
        assert!(ALL.iter().any(|(known, _)| known == name), "{name} is no scenario");
        assert!(
            !seeds.is_empty()
                && seeds.iter().all(|seed| (1..=2).contains(seed))
                && !came.is_empty()
        );
    }
}

#[test]
#[ignore = "prints what comes out of every scenario; ONLY=part of a name picks some"]
fn table() {
    let only = std::env::var("ONLY").unwrap_or_default();
    for (name, make) in ALL.iter().filter(|(name, _)| name.contains(&only)) {
        for seed in 1..=2 {
            let start = std::time::Instant::now();
            let scenario = make(seed);
            let made = start.elapsed();
            let (came, wrong) = scenario.run();
            let right = if wrong.is_empty() { "right" } else { "WRONG" };
            let rows = scenario.rows.len();
            println!(
                "{right} {name} {seed} ({rows} rows, made {made:.1?}, all {:.1?})",
                start.elapsed()
            );
            came.iter().for_each(|line| println!("    came  {line}"));
            wrong.iter().for_each(|line| println!("    wrong {line}"));
        }
    }
}

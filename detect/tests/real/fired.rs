//! What the scenarios exercise: every kind, and every feature of the evidence.

use std::collections::BTreeSet;

use schemas::Kind;

use super::{ALL, first_seed};

/// Names of `all` that are not in `some`, a line each.
fn missing<'a>(all: impl Iterator<Item = &'a str>, some: &BTreeSet<&str>) -> String {
    all.filter(|name| !some.contains(name)).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_kind_and_feature_is_fired_by_a_scenario_and_not_by_all() {
    let outcomes: Vec<_> = ALL.iter().map(|(name, _)| first_seed(name)).collect();
    let features = detect::reference::features();
    let fired: BTreeSet<&str> =
        outcomes.iter().flat_map(|one| one.fired.iter().map(String::as_str)).collect();

    // The small runs of `tests/scenarios.rs` are not counted: what is new comes with a scenario.
    let kinds = Kind::ALL.iter().map(|kind| kind.as_str());
    let all = kinds.chain(features.iter().map(String::as_str));
    assert_eq!(missing(all.clone(), &fired), "", "fired by no scenario");

    let known: BTreeSet<&str> = all.collect();
    assert_eq!(missing(fired.iter().copied(), &known), "", "fired, and in no table");
    let always = |name: &&str| outcomes.iter().all(|one| one.fired.contains(*name));
    assert_eq!(fired.iter().filter(|name| always(name)).count(), 0, "some name fires always");
}

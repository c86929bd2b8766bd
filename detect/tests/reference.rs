//! `docs/tests-and-weights.md` is written from the tables; `UPDATE_EXPECT=1 cargo test -p detect` rewrites it.
#![cfg(test)]

use std::collections::BTreeSet;

use expect_test::expect_file;

#[test]
fn the_reference_says_where_every_number_comes_from() {
    expect_file!["../../docs/tests-and-weights.md"].assert_eq(&detect::reference::page());
}

#[test]
fn every_feature_of_the_evidence_has_a_name_of_its_own() {
    let features = detect::reference::features();
    assert_eq!(features.iter().collect::<BTreeSet<_>>().len(), features.len(), "{features:?}");
}

//! The shape of the workspace: what no lint knows.
#![cfg(test)]
#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

mod arrows;
mod limits;
mod lock;
mod pages;
mod stages;
mod tidy;

//! SQL as text, formats and the prompt, over tables that the tests write themselves.
#![cfg(test)]
#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

mod fingerprints;
mod fixture;
mod formats;
mod functions;
mod prompt;
mod scans;
mod session;
mod slt;
mod subqueries;

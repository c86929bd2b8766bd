//! The shape of the workspace: what no lint knows.
#![cfg(test)]

mod arrows;
mod lock;
mod tidy;

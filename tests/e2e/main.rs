//! The whole system through its binary, with real parts around it.
#![cfg(test)]

mod broker;

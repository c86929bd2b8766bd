//! SQL as text, formats and the prompt, over tables that the tests write themselves.
#![cfg(test)]

mod fixture;
mod formats;
mod functions;
mod prompt;
mod session;
mod slt;

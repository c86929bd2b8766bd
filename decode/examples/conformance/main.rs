//! Reads log lines gathered elsewhere, with the values expected of them, and says where the decoders differ:
//! `cargo run --release -p decode --example conformance -- --help`.

mod runner;

use std::io::{stderr, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ExitCode::from(runner::run(&arguments, &mut stdout().lock(), &mut stderr().lock()))
}

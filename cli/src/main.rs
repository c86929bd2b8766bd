//! The `floodmark` binary; everything is in the library, where tests and documentation can reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}

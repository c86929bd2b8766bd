//! `floodmark man` and `floodmark completions`: written from the arguments.

use std::fs;
use std::io;

use anyhow::Context;
use clap::CommandFactory;

use crate::args::{Args, CompletionsArgs, ManArgs};

/// Name of the program, of its pages and of its completions.
const NAME: &str = "floodmark";

/// Writes a manual page for the program and one for each command.
///
/// # Errors
/// When the folder cannot be written.
pub fn pages(args: &ManArgs) -> anyhow::Result<()> {
    let written = fs::create_dir_all(&args.output)
        .and_then(|()| clap_mangen::generate_to(Args::command(), &args.output));
    written.with_context(|| format!("cannot write manual pages to `{}`", args.output.display()))
}

/// Prints the completions of a shell.
///
/// # Errors
/// When stdout cannot be written; a reader that went away is none.
pub fn completions(args: &CompletionsArgs) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), NAME, &mut script);
    match io::Write::write_all(&mut io::stdout(), &script) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to stdout"),
    }
}

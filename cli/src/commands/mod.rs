//! The commands: each checks its configuration, then does its work.

mod check;
mod demo;
mod explain_line;
mod formats;
mod generate;
mod maintain;
mod manual;
mod report;
mod run;
mod scan;
mod serve;
mod ship;
mod sql;
mod top;

use crate::args::{Args, Command};
use crate::config::{self, Maintain, Run, Scan, Serve, Ship};
use crate::signals::StopFlag;
use crate::telemetry;

/// Runs the command that was asked for.
///
/// # Errors
/// A [`config::UsageError`] in the chain means that the command line or the configuration is wrong.
pub fn dispatch(args: Args) -> anyhow::Result<()> {
    let file = config::load(args.config.as_deref())?;
    telemetry::init(args.log.as_deref().or(file.log.as_deref()))?;
    let quiet = args.quiet || file.quiet.unwrap_or(false);
    match args.command {
        Command::Scan(args) => {
            scan::scan(&Scan::new(args, &file)?, quiet, &StopFlag::on_signals()?)
        }
        Command::Run(args) => run::run(&Run::new(args, &file)?, quiet, &StopFlag::on_signals()?),
        Command::Ship(args) => {
            ship::ship(&Ship::new(args, &file)?, quiet, &StopFlag::on_signals()?)
        }
        Command::Maintain(args) => {
            maintain::maintain(&Maintain::new(args, &file)?, quiet, &StopFlag::on_signals()?)
        }
        Command::Check(args) => {
            check::check(&config::data(args.data, &file), quiet, &StopFlag::on_signals()?)
        }
        Command::ExplainLine(args) => {
            explain_line::explain_line(*args, &file, &StopFlag::on_signals()?)
        }
        Command::Formats(args) => formats::formats(&args),
        Command::Serve(args) => serve::serve(&Serve::new(args, &file)?, &StopFlag::of_server()?),
        Command::Top(args) => top::top(&args, &file, &StopFlag::of_viewer()?),
        Command::Sql(args) => sql::sql(args, &file, quiet),
        Command::Demo(args) => demo::demo(&args, quiet, &StopFlag::on_signals()?),
        Command::Generate(args) => generate::generate(&args, quiet),
        Command::Man(args) => manual::pages(&args),
        Command::Completions(args) => manual::completions(&args),
    }
}

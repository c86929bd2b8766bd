//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::calibration::Calibration;
use crate::soak::Soak;

/// Measures the stages of Floodmark; figures go to stdout.
#[derive(Debug, Parser)]
#[command(name = "bench", version, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Something else than speed.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to measure.
    #[arg(value_enum, default_value = "all")]
    stages: Vec<Choice>,
    /// Lines of the generated log; `decode` and `write` use the first 250,000 of them, at most.
    #[arg(long, default_value_t = 1_000_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1_000..))]
    pub lines: u64,
    /// Measured runs of each case, after one that is not counted.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub repeat: u32,
    /// Only cases with this in their name, such as `cloudflare`.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Also write the figures, with machine and commit, into a new folder in here.
    #[arg(long, value_name = "DIR")]
    pub record: Option<PathBuf>,
}

/// What else there is.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// False alarms promised against observed, confidence against the share that was right.
    Calibration(Calibration),
    /// A run of an hour or longer: rate, lag, memory and files meanwhile, and whether all is there in the end.
    Soak(Soak),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Choice {
    Decode,
    Detect,
    Write,
    Scan,
    /// Needs a broker and an empty topic: `FLOODMARK_BENCH_BROKERS=host:port FLOODMARK_BENCH_TOPIC=name`.
    Run,
    All,
}

/// A part of Floodmark that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Lines → batches, one core.
    Decode,
    /// Batches → findings, one core.
    Detect,
    /// Batches → Parquet files, committed.
    Write,
    /// File → tables and alerts, with the binary.
    Scan,
    /// Kafka → tables and alerts, with the binary.
    Run,
}

impl Args {
    /// The stages to measure, in order, each once.
    pub fn stages(&self) -> impl Iterator<Item = Stage> {
        let all = [
            (Choice::Decode, Stage::Decode),
            (Choice::Detect, Stage::Detect),
            (Choice::Write, Stage::Write),
            (Choice::Scan, Stage::Scan),
            (Choice::Run, Stage::Run),
        ];
        let chosen = |choice| self.stages.iter().any(|c| *c == choice || *c == Choice::All);
        all.into_iter().filter(move |(choice, _)| chosen(*choice)).map(|(_, stage)| stage)
    }

    /// Whether a case is to be measured.
    pub fn wants(&self, case: &str) -> bool {
        self.only.as_ref().is_none_or(|only| case.contains(only.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Args {
        Args::try_parse_from(line.split(' ')).unwrap()
    }

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn stages_come_in_their_order() {
        let stages: Vec<_> = parse("bench write decode write").stages().collect();
        assert_eq!(stages, [Stage::Decode, Stage::Write]);
        assert_eq!(parse("bench").stages().count(), 5);
    }

    #[test]
    fn calibration_is_no_stage() {
        assert!(parse("bench calibration --site-days 7 --logs a b").command.is_some());
        assert!(parse("bench decode").command.is_none());
        assert!(Args::try_parse_from(["bench", "calibration", "--site-days", "0"]).is_err());
    }

    #[test]
    fn cases_are_chosen_by_a_part_of_their_name() {
        assert!(parse("bench").wants("combined"));
        let some = parse("bench --only comb");
        assert!(some.wants("vhost_combined") && !some.wants("cloudflare"));
    }
}

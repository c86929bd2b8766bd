//! `floodmark generate`: made-up traffic with planted attacks, and the truth about it.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use anyhow::{Context, anyhow};
use sample_data::{GenerateConfig, GenerateError, Scenario, Truth};

use crate::args::GenerateArgs;
use crate::config::UsageError;

/// Lines of the `bench` scenario when no number is given.
const BENCH_LINES: u64 = 1_000_000;

/// Writes the log, and the truth when asked to.
///
/// # Errors
/// When the values make no sense together or a file cannot be written.
pub fn generate(args: &GenerateArgs, quiet: bool) -> anyhow::Result<()> {
    if let Some(folder) = &args.samples {
        sample_data::write_samples(folder)
            .with_context(|| format!("cannot write samples into {}", folder.display()))?;
        return Ok(());
    }
    let config = config(args)?;
    config.check().map_err(|error| UsageError::new(error.to_string()))?;
    let mut out: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(BufWriter::new(
            File::create(path).with_context(|| format!("cannot create {}", path.display()))?,
        )),
        None => Box::new(BufWriter::with_capacity(1 << 16, io::stdout().lock())),
    };
    let truth = match sample_data::generate(&config, &mut out) {
        Ok(truth) => truth,
        // The reader has enough, as with `head`.
        Err(GenerateError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            return Ok(());
        }
        Err(error) => return Err(anyhow!(error)),
    };
    out.flush().context("cannot write the log")?;
    write_truth(args, &truth)?;
    if !quiet {
        let events = truth.events.len();
        // A closed stderr is no reason to fail after the work is done.
        let _ = writeln!(io::stderr(), "generate: {} lines, {events} events", truth.lines);
    }
    Ok(())
}

fn config(args: &GenerateArgs) -> Result<GenerateConfig, UsageError> {
    let base = match args.scenario {
        Scenario::Bench => GenerateConfig::bench(args.lines.unwrap_or(BENCH_LINES)),
        _ => GenerateConfig::default(),
    };
    let duration_s = match args.duration {
        Some(duration) => i64::try_from(duration.as_secs())
            .map_err(|_| UsageError::new("--duration is too long"))?,
        None => base.duration_s,
    };
    Ok(GenerateConfig {
        seed: args.seed.unwrap_or(base.seed),
        start_us: args.start.map_or(base.start_us, |start| start.timestamp_micros()),
        duration_s,
        rate: args.rate.unwrap_or(base.rate),
        hosts: args.hosts.unwrap_or(base.hosts),
        format: args.format,
        scenario: args.scenario.clone(),
        lines_max: args.lines.or(base.lines_max),
    })
}

fn write_truth(args: &GenerateArgs, truth: &Truth) -> anyhow::Result<()> {
    let Some(path) = &args.truth else { return Ok(()) };
    let mut json = serde_json::to_string_pretty(truth)?;
    json.push('\n');
    std::fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))
}

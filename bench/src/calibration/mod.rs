//! Whether the detector keeps what it says: false alarms promised against observed, confidence against the share that
//! was right.
//!
//! ```text
//! fleets: generated logs ─▶ watch: one detector a setting ─▶ tally: false alarms, what was found, how sure
//! files: logs of others  ─▶            ″                     │
//!                                                  page (README.md) · plot (SVG)
//! ```

mod figures;
mod files;
mod fleets;
mod page;
mod plot;
mod tally;
mod watch;

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use crate::error::BenchError;
use crate::machine::Machine;
use crate::say;
use fleets::Fleet;
use tally::Tally;

/// Settings of `false-alarms` that are compared, a site-day: the default, what is looser and what is stricter.
const SETTINGS: [f64; 6] = [10.0, 1.0, 0.1, 0.01, 0.001, 1e-6];

/// Place of the default among them.
const DEFAULT: usize = 3;

/// `bench calibration`.
#[derive(Debug, Args)]
pub struct Calibration {
    /// Site-days without an attack that are generated, about.
    #[arg(long, default_value_t = 300, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    site_days: u32,
    /// Runs of 55 minutes with every planted event that are generated.
    #[arg(long, default_value_t = 24, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    planted: u32,
    /// Also count what comes of these logs, of which no truth is known; each is a log of its own.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    logs: Vec<PathBuf>,
    /// Folder for the page and its plots, besides the page on stdout.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Everything that was counted.
#[derive(Debug, Default)]
struct Counted {
    clean: Tally,
    planted: Tally,
    logs: Tally,
}

/// Generates, detects, counts and reports.
///
/// # Errors
/// When a log cannot be read, or the report cannot be written.
pub fn calibrate(options: &Calibration) -> Result<(), BenchError> {
    let before = Machine::now();
    let mut counted = Counted::default();
    for fleet in fleets::clean(options.site_days).iter().chain(&fleets::planted(options.planted)) {
        let tally = if fleet.is_clean() { &mut counted.clean } else { &mut counted.planted };
        add_fleet(fleet, tally)?;
    }
    for file in &options.logs {
        say(&format!("reading {}", file.display()));
        counted.logs.add(files::watch(file)?, &[]);
    }
    let page = page::page(&counted, &before);
    write!(io::stdout(), "{page}").map_err(|error| BenchError::io("write to stdout", error))?;
    let Some(folder) = &options.out else { return Ok(()) };
    let fail = |error| BenchError::io(format!("write {}", folder.display()), error);
    fs::create_dir_all(folder).map_err(fail)?;
    fs::write(folder.join("README.md"), &page).map_err(fail)?;
    fs::write(folder.join("false-alarms.svg"), plot::false_alarms(&counted.clean)).map_err(fail)?;
    fs::write(folder.join("confidence.svg"), plot::confidence(&counted)).map_err(fail)?;
    say(&format!("written to {}", folder.display()));
    Ok(())
}

fn add_fleet(fleet: &Fleet, tally: &mut Tally) -> Result<(), BenchError> {
    say(&format!("{fleet}"));
    let (watched, truth) = fleet.watch()?;
    tally.add(watched, &truth.events);
    Ok(())
}

//! `floodmark ship`: log files into Kafka.

use std::io::{self, Write};

use anyhow::bail;
use ingest::{ShipConfig, ShipControl, ShipProgress};
use schemas::text::thousands;

use crate::config::Ship;
use crate::progress::Progress;
use crate::signals::StopFlag;

/// Sends the files, or follows them until stopped.
///
/// # Errors
/// When a file cannot be read or lines could not be delivered; the message says how many were.
pub fn ship(config: &Ship, quiet: bool, stop: &StopFlag) -> anyhow::Result<()> {
    let mut control = Shown { quiet, bar: None, stop };
    let summary = ingest::ship(&ship_config(config), &config.files, &mut control)?;
    drop(control);
    if stop.is_set() && !config.follow {
        bail!(
            "stopped before the end of the files: {} lines were delivered to topic {}",
            thousands(summary.lines),
            config.kafka.topic
        );
    }
    if !quiet {
        // A closed stderr is no reason to fail after the work is done.
        let _ = writeln!(
            io::stderr(),
            "ship: {} lines ({} bytes) delivered to topic {}",
            thousands(summary.lines),
            thousands(summary.bytes),
            config.kafka.topic
        );
    }
    Ok(())
}

fn ship_config(config: &Ship) -> ShipConfig {
    let mut ship = ShipConfig::new(&config.kafka.brokers, &config.kafka.topic);
    ship.properties.clone_from(&config.kafka.properties);
    ship.follow = config.follow;
    ship.state.clone_from(&config.state);
    ship.rate = config.rate;
    ship.decoder.clone_from(&config.decoder);
    ship
}

/// Shows progress, and stops on a signal.
struct Shown<'a> {
    quiet: bool,
    bar: Option<Progress>,
    stop: &'a StopFlag,
}

impl ShipControl for Shown<'_> {
    fn stop(&mut self) -> bool {
        self.stop.is_set()
    }

    fn progress(&mut self, progress: &ShipProgress) {
        let quiet = self.quiet;
        let bar = self.bar.get_or_insert_with(|| Progress::bytes(quiet, progress.bytes_total));
        bar.update(progress.bytes_read, || {
            format!("{} lines, {} under way", thousands(progress.lines), progress.under_way)
        });
    }
}

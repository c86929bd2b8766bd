//! Writes the shipped samples anew: `cargo run -p sample-data --example regenerate -- FOLDER`.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("give the folder to write to")?;
    for truth in sample_data::write_samples(Path::new(&folder))? {
        writeln!(std::io::stderr(), "{}: {} lines", truth.format, truth.lines)?;
    }
    Ok(())
}

//! One line, read in a format.

use decode::DecoderConfig;

use crate::support::{read_blocks, show};

/// The row of a line, or why it is none.
pub fn read(format: &str, line: &str) -> String {
    let (batches, _) = read_blocks(&DecoderConfig::of(format), [line.as_bytes()]);
    show(&batches)
}

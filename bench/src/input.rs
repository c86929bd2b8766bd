//! Generated logs, kept between runs.

use std::fs::{self, File};
use std::io::{BufWriter, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use sample_data::{Format, GenerateConfig, generate};

use crate::error::BenchError;
use crate::say;

/// Lines that are made anew to see whether a kept log is still what would be generated.
const PREFIX_LINES: u64 = 2_000;

/// Bytes of a block of whole lines, as the file source reads them.
const BLOCK_BYTES: usize = 1 << 20;

/// A generated log in memory.
#[derive(Debug)]
pub struct Log {
    /// Its lines, each with its end.
    pub bytes: Vec<u8>,
    /// Number of lines.
    pub lines: u64,
    /// Where its blocks lie, each of whole lines, and how many lines each has.
    pub blocks: Vec<(Range<usize>, u64)>,
}

/// The file with a log of `lines` lines, made unless it is there.
///
/// # Errors
/// When it cannot be written.
pub fn file(format: Format, lines: u64) -> Result<PathBuf, BenchError> {
    let config = GenerateConfig { format, ..GenerateConfig::bench(lines) };
    let folder = folder();
    let path = folder.join(format!("{format}-{lines}.log"));
    if is_current(&config, &path)? {
        return Ok(path);
    }
    say(&format!("generating {}", path.display()));
    let fail = |error| BenchError::io(format!("write {}", path.display()), error);
    fs::create_dir_all(&folder).map_err(fail)?;
    let part = path.with_extension("part");
    let mut out = BufWriter::new(File::create(&part).map_err(fail)?);
    generate(&config, &mut out)?;
    drop(out);
    fs::rename(&part, &path).map_err(fail)?;
    Ok(path)
}

/// The first `lines` lines of the file that [`file`] gives for `of_lines`.
///
/// # Errors
/// When it cannot be written or read.
pub fn log(format: Format, lines: u64, of_lines: u64) -> Result<Log, BenchError> {
    let path = file(format, of_lines)?;
    let bytes = fs::read(&path)
        .map_err(|error| BenchError::io(format!("read {}", path.display()), error))?;
    Ok(Log::of(bytes, lines))
}

impl Log {
    /// The first `lines` lines of `bytes`.
    fn of(mut bytes: Vec<u8>, lines: u64) -> Self {
        let mut blocks = Vec::new();
        let (mut start, mut end, mut counted, mut in_block) = (0, 0, 0, 0);
        for newline in memchr::memchr_iter(b'\n', &bytes) {
            if counted == lines {
                break;
            }
            counted += 1;
            if newline + 1 - start > BLOCK_BYTES {
                blocks.push((start..end, in_block));
                (start, in_block) = (end, 0);
            }
            end = newline + 1;
            in_block += 1;
        }
        if in_block > 0 {
            blocks.push((start..end, in_block));
        }
        bytes.truncate(end);
        bytes.shrink_to_fit();
        Self { bytes, lines: counted, blocks }
    }

    /// Its lines, without their ends.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        memchr::memchr_iter(b'\n', &self.bytes).map(move |end| {
            let line = self.bytes.get(start..end).unwrap_or_default();
            start = end + 1;
            line
        })
    }
}

/// Beside the build: removed by `cargo clean`, unknown to git.
fn folder() -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|exe| {
        // TARGET/PROFILE/bench
        Some(exe.ancestors().nth(2)?.join("bench-input"))
    });
    beside.unwrap_or_else(|| std::env::temp_dir().join("floodmark-bench-input"))
}

/// Whether the log at `path` begins as one generated now would.
fn is_current(config: &GenerateConfig, path: &Path) -> Result<bool, BenchError> {
    let Ok(mut kept) = File::open(path) else { return Ok(false) };
    let lines_max = config.lines_max.map(|lines| lines.min(PREFIX_LINES));
    let mut wanted = Vec::new();
    generate(&GenerateConfig { lines_max, ..config.clone() }, &mut wanted)?;
    let mut found = vec![0; wanted.len()];
    Ok(kept.read_exact(&mut found).is_ok() && found == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_whole_lines_and_cover_the_log() {
        let line = [&[b'x'; 99][..], b"\n"].concat();
        let log = Log::of(line.repeat(30_000), 25_000);
        assert_eq!((log.bytes.len(), log.lines, log.iter().count()), (2_500_000, 25_000, 25_000));
        let mut at = 0;
        for (range, lines) in &log.blocks {
            assert_eq!((range.start, range.len() as u64), (at, lines * 100));
            assert!(range.len() <= BLOCK_BYTES);
            at = range.end;
        }
        assert_eq!((at, log.blocks.len()), (2_500_000, 3));
    }
}

//! Generated logs, kept between runs.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use sample_data::{Format, GenerateConfig, generate};
use tempfile::NamedTempFile;

use crate::error::BenchError;
use crate::measure::float;
use crate::say;

/// Lines that are made anew to see whether a kept log is still what would be generated.
const PREFIX_LINES: u64 = 2_000;

/// Lines of a run beside those of ordinary traffic alone.
const ATTACKS_SHARE: f64 = 1.1;

/// Bytes of a block of whole lines, as the file source reads them.
const BLOCK_BYTES: usize = 1 << 20;

/// Bytes read at once.
const READ_BYTES: usize = 1 << 20;

/// A generated log on disk.
#[derive(Debug)]
pub struct LogFile {
    /// Where it is.
    pub path: PathBuf,
    /// Number of lines: as many as asked for, unless the run ended before.
    pub lines: u64,
    /// Its size.
    pub bytes: u64,
}

/// A generated log in memory.
#[derive(Debug)]
pub struct Log {
    /// Its lines, each with its end.
    pub bytes: Vec<u8>,
    /// Number of lines.
    pub lines: u64,
    /// Number of lines that are records: no headers.
    pub records: u64,
    /// Where its blocks lie, each of whole lines, and how many lines each has.
    pub blocks: Vec<(Range<usize>, u64)>,
}

/// What is generated: a run of 25 minutes or more, at a rate with which `lines` lines last to its last attacks.
fn config(format: Format, lines: u64) -> GenerateConfig {
    let bench = GenerateConfig::bench(lines);
    let rate =
        bench.rate.min(float(lines) / float(bench.duration_s.unsigned_abs()) / ATTACKS_SHARE);
    GenerateConfig { format, rate, ..bench }
}

/// The file with a log of `lines` lines, made unless it is there.
///
/// # Errors
/// When it cannot be written.
pub fn file(format: Format, lines: u64) -> Result<LogFile, BenchError> {
    let config = config(format, lines);
    let folder = folder();
    let path = folder.join(format!("{format}-{lines}.log"));
    if !is_current(&config, &path)? {
        make(&config, &folder, &path)?;
    }
    let (lines, bytes) = count_lines(&path)?;
    Ok(LogFile { path, lines, bytes })
}

fn make(config: &GenerateConfig, folder: &Path, path: &Path) -> Result<(), BenchError> {
    say(&format!("generating {}", path.display()));
    let fail = |error| BenchError::io(format!("write {}", path.display()), error);
    fs::create_dir_all(folder).map_err(fail)?;
    let part = path.with_extension("part");
    let mut out = BufWriter::new(File::create(&part).map_err(fail)?);
    generate(config, &mut out)?;
    drop(out);
    fs::rename(&part, path).map_err(fail)
}

/// Reads a file to its end; its lines and bytes.
///
/// # Errors
/// When it cannot be read.
pub fn count_lines(path: &Path) -> Result<(u64, u64), BenchError> {
    let fail = |error| BenchError::io(format!("read {}", path.display()), error);
    let mut file = File::open(path).map_err(fail)?;
    let mut buffer = vec![0; READ_BYTES];
    let (mut lines, mut bytes) = (0, 0);
    loop {
        let read = file.read(&mut buffer).map_err(fail)?;
        if read == 0 {
            return Ok((lines, bytes));
        }
        bytes += read as u64;
        lines += memchr::memchr_iter(b'\n', buffer.get(..read).unwrap_or_default()).count() as u64;
    }
}

/// The first `lines` lines of the file that `file` gives for `of_lines`.
///
/// # Errors
/// When it cannot be written or read.
pub fn log(format: Format, lines: u64, of_lines: u64) -> Result<Log, BenchError> {
    let path = file(format, of_lines)?.path;
    let bytes = fs::read(&path)
        .map_err(|error| BenchError::io(format!("read {}", path.display()), error))?;
    Ok(Log::of(bytes, lines))
}

impl Log {
    /// The first `lines` lines of `bytes`.
    pub fn of(mut bytes: Vec<u8>, lines: u64) -> Self {
        let mut blocks = Vec::new();
        let (mut start, mut end, mut counted, mut headers, mut in_block) = (0, 0, 0, 0, 0);
        for newline in memchr::memchr_iter(b'\n', &bytes) {
            if counted == lines {
                break;
            }
            counted += 1;
            headers += u64::from(bytes.get(end) == Some(&b'#'));
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
        Self { bytes, lines: counted, records: counted - headers, blocks }
    }

    /// The log as a file for other programs, until it is dropped.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn to_file(&self) -> Result<NamedTempFile, BenchError> {
        let fail = |error| BenchError::io("write a log", error);
        let mut file =
            tempfile::Builder::new().suffix(".log").tempfile_in(folder()).map_err(fail)?;
        file.write_all(&self.bytes).map_err(fail)?;
        Ok(file)
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

//! The thread that reads one file: opens, unpacks, passes over what the tables hold, and hands over blocks.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};

use super::identity::{Content, Known, first_data_line, partition_name};
use super::lines::{BlockLimits, LineBlock, LineBlocks, after_lines};
use crate::compress::decompress;
use crate::source::SourceError;

/// Bytes of comments and blank lines in which a data line is looked for.
const PREAMBLE_BYTES_MAX: usize = 16 << 20;

/// How a line begins that names the fields of the lines after it.
const FIELDS_HEADER: &[u8] = b"#Fields:";

/// The name that stands for standard input.
pub(super) const STDIN: &str = "-";

/// What a reader tells the source, in this order: `Begins`, `Resolved`, any number of `Block`, `End` or `Failed`.
#[derive(Debug)]
pub(super) enum FromReader {
    /// The name that the first data line gives; the reader waits for what is known about it.
    Begins(String),
    /// The partition this file is, and how many of its lines the tables hold.
    Resolved { partition: Arc<str>, lines_skipped: i64 },
    /// Lines.
    Block(Block),
    /// All was read.
    End,
    /// The rest cannot be read.
    Failed(SourceError),
}

/// Whole lines with their place.
#[derive(Debug)]
pub(super) struct Block {
    /// The lines with their line ends.
    pub bytes: Vec<u8>,
    /// Number of the first, from 1.
    pub first_line: i64,
    /// Number of the line after the last.
    pub next_line: i64,
    /// Content hash at `next_line`.
    pub proof: i64,
}

/// The source is gone: nobody wants more.
struct Gone;

/// Sends to the source, and rings.
pub(super) struct Outlet {
    pub to_source: SyncSender<FromReader>,
    pub bell: SyncSender<()>,
}

impl Outlet {
    fn send(&self, message: FromReader) -> Result<(), Gone> {
        self.to_source.send(message).map_err(|_| Gone)?;
        match self.bell.try_send(()) {
            Ok(()) | Err(TrySendError::Full(())) => Ok(()),
            Err(TrySendError::Disconnected(())) => Err(Gone),
        }
    }
}

/// What a reader needs.
pub(super) struct Reader {
    pub path: PathBuf,
    pub name: String,
    pub limits: BlockLimits,
    pub bytes_read: Arc<AtomicU64>,
    pub outlet: Outlet,
    pub known: Receiver<Known>,
}

type Lines = LineBlocks<Box<dyn Read + Send>>;

/// Why a reader stops early.
enum Stop {
    Gone,
    Failed(SourceError),
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// A file being read: what comes next.
struct Reading {
    lines: Lines,
    content: Content,
    /// Whether the last line had no line end.
    open_line: bool,
    /// Number of the next line.
    next_line: i64,
    /// Blocks read ahead to find the first data line.
    ahead: VecDeque<LineBlock>,
    /// The last line passed over that names the fields of the lines after it.
    header: Option<Vec<u8>>,
}

impl Reading {
    /// Counts and hashes lines that were handed over or passed over.
    fn pass(&mut self, block: &LineBlock) {
        self.next_line += block.lines;
        self.open_line = !block.terminated;
        if block.terminated {
            self.content.add(&block.bytes);
        }
    }

    /// What proves the lines before `next_line`.
    fn proof(&self) -> i64 {
        self.content.proof(self.open_line)
    }
}

impl Reader {
    /// Reads the file to its end, or until the source is gone.
    pub(super) fn run(&self, file: Option<File>) {
        let last = match self.read(file) {
            Ok(()) => FromReader::End,
            Err(Stop::Failed(error)) => FromReader::Failed(error),
            Err(Stop::Gone) => return,
        };
        // When the source is gone there is nobody to tell.
        self.outlet.send(last).ok();
    }

    fn read(&self, file: Option<File>) -> Result<(), Stop> {
        let mut reading = self.start(file)?;
        let name = self.first_line(&mut reading)?;
        self.outlet.send(FromReader::Begins(name))?;
        let known = self.known.recv().map_err(|_| Gone)?;
        let (mut reading, partition) = self.resolve(reading, &known)?;
        let lines_skipped = reading.next_line - 1;
        self.outlet.send(FromReader::Resolved { partition, lines_skipped })?;
        if let Some(block) = header_block(&mut reading) {
            self.outlet.send(FromReader::Block(block))?;
        }
        while let Some(block) = self.next(&mut reading)? {
            self.outlet.send(FromReader::Block(block))?;
        }
        Ok(())
    }

    /// From the first line; `file` where it was opened already.
    fn start(&self, file: Option<File>) -> Result<Reading, Stop> {
        self.bytes_read.store(0, Ordering::Relaxed);
        let reader: io::Result<Box<dyn Read + Send>> = if self.name == STDIN {
            decompress(io::stdin(), Arc::clone(&self.bytes_read))
        } else {
            file.map_or_else(|| File::open(&self.path), Ok)
                .and_then(|file| decompress(file, Arc::clone(&self.bytes_read)))
        };
        let reader = reader.map_err(|source| self.failed(0, source))?;
        Ok(Reading {
            lines: LineBlocks::new(reader, self.limits),
            content: Content::new(),
            open_line: false,
            next_line: 1,
            ahead: VecDeque::new(),
            header: None,
        })
    }

    fn failed(&self, line: i64, source: io::Error) -> Stop {
        // An archive, of which nothing was read.
        if source.kind() == io::ErrorKind::Unsupported {
            return Stop::Failed(SourceError::Open { file: self.path.clone(), source });
        }
        Stop::Failed(SourceError::Read { file: self.name.clone(), line, source })
    }

    /// The partition name that the first data line gives.
    fn first_line(&self, reading: &mut Reading) -> Result<String, Stop> {
        let mut preamble_bytes = 0;
        while preamble_bytes < PREAMBLE_BYTES_MAX {
            // A failure here comes again, after the lines read ahead, when nothing comes before it.
            let block = match reading.lines.next_block() {
                Ok(Some(block)) => block,
                Ok(None) => break,
                Err(source) => return Err(self.failed(0, source)),
            };
            preamble_bytes += block.bytes.len();
            let name = first_data_line(&block.bytes).map(partition_name);
            reading.ahead.push_back(block);
            if let Some(name) = name {
                return Ok(name);
            }
        }
        Ok(partition_name(b""))
    }

    fn next_lines(&self, reading: &mut Reading) -> Result<Option<LineBlock>, Stop> {
        if let Some(block) = reading.ahead.pop_front() {
            return Ok(Some(block));
        }
        let last = reading.next_line - 1;
        reading.lines.next_block().map_err(|source| self.failed(last, source))
    }

    /// The next block, counted and hashed.
    fn next(&self, reading: &mut Reading) -> Result<Option<Block>, Stop> {
        let Some(block) = self.next_lines(reading)? else { return Ok(None) };
        let first_line = reading.next_line;
        reading.pass(&block);
        Ok(Some(Block {
            first_line,
            next_line: reading.next_line,
            proof: reading.proof(),
            bytes: block.bytes,
        }))
    }

    /// Passes over lines until `next_line`; false when the file ends before.
    fn skip(&self, reading: &mut Reading, next_line: i64) -> Result<bool, Stop> {
        while reading.next_line < next_line {
            let Some(mut block) = self.next_lines(reading)? else { return Ok(false) };
            let wanted = next_line - reading.next_line;
            if block.lines > wanted {
                let rest = block.bytes.split_off(after_lines(&block.bytes, wanted));
                let lines = block.lines - wanted;
                let terminated = block.terminated;
                reading.ahead.push_front(LineBlock { bytes: rest, lines, terminated });
                block = LineBlock { bytes: block.bytes, lines: wanted, terminated: true };
            }
            reading.pass(&block);
            reading.header = last_header(&block.bytes).or(reading.header.take());
        }
        Ok(true)
    }

    /// Which of the files in the tables this is, and the place where it goes on.
    fn resolve(&self, mut reading: Reading, known: &Known) -> Result<(Reading, Arc<str>), Stop> {
        let mut same = None;
        let mut stands_at = None;
        for candidate in &known.candidates {
            stands_at = None;
            let read = candidate.read;
            if !self.skip(&mut reading, read.lines_proven() + 1)? {
                let (file, lines) = (&self.name, read.lines_proven());
                tracing::warn!(
                    file,
                    lines,
                    partition = &*candidate.partition,
                    "begins like a file that was read further and ends before: an older copy of it would be read twice"
                );
                break;
            }
            stands_at = Some(candidate);
            let proof = reading.content.proof(read.open_line());
            if read.proof.is_none_or(|known| known == proof) {
                same = Some(candidate);
            }
        }
        let is_there = same.is_some_and(|candidate| candidate.held == candidate.read);
        if reading.next_line > 1 && (!is_there || stands_at != same) {
            reading = self.restart()?;
        }
        let Some(candidate) = same else { return Ok((reading, Arc::clone(&known.fresh))) };
        let held = candidate.held;
        self.skip(&mut reading, held.lines_proven() + 1)?;
        self.skip_open_line(&mut reading, held.next_line)?;
        Ok((reading, Arc::clone(&candidate.partition)))
    }

    /// Passes over the line that had no line end when it was read.
    fn skip_open_line(&self, reading: &mut Reading, next_line: i64) -> Result<(), Stop> {
        if reading.next_line == next_line {
            return Ok(());
        }
        if self.skip(reading, next_line)? {
            let (file, line) = (&self.name, next_line - 1);
            tracing::info!(
                file,
                line,
                "the line had no end when it was read; what it grew by is left out"
            );
        }
        // A file that ends before stands where the tables stand.
        reading.next_line = next_line;
        Ok(())
    }

    fn restart(&self) -> Result<Reading, Stop> {
        // Standard input and pipes are gone once read.
        if !self.limits.fill {
            let file = self.name.clone();
            return Err(Stop::Failed(SourceError::NotRereadable { file }));
        }
        self.start(None)
    }
}

/// The last line of `block` that names the fields of the lines after it (W3C extended log format).
fn last_header(block: &[u8]) -> Option<Vec<u8>> {
    let starts_line = |at: &usize| *at == 0 || block.get(at - 1) == Some(&b'\n');
    let at = memchr::memmem::find_iter(block, FIELDS_HEADER).filter(starts_line).last()?;
    let rest = block.get(at..)?;
    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
    rest.get(..end).map(<[u8]>::to_vec)
}

/// The header again, in the place of the last line passed over: it is no record, and without it the lines
/// that follow cannot be read.
fn header_block(reading: &mut Reading) -> Option<Block> {
    let bytes = reading.header.take()?;
    let next_line = reading.next_line;
    Some(Block { bytes, first_line: next_line - 1, next_line, proof: reading.proof() })
}

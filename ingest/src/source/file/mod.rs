//! Files as a source: each file is a partition that can be read again from any line.
//!
//! A file is known by its first data line and proven by a hash of its lines ([`Source::proofs`]), so that
//! one that was renamed, compressed or has grown goes on where the tables stand, and one read whole gives
//! nothing. Only the older copy of a file that was read further since cannot be told from another file: it is
//! read, with a warning. A thread a file reads and unpacks; the caller takes blocks in turn.

mod identity;
mod input;
#[cfg(test)]
mod laws;
mod lines;
mod reader;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, SystemTime};

use self::identity::{known, proof_name};
use self::input::{Input, Opened, Room, State, open};
pub(crate) use self::lines::{BlockLimits, LineBlocks};
use self::reader::{Block, FromReader};
use super::{MessageSink, Polled, Positions, Progress, Source, SourceError};
use decode::message::{Numbering, RawMessage};

/// Files read at the same time; the others wait until one ends.
const FILES_OPEN_MAX: usize = 256;

/// Blocks that wait for the caller, bytes in all and at least one a file.
const READ_AHEAD_BYTES: usize = 8 << 20;

/// Bytes of a block when few files are read, and when many are.
const BLOCK_BYTES: (usize, usize) = (1 << 20, 128 << 10);

/// How many files are many.
const MANY_FILES: usize = 8;

/// Reads files from the line where the tables stand.
#[derive(Debug)]
pub struct FileSource {
    /// Files not yet begun, in order.
    waiting: VecDeque<Opened>,
    inputs: Vec<Input>,
    /// What the tables hold, and what this source has read to the end.
    positions: Positions,
    /// How far files were read by scans that died before they had committed it.
    attempts: Positions,
    events: VecDeque<Polled>,
    /// Whether the partitions of the files at hand were announced.
    announced: bool,
    /// Those announced.
    partitions: BTreeSet<Arc<str>>,
    /// Partitions that ended, while a file that begins alike may turn out to go on with them.
    ends_held: Vec<Arc<str>>,
    /// The input whose turn it is.
    turn: usize,
    room: Room,
    arrival_us: i64,
    bell: (SyncSender<()>, Receiver<()>),
    bytes_total: Option<u64>,
    bytes_of_ended: u64,
}

impl FileSource {
    /// A name for the files that [`Polled::PartitionsAssigned`] has told, whatever their order and names: letters and digits.
    pub fn set_name(partitions: &[Arc<str>]) -> String {
        identity::set_name(partitions.iter().map(AsRef::as_ref))
    }

    /// Whether a partition is one of a file.
    pub fn is_of_file(partition: &str) -> bool {
        identity::is_of_file(partition)
    }

    /// Opens `files` (`-` is standard input) to be read from where `positions` stand.
    ///
    /// `positions` is what [`Source::proofs`] and the batches gave to be committed, for every file ever
    /// read: next line by partition, and proofs.
    ///
    /// # Errors
    /// [`SourceError::Open`] for the first file that cannot be opened.
    pub fn open(files: &[PathBuf], positions: Positions) -> Result<Self, SourceError> {
        let block_bytes = if files.len() > MANY_FILES { BLOCK_BYTES.1 } else { BLOCK_BYTES.0 };
        Self::open_in_blocks(files, positions, block_bytes)
    }

    fn open_in_blocks(
        files: &[PathBuf],
        positions: Positions,
        block_bytes: usize,
    ) -> Result<Self, SourceError> {
        let mut waiting = VecDeque::new();
        let mut bytes_total = Some(0);
        for (index, path) in files.iter().enumerate() {
            let (file, bytes) =
                open(path).map_err(|source| SourceError::Open { file: path.clone(), source })?;
            bytes_total = bytes_total.zip(bytes).map(|(total, bytes)| total + bytes);
            // Handles are few: the files beyond those read at once are opened again in their turn.
            let file = file.filter(|_| index < FILES_OPEN_MAX);
            waiting.push_back(Opened { path: path.clone(), file });
        }
        let blocks = (READ_AHEAD_BYTES / block_bytes / files.len().clamp(1, FILES_OPEN_MAX)).max(1);
        let mut source = Self {
            waiting,
            inputs: Vec::new(),
            positions,
            attempts: Positions::new(),
            events: VecDeque::new(),
            announced: false,
            partitions: BTreeSet::new(),
            ends_held: Vec::new(),
            turn: 0,
            room: Room { block_bytes, blocks },
            arrival_us: now_us(),
            bell: sync_channel(1),
            bytes_total,
            bytes_of_ended: 0,
        };
        source.begin_waiting()?;
        Ok(source)
    }

    /// Files that a scan which died had read and not committed: they are known again, and read from where the tables
    /// stand. Of standard input and pipes that cannot be told, since they are gone once read.
    ///
    /// To be called before the first [`Source::poll`].
    pub fn recall(&mut self, attempts: Positions) {
        self.attempts = attempts;
    }

    /// Starts readers for waiting files while there is room.
    fn begin_waiting(&mut self) -> Result<(), SourceError> {
        let mut open = self.inputs.iter().filter(|input| input.state != State::Ended).count();
        while open < FILES_OPEN_MAX {
            open += 1;
            let Some(opened) = self.waiting.pop_front() else { break };
            self.inputs.push(Input::begin(opened, self.room, &self.bell.0)?);
            self.announced = false;
        }
        Ok(())
    }

    /// Takes what the readers that are not resolved have to say; true when all are.
    fn resolve(&mut self) -> bool {
        for index in 0..self.inputs.len() {
            while self.inputs.get(index).is_some_and(|input| input.state == State::Opening) {
                let Some(said) = self.inputs.get(index).and_then(Input::try_recv) else {
                    return false;
                };
                self.on_opening(index, said);
            }
        }
        if !self.announced {
            self.announced = true;
            self.announce();
        }
        true
    }

    /// Reports the partitions found since the last time.
    fn announce(&mut self) {
        let reading = self.inputs.iter().filter(|input| input.state == State::Reading);
        let fresh = reading.map(|input| &input.partition);
        let fresh: Vec<_> =
            fresh.filter(|name| !self.partitions.contains(*name)).cloned().collect();
        if fresh.is_empty() {
            return;
        }
        self.partitions.extend(fresh.iter().cloned());
        let skipped = std::mem::take(&mut self.events);
        self.events.push_back(Polled::PartitionsAssigned(fresh));
        self.events.extend(skipped);
    }

    fn on_opening(&mut self, index: usize, said: FromReader) {
        match said {
            FromReader::Begins(name) => {
                let taken = self
                    .inputs
                    .iter()
                    .any(|other| other.base_name == name && other.state != State::Ended);
                let Some(input) = self.inputs.get_mut(index) else { return };
                let none = Positions::new();
                let attempts = if input.can_reread { &self.attempts } else { &none };
                let answer = known(&name, &self.positions, attempts);
                input.base_name = name;
                if taken {
                    input.state = State::Deferred;
                } else {
                    input.answer(answer);
                }
            }
            FromReader::Resolved { partition, lines_skipped } => {
                let Some(input) = self.inputs.get_mut(index) else { return };
                input.partition = partition;
                input.state = State::Reading;
                let (base_name, partition) = (input.base_name.as_str(), &input.partition);
                let events = &mut self.events;
                self.ends_held.retain(|ended| {
                    let same_begin = ended.starts_with(base_name);
                    if same_begin && ended != partition {
                        events.push_back(Polled::PartitionEnd(Arc::clone(ended)));
                    }
                    !same_begin
                });
                if lines_skipped > 0 {
                    self.events.push_back(Polled::LinesSkipped {
                        partition: Arc::clone(&input.partition),
                        file: input.name.clone(),
                        lines: lines_skipped,
                    });
                }
            }
            FromReader::Failed(error) => self.on_end(index, Some(error)),
            // A reader says nothing else before it is resolved.
            FromReader::Block(_) | FromReader::End => {}
        }
    }

    /// Notes that an input has nothing more, and lets one that begins alike go on.
    fn on_end(&mut self, index: usize, failure: Option<SourceError>) {
        let Some(input) = self.inputs.get_mut(index) else { return };
        input.state = State::Ended;
        let partition = Arc::clone(&input.partition);
        if let Some((line, proof)) = input.last_mark {
            self.positions.insert(Arc::clone(&partition), line);
            self.positions.insert(proof_name(&partition), proof);
        }
        let name = input.base_name.clone();
        let heir = self
            .inputs
            .iter_mut()
            .find(|other| other.state == State::Deferred && other.base_name == name);
        let has_heir = heir.is_some();
        if !has_heir && !name.is_empty() {
            let (done, held) = std::mem::take(&mut self.ends_held)
                .into_iter()
                .partition(|ended| ended.starts_with(&name) && *ended != partition);
            self.ends_held = held;
            let done: Vec<_> = done;
            self.events.extend(done.into_iter().map(Polled::PartitionEnd));
        }
        if let Some(heir) = heir {
            let none = Positions::new();
            let attempts = if heir.can_reread { &self.attempts } else { &none };
            heir.state = State::Opening;
            heir.answer(known(&name, &self.positions, attempts));
            self.announced = false;
        }
        match failure {
            None if has_heir => self.ends_held.push(partition),
            None => self.events.push_back(Polled::PartitionEnd(partition)),
            Some(error) => self.events.push_back(Polled::PartitionFailed(partition, error)),
        }
    }

    /// One block of the next input that has one.
    fn next_block(&mut self, sink: &mut dyn MessageSink) -> Option<Polled> {
        for step in 0..self.inputs.len() {
            let index = (self.turn + step) % self.inputs.len();
            let input = self.inputs.get(index)?;
            if input.paused || input.state != State::Reading {
                continue;
            }
            let Some(said) = input.try_recv() else { continue };
            self.turn = index + 1;
            match said {
                FromReader::Block(block) => return Some(self.hand_over(index, &block, sink)),
                FromReader::End => self.on_end(index, None),
                FromReader::Failed(error) => self.on_end(index, Some(error)),
                FromReader::Begins(_) | FromReader::Resolved { .. } => {}
            }
            return self.events.pop_front();
        }
        None
    }

    fn hand_over(&mut self, index: usize, block: &Block, sink: &mut dyn MessageSink) -> Polled {
        let Some(input) = self.inputs.get_mut(index) else { return Polled::Idle };
        let mark = (block.next_line, block.proof);
        input.last_mark = Some(mark);
        input.marks.push_back(mark);
        sink.message(&RawMessage {
            partition: &input.partition,
            topic: &input.name,
            kafka_partition: None,
            offset: block.first_line,
            numbering: Numbering::Lines,
            arrival_us: self.arrival_us,
            payload: &block.bytes,
        });
        Polled::Messages(1)
    }

    /// Drops inputs that have ended, and begins others in their place.
    fn make_room(&mut self) -> Result<(), SourceError> {
        let ended = |input: &Input| input.state == State::Ended && input.marks.is_empty();
        for input in self.inputs.iter().filter(|input| ended(input)) {
            self.bytes_of_ended += input.bytes_read.load(Ordering::Relaxed);
        }
        self.inputs.retain(|input| !ended(input));
        self.begin_waiting()
    }

    fn is_at_end(&self) -> bool {
        self.waiting.is_empty() && self.inputs.iter().all(|input| input.state == State::Ended)
    }
}

impl Source for FileSource {
    fn poll(
        &mut self,
        timeout: Duration,
        sink: &mut dyn MessageSink,
    ) -> Result<Polled, SourceError> {
        let mut waited = false;
        loop {
            if self.resolve() {
                if let Some(event) = self.events.pop_front() {
                    return Ok(event);
                }
                if let Some(polled) = self.next_block(sink) {
                    return Ok(polled);
                }
                self.make_room()?;
                if self.is_at_end() {
                    return Ok(Polled::End);
                }
            }
            if waited {
                return Ok(Polled::Idle);
            }
            waited = match self.bell.1.recv_timeout(timeout) {
                Ok(()) => false,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => true,
            };
        }
    }

    fn set_paused(&mut self, partition: &str, paused: bool) -> Result<(), SourceError> {
        for input in self.inputs.iter_mut().filter(|input| &*input.partition == partition) {
            input.paused = paused;
        }
        Ok(())
    }

    fn proofs(&self, positions: &Positions) -> Positions {
        let mark = |(partition, next_line): (&Arc<str>, &i64)| {
            let marks =
                self.inputs.iter().filter(|i| i.partition == *partition).flat_map(|i| &i.marks);
            let (_, proof) = marks.into_iter().find(|(line, _)| line == next_line)?;
            Some((proof_name(partition), *proof))
        };
        positions.iter().filter_map(mark).collect()
    }

    fn commit(&mut self, positions: &Positions) {
        for input in &mut self.inputs {
            if let Some(next_line) = positions.get(&input.partition) {
                let committed = input.marks.partition_point(|(line, _)| line <= next_line);
                input.marks.drain(..committed);
            }
        }
    }

    fn progress(&self) -> Progress {
        let reading: u64 =
            self.inputs.iter().map(|input| input.bytes_read.load(Ordering::Relaxed)).sum();
        Progress { read: self.bytes_of_ended + reading, total: self.bytes_total, reached: true }
    }
}

fn now_us() -> i64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
}

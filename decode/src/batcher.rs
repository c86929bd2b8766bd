//! Messages → batches of rows with their positions.
//!
//! ```text
//! RawMessage ─ push ─▶ lines ─ Decoder ─▶ Rows / Rejects of the partition ─ take_ready, flush ─▶ PositionedBatch
//! ```
//!
//! Counting: every line is a row of `requests` or of `rejects`, except blank lines and, in text formats, lines
//! that start with `#` (comments and W3C headers), which are neither. A line of JSON that lists several records is as
//! many rows, told apart by `record_index`. Lines end with `\n`; a `\r` before it is
//! dropped. The last line of a message needs no `\n`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use schemas::limits::{BATCH_ROWS_MAX, LINE_BYTES_MAX, REJECT_BYTES_MAX};
use schemas::{PositionedBatch, RequestBatch};

use crate::format::Format;
use crate::identity::{ClientCounters, Clients, Origins};
use crate::line::Fit;
use crate::message::{Numbering, RawMessage};
use crate::record::Record;
use crate::rejects::Rejects;
use crate::row::{Hint, Position, Rows, Scratch};
use crate::stream::{Formats, Learnt, Stream};
use crate::text::clean;
use crate::{ConfigError, Decoder, DecoderConfig, RejectReason};

/// Bytes of payload after which a batch is ready, whatever its rows.
pub const BATCH_BYTES: usize = 8 << 20;

/// Bytes of one message that are decoded; a larger one is a single reject.
pub const PAYLOAD_BYTES_MAX: usize = 512 << 20;

const _: () = assert!(PAYLOAD_BYTES_MAX < REJECT_BYTES_MAX, "offsets of a batch fit 32 bits");

/// Decodes messages into batches, one partition apart from the other.
#[derive(Debug)]
pub struct Batcher {
    formats: Formats,
    default_host: Option<String>,
    clients: Clients,
    partitions: Vec<Partition>,
    by_name: BTreeMap<Arc<str>, usize>,
    /// The partition of the last message.
    last: usize,
    ready: VecDeque<PositionedBatch>,
    scratch: Scratch,
    hint: Hint,
}

#[derive(Debug)]
struct Partition {
    name: Arc<str>,
    topic: String,
    number: Option<i32>,
    stream: Stream,
    rows: Option<Rows>,
    rejects: Rejects,
    bytes: usize,
    next_position: i64,
    /// Event time of the last row.
    last_us: Option<i64>,
    /// Messages were read since the last batch.
    moved: bool,
}

impl Batcher {
    /// A batcher for lines as `config` describes them.
    ///
    /// # Errors
    /// [`ConfigError`] when the configuration makes no sense.
    pub fn new(config: &DecoderConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            formats: Formats::new(config)?,
            default_host: config.default_host.as_ref().map(|host| host.to_ascii_lowercase()),
            clients: Clients::new(&config.clients),
            partitions: Vec::new(),
            by_name: BTreeMap::new(),
            last: 0,
            ready: VecDeque::new(),
            scratch: Scratch::new(config.time_zone),
            hint: Hint::default(),
        })
    }

    /// Asks `origins` where clients belong that the lines do not tell of.
    #[must_use]
    pub fn with_origins(mut self, origins: Box<dyn Origins>) -> Self {
        self.clients = self.clients.with_origins(origins);
        self
    }

    /// Decodes the lines of a message into the builders of its partition.
    pub fn push(&mut self, message: &RawMessage<'_>) {
        let index = self.partition(message.partition);
        let Some(partition) = self.partitions.get_mut(index) else { return };
        if partition.would_overflow(message) || partition.source_changes(message) {
            self.ready.extend(partition.cut(&mut self.hint));
        }
        // Checked of all lines at once: most messages are text throughout.
        let mut text = simdutf8::basic::from_utf8(message.payload).ok();
        let mut rest = *message;
        loop {
            let mut lines = Lines {
                partition,
                default_host: self.default_host.as_deref(),
                clients: &mut self.clients,
                formats: &mut self.formats,
                scratch: &mut self.scratch,
                hint: &self.hint,
            };
            let read = lines.read(&rest, text);
            if partition.is_full() {
                self.ready.extend(partition.cut(&mut self.hint));
            }
            rest.payload = rest.payload.get(read..).unwrap_or_default();
            rest.offset = partition.next_position;
            text = text.and_then(|text| text.get(read..));
            if rest.payload.is_empty() {
                return;
            }
        }
    }

    /// A full batch, in the order they became full.
    pub fn take_ready(&mut self) -> Option<PositionedBatch> {
        self.ready.pop_front()
    }

    /// Appends everything pending to `out`: full batches first, then one for each partition that moved, by name.
    pub fn flush(&mut self, out: &mut Vec<PositionedBatch>) {
        self.clients.refresh();
        out.extend(self.ready.drain(..));
        for index in self.by_name.values() {
            if let Some(partition) = self.partitions.get_mut(*index) {
                out.extend(partition.cut(&mut self.hint));
            }
        }
    }

    /// Records whose forwarding headers were not followed.
    pub const fn client_counters(&self) -> ClientCounters {
        self.clients.counters()
    }

    /// Rows and rejects that were read and not taken yet.
    pub fn pending_rows(&self) -> usize {
        let ready: usize = self.ready.iter().map(PositionedBatch::records).sum();
        ready + self.partitions.iter().map(Partition::records).sum::<usize>()
    }

    /// The format in which a partition is read; `None` while `auto` has not recognised it.
    pub fn chosen_format(&self, partition: &str) -> Option<Format> {
        let index = self.by_name.get(partition)?;
        self.partitions.get(*index)?.stream.format(&self.formats)
    }

    /// What was learnt of each partition's lines (format, envelope, header), by name. Kept with the positions and
    /// given to [`resume`](Self::resume), it makes a restart invisible to the lines after it.
    pub fn learnt(&self) -> BTreeMap<String, Learnt> {
        let partitions = self.by_name.iter().filter_map(|(name, index)| {
            let learnt = self.partitions.get(*index)?.stream.learnt()?;
            Some((name.to_string(), learnt))
        });
        partitions.collect()
    }

    /// Goes on with what an earlier batcher had learnt of a partition's lines.
    pub fn resume(&mut self, partition: &Arc<str>, learnt: &Learnt) {
        let index = self.partition(partition);
        if let Some(partition) = self.partitions.get_mut(index) {
            partition.stream = Stream::resume(learnt, &self.formats);
        }
    }

    /// Forgets a partition with everything pending of it: it was taken away, and another reader starts where the
    /// last commit stands.
    pub fn discard(&mut self, partition: &str) {
        self.ready.retain(|batch| &*batch.partition != partition);
        if let Some(partition) =
            self.by_name.get(partition).and_then(|index| self.partitions.get_mut(*index))
        {
            *partition = Partition::new(Arc::clone(&partition.name));
        }
    }

    /// Index of the partition of that name, which is the last one more often than not.
    #[inline]
    fn partition(&mut self, name: &Arc<str>) -> usize {
        if self.partitions.get(self.last).is_some_and(|last| Arc::ptr_eq(&last.name, name)) {
            return self.last;
        }
        let index = if let Some(index) = self.by_name.get(name) {
            *index
        } else {
            let index = self.partitions.len();
            self.by_name.insert(Arc::clone(name), index);
            self.partitions.push(Partition::new(Arc::clone(name)));
            index
        };
        self.last = index;
        index
    }
}

impl Partition {
    fn new(name: Arc<str>) -> Self {
        let rejects = Rejects::default();
        Self {
            name,
            topic: String::new(),
            number: None,
            stream: Stream::default(),
            rows: None,
            rejects,
            bytes: 0,
            next_position: 0,
            last_us: None,
            moved: false,
        }
    }

    fn records(&self) -> usize {
        self.rows.as_ref().map_or(0, Rows::len) + self.rejects.len()
    }

    /// Whether the batch must be cut before a message is decoded. A block of lines is cut where it needs be; a Kafka
    /// message is one position, and stays whole.
    fn would_overflow(&self, message: &RawMessage<'_>) -> bool {
        let (records, payload) = (self.records(), message.payload);
        if records == 0 {
            return false;
        }
        // The lines are counted only where they could matter: a line has two bytes at least.
        let may_overflow = message.numbering == Numbering::Records
            && records + payload.len() / 2 + 1 > BATCH_ROWS_MAX;
        let overflows =
            || records + memchr::memchr_iter(b'\n', payload).count() + 1 > BATCH_ROWS_MAX;
        self.bytes + payload.len() > BATCH_BYTES || (may_overflow && overflows())
    }

    /// Whether the rows so far carry another topic: two files can share a partition name by sharing a first line.
    #[inline]
    fn source_changes(&self, message: &RawMessage<'_>) -> bool {
        self.moved && (self.topic != message.topic || self.number != message.kafka_partition)
    }

    fn is_full(&self) -> bool {
        self.records() >= BATCH_ROWS_MAX || self.bytes >= BATCH_BYTES
    }

    /// Closes the batch, if anything was read since the last one.
    fn cut(&mut self, hint: &mut Hint) -> Option<PositionedBatch> {
        if !std::mem::take(&mut self.moved) {
            return None;
        }
        self.bytes = 0;
        let requests = match self.rows.take() {
            None => RequestBatch::empty(),
            Some(rows) => {
                let (batch, sizes) = rows.finish(&self.topic, self.number);
                *hint = sizes;
                batch
            }
        };
        Some(PositionedBatch {
            partition: Arc::clone(&self.name),
            requests,
            rejects: self.rejects.finish(),
            next_position: self.next_position,
        })
    }
}

/// A line as it came, its place, and its message.
type RawLine<'a> = (&'a RawMessage<'a>, &'a Position<'a>, &'a [u8]);

/// What it takes to decode the lines of one message.
struct Lines<'a> {
    partition: &'a mut Partition,
    default_host: Option<&'a str>,
    clients: &'a mut Clients,
    formats: &'a mut Formats,
    scratch: &'a mut Scratch,
    hint: &'a Hint,
}

impl Lines<'_> {
    /// Decodes lines until the message ends, or in a block of lines the batch is full; how many bytes it went through.
    /// `text` is the payload, if it is text.
    fn read(&mut self, message: &RawMessage<'_>, text: Option<&str>) -> usize {
        let mut position = Position {
            topic: message.topic,
            kafka_partition: message.kafka_partition,
            offset: message.offset,
            record_index: 0,
            arrival_us: message.kafka_partition.map(|_| message.arrival_us),
            before_us: None,
        };
        if !std::mem::replace(&mut self.partition.moved, true) {
            self.partition.topic.clear();
            self.partition.topic.push_str(message.topic);
            self.partition.number = message.kafka_partition;
        }
        let read = if message.payload.len() > PAYLOAD_BYTES_MAX {
            self.reject(message, &position, message.payload, RejectReason::MessageTooLarge);
            message.payload.len()
        } else {
            self.read_lines(message, text, &mut position)
        };
        self.partition.bytes += read;
        self.partition.next_position = match message.numbering {
            Numbering::Lines => position.offset,
            Numbering::Records => message.offset + 1,
        };
        read
    }

    fn read_lines(
        &mut self,
        message: &RawMessage<'_>,
        text: Option<&str>,
        position: &mut Position<'_>,
    ) -> usize {
        let payload = message.payload;
        // One for all lines: to make its many slots empty takes longer than to read a short line.
        let mut record = Record::default();
        let mut from = 0;
        while let Some(rest) = payload.get(from..).filter(|rest| !rest.is_empty()) {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = rest.get(..end).unwrap_or(rest);
            let text = text.and_then(|text| text.get(from..from + end));
            let records = self.line(message, position, line, text, &mut record);
            from = (from + end + 1).min(payload.len());
            match message.numbering {
                Numbering::Lines => position.offset += 1,
                Numbering::Records => position.record_index += records,
            }
            if message.numbering == Numbering::Lines && self.partition.records() >= BATCH_ROWS_MAX {
                break;
            }
        }
        from
    }

    /// Decodes one line, which is `text` if it is known to be text; how many records it held. `record` is that of the
    /// line before.
    #[inline]
    fn line<'a>(
        &mut self,
        message: &RawMessage<'_>,
        position: &Position<'_>,
        line: &[u8],
        text: Option<&'a str>,
        record: &mut Record<'a>,
    ) -> i32 {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() {
            return 0;
        }
        if line.len() > LINE_BYTES_MAX {
            self.reject(message, position, line, RejectReason::TooLong);
            return 1;
        }
        let raw = (message, position, line);
        if let Some(text) = text {
            self.text(raw, text.strip_suffix('\r').unwrap_or(text), record)
        } else {
            let mut cleaned = String::new();
            self.text(raw, clean(line, &mut cleaned), &mut Record::default())
        }
    }

    /// The same of a line made text.
    #[inline]
    fn text<'a>(&mut self, raw: RawLine<'_>, text: &'a str, record: &mut Record<'a>) -> i32 {
        // Some editors and Windows tools put a byte order mark before the first line.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let stream = &mut self.partition.stream;
        if stream.takes_comment(text, self.formats) {
            return 0;
        }
        if stream.is_bare() {
            record.clear();
            self.append(raw, text, record)
        } else {
            let mut opened = String::new();
            let text = stream.open(text, self.formats, &mut opened);
            self.append(raw, text, &mut Record::default())
        }
    }

    /// Appends a line without its envelope to the rows or the rejects; how many it came to. `record` is empty.
    #[inline]
    fn append<'a>(&mut self, raw: RawLine<'_>, text: &'a str, record: &mut Record<'a>) -> i32 {
        let (message, position, line) = raw;
        let outcome = match self.partition.stream.decode(text, self.formats, record) {
            Ok(Fit::Several) => return self.append_parts(message, *position, text, record),
            Ok(_) => self.row(position, record),
            Err(reason) => Err(reason),
        };
        if let Err(reason) = outcome {
            self.reject(message, position, line, reason);
        }
        1
    }

    /// Appends each of the records of a line, a place behind the other.
    #[cold]
    fn append_parts<'a>(
        &mut self,
        message: &RawMessage<'_>,
        mut position: Position<'_>,
        text: &'a str,
        record: &mut Record<'a>,
    ) -> i32 {
        let first = position.record_index;
        let stream = &mut self.partition.stream;
        let parts = stream.decoder(self.formats).map(Decoder::take_parts).unwrap_or_default();
        for part in parts {
            record.clear();
            let Some(decoder) = self.partition.stream.decoder(self.formats) else { break };
            let text = decoder.decode_part(text, part, record);
            let outcome = if record.has_request() {
                self.row(&position, record)
            } else {
                Err(RejectReason::NoRequest)
            };
            if let Err(reason) = outcome {
                self.reject(message, &position, text.as_bytes(), reason);
            }
            position.record_index += 1;
        }
        position.record_index - first
    }

    /// Appends a row.
    #[inline]
    fn row(&mut self, position: &Position<'_>, record: &Record<'_>) -> Result<(), RejectReason> {
        let rows = self.partition.rows.get_or_insert_with(|| Rows::new(BATCH_ROWS_MAX, self.hint));
        let position = Position { before_us: self.partition.last_us, ..*position };
        if rows.append(record, &position, self.default_host, self.clients, self.scratch) {
            self.partition.last_us = rows.last_us();
            Ok(())
        } else {
            Err(RejectReason::NoTimestamp)
        }
    }

    #[cold]
    fn reject(
        &mut self,
        message: &RawMessage<'_>,
        position: &Position<'_>,
        raw: &[u8],
        reason: RejectReason,
    ) {
        let raw = raw.get(..REJECT_BYTES_MAX).unwrap_or(raw);
        let raw = self.clients.scrub(raw);
        self.partition.rejects.append(message.arrival_us, position, reason, &raw);
    }
}

//! Messages → batches of rows with their positions.
//!
//! ```text
//! RawMessage ─ push ─▶ lines ─ Decoder ─▶ Rows / Rejects of the partition ─ take_ready, flush ─▶ PositionedBatch
//! ```
//!
//! Counting: every line is a row of `requests` or of `rejects`, except blank lines, headers of columns and, in text
//! formats, lines that start with `#` (comments and W3C headers), which are neither. A line of JSON that lists several records is as
//! many rows or rejects, told apart by `record_index`. Lines that are one in several are one together, at the place of
//! the last of them: the others count as none until it comes, or until it is certain that it will not ([`close`] at the
//! latest), when what there is becomes a row or a reject by itself: at the place of the line that showed it, in front of
//! that one; at the end in front of the place where the next line would be, with an index below zero. Brackets alone,
//! `{"events":[` or `]}` around a list of which each line is a record, are neither. Lines end with `\n`; a `\r` before it is dropped. The
//! last line of a message needs no `\n`.
//!
//! [`close`]: Batcher::close

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use schemas::limits::{BATCH_ROWS_MAX, REJECT_BYTES_MAX};
use schemas::{PositionedBatch, RequestBatch};

use crate::format::Format;
use crate::formats::Formats;
use crate::identity::{ClientCounters, Clients, Origins};
use crate::learnt::{Learnt, Place};
use crate::lines::Lines;
use crate::message::{Numbering, RawMessage};
use crate::rejects::Rejects;
use crate::row::{Hint, Rows, Scratch};
use crate::shares::{Counts, Shares};
use crate::stream::Stream;
use crate::{ConfigError, DecoderConfig, RejectReason};

/// Bytes of payload after which a batch is ready, whatever its rows.
pub const BATCH_BYTES: usize = 8 << 20;

/// Bytes that are remembered of a line that was rejected.
pub(super) const EXAMPLE_BYTES: usize = 512;

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
    /// Rows of all batches by format.
    by_format: Counts,
}

#[derive(Debug)]
pub(super) struct Partition {
    pub(super) name: Arc<str>,
    pub(super) topic: String,
    pub(super) number: Option<i32>,
    pub(super) stream: Stream,
    pub(super) rows: Option<Rows>,
    pub(super) rejects: Rejects,
    pub(super) bytes: usize,
    pub(super) next_position: i64,
    /// Event time of the last row of the batches before.
    pub(super) last_us: Option<i64>,
    /// Rows of the batch at hand by format.
    pub(super) shares: Shares,
    /// The first line that was rejected, or its beginning.
    pub(super) example: Option<(RejectReason, Box<[u8]>)>,
    /// When the last message arrived.
    pub(super) arrival_us: i64,
    /// Messages were read since the last batch.
    pub(super) moved: bool,
    /// It was resumed, and no message was read since.
    is_resumed: bool,
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
            by_format: Counts::new(),
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
            self.ready.extend(partition.cut(&self.formats, &mut self.hint, &mut self.by_format));
        }
        if std::mem::take(&mut partition.is_resumed) && partition.next_position != message.offset {
            self.give_up_before(index, message);
        }
        // Checked of all lines at once: most messages are text throughout.
        let mut text = simdutf8::basic::from_utf8(message.payload).ok();
        let mut rest = *message;
        while let Some(mut lines) = self.lines(index) {
            let read = lines.read(&rest, text);
            let Some(partition) = self.partitions.get_mut(index) else { return };
            if partition.is_full() {
                self.ready.extend(partition.cut(
                    &self.formats,
                    &mut self.hint,
                    &mut self.by_format,
                ));
            }
            rest.payload = rest.payload.get(read..).unwrap_or_default();
            rest.offset = partition.next_position;
            text = text.and_then(|text| text.get(read..));
            if rest.payload.is_empty() {
                return;
            }
        }
    }

    /// Others have read on since this reader had learnt what it resumed: what it waits for does not go on with a message.
    #[cold]
    fn give_up_before(&mut self, index: usize, message: &RawMessage<'_>) {
        if let Some(mut lines) = self.lines(index) {
            lines.close(&RawMessage { payload: b"", ..*message });
        }
    }

    /// No line of a partition will follow, or none that this reader sees: what is still the beginning of one is all there
    /// is of it. It stands in front of the place of the next line, which no commit has passed.
    pub fn close(&mut self, partition: &str) {
        let Some(index) = self.by_name.get(partition).copied() else { return };
        let Some(partition) = self.partitions.get(index) else { return };
        // Of one of which no message was ever read it is not known where it is.
        if !partition.stream.parts.are_waited_for() || partition.topic.is_empty() {
            return;
        }
        let (name, topic) = (Arc::clone(&partition.name), partition.topic.clone());
        let message = partition.end(&name, &topic);
        if let Some(mut lines) = self.lines(index) {
            lines.close(&message);
        }
    }

    /// What it takes to decode lines of a partition.
    #[inline]
    fn lines(&mut self, index: usize) -> Option<Lines<'_>> {
        Some(Lines {
            partition: self.partitions.get_mut(index)?,
            default_host: self.default_host.as_deref(),
            clients: &mut self.clients,
            formats: &mut self.formats,
            scratch: &mut self.scratch,
            hint: &self.hint,
        })
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
                out.extend(partition.cut(&self.formats, &mut self.hint, &mut self.by_format));
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

    /// The topic of a partition, and the beginning of the first line of it that was rejected, with the reason.
    pub fn rejected(&self, partition: &str) -> Option<(&str, RejectReason, &[u8])> {
        let partition = self.partitions.get(*self.by_name.get(partition)?)?;
        let (reason, line) = partition.example.as_ref()?;
        Some((&partition.topic, *reason, line))
    }

    /// Rows of all batches so far by the format in which they were read.
    pub fn rows_by_format(&self) -> BTreeMap<Format, u64> {
        self.by_format.clone()
    }

    /// What was learnt of each partition's lines (format, envelope, header), by name. Kept with the positions and
    /// given to [`resume`](Self::resume), it makes a restart invisible to the lines after it.
    pub fn learnt(&self) -> BTreeMap<String, Learnt> {
        let partitions = self.by_name.iter().filter_map(|(name, index)| {
            let partition = self.partitions.get(*index)?;
            let learnt = partition.stream.learnt()?;
            let place = partition.stream.parts.are_waited_for().then(|| partition.place());
            Some((name.to_string(), Learnt { place, ..learnt }))
        });
        partitions.collect()
    }

    /// Goes on with what an earlier batcher had learnt of a partition's lines.
    pub fn resume(&mut self, partition: &Arc<str>, learnt: &Learnt) {
        let index = self.partition(partition);
        if let Some(partition) = self.partitions.get_mut(index) {
            partition.stream = Stream::resume(learnt, &self.formats);
            if let Some(Place { topic, number, next, arrival_us }) = learnt.place.clone() {
                (partition.topic, partition.number) = (topic, number);
                (partition.next_position, partition.arrival_us) = (next, arrival_us);
                partition.is_resumed = true;
            }
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
            shares: Shares::default(),
            example: None,
            arrival_us: 0,
            moved: false,
            is_resumed: false,
        }
    }

    /// Where its next line is.
    fn place(&self) -> Place {
        Place {
            topic: self.topic.clone(),
            number: self.number,
            next: self.next_position,
            arrival_us: self.arrival_us,
        }
    }

    /// The message behind all of them, without lines.
    fn end<'a>(&self, name: &'a Arc<str>, topic: &'a str) -> RawMessage<'a> {
        RawMessage {
            partition: name,
            topic,
            kafka_partition: self.number,
            offset: self.next_position,
            numbering: if self.number.is_some() { Numbering::Records } else { Numbering::Lines },
            arrival_us: self.arrival_us,
            payload: b"",
        }
    }

    /// Counts the rows read so far as of the format at hand, which may change now.
    pub(super) fn count_format(&mut self, formats: &Formats) {
        let rows = self.rows.as_ref().map_or(0, Rows::len);
        self.shares.note(self.stream.format(formats), rows);
    }

    pub(super) fn records(&self) -> usize {
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
    fn cut(
        &mut self,
        formats: &Formats,
        hint: &mut Hint,
        by_format: &mut Counts,
    ) -> Option<PositionedBatch> {
        if !std::mem::take(&mut self.moved) {
            return None;
        }
        let rows = self.rows.as_ref().map_or(0, Rows::len);
        let runs = self.shares.end_batch(self.stream.format(formats), rows, by_format);
        self.bytes = 0;
        let requests = match self.rows.take() {
            None => RequestBatch::empty(),
            Some(rows) => {
                self.last_us = rows.last_us();
                let (batch, sizes) = rows.finish(&self.topic, self.number, &runs);
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

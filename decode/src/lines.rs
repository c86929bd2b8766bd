//! The lines of one message → rows and rejects of their partition.

use schemas::limits::{BATCH_ROWS_MAX, LINE_BYTES_MAX, REJECT_BYTES_MAX};

use super::batcher::{EXAMPLE_BYTES, PAYLOAD_BYTES_MAX, Partition};
use super::formats::Formats;
use super::identity::Clients;
use super::json::{Part, is_open};
use super::line::Fit;
use super::message::{Numbering, RawMessage};
use super::parts::{is_unfinished_part, may_go_on};
use super::reasons::{begins_error_log, lack_of, reason_of, refusal_of};
use super::record::Record;
use super::row::{Hint, Position, Refusal, Rows, Scratch, Trust};
use super::text::{self, clean};
use super::{Decoder, RejectReason};

/// Index of the first record that stands in front of a place where no line was read yet: three beginnings may wait, of
/// [`LINE_BYTES_MAX`] bytes each, and no record has less than two.
const IN_FRONT: i32 = -2_000_000;

/// A line as it came, its place, and its message.
pub(super) type RawLine<'a> = (&'a RawMessage<'a>, &'a Position<'a>, &'a [u8]);

/// What it takes to decode the lines of one message.
pub(super) struct Lines<'a> {
    pub(super) partition: &'a mut Partition,
    pub(super) default_host: Option<&'a str>,
    pub(super) clients: &'a mut Clients,
    pub(super) formats: &'a mut Formats,
    pub(super) scratch: &'a mut Scratch,
    pub(super) hint: &'a Hint,
}

/// The place of the first record of a message.
fn place_of<'a>(message: &RawMessage<'a>) -> Position<'a> {
    Position {
        topic: message.topic,
        kafka_partition: message.kafka_partition,
        offset: message.offset,
        record_index: 0,
        arrival_us: message.kafka_partition.map(|_| message.arrival_us),
    }
}

impl Lines<'_> {
    /// Decodes lines until the message ends, or in a block of lines the batch is full; how many bytes it went through.
    /// `text` is the payload, if it is text.
    pub(super) fn read(&mut self, message: &RawMessage<'_>, text: Option<&str>) -> usize {
        let mut position = place_of(message);
        self.partition.arrival_us = message.arrival_us;
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

    /// Appends what waits for more lines than there are, in front of the next place.
    #[cold]
    pub(super) fn close(&mut self, message: &RawMessage<'_>) {
        self.partition.moved = true;
        self.give_up(message, Position { record_index: IN_FRONT, ..place_of(message) });
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
        if message.numbering == Numbering::Records && self.partition.stream.parts.has_block() {
            self.give_up_block(message, position);
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
        let raw = (message, position, line);
        match text {
            Some(text) if text::is_clean(line) && line.len() <= LINE_BYTES_MAX => {
                self.text(raw, text, record)
            }
            text => self.framed(raw, text, record),
        }
    }

    /// The same of a line with something around it that is no part of it, of an empty one, and of one that is no text.
    #[inline(never)]
    fn framed<'a>(
        &mut self,
        (message, position, line): RawLine<'_>,
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
        match text {
            Some(text) if !text::may_be_utf16(line) => {
                self.noisy(raw, text.strip_suffix('\r').unwrap_or(text), record)
            }
            _ => self.bytes(raw),
        }
    }

    /// The same of a line that is no text, or text in another encoding.
    #[cold]
    fn bytes(&mut self, raw: RawLine<'_>) -> i32 {
        let (_, _, line) = raw;
        let mut cleaned = String::new();
        let wide = text::from_utf16(line);
        let text = wide.as_deref().unwrap_or_else(|| clean(line, &mut cleaned));
        self.noisy(raw, text, &mut Record::default())
    }

    /// The same of a line made text, with what may be around it.
    fn noisy<'a>(&mut self, raw: RawLine<'_>, text: &'a str, record: &mut Record<'a>) -> i32 {
        // Some editors and Windows tools put a byte order mark before the first line.
        let text = text.trim_start_matches('\u{feff}');
        if text.starts_with('#') {
            self.comment(text);
            return 0;
        }
        let text = text::without_noise(text);
        // What a crash leaves of a file that had been given room: zeros.
        if text.is_empty() {
            return 0;
        }
        self.text(raw, text, record)
    }

    /// The same of a text with nothing around it.
    #[expect(clippy::inline_always, reason = "a call for every line")]
    #[inline(always)]
    fn text<'a>(&mut self, raw: RawLine<'_>, text: &'a str, record: &mut Record<'a>) -> i32 {
        if self.partition.stream.is_bare() {
            record.clear();
            let records = self.append_if_read(raw, text, record);
            records.unwrap_or_else(|| self.append_otherwise(raw, text, text))
        } else {
            self.opened(raw, text)
        }
    }

    /// Passes over a line that is no record: a comment or a header.
    #[cold]
    fn comment(&mut self, text: &str) {
        self.partition.count_format(self.formats);
        if text.starts_with("#Fields:") {
            self.partition.stream.take_header(text, self.formats);
        }
    }

    /// The same of a line in an envelope, or one that may be a part of another.
    #[inline(never)]
    fn opened(&mut self, raw: RawLine<'_>, text: &str) -> i32 {
        if self.partition.stream.parts.are_waited_for()
            && let Some(records) = self.go_on(raw, text)
        {
            return records;
        }
        self.read_or_wait(raw, text)
    }

    /// Appends a line to the rows, if it can be read like the one before it; how many it came to. `inner` is what its
    /// envelope holds, and `record` is empty.
    #[expect(clippy::inline_always, reason = "a call for every line")]
    #[inline(always)]
    fn append_if_read<'a>(
        &mut self,
        raw: RawLine<'_>,
        inner: &'a str,
        record: &mut Record<'a>,
    ) -> Option<i32> {
        let (message, position, _) = raw;
        let stream = &mut self.partition.stream;
        match stream.decode(inner, self.formats, record) {
            Ok(Fit::Several) => {
                return Some(self.append_parts(message, *position, inner, record));
            }
            Ok(fit @ (Fit::Whole | Fit::Extra)) => {
                let is_read = if record.is_text {
                    fit == Fit::Whole || stream.may_have_more(self.formats)
                } else {
                    stream.is_like_before(record, self.formats)
                };
                if is_read && self.row(position, record, Trust::Sound).is_ok() {
                    return Some(1);
                }
            }
            Ok(Fit::Cut) => return self.append_cut(position, inner, record),
            Ok(Fit::No) | Err(_) => {}
        }
        None
    }

    /// Appends what there is of an object in the dialect of those before it, if it is certain that its end is missing.
    /// Where lines are cut at some length, many are: no other format reads them, and to try all takes long.
    #[cold]
    fn append_cut(
        &mut self,
        position: &Position<'_>,
        text: &str,
        record: &Record<'_>,
    ) -> Option<i32> {
        let stream = &self.partition.stream;
        let is_cut = text.starts_with('{')
            && !may_go_on(text)
            && is_open(text)
            && stream.is_bare()
            && stream.is_like_before(record, self.formats);
        (is_cut && self.row(position, record, Trust::Whatever).is_ok()).then_some(1)
    }

    /// The same where it is no matter how long it takes.
    #[inline(never)]
    pub(super) fn append_if_read_there<'a>(
        &mut self,
        raw: RawLine<'_>,
        inner: &'a str,
        record: &mut Record<'a>,
    ) -> Option<i32> {
        self.append_if_read(raw, inner, record)
    }

    /// Appends a line that could not be read like the one before it, unless it is the beginning of one that goes on.
    /// `inner` is what is in the envelope of the one before.
    #[cold]
    pub(super) fn append_otherwise(&mut self, raw: RawLine<'_>, text: &str, inner: &str) -> i32 {
        if begins_error_log(inner) && self.is_of_error_log(text) {
            let (message, position, line) = raw;
            self.reject(message, position, line, RejectReason::ErrorLog);
            return 1;
        }
        let begun = if self.is_marked_part(text) { self.begin(raw, text) } else { None };
        let records = begun.or_else(|| self.append_in_another_way(raw, text));
        let records = records.or_else(|| self.append_each(raw, text));
        if records.is_none() && self.partition.stream.take_columns(text, self.formats) {
            return 0;
        }
        let records = records.or_else(|| self.begin(raw, text));
        records.unwrap_or_else(|| self.append_anyhow(raw, text, inner))
    }

    /// Whether a line that begins as one of an error log, with what is around it or without, is nothing else: no part of a
    /// line, and, where that is an object, no record that has such a text.
    #[cold]
    fn is_of_error_log(&mut self, text: &str) -> bool {
        self.formats.are_known()
            && !is_unfinished_part(text)
            && (!text.starts_with('{') || !self.formats.is_record(text))
    }

    /// The same of a line that is one by itself.
    pub(super) fn append_found(&mut self, raw: RawLine<'_>, text: &str, inner: &str) -> i32 {
        let records = self.append_in_another_way(raw, text);
        records.unwrap_or_else(|| self.append_anyhow(raw, text, inner))
    }

    /// Appends a line if it can be read in another way than the one before it.
    fn append_in_another_way(&mut self, raw: RawLine<'_>, text: &str) -> Option<i32> {
        let (message, position, _) = raw;
        self.partition.count_format(self.formats);
        if let Some(reading) = self.partition.stream.find(text, self.formats) {
            let mut opened = String::new();
            let stream = &mut self.partition.stream;
            let inner = stream.open(text, self.formats, &mut opened);
            let mut record = Record::default();
            match stream.decode_as(reading, inner, self.formats, &mut record) {
                Ok(Fit::Several) => {
                    return Some(self.append_parts(message, *position, inner, &mut record));
                }
                Ok(_) if self.row(position, &record, Trust::Sound).is_ok() => return Some(1),
                Ok(_) | Err(_) => {}
            }
        }
        None
    }

    /// Appends whatever can be read of a line that is read in no way.
    #[cold]
    fn append_anyhow(&mut self, raw: RawLine<'_>, text: &str, inner: &str) -> i32 {
        let (message, position, line) = raw;
        if let Some(reason) = reason_of(inner) {
            self.reject(message, position, line, reason);
            return 1;
        }
        let mut record = Record::default();
        let stream = &mut self.partition.stream;
        let outcome = match stream.decode_anyhow(inner, self.formats, &mut record) {
            Ok(Fit::Several) => {
                return self.append_parts(message, *position, inner, &mut record);
            }
            Ok(_) => self.row(position, &record, Trust::Whatever),
            Err(reason) => Err(reason),
        };
        if let Err(reason) = outcome
            && !self.append_as_before(raw, text)
        {
            self.reject(message, position, line, reason);
        }
        1
    }

    /// Appends whatever can be read of a line of text in one of the other formats that were met: who asked, what for, and
    /// when. Lines of several alternate, and the one before it need not have been of its own.
    #[cold]
    fn append_as_before(&mut self, (_, position, _): RawLine<'_>, text: &str) -> bool {
        for at in 1..self.partition.stream.ways() {
            let (mut opened, mut record) = (String::new(), Record::default());
            let stream = &mut self.partition.stream;
            if stream.decode_anyhow_as(at, text, self.formats, &mut opened, &mut record)
                && self.row(position, &record, Trust::Whatever).is_ok()
            {
                self.partition.stream.put_first(at);
                return true;
            }
        }
        false
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
        // Where inside another object they are is said by its dialect.
        let may_differ = self.formats.recogniser.is_some() && parts.iter().all(Part::is_outermost);
        for part in parts {
            let raw = (message, &position, part.text(text).as_bytes());
            position.record_index += self.append_part(raw, (text, part, may_differ), record);
        }
        position.record_index - first
    }

    /// Appends one of the records of a line, `text`; of another format than the one before it only if it `may_differ`.
    #[cold]
    fn append_part<'a>(
        &mut self,
        raw: RawLine<'_>,
        (text, part, may_differ): (&'a str, Part, bool),
        record: &mut Record<'a>,
    ) -> i32 {
        let (message, position, line) = raw;
        record.clear();
        let Some(decoder) = self.partition.stream.decoder(self.formats) else { return 0 };
        let format = decoder.format();
        if decoder.is_json() {
            decoder.decode_part(text, part, record);
        } else {
            // The one before held a line of text.
            let mut opened = String::new();
            let inner = self.partition.stream.open(part.text(text), self.formats, &mut opened);
            if let Some(records) = self.append_if_read_there(raw, inner, &mut Record::default()) {
                return records;
            }
        }
        let refusal = refusal_of(record);
        let lack = lack_of(record, format, self.formats.recogniser.is_some());
        let is_like = !may_differ || self.partition.stream.is_like_before(record, self.formats);
        let mut outcome = match refusal.or(lack) {
            Some(reason) => Err(reason),
            None if is_like => self.row(position, record, Trust::Whatever),
            None => Err(RejectReason::OtherFormat),
        };
        if may_differ && refusal.is_none() && outcome.is_err() {
            if let Some(records) = self.append_in_another_way(raw, part.text(text)) {
                return records;
            }
            if lack.is_none() && !is_like {
                outcome = self.row(position, record, Trust::Whatever);
            }
        }
        if let Err(reason) = outcome {
            self.reject(message, position, line, reason);
        }
        1
    }

    /// Appends a row.
    #[expect(clippy::inline_always, reason = "a call for every line")]
    #[inline(always)]
    fn row(
        &mut self,
        position: &Position<'_>,
        record: &Record<'_>,
        trust: Trust,
    ) -> Result<(), RejectReason> {
        let Partition { rows, last_us, .. } = &mut *self.partition;
        let rows = rows.get_or_insert_with(|| Rows::new(BATCH_ROWS_MAX, self.hint, *last_us));
        rows.append(record, position, (trust, self.default_host), self.clients, self.scratch)
            .map_err(|refusal| match refusal {
                Refusal::NoTime => RejectReason::NoTimestamp,
                Refusal::Unsound => RejectReason::OtherFormat,
            })
    }

    #[cold]
    pub(super) fn reject(
        &mut self,
        message: &RawMessage<'_>,
        position: &Position<'_>,
        raw: &[u8],
        reason: RejectReason,
    ) {
        let raw = raw.get(..REJECT_BYTES_MAX).unwrap_or(raw);
        let raw = self.clients.scrub(raw);
        self.partition
            .example
            .get_or_insert_with(|| (reason, raw.get(..EXAMPLE_BYTES).unwrap_or(&raw).into()));
        self.partition.rejects.append(message.arrival_us, position, reason, &raw);
    }
}

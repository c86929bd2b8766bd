//! Lines that are one in several, as rows and rejects: the part of [`Lines`] that waits for their ends.

use schemas::limits::LINE_BYTES_MAX;

use super::RejectReason;
use super::json::values_in;
use super::lines::{Lines, RawLine};
use super::message::{Numbering, RawMessage};
use super::parts::{Begun, Block, Piece, may_be_part, without_list_bracket};
use super::record::Record;
use super::row::Position;

impl Lines<'_> {
    /// Reads a line that may go on with one that began before; how many records it came to. `None` where it does not,
    /// and nothing waits any more.
    #[cold]
    pub(super) fn go_on(&mut self, raw: RawLine<'_>, text: &str) -> Option<i32> {
        let parts = &mut self.partition.stream.parts;
        if let Some(block) = parts.take_block() {
            return Some(self.go_on_with_block(raw, text, block));
        }
        let piece = Piece::of(text);
        let Some(piece) = piece else {
            let begun = parts.take_any();
            return begun.map(|(offset, begun)| {
                let released = self.release(raw, offset, &begun);
                released + self.read_behind(raw, text, released)
            });
        };
        let begun = parts.take(piece.output)?;
        if begun.is_json == piece.is_json && !self.begins_record(&piece) {
            let joined = [&*begun.text, piece.text].concat();
            if joined.len() > LINE_BYTES_MAX {
                let (message, position, _) = raw;
                self.reject(message, position, joined.as_bytes(), RejectReason::TooLong);
                return Some(1);
            }
            if !piece.is_last {
                self.wait_for(&piece, joined, raw);
                return Some(0);
            }
            let line = piece.join(&begun.text);
            let (message, position, _) = raw;
            return Some(self.read_whole((message, position, line.as_bytes()), &line));
        }
        // In a topic the lines of several containers are mixed: what belongs together there cannot be told.
        if raw.0.numbering == Numbering::Records {
            self.partition.stream.parts.mix();
        }
        let released = self.release(raw, begun.offset, &begun.into_line());
        Some(released + self.read_behind(raw, text, released))
    }

    /// Whether a line is the beginning of one, or of JSON over many lines, and is waited for; the number of records that
    /// it came to. To be asked of a line that cannot be read by itself.
    #[cold]
    pub(super) fn begin(&mut self, raw: RawLine<'_>, text: &str) -> Option<i32> {
        let (_, position, line) = raw;
        let are_mixed = self.partition.stream.parts.are_mixed();
        if let Some(piece) = Piece::of(text) {
            if piece.is_last || are_mixed {
                return None;
            }
            self.wait_for(&piece, piece.text.to_owned(), raw);
            return Some(0);
        }
        if let Some(inner) = without_list_bracket(text) {
            return Some(self.read_whole(raw, inner));
        }
        if text.trim_ascii() == "]" && self.partition.stream.is_json(self.formats) {
            return Some(0);
        }
        // What was made text, or had zero bytes around it, is rejected as it came.
        if line.trim_ascii() != text.trim_ascii().as_bytes() {
            return None;
        }
        let block = Block::begin(text, position.offset)?;
        self.partition.stream.parts.keep_block(block);
        Some(0)
    }

    /// Appends each of the lines of which a value of JSON is made, a place behind the other, if the first can be read.
    #[cold]
    pub(super) fn append_each(&mut self, raw: RawLine<'_>, text: &str) -> Option<i32> {
        if !text.starts_with(['{', '[', '"']) {
            return None;
        }
        let mut lines = values_in(text)?;
        lines.retain(|line| !line.is_empty());
        self.partition.count_format(self.formats);
        self.partition.stream.find(lines.first()?, self.formats)?;
        let (message, position, _) = raw;
        let mut records = 0;
        for line in lines.iter().filter(|line| !line.is_empty()) {
            let position = Position { record_index: position.record_index + records, ..*position };
            records += self.read_whole((message, &position, line.as_bytes()), line);
        }
        Some(records)
    }

    /// Whether a line bears the mark of a part that others follow.
    #[inline]
    pub(super) fn is_marked_part(&self, text: &str) -> bool {
        may_be_part(text)
            && !self.partition.stream.parts.are_mixed()
            && Piece::of(text).is_some_and(|piece| !piece.is_last && !piece.is_json)
    }

    fn wait_for(&mut self, piece: &Piece<'_>, text: String, (_, position, _): RawLine<'_>) {
        let begun = Begun { text, is_json: piece.is_json, offset: position.offset };
        self.partition.stream.parts.keep(piece.output, begun);
    }

    fn go_on_with_block(&mut self, raw: RawLine<'_>, text: &str, mut block: Block) -> i32 {
        let (message, position, _) = raw;
        if block.is_bracket() && text.trim_ascii_start().starts_with('{') {
            return self.read_behind(raw, text, 0);
        }
        if !block.push(text, position.offset) {
            let released = self.release(raw, block.offset, &block.text);
            return released + self.read_behind(raw, text, released);
        }
        if block.text.len() > LINE_BYTES_MAX {
            self.reject(message, position, block.text.as_bytes(), RejectReason::TooLong);
            return 1;
        }
        if block.is_whole() {
            return self.read_whole((message, position, block.text.as_bytes()), &block.text);
        }
        self.partition.stream.parts.keep_block(block);
        0
    }

    /// Whether a part is no part of what waits for one, but the beginning of another line.
    fn begins_record(&mut self, piece: &Piece<'_>) -> bool {
        let stream = &mut self.partition.stream;
        if !piece.is_json {
            return stream.begins_record(piece.text, self.formats);
        }
        stream.begins_record(&super::text::plain_json(piece.text), self.formats)
    }

    /// Reads a line behind `before` records of the same position.
    fn read_behind(
        &mut self,
        (message, position, line): RawLine<'_>,
        text: &str,
        before: i32,
    ) -> i32 {
        let position = Position { record_index: position.record_index + before, ..*position };
        let raw = (message, &position, line);
        self.go_on(raw, text).unwrap_or_else(|| self.read_or_wait(raw, text))
    }

    /// Reads what was waited for in vain, as far as it can be. In a file it has the place of its last line, which no
    /// other record has, in a topic that of the record at hand, behind which that one must go then; the number of places
    /// taken.
    fn release(&mut self, (message, position, _): RawLine<'_>, offset: i64, begun: &str) -> i32 {
        match message.numbering {
            Numbering::Lines => {
                let position = Position { offset, record_index: 0, ..*position };
                self.append_as_it_is((message, &position, begun.as_bytes()), begun);
                0
            }
            Numbering::Records => {
                self.append_as_it_is((message, position, begun.as_bytes()), begun)
            }
        }
    }

    /// The same of what a partition still waits for when no more lines can come. Of a message only what ends with it.
    #[cold]
    pub(super) fn give_up(&mut self, message: &RawMessage<'_>, position: Position<'_>) {
        let parts = &mut self.partition.stream.parts;
        let raw = (message, &position, &b""[..]);
        if message.numbering == Numbering::Records {
            if let Some(block) = parts.take_block() {
                self.release(raw, block.offset, &block.text);
            }
            return;
        }
        while let Some((offset, begun)) = self.partition.stream.parts.take_any() {
            self.release(raw, offset, &begun);
        }
    }

    /// Appends a line as it is, whatever can be read of it.
    fn append_as_it_is(&mut self, raw: RawLine<'_>, text: &str) -> i32 {
        let mut opened = String::new();
        let inner = self.partition.stream.open(text, self.formats, &mut opened);
        self.append_found(raw, text, inner)
    }

    /// Appends a line that is one by itself.
    fn read_whole(&mut self, raw: RawLine<'_>, text: &str) -> i32 {
        let mut opened = String::new();
        let inner = self.partition.stream.open(text, self.formats, &mut opened);
        let mut record = Record::default();
        match self.append_if_read(raw, inner, &mut record) {
            Some(records) => records,
            None => self.append_found(raw, text, inner),
        }
    }

    /// The same unless it is the beginning of one.
    pub(super) fn read_or_wait(&mut self, raw: RawLine<'_>, text: &str) -> i32 {
        let mut opened = String::new();
        let inner = self.partition.stream.open(text, self.formats, &mut opened);
        let records = if self.is_marked_part(text) {
            None
        } else {
            self.append_if_read(raw, inner, &mut Record::default())
        };
        records.unwrap_or_else(|| self.append_otherwise(raw, text, inner))
    }
}

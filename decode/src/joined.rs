//! Lines that are one in several, as rows and rejects: the part of [`Lines`] that waits for their ends.

use schemas::limits::LINE_BYTES_MAX;

use super::RejectReason;
use super::json::values_in;
use super::lines::{Lines, RawLine};
use super::message::{Numbering, RawMessage};
use super::parts::{
    Begun, Block, Piece, is_end_of_list, may_be_part, object_of_list, without_head,
    without_list_bracket,
};
use super::record::Record;
use super::row::Position;
use super::text::plain_json;

/// What a part is of, beside a line that waits for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    /// Of that line.
    None,
    /// Of another line, which seems to begin with it.
    Likely,
    /// Of another line, which is whole.
    Sure,
}

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
            return begun.map(|begun| {
                let released = self.release(raw, &begun);
                released + self.read_behind(raw, text, released)
            });
        };
        let mut begun = parts.take(piece.output)?;
        let other = if begun.is_json == piece.is_json { self.begins(&piece) } else { Other::Sure };
        if other == Other::None {
            let (message, position, _) = raw;
            if piece.is_last {
                let line = piece.join(&begun.text);
                return Some(self.read_whole((message, position, line.as_bytes()), &line));
            }
            // Added to what is there: a line may have hundreds of parts.
            begun.text.push_str(piece.text);
            if begun.text.len() > LINE_BYTES_MAX {
                self.reject(message, position, begun.text.as_bytes(), RejectReason::TooLong);
                return Some(1);
            }
            self.partition.stream.parts.keep(piece.output, begun);
            return Some(0);
        }
        let released = self.release(raw, &begun.into_line());
        if raw.0.numbering == Numbering::Lines {
            return Some(released + self.read_behind(raw, text, released));
        }
        // In a topic the lines of several containers are mixed: what belongs together there cannot be told. For once,
        // or, where a whole record shows it, which nobody can write into a part of another, for good.
        if other == Other::Sure {
            self.partition.stream.parts.mix();
            return Some(released + self.read_behind(raw, text, released));
        }
        let (message, position, line) = raw;
        let position = Position { record_index: position.record_index + released, ..*position };
        Some(released + self.append_as_it_is((message, &position, line), text))
    }

    /// Whether a line is the beginning of one, or of JSON over many lines, and is waited for; the number of records that
    /// it came to. To be asked of a line that cannot be read by itself.
    #[cold]
    pub(super) fn begin(&mut self, raw: RawLine<'_>, text: &str) -> Option<i32> {
        let (_, _, line) = raw;
        let are_mixed = self.partition.stream.parts.are_mixed();
        if let Some(piece) = Piece::of(text) {
            if piece.is_last || are_mixed {
                return None;
            }
            let begun = Begun { text: piece.text.to_owned(), is_json: piece.is_json };
            self.partition.stream.parts.keep(piece.output, begun);
            return Some(0);
        }
        if let Some(inner) = without_list_bracket(text) {
            return Some(self.read_whole(raw, inner));
        }
        let behind = without_head(text).or_else(|| text.starts_with([',', '{']).then_some(text));
        if let Some(inner) = behind.and_then(object_of_list)
            && inner.len() < text.len()
            && self.partition.stream.is_record_of_any(inner, self.formats)
        {
            return Some(self.read_whole(raw, inner));
        }
        if is_end_of_list(text) && self.partition.stream.is_json(self.formats) {
            return Some(0);
        }
        // What was made text, or had zero bytes around it, is rejected as it came.
        if line.trim_ascii() != text.trim_ascii().as_bytes() {
            return None;
        }
        let block = Block::begin(text)?;
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

    fn go_on_with_block(&mut self, raw: RawLine<'_>, text: &str, mut block: Block) -> i32 {
        let (message, position, _) = raw;
        let is_object = text.trim_ascii_start().starts_with('{');
        if is_object && (block.is_bracket() || block.is_head() && self.is_entry(text)) {
            return self.read_behind(raw, text, 0);
        }
        if !block.push(text) {
            let released = self.release(raw, &block.text);
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

    /// Whether a line is a record in a list.
    fn is_entry(&mut self, text: &str) -> bool {
        let stream = &mut self.partition.stream;
        object_of_list(text).is_some_and(|inner| stream.is_record_of_any(inner, self.formats))
    }

    /// Whether a part is no part of what waits for one, but the beginning of another line, or all of it.
    fn begins(&mut self, piece: &Piece<'_>) -> Other {
        let resolved = if piece.is_json { plain_json(piece.text) } else { String::new() };
        let text = if piece.is_json { resolved.trim_ascii_end() } else { piece.text };
        let stream = &mut self.partition.stream;
        if piece.is_last && stream.is_record(text, self.formats) {
            Other::Sure
        } else if stream.begins_record(text, self.formats) {
            Other::Likely
        } else {
            Other::None
        }
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

    /// Reads what was waited for in vain, as far as it can be: at the place of the line at hand, which goes behind it
    /// then. Its own place may lie before the last commit, whose rows are not written again. The number of places taken.
    fn release(&mut self, (message, position, _): RawLine<'_>, begun: &str) -> i32 {
        self.append_as_it_is((message, position, begun.as_bytes()), begun)
    }

    /// The same of JSON over many lines whose message has ended, behind the last of them.
    #[cold]
    pub(super) fn give_up_block(&mut self, message: &RawMessage<'_>, position: &Position<'_>) {
        if let Some(block) = self.partition.stream.parts.take_block() {
            self.release((message, position, b""), &block.text);
        }
    }

    /// The same of all that a partition still waits for when no more lines can come.
    #[cold]
    pub(super) fn give_up(&mut self, message: &RawMessage<'_>, mut position: Position<'_>) {
        while let Some(begun) = self.partition.stream.parts.take_any() {
            position.record_index += self.release((message, &position, b""), &begun);
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
        match self.append_if_read_there(raw, inner, &mut record) {
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
            self.append_if_read_there(raw, inner, &mut Record::default())
        };
        records.unwrap_or_else(|| self.append_otherwise(raw, text, inner))
    }
}

//! What is said to clients (PostgreSQL manual, "Message Formats").

use bytes::{BufMut as _, BytesMut};

/// A column of an answer, as clients are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// Number of its type.
    pub(super) oid: u32,
    /// Bytes of a value; -1 where they vary.
    pub(super) size: i16,
    pub(super) is_binary: bool,
}

/// Messages to be sent.
#[derive(Debug, Default)]
pub(super) struct Speech {
    pub(super) bytes: BytesMut,
}

impl Speech {
    /// A message of `kind`; `body` writes what is in it.
    pub(super) fn say(&mut self, kind: u8, body: impl FnOnce(&mut BytesMut)) {
        self.bytes.put_u8(kind);
        let at = self.bytes.len();
        self.bytes.put_i32(0);
        body(&mut self.bytes);
        let length = i32::try_from(self.bytes.len() - at).unwrap_or(i32::MAX);
        if let Some(said) = self.bytes.get_mut(at..at + 4) {
            said.copy_from_slice(&length.to_be_bytes());
        }
    }

    /// A message with nothing in it.
    pub(super) fn nod(&mut self, kind: u8) {
        self.say(kind, |_| {});
    }

    /// A step of proving who one is.
    pub(super) fn authentication(&mut self, step: i32, more: &[u8]) {
        self.say(b'R', |body| {
            body.put_i32(step);
            body.put_slice(more);
        });
    }

    /// A setting and its value.
    pub(super) fn status(&mut self, name: &str, value: &str) {
        self.say(b'S', |body| {
            put_text(body, name);
            put_text(body, value);
        });
    }

    /// The end of a command.
    pub(super) fn complete(&mut self, tag: &str) {
        self.say(b'C', |body| put_text(body, tag));
    }

    /// Columns of the rows that come.
    pub(super) fn columns(&mut self, columns: &[Column]) {
        self.say(b'T', |body| {
            put_count(body, columns.len());
            for column in columns {
                put_text(body, &column.name);
                body.put_i32(0);
                body.put_i16(0);
                body.put_u32(column.oid);
                body.put_i16(column.size);
                body.put_i32(-1);
                body.put_i16(i16::from(column.is_binary));
            }
        });
    }

    /// Types of placeholders.
    pub(super) fn placeholders(&mut self, oids: &[u32]) {
        self.say(b't', |body| {
            put_count(body, oids.len());
            for oid in oids {
                body.put_u32(*oid);
            }
        });
    }
}

/// A text, without zeros in it, and the zero that ends it.
pub(super) fn put_text(body: &mut BytesMut, text: &str) {
    for part in text.split('\0') {
        body.put_slice(part.as_bytes());
    }
    body.put_u8(0);
}

/// A count of 16 bits.
pub(super) fn put_count(body: &mut BytesMut, count: usize) {
    body.put_u16(u16::try_from(count).unwrap_or(u16::MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_their_length() {
        let mut speech = Speech::default();
        speech.complete("SEL\0ECT 1");
        speech.nod(b'1');
        assert_eq!(&speech.bytes[..], b"C\0\0\0\x0dSELECT 1\x001\0\0\0\x04");
    }
}

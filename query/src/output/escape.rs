//! What an attacker chose, made safe on its way to a terminal; which characters that concerns is said in
//! [`schemas::text`].

use std::fmt::Write as _;
use std::io::{self, Write};

use schemas::text::{escape, escape_json, is_unsafe};

/// Bytes as text: UTF-8 stays, other bytes become `\xNN`, a backslash becomes `\\`.
///
/// # Example
/// ```
/// assert_eq!(query::output::escape::bytes(b"GET \\ \xff"), r"GET \\ \xff");
/// ```
pub fn bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// How [`Guard`] writes an unsafe character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `\u001b`, as JSON reads it back.
    Json,
    /// `\x1b`; line ends stay.
    Text,
}

/// A writer in front of a terminal that lets no unsafe character through.
#[derive(Debug)]
pub(crate) struct Guard<W> {
    inner: W,
    style: Style,
    /// Start of a character whose end has not been written yet.
    partial: Vec<u8>,
}

impl<W: Write> Guard<W> {
    pub(crate) const fn new(inner: W, style: Style) -> Self {
        Self { inner, style, partial: Vec::new() }
    }

    fn emit(&mut self, text: &str) -> io::Result<()> {
        if !text.contains(is_unsafe) {
            return self.inner.write_all(text.as_bytes());
        }
        match self.style {
            Style::Json => self.inner.write_all(escape_json(text).as_bytes()),
            // Line ends are the format's own.
            Style::Text => text.split_inclusive('\n').try_for_each(|line| {
                let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
                self.inner.write_all(escape(line).as_bytes())?;
                self.inner.write_all(end.as_bytes())
            }),
        }
    }
}

impl<W: Write> Write for Guard<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut pending = std::mem::take(&mut self.partial);
        pending.extend_from_slice(bytes);
        let mut rest = pending.as_slice();
        while !rest.is_empty() {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.emit(text)?;
                    rest = &[];
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    self.emit(std::str::from_utf8(valid).unwrap_or_default())?;
                    let Some(bad) = error.error_len() else {
                        self.partial = after.to_vec();
                        break;
                    };
                    self.emit("\u{fffd}")?;
                    rest = after.get(bad..).unwrap_or_default();
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guarded(style: Style, pieces: &[&[u8]]) -> String {
        let mut out = Vec::new();
        let mut guard = Guard::new(&mut out, style);
        for piece in pieces {
            guard.write_all(piece).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_terminal_sees_no_control_character() {
        assert_eq!(
            guarded(Style::Text, &[b"a,\x1b]0;x\x07,\xc2\x9bm\n"]),
            "a,\\x1b]0;x\\x07,\\u{9b}m\n"
        );
        assert_eq!(
            guarded(Style::Json, &["\"\u{9b}\u{202e}é\"\n".as_bytes()]),
            "\"\\u009b\\u202eé\"\n"
        );
        assert_eq!(guarded(Style::Json, &["\u{e0041}".as_bytes()]), "\\udb40\\udc41");
    }

    #[test]
    fn a_character_cut_in_two_is_one() {
        assert_eq!(guarded(Style::Text, &[b"\xc3", b"\xa9\xe2\x80", b"\xae"]), "é\\u{202e}");
        assert_eq!(guarded(Style::Text, &[b"\xff\n"]), "\u{fffd}\n");
    }

    #[test]
    fn bytes_are_reversible_text() {
        assert_eq!(bytes(b"a\\x\x80\xc3\xa9\n"), "a\\\\x\\x80é\n");
    }
}

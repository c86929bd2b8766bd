//! Text that an attacker chose, made safe to show.
//!
//! A terminal obeys control characters: C0 (U+0000–001F), DEL, C1 (U+0080–009F). Direction overrides and invisible
//! characters make a line read as what it is not. Both kinds are shown by their number instead.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Whether `c` could move the cursor, change the terminal's state, or hide or reorder text.
pub const fn is_unsafe(c: char) -> bool {
    matches!(
        c,
        '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// `text` on one line, with `\n`, `\t`, `\r`, `\x1b` or `\u{202e}` for every unsafe character.
///
/// # Example
/// ```
/// assert_eq!(query::output::escape::text("a\u{1b}[31m\tb"), r"a\x1b[31m\tb");
/// ```
pub fn text(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push(&mut safe, c);
    }
    Cow::Owned(safe)
}

fn push(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if !is_unsafe(c) => out.push(c),
        c if u32::from(c) < 0x80 => _ = write!(out, "\\x{:02x}", u32::from(c)),
        c => _ = write!(out, "\\u{{{:x}}}", u32::from(c)),
    }
}

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
        let mut safe = String::with_capacity(text.len() + 16);
        for c in text.chars() {
            match self.style {
                _ if c == '\n' => safe.push(c),
                Style::Json if is_unsafe(c) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        _ = write!(safe, "\\u{unit:04x}");
                    }
                }
                Style::Json | Style::Text => push(&mut safe, c),
            }
        }
        self.inner.write_all(safe.as_bytes())
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

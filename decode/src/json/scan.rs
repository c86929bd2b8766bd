//! A cursor over one line of JSON: finds where values begin and end, and builds nothing.

use crate::text::place;
use crate::{search, word};

/// The line is not JSON from here on, or ended too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;

/// A scalar, as it stands in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scalar<'a> {
    /// Between the quotes of a string, or the number, `true`, `false` or `null`.
    pub text: &'a str,
    /// It was a string with a backslash in it.
    pub escaped: bool,
    /// It was a string.
    pub quoted: bool,
}

/// Bytes up to the end of a number or a word.
fn length_of_scalar(rest: &[u8]) -> usize {
    let ends =
        |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r' | b':' | b'"');
    rest.iter().position(ends).unwrap_or(rest.len())
}

/// A position in a line of JSON.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// At the start of a line.
    pub const fn new(line: &'a str) -> Self {
        Self { line, at: 0 }
    }

    /// Bytes before it.
    pub const fn place(&self) -> usize {
        self.at
    }

    /// What is left.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.ahead().unwrap_or_default()
    }

    /// What is left, if the line does not end before it.
    #[inline]
    pub fn ahead(&self) -> Option<&'a [u8]> {
        self.line.as_bytes().get(self.at..)
    }

    /// Whether a text of the line ends here, or at the quote before.
    #[cold]
    pub fn is_behind(&self, text: &str) -> bool {
        let end = place(self.line, text).map(|place| place.end);
        end.is_some_and(|end| end == self.at || end + 1 == self.at)
    }

    /// Moves on by `bytes`.
    #[inline]
    pub const fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// The next byte that is no white space, not taken.
    #[expect(
        clippy::inline_always,
        reason = "a call for every value of a line costs a tenth of it"
    )]
    #[inline(always)]
    pub fn peek(&mut self) -> Result<u8, Broken> {
        let bytes = self.line.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(byte) => return Ok(*byte),
                None => return Err(Broken),
            }
        }
    }

    /// The next byte that stands neither between two values of a line nor is white space, not taken. GELF ends each with a
    /// zero byte, RFC 7464 begins each with a record separator, and some put commas between.
    #[cold]
    pub fn peek_value(&mut self) -> Result<u8, Broken> {
        while let Ok(b',' | 0 | 0x1e) = self.peek() {
            self.at += 1;
        }
        self.peek()
    }

    /// Takes `byte`, after white space.
    #[inline]
    pub fn expect(&mut self, byte: u8) -> Result<(), Broken> {
        if self.peek()? == byte {
            self.at += 1;
            Ok(())
        } else {
            Err(Broken)
        }
    }

    /// Takes a string without a backslash, or a number of a few digits, if one is next; its text.
    #[expect(
        clippy::inline_always,
        reason = "a call for every value of a line costs a tenth of it"
    )]
    #[inline(always)]
    pub fn plain_scalar(&mut self) -> Option<&'a str> {
        let rest = self.line.get(self.at..)?;
        let Some(rest) = rest.strip_prefix('"') else {
            let digits = word::count_digits(rest.as_bytes()).filter(|digits| *digits > 0)?;
            if !matches!(rest.as_bytes().get(digits), Some(b',' | b'}')) {
                return None;
            }
            self.at += digits;
            return rest.get(..digits);
        };
        let length = search::either(rest.as_bytes(), b'"', b'\\')?;
        if rest.as_bytes().get(length) != Some(&b'"') {
            return None;
        }
        self.at += length + 2;
        rest.get(..length)
    }

    /// The same behind a blank, which is taken.
    #[inline(never)]
    pub fn spaced_scalar(&mut self) -> Option<&'a str> {
        if self.line.as_bytes().get(self.at) != Some(&b' ') {
            return None;
        }
        self.at += 1;
        self.plain_scalar()
    }

    /// Takes a string; the opening quote is next. Text as it stands, and whether it holds a backslash.
    #[inline]
    pub fn string(&mut self) -> Result<(&'a str, bool), Broken> {
        let start = self.at + 1;
        let rest = self.line.get(start..).ok_or(Broken)?;
        let length = search::either(rest.as_bytes(), b'"', b'\\').ok_or(Broken)?;
        let (text, behind) = rest.split_at_checked(length).ok_or(Broken)?;
        if behind.starts_with('\\') {
            return self.escaped_string(start, start + length);
        }
        self.at = start + length + 1;
        Ok((text, false))
    }

    /// Takes a string that starts at `start` and has its first backslash at `backslash`.
    fn escaped_string(
        &mut self,
        start: usize,
        backslash: usize,
    ) -> Result<(&'a str, bool), Broken> {
        let bytes = self.line.as_bytes();
        let mut from = backslash + 2;
        loop {
            let rest = bytes.get(from..).ok_or(Broken)?;
            let end = from + search::either(rest, b'"', b'\\').ok_or(Broken)?;
            if bytes.get(end) == Some(&b'"') {
                self.at = end + 1;
                return Ok((self.line.get(start..end).ok_or(Broken)?, true));
            }
            from = end + 2;
        }
    }

    /// Takes a scalar value, of which `first` is the first byte.
    #[inline]
    pub fn scalar(&mut self, first: u8) -> Result<Scalar<'a>, Broken> {
        if first == b'"' {
            let (text, escaped) = self.string()?;
            return Ok(Scalar { text, escaped, quoted: true });
        }
        let start = self.at;
        let length = length_of_scalar(self.rest());
        if length == 0 {
            return Err(Broken);
        }
        self.at += length;
        let text = self.line.get(start..self.at).ok_or(Broken)?;
        Ok(Scalar { text, escaped: false, quoted: false })
    }

    /// Skips a value of any kind, however deep, in one pass and without recursion.
    pub fn skip_value(&mut self) -> Result<(), Broken> {
        let first = self.peek()?;
        if !matches!(first, b'{' | b'[') {
            return self.scalar(first).map(|_| ());
        }
        let bytes = self.line.as_bytes();
        let mut depth = 0usize;
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        return Ok(());
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
        Err(Broken)
    }

    /// Behind a value without quotes that is no JSON (`0.004, 0.012`, `10.0.0.1:80, 10.0.0.2:80`), as templates write
    /// them: moves to the comma before the next key, or to the end of the object. No quote is passed: it cannot get into
    /// a text.
    #[cold]
    pub fn skip_to_next(&mut self) -> Result<(), Broken> {
        let bytes = self.line.as_bytes();
        let before = self.at.checked_sub(1).and_then(|at| bytes.get(at));
        if matches!(before, None | Some(b'"' | b'}' | b']')) {
            return Err(Broken);
        }
        loop {
            match bytes.get(self.at) {
                None | Some(b'"' | b'{' | b'[' | b']') => return Err(Broken),
                Some(b'}') => return Ok(()),
                Some(b',') if self.is_before_key(self.at + 1) => return Ok(()),
                Some(_) => self.at += 1,
            }
        }
    }

    fn is_before_key(&self, at: usize) -> bool {
        let rest = self.line.as_bytes().get(at..).unwrap_or_default();
        rest.trim_ascii_start().first() == Some(&b'"')
    }

    /// Takes the opening brace of an object; `false` when it is empty, and was taken whole.
    pub fn enters_object(&mut self) -> Result<bool, Broken> {
        self.expect(b'{')?;
        let is_empty = self.peek()? == b'}';
        if is_empty {
            self.skip(1);
        }
        Ok(!is_empty)
    }

    /// Takes a key and the colon behind it.
    pub fn key(&mut self) -> Result<&'a str, Broken> {
        if self.peek()? != b'"' {
            return Err(Broken);
        }
        let (key, _) = self.string()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// The first byte of the next entry of a list, which is not taken; `None` at its end, which is.
    pub fn entry(&mut self) -> Result<Option<u8>, Broken> {
        loop {
            match self.peek()? {
                b',' => self.skip(1),
                b']' => {
                    self.skip(1);
                    return Ok(None);
                }
                first => return Ok(Some(first)),
            }
        }
    }

    /// After a value in an object: `true` when another key follows, `false` at its end.
    #[expect(
        clippy::inline_always,
        reason = "a call for every value of a line costs a tenth of it"
    )]
    #[inline(always)]
    pub fn another(&mut self) -> Result<bool, Broken> {
        match self.peek()? {
            b',' => {
                self.at += 1;
                Ok(true)
            }
            b'}' => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(Broken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_any_kind_is_skipped_whole() {
        for value in
            [r#""a\"}b""#, "12.5e3", "null", r#"{"a":[{"b":"]}"}],"c":{}}"#, "[]", "[[1],[2]]"]
        {
            let line = format!("{value},");
            let mut cursor = Cursor::new(&line);
            assert_eq!(cursor.skip_value(), Ok(()), "{value}");
            assert_eq!(cursor.rest(), b",", "{value}");
        }
    }

    #[test]
    fn what_ends_too_early_is_broken() {
        for value in ["", r#""a"#, r#""a\"#, r#""a\""#, "{", r#"[{"a":1}"#, ","] {
            assert_eq!(Cursor::new(value).skip_value(), Err(Broken), "{value}");
        }
    }
}

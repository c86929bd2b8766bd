//! Text of log lines: made valid UTF-8, and freed of the escapes of its format.
//!
//! Bytes that are not UTF-8 become `\xNN` (upper-case hexadecimal), the notation nginx and Apache use themselves:
//! readable, unambiguous enough to search for, and the same in every format.

use std::ops::Range;

use super::record::{Escape, Value};
use super::search;

/// `bytes` as text; bytes that are not UTF-8 are written `\xNN` into `scratch`.
#[inline]
pub fn clean<'a>(bytes: &'a [u8], scratch: &'a mut String) -> &'a str {
    if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
        return text;
    }
    scratch.clear();
    for chunk in bytes.utf8_chunks() {
        scratch.push_str(chunk.valid());
        for byte in chunk.invalid() {
            push_hex(scratch, *byte);
        }
    }
    scratch
}

/// The same of bytes that are nobody's.
#[cold]
pub(super) fn clean_owned(bytes: &[u8]) -> String {
    clean(bytes, &mut String::new()).to_owned()
}

/// The bytes of `text` in `line`, if it is a part of it.
pub(super) fn place(line: &str, text: &str) -> Option<Range<usize>> {
    let start = (text.as_ptr() as usize).checked_sub(line.as_ptr() as usize)?;
    let end = start.checked_add(text.len())?;
    (line.get(start..end)? == text).then_some(start..end)
}

/// Whether a line begins and ends with what is part of it, and is no comment: nothing has to be looked for around it. Of
/// nearly all lines.
#[inline]
pub const fn is_clean(line: &[u8]) -> bool {
    matches!(line, [b'!'..=b'"' | b'$'..=b'~', 1..=255, .., b'!'..=255])
}

/// A line without what is no part of it: blanks before it, zero bytes that a crash left before and behind it.
#[inline]
pub fn without_noise(line: &str) -> &str {
    match line.as_bytes() {
        [0..=b' ', ..] | [.., 0] => strip_noise(line),
        _ => line,
    }
}

#[cold]
fn strip_noise(line: &str) -> &str {
    // Record separators begin the texts of a sequence (RFC 7464).
    line.trim_start_matches([' ', '\t', '\0', '\u{1e}', '\u{feff}']).trim_end_matches(['\0', '\r'])
}

/// Whether a line begins as one of UTF-16 does.
#[inline]
pub const fn may_be_utf16(line: &[u8]) -> bool {
    matches!(line, [0, ..] | [_, 0, ..])
}

/// Bytes of a line that are looked at to tell whether it is UTF-16.
const UTF16_BYTES: usize = 64;

/// A line of UTF-16 as text; `None` where it is none. The line end of the line before may have left its second byte.
#[cold]
pub fn from_utf16(line: &[u8]) -> Option<String> {
    let (line, is_big) = match line {
        [0xFE, 0xFF, rest @ ..] => (rest, true),
        // A zero is what the line end before it left, or the high byte of the first character.
        [0xFF, 0xFE, rest @ ..] | [0, rest @ ..] => (rest, false),
        _ => (line, false),
    };
    let head = line.get(..UTF16_BYTES).unwrap_or(line);
    let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (first, second) = if is_big { (zeros(1), zeros(0)) } else { (zeros(0), zeros(1)) };
    // Latin text, as nearly all of a log is: every other byte is zero, and no others.
    if first > 0 || second * 8 < head.len() * 3 || second == 0 {
        return None;
    }
    let (pairs, _) = line.as_chunks::<2>();
    let unit = if is_big { u16::from_be_bytes } else { u16::from_le_bytes };
    let text: String = char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    Some(text.trim_end_matches('\r').to_owned())
}

fn push_hex(out: &mut String, byte: u8) {
    let digit =
        |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 });
    out.push_str("\\x");
    out.push(digit(byte >> 4));
    out.push(digit(byte & 15));
}

/// The plain text of a value; `scratch` holds it when escapes had to be resolved.
#[inline]
pub fn plain<'a>(value: &Value<'a>, scratch: &'a mut String) -> &'a str {
    if is_escaped(value) { resolve(value, scratch) } else { value.text }
}

/// Whether the text of a value may have escapes in it.
#[inline]
pub(super) fn is_escaped(value: &Value<'_>) -> bool {
    let mark = match value.escape {
        Escape::None => return false,
        // Only said of texts that have some.
        Escape::Json | Escape::Backslash | Escape::Rooted => return true,
        Escape::Percent => b'%',
        Escape::Plus => b'+',
        Escape::Hash => b'#',
        Escape::Doubled => b'"',
    };
    memchr::memchr(mark, value.text.as_bytes()).is_some()
}

/// The text of a JSON string that is a line: the `\xXX` of its own format stay for that to resolve, since a quote among
/// them must end no field.
#[cold]
pub(super) fn plain_json(text: &str) -> String {
    let mut line = String::new();
    unescape_json(text, false, &mut line);
    line
}

/// The same of a value that may have no escapes; `scratch` holds it when it has.
#[inline]
pub(super) fn plain_line<'a>(value: &Value<'a>, scratch: &'a mut String) -> &'a str {
    if value.escape != Escape::Json {
        return plain(value, scratch);
    }
    scratch.clear();
    unescape_json(value.text, false, scratch);
    scratch
}

#[cold]
fn resolve<'a>(value: &Value<'a>, scratch: &'a mut String) -> &'a str {
    scratch.clear();
    match value.escape {
        Escape::None => return value.text,
        Escape::Json => unescape_json_value(value.text, scratch),
        Escape::Backslash => unescape_backslash(value.text, scratch),
        Escape::Percent => {
            if !unescape_percent(value.text, b'%', scratch) {
                return value.text;
            }
        }
        Escape::Doubled => scratch.push_str(&value.text.replace("\"\"", "\"")),
        Escape::Rooted => {
            scratch.push('/');
            scratch.push_str(value.text);
        }
        Escape::Hash => {
            if !unescape_percent(value.text, b'#', scratch) {
                return value.text;
            }
        }
        Escape::Plus => {
            let blank = |byte| if byte == b'+' { b' ' } else { byte };
            let mut bytes = std::mem::take(scratch).into_bytes();
            bytes.extend(value.text.bytes().map(blank));
            *scratch = String::from_utf8(bytes).unwrap_or_default();
        }
    }
    scratch
}

fn hex(text: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    match text {
        [high, low, ..] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

/// Resolves the escapes of a value in JSON, and those of an nginx that was not told `escape=json`: `\xXX`, for which JSON
/// has no meaning. As in [text](unescape_backslash), those of a value stay where they do not make printable text.
fn unescape_json_value(text: &str, out: &mut String) {
    let has_bytes = memchr::memmem::find(text.as_bytes(), b"\\x").is_some();
    if !(has_bytes && unescape_json(text, true, out)) {
        out.clear();
        unescape_json(text, false, out);
    }
}

/// Resolves JSON string escapes. What is no valid escape stays as it is; a lone surrogate becomes U+FFFD. With `has_bytes`
/// runs of `\xXX` become text, too; `false` where one of them makes none.
fn unescape_json(text: &str, has_bytes: bool, out: &mut String) -> bool {
    let (mut rest, mut is_text) = (text, true);
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let simple = match escape.as_bytes().get(1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                rest = unescape_unicode(escape, out);
                continue;
            }
            Some(b'x') if has_bytes => {
                rest = unescape_bytes(escape, &mut is_text, out);
                continue;
            }
            _ => {
                out.push('\\');
                rest = escape.get(1..).unwrap_or_default();
                continue;
            }
        };
        out.push(simple);
        rest = escape.get(2..).unwrap_or_default();
    }
    out.push_str(rest);
    is_text
}

/// Resolves the run of `\xXX` at the start of `text`; returns what follows.
fn unescape_bytes<'a>(text: &'a str, is_text: &mut bool, out: &mut String) -> &'a str {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(byte) = rest.strip_prefix("\\x").and_then(|digits| hex(digits.as_bytes())) {
        bytes.push(byte);
        rest = rest.get(4..).unwrap_or_default();
    }
    match std::str::from_utf8(&bytes) {
        _ if bytes.is_empty() => {
            out.push('\\');
            rest = text.get(1..).unwrap_or_default();
        }
        Ok(decoded) if is_printable(decoded) => out.push_str(decoded),
        _ => *is_text = false,
    }
    rest
}

/// Resolves one `\uXXXX`, or a pair of surrogates, at the start of `text`; returns what follows.
fn unescape_unicode<'a>(text: &'a str, out: &mut String) -> &'a str {
    let unit = |text: &str| text.get(2..6).and_then(|hex| u16::from_str_radix(hex, 16).ok());
    let Some(first) = unit(text) else {
        out.push('\\');
        return text.get(1..).unwrap_or_default();
    };
    let rest = text.get(6..).unwrap_or_default();
    let second = if rest.starts_with("\\u") { unit(rest) } else { None };
    if let (0xD800..=0xDBFF, Some(second @ 0xDC00..=0xDFFF)) = (first, second) {
        out.extend(char::decode_utf16([first, second]).flatten());
        return rest.get(6..).unwrap_or_default();
    }
    out.push(char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER));
    rest
}

/// Resolves `\xXX`, `\"` and `\\` when the whole value is then printable text. Otherwise it is binary, and stays as it
/// was logged, so that it can be read.
fn unescape_backslash(text: &str, out: &mut String) {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, escape) = rest.split_at(at);
        bytes.extend_from_slice(before);
        let (byte, length) = match escape {
            [_, b'x', digits @ ..] => match hex(digits) {
                Some(byte) => (byte, 4),
                None => (b'\\', 1),
            },
            [_, quoted @ (b'"' | b'\\'), ..] => (*quoted, 2),
            _ => (b'\\', 1),
        };
        bytes.push(byte);
        rest = escape.get(length..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest);
    match std::str::from_utf8(&bytes) {
        Ok(decoded) if is_printable(decoded) => out.push_str(decoded),
        _ => out.push_str(text),
    }
}

/// Resolves `%XX`, or `#XX`, and of the former `+` where it must stand for a blank: a slash is escaped, as in forms, and no blank is. `false`,
/// with `out` in any state, when the result is not printable text.
fn unescape_percent(text: &str, mark: u8, out: &mut String) -> bool {
    let is_form = mark == b'%'
        && memchr::memchr(b'+', text.as_bytes()).is_some()
        && !text.contains("%20")
        && (text.contains("%2F") || text.contains("%2f"));
    let mut bytes = std::mem::take(out).into_bytes();
    let mut rest = text.as_bytes();
    while let Some(at) = search::either(rest, mark, if is_form { b'+' } else { mark }) {
        let (before, escape) = rest.split_at(at);
        bytes.extend_from_slice(before);
        let (byte, length) = match escape {
            [first, digits @ ..] if *first == mark => {
                hex(digits).map_or((mark, 1), |byte| (byte, 3))
            }
            _ => (b' ', 1),
        };
        bytes.push(byte);
        rest = escape.get(length..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest);
    match String::from_utf8(bytes) {
        Ok(decoded) => {
            *out = decoded;
            is_printable(out)
        }
        Err(_) => false,
    }
}

/// Whether there are no control characters.
fn is_printable(text: &str) -> bool {
    // No way out of the loop, so that it looks at many bytes at once.
    let is_plain = text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'));
    is_plain || !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(escape: Escape, cases: &[(&str, &str)]) {
        for (text, expected) in cases {
            let value = Value { text, escape, ..Value::default() };
            assert_eq!(plain(&value, &mut String::new()), *expected, "{text}");
        }
    }

    #[test]
    fn json_escapes() {
        check(
            Escape::Json,
            &[
                (r"a\/b\n\t\u00e9\u20AC", "a/b\n\té€"),
                (r#"\"q\" \\ \ud83d\ude00"#, "\"q\" \\ 😀"),
                (r"\ud83d lone \udc00\ud83d", "\u{FFFD} lone \u{FFFD}\u{FFFD}"),
                (r"\u12", r"\u12"),
                (r"\q\", r"\q\"),
                (r"\x22\x00", r"\x22\x00"),
                (r#"\"a\x22 \xD0\x9F\xe2\x82\xAC\""#, "\"a\" П€\""),
                (r"\x22 \xD0 \u0041", r"\x22 \xD0 A"),
                (r"\x5Cx22 \x5Cn \\x22", r"\x22 \n \x22"),
                (r"\xZZ\x2\x22", "\\xZZ\\x2\""),
            ],
        );
        assert_eq!(plain_json(r#"\"a\x22\""#), r#""a\x22""#);
    }

    #[test]
    fn backslash_escapes_stay_where_they_are_binary() {
        check(
            Escape::Backslash,
            &[
                (r"a\x22b\x5Cc", r#"a"b\c"#),
                (r#"a\"b\\c"#, r#"a"b\c"#),
                (r"\xD0\x9F\xE2\x82\xAC", "П€"),
                (r"\x16\x03\x01\xC4\x8C\x22", r"\x16\x03\x01\xC4\x8C\x22"),
                (r"\xD0 \x22", r"\xD0 \x22"),
                (r"\xZZ\x2", r"\xZZ\x2"),
                (r"\t\", r"\t\"),
            ],
        );
    }

    #[test]
    fn percent_and_plus() {
        check(
            Escape::Percent,
            &[
                ("a%20b", "a b"),
                ("%FF%", "%FF%"),
                ("100%", "100%"),
                ("%00", "%00"),
                ("Mozilla%2F5.0+%28X11%2B%29", "Mozilla/5.0 (X11+)"),
                ("Bot%2F1.0%20(+b)", "Bot/1.0 (+b)"),
                ("Bot/1.0(+b%29", "Bot/1.0(+b)"),
            ],
        );
        check(Escape::Plus, &[("Mozilla/5.0+(X11)", "Mozilla/5.0 (X11)")]);
    }

    #[test]
    fn bytes_that_are_not_text_become_readable() {
        assert_eq!(clean(b"caf\xC3\xA9", &mut String::new()), "café");
        assert_eq!(clean(b"\x16\xFFa\xE2\x82", &mut String::new()), "\u{16}\\xFFa\\xE2\\x82");
    }
}

//! Lines inside JSON that no table of keys reaches: objects, lists of bytes, and several in one value.

use std::ops::Range;

use super::scan::{Broken, Cursor};
use crate::text::plain_json;

/// Longest list of bytes that is read for a line.
const BYTES_MAX: usize = schemas::limits::LINE_BYTES_MAX;

/// Deepest nesting of the lists in which lines are looked for.
const DEPTH_MAX: usize = 8;

/// Most lines of one value.
const LINES_MAX: usize = 100_000;

/// Keys of lists whose entries are lines: `CloudWatch`, OTLP, Azure, Loki, and collectors.
const LIST_KEYS: &[&str] = &[
    "logEvents",
    "resourceLogs",
    "scopeLogs",
    "logRecords",
    "records",
    "Records",
    "streams",
    "values",
    "events",
    "entries",
    "logs",
    "messages",
    "data",
    "items",
    "results",
    // journald: a field that was sent several times.
    "MESSAGE",
    "message",
];

/// Calls `found` for each key of an object with the place of its value, which is behind it afterwards, until it says
/// that this is enough.
fn keys_of<'a>(
    cursor: &mut Cursor<'a>,
    mut found: impl FnMut(&'a str, Cursor<'a>) -> bool,
) -> Result<(), Broken> {
    if !cursor.enters_object()? {
        return Ok(());
    }
    loop {
        let key = cursor.key()?;
        if found(key, *cursor) {
            return Ok(());
        }
        cursor.skip_value()?;
        if !cursor.another()? {
            return Ok(());
        }
    }
}

/// The value of the first of the keys in the object `text` that begins with `byte`.
fn value_of<'a>(text: &'a str, keys: &[&str], byte: u8) -> Option<Cursor<'a>> {
    let mut value = None;
    let read = keys_of(&mut Cursor::new(text), |key, mut place| {
        if keys.contains(&key) && place.peek() == Ok(byte) {
            value = Some(place);
        }
        value.is_some()
    });
    read.ok().and(value)
}

/// The object that is the value of one of the keys.
pub(in super::super) fn object_in<'a>(text: &'a str, keys: &[&str]) -> Option<&'a str> {
    let place = value_of(text, keys, b'{')?;
    slice(text, place)
}

/// Whether an object has all of the keys.
pub(super) fn has_keys(text: &str, keys: &[&str]) -> bool {
    let mut found = 0;
    let read = keys_of(&mut Cursor::new(text), |key, _| {
        found += usize::from(keys.contains(&key));
        found == keys.len()
    });
    read.is_ok() && found == keys.len()
}

/// The object that is all that an object holds.
pub(in super::super) fn sole_object(text: &str) -> Option<&str> {
    let (mut found, mut keys) = (None, 0);
    let read = keys_of(&mut Cursor::new(text), |_, mut place| {
        keys += 1;
        if place.peek() == Ok(b'{') {
            found = Some(place);
        }
        keys > 1
    });
    read.ok().filter(|()| keys == 1)?;
    slice(text, found?)
}

/// Where the text of the first string is that is the value of one of the keys, in bytes.
pub(in super::super) fn string_in(text: &str, keys: &[&str]) -> Option<Range<usize>> {
    let mut place = value_of(text, keys, b'"')?;
    let start = place.place() + 1;
    let (string, _) = place.string().ok()?;
    Some(start..start + string.len())
}

/// Whether another object is somewhere behind a value.
pub(in super::super) fn is_followed(text: &str) -> bool {
    let mut cursor = Cursor::new(text);
    cursor.skip_value().is_ok() && cursor.rest().contains(&b'{')
}

/// Whether a value ends with the text before its own end.
pub(in super::super) fn is_open(text: &str) -> bool {
    Cursor::new(text).skip_value().is_err()
}

/// The text of the value at a place.
fn slice<'a>(text: &'a str, mut place: Cursor<'a>) -> Option<&'a str> {
    place.peek().ok()?;
    let start = place.place();
    place.skip_value().ok()?;
    text.get(start..place.place())
}

/// The bytes that are listed as the value of one of the keys.
pub(in super::super) fn bytes_in(text: &str, keys: &[&str]) -> Option<Vec<u8>> {
    let mut place = value_of(text, keys, b'[')?;
    place.skip(1);
    let mut bytes = Vec::new();
    while bytes.len() < BYTES_MAX {
        let Some(first) = place.entry().ok()? else {
            return (!bytes.is_empty()).then_some(bytes);
        };
        bytes.push(place.scalar(first).ok()?.text.parse().ok()?);
    }
    None
}

/// The lines of which a value is made: those of a list, of the lists that collectors write, of values one behind the
/// other. `None` where it is not made of such.
pub(in super::super) fn values_in(text: &str) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    let mut cursor = Cursor::new(text);
    while let Ok(first) = cursor.peek_value() {
        match first {
            b'{' | b'[' | b'"' => collect(text, &mut cursor, &mut lines, 0).ok()?,
            _ => return None,
        }
    }
    let is_itself = matches!(&lines[..], [line] if line.len() >= text.trim_ascii().len());
    (!lines.is_empty() && !is_itself && lines.len() < LINES_MAX).then_some(lines)
}

/// Collects the lines of a value.
fn collect<'a>(
    text: &'a str,
    cursor: &mut Cursor<'a>,
    lines: &mut Vec<String>,
    depth: usize,
) -> Result<(), Broken> {
    if depth > DEPTH_MAX || lines.len() > LINES_MAX {
        return Err(Broken);
    }
    match cursor.peek()? {
        b'[' => collect_list(text, cursor, lines, depth),
        b'{' => {
            let whole = slice(text, *cursor).ok_or(Broken)?;
            let mut lists = Vec::new();
            keys_of(cursor, |key, mut place| {
                if LIST_KEYS.contains(&key) && place.peek() == Ok(b'[') {
                    lists.push(place);
                }
                false
            })?;
            if lists.is_empty() {
                lines.push(whole.to_owned());
            }
            lists.iter_mut().try_for_each(|list| collect_list(text, list, lines, depth + 1))
        }
        b'"' => {
            let (string, _) = cursor.string()?;
            lines.push(plain_json(string).trim_ascii().to_owned());
            Ok(())
        }
        _ => cursor.skip_value(),
    }
}

/// Those of a list. Texts beside objects are tags, and those of digits alone are times.
fn collect_list<'a>(
    text: &'a str,
    cursor: &mut Cursor<'a>,
    lines: &mut Vec<String>,
    depth: usize,
) -> Result<(), Broken> {
    cursor.expect(b'[')?;
    let mut entries = Vec::new();
    while let Some(first) = cursor.entry()? {
        entries.push((first, *cursor));
        cursor.skip_value()?;
    }
    // Loki: a time and a line, perhaps with an object of what is known of it.
    if let [(b'"', time), (b'"', line), ..] = &*entries
        && is_time(*time)
    {
        let mut line = *line;
        return collect(text, &mut line, lines, depth + 1);
    }
    let has_objects = entries.iter().any(|(first, _)| matches!(first, b'{' | b'['));
    for (first, mut entry) in entries {
        if first != b'"' || !has_objects && !is_time(entry) {
            collect(text, &mut entry, lines, depth + 1)?;
        }
    }
    Ok(())
}

/// Whether a string is made of digits, as nanoseconds are.
fn is_time(mut place: Cursor<'_>) -> bool {
    place.string().is_ok_and(|(text, _)| text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_where_collectors_put_them() {
        for (text, lines) in [
            (r#"["a","b"]"#, Some(vec!["a", "b"])),
            (r#"["tag",1,{"log":"a"}]"#, Some(vec![r#"{"log":"a"}"#])),
            (r#"{"m":1} {"m":2},{"m":3}"#, Some(vec![r#"{"m":1}"#, r#"{"m":2}"#, r#"{"m":3}"#])),
            (r#"{"logEvents":[{"message":"a"}],"x":[1]}"#, Some(vec![r#"{"message":"a"}"#])),
            (
                r#"{"streams":[{"stream":{},"values":[["17","a"],["18","b"]]}]}"#,
                Some(vec!["a", "b"]),
            ),
            (r#"{"streams":[{"stream":{},"values":[["17","a",{"trace":"x"}]]}]}"#, Some(vec!["a"])),
            (r#"{"MESSAGE":["a","b"],"_HOSTNAME":"e"}"#, Some(vec!["a", "b"])),
            (r#"{"data":[{"m":1}],"pagination":{"limit":1}}"#, Some(vec![r#"{"m":1}"#])),
            (r#""\"a\"""#, Some(vec![r#""a""#])),
            (r#"{"m":1}"#, None),
            (r#"{"m":1} x"#, None),
            (r#"{"m":1} {"#, None),
            ("[1,2]", None),
            ("", None),
        ] {
            let found = values_in(text);
            let found = found.as_ref().map(|lines| lines.iter().map(|line| &**line).collect());
            assert_eq!(found, lines, "{text}");
        }
    }

    #[test]
    fn values_of_keys() {
        let text = r#"{"x":{"payload":{"a":0}},"payload":{"b":1},"MESSAGE":[104, 105]}"#;
        assert_eq!(object_in(text, &["payload"]), Some(r#"{"b":1}"#));
        assert_eq!(object_in(text, &["y"]), None);
        assert_eq!(sole_object(r#"{"info":{"a":1}}"#), Some(r#"{"a":1}"#));
        assert_eq!(sole_object(text), None);
        assert_eq!(sole_object(r#"{"info":1}"#), None);
        assert_eq!(string_in(r#"{"a":1,"log":"x"}"#, &["log"]), Some(14..15));
        assert_eq!(bytes_in(text, &["MESSAGE"]), Some(b"hi".to_vec()));
        assert_eq!(bytes_in(r#"{"m":[1,256]}"#, &["m"]), None);
        assert_eq!(bytes_in(r#"{"m":[]}"#, &["m"]), None);
    }
}

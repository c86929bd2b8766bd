//! Makes text that came from traffic safe to show on a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` with every character that a terminal could act on written as an escape.
///
/// Control characters (C0, DEL, C1), Unicode line separators and bidirectional overrides become `\n`, `\t`,
/// `\u{…}`; everything else is left alone.
///
/// # Example
/// ```
/// assert_eq!(cli::alerts::escape("a\u{1b}[2J\nb"), "a\\u{1b}[2J\\nb");
/// ```
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if acts_on_a_terminal(c) => {
                // Writing to a String cannot fail.
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    safe
}

/// JSON text with the characters that a terminal could act on written as `\uXXXX`.
///
/// JSON escapes C0 by itself; DEL, C1 and bidirectional overrides it may leave as they are. They can occur only
/// inside strings, so the value stays the same.
pub(super) fn json(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts_on_a_terminal) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts_on_a_terminal(c) {
            // Writing to a String cannot fail; all of these are in the basic plane.
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

fn acts_on_a_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn ordinary_text_is_left_alone() {
        assert_eq!(escape("GET /straße?q=1 \u{1f600}"), "GET /straße?q=1 \u{1f600}");
    }

    #[test]
    fn json_keeps_its_value() {
        let json = serde_json::to_string("\u{9b}31m\u{7f}\u{202e}\u{1b}é").unwrap();
        let safe = super::json(&json);
        assert_eq!(safe, "\"\\u009b31m\\u007f\\u202e\\u001bé\"");
        assert_eq!(
            serde_json::from_str::<String>(&safe).unwrap(),
            serde_json::from_str::<String>(&json).unwrap()
        );
    }

    #[test]
    fn nothing_that_acts_survives() {
        let hostile = "\u{1b}]0;title\u{7}\u{9b}31m\u{202e}gpj.exe\u{7f}";
        let safe = escape(hostile);
        assert!(!safe.chars().any(super::acts_on_a_terminal), "{safe:?}");
        assert_eq!(safe, "\\u{1b}]0;title\\u{7}\\u{9b}31m\\u{202e}gpj.exe\\u{7f}");
    }
}

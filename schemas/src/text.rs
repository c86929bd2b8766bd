//! Text for people: what an attacker chose made safe to show, and numbers made easy to read.
//!
//! A terminal obeys control characters: C0 (U+0000–001F), DEL, C1 (U+0080–009F). Direction marks and invisible
//! characters make a line read as what it is not. Both kinds are shown by their number instead.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether `c` could move the cursor, change the terminal's state, or hide or reorder text.
///
/// # Source
/// Unicode 16.0: general categories Cc and Cf, line and paragraph separators, and of `Default_Ignorable_Code_Point`
/// all but the variation selectors U+FE00–FE0F, which emoji carry.
pub const fn is_unsafe(c: char) -> bool {
    matches!(
        c,
        '\u{0}'..='\u{1f}'                  // C0
            | '\u{7f}'..='\u{9f}'           // DEL, C1
            | '\u{ad}'                      // soft hyphen
            | '\u{34f}'                     // combining grapheme joiner
            | '\u{600}'..='\u{605}'         // Arabic number signs
            | '\u{61c}'                     // Arabic letter mark
            | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
            | '\u{115f}' | '\u{1160}'       // Hangul fillers
            | '\u{17b4}' | '\u{17b5}'       // Khmer inherent vowels
            | '\u{180b}'..='\u{180f}'       // Mongolian selectors and vowel separator
            | '\u{200b}'..='\u{200f}'       // zero width, direction marks
            | '\u{2028}'..='\u{202e}'       // separators, embeddings, overrides
            | '\u{2060}'..='\u{206f}'       // word joiner, isolates, deprecated controls
            | '\u{3164}' | '\u{ffa0}'       // Hangul fillers
            | '\u{feff}'                    // byte order mark
            | '\u{fff0}'..='\u{fffb}'       // reserved, interlinear annotation
            | '\u{110bd}' | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'     // hieroglyph controls
            | '\u{1bca0}'..='\u{1bca3}'     // shorthand controls
            | '\u{1d173}'..='\u{1d17a}'     // musical controls
            | '\u{e0000}'..='\u{e0fff}'     // tags, further variation selectors
    )
}

/// `text` on one line, with `\n`, `\t`, `\r`, `\x1b` or `\u{202e}` for every unsafe character.
///
/// # Example
/// ```
/// assert_eq!(schemas::text::escape("a\u{1b}[31m\tb"), r"a\x1b[31m\tb");
/// ```
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push(&mut safe, c);
    }
    Cow::Owned(safe)
}

/// Appends `c` as [`escape`] writes it.
pub fn push(out: &mut String, c: char) {
    // Writing to a String cannot fail.
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if !is_unsafe(c) => out.push(c),
        c if u32::from(c) < 0x80 => _ = write!(out, "\\x{:02x}", u32::from(c)),
        c => _ = write!(out, "\\u{{{:x}}}", u32::from(c)),
    }
}

/// JSON with every unsafe character written as `\u` and four digits; line ends stay.
///
/// JSON escapes C0 by itself; the others it may leave as they are. They can occur only inside strings, so the value
/// stays the same.
///
/// # Example
/// ```
/// assert_eq!(schemas::text::escape_json("\"\u{202e}é\""), r#""\u202eé""#);
/// ```
pub fn escape_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_unsafe) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if c == '\n' || !is_unsafe(c) {
            safe.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            _ = write!(safe, "\\u{unit:04x}");
        }
    }
    Cow::Owned(safe)
}

/// `1234567` as `1,234,567`.
///
/// # Example
/// ```
/// assert_eq!([0, 999, 1_000, 1_234_567].map(schemas::text::thousands), ["0", "999", "1,000", "1,234,567"]);
/// ```
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_left_alone() {
        for text in ["GET /straße?q=1 \u{1f600}", "\u{2764}\u{fe0f}", "日本語", "\\x1b"] {
            assert!(matches!(escape(text), Cow::Borrowed(same) if same == text));
            assert!(matches!(escape_json(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn nothing_that_acts_survives() {
        let all: String = (0..=0x10_ffff).filter_map(char::from_u32).collect();
        assert!(!escape(&all).contains(is_unsafe));
        let hostile = "\u{1b}]0;title\u{7}\u{9b}31m\u{202e}gpj.exe\u{7f}\u{e0041}";
        let safe = "\\x1b]0;title\\x07\\u{9b}31m\\u{202e}gpj.exe\\x7f\\u{e0041}";
        assert_eq!(escape(hostile), safe);
    }

    #[test]
    fn every_control_character_is_unsafe() {
        let controls = (0..=0x10_ffff).filter_map(char::from_u32).filter(|c| c.is_control());
        assert_eq!(controls.filter(|c| !is_unsafe(*c)).count(), 0);
    }

    #[test]
    fn json_keeps_its_value() {
        let all: String = (0..=0x10_ffff).filter_map(char::from_u32).collect();
        let json = serde_json::to_string(&all).unwrap();
        let safe = escape_json(&json);
        assert!(!safe.contains(is_unsafe));
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), all);
    }
}

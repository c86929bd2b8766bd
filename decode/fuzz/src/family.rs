//! A family of configurations, one of which an input chooses.
//!
//! An input is a byte that chooses, a byte that says where to cut, and the text:
//!
//! ```text
//! c\x50192.0.2.1 - - [01/May/2024:12:00:00 +0000] "GET / HTTP/1.1" 200 5\n…
//! ```

use decode::{DecoderConfig, Format};

use crate::laws;
use crate::reader::Reader;

/// The byte of the first choice.
const FIRST: u8 = b'a';

/// Bytes of a setting that stands in the input: it is the word of an operator, not of traffic.
const SETTING_BYTES_MAX: usize = 4_096;

/// Lines that are read of one input, enough for several batches: more take their time for being many.
const LINES_MAX: usize = 1 << 15;

/// Which part of a configuration the second word of a choice is.
#[derive(Debug, Clone, Copy)]
pub enum Setting {
    /// None: names of formats only.
    Nothing,
    /// The format string.
    FormatString,
    /// `w3c_fields`.
    Fields,
    /// The field map, as JSON.
    FieldMap,
}

#[derive(Debug)]
enum Choice {
    /// Known beforehand, with the reader that has read the texts before.
    Given(Box<(DecoderConfig, Option<Reader>)>),
    /// This format, with the setting on the first line of the input.
    FromInput(&'static str),
}

/// The configurations of one fuzz target.
#[derive(Debug)]
pub struct Family {
    setting: Setting,
    choices: Vec<Choice>,
}

impl Family {
    /// The choices of a list: on each line the name of a format and, behind a blank, a setting; `*` stands for one
    /// that the input holds.
    pub fn new(list: &'static str, setting: Setting) -> Self {
        let choice = |line: &'static str| match line.split_once(' ') {
            Some((format, "*")) => Choice::FromInput(format),
            Some((format, text)) => {
                let config = configure(format, setting, text).expect("the setting is good");
                Choice::Given(Box::new((config, None)))
            }
            None => Choice::Given(Box::new((DecoderConfig::of(line), None))),
        };
        Self { setting, choices: list.lines().map(choice).collect() }
    }

    /// Checks the laws on an input.
    pub fn check(&mut self, input: &[u8]) {
        let [choice, seed, text @ ..] = input else { return };
        if text.split(|byte| *byte == b'\n').count() > LINES_MAX {
            return;
        }
        let index = usize::from(choice.wrapping_sub(FIRST)) % self.choices.len();
        match &mut self.choices[index] {
            Choice::Given(given) => {
                let (config, reader) = &mut **given;
                let reader = reader.get_or_insert_with(|| {
                    Reader::new(config).expect("the configuration makes sense")
                });
                laws::check(reader, config, text, *seed);
            }
            Choice::FromInput(format) => check_configured(format, self.setting, text, *seed),
        }
    }
}

/// Checks the laws on a text whose first line is a setting. That it makes no sense may be said, but must be said.
fn check_configured(format: &str, setting: Setting, text: &[u8], seed: u8) {
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let (line, text) = text.split_at(end);
    let Ok(line) = std::str::from_utf8(line) else { return };
    if line.len() > SETTING_BYTES_MAX {
        return;
    }
    let Some(config) = configure(format, setting, line) else { return };
    match Reader::new(&config) {
        Ok(mut reader) => {
            laws::check(&mut reader, &config, text.get(1..).unwrap_or_default(), seed);
        }
        Err(error) => assert!(!error.to_string().is_empty(), "an error says what is wrong"),
    }
}

/// The configuration of a format with a setting; `None` when the text cannot be one.
fn configure(format: &str, setting: Setting, text: &str) -> Option<DecoderConfig> {
    let config = DecoderConfig::of(format);
    Some(match setting {
        Setting::FormatString if text.contains(['$', '%']) => DecoderConfig::of(text),
        Setting::Nothing | Setting::FormatString => return None,
        Setting::Fields => DecoderConfig { w3c_fields: Some(text.to_owned()), ..config },
        Setting::FieldMap => DecoderConfig { fields: serde_json::from_str(text).ok()?, ..config },
    })
}

/// The formats by family, as the run script reads them too.
pub mod lists {
    /// Text lines.
    pub const TEXT_LINES: &str = include_str!("../choices/text_lines");
    /// Format strings.
    pub const FORMAT_STRINGS: &str = include_str!("../choices/format_strings");
    /// W3C.
    pub const W3C: &str = include_str!("../choices/w3c");
    /// JSON.
    pub const JSON: &str = include_str!("../choices/json");
    /// Recognised.
    pub const AUTO: &str = include_str!("../choices/auto");
}

/// Panics when a format is in no family: a new one is to be fuzzed too.
pub fn every_format_is_listed() {
    let named: Vec<&str> = [lists::TEXT_LINES, lists::W3C, lists::JSON, lists::AUTO]
        .iter()
        .flat_map(|list| list.lines())
        .filter_map(|line| line.split(' ').next())
        .collect();
    for name in Format::names() {
        assert!(named.contains(&name), "format {name} is in no list of decode/fuzz/choices");
    }
}

//! The formats that a line was tried in, and where each of them stopped.

use crate::envelope::{ENVELOPES, Envelope, Opener};
use crate::format::Format;
use crate::line::sound::is_address;
use crate::recognise::{Flaw, Reading, flaw};
use crate::record::{Record, Slot};
use crate::request::{is_method, split_request};
use crate::text::place;
use crate::time::TimeParser;
use crate::{ConfigError, DecoderConfig};

/// A format that a line is not of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The format.
    pub format: Format,
    /// How many values it found that are what they are taken for: a time, an address, a number, a request.
    pub values: usize,
    /// The last of all values that it took, sound or not.
    pub behind: Option<&'static str>,
    /// Where it ends, in bytes of the text inside the envelope.
    pub at: usize,
    /// Why the line is not of the format.
    pub why: &'static str,
}

/// Every format that is known by name, those first that came furthest. The line is tried as it is, and without its
/// envelope.
pub(super) fn tried(
    config: &DecoderConfig,
    opener: &mut Opener,
    text: &str,
) -> Result<Vec<Tried>, ConfigError> {
    let inner = innermost(opener, text);
    let is_json = is_json(&inner);
    let auto = DecoderConfig { format: Format::Auto.name().to_owned(), ..config.clone() };
    let mut tried = Vec::new();
    for format in Format::ALL.iter().copied() {
        if matches!(format, Format::Auto | Format::Json | Format::Custom) {
            continue;
        }
        let mut decoder = auto.decoder(format)?;
        if decoder.is_json() == is_json {
            tried.extend(stop(&mut decoder, &inner));
        }
    }
    if config.format()? == Format::Custom {
        tried.extend(stop(&mut config.decoder(Format::Custom)?, &inner));
    }
    tried.retain(|tried| tried.values > 0);
    tried.sort_by_key(|tried| (std::cmp::Reverse(tried.values), std::cmp::Reverse(tried.at)));
    Ok(tried)
}

/// Whether a line is JSON, or was to be.
pub(super) fn is_json(line: &str) -> bool {
    let start = line.trim_start();
    start.starts_with('{') || start.starts_with("[{")
}

/// The text inside all that could be taken off.
fn innermost(opener: &mut Opener, text: &str) -> String {
    for envelope in ENVELOPES.into_iter().filter(|envelope| *envelope != Envelope::None) {
        let mut scratch = String::new();
        if let Some(inner) = opener.open(envelope, text, &mut scratch) {
            return inner.to_owned();
        }
    }
    text.to_owned()
}

fn stop(decoder: &mut crate::Decoder, line: &str) -> Option<Tried> {
    let mut record = Record::default();
    let flaw = flaw(decoder, line, Reading::Strict, &mut record)?;
    let ends = Slot::NAMES
        .iter()
        .filter_map(|(name, slot)| Some((place(line, record.get(*slot)?.text)?.end, *name)));
    let last = ends.max();
    Some(Tried {
        format: decoder.format(),
        values: Slot::NAMES.iter().filter(|(_, slot)| is_sound(&record, *slot)).count(),
        behind: last.map(|(_, name)| name),
        at: last.map_or(0, |(end, _)| end),
        why: words(flaw),
    })
}

/// Whether the value of a slot is plainly what it is taken for; most are text, of which nothing can be said.
fn is_sound(record: &Record<'_>, slot: Slot) -> bool {
    let Some(value) = record.get(slot) else { return false };
    let is_number = || !value.text.is_empty() && value.text.bytes().all(|b| b.is_ascii_digit());
    match slot {
        Slot::Time | Slot::Start => TimeParser::default().parse(value.text, value.unit).is_some(),
        Slot::ClientIp => is_address(value.text),
        Slot::Method => is_method(value.text) && value.text.bytes().all(|b| b.is_ascii_uppercase()),
        Slot::Request => !split_request(value.text).malformed,
        Slot::Status => value.text.len() == 3 && is_number(),
        Slot::RequestBytes | Slot::ResponseBytes => is_number(),
        Slot::Uri | Slot::Path => value.text.starts_with('/') || value.text.starts_with("http"),
        _ => !record.is_text,
    }
}

const fn words(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::Otherwise => "the line goes on otherwise",
        Flaw::Short => "the line ends before the format does",
        Flaw::Client => "what stands where the client does is no address",
        Flaw::Host => "what stands where the host does is none",
        Flaw::Method => "what stands where the method does is none",
        Flaw::Time => "it finds no time that can be read",
        Flaw::Request => "it finds no request",
        Flaw::Number => "a status or a size is no number",
    }
}

//! `--format auto`: which format a line is written in.
//!
//! The first line that follows a format to its end decides for its stream; lines before it are rejects. One line is
//! enough, and only one keeps the answer independent of how the stream was cut.

use super::line::Fit;
use super::record::{Record, Slot, Unit};
use super::time::TimeParser;
use super::{Decoder, DecoderConfig};
use crate::decode::address::canonical_ip;
use crate::format::Format;

/// JSON dialects; the one that fills most values wins, the earlier one of equals.
const JSON: &[Format] = &[Format::Cloudflare, Format::Floodmark, Format::NginxJson];

/// Text formats, the more particular first.
const LINES: &[Format] = &[Format::VhostCombined, Format::Combined];

/// A decoder for the format of `line`; `None` when it follows none.
pub(super) fn recognise(config: &DecoderConfig, line: &str) -> Option<Decoder> {
    if line.trim_ascii_start().starts_with('{') {
        recognise_json(config, line)
    } else {
        LINES.iter().find_map(|format| recognise_line(config, *format, line))
    }
}

fn recognise_json(config: &DecoderConfig, line: &str) -> Option<Decoder> {
    let mut best: Option<(u32, Decoder)> = None;
    for format in JSON {
        let Ok(mut decoder) = config.decoder(*format) else { continue };
        let mut record = Record::default();
        let fit = decoder.decode(line, &mut record);
        let score = record.filled();
        let better = best.as_ref().is_none_or(|(other, _)| score > *other);
        if fit == Ok(Fit::Whole) && better && has_time(&record) && has_request(&record) {
            best = Some((score, decoder));
        }
    }
    best.map(|(_, decoder)| decoder)
}

fn recognise_line(config: &DecoderConfig, format: Format, line: &str) -> Option<Decoder> {
    let mut decoder = config.decoder(format).ok()?;
    let mut record = Record::default();
    let fit = decoder.decode(line, &mut record).ok()?;
    let text = |slot| record.get(slot).map(|value| value.text);
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let plausible = match format {
        // The word behind the host must be an address, else it is `combined` with a name as client.
        Format::VhostCombined => {
            text(Slot::ClientIp).is_some_and(|ip| canonical_ip(ip, &mut String::new()).is_some())
        }
        _ => true,
    };
    let known = matches!(fit, Fit::Whole | Fit::Extra)
        && plausible
        && has_time(&record)
        && text(Slot::Status).is_none_or(is_number);
    if known && format == Format::Combined && !record.was_seen(Slot::UserAgent) {
        return config.decoder(Format::Common).ok();
    }
    known.then_some(decoder)
}

fn has_time(record: &Record<'_>) -> bool {
    let readable = |slot| {
        record
            .get(slot)
            .is_some_and(|value| TimeParser::default().parse(value.text, Unit::Auto).is_some())
    };
    readable(Slot::Time) || readable(Slot::Start) || record.get(Slot::Date).is_some()
}

fn has_request(record: &Record<'_>) -> bool {
    [Slot::ClientIp, Slot::Request, Slot::Uri, Slot::Path, Slot::Status]
        .iter()
        .filter(|slot| record.was_seen(**slot))
        .count()
        >= 2
}

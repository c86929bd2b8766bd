//! The lines of one partition, and what was learnt from those before: format, envelope, header.

use serde::{Deserialize, Serialize};

use super::config::DecoderConfig;
use super::delimited::Layouts;
use super::envelope::{ENVELOPES, Envelope, Opener};
use super::line::{Fit, Layout};
use super::parts::Parts;
use super::reasons::refusal_of;
use super::recognise::{Reading, Recognised, Recogniser, begins_line, follows, recognise_iis};
use super::record::{Record, Slot};
use super::{ConfigError, Decoder, RejectReason};
use crate::format::Format;

/// What all streams of one configuration share.
#[derive(Debug)]
pub struct Formats {
    /// `None` for `auto`.
    given: Option<Decoder>,
    /// What stands among lines of the given format: requests to no host that was named.
    beside: Option<Decoder>,
    recogniser: Option<Recogniser>,
    layouts: Layouts,
    /// No one named the fields of W3C lines.
    may_guess_fields: bool,
    opener: Opener,
}

impl Formats {
    /// Prepares the formats that `config` allows.
    ///
    /// # Errors
    /// [`ConfigError`] when the configuration makes no sense.
    pub fn new(config: &DecoderConfig) -> Result<Self, ConfigError> {
        config.validate()?;
        let (given, recogniser) = match config.format()? {
            Format::Auto => (None, Some(Recogniser::new(config)?)),
            format => (Some(config.decoder(format)?), None),
        };
        let beside = match config.format()? {
            Format::VhostCombined => Some(config.decoder(Format::Combined)?),
            _ => None,
        };
        let may_guess_fields = config.w3c_fields.is_none();
        let layouts = Layouts::new(config, config.format()?);
        Ok(Self { given, beside, recogniser, layouts, may_guess_fields, opener: Opener::default() })
    }

    /// A decoder for `line`, when it follows the given format, or any for `auto`.
    fn decoder_for(
        &mut self,
        line: &str,
        envelope: Envelope,
        reading: Reading,
    ) -> Option<Recognised> {
        if let Some(recogniser) = &mut self.recogniser {
            let found = recogniser.recognise(line, reading);
            let layouts = (reading == Reading::Strict).then_some(&mut self.layouts);
            return found.or_else(|| layouts?.recognise(line));
        }
        let given = self.given.as_mut()?;
        if given.format() == Format::Iis && self.may_guess_fields {
            return if reading == Reading::Strict { recognise_iis(line) } else { None };
        }
        if follows(given, line, reading) {
            return Some(given.clone().into());
        }
        if given.is_json() && self.may_guess_fields && reading == Reading::Strict {
            return self.layouts.recognise(line);
        }
        // `shop.example | `, taken off, may have been the host.
        let is_sure = reading == Reading::Strict && !matches!(envelope, Envelope::Prefix(_));
        let beside = self.beside.as_mut().filter(|_| is_sure)?;
        follows(beside, line, reading).then(|| beside.clone().into())
    }
}

/// Formats remembered of one partition.
const WAYS_MAX: usize = 8;

/// One of the ways in which the lines of a partition are written.
#[derive(Debug, Clone)]
struct Way {
    decoder: Decoder,
    envelope: Envelope,
    /// The `#Fields:` header, or the fields that lines without one were found to have.
    header: Option<String>,
    /// What its lines may lack and be of this format all the same: see [`lacks`].
    lacks: u8,
}

/// How the lines of one partition are read: the way of the last line first.
///
/// A topic may carry lines of several formats. Each is read in the way of the line before it if it can be, else in
/// another way that was met, else it is recognised anew.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    ways: Vec<Way>,
    /// Beginnings of lines and values that go on in lines to come.
    pub(super) parts: Parts,
    /// What the captured headers of HAProxy's lines are.
    captures: Layout,
}

/// What a stream has learnt from its lines, to be kept with its position: a reader that goes on from there without
/// it could judge the next lines otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learnt {
    /// Name of the format.
    pub format: String,
    /// What is around the lines.
    pub envelope: Envelope,
    /// The `#Fields:` header that holds, of W3C files.
    pub header: Option<String>,
    /// What lines of JSON may lack, as bits.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lacks: u8,
    /// The same of the other formats met, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Self>,
    /// Beginnings that wait for their ends.
    #[serde(default, skip_serializing_if = "Parts::is_default")]
    pub parts: Parts,
    /// What the captured headers of HAProxy's lines are.
    #[serde(default, skip_serializing_if = "Layout::is_default")]
    pub captures: Layout,
    /// Where the next line is read, if there are such beginnings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// Where a partition is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Kafka topic, or the name of the file.
    pub topic: String,
    /// Kafka partition; `None` for files.
    pub number: Option<i32>,
    /// The position of the next message or line.
    pub next: i64,
    /// When the last one arrived, microseconds UTC.
    pub arrival_us: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(bits: &u8) -> bool {
    *bits == 0
}

impl Stream {
    /// The format of the last line, once known.
    pub fn format(&self, formats: &Formats) -> Option<Format> {
        self.ways.first().map(|way| &way.decoder).or(formats.given.as_ref()).map(Decoder::format)
    }

    /// Takes in a header, which names the fields of the lines after it.
    #[cold]
    pub fn take_header(&mut self, line: &str, formats: &Formats) {
        let given = formats.given.as_ref().map(Decoder::format);
        let format = match given {
            Some(format @ (Format::Cloudfront | Format::CloudfrontRealtime | Format::Iis)) => {
                format
            }
            None if line.contains("x-edge-") => Format::Cloudfront,
            None => Format::Iis,
            Some(_) => return,
        };
        if let Ok(decoder) = DecoderConfig::w3c_decoder(format, line) {
            let header = Some(line.to_owned());
            self.prefer(Way { decoder, envelope: Envelope::None, header, lacks: 0 });
        }
    }

    /// The same of a header of columns, as CSV has it; whether it is one.
    #[cold]
    pub fn take_columns(&mut self, line: &str, formats: &Formats) -> bool {
        if !formats.may_guess_fields {
            return false;
        }
        let Some(decoder) = formats.layouts.recognise_header(line) else { return false };
        let header = Some(line.to_owned());
        self.prefer(Way { decoder, envelope: Envelope::None, header, lacks: 0 });
        true
    }

    /// Makes a way the first, with what is known of it already.
    fn prefer(&mut self, way: Way) {
        let is_same = |known: &Way| {
            known.decoder.format() == way.decoder.format()
                && known.envelope == way.envelope
                && known.header == way.header
        };
        let known = self.ways.iter().position(is_same).map(|at| self.ways.remove(at));
        let lacks = way.lacks | known.as_ref().map_or(0, |known| known.lacks);
        self.ways.insert(0, Way { lacks, ..known.unwrap_or(way) });
        self.ways.truncate(WAYS_MAX);
    }

    /// What was learnt, if anything.
    pub fn learnt(&self) -> Option<Learnt> {
        let mut ways = self.ways.iter().map(|way| Learnt {
            format: way.decoder.format().name().to_owned(),
            envelope: way.envelope,
            header: way.header.clone(),
            lacks: way.lacks,
            ..Learnt::nothing()
        });
        let (parts, captures) = (self.parts.clone(), self.captures);
        let first = match ways.next() {
            Some(first) => first,
            None if parts.is_default() && captures.is_default() => return None,
            // No format yet, and the beginning of a line; or a format that was given.
            None => Learnt::nothing(),
        };
        Some(Learnt { others: ways.collect(), parts, captures, ..first })
    }

    /// A stream that goes on with what was learnt; it starts anew where the configuration says otherwise now.
    pub fn resume(learnt: &Learnt, formats: &Formats) -> Self {
        let all = std::iter::once(learnt).chain(&learnt.others);
        Self {
            ways: all.filter_map(|learnt| Way::resume(learnt, formats)).take(WAYS_MAX).collect(),
            parts: learnt.parts.clone().noted(),
            captures: learnt.captures,
        }
    }

    /// Whether lines are read one by one, and the one before had no envelope.
    #[inline]
    pub fn is_bare(&self) -> bool {
        !self.parts.are_waited_for() && self.has_no_envelope()
    }

    #[inline]
    fn has_no_envelope(&self) -> bool {
        self.ways.first().is_none_or(|way| way.envelope == Envelope::None)
    }

    /// The line without the envelope of the lines before it; `scratch` holds it when escapes had to be resolved.
    #[inline]
    pub fn open<'a>(
        &self,
        line: &'a str,
        formats: &mut Formats,
        scratch: &'a mut String,
    ) -> &'a str {
        match self.ways.first() {
            None | Some(Way { envelope: Envelope::None, .. }) => line,
            Some(way) => formats.opener.open(way.envelope, line, scratch).unwrap_or(line),
        }
    }

    /// Finds a way in which a line can be read that could not be read like the one before it, and makes it the first.
    /// How closely the line follows it; `None` when there is no way.
    #[cold]
    pub fn find(&mut self, line: &str, formats: &mut Formats) -> Option<Reading> {
        if self.is_followed(0, line, formats, Reading::Loose) {
            return Some(Reading::Loose);
        }
        for reading in [Reading::Strict, Reading::Loose] {
            for at in 1..self.ways.len() {
                if self.is_followed(at, line, formats, reading) {
                    let way = self.ways.remove(at);
                    self.ways.insert(0, way);
                    return Some(reading);
                }
            }
            if self.learn(line, formats, reading) {
                return Some(reading);
            }
        }
        None
    }

    /// Whether lines are JSON, as far as is known.
    pub(super) fn is_json(&mut self, formats: &mut Formats) -> bool {
        self.decoder(formats).is_some_and(|decoder| decoder.is_json())
    }

    /// Whether a record begins with a text: it holds what its format has first, up to the request at least. Clients
    /// choose where the parts of their lines begin, but not that a quote stands there as it is.
    #[cold]
    pub(super) fn begins_record(&mut self, text: &str, formats: &mut Formats) -> bool {
        let inside = text.trim_ascii_start().strip_prefix('{').map(str::trim_ascii_start);
        let is_object = inside.is_some_and(|inside| inside.starts_with('"'));
        if let (true, Some(recogniser)) = (self.ways.is_empty(), &mut formats.recogniser) {
            return is_object || recogniser.begins_line(text);
        }
        let given = formats.given.as_mut().filter(|_| self.ways.is_empty());
        let known = self.ways.iter_mut().map(|way| &mut way.decoder).chain(given);
        known
            .into_iter()
            .any(|decoder| if decoder.is_json() { is_object } else { begins_line(decoder, text) })
    }

    /// Whether a text is a record in one of the formats that were met, or in any where none was.
    #[cold]
    pub(super) fn is_record(&mut self, text: &str, formats: &mut Formats) -> bool {
        let is_followed = |way: &mut Way| follows(&mut way.decoder, text, Reading::Strict);
        self.ways.iter_mut().any(is_followed)
            || (self.ways.is_empty()
                && formats.decoder_for(text, Envelope::None, Reading::Strict).is_some())
    }

    /// The same in any format.
    #[cold]
    pub(super) fn is_record_of_any(&mut self, text: &str, formats: &mut Formats) -> bool {
        self.is_record(text, formats)
            || formats.decoder_for(text, Envelope::None, Reading::Strict).is_some()
    }

    fn is_followed(
        &mut self,
        at: usize,
        line: &str,
        formats: &mut Formats,
        reading: Reading,
    ) -> bool {
        let Some(way) = self.ways.get_mut(at) else { return false };
        let mut buffer = String::new();
        let Some(inner) = formats.opener.open(way.envelope, line, &mut buffer) else {
            return false;
        };
        if way.decoder.is_json() {
            // Of dialects the one that says most is taken, which is found out by trying all.
            return false;
        }
        follows(&mut way.decoder, inner, reading)
    }

    /// Finds format and envelope of a line, if it shows them.
    fn learn(&mut self, line: &str, formats: &mut Formats, reading: Reading) -> bool {
        for envelope in ENVELOPES {
            let mut buffer = String::new();
            let inner = formats.opener.open(envelope, line, &mut buffer).map(str::to_owned);
            let Some(inner) = inner else { continue };
            let found = formats.decoder_for(&inner, envelope, reading);
            let Some(Recognised { mut decoder, fields }) = found else { continue };
            let mut record = Record::default();
            let read = decoder.decode_first(&inner, &mut record);
            let lacks = if read.is_ok() { lacks(&record) } else { 0 };
            let lacks = if decoder.is_json() { lacks } else { 0 };
            let header = fields.map(str::to_owned);
            self.prefer(Way { decoder, envelope, header, lacks });
            return true;
        }
        false
    }

    /// Fills `record` from an opened line, unless it holds several records.
    ///
    /// # Errors
    /// [`RejectReason`] when the line is no record.
    #[inline]
    pub fn decode<'a>(
        &mut self,
        line: &'a str,
        formats: &mut Formats,
        record: &mut Record<'a>,
    ) -> Result<Fit, RejectReason> {
        let decoder = decoder_of(&mut self.ways, formats).ok_or(RejectReason::Unrecognised)?;
        if decoder.has_captures() {
            record.layout = self.captures;
        }
        let fit = decoder.decode(line, record)?;
        self.accept(fit, record)
    }

    /// The same of a line for which [`find`](Self::find) found the way.
    ///
    /// # Errors
    /// [`RejectReason`] when the line is no record.
    #[cold]
    pub fn decode_as<'a>(
        &mut self,
        reading: Reading,
        line: &'a str,
        formats: &mut Formats,
        record: &mut Record<'a>,
    ) -> Result<Fit, RejectReason> {
        if reading == Reading::Strict {
            return self.decode(line, formats, record);
        }
        record.layout = self.captures;
        let decoder = self.decoder(formats);
        let fit = decoder.ok_or(RejectReason::Unrecognised)?.decode_loosely(line, record)?;
        self.accept(fit, record)
    }

    /// The same of a line that no way leads to: as much as can be read in the way of the line before it.
    ///
    /// # Errors
    /// [`RejectReason`] when that is nothing.
    #[cold]
    pub fn decode_anyhow<'a>(
        &mut self,
        line: &'a str,
        formats: &mut Formats,
        record: &mut Record<'a>,
    ) -> Result<Fit, RejectReason> {
        record.layout = self.captures;
        let decoder = self.decoder(formats);
        let fit = decoder.ok_or(RejectReason::Unrecognised)?.decode_anyhow(line, record)?;
        self.accept(fit, record)
    }

    #[inline]
    fn accept(&mut self, fit: Fit, record: &Record<'_>) -> Result<Fit, RejectReason> {
        if fit == Fit::Several {
            return Ok(fit);
        }
        self.captures.learn(record.captured);
        match refusal_of(record) {
            Some(reason) => Err(reason),
            None if record.has_request() => Ok(fit),
            None => Err(RejectReason::NoRequest),
        }
    }

    /// Whether a record of JSON has what those before it had: another dialect has other keys.
    #[inline]
    pub fn is_like_before(&self, record: &Record<'_>, formats: &Formats) -> bool {
        formats.recogniser.is_none()
            || self.ways.first().is_none_or(|way| lacks(record) & !way.lacks == 0)
    }

    /// The decoder of lines that were read before.
    pub fn decoder<'d>(&'d mut self, formats: &'d mut Formats) -> Option<&'d mut Decoder> {
        decoder_of(&mut self.ways, formats)
    }
}

/// The decoder of the first of these ways, or the one that was given.
#[inline]
fn decoder_of<'d>(ways: &'d mut [Way], formats: &'d mut Formats) -> Option<&'d mut Decoder> {
    // The fields of IIS are found out first where no header names them.
    let may_guess = formats.may_guess_fields;
    let given = formats.given.as_mut();
    let given = given.filter(|given| !may_guess || given.format() != Format::Iis);
    ways.first_mut().map(|way| &mut way.decoder).or(given)
}

/// Which of the things an access record has a record lacks: a bit each for client, target and status.
#[inline]
fn lacks(record: &Record<'_>) -> u8 {
    let has = |slots: &[Slot]| slots.iter().any(|slot| record.was_seen(*slot));
    let client = has(&[Slot::ClientIp, Slot::ForwardedFor, Slot::RealIp]);
    let target = has(&[Slot::Request, Slot::Uri, Slot::Path]);
    let status = has(&[Slot::Status]);
    u8::from(!client) | u8::from(!target) << 1 | u8::from(!status) << 2
}

impl Learnt {
    fn nothing() -> Self {
        Self {
            format: String::new(),
            envelope: Envelope::None,
            header: None,
            lacks: 0,
            others: Vec::new(),
            parts: Parts::NONE,
            captures: Layout::default(),
            place: None,
        }
    }
}

impl Way {
    fn resume(learnt: &Learnt, formats: &Formats) -> Option<Self> {
        let given = formats.given.as_ref();
        let decoder = match (given, &learnt.header) {
            (Some(given), _) if given.format().name() != learnt.format => {
                let beside = formats.beside.as_ref();
                beside.filter(|beside| beside.format().name() == learnt.format).cloned()
            }
            (_, Some(header)) => {
                let format = learnt.format.parse().ok();
                format.and_then(|format| formats.layouts.decoder(format, header).ok())
            }
            (Some(given), None) => Some(given.clone()),
            (None, None) => {
                formats.recogniser.as_ref().and_then(|known| known.decoder(&learnt.format))
            }
        }?;
        let Learnt { envelope, header, lacks, .. } = learnt.clone();
        Some(Self { decoder, envelope, header, lacks })
    }
}

//! The lines of one partition, and what was learnt from those before: format, envelope, header.

use super::config::DecoderConfig;
use super::envelope::Envelope;
use super::formats::Formats;
use super::learnt::Learnt;
use super::line::{Fit, Layout};
use super::parts::Parts;
use super::reasons::refusal_of;
use super::recognise::{Reading, Recognised, begins_line, fit, follows, score_of_dialect};
use super::record::{Record, Slot};
use super::{Decoder, RejectReason};
use crate::address::is_plain_ip;
use crate::format::Format;

/// Formats remembered of one partition.
const WAYS_MAX: usize = 8;

/// One of the ways in which the lines of a partition are written.
#[derive(Debug, Clone)]
struct Way {
    decoder: Decoder,
    envelope: Envelope,
    /// The `#Fields:` header, or the fields that lines without one were found to have.
    header: Option<String>,
    /// What its lines may lack, or have behind what the format has, and be of it all the same: see [`lacks`] and [`MORE`].
    lacks: u8,
    /// How many values its lines of JSON had, those that had the fewest.
    says: u32,
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
            self.prefer(Way { decoder, envelope: Envelope::None, header, lacks: 0, says: 0 });
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
        self.prefer(Way { decoder, envelope: Envelope::None, header, lacks: 0, says: 0 });
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
        let says = way.says.min(known.as_ref().map_or(u32::MAX, |known| known.says));
        self.ways.insert(0, Way { lacks, says, ..known.unwrap_or(way) });
        self.ways.truncate(WAYS_MAX);
    }

    /// What was learnt, if anything.
    pub fn learnt(&self) -> Option<Learnt> {
        let mut ways = self.ways.iter().map(|way| Learnt {
            format: way.decoder.format().name().to_owned(),
            envelope: way.envelope,
            header: way.header.clone(),
            lacks: way.lacks,
            says: way.says,
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
        // A line that has more than those before it may be of a format that begins alike.
        let has_more = self.has_more_than_before(line, formats);
        if !has_more && self.is_followed(0, line, formats, Reading::Loose) {
            return Some(Reading::Loose);
        }
        if let Some(at) = self.known_dialect(line, formats) {
            self.put_first(at);
            return Some(Reading::Strict);
        }
        let mut inners = None;
        for reading in [Reading::Strict, Reading::Loose] {
            for at in 1..self.ways.len() {
                if self.is_followed(at, line, formats, reading) {
                    self.put_first(at);
                    return Some(reading);
                }
            }
            if has_more && self.ways.first().is_some_and(|way| way.lacks & MORE != 0) {
                return Some(reading);
            }
            let inners = inners.get_or_insert_with(|| formats.opener.open_all(line));
            if self.learn(inners, formats, reading) {
                return Some(reading);
            }
            if has_more {
                self.ways.iter_mut().take(1).for_each(|way| way.lacks |= MORE);
                return Some(reading);
            }
        }
        None
    }

    /// Whether a line follows the format of those before it, and has fields behind it that none of them had.
    fn has_more_than_before(&mut self, line: &str, formats: &mut Formats) -> bool {
        let may_have_more = self.may_have_more(formats);
        let Some(way) = self.ways.first_mut().filter(|_| !may_have_more) else { return false };
        let mut buffer = String::new();
        let inner = formats.opener.open(way.envelope, line, &mut buffer);
        let read = inner
            .map(|inner| fit(&mut way.decoder, inner, Reading::Strict, &mut Record::default()));
        !way.decoder.is_json() && read == Some(Ok(Fit::Extra))
    }

    /// Whether fields behind those of its format are what lines are known to have, or nobody can tell by them: those that
    /// begin like `combined` are many.
    #[inline]
    pub fn may_have_more(&self, formats: &Formats) -> bool {
        // Another format that was met may have them.
        let are_others = self.ways.iter().skip(1).any(|way| !way.decoder.is_json());
        formats.recogniser.is_none()
            || self
                .ways
                .first()
                .is_none_or(|way| way.header.is_some() || (way.lacks & MORE != 0 && !are_others))
    }

    fn put_first(&mut self, at: usize) {
        let way = self.ways.remove(at);
        self.ways.insert(0, way);
    }

    /// Which of the other dialects of JSON that were met a line is written in: it has all that their lines had, says no less
    /// than they did, and says most in it. Where lines of several alternate, all dialects need not be tried each time.
    fn known_dialect(&mut self, line: &str, formats: &mut Formats) -> Option<usize> {
        formats.recogniser.as_ref()?;
        let mut best = None;
        for (at, way) in self.ways.iter_mut().enumerate().skip(1) {
            let mut buffer = String::new();
            let is_json = way.decoder.is_json();
            let inner = formats.opener.open(way.envelope, line, &mut buffer).filter(|_| is_json);
            let Some(inner) = inner else { continue };
            let mut record = Record::default();
            let score = score_of_dialect(&mut way.decoder, inner, &mut record);
            let is_like = refusal_of(&record).is_none() && lacks(&record) & !way.lacks == 0;
            // Nothing that contradicts itself: another dialect may read it without.
            let score =
                score.filter(|(_, is_sound)| is_like && *is_sound).map(|(filled, _)| filled);
            if score > best.map(|(_, score)| score) {
                best = score.map(|score| (at, score));
            }
        }
        best.map(|(at, _)| at)
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
        let fit = fit(&mut way.decoder, inner, reading, &mut Record::default());
        let is_sure = formats.recogniser.is_none()
            || reading == Reading::Loose
            || fit == Ok(Fit::Whole)
            || way.may_have_more();
        fit.is_ok() && is_sure
    }

    /// Finds format and envelope of a line, if it shows them, by what is in each envelope that it may have.
    fn learn(
        &mut self,
        inners: &[(Envelope, String)],
        formats: &mut Formats,
        reading: Reading,
    ) -> bool {
        for (envelope, inner) in inners {
            let found = formats.decoder_for(inner, *envelope, reading);
            let Some(Recognised { mut decoder, fields }) = found else { continue };
            let mut record = Record::default();
            let read = decoder.decode_first(inner, &mut record);
            let lacks = match read {
                Ok(_) if decoder.is_json() => lacks(&record),
                Ok(Fit::Extra) => MORE,
                _ => 0,
            };
            let header = fields.map(str::to_owned);
            let says = if decoder.is_json() { record.filled() } else { 0 };
            self.prefer(Way { decoder, envelope: *envelope, header, lacks, says });
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

    /// How many ways were met.
    pub fn ways(&self) -> usize {
        self.ways.len()
    }

    /// As much as can be read of a line of text in one of the other ways that were met; whether it is who asked and what
    /// for.
    #[cold]
    pub fn decode_anyhow_as<'a>(&self, at: usize, line: &'a str, record: &mut Record<'a>) -> bool {
        record.layout = self.captures;
        let way = self.ways.get(at).filter(|way| !way.decoder.is_json());
        let read = way.is_some_and(|way| way.decoder.clone().decode_anyhow(line, record).is_ok());
        read && record.has_request()
            && record.get(Slot::ClientIp).is_some_and(|client| is_plain_ip(client.text))
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

/// The bit that says that lines may have more than their format.
const MORE: u8 = 1 << 3;

/// Which of the things an access record has a record lacks: a bit each for client, target and status.
#[inline]
fn lacks(record: &Record<'_>) -> u8 {
    let has = |slots: &[Slot]| slots.iter().any(|slot| record.was_seen(*slot));
    let client = has(&[Slot::ClientIp, Slot::ForwardedFor, Slot::RealIp]);
    let target = has(&[Slot::Request, Slot::Uri, Slot::Path]);
    let status = has(&[Slot::Status]);
    u8::from(!client) | u8::from(!target) << 1 | u8::from(!status) << 2
}

impl Way {
    /// See [`Stream::may_have_more`]; a header names what lines have.
    fn may_have_more(&self) -> bool {
        self.lacks & MORE != 0 || self.header.is_some()
    }

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
        let Learnt { envelope, header, lacks, says, .. } = learnt.clone();
        Some(Self { decoder, envelope, header, lacks, says })
    }
}

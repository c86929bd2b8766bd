//! The lines of one partition, and what was learnt from those before: format, envelope, header.

use super::config::DecoderConfig;
use super::envelope::Envelope;
use super::formats::Formats;
use super::json::KeySet;
use super::learnt::Learnt;
use super::line::{Fit, Layout, may_follow};
use super::parts::Parts;
use super::reasons::{is_tcp_record, lack_of, refusal_of};
use super::recognise::{Reading, Recognised, begins_line, fit, follows, score_of_dialect};
use super::record::{Record, Slot};
use super::way::{Way, lacks};
use super::{Decoder, RejectReason};
use crate::address::is_plain_ip;
use crate::format::Format;

/// Formats remembered of one partition.
const WAYS_MAX: usize = 8;

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
            self.prefer(Way { header, ..Way::new(decoder) });
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
        self.prefer(Way { header, ..Way::new(decoder) });
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
        let way = match known {
            None => way,
            Some(mut known) => {
                known.decoder.know_keys(&way.decoder.known_keys());
                Way {
                    lacks: known.lacks | way.lacks,
                    has_more: known.has_more | way.has_more,
                    says: known.says.min(way.says),
                    ..known
                }
            }
        };
        self.ways.insert(0, way);
        self.ways.truncate(WAYS_MAX);
    }

    /// What was learnt, if anything.
    pub fn learnt(&self) -> Option<Learnt> {
        let mut ways = self.ways.iter().map(|way| Learnt {
            format: way.decoder.format().name().to_owned(),
            envelope: way.envelope,
            header: way.header.clone(),
            lacks: way.lacks,
            has_more: way.has_more,
            says: way.says,
            keys: way.decoder.known_keys(),
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
        // A line with more than its format has may be of one that begins alike.
        let is_extra = self.is_extra(line, formats);
        if !is_extra && self.is_followed(0, line, formats, Reading::Loose) {
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
            // That others were sought in vain is known of its like.
            if is_extra && self.ways.first().is_some_and(|way| way.has_more) {
                return Some(reading);
            }
            let inners = inners.get_or_insert_with(|| formats.opener.open_all(line));
            if self.learn(inners, formats, reading) {
                return Some(reading);
            }
            if is_extra {
                self.ways.iter_mut().take(1).for_each(|way| way.has_more = true);
                return Some(reading);
            }
        }
        None
    }

    /// Whether a line follows the format of those before it and goes on behind it, and may be of another.
    fn is_extra(&mut self, line: &str, formats: &mut Formats) -> bool {
        let may_have_more = self.may_have_more(formats);
        let Some(way) = self.ways.first_mut().filter(|_| !may_have_more) else { return false };
        let mut buffer = String::new();
        let inner = formats.opener.open(way.envelope, line, &mut buffer);
        let read = inner
            .map(|inner| fit(&mut way.decoder, inner, Reading::Strict, &mut Record::default()));
        !way.decoder.is_json() && read == Some(Ok(Fit::Extra))
    }

    /// Whether lines with fields behind those of their format are of it for certain: it is known of those before them, and
    /// no other format of text was met that could have the fields.
    #[inline]
    pub fn may_have_more(&self, formats: &Formats) -> bool {
        let are_others = || self.ways.iter().skip(1).any(|way| !way.decoder.is_json());
        let is_sure = |way: &Way| way.header.is_some() || (way.has_more && !are_others());
        formats.recogniser.is_none() || self.ways.first().is_none_or(is_sure)
    }

    /// Makes a way that was met the first.
    pub fn put_first(&mut self, at: usize) {
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
            let is_like = refusal_of(&record).is_none() && way.is_like(&record);
            // Nothing that contradicts itself: another dialect may read it without.
            let score =
                score.filter(|(filled, is_sound)| is_like && *is_sound && *filled >= way.says);
            let score = score.map(|(filled, _)| filled);
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
        self.ways.iter_mut().any(is_followed) || (self.ways.is_empty() && formats.is_record(text))
    }

    /// The same in any format.
    #[cold]
    pub(super) fn is_record_of_any(&mut self, text: &str, formats: &mut Formats) -> bool {
        self.is_record(text, formats) || formats.is_record(text)
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
            || way.has_more
            || way.header.is_some();
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
            if !self.may_have_fields(decoder.format(), fields.as_deref()) {
                continue;
            }
            let mut record = Record::default();
            let read = decoder.decode_first(inner, &mut record);
            let is_json = decoder.is_json();
            if is_json && formats.recogniser.is_some() {
                let keys = KeySet::of(inner);
                if self.says_as_much(*envelope, inner, &record, &keys) {
                    return true;
                }
                decoder = decoder.heeding(keys);
            }
            self.prefer(Way {
                envelope: *envelope,
                header: fields,
                lacks: if is_json && read.is_ok() { lacks(&record) } else { 0 },
                has_more: !is_json && read == Ok(Fit::Extra),
                says: if is_json { record.filled() } else { 0 },
                ..Way::new(decoder)
            });
            return true;
        }
        false
    }

    /// Whether lines of a format whose fields a header names may have these, which were guessed.
    fn may_have_fields(&self, format: Format, fields: Option<&str>) -> bool {
        let Some(fields) = fields else { return true };
        let known = self.ways.iter().filter(|way| way.decoder.format() == format);
        known.filter_map(|way| way.header.as_deref()).all(|known| may_follow(known, fields))
    }

    /// Whether a line with these keys, which is new to all dialects that were met, says as much in one of them as in the best,
    /// in which it is `best`: it has a key more, and is no other. That one is the first, then.
    fn says_as_much(
        &mut self,
        envelope: Envelope,
        inner: &str,
        best: &Record<'_>,
        keys: &KeySet,
    ) -> bool {
        let reads = |way: &mut Way| {
            let mut record = Record::default();
            let is_json = way.envelope == envelope && way.decoder.is_json();
            let score = score_of_dialect(&mut way.decoder, inner, &mut record);
            is_json
                && refusal_of(&record).is_none()
                && lacks(&record) & !way.lacks == 0
                && score >= Some((best.filled(), !best.is_partial()))
        };
        let Some(at) = self.ways.iter_mut().position(reads) else { return false };
        self.put_first(at);
        self.ways.iter_mut().take(1).for_each(|way| way.decoder.know_keys(keys));
        true
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
        let format = decoder.format();
        let fit = decoder.decode(line, record)?;
        self.accept(fit, format, record, formats)
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
        let decoder = self.decoder(formats).ok_or(RejectReason::Unrecognised)?;
        let format = decoder.format();
        let fit = decoder.decode_loosely(line, record)?;
        self.accept(fit, format, record, formats)
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
        let decoder = self.decoder(formats).ok_or(RejectReason::Unrecognised)?;
        let format = decoder.format();
        let fit = decoder.decode_anyhow(line, record)?;
        self.accept(fit, format, record, formats)
    }

    /// How many ways were met.
    pub fn ways(&self) -> usize {
        self.ways.len()
    }

    /// Fills `record` with as much as can be read of a line of text in one of the ways that were met; whether it is who asked
    /// and what for. `opened` holds what was in its envelope.
    #[cold]
    pub fn decode_anyhow_as<'a>(
        &mut self,
        at: usize,
        line: &'a str,
        formats: &mut Formats,
        opened: &'a mut String,
        record: &mut Record<'a>,
    ) -> bool {
        record.layout = self.captures;
        let Some(way) = self.ways.get_mut(at).filter(|way| !way.decoder.is_json()) else {
            return false;
        };
        let inner = formats.opener.open(way.envelope, line, opened);
        inner.is_some_and(|inner| way.decoder.decode_anyhow(inner, record).is_ok())
            && record.has_request()
            && record.get(Slot::ClientIp).is_some_and(|client| is_plain_ip(client.text))
    }

    #[inline]
    fn accept(
        &mut self,
        fit: Fit,
        format: Format,
        record: &Record<'_>,
        formats: &Formats,
    ) -> Result<Fit, RejectReason> {
        if fit == Fit::Several {
            return Ok(fit);
        }
        self.captures.learn(record.captured);
        if is_tcp_record(format, record) {
            return Err(RejectReason::TcpSession);
        }
        let lack = || lack_of(record, format, formats.recogniser.is_some());
        refusal_of(record).or_else(lack).map_or(Ok(fit), Err)
    }

    /// Whether a record of JSON has what those before it had, and nothing else: another dialect has other keys.
    #[inline]
    pub fn is_like_before(&self, record: &Record<'_>, formats: &Formats) -> bool {
        formats.recogniser.is_none() || self.ways.first().is_none_or(|way| way.is_like(record))
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

//! The lines of one partition, and what was learnt from those before: format, envelope, header.

use serde::{Deserialize, Serialize};

use super::config::DecoderConfig;
use super::envelope::{ENVELOPES, Envelope, Opener};
use super::line::Fit;
use super::recognise::{Recognised, Recogniser, follows, recognise_iis};
use super::record::Record;
use super::{ConfigError, Decoder, RejectReason};
use crate::format::Format;

/// What all streams of one configuration share.
#[derive(Debug)]
pub struct Formats {
    /// `None` for `auto`.
    given: Option<Decoder>,
    recogniser: Option<Recogniser>,
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
        let may_guess_fields = config.w3c_fields.is_none();
        Ok(Self { given, recogniser, may_guess_fields, opener: Opener::default() })
    }

    /// A decoder for `line`, when it follows the given format, or any for `auto`.
    fn decoder_for(&mut self, line: &str) -> Option<Recognised> {
        if let Some(recogniser) = &mut self.recogniser {
            return recogniser.recognise(line);
        }
        let given = self.given.as_mut()?;
        if given.format() == Format::Iis && self.may_guess_fields {
            return recognise_iis(line);
        }
        follows(given, line).then(|| given.clone().into())
    }
}

/// How the lines of one partition are read.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    decoder: Option<Decoder>,
    /// `None` until a line was understood.
    envelope: Option<Envelope>,
    /// The last `#Fields:` header, or the fields that lines without one were found to have.
    header: Option<String>,
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
}

impl Stream {
    /// The format, once known.
    pub fn format(&self, formats: &Formats) -> Option<Format> {
        self.decoder.as_ref().or(formats.given.as_ref()).map(Decoder::format)
    }

    /// Whether the line is a comment or a header, which is no record. A header names the fields of the lines after
    /// it.
    #[inline]
    pub fn takes_comment(&mut self, line: &str, formats: &Formats) -> bool {
        if !line.starts_with('#') {
            return false;
        }
        if line.starts_with("#Fields:") {
            self.take_header(line, formats);
        }
        true
    }

    #[cold]
    fn take_header(&mut self, line: &str, formats: &Formats) {
        let given = self.format(formats);
        let format = match given {
            Some(format @ (Format::Cloudfront | Format::CloudfrontRealtime | Format::Iis)) => {
                format
            }
            None if line.contains("x-edge-") => Format::Cloudfront,
            None => Format::Iis,
            Some(_) => return,
        };
        if let Ok(decoder) = DecoderConfig::w3c_decoder(format, line) {
            self.decoder = Some(decoder);
            self.envelope = Some(Envelope::None);
            self.header = Some(line.to_owned());
        }
    }

    /// What was learnt, if anything.
    pub fn learnt(&self) -> Option<Learnt> {
        let decoder = self.decoder.as_ref()?;
        Some(Learnt {
            format: decoder.format().name().to_owned(),
            envelope: self.envelope?,
            header: self.header.clone(),
        })
    }

    /// A stream that goes on with what was learnt; it starts anew where the configuration says otherwise now.
    pub fn resume(learnt: &Learnt, formats: &Formats) -> Self {
        let given = formats.given.as_ref();
        let decoder = match (given, &learnt.header) {
            (Some(given), _) if given.format().name() != learnt.format => None,
            (_, Some(header)) => learnt
                .format
                .parse()
                .ok()
                .and_then(|format| DecoderConfig::w3c_decoder(format, header).ok()),
            (Some(given), None) => Some(given.clone()),
            (None, None) => {
                formats.recogniser.as_ref().and_then(|known| known.decoder(&learnt.format))
            }
        };
        let envelope = decoder.is_some().then_some(learnt.envelope);
        let header = if decoder.is_some() { learnt.header.clone() } else { None };
        Self { decoder, envelope, header }
    }

    /// Whether lines are known to have no envelope.
    #[inline]
    pub fn is_bare(&self) -> bool {
        self.envelope == Some(Envelope::None)
    }

    /// The line without its envelope; `scratch` holds it when escapes had to be resolved.
    #[inline]
    pub fn open<'a>(
        &mut self,
        line: &'a str,
        formats: &mut Formats,
        scratch: &'a mut String,
    ) -> &'a str {
        match self.envelope {
            Some(Envelope::None) => line,
            Some(envelope) => formats.opener.open(envelope, line, scratch).unwrap_or(line),
            None => self.learn(line, formats, scratch),
        }
    }

    /// Finds format and envelope of a line, if it shows them.
    #[cold]
    fn learn<'a>(
        &mut self,
        line: &'a str,
        formats: &mut Formats,
        scratch: &'a mut String,
    ) -> &'a str {
        for envelope in ENVELOPES {
            let mut buffer = String::new();
            let inner = formats.opener.open(envelope, line, &mut buffer).map(str::to_owned);
            let found = inner.as_deref().and_then(|inner| formats.decoder_for(inner));
            let Some(Recognised { decoder, fields }) = found else { continue };
            self.decoder = Some(decoder);
            self.header = fields.map(str::to_owned);
            self.envelope = Some(envelope);
            return formats.opener.open(envelope, line, scratch).unwrap_or(line);
        }
        line
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
        let decoder = self.decoder(formats);
        let fit = decoder.ok_or(RejectReason::Unrecognised)?.decode(line, record)?;
        if fit == Fit::Several || record.has_request() {
            Ok(fit)
        } else {
            Err(RejectReason::NoRequest)
        }
    }

    /// The decoder of lines that were read before.
    pub fn decoder<'d>(&'d mut self, formats: &'d mut Formats) -> Option<&'d mut Decoder> {
        self.decoder.as_mut().or(formats.given.as_mut())
    }
}

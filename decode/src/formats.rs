//! The formats that a configuration allows, and which of them a line is in.

use super::config::DecoderConfig;
use super::delimited::Layouts;
use super::envelope::{Envelope, Opener};
use super::recognise::{Reading, Recognised, Recogniser, follows, recognise_iis};
use super::{ConfigError, Decoder};
use crate::format::Format;

/// What all streams of one configuration share.
#[derive(Debug)]
pub struct Formats {
    /// `None` for `auto`.
    pub(super) given: Option<Decoder>,
    /// What stands among lines of the given format: requests to no host that was named.
    pub(super) beside: Option<Decoder>,
    pub(super) recogniser: Option<Recogniser>,
    pub(super) layouts: Layouts,
    /// No one named the fields of W3C lines.
    pub(super) may_guess_fields: bool,
    pub(super) opener: Opener,
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

    /// Whether a text is a record as it stands.
    #[cold]
    pub(super) fn is_record(&mut self, text: &str) -> bool {
        self.decoder_for(text, Envelope::None, Reading::Strict).is_some()
    }

    /// Whether no line is of a format that an operator made up, and may begin like anything.
    pub(super) fn are_known(&self) -> bool {
        self.given.as_ref().is_none_or(|given| given.format() != Format::Custom)
    }

    /// A decoder for `line`, when it follows the given format, or any for `auto`.
    pub(super) fn decoder_for(
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
            let is_shown = self.may_guess_fields;
            return Some(if is_shown {
                Recognised::shown(given, line)
            } else {
                given.clone().into()
            });
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

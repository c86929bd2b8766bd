//! Lines → rows.
//!
//! ```text
//! config: DecoderConfig ─▶ Decoder (a format: json key table or line plan; auto: recognised from a line)
//! line ─ text::clean ─▶ Decoder::decode ─▶ record::Record (borrowed values) ─ row::Rows::append ─▶ columns
//!                              └─▶ RejectReason
//! ```
//!
//! # Invariants
//! - A line is a row, a reject, or no record at all (blank, or a `#` comment or header); never two of them, and
//!   never a panic.
//! - Time is linear in the length of a line, memory bounded by it.
//! - What a line becomes depends on the lines of its partition before it, not on how they were cut into messages.
//!
//! # What is decided here for every format
//! - `ts` is the moment the edge logged the request: its end where a format has start and end (edges write lines in
//!   that order, and a detector learns of a request no earlier), else the one time there is. No offset means UTC.
//! - `malformed` is set when the request itself cannot be understood: it is empty, binary, or not `method target
//!   protocol`, or the line ends early. A method never heard of, an absolute URL or a CONNECT target is a request.
//!   Of a request that cannot be understood `path` holds the text, so that it can be read.
//! - Bytes that are no text are written `\xNN` (see [`text`]).

pub mod address;
mod columns;
pub mod config;
mod detect;
pub mod json;
pub mod line;
mod presets;
pub mod record;
pub mod rejects;
pub mod request;
pub mod row;
pub mod text;
pub mod time;

pub use config::{ConfigError, DecoderConfig};

use std::sync::Arc;

use json::JsonDecoder;
use line::{Fit, Plan};
use record::Record;

use crate::format::Format;

/// Why a line is no access record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RejectReason {
    /// Longer than [`schemas::limits::LINE_BYTES_MAX`].
    #[error("line longer than 1 MiB")]
    TooLong,
    /// `auto` has not met a line it knows yet.
    #[error("format not recognised")]
    Unrecognised,
    /// A JSON format, but no JSON object.
    #[error("not a JSON object")]
    NotJson,
    /// The text does not follow the format.
    #[error("does not follow the log format")]
    OtherFormat,
    /// It follows the format as far as it goes, but has no time that can be read.
    #[error("no readable timestamp")]
    NoTimestamp,
    /// Larger than [`crate::batcher::PAYLOAD_BYTES_MAX`].
    #[error("message too large")]
    MessageTooLarge,
}

/// Decodes the lines of one stream in one format.
#[derive(Debug, Clone)]
pub struct Decoder {
    format: Format,
    engine: Engine,
}

#[derive(Debug, Clone)]
enum Engine {
    Json(JsonDecoder),
    Line(Plan),
}

impl Decoder {
    /// The format it decodes.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Fills `record` from a line.
    ///
    /// # Errors
    /// [`RejectReason`] when the line is no record of this format. (That it lacks a time shows later.)
    #[inline]
    pub fn decode<'a>(
        &mut self,
        line: &'a str,
        record: &mut Record<'a>,
    ) -> Result<Fit, RejectReason> {
        match &mut self.engine {
            Engine::Json(json) => {
                if !json.decode(line, record) {
                    return Err(RejectReason::NotJson);
                }
                Ok(if record.truncated { Fit::Cut } else { Fit::Whole })
            }
            Engine::Line(plan) => match plan.decode(line, record) {
                Fit::No => Err(RejectReason::OtherFormat),
                fit => Ok(fit),
            },
        }
    }
}

/// How the lines of one partition are read: in a given format, or in the one recognised from its first lines.
#[derive(Debug, Clone)]
pub struct Stream {
    decoder: Option<Decoder>,
    config: Arc<DecoderConfig>,
}

impl Stream {
    /// A stream in the format of `config`.
    ///
    /// # Errors
    /// [`ConfigError`] when the configuration makes no sense.
    pub fn new(config: &DecoderConfig) -> Result<Self, ConfigError> {
        config.validate()?;
        let decoder = match config.format()? {
            Format::Auto => None,
            format => Some(config.decoder(format)?),
        };
        Ok(Self { decoder, config: Arc::new(config.clone()) })
    }

    /// The format, once known.
    pub fn format(&self) -> Option<Format> {
        self.decoder.as_ref().map(Decoder::format)
    }

    /// Whether the line is a comment or a header: no record.
    #[inline]
    pub fn is_comment(line: &str) -> bool {
        line.starts_with('#')
    }

    /// Fills `record` from a line.
    ///
    /// # Errors
    /// [`RejectReason`] when the line is no record.
    #[inline]
    pub fn decode<'a>(
        &mut self,
        line: &'a str,
        record: &mut Record<'a>,
    ) -> Result<(), RejectReason> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            place => match detect::recognise(&self.config, line) {
                Some(decoder) => place.insert(decoder),
                None => return Err(RejectReason::Unrecognised),
            },
        };
        decoder.decode(line, record).map(|_| ())
    }
}

//! Bytes → rows: what lines say, and who asked.
//!
//! ```text
//! RawMessage ─ Batcher ─▶ lines ─▶ … ─▶ PositionedBatch
//!
//! config: DecoderConfig ─▶ formats::Formats (presets, recognise)
//!                                     │
//! line ─ text::clean ─▶ stream::Stream (envelope off, format known) ─▶ Decoder (json keys or line plan)
//!                           └─▶ RejectReason                               │
//!                         columns ◀─ row::Rows::append ◀─ record::Record (borrowed values)
//! ```
//!
//! # Invariants
//! - A line is a row, a reject, or no record at all (blank, a `#` comment or header, or nothing but
//!   the brackets around records); never two of them, and
//!   never a panic. A line of JSON that lists several records is as many rows or rejects.
//! - Time is linear in the length of a line, memory bounded by it.
//! - What a line becomes depends on the lines of its partition before it, not on how they were cut into messages.
//! - Deliberately absent: files, threads, clocks, Kafka. Where clients belong is asked of [`identity::Origins`].
//!
//! # What is decided here for every format
//! - `ts` is the moment the edge logged the request: its end where a format has start and end (edges write lines in
//!   that order, and a detector learns of a request no earlier), else the one time there is. Without an offset it is of the zone that the configuration names, else
//!   UTC; the W3C formats are in UTC by definition.
//! - `malformed` is set when the request itself cannot be understood: it is empty, binary, or not `method target
//!   protocol`, or the line ends early. A method never heard of, an absolute URL or a CONNECT target is a request.
//!   Of a request that cannot be understood `path` holds the text, so that it can be read.
//! - Bytes that are no text are written `\xNN` (see [`text`]).

pub mod address;
pub mod batcher;
mod calendar;
mod columns;
pub mod config;
mod delimited;
pub mod duration;
mod ending;
pub mod envelope;
mod epoch;
mod examples;
pub mod explain;
pub mod format;
pub mod formats;
pub mod identity;
mod joined;
pub mod json;
mod lanes;
pub mod learnt;
pub mod line;
mod lines;
mod literal;
mod memo;
pub mod message;
mod moment;
mod numbers;
mod parts;
mod prefix;
mod presets;
mod reasons;
pub mod recognise;
pub mod record;
pub mod rejects;
pub mod request;
pub mod row;
mod search;
mod shares;
mod spelling;
pub mod stream;
pub mod text;
pub mod time;
mod way;
mod word;
pub mod zone;

pub use batcher::Batcher;
pub use config::{ConfigError, DecoderConfig};
pub use format::Format;
pub use identity::ClientsConfig;
pub use message::{Numbering, RawMessage};

use delimited::Delimited;
use ending::Ending;
use json::{JsonDecoder, KeySet, Part};
use line::{Fit, Plan, W3cPlan};
use record::{Record, Slot};

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
    /// It says nothing of a request, or ends before it.
    #[error("no request in it")]
    NoRequest,
    /// It follows the format as far as it goes, but has no time that can be read.
    #[error("no readable timestamp")]
    NoTimestamp,
    /// What a server writes of itself or of what went wrong.
    #[error("a line of an error log")]
    ErrorLog,
    /// A connection over which no request came, or none that was looked at.
    #[error("a TCP session, no request")]
    TcpSession,
    /// The edge asked for itself.
    #[error("a health probe, no client's request")]
    Probe,
    /// It says itself that it is of another log: of a firewall, of an audit.
    #[error("a record of another kind than access")]
    OtherKind,
    /// Larger than [`batcher::PAYLOAD_BYTES_MAX`].
    #[error("message too large")]
    MessageTooLarge,
}

/// Decodes the lines of one stream in one format.
#[derive(Debug, Clone)]
pub struct Decoder {
    format: Format,
    engine: Engine,
    ending: Ending,
}

#[derive(Debug, Clone)]
enum Engine {
    Json(JsonDecoder),
    Line(Plan),
    W3c(W3cPlan),
    Columns(Delimited),
}

impl Decoder {
    /// How many columns of access records it reads, where its lines are columns of such.
    pub(crate) fn columns_of_record(&self) -> Option<usize> {
        match &self.engine {
            Engine::Columns(plan) => plan.of_record(),
            Engine::Json(_) | Engine::Line(_) | Engine::W3c(_) => None,
        }
    }

    /// A decoder of a built-in format.
    const fn new(format: Format, engine: Engine) -> Self {
        Self { format, engine, ending: Ending::of(format) }
    }

    /// The format it decodes.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Whether its lines are JSON.
    pub(crate) const fn is_json(&self) -> bool {
        matches!(self.engine, Engine::Json(_))
    }

    /// The same decoder for lines that had these keys, if they are JSON: see [`has_news`](Self::has_news).
    pub(crate) fn heeding(mut self, keys: KeySet) -> Self {
        if let Engine::Json(json) = &mut self.engine {
            json.heed_keys(keys);
        }
        self
    }

    /// Adds to the keys that its lines have.
    pub(crate) fn know_keys(&mut self, keys: &KeySet) {
        if let Engine::Json(json) = &mut self.engine {
            json.know_keys(keys);
        }
    }

    /// The keys that its lines had.
    pub(crate) fn known_keys(&self) -> KeySet {
        match &self.engine {
            Engine::Json(json) => json.known_keys(),
            Engine::Line(_) | Engine::W3c(_) | Engine::Columns(_) => KeySet::default(),
        }
    }

    /// Whether the last line, of JSON, had a key that none before it had: it may be of another dialect.
    #[inline]
    pub(crate) const fn has_news(&self) -> bool {
        matches!(&self.engine, Engine::Json(json) if json.has_news())
    }

    /// Whether it looks at what the captured headers of the lines before were.
    #[inline]
    pub(crate) const fn has_captures(&self) -> bool {
        matches!(&self.engine, Engine::Line(plan) if plan.has_captures())
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
        record.ending = self.ending;
        let fit = match &mut self.engine {
            Engine::Json(json) => return decode_json(json, line, record),
            Engine::Line(plan) => plan.decode(line, record),
            Engine::W3c(plan) => plan.decode(line, record),
            Engine::Columns(plan) => plan.decode(line, record),
        };
        let is_other = fit == Fit::Extra && self.lacks_tls(line);
        if fit == Fit::No || is_other { Err(RejectReason::OtherFormat) } else { Ok(fit) }
    }

    /// Fills `record`, whatever it holds, from a line that does not follow the format byte by byte: with other blanks, a
    /// dash without its quotes, a number more.
    ///
    /// # Errors
    /// [`RejectReason`] when it is no record of this format all the same.
    #[cold]
    pub fn decode_loosely<'a>(
        &self,
        line: &'a str,
        record: &mut Record<'a>,
    ) -> Result<Fit, RejectReason> {
        record.ending = self.ending;
        if self.lacks_tls(line) {
            return Err(RejectReason::OtherFormat);
        }
        match &self.engine {
            Engine::Line(plan) => match plan.decode_loosely(line, record) {
                Fit::No => Err(RejectReason::OtherFormat),
                _ if self.is_no_request(record) => Err(RejectReason::NoRequest),
                fit => Ok(fit),
            },
            Engine::Json(_) | Engine::W3c(_) | Engine::Columns(_) => Err(RejectReason::OtherFormat),
        }
    }

    /// Fills `record`, whatever it holds, with what can be read of a line that makes no sense as a whole.
    ///
    /// # Errors
    /// [`RejectReason`] when that is nothing.
    #[cold]
    pub fn decode_anyhow<'a>(
        &mut self,
        line: &'a str,
        record: &mut Record<'a>,
    ) -> Result<Fit, RejectReason> {
        record.clear();
        record.ending = self.ending;
        if self.lacks_tls(line) {
            return Err(RejectReason::OtherFormat);
        }
        let fit = match &mut self.engine {
            Engine::Json(json) => return decode_json(json, line, record),
            Engine::Line(plan) => plan.decode_anyhow(line, record),
            Engine::W3c(plan) => plan.decode_anyhow(line, record),
            Engine::Columns(_) => Fit::No,
        };
        if fit == Fit::No { Err(RejectReason::OtherFormat) } else { Ok(fit) }
    }

    /// Whether a line ends as those of the format do and has quotes that nobody can tell the meaning of.
    #[cold]
    fn is_forged(&self, line: &str) -> bool {
        matches!(&self.engine, Engine::Line(plan) if plan.is_forged(line))
    }

    /// Whether a line, which is of `ssl_request`, says nothing of TLS. If it does not quite follow that format it is of a layout
    /// in which the dashes are names of users, and what stands for its bytes is a status.
    #[inline]
    fn lacks_tls(&self, line: &str) -> bool {
        self.format == Format::SslRequest && lacks_tls(line)
    }

    /// Whether a record, which does not quite follow the format, is of something that no request of its own was made for: S3
    /// writes a dash without quotes for what it deletes itself, and for each of the many objects that one request deletes.
    #[cold]
    fn is_no_request(&self, record: &Record<'_>) -> bool {
        self.format == Format::S3 && record.get(Slot::Request).is_none()
    }

    /// The records of the last line, if it was [`Fit::Several`].
    pub fn take_parts(&mut self) -> Vec<Part> {
        match &mut self.engine {
            Engine::Json(json) => json.take_parts(),
            Engine::Line(_) | Engine::W3c(_) | Engine::Columns(_) => Vec::new(),
        }
    }

    /// Fills `record` from one of the records of a line.
    pub fn decode_part<'a>(&mut self, line: &'a str, part: Part, record: &mut Record<'a>) {
        record.ending = self.ending;
        match &mut self.engine {
            Engine::Json(json) => json.decode_part(line, part, record),
            Engine::Line(_) | Engine::W3c(_) | Engine::Columns(_) => {}
        }
    }

    /// Fills `record` from a line, or from the first of its several records.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_first<'a>(
        &mut self,
        line: &'a str,
        record: &mut Record<'a>,
    ) -> Result<Fit, RejectReason> {
        let fit = self.decode(line, record)?;
        if fit != Fit::Several {
            return Ok(fit);
        }
        *record = Record::default();
        if let Some(part) = self.take_parts().first() {
            self.decode_part(line, *part, record);
        }
        Ok(if record.truncated { Fit::Cut } else { Fit::Whole })
    }
}

#[inline]
fn decode_json<'a>(
    json: &mut JsonDecoder,
    line: &'a str,
    record: &mut Record<'a>,
) -> Result<Fit, RejectReason> {
    if !json.decode(line, record) {
        return Err(RejectReason::NotJson);
    }
    Ok(match (json.holds_several(), record.truncated) {
        (true, _) => Fit::Several,
        (false, true) => Fit::Cut,
        (false, false) => Fit::Whole,
    })
}

/// Whether dashes stand where a line of `ssl_request` has protocol and cipher.
#[cold]
fn lacks_tls(line: &str) -> bool {
    let behind = line.split_once("] ").and_then(|(_, behind)| behind.split_once(' '));
    behind.is_some_and(|(_, behind)| behind.starts_with("- - "))
}

//! How a line is read, told step by step: for whoever wonders why it is not, or not as he thought.
//!
//! ```text
//! line ─ Batcher ─▶ row or reject          what became of it: by the very decoders that fill the tables
//!      └ envelope off, format ─▶ Record ─▶ the places of its values, what was left over
//!                    └ every other format ─▶ where each stopped
//! ```
//!
//! It takes its time: each line is read some fifty times.

mod advice;
mod places;
mod tried;

use std::ops::Range;
use std::sync::Arc;

use schemas::PositionedBatch;

use crate::batcher::Batcher;
use crate::envelope::{Envelope, Opener};
use crate::format::Format;
use crate::identity::{Claim, Hop, tell};
use crate::learnt::Learnt;
use crate::line::Layout;
use crate::message::{Numbering, RawMessage};
use crate::recognise::Reading;
use crate::record::{Record, Slot};
use crate::text::{clean, from_utf16, plain, without_noise};
use crate::{ConfigError, Decoder, DecoderConfig};

pub use places::{Column, Leftover};
pub use tried::Tried;

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// So many rows of `requests`.
    Rows(usize),
    /// A row of `rejects`, with the reason.
    Reject(String),
    /// Nothing: blank, a comment, a header, or the beginning of a longer record.
    Nothing,
}

/// What is around a line: how it is called, and the text that was taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around {
    /// In words.
    pub what: &'static str,
    /// Where the line begins inside, in bytes, where it stands there as it is.
    pub inner: Option<Range<usize>>,
}

/// How a line is read.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The line as text, as it was read.
    pub line: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The format in which it was read, or in which it was tried last.
    pub format: Option<Format>,
    /// How the format was found.
    pub why: String,
    /// What was taken off before it was read.
    pub around: Option<Around>,
    /// The text inside; the places are those of its bytes.
    pub inner: String,
    /// The columns of its row that have a value, the first row of several.
    pub columns: Vec<Column>,
    /// The addresses it names, from the edge outwards.
    pub hops: Vec<Hop>,
    /// What of it is in no column.
    pub leftovers: Vec<Leftover>,
    /// The other formats, those that came furthest first; of a line that was read, none.
    pub tried: Vec<Tried>,
    /// What to do next.
    pub advice: Vec<String>,
}

/// Explains the lines of one stream, in order: a header or the format of a line counts for those behind it.
#[derive(Debug)]
pub struct Explainer {
    config: DecoderConfig,
    batcher: Batcher,
    opener: Opener,
    partition: Arc<str>,
    line: i64,
}

/// How a line was read again, to see the places of its values.
struct Again<'a> {
    record: Record<'a>,
    reading: Option<Reading>,
}

impl Explainer {
    /// Explains lines that are read as `config` says.
    ///
    /// # Errors
    /// [`ConfigError`] when the configuration makes no sense.
    pub fn new(config: &DecoderConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            batcher: Batcher::new(config)?,
            config: config.clone(),
            opener: Opener::default(),
            partition: "explained".into(),
            line: 0,
        })
    }

    /// Explains the next line, which has no `\n` at its end.
    ///
    /// # Errors
    /// [`ConfigError`] never, in fact: the configuration was checked.
    pub fn explain(&mut self, raw: &[u8]) -> Result<Explanation, ConfigError> {
        self.line += 1;
        let before = self.learnt();
        let batches = self.read(raw);
        let learnt = self.learnt();
        let mut cleaned = String::new();
        let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        let wide = from_utf16(raw);
        let text = wide.as_deref().unwrap_or_else(|| clean(raw, &mut cleaned));
        let text = without_noise(text.strip_prefix('\u{feff}').unwrap_or(text));
        let outcome = outcome(batches.as_ref());
        let mut scratch = String::new();
        let envelope = learnt.as_ref().map_or(Envelope::None, |learnt| learnt.envelope);
        let opened = self.opener.open(envelope, text, &mut scratch);
        let inner = opened.unwrap_or(text).to_owned();
        let around = around(envelope, text, &inner);
        let mut decoder = self.decoder(learnt.as_ref())?;
        let captures = before.as_ref().map(|before| before.captures).unwrap_or_default();
        let again = decoder.as_mut().map(|decoder| read_again(decoder, &inner, captures));
        let record = again.as_ref().map(|again| &again.record);
        let is_read = matches!(outcome, Outcome::Rows(_));
        let columns = match (&batches, record) {
            (Some(batch), Some(record)) if is_read => places::columns(batch, record, &inner),
            _ => Vec::new(),
        };
        let leftovers = match record {
            Some(record) if is_read => places::leftovers(record, &inner),
            _ => Vec::new(),
        };
        let hops = record.filter(|_| is_read).map(|record| self.hops(record)).unwrap_or_default();
        let tried = match outcome {
            Outcome::Reject(_) => tried::tried(&self.config, &mut self.opener, text)?,
            Outcome::Rows(_) | Outcome::Nothing => Vec::new(),
        };
        let is_same = |one: &Learnt, other: &Learnt| {
            (&one.format, one.envelope, &one.header)
                == (&other.format, other.envelope, &other.header)
        };
        let is_known =
            matches!((&before, &learnt), (Some(one), Some(other)) if is_same(one, other));
        let reading = again.as_ref().and_then(|again| again.reading);
        let format = decoder.as_ref().map(Decoder::format);
        let is_json = decoder.as_ref().is_some_and(Decoder::is_json);
        let why = self.why(is_read, is_known, (reading, is_json), learnt.as_ref());
        let advice = advice::advice(&outcome, record, &tried, &inner);
        Ok(Explanation {
            line: text.to_owned(),
            outcome,
            format,
            why,
            around,
            inner: inner.clone(),
            columns,
            hops,
            leftovers,
            tried,
            advice,
        })
    }

    fn read(&mut self, raw: &[u8]) -> Option<PositionedBatch> {
        self.batcher.push(&RawMessage {
            partition: &self.partition,
            topic: "explained",
            kafka_partition: None,
            offset: self.line,
            numbering: Numbering::Lines,
            arrival_us: 0,
            payload: raw,
        });
        let mut batches = Vec::new();
        self.batcher.flush(&mut batches);
        batches.pop()
    }

    fn learnt(&self) -> Option<Learnt> {
        let learnt = self.batcher.learnt().remove(&*self.partition);
        // The beginning of a longer record is remembered before any format is known.
        learnt.filter(|learnt| !learnt.format.is_empty())
    }

    /// A decoder of the format of the last line.
    fn decoder(&self, learnt: Option<&Learnt>) -> Result<Option<Decoder>, ConfigError> {
        let given = self.config.format()?;
        let Some(learnt) = learnt else {
            return if given == Format::Auto {
                Ok(None)
            } else {
                self.config.decoder(given).map(Some)
            };
        };
        // A format string has no name by which it could be looked up.
        let format = learnt.format.parse().unwrap_or(given);
        match &learnt.header {
            Some(header) => self.config.header_decoder(format, header).map(Some),
            None => self.config.decoder(format).map(Some),
        }
    }

    fn hops(&self, record: &Record<'_>) -> Vec<Hop> {
        let text = |slot| record.get(slot).map(|value| plain(value, &mut String::new()).to_owned());
        let (peer, named, forwarded) =
            (text(Slot::ClientIp), text(Slot::RealIp), text(Slot::ForwardedFor));
        let nobody = record.was_seen(Slot::ClientIp).then_some("-");
        let claim = Claim {
            peer: peer.as_deref().or(nobody),
            named: named.as_deref(),
            forwarded: forwarded.as_deref(),
        };
        tell(claim, &self.config.clients.trusted_proxies)
    }

    /// How the format was found, in words.
    fn why(
        &self,
        is_read: bool,
        is_known: bool,
        (reading, is_json): (Option<Reading>, bool),
        learnt: Option<&Learnt>,
    ) -> String {
        let is_given = !matches!(self.config.format(), Ok(Format::Auto));
        let found = match (is_given, learnt.is_some(), is_known) {
            (true, ..) => "asked for by --format",
            (false, false, _) => return "no format was recognised yet".to_owned(),
            (false, true, true) => "that of the line before",
            (false, true, false) if learnt.is_some_and(|learnt| learnt.header.is_some()) => {
                "recognised by its fields"
            }
            (false, true, false) if is_json => {
                "recognised in this line: of the JSON formats the one that finds most in it"
            }
            (false, true, false) => {
                "recognised in this line: the first of the text formats that it can be"
            }
        };
        let how = match reading {
            _ if !is_read => "; the line is not of it",
            Some(Reading::Strict) => "; the line follows it byte by byte",
            Some(Reading::Loose) => "; the line follows it field by field, not byte by byte",
            None => "; the line is read as far as it makes sense",
        };
        format!("{found}{how}")
    }
}

fn outcome(batch: Option<&PositionedBatch>) -> Outcome {
    let Some(batch) = batch else { return Outcome::Nothing };
    match (batch.requests.rows(), batch.rejects.num_rows()) {
        (0, 0) => Outcome::Nothing,
        (0, _) => Outcome::Reject(places::reason(batch)),
        (rows, _) => Outcome::Rows(rows),
    }
}

/// Reads a line again, as it is read for the tables: byte by byte, else field by field, else anyhow. `captures` is what
/// was known of HAProxy's headers before it.
fn read_again<'a>(decoder: &mut Decoder, inner: &'a str, captures: Layout) -> Again<'a> {
    let empty = || {
        let mut record = Record::default();
        record.layout = captures;
        record
    };
    for reading in [Reading::Strict, Reading::Loose] {
        let mut record = empty();
        if crate::recognise::flaw(decoder, inner, reading, &mut record).is_none() {
            return Again { record, reading: Some(reading) };
        }
    }
    let mut record = empty();
    if decoder.is_json() {
        let is_read = decoder.decode_first(inner, &mut record).is_ok();
        let reading = (is_read && !record.truncated).then_some(Reading::Strict);
        return Again { record, reading };
    }
    // What cannot be read at all leaves the record as far as it was filled.
    let _unread = decoder.decode_anyhow(inner, &mut record);
    Again { record, reading: None }
}

fn around(envelope: Envelope, text: &str, inner: &str) -> Option<Around> {
    let what = match envelope {
        Envelope::None => return None,
        Envelope::Header => "a header, as syslog and container runtimes write it",
        Envelope::Json | Envelope::ShortMessage => "JSON that holds the line as a text",
        Envelope::JsonWithHeader => "JSON that holds the line as a text, with a header",
        Envelope::JsonWithPrefix => {
            "JSON that holds the line as a text, with a name or a time before it"
        }
        Envelope::Object => "JSON that holds the line as an object",
        Envelope::Nested(_) => "JSON in JSON, several layers deep",
        Envelope::Bytes => "JSON that holds the line as a list of its bytes",
        Envelope::Prefix(_) => "a name or a time, as consoles write it",
        Envelope::Console => "columns before JSON, as consoles write them",
        Envelope::Text => "a JSON string",
        Envelope::Quotes => "quotes",
        Envelope::Csv => "quotes, those inside doubled",
    };
    let start = text.find(inner);
    Some(Around { what, inner: start.map(|start| start..start + inner.len()) })
}

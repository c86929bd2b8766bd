//! A compiled format string, and the reading of lines by it.

use super::bars;
use super::ends::{
    begins_status, count_closing, count_quotes, divide_list, ends_as_request, ends_line,
    holds_answer, until_bar_before_last, until_host, until_list, until_nth, until_padded,
    until_port,
};
use super::loose::Shape;
use super::sound::{
    forwarded_behind, has_other_client, holds_record, is_address, is_name, is_sound_client,
};
use super::step::{Step, Until};
use crate::address::{is_ipv4, is_plain_ipv6, without_port};
use crate::literal::Literal;
use crate::record::{Escape, Peer, Record, Slot, Value};
use crate::search::{self, divide};
use crate::text::place;

/// How well a line followed its format, and how much it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// To the end.
    Whole,
    /// To the end of the format; more text follows.
    Extra,
    /// It ended before the format did.
    Cut,
    /// Not at all.
    No,
    /// The line holds several records, each to be read as a part of its own.
    Several,
}

/// Where a line may end before its format does, and still be whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Optional {
    /// Nowhere.
    Nothing,
    /// After exactly so many values.
    After(usize),
    /// After so many values or more.
    From(usize),
}

/// A compiled format string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(super) before: Literal,
    pub(super) steps: Vec<Step>,
    pub(super) optional: Optional,
    /// What its lines are made of, if that can be told without it.
    pub(super) shape: Option<Box<Shape>>,
    /// The client is an address in every line: what stands there instead belongs to another format.
    pub(super) has_sure_client: bool,
    pub(super) quotes: Quotes,
    /// It has captured headers, which are told by what stood there in the lines before.
    pub(super) has_captures: bool,
    /// The client stands at more than one place.
    pub(super) has_two_clients: bool,
    pub(super) front: Front,
}

/// What is known of the quotes in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    /// Nothing: who writes the lines is not known.
    Unknown,
    /// The writer leaves those in values as they are. So many values are in quotes.
    Raw(usize),
    /// The writer escapes those in values. So many values are in quotes, and perhaps some behind them that
    /// were added.
    Escaped(usize),
    /// The same of a product that knows no further ones.
    Fixed(usize),
}

impl Quotes {
    /// How many values are in quotes, if nothing but a quote around a value may look like one.
    const fn values(self) -> Option<usize> {
        match self {
            Self::Unknown => None,
            Self::Raw(values) | Self::Escaped(values) | Self::Fixed(values) => Some(values),
        }
    }
}

/// How a line is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// As the format says, byte by byte.
    Strict,
    /// The same of a line with more quotes than values in quotes.
    Quoted,
    /// As far as it follows the format.
    Anyhow,
}

/// What stands in front of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Front {
    /// Nothing that another chose, as far as can be told.
    Sure,
    /// A text that another may have chosen.
    Open,
    /// The first value, which is one word, as the client is further behind: what is around a line may have run into it.
    Word(Slot),
}

/// Whether a text is a scheme of a load balancer, or a result of a cache. Most results are one of two.
#[inline]
fn is_word(slot: Slot, text: &str) -> bool {
    match slot {
        Slot::Scheme => matches!(text, "http" | "https" | "h2" | "grpcs" | "ws" | "wss"),
        _ => matches!(text, "HIT" | "MISS") || is_name(text),
    }
}

/// Keeps the list of addresses that stands right behind the fields of a format.
#[inline]
fn keep_forwarded<'a>(rest: &'a str, record: &mut Record<'a>) {
    if let Some(text) = forwarded_behind(rest) {
        record.set(Slot::ForwardedFor, Value { text, ..Value::default() });
    }
}

impl Plan {
    /// The same plan for lines that may end early.
    #[must_use]
    pub fn with_optional(mut self, optional: Optional) -> Self {
        self.optional = optional;
        self
    }

    /// The same plan for lines whose client is always an address, with a host in front of it.
    #[must_use]
    pub fn with_sure_client(mut self) -> Self {
        self.has_sure_client = true;
        let host = self.steps.first_mut().filter(|step| step.until == Until::Byte(b' '));
        if let Some(host) = host {
            host.until = Until::Host;
        }
        self
    }

    /// The same plan for the lines of a writer that does not escape quotes: what clients send may look like several
    /// values there.
    #[must_use]
    pub fn with_raw_quotes(mut self) -> Self {
        self.steps.iter_mut().for_each(|step| step.is_raw = true);
        self.quotes = Quotes::Raw(self.count_quoted());
        self
    }

    /// The same plan for the lines of a writer that escapes each quote in a value: nginx writes `\x22`.
    #[must_use]
    pub fn with_escaped_quotes(mut self) -> Self {
        self.quotes = Quotes::Escaped(self.count_quoted());
        self
    }

    /// The same of a writer whose lines never have more fields.
    #[must_use]
    pub fn with_fixed_quotes(mut self) -> Self {
        self.quotes = Quotes::Fixed(self.count_quoted());
        self
    }

    fn count_quoted(&self) -> usize {
        self.steps.iter().filter(|step| step.until == Until::Quote).count()
    }

    /// Whether more values seem to be in quotes than the format has, so that nobody can tell which are which.
    fn has_forged_quotes(&self, line: &str) -> bool {
        self.quotes.values().is_some_and(|max| count_closing(line) > max)
    }

    /// Whether a line has more quotes than are around values, and ends as the format does behind its last one: then they are
    /// in values, and not around fields that were added behind.
    #[cold]
    pub fn is_forged(&self, line: &str) -> bool {
        let Some(values) = self.quotes.values() else { return false };
        let line = line.trim_ascii_end();
        let is_fixed = matches!(self.quotes, Quotes::Fixed(_));
        let escaped = match self.quotes {
            Quotes::Raw(_) => 0,
            _ => line.matches("\\\"").count(),
        };
        let found = count_quotes(line) - escaped;
        found > 2 * values && (is_fixed || self.ends_so(line).unwrap_or_default())
    }

    /// Whether the line ends as the format does behind the last quoted value that something without quotes follows.
    fn ends_so(&self, line: &str) -> Option<bool> {
        let is_quoted = |step: &Step| step.until == Until::Quote;
        let bare = self.steps.iter().rposition(|step| !is_quoted(step))?;
        let last = self.steps.iter().take(bare).rposition(is_quoted)?;
        let (quoted, behind) = (self.steps.get(last)?, self.steps.get(last + 1..)?);
        let quotes_behind = 2 * behind.iter().filter(|step| is_quoted(step)).count();
        let quote = memchr::memrchr_iter(b'"', line.as_bytes()).nth(quotes_behind)?;
        let mut rest = quoted.after.strip(line.get(quote..)?)?;
        let mut record = Record::default();
        let fit = self.read_steps(behind, line, &mut rest, &mut record, Mode::Strict);
        Some(matches!(fit, None | Some(Fit::Whole)) && rest.trim_ascii().is_empty())
    }

    /// Fills `record` from `line`. A line that ends early keeps what was read, and is marked truncated; one that does
    /// not follow the format word by word is [`Fit::No`].
    #[inline]
    pub fn decode<'a>(&self, line: &'a str, record: &mut Record<'a>) -> Fit {
        let mode = match self.quotes.values() {
            Some(values) if count_quotes(line) > 2 * values => {
                if !matches!(self.quotes, Quotes::Raw(_)) && self.is_forged(line) {
                    return Fit::No;
                }
                Mode::Quoted
            }
            _ => Mode::Strict,
        };
        let fit = self.read(line, record, mode);
        if self.check_front(line, record) { fit } else { Fit::No }
    }

    /// The same of a line that does not quite follow the format: other blanks, dashes without quotes, a number more.
    #[cold]
    pub fn decode_loosely<'a>(&self, line: &'a str, record: &mut Record<'a>) -> Fit {
        let Some(shape) = &self.shape else { return Fit::No };
        let has_raw_quotes = matches!(self.quotes, Quotes::Raw(_));
        let is_unsure = has_raw_quotes && (self.has_forged_quotes(line) || line.contains("\\\""));
        if is_unsure || self.is_forged(line) {
            return Fit::No;
        }
        record.clear();
        // What is left over may as well be the end of a value that looked like several.
        let fit = shape.read(line, self.optional, record);
        let fit = if self.check_front(line, record) { fit } else { Fit::No };
        match fit {
            Fit::Extra if has_raw_quotes => Fit::No,
            fit => fit,
        }
    }

    /// Whatever can be read where the format puts it of a line that does not follow it, marked truncated.
    #[cold]
    pub fn decode_anyhow<'a>(&self, line: &'a str, record: &mut Record<'a>) -> Fit {
        record.clear();
        let fit = self.read(line, record, Mode::Anyhow);
        let is_placed =
            self.check_front(line, record) && bars::keep_placed(&self.steps, line, record);
        record.truncated = true;
        if is_placed { fit } else { Fit::No }
    }

    /// Whether what stands in front of the client can be that; of a client that may be of the text in front nothing is kept.
    #[inline]
    fn check_front(&self, line: &str, record: &mut Record<'_>) -> bool {
        match self.front {
            Front::Sure => true,
            Front::Open => {
                self.withhold_first_of_two(line, record);
                true
            }
            Front::Word(slot) => record.get(slot).is_none_or(|value| is_word(slot, value.text)),
        }
    }

    // There is one of it, so that what it calls can be made one with it.
    #[inline(never)]
    fn read<'a>(&self, line: &'a str, record: &mut Record<'a>, mode: Mode) -> Fit {
        record.is_text = true;
        let Some(mut rest) = self.before.strip(line) else { return Fit::No };
        if let Some(fit) = self.read_steps(&self.steps, line, &mut rest, record, mode) {
            return fit;
        }
        if rest.trim_ascii().is_empty() {
            return Fit::Whole;
        }
        if mode != Mode::Anyhow && (holds_record(rest) || !self.may_end_before(line, rest)) {
            return Fit::No;
        }
        keep_forwarded(rest, record);
        Fit::Extra
    }

    /// Reads the values of these steps, and leaves what stands behind them in `rest`; what was found where the line does not
    /// go on so.
    #[expect(
        clippy::inline_always,
        reason = "one function with the one above: there is one of it that counts"
    )]
    #[inline(always)]
    fn read_steps<'a>(
        &self,
        steps: &[Step],
        line: &'a str,
        rest: &mut &'a str,
        record: &mut Record<'a>,
        mode: Mode,
    ) -> Option<Fit> {
        let is_strict = mode != Mode::Anyhow;
        let is_forged = !is_strict && self.has_forged_quotes(line);
        for step in steps {
            if is_forged && step.until == Until::Quote && !step.is_sure_request(line, rest) {
                return Some(self.keep_front(rest, record));
            }
            // Most values: no way round.
            if let Until::Byte(byte) = step.until {
                if mode == Mode::Quoted && step.has_quote(rest, byte) {
                    return Some(Fit::No);
                }
                if step.values > 1 {
                    match search::nth(rest.as_bytes(), byte, step.values) {
                        Ok(at) => *rest = rest.get(at + 1..).unwrap_or_default(),
                        Err(found) => return Some(self.cut(step, found, rest, record)),
                    }
                    continue;
                }
                let Some((mut text, mut tail)) = divide(rest, byte) else {
                    return Some(self.cut(step, 0, rest, record));
                };
                let is_client = step.variable.slot == Some(Slot::ClientIp);
                if is_client && text.ends_with(',') {
                    (text, tail) = divide_list(rest, byte).unwrap_or((text, tail));
                }
                let is_peer = !is_client || self.takes_peer(&mut text, tail, step, record);
                if !is_peer && is_strict {
                    return Some(Fit::No);
                }
                if !is_peer && step.is_beside_other_client(tail) {
                    text = "-";
                }
                step.keep((text, tail), step.variable.escape, record);
                *rest = tail;
                continue;
            }
            let found = match step.until {
                Until::Byte(_) => None,
                Until::Padded(byte) => until_padded(rest, byte, step.variable.escape),
                Until::Nth(byte, count) => until_nth(rest, byte, count, step.variable.escape),
                Until::List(byte) => until_list(rest, byte, step.variable.escape),
                Until::Text => step.until_text(rest),
                Until::LastText => step.until_last_text(rest),
                Until::BarBeforeLast => until_bar_before_last(rest),
                Until::TextBeforeTime => match step.until_text_before_time(rest) {
                    None => return Some(Fit::No),
                    found => found,
                },
                Until::Quote => step.until_quote(rest),
                Until::Port => until_port(rest),
                Until::Host => match until_host(rest) {
                    Some((None, _)) if is_strict => return Some(Fit::No),
                    found => found.map(|(host, tail)| (host.unwrap_or("-"), Escape::None, tail)),
                },
                Until::End => match step.until_end(rest) {
                    None if is_strict => return Some(Fit::No),
                    found => found,
                },
            };
            let Some((text, escape, tail)) = found else {
                return Some(self.cut(step, 0, rest, record));
            };
            step.keep((text, tail), escape, record);
            *rest = tail;
        }
        None
    }

    /// Keeps of a line, in whose `rest` nobody can tell which values are where, what stands in front of that: that somebody asked
    /// is certain, and when, unless another time behind the first one is the writer's own.
    #[cold]
    fn keep_front(&self, rest: &str, record: &mut Record<'_>) -> Fit {
        let is_time = |step: &Step| step.variable.slot == Some(Slot::Time);
        if !self.steps.first().is_some_and(is_time) && holds_record(rest) {
            return Fit::No;
        }
        record.note_empty(Slot::Request);
        Fit::Cut
    }

    /// Whether what follows the last field can be further ones. Behind a quote that was looked at already.
    #[inline]
    fn may_end_before(&self, line: &str, rest: &str) -> bool {
        let has_room = !matches!(self.quotes, Quotes::Raw(_)) || !rest.contains('"');
        let last = self.steps.last();
        let ends_quoted = last.is_some_and(|step| step.until == Until::Quote);
        // The last value, up to the quote behind it.
        let taken = || line.len().checked_sub(rest.len() + 1).and_then(|end| line.get(..end));
        let is_answered = begins_status(rest)
            && last.is_some_and(|step| step.variable.slot != Some(Slot::Request))
            && ends_quoted
            && taken().is_some_and(ends_as_request);
        has_room && !is_answered && !holds_answer(rest) && (ends_quoted || ends_line(rest))
    }

    /// Leaves of a text that stands where the client does the client, and notes what can be said of it; whether it can be
    /// one. Of two places it is not said which is taken.
    #[inline]
    fn takes_peer<'a>(
        &self,
        text: &mut &'a str,
        tail: &str,
        step: &Step,
        record: &mut Record<'a>,
    ) -> bool {
        let peer;
        (peer, *text) = self.peer(text, tail, step);
        record.peer = if self.has_two_clients { Peer::Unknown } else { peer };
        peer != Peer::Unknown
    }

    /// What can be said of a text that stands where the client does, and the client in it.
    #[inline]
    fn peer<'a>(&self, text: &'a str, tail: &str, step: &Step) -> (Peer, &'a str) {
        if let Some(words) = step.words_before_time
            && !tail.starts_with("- - [")
            && has_other_client(tail, words)
        {
            (Peer::Unknown, text)
        } else if is_ipv4(text.as_bytes()) {
            (Peer::Plain, text)
        } else if let Some(host) = without_port(text) {
            (Peer::Plain, host)
        } else if is_plain_ipv6(text.as_bytes()) {
            (Peer::Plain, text)
        } else if self.accepts_client(text, tail, step) {
            (Peer::Sound, text)
        } else {
            (Peer::Unknown, text)
        }
    }

    /// Whether a text that is no plain address can be the client.
    #[cold]
    fn accepts_client(&self, text: &str, tail: &str, step: &Step) -> bool {
        if self.has_sure_client {
            return is_address(text);
        }
        is_sound_client(text, tail, step.words_before_time)
    }

    /// The line ends inside a value of a step, `before` values into it.
    #[cold]
    fn cut<'a>(&self, step: &Step, before: usize, rest: &'a str, record: &mut Record<'a>) -> Fit {
        let backslash = step.until == Until::Quote && rest.contains('\\');
        let escape = if backslash { Escape::Backslash } else { step.variable.escape };
        let rest = match (step.until, before) {
            (Until::Byte(byte), 1..) => search::nth(rest.as_bytes(), byte, before)
                .map_or(rest, |at| rest.get(at + 1..).unwrap_or_default()),
            _ => rest,
        };
        let rest = rest.trim_ascii_end();
        let may_end = match self.optional {
            Optional::Nothing => false,
            Optional::After(values) => step.index + before + 1 == values,
            Optional::From(values) => step.index + before + 1 >= values,
        };
        // A host has no length by which one that was cut shows.
        let is_host = step.variable.slot == Some(Slot::Host);
        if may_end && !is_host && !rest.is_empty() && step.until != Until::Quote {
            step.keep((rest, ""), escape, record);
            return Fit::Whole;
        }
        step.keep_cut(rest, escape, record);
        record.truncated = true;
        Fit::Cut
    }

    /// Takes the client out again where another address stands between it and the time, and marks the line: what was taken
    /// may be of the text in front.
    #[cold]
    fn withhold_first_of_two(&self, line: &str, record: &mut Record<'_>) {
        let Some(client) = record.get(Slot::ClientIp).map(|value| value.text) else { return };
        let is_client = |step: &&Step| step.variable.slot == Some(Slot::ClientIp);
        let words = self.steps.iter().find(is_client).and_then(|step| step.words_before_time);
        let tail =
            place(line, client).and_then(|client| line.get(client.end..)).unwrap_or_default();
        if has_other_client(tail.trim_ascii_start(), words.unwrap_or_default()) {
            record.take_out(Slot::ClientIp);
            record.truncated = true;
        }
    }
}

//! A compiled format string, and the reading of lines by it.

use super::captures;
use super::ends::{
    Found, before_wrapped, begins_status, count_closing, divide_list, ends_as_request, ends_line,
    ends_with_closed_quote, has_bar, holds_answer, holds_fields, holds_request_end, until_list,
    until_nth, until_padded, until_port,
};
use super::loose::Shape;
use super::sound::{
    forwarded_behind, has_other_client, holds_record, is_address, is_sound_client, looks_like_time,
    words_before_time,
};
use super::variables::{Guess, Variable};
use crate::address::{is_plain_ip, without_port};
use crate::lanes::{contains, is};
use crate::literal::Literal;
use crate::record::{Escape, Peer, Record, Slot, Value};
use crate::search::{self, divide};

/// Quotes inside one quoted value that are weighed as its end before the last one is taken.
const QUOTES_MAX: usize = 64;

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

/// Where a value ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// At the byte that follows it in the format.
    Byte(u8),
    /// At the byte that follows it, behind blanks that fill a column.
    Padded(u8),
    /// At that byte, so many of which it holds itself: a time with blanks.
    Nth(u8, u8),
    /// At that byte, behind a list whose entries have commas or colons and blanks between them.
    List(u8),
    /// At the text that follows it in the format.
    Text,
    /// At the text that follows it, behind which a time must stand.
    TextBeforeTime,
    /// At a quote.
    Quote,
    /// At the last colon of the word: an address, and its port.
    Port,
    /// At the end of the line.
    End,
}

/// What a quote must be followed by to be the closing one, besides the text of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    /// Anything.
    Anything,
    /// Anything, and no quote stands inside: the writer escapes it without a backslash.
    First,
    /// A number or `-`: the status behind a request.
    Number,
    /// The end of the line, or further fields of their own.
    LineEnd,
    /// The same behind a value that is skipped. Further fields are not told apart for it: it is enough that one may begin
    /// behind the quote, and that no quote is open at the end.
    LineEndUnread,
}

/// A value, or several that are skipped, and the text behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// Values before this step.
    pub(super) index: usize,
    /// Values of this step: more than one where all of them are skipped and end at the same byte.
    pub(super) values: usize,
    pub(super) variable: Variable,
    pub(super) until: Until,
    /// Text behind the value.
    pub(super) after: Literal,
    /// The same without the blank before it; empty when it is nothing but a blank, or has none.
    pub(super) after_blank: Literal,
    pub(super) closing: Closing,
    /// Of what has no blanks in it: a number, an address, a word.
    pub(super) is_word: bool,
    /// How many words that are skipped stand between it and the time, if nothing else does.
    pub(super) words_before_time: Option<usize>,
    /// A bar is before it, as between the others: one inside it shows that these are not where they seem to be.
    pub(super) is_behind_bar: bool,
    /// Of a writer that escapes no quotes. Without quotes around it the value is always there and has none inside.
    pub(super) is_raw: bool,
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
    /// Of a writer that leaves quotes in values as they are: how many quoted values the format has.
    pub(super) quoted_max: Option<usize>,
    /// It has captured headers, which are told by what stood there in the lines before.
    pub(super) has_captures: bool,
    /// The client stands at more than one place.
    pub(super) has_two_clients: bool,
}

impl Plan {
    /// The same plan for lines that may end early.
    #[must_use]
    pub fn with_optional(mut self, optional: Optional) -> Self {
        self.optional = optional;
        self
    }

    /// The same plan for lines whose client is always an address.
    #[must_use]
    pub fn with_sure_client(mut self) -> Self {
        self.has_sure_client = true;
        self
    }

    /// The same plan for the lines of a writer that does not escape quotes: what clients send may look like several
    /// values there.
    #[must_use]
    pub fn with_raw_quotes(mut self) -> Self {
        self.steps.iter_mut().for_each(|step| step.is_raw = true);
        let quoted = self.steps.iter().filter(|step| step.until == Until::Quote);
        self.quoted_max = Some(quoted.count());
        self
    }

    /// Whether more values seem to be in quotes than the format has, so that nobody can tell which are which.
    fn has_forged_quotes(&self, line: &str) -> bool {
        self.quoted_max.is_some_and(|max| count_closing(line) > max)
    }

    /// Fills `record` from `line`. A line that ends early keeps what was read, and is marked truncated; one that does
    /// not follow the format word by word is [`Fit::No`].
    #[inline]
    pub fn decode<'a>(&self, line: &'a str, record: &mut Record<'a>) -> Fit {
        self.read(line, record, true)
    }

    /// The same of a line that does not quite follow the format: other blanks, dashes without quotes, a number more.
    #[cold]
    pub fn decode_loosely<'a>(&self, line: &'a str, record: &mut Record<'a>) -> Fit {
        let Some(shape) = &self.shape else { return Fit::No };
        let has_raw_quotes = self.quoted_max.is_some();
        if has_raw_quotes && (self.has_forged_quotes(line) || line.contains("\\\"")) {
            return Fit::No;
        }
        record.clear();
        // What is left over may as well be the end of a value that looked like several.
        match shape.read(line, self.optional, record) {
            Fit::Extra if has_raw_quotes => Fit::No,
            fit => fit,
        }
    }

    /// Whatever can be read where the format puts it of a line that does not follow it, marked truncated.
    #[cold]
    pub fn decode_anyhow<'a>(&self, line: &'a str, record: &mut Record<'a>) -> Fit {
        record.clear();
        let fit = self.read(line, record, false);
        record.truncated = true;
        fit
    }

    // There is one of it, so that what it calls can be made one with it.
    #[inline(never)]
    fn read<'a>(&self, line: &'a str, record: &mut Record<'a>, is_strict: bool) -> Fit {
        record.is_text = true;
        let Some(mut rest) = self.before.strip(line) else { return Fit::No };
        let is_forged = !is_strict && self.has_forged_quotes(line);
        for step in &self.steps {
            if is_forged && step.until == Until::Quote {
                return Fit::Cut;
            }
            // Most values: no way round.
            if let Until::Byte(byte) = step.until {
                if step.values > 1 {
                    match search::nth(rest.as_bytes(), byte, step.values) {
                        Ok(at) => rest = rest.get(at + 1..).unwrap_or_default(),
                        Err(found) => return self.cut(step, found, rest, record),
                    }
                    continue;
                }
                let Some((mut text, mut tail)) = divide(rest, byte) else {
                    return self.cut(step, 0, rest, record);
                };
                let is_client = step.variable.slot == Some(Slot::ClientIp);
                if is_client && text.ends_with(',') {
                    (text, tail) = divide_list(rest, byte).unwrap_or((text, tail));
                }
                if is_client && !self.takes_peer(&mut text, tail, step, record) && is_strict {
                    return Fit::No;
                }
                step.keep((text, tail), step.variable.escape, record);
                rest = tail;
                continue;
            }
            let found = match step.until {
                Until::Byte(_) => None,
                Until::Padded(byte) => until_padded(rest, byte, step.variable.escape),
                Until::Nth(byte, count) => until_nth(rest, byte, count, step.variable.escape),
                Until::List(byte) => until_list(rest, byte, step.variable.escape),
                Until::Text => step.until_text(rest),
                Until::TextBeforeTime => match step.until_text_before_time(rest) {
                    None => return Fit::No,
                    found => found,
                },
                Until::Quote => step.until_quote(rest),
                Until::Port => until_port(rest),
                Until::End => match step.until_end(rest) {
                    None if is_strict => return Fit::No,
                    found => found,
                },
            };
            let Some((text, escape, tail)) = found else {
                return self.cut(step, 0, rest, record);
            };
            step.keep((text, tail), escape, record);
            rest = tail;
        }
        if rest.trim_ascii().is_empty() {
            return Fit::Whole;
        }
        if is_strict && (holds_record(rest) || !self.may_end_before(line, rest)) {
            return Fit::No;
        }
        if let Some(text) = forwarded_behind(rest) {
            record.set(Slot::ForwardedFor, Value { text, ..Value::default() });
        }
        Fit::Extra
    }

    /// Whether what follows the last field can be further ones. Behind a quote that was looked at already.
    #[inline]
    fn may_end_before(&self, line: &str, rest: &str) -> bool {
        let has_room = self.quoted_max.is_none() || !rest.contains('"');
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
        } else if is_plain_ip(text) {
            (Peer::Plain, text)
        } else if let Some(host) = without_port(text) {
            (Peer::Plain, host)
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
        step.keep((rest, ""), escape, record);
        let may_end = match self.optional {
            Optional::Nothing => false,
            Optional::After(values) => step.index + before + 1 == values,
            Optional::From(values) => step.index + before + 1 >= values,
        };
        if may_end && !rest.is_empty() && step.until != Until::Quote {
            return Fit::Whole;
        }
        record.truncated = true;
        Fit::Cut
    }
}

impl Step {
    #[expect(clippy::inline_always, reason = "a call for every value costs a tenth of a line")]
    #[inline(always)]
    fn keep<'a>(&self, (text, tail): (&'a str, &str), escape: Escape, record: &mut Record<'a>) {
        let Variable { slot, unit, rank, guess, .. } = self.variable;
        if let Some(slot) = slot {
            record.set(slot, Value { text, escape, unit, rank });
        } else if guess != Guess::Nothing && text != "-" {
            let is_alone = || words_before_time(tail).count() == 1;
            captures::keep(text, is_alone, (escape, guess), record);
        }
    }

    /// Value and rest, divided by the text behind the value. A number may be missing together with the blank before that
    /// text; any other value that is would let a line of another format be read by this one.
    #[inline]
    fn until_text<'a>(&self, rest: &'a str) -> Found<'a> {
        if self.after_blank.len() > 0
            && !self.is_raw
            && let Some(tail) = self.after_blank.strip(rest)
        {
            return Some(("", Escape::None, tail));
        }
        let at = if self.is_word { self.end_of_word(rest)? } else { find(rest, &self.after, 0)? };
        if self.is_raw && contains(rest.as_bytes().get(..at)?, is(b'"')) {
            return None;
        }
        Some((rest.get(..at)?, self.variable.escape, rest.get(at + self.after.len()..)?))
    }

    /// Where the text behind a word begins: at the first byte like its own, or nowhere.
    #[inline]
    fn end_of_word(&self, rest: &str) -> Option<usize> {
        let bytes = rest.as_bytes();
        let at = search::byte(bytes, *self.after.as_str().as_bytes().first()?)?;
        self.after.begins(bytes.get(at..)?).then_some(at)
    }

    fn until_end<'a>(&self, rest: &'a str) -> Found<'a> {
        let text = rest.trim_ascii_end();
        // No writer has a tab in a value: behind one begins a field that the format does not have.
        let other = if self.is_word { b' ' } else { b'\t' };
        let is_torn = search::either(text.as_bytes(), b'\t', other).is_some()
            || (self.is_raw && contains(text.as_bytes(), is(b'"')));
        // The end of a request has a blank in it, with which no word got here.
        let holds_request = || !self.is_word && holds_request_end(text);
        let is_torn = is_torn || (self.is_behind_bar && has_bar(text)) || holds_request();
        let text = if is_torn { before_wrapped(text).filter(|_| self.is_word)? } else { text };
        Some((text, self.variable.escape, ""))
    }

    fn until_text_before_time<'a>(&self, rest: &'a str) -> Found<'a> {
        if let Some(tail) = self.after_blank.strip(rest)
            && looks_like_time(tail)
        {
            return Some(("", Escape::None, tail));
        }
        let mut from = 0;
        loop {
            let at = find(rest, &self.after, from)?;
            let tail = rest.get(at + self.after.len()..)?;
            if looks_like_time(tail) {
                return Some((rest.get(..at)?, Escape::None, tail));
            }
            from = at + 1;
        }
    }

    /// Value and rest, divided by the closing quote: the first one that is not escaped and behind which the line
    /// goes on as the format says.
    #[inline]
    fn until_quote<'a>(&self, rest: &'a str) -> Found<'a> {
        let bytes = rest.as_bytes();
        let (mut from, mut escape, mut quotes) = (0, self.variable.escape, 0);
        while let Some(hit) = search::either(bytes.get(from..)?, b'"', b'\\') {
            let at = from + hit;
            if bytes.get(at) == Some(&b'\\') {
                if self.is_raw {
                    from = at + 1;
                    continue;
                }
                escape = Escape::Backslash;
                from = at + 2;
                continue;
            }
            quotes += 1;
            if quotes > QUOTES_MAX {
                break;
            }
            if let Some(tail) = self.closes(rest, at) {
                let text = rest.get(..at)?;
                let is_torn = quotes > 1 && self.is_torn(text);
                return if is_torn { None } else { Some((text, escape, tail)) };
            }
            from = at + 1;
        }
        self.until_last_quote(rest, escape)
    }

    /// Whether a text with quotes in it is more than one value.
    #[cold]
    fn is_torn(&self, text: &str) -> bool {
        let is_request = self.variable.slot == Some(Slot::Request);
        holds_record(text)
            || (is_request && text.contains("\" \""))
            || (self.is_raw && holds_fields(text))
    }

    /// The last quote at which the line can go on, for values full of quotes or with a stray backslash.
    #[cold]
    fn until_last_quote<'a>(&self, rest: &'a str, escape: Escape) -> Found<'a> {
        let mut end = rest.len();
        for _ in 0..QUOTES_MAX {
            let at = memchr::memrchr(b'"', rest.as_bytes().get(..end)?)?;
            if let Some(tail) = self.closes(rest, at) {
                let text = rest.get(..at)?;
                return if self.is_torn(text) { None } else { Some((text, escape, tail)) };
            }
            end = at;
        }
        None
    }

    /// What follows a closing quote at `at`, if it can be one.
    #[expect(clippy::inline_always, reason = "a call for every value costs a tenth of a line")]
    #[inline(always)]
    fn closes<'a>(&self, rest: &'a str, at: usize) -> Option<&'a str> {
        let from = rest.get(at..)?;
        let tail = self.after.strip(from)?;
        let fits = match self.closing {
            Closing::Anything | Closing::First => true,
            Closing::Number => matches!(tail.as_bytes().first(), Some(b'0'..=b'9' | b'-')),
            Closing::LineEnd => ends_line(tail),
            Closing::LineEndUnread => ends_with_closed_quote(tail) || ends_line(tail),
        };
        fits.then_some(tail)
    }
}

/// Position of `text` in `rest`, from `from` on.
#[expect(clippy::inline_always, reason = "a call for every value of a line costs a tenth of it")]
#[inline(always)]
fn find(rest: &str, text: &Literal, from: usize) -> Option<usize> {
    let bytes = rest.as_bytes();
    let first = *text.as_str().as_bytes().first()?;
    let mut at = from;
    loop {
        at += search::byte(bytes.get(at..)?, first)?;
        if text.begins(bytes.get(at..)?) {
            return Some(at);
        }
        at += 1;
    }
}

//! A compiled format string, and the reading of lines by it.

use std::net::IpAddr;

use super::captures;
use super::variables::{Guess, Variable};
use crate::lanes::{contains, is};
use crate::literal::Literal;
use crate::record::{Escape, Record, Slot, Value};
use crate::search::{self, divide};

/// Quotes inside one quoted value that are weighed as its end before the last one is taken.
const QUOTES_MAX: usize = 64;

/// Fields behind the last one of the format for which a closing quote is still believed to be one.
const EXTRA_FIELDS_MAX: usize = 32;

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
    pub(super) before: Box<str>,
    pub(super) steps: Vec<Step>,
    pub(super) optional: Optional,
}

impl Plan {
    /// The same plan for lines that may end early.
    #[must_use]
    pub fn with_optional(mut self, optional: Optional) -> Self {
        self.optional = optional;
        self
    }

    /// Fills `record` from `line`. A line that ends early keeps what was read, and is marked truncated.
    #[inline]
    pub fn decode<'a>(&self, line: &'a str, record: &mut Record<'a>) -> Fit {
        let Some(mut rest) = line.strip_prefix(&*self.before) else { return Fit::No };
        for step in &self.steps {
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
                if text.ends_with(',') && step.variable.slot == Some(Slot::ClientIp) {
                    (text, tail) = divide_list(rest, byte).unwrap_or((text, tail));
                }
                step.keep(text, step.variable.escape, record);
                rest = tail;
                continue;
            }
            let found = match step.until {
                Until::Byte(_) => None,
                Until::Text => step.until_text(rest),
                Until::TextBeforeTime => match step.until_text_before_time(rest) {
                    None => return Fit::No,
                    found => found,
                },
                Until::Quote => step.until_quote(rest),
                Until::Port => until_port(rest),
                Until::End => Some((rest.trim_ascii_end(), step.variable.escape, "")),
            };
            let Some((text, escape, tail)) = found else {
                return self.cut(step, 0, rest, record);
            };
            step.keep(text, escape, record);
            rest = tail;
        }
        if rest.trim_ascii().is_empty() {
            return Fit::Whole;
        }
        if let Some(text) = forwarded_behind(rest) {
            record.set(Slot::ForwardedFor, Value { text, ..Value::default() });
        }
        Fit::Extra
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
        step.keep(rest, escape, record);
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

type Found<'a> = Option<(&'a str, Escape, &'a str)>;

impl Step {
    #[inline]
    fn keep<'a>(&self, text: &'a str, escape: Escape, record: &mut Record<'a>) {
        let Variable { slot, unit, rank, guess, .. } = self.variable;
        if let Some(slot) = slot {
            record.set(slot, Value { text, escape, unit, rank });
        } else if guess != Guess::Nothing && text != "-" {
            captures::keep(text, guess, record);
        }
    }

    /// Value and rest, divided by the text behind the value. The value may be missing together with the blank
    /// before that text.
    #[inline]
    fn until_text<'a>(&self, rest: &'a str) -> Found<'a> {
        if self.after_blank.len() > 0
            && let Some(tail) = self.after_blank.strip(rest)
        {
            return Some(("", Escape::None, tail));
        }
        let at = find(rest, &self.after, 0)?;
        Some((rest.get(..at)?, self.variable.escape, rest.get(at + self.after.len()..)?))
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
        let (mut from, mut escape, mut quotes) = (0, Escape::None, 0);
        while let Some(hit) = search::either(bytes.get(from..)?, b'"', b'\\') {
            let at = from + hit;
            if bytes.get(at) == Some(&b'\\') {
                escape = Escape::Backslash;
                from = at + 2;
                continue;
            }
            quotes += 1;
            if quotes > QUOTES_MAX {
                break;
            }
            if let Some(tail) = self.closes(rest, at) {
                return Some((rest.get(..at)?, escape, tail));
            }
            from = at + 1;
        }
        self.until_last_quote(rest, escape)
    }

    /// The last quote at which the line can go on, for values full of quotes or with a stray backslash.
    #[cold]
    fn until_last_quote<'a>(&self, rest: &'a str, escape: Escape) -> Found<'a> {
        let mut end = rest.len();
        for _ in 0..QUOTES_MAX {
            let at = memchr::memrchr(b'"', rest.as_bytes().get(..end)?)?;
            if let Some(tail) = self.closes(rest, at) {
                return Some((rest.get(..at)?, escape, tail));
            }
            end = at;
        }
        None
    }

    /// What follows a closing quote at `at`, if it can be one.
    #[inline]
    fn closes<'a>(&self, rest: &'a str, at: usize) -> Option<&'a str> {
        let from = rest.get(at..)?;
        let tail = self.after.strip(from)?;
        let fits = match self.closing {
            Closing::Anything => true,
            Closing::Number => matches!(tail.as_bytes().first(), Some(b'0'..=b'9' | b'-')),
            Closing::LineEnd => ends_line(tail),
            Closing::LineEndUnread => ends_with_closed_quote(tail) || ends_line(tail),
        };
        fits.then_some(tail)
    }
}

/// The list of addresses in quotes right behind the fields of a format: nginx's stock `main` is `combined` with
/// `"$http_x_forwarded_for"` added. An address with a port is rather an upstream's.
fn forwarded_behind(rest: &str) -> Option<&str> {
    let (text, _) = divide(rest.strip_prefix(" \"")?, b'"')?;
    let (is_dot, is_colon) = (is(b'.'), is(b':'));
    if !contains(text.as_bytes(), |bytes| is_dot(bytes) | is_colon(bytes)) {
        return None;
    }
    let last = text.rsplit(',').next()?;
    last.trim_ascii().parse::<IpAddr>().ok().map(|_| text)
}

/// Value and rest, divided by the last colon of the first word: IPv6 addresses are full of colons.
fn until_port(rest: &str) -> Found<'_> {
    let word = memchr::memchr(b' ', rest.as_bytes()).unwrap_or(rest.len());
    let at = memchr::memrchr(b':', rest.as_bytes().get(..word)?)?;
    Some((rest.get(..at)?, Escape::None, rest.get(at + 1..)?))
}

/// Whether a field begins here, and the last byte is a quote that closes a value, not one that opens one.
fn ends_with_closed_quote(tail: &str) -> bool {
    match tail.trim_ascii_end().as_bytes() {
        [b' ', .., before, b'"'] => !matches!(before, b' ' | b'='),
        _ => false,
    }
}

/// Whether nothing, or only further fields of their own, follows a closing quote.
fn ends_line(tail: &str) -> bool {
    let mut rest = tail.trim_ascii_end();
    if rest.is_empty() {
        return true;
    }
    for _ in 0..EXTRA_FIELDS_MAX {
        let Some(field) = rest.strip_prefix(' ') else { break };
        if let Some(quoted) = field.strip_prefix('"') {
            let Some(end) = search::byte(quoted.as_bytes(), b'"') else { return false };
            rest = quoted.get(end + 1..).unwrap_or_default();
        } else {
            let end = memchr::memchr2(b' ', b'"', field.as_bytes()).unwrap_or(field.len());
            let (name, value) = field.split_at(end);
            // `urt="0.004"`.
            rest = match value.strip_prefix('"') {
                Some(quoted) if name.ends_with('=') => {
                    let Some((_, rest)) = quoted.split_once('"') else { return false };
                    rest
                }
                _ => value,
            };
        }
    }
    rest.is_empty()
}

/// What is before and behind the byte at the end of several values: `192.0.2.1, 10.0.0.1 - -`.
#[cold]
fn divide_list(rest: &str, byte: u8) -> Option<(&str, &str)> {
    let mut from = 0;
    loop {
        let end = from + search::byte(rest.as_bytes().get(from..)?, byte)?;
        let (text, tail) = rest.split_at_checked(end)?;
        if !text.ends_with(',') {
            return Some((text, tail.get(1..)?));
        }
        from = end + 1;
    }
}

/// Position of `text` in `rest`, from `from` on.
#[inline]
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

/// Whether a time in common log or ISO notation, or an epoch, stands at the start.
fn looks_like_time(text: &str) -> bool {
    let start = text.as_bytes().get(..5).unwrap_or_default();
    match start {
        [d1, d2, b'/', m1, _] => {
            d1.is_ascii_digit() && d2.is_ascii_digit() && m1.is_ascii_alphabetic()
        }
        [year @ .., fifth] if year.len() == 4 => {
            year.iter().all(u8::is_ascii_digit) && (*fifth == b'-' || fifth.is_ascii_digit())
        }
        _ => false,
    }
}

//! One value of a plan, and where it ends.

use super::captures;
use super::ends::{
    Found, before_wrapped, ends_as_request, ends_line, ends_with_closed_quote, find, has_bar,
    holds_fields, holds_request_end, request_ends,
};
use super::sound::{has_other_client, holds_record, looks_like_time, words_before_time};
use super::variables::{Guess, Variable};
use crate::lanes::{contains, is};
use crate::literal::Literal;
use crate::record::{Escape, Record, Slot, Value};
use crate::search;

/// Quotes inside one quoted value that are weighed as its end before the last one is taken.
const QUOTES_MAX: usize = 64;

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
    /// At the last place where the text that follows it stands.
    LastText,
    /// At the bar before the last one of the line: a user agent of a writer that leaves bars in it as they are.
    BarBeforeLast,
    /// At the text that follows it, behind which a time must stand.
    TextBeforeTime,
    /// At a quote.
    Quote,
    /// At the last colon of the word: an address, and its port.
    Port,
    /// At a blank: a host, which is one.
    Host,
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

impl Step {
    #[expect(clippy::inline_always, reason = "a call for every value costs a tenth of a line")]
    #[inline(always)]
    pub(super) fn keep<'a>(
        &self,
        (text, tail): (&'a str, &str),
        escape: Escape,
        record: &mut Record<'a>,
    ) {
        let Variable { slot, unit, rank, guess, .. } = self.variable;
        if let Some(slot) = slot {
            record.set(slot, Value { text, escape, unit, rank });
        } else if guess != Guess::Nothing && text != "-" {
            let is_alone = || words_before_time(tail).count() == 1;
            captures::keep(text, is_alone, (escape, guess), record);
        }
    }

    /// Keeps what there is of a value in which the line ends, if it says something.
    #[cold]
    pub(super) fn keep_cut<'a>(&self, text: &'a str, escape: Escape, record: &mut Record<'a>) {
        let Some(slot) = self.variable.slot else { return self.keep((text, ""), escape, record) };
        let is_status = slot == Slot::Status && text.len() == 3;
        if slot.may_be_cut() || is_status {
            // What stands behind a closing quote may be missing as well.
            let closed = text.strip_suffix('"').filter(|_| self.until == Until::Quote);
            self.keep((closed.unwrap_or(text), ""), escape, record);
        } else {
            record.note_empty(slot);
        }
    }

    /// Whether the values of a step, which has none in quotes, have a quote in them.
    #[cold]
    pub(super) fn has_quote(&self, rest: &str, byte: u8) -> bool {
        let bytes = rest.as_bytes();
        let end = search::nth(bytes, byte, self.values).unwrap_or(bytes.len());
        contains(bytes.get(..end).unwrap_or_default(), is(b'"'))
    }

    /// Whether another address stands between the client and the time, where no user's name is: behind a dash for the remote
    /// log name a user is called as he likes, and the client is the one in front all the same.
    #[cold]
    pub(super) fn is_beside_other_client(&self, tail: &str) -> bool {
        self.words_before_time.is_some_and(|words| has_other_client(tail, words))
            && !tail.starts_with("- ")
    }

    /// Value and rest, divided by the text behind the value. A number may be missing together with the blank before that
    /// text; any other value that is would let a line of another format be read by this one.
    #[inline]
    pub(super) fn until_text<'a>(&self, rest: &'a str) -> Found<'a> {
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

    /// The value that ends the line.
    #[inline]
    pub(super) fn until_end<'a>(&self, rest: &'a str) -> Found<'a> {
        // Most lines: nothing that one value could be torn from another at. No writer has a tab in a value, nor a blank in a
        // word.
        let blank = is(if self.is_word { b' ' } else { b'\t' });
        let (tab, quote) = (is(b'\t'), is(b'"'));
        let divides = |bytes| blank(bytes) | tab(bytes) | quote(bytes);
        if !self.is_behind_bar && !contains(rest.as_bytes(), divides) {
            return Some((rest.trim_ascii_end(), self.variable.escape, ""));
        }
        self.until_end_of_other(rest)
    }

    /// The same of one that may be torn, or have more behind it.
    #[inline(never)]
    fn until_end_of_other<'a>(&self, rest: &'a str) -> Found<'a> {
        let text = rest.trim_ascii_end();
        // Behind a tab begins a field that the format does not have.
        let other = if self.is_word { b' ' } else { b'\t' };
        // The end of a request has a blank in it, with which no word got here.
        let is_torn_at_quote = || self.is_raw || (!self.is_word && holds_request_end(text));
        let is_torn = search::either(text.as_bytes(), b'\t', other).is_some()
            || (contains(text.as_bytes(), is(b'"')) && is_torn_at_quote())
            || (self.is_behind_bar && has_bar(text));
        let text = if is_torn { before_wrapped(text).filter(|_| self.is_word)? } else { text };
        Some((text, self.variable.escape, ""))
    }

    /// The same at the last place where that text stands; no other record is in the value.
    pub(super) fn until_last_text<'a>(&self, rest: &'a str) -> Found<'a> {
        let at = rest.rfind(self.after.as_str())?;
        let text = rest.get(..at).filter(|text| !holds_record(text))?;
        Some((text, self.variable.escape, rest.get(at + self.after.len()..)?))
    }

    pub(super) fn until_text_before_time<'a>(&self, rest: &'a str) -> Found<'a> {
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
    pub(super) fn until_quote<'a>(&self, rest: &'a str) -> Found<'a> {
        let bytes = rest.as_bytes();
        let at = search::either(bytes, b'"', b'\\')?;
        // Most values: no way round.
        if bytes.get(at) == Some(&b'"')
            && let Some(tail) = self.closes(rest, at)
        {
            return Some((rest.get(..at)?, self.variable.escape, tail));
        }
        self.until_later_quote(rest)
    }

    /// The same of a value with backslashes or quotes in it.
    #[inline(never)]
    fn until_later_quote<'a>(&self, rest: &'a str) -> Found<'a> {
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

    /// Whether the value is the request, of a line that seems to have more quoted values than its format, and certainly all of
    /// it: nothing else in the line ends as a request does, in front of a status.
    #[cold]
    pub(super) fn is_sure_request(&self, line: &str, rest: &str) -> bool {
        self.variable.slot == Some(Slot::Request)
            && request_ends(line).count() == 1
            && self.until_quote(rest).is_some_and(|(text, ..)| ends_as_request(text))
    }

    /// Whether a text with quotes in it is more than one value: another record, or the end of a request, of which the beginning
    /// was taken for a whole one.
    #[cold]
    fn is_torn(&self, text: &str) -> bool {
        let is_request = self.variable.slot == Some(Slot::Request);
        // Behind a blank it opens a value, in which the line ends.
        let is_cut = text.ends_with(' ') && text.contains("\" ");
        holds_record(text)
            || is_cut
            || (is_request && text.contains("\" \""))
            || (!is_request && holds_request_end(text))
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

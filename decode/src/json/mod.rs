//! JSON lines → values, by a table of keys and without a tree.
//!
//! ```text
//! FieldMap ─ compile ─▶ KeyTable ──┐
//!                      line ─ JsonDecoder::decode ─▶ Record
//! ```
//!
//! Writers emit their keys in the same order line after line, so each key remembers which one followed it last
//! time: one comparison then replaces the scan of the key and its look-up.

mod adjust;
mod grok;
mod keys;
mod known;
mod leaves;
mod pairs;
mod peer;
mod scan;
mod shipped;
mod wrapped;

use adjust::Adjust;
pub(super) use keys::{Fed, fed_by, letters_of, marks};
pub use keys::{FieldMap, FieldSource, KeyPath};
pub use known::KeySet;
pub use leaves::{Leaf, leaves};
pub(super) use wrapped::{
    bytes_in, is_followed, is_open, object_in, sole_object, string_in, values_in,
};

use keys::{Action, EntryId, KeyTable, NodeId, Target};
use known::Heeded;
use scan::{Broken, Cursor, Scalar};

use super::record::{Escape, Record, Slot, Value};

/// Headers whose values some dialects write `%XX`.
pub(super) const PERCENT_SLOTS: &[Slot] = &[Slot::UserAgent, Slot::Referer, Slot::ForwardedFor];

/// Whose lines a dialect is of, where that says more than its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// Nothing more.
    Any,
    /// Programs of any kind: under the key of a path may stand a whole URL, and collectors add keys of their own.
    Programs,
    /// Azure's gateway, whose versions have another unit each.
    Gateway,
}

/// Decodes lines of one JSON dialect.
#[derive(Debug, Clone)]
pub struct JsonDecoder {
    keys: KeyTable,
    /// The values of [`PERCENT_SLOTS`] are written `%XX`.
    is_percent: bool,
    writer: Writer,
    /// Hosts were names so far, of lines that name no client.
    has_sites: bool,
    /// The records in the lists of the last line.
    parts: Vec<Part>,
    /// The keys that its lines had.
    heeded: Heeded,
}

/// Where one of the records of a line is.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    start: usize,
    end: usize,
    node: NodeId,
}

impl Part {
    /// Whether it stands in no other object: it may be of any dialect, then.
    pub(crate) fn is_outermost(&self) -> bool {
        self.node == NodeId::ROOT
    }

    /// Its text.
    pub(crate) fn text<'a>(&self, line: &'a str) -> &'a str {
        line.get(self.start..self.end).unwrap_or_default()
    }
}

impl JsonDecoder {
    /// A decoder for the keys of `fields`.
    pub fn new(fields: &FieldMap) -> Self {
        let is_gateway = fields.contains_key(marks::GATEWAY_QUERY);
        Self {
            keys: KeyTable::new(fields),
            is_percent: false,
            writer: if is_gateway { Writer::Gateway } else { Writer::Any },
            has_sites: false,
            parts: Vec::new(),
            heeded: Heeded::default(),
        }
    }

    /// The same decoder for lines that had these keys, to [tell](Self::has_news) whether another has more.
    pub(crate) fn heed_keys(&mut self, known: KeySet) {
        self.keys.forget_order();
        self.heeded.known = Some(known);
    }

    /// Adds to the keys that its lines have.
    pub(crate) fn know_keys(&mut self, keys: &KeySet) {
        if let Some(known) = &mut self.heeded.known {
            known.add(keys);
        }
    }

    /// The keys that its lines had.
    pub(crate) fn known_keys(&self) -> KeySet {
        self.heeded.known.unwrap_or_default()
    }

    /// Whether the last line had a key that none before it had: it may be of another dialect.
    #[inline]
    pub(crate) const fn has_news(&self) -> bool {
        self.heeded.has_news
    }

    /// The same decoder for a dialect that writes the values of headers `%XX`.
    #[must_use]
    pub fn with_percent(mut self, is_percent: bool) -> Self {
        self.is_percent = is_percent;
        self
    }

    /// The same decoder for a dialect whose keys have no one spelling.
    #[must_use]
    pub fn with_any_spelling(mut self) -> Self {
        self.keys = self.keys.with_any_spelling();
        self.writer = Writer::Programs;
        self
    }

    /// What can be said of a record once all of its object, which `text` is, was read.
    #[inline]
    fn settle(&mut self, text: &str, node: NodeId, record: &mut Record<'_>) {
        if self.is_percent {
            record.escape_with(PERCENT_SLOTS, Escape::Percent);
        }
        if record.contradicts_itself() {
            // Two records torn into one, or a text that breaks out of its quotes. It is of its dialect all the same.
            record.withhold_contested();
        }
        take_target(text, record);
        if self.writer == Writer::Programs {
            if record.get(Slot::Path).is_some_and(|it| it.text.starts_with("http")) {
                take_url(record);
            }
            shipped::withhold(text, record);
        }
        if self.writer == Writer::Gateway {
            adjust::tell_unit(record);
        }
        if !record.was_seen(Slot::ClientIp) {
            peer::seek(&self.keys, &mut self.has_sites, (text, node), record);
        }
    }

    /// Fills `record` from `line`; `false` when the line is neither a JSON object nor a list of them.
    ///
    /// A line that stops being JSON midway keeps what was read before, and is marked truncated. Of a line that holds
    /// several records `record` says nothing of use: each of its [`parts`](Self::take_parts) is to be read.
    #[inline]
    pub fn decode<'a>(&mut self, line: &'a str, record: &mut Record<'a>) -> bool {
        let mut cursor = Cursor::new(line);
        self.parts.clear();
        self.heeded.has_news = false;
        let whole = match cursor.peek() {
            Ok(b'{') => {
                let start = cursor.place();
                let whole = self.object(&mut cursor, NodeId::ROOT, record);
                if whole.is_ok() && is_before_object(&cursor) {
                    self.rows_of_objects(line, start, cursor.place());
                    if self.holds_several() {
                        return true;
                    }
                }
                whole
            }
            Ok(b'[') => {
                let whole = self.list(&mut cursor, NodeId::ROOT, record);
                if self.parts.is_empty() {
                    return false;
                }
                whole
            }
            _ => return false,
        };
        if whole.is_err() {
            record.take_out_cut(|text| cursor.is_behind(text));
        }
        record.truncated = whole.is_err() || !is_end(&mut cursor);
        let (text, node) = self.sole(line);
        self.settle(text, node, record);
        true
    }

    /// Notes each of several objects that stand one behind the other, with nothing or a comma between them. The first
    /// was read up to `first_end`: where its brackets do not close there, it is broken, and what follows is a part of it.
    #[cold]
    fn rows_of_objects(&mut self, line: &str, start: usize, first_end: usize) {
        self.parts.clear();
        let mut cursor = Cursor::new(line);
        cursor.skip(start);
        while let Ok(next) = cursor.peek_value() {
            let start = cursor.place();
            let is_whole = next == b'{' && cursor.skip_value().is_ok();
            let end = if is_whole { cursor.place() } else { line.len() };
            if self.parts.is_empty() && end != first_end {
                return;
            }
            self.parts.push(Part { start, end, node: NodeId::ROOT });
            if !is_whole {
                return;
            }
        }
    }

    /// The object of the only record of a line, and which of the dialect's it is.
    #[inline]
    fn sole<'a>(&self, line: &'a str) -> (&'a str, NodeId) {
        match self.parts.first() {
            None => (line, NodeId::ROOT),
            Some(part) => (part.text(line), part.node),
        }
    }

    /// Whether the last line held several records.
    #[inline]
    pub const fn holds_several(&self) -> bool {
        self.parts.len() > 1
    }

    /// The records of the last line, which held several.
    pub fn take_parts(&mut self) -> Vec<Part> {
        std::mem::take(&mut self.parts)
    }

    /// Fills `record` from one of the records of `line`.
    pub fn decode_part<'a>(&mut self, line: &'a str, part: Part, record: &mut Record<'a>) {
        let text = part.text(line);
        self.heeded.has_news = false;
        let mut cursor = Cursor::new(text);
        let whole = self.object(&mut cursor, part.node, record);
        if whole.is_err() {
            record.take_out_cut(|text| cursor.is_behind(text));
        }
        record.truncated = whole.is_err() || cursor.peek().is_ok();
        self.settle(text, part.node, record);
    }

    /// Reads an object; its opening brace is next. Where it stops being one, the cursor is there. Recurses only where the field map does.
    fn object<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        node: NodeId,
        record: &mut Record<'a>,
    ) -> Result<(), Broken> {
        // A copy, which needs no memory; where it is when the object is broken does not matter.
        let mut here = *cursor;
        here.expect(b'{')?;
        if here.peek()? == b'}' {
            here.skip(1);
            *cursor = here;
            return Ok(());
        }
        let (mut entry, mut action) = self.key(&mut here, node, KeyTable::start(node))?;
        loop {
            // Most values: no way round.
            let plain = match action {
                Action::Take(_) | Action::Skip => {
                    here.plain_scalar().or_else(|| here.spaced_scalar())
                }
                _ => None,
            };
            match (plain, action) {
                (Some(text), Action::Take(target)) => {
                    record.set(target.slot, target.value(text, Escape::None));
                }
                (None, _)
                    if self.value(&mut here, action, record).is_err()
                        && is_empty(&mut here).is_err() =>
                {
                    *cursor = here;
                    return Err(Broken);
                }
                _ => {}
            }
            // Most keys: no way round.
            if let Some(rest) = here.ahead()
                && let Some((next, length, of_next)) = self.keys.predict(entry, rest)
            {
                here.skip(length);
                (entry, action) = (next, of_next);
            } else {
                match is_another(&mut here) {
                    Ok(true) => (entry, action) = self.key(&mut here, node, entry)?,
                    Ok(false) => {
                        *cursor = here;
                        return Ok(());
                    }
                    Err(Broken) => {
                        *cursor = here;
                        return Err(Broken);
                    }
                }
            }
        }
    }

    /// Takes a key, wherever it stands.
    fn key(
        &mut self,
        cursor: &mut Cursor<'_>,
        node: NodeId,
        previous: EntryId,
    ) -> Result<(EntryId, Action), Broken> {
        if cursor.peek()? != b'"' {
            return Err(Broken);
        }
        if let Some((entry, length, action)) = self.keys.predict_alone(previous, cursor.rest()) {
            cursor.skip(length);
            return Ok((entry, action));
        }
        let (key, _) = cursor.string()?;
        cursor.expect(b':')?;
        let is_new = node == NodeId::ROOT && self.heeded.note(key);
        Ok(self.keys.find(node, previous, key, !is_new))
    }

    /// Takes a value that is no plain one, or is wanted otherwise than as it stands.
    fn value<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        action: Action,
        record: &mut Record<'a>,
    ) -> Result<(), Broken> {
        let first = cursor.peek()?;
        match (action, first) {
            (Action::Take(_), b'{') | (Action::Skip, _) => cursor.skip_value(),
            (Action::Take(target), b'[') => {
                let mut inside = *cursor;
                inside.skip(1);
                while let Ok(Some(first @ (b'"' | b'0'..=b'9' | b'-'))) = inside.entry() {
                    take(&mut inside, first, target, record)?;
                    // Of a list the first counts, as in Caddy's lists of header values, unless a request has but one.
                    if !target.slot.is_contestable() {
                        break;
                    }
                }
                cursor.skip_value()
            }
            (Action::TakeAdjusted(target, adjust), _) => {
                take_adjusted(cursor, target, adjust, record)
            }
            (Action::Enter(node) | Action::TakeOrEnter(_, node), b'{') => {
                self.object(cursor, node, record)
            }
            (Action::Enter(node) | Action::TakeOrEnter(_, node), b'[') => {
                self.list(cursor, node, record)
            }
            (Action::Take(target) | Action::TakeOrEnter(target, _), first) => {
                take(cursor, first, target, record)
            }
            (Action::Enter(_), _) => cursor.skip_value(),
        }
    }
}

/// Whether another object follows.
#[inline]
fn is_before_object(cursor: &Cursor<'_>) -> bool {
    let mut cursor = *cursor;
    cursor.peek().is_ok() && cursor.peek_value() == Ok(b'{')
}

/// Whether a value is nothing at all, which a template leaves of an empty one that has no quotes.
#[cold]
fn is_empty(cursor: &mut Cursor<'_>) -> Result<(), Broken> {
    if matches!(cursor.peek(), Ok(b',' | b'}')) { Ok(()) } else { Err(Broken) }
}

/// Whether another key follows a value in an object, and not its end.
#[inline]
fn is_another(cursor: &mut Cursor<'_>) -> Result<bool, Broken> {
    let here = *cursor;
    match cursor.another() {
        Ok(true) if cursor.peek() == Ok(b'"') => Ok(true),
        Ok(false) => Ok(false),
        Ok(true) | Err(Broken) => {
            let (next, found) = another_behind(here)?;
            *cursor = next;
            Ok(found)
        }
    }
}

/// The same where no key stands behind the value: a template's comma stands behind the last one, or a template has broken it.
#[cold]
fn another_behind(mut cursor: Cursor<'_>) -> Result<(Cursor<'_>, bool), Broken> {
    let mut last = cursor;
    if last.another() == Ok(true) && last.expect(b'}').is_ok() {
        return Ok((last, false));
    }
    cursor.skip_to_next()?;
    let found = cursor.another()?;
    Ok((cursor, found))
}

#[inline]
fn take<'a>(
    cursor: &mut Cursor<'a>,
    first: u8,
    target: Target,
    record: &mut Record<'a>,
) -> Result<(), Broken> {
    let scalar = cursor.scalar(first)?;
    if scalar.quoted || scalar.text != "null" {
        record.set(target.slot, value_of(scalar, target));
    }
    Ok(())
}

#[inline]
const fn value_of(scalar: Scalar<'_>, target: Target) -> Value<'_> {
    target.value(scalar.text, if scalar.escaped { Escape::Json } else { Escape::None })
}

/// Whether the line ends here; in a file that is one long list, each line but the last ends with a comma.
#[inline]
fn is_end(cursor: &mut Cursor<'_>) -> bool {
    match cursor.peek() {
        Ok(b',') => {
            cursor.skip(1);
            cursor.peek().is_err()
        }
        end => end.is_err(),
    }
}

/// Takes the target out of `request` where it is one: beside a method it may hold the target alone, as in the fields of
/// Logstash's patterns.
#[inline]
fn take_target(text: &str, record: &mut Record<'_>) {
    if let Some(request) = record.get(Slot::Request).copied()
        && request.text.starts_with('/')
        && record.get(Slot::Method).is_some()
        && !request.text.contains(' ')
    {
        record.set(Slot::Uri, Value { rank: u8::MAX, ..request });
        grok::settle(text, record);
    }
}

/// Takes what stands for a path as a target, if it is a whole URL.
#[cold]
fn take_url(record: &mut Record<'_>) {
    let Some(path) = record.get(Slot::Path).copied() else { return };
    let behind = path.text.strip_prefix("http").map(|rest| rest.strip_prefix('s').unwrap_or(rest));
    let is_url = behind.is_some_and(|rest| rest.starts_with("://") || rest.starts_with(r":\/\/"));
    if is_url && !record.was_seen(Slot::Uri) {
        record.set(Slot::Uri, path);
        record.take_out(Slot::Path);
    }
}

/// Takes a scalar whose text is not quite the value.
#[cold]
fn take_adjusted<'a>(
    cursor: &mut Cursor<'a>,
    target: Target,
    adjust: Adjust,
    record: &mut Record<'a>,
) -> Result<(), Broken> {
    let first = cursor.peek()?;
    if matches!(first, b'{' | b'[') {
        return cursor.skip_value();
    }
    let scalar = cursor.scalar(first)?;
    let text = scalar.text;
    if matches!(text, "" | "-") || (text == "null" && !scalar.quoted) {
        return Ok(());
    }
    if let Some(value) = adjust.apply(value_of(scalar, target)) {
        record.set(target.slot, value);
    }
    Ok(())
}

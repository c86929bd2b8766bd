//! JSON lines → values, by a table of keys and without a tree.
//!
//! ```text
//! FieldMap ─ compile ─▶ KeyTable ──┐
//!                      line ─ JsonDecoder::decode ─▶ Record
//! ```
//!
//! Writers emit their keys in the same order line after line, so each key remembers which one followed it last
//! time: one comparison then replaces the scan of the key and its look-up.

mod keys;
mod pairs;
mod scan;

pub(super) use keys::marks;
pub use keys::{FieldMap, FieldSource, KeyPath};

use keys::{Action, Adjust, EntryId, KeyTable, NodeId, Target};
use scan::{Broken, Cursor, Scalar};

use super::record::{Escape, Record, Slot, Unit, Value};

/// Decodes lines of one JSON dialect.
#[derive(Debug, Clone)]
pub struct JsonDecoder {
    keys: KeyTable,
    /// Objects with a whole record, in lists inside the line.
    records: usize,
}

impl JsonDecoder {
    /// A decoder for the keys of `fields`.
    pub fn new(fields: &FieldMap) -> Self {
        Self { keys: KeyTable::new(fields), records: 0 }
    }

    /// Fills `record` from `line`; `false` when the line is not a JSON object at all.
    ///
    /// A line that stops being JSON midway keeps what was read before, and is marked truncated. A line that holds
    /// several records in a list fills nothing: one of them would pass for all.
    #[inline]
    pub fn decode<'a>(&mut self, line: &'a str, record: &mut Record<'a>) -> bool {
        let mut cursor = Cursor::new(line);
        if cursor.peek() != Ok(b'{') {
            return false;
        }
        self.records = 0;
        let whole = self.object(&mut cursor, NodeId::ROOT, record);
        record.truncated = whole.is_err() || cursor.peek().is_ok();
        if self.records > 1 {
            *record = Record::default();
        }
        if let Some(request) = record.get(Slot::Request).copied()
            && request.text.starts_with('/')
            && record.get(Slot::Method).is_some()
            && !request.text.contains(' ')
        {
            // Beside a method `request` may hold the target alone, as in the fields of Logstash's patterns.
            record.set(Slot::Uri, Value { rank: u8::MAX, ..request });
        }
        true
    }

    /// Reads an object; its opening brace is next. Recurses only where the field map does.
    fn object<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        node: NodeId,
        record: &mut Record<'a>,
    ) -> Result<(), Broken> {
        cursor.expect(b'{')?;
        if cursor.peek()? == b'}' {
            cursor.skip(1);
            return Ok(());
        }
        let (mut entry, mut action) = self.key(cursor, node, KeyTable::start(node))?;
        loop {
            self.value(cursor, action, record)?;
            // Most keys: no way round.
            if let Some((next, length, of_next)) = self.keys.predict(entry, cursor.rest()) {
                cursor.skip(length);
                (entry, action) = (next, of_next);
            } else if cursor.another()? {
                (entry, action) = self.key(cursor, node, entry)?;
            } else {
                return Ok(());
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
        Ok(self.keys.find(node, previous, key))
    }

    #[expect(
        clippy::inline_always,
        reason = "a call for every value of a line costs a tenth of it"
    )]
    #[inline(always)]
    fn value<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        action: Action,
        record: &mut Record<'a>,
    ) -> Result<(), Broken> {
        let first = cursor.peek()?;
        match (action, first) {
            // Most values: no way round.
            (Action::Take(target), b'"') => {
                let (text, escaped) = cursor.string()?;
                record.set(target.slot, value_of(Scalar { text, escaped, quoted: true }, target));
                Ok(())
            }
            (Action::Skip, b'"') => cursor.string().map(|_| ()),
            (Action::Take(_), b'{') | (Action::Skip, _) => cursor.skip_value(),
            (Action::Take(target), b'[') => {
                // Of a list the first scalar counts, as in Caddy's lists of header values.
                let mut inside = *cursor;
                inside.skip(1);
                if let Ok(first @ (b'"' | b'0'..=b'9' | b'-')) = inside.peek() {
                    take(&mut inside, first, target, record)?;
                }
                cursor.skip_value()
            }
            (Action::Take(target), first) => take(cursor, first, target, record),
            (Action::TakeAdjusted(target, adjust), _) => {
                take_adjusted(cursor, target, adjust, record)
            }
            (Action::Enter(node), b'{') => self.object(cursor, node, record),
            (Action::Enter(node), b'[') => self.list(cursor, node, record),
            (Action::Enter(_), _) => cursor.skip_value(),
        }
    }
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
    let escape = if scalar.escaped { Escape::Json } else { Escape::None };
    Value { text: scalar.text, escape, unit: target.unit, rank: target.rank }
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
    let value = value_of(scalar, target);
    let adjusted = match adjust {
        Adjust::WholeMillis if text.contains('.') => value,
        Adjust::WholeMillis => Value { unit: Unit::Millis, ..value },
        Adjust::LastOfList => {
            Value { text: text.rsplit(',').next().unwrap_or(text).trim_ascii(), ..value }
        }
        Adjust::GatewayQuery => Value { text: without_gateway_query(text), ..value },
    };
    record.set(target.slot, adjusted);
    Ok(())
}

/// A query without the parameters behind it that Azure's gateway, version 1, adds to it in its log: one of them is
/// another in each line.
fn without_gateway_query(query: &str) -> &str {
    let own = query.split("X-AzureApplicationGateway-").next().unwrap_or(query);
    own.strip_suffix('&').unwrap_or(own)
}

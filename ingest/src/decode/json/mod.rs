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
mod scan;

pub use keys::{FieldMap, FieldSource, KeyPath};

use keys::{Action, KeyTable, NodeId};
use scan::{Broken, Cursor};

use super::record::{Escape, Record, Value};

/// Decodes lines of one JSON dialect.
#[derive(Debug, Clone)]
pub struct JsonDecoder {
    keys: KeyTable,
}

impl JsonDecoder {
    /// A decoder for the keys of `fields`.
    pub fn new(fields: &FieldMap) -> Self {
        Self { keys: KeyTable::new(fields) }
    }

    /// Fills `record` from `line`; `false` when the line is not a JSON object at all.
    ///
    /// A line that stops being JSON midway keeps what was read before, and is marked truncated.
    #[inline]
    pub fn decode<'a>(&mut self, line: &'a str, record: &mut Record<'a>) -> bool {
        let mut cursor = Cursor::new(line);
        if cursor.peek() != Ok(b'{') {
            return false;
        }
        let whole = self.object(&mut cursor, NodeId::ROOT, record);
        record.truncated = whole.is_err() || cursor.peek().is_ok();
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
        let mut previous = KeyTable::start(node);
        loop {
            if cursor.peek()? != b'"' {
                return Err(Broken);
            }
            let predicted = self.keys.predict(previous, cursor.rest());
            let (entry, action) = if let Some((entry, length, action)) = predicted {
                cursor.skip(length);
                (entry, action)
            } else {
                let (key, _) = cursor.string()?;
                cursor.expect(b':')?;
                self.keys.find(node, previous, key)
            };
            previous = entry;
            self.value(cursor, action, record)?;
            if !cursor.another()? {
                return Ok(());
            }
        }
    }

    #[inline]
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
                // Of a list the first scalar counts, as in Caddy's lists of header values.
                let mut inside = *cursor;
                inside.skip(1);
                if let Ok(first @ (b'"' | b'0'..=b'9' | b'-')) = inside.peek() {
                    take(&mut inside, first, target, record)?;
                }
                cursor.skip_value()
            }
            (Action::Take(target), first) => take(cursor, first, target, record),
            (Action::Enter(node), b'{') => self.object(cursor, node, record),
            (Action::Enter(_), _) => cursor.skip_value(),
        }
    }
}

#[inline]
fn take<'a>(
    cursor: &mut Cursor<'a>,
    first: u8,
    target: keys::Target,
    record: &mut Record<'a>,
) -> Result<(), Broken> {
    let scalar = cursor.scalar(first)?;
    if !scalar.quoted && scalar.text == "null" {
        return Ok(());
    }
    let escape = if scalar.escaped { Escape::Json } else { Escape::None };
    record.set(
        target.slot,
        Value { text: scalar.text, escape, unit: target.unit, rank: target.rank },
    );
    Ok(())
}

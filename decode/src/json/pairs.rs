//! Lists where a dialect has an object: of pairs of a name and a value, as protocol buffers write maps, or of objects.

use super::keys::{Action, NodeId};
use super::scan::{Broken, Cursor};
use super::{JsonDecoder, Part, take, take_adjusted};
use crate::record::Record;

/// How deep a value may be wrapped, as in `{"arrayValue":{"values":[{"stringValue":"x"}]}}`.
const WRAPPERS_MAX: usize = 6;

/// `{"key":"http.route","value":…}`, or `{"type":"JA4","type_id":1,"value":…}`.
#[derive(Clone, Copy)]
struct Pair<'a> {
    names: [&'a str; 2],
    value: Cursor<'a>,
}

impl JsonDecoder {
    /// Reads a list where an object is wanted; its opening bracket is next.
    ///
    /// A pair is a key of the object and its value. Other objects are read as the one wanted; what several of them
    /// say, the first says. Where whole records stand, only the first one is read: of several each is read later.
    #[cold]
    pub(super) fn list<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        node: NodeId,
        record: &mut Record<'a>,
    ) -> Result<(), Broken> {
        cursor.expect(b'[')?;
        let contested = record.contested();
        while let Some(first) = cursor.entry()? {
            record.set_contested(contested);
            match first {
                b'{' if node == NodeId::ROOT || self.keys.is_record(node) => {
                    self.part(cursor, node, record)?;
                }
                b'{' => {
                    let start = *cursor;
                    // One that breaks off is read as far as it goes.
                    if let Ok(Some(pair)) = read_pair(cursor) {
                        self.pair(pair, node, record)?;
                    } else {
                        *cursor = start;
                        self.object(cursor, node, record)?;
                    }
                }
                _ => cursor.skip_value()?,
            }
        }
        record.set_contested(contested);
        Ok(())
    }

    /// Notes a record; its opening brace is next. It ends with the line if it breaks off.
    fn part<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        node: NodeId,
        record: &mut Record<'a>,
    ) -> Result<(), Broken> {
        let (start, end) = (cursor.place(), cursor.place() + cursor.rest().len());
        let index = self.parts.len();
        self.parts.push(Part { start, end, node });
        if index == 0 {
            self.object(cursor, node, record)?;
        } else {
            cursor.skip_value()?;
        }
        if let Some(part) = self.parts.get_mut(index) {
            part.end = cursor.place();
        }
        Ok(())
    }

    fn pair<'a>(
        &self,
        pair: Pair<'a>,
        node: NodeId,
        record: &mut Record<'a>,
    ) -> Result<(), Broken> {
        let Pair { names, mut value } = pair;
        for name in names {
            let action = self.keys.action_of_name(node, name);
            if !matches!(action, Action::Take(_) | Action::TakeAdjusted(..)) {
                continue;
            }
            if let Some(first) = unwrap_scalar(&mut value)? {
                return match action {
                    Action::TakeAdjusted(target, adjust) => {
                        take_adjusted(&mut value, target, adjust, record)
                    }
                    Action::Take(target) => take(&mut value, first, target, record),
                    _ => Ok(()),
                };
            }
        }
        Ok(())
    }
}

/// Reads an object; its opening brace is next. `None` when it is no pair.
fn read_pair<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Pair<'a>>, Broken> {
    let (mut names, mut value) = ([""; 2], None);
    if !cursor.enters_object()? {
        return Ok(None);
    }
    loop {
        let key = cursor.key()?;
        match (key, cursor.peek()?) {
            ("key" | "name" | "type" | "type_id", first @ (b'"' | b'0'..=b'9')) => {
                let name = cursor.scalar(first)?.text;
                if let Some(free) = names.iter_mut().find(|known| known.is_empty()) {
                    *free = name;
                }
            }
            (key, _) => {
                if key == "value" {
                    value = Some(*cursor);
                }
                cursor.skip_value()?;
            }
        }
        if !cursor.another()? {
            break;
        }
    }
    let is_nameless = names.iter().all(|name| name.is_empty());
    Ok(value.filter(|_| !is_nameless).map(|value| Pair { names, value }))
}

/// Moves to the first scalar inside a value; its first byte.
fn unwrap_scalar(cursor: &mut Cursor<'_>) -> Result<Option<u8>, Broken> {
    for _ in 0..WRAPPERS_MAX {
        match cursor.peek()? {
            b'[' => cursor.skip(1),
            b'{' => {
                cursor.skip(1);
                if cursor.peek()? != b'"' {
                    return Ok(None);
                }
                cursor.key()?;
            }
            b']' => return Ok(None),
            first => return Ok(Some(first)),
        }
    }
    Ok(None)
}

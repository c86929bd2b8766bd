//! Lists as values for placeholders: a text such as `{a,b}`, or their binary form (`array_send` of PostgreSQL).

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, new_empty_array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field};
use bytes::{Buf as _, Bytes};

use super::message::Form;

/// Items of a list, at most: a statement lists addresses by the ten thousand.
const ITEMS_MAX: usize = 100_000;

/// A list of one dimension, as an array of one value.
///
/// - `item`: reads one item.
pub(super) fn value(
    of: &DataType,
    form: Form,
    bytes: &Bytes,
    item: impl Fn(Option<&Bytes>) -> Option<ArrayRef>,
) -> Option<ArrayRef> {
    let DataType::List(field) = of else { return None };
    let items = match form {
        Form::Text => of_text(std::str::from_utf8(bytes).ok()?)?,
        Form::Binary => of_binary(bytes.clone())?,
    };
    let items: Vec<ArrayRef> =
        items.iter().map(|bytes| item(bytes.as_ref())).collect::<Option<_>>()?;
    let items: Vec<&dyn arrow::array::Array> = items.iter().map(AsRef::as_ref).collect();
    let all =
        if items.is_empty() { new_empty_array(field.data_type()) } else { concat(&items).ok()? };
    let field = Arc::new(Field::new_list_field(field.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths([all.len()]);
    Some(Arc::new(ListArray::try_new(field, offsets, all, None).ok()?))
}

fn of_binary(mut body: Bytes) -> Option<Vec<Option<Bytes>>> {
    let dimensions = body.try_get_i32().ok()?;
    // Whether there are nulls is seen; the type of the items is that of the list.
    body.try_get_i32().ok()?;
    body.try_get_u32().ok()?;
    if dimensions == 0 {
        return Some(Vec::new());
    }
    let count = usize::try_from(body.try_get_i32().ok()?).ok()?;
    body.try_get_i32().ok()?;
    if dimensions != 1 || count > ITEMS_MAX {
        return None;
    }
    let mut items = Vec::new();
    for _ in 0..count {
        items.push(match body.try_get_i32().ok()? {
            -1 => None,
            length => {
                let length = usize::try_from(length).ok().filter(|of| *of <= body.len())?;
                Some(body.split_to(length))
            }
        });
    }
    body.is_empty().then_some(items)
}

fn of_text(text: &str) -> Option<Vec<Option<Bytes>>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    if inner.trim().is_empty() {
        return Some(Vec::new());
    }
    let (mut items, mut item) = (Vec::new(), String::new());
    let (mut is_quoted, mut was_quoted) = (false, false);
    let mut chars = inner.chars();
    let finish = |item: &mut String, was_quoted: bool| {
        let text = std::mem::take(item);
        let is_null = !was_quoted && text.trim().eq_ignore_ascii_case("null");
        let text = if was_quoted { text } else { text.trim().to_owned() };
        (!is_null).then(|| Bytes::from(text))
    };
    while let Some(c) = chars.next() {
        match c {
            '"' => (is_quoted, was_quoted) = (!is_quoted, true),
            '\\' => item.push(chars.next()?),
            // Of more than one dimension.
            '{' | '}' if !is_quoted => return None,
            ',' if !is_quoted => {
                items.push(finish(&mut item, was_quoted));
                was_quoted = false;
            }
            c => item.push(c),
        }
        if items.len() > ITEMS_MAX {
            return None;
        }
    }
    items.push(finish(&mut item, was_quoted));
    (!is_quoted).then_some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_taken_apart_in_both_forms() {
        let texts = |text: &str| {
            let items = of_text(text)?;
            let shown = |item: &Option<Bytes>| {
                item.as_ref().map_or("-".into(), |of| String::from_utf8_lossy(of).into_owned())
            };
            Some(items.iter().map(shown).collect::<Vec<String>>().join("|"))
        };
        assert_eq!(texts(r#"{a,"b,\"}",NULL,"NULL"}"#).as_deref(), Some(r#"a|b,"}|-|NULL"#));
        assert_eq!(texts("{}").as_deref(), Some(""));
        for wrong in ["", "a", "{", "{{a}}", "{\"a}", "{a\\"] {
            assert_eq!(texts(wrong), None, "{wrong}");
        }
        let one = b"\0\0\0\x01\0\0\0\0\0\0\0\x19\0\0\0\x02\0\0\0\x01\0\0\0\x01a\xff\xff\xff\xff";
        let items = of_binary(Bytes::from_static(one)).unwrap();
        assert_eq!(items, [Some(Bytes::from_static(b"a")), None]);
        for end in 0..one.len() {
            assert_eq!(of_binary(Bytes::from_static(&one[..end])), None);
        }
        let huge = b"\0\0\0\x01\0\0\0\0\0\0\0\x19\x7f\xff\xff\xff\0\0\0\x01";
        assert_eq!(of_binary(Bytes::from_static(huge)), None);
    }
}

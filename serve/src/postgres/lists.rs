//! Lists as values for placeholders: a text such as `{a,b}`, or their binary form (`array_send` of PostgreSQL).

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::FieldRef;
use bytes::{Buf as _, Bytes};

use super::message::Form;

/// Items of a list, at most: a statement lists addresses by the ten thousand.
const ITEMS_MAX: usize = 100_000;

/// The items of a list of one dimension.
pub(super) fn items(form: Form, bytes: &Bytes) -> Option<Vec<Option<Bytes>>> {
    match form {
        Form::Text => {
            let items = query::postgres::items(std::str::from_utf8(bytes).ok()?)?;
            let items = items.into_iter().map(|item| item.map(Bytes::from)).collect::<Vec<_>>();
            (items.len() <= ITEMS_MAX).then_some(items)
        }
        Form::Binary => of_binary(bytes.clone()),
    }
}

/// Items as an array of one list.
pub(super) fn of_items(of: &FieldRef, items: ArrayRef) -> Option<ArrayRef> {
    let offsets = OffsetBuffer::from_lengths([items.len()]);
    Some(Arc::new(ListArray::try_new(Arc::clone(of), offsets, items, None).ok()?))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_taken_apart_in_both_forms() {
        let texts = items(Form::Text, &Bytes::from_static(b"{a, \"b,c\", NULL}"));
        let is = [Some(Bytes::from_static(b"a")), Some(Bytes::from_static(b"b,c")), None];
        assert_eq!(texts.as_deref(), Some(&is[..]));
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

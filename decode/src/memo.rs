//! Values whose escapes were resolved before: user agents come again and again, and some formats escape every blank
//! in them.

use rapidhash::v3::rapidhash_v3;

use super::record::{Escape, Value};
use super::text::{is_escaped, plain};

/// Values remembered, each in the slot of its hash.
const SLOTS: usize = 1_024;

/// Longest text remembered.
const TEXT_BYTES_MAX: usize = 512;

/// Plain texts by the text in the line.
#[derive(Debug)]
pub(super) struct Memo {
    slots: Vec<Known>,
    /// Of what is too long to be remembered.
    scratch: String,
}

#[derive(Debug, Clone, Default)]
struct Known {
    escape: Escape,
    text: String,
    plain: String,
}

impl Default for Memo {
    fn default() -> Self {
        Self { slots: vec![Known::default(); SLOTS], scratch: String::new() }
    }
}

impl Memo {
    /// The plain text of a value.
    #[inline]
    pub(super) fn plain<'a>(&'a mut self, value: &Value<'a>) -> &'a str {
        if is_escaped(value) { self.look_up(value) } else { value.text }
    }

    #[expect(clippy::cast_possible_truncation, reason = "some bits of a hash choose the slot")]
    fn look_up<'a>(&'a mut self, value: &Value<'a>) -> &'a str {
        let hash = rapidhash_v3(value.text.as_bytes());
        let slot = self.slots.get_mut(hash as usize % SLOTS);
        let Some(known) = slot.filter(|_| value.text.len() <= TEXT_BYTES_MAX) else {
            return plain(value, &mut self.scratch);
        };
        if known.escape != value.escape || known.text != value.text {
            known.escape = value.escape;
            known.text.clear();
            known.text.push_str(value.text);
            let plain = plain(value, &mut self.scratch);
            known.plain.clear();
            known.plain.push_str(plain);
        }
        &known.plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_remembered_is_what_would_be_resolved(
            texts in proptest::collection::vec(
                prop_oneof!["[ab]%2[05]{0,2}c", "[a%]{505,520}", r"[a\\x4]{0,5}"],
                1..40,
            ),
            escapes in proptest::collection::vec(
                prop_oneof![Just(Escape::Percent), Just(Escape::Backslash), Just(Escape::Plus)],
                40,
            ),
        ) {
            let (mut memo, mut scratch) = (Memo::default(), String::new());
            for (text, escape) in texts.iter().zip(escapes) {
                let value = Value { text, escape, ..Value::default() };
                prop_assert_eq!(memo.plain(&value), plain(&value, &mut scratch));
            }
        }
    }
}

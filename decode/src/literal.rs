//! Text that stands between the values of a line: keys, quotes, delimiters.

/// Bytes that are compared at once.
const HEAD_BYTES: usize = size_of::<u128>();

/// A text made for one comparison: lines have dozens of them, most of a few bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Literal {
    text: Box<str>,
    /// The first bytes of the text as a number, and which of its bits are of the text.
    head: u128,
    mask: u128,
}

impl Literal {
    pub(super) fn new(text: &str) -> Self {
        let (mut head, mut mask) = ([0; HEAD_BYTES], [0; HEAD_BYTES]);
        for ((head, mask), byte) in head.iter_mut().zip(&mut mask).zip(text.bytes()) {
            (*head, *mask) = (byte, u8::MAX);
        }
        Self { text: text.into(), head: u128::from_le_bytes(head), mask: u128::from_le_bytes(mask) }
    }

    /// The text.
    #[inline]
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Its length in bytes.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether `rest` begins with it.
    #[expect(
        clippy::inline_always,
        reason = "a call for every value of a line costs a tenth of it"
    )]
    #[inline(always)]
    pub(super) fn begins(&self, rest: &[u8]) -> bool {
        let Some((head, behind)) = rest.split_first_chunk::<HEAD_BYTES>() else {
            return rest.starts_with(self.text.as_bytes());
        };
        u128::from_le_bytes(*head) & self.mask == self.head
            && self.text.as_bytes().get(HEAD_BYTES..).is_none_or(|tail| behind.starts_with(tail))
    }

    /// What is left of `rest` behind it, if it begins with it.
    #[inline]
    pub(super) fn strip<'a>(&self, rest: &'a str) -> Option<&'a str> {
        if self.begins(rest.as_bytes()) { rest.get(self.len()..) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_begins_with_its_literals(text in "[ab\"é]{0,40}", literal in "[ab\"é]{0,20}") {
            let cut = text.char_indices().nth(18).map_or(text.len(), |(at, _)| at);
            for literal in [&*literal, &text, &text[..cut]] {
                let made = Literal::new(literal);
                prop_assert_eq!(made.begins(text.as_bytes()), text.starts_with(literal));
                prop_assert_eq!(made.strip(&text), text.strip_prefix(literal));
            }
        }
    }
}

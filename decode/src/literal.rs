//! Text that stands between the values of a line: keys, quotes, delimiters.

use super::lanes::{LANES, load};

/// A text made for one comparison: lines have dozens of them, most of a few bytes.
///
/// The comparison of the C library is called for the longest alone, and at the end of a line. A call for every value costs a
/// tenth of it; one of no bytes at all, at the address that stands for no memory, a tenth of a microsecond where loads are
/// masked (AVX-512).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Literal {
    text: Box<str>,
    /// The first bytes of the text as a number, and which of its bits are of the text.
    head: u128,
    mask: u128,
    /// The last bytes of a text that is longer than those.
    end: u128,
}

impl Literal {
    pub(super) fn new(text: &str) -> Self {
        let (mut head, mut mask) = ([0; LANES], [0; LANES]);
        for ((head, mask), byte) in head.iter_mut().zip(&mut mask).zip(text.bytes()) {
            (*head, *mask) = (byte, u8::MAX);
        }
        let end = text.as_bytes().last_chunk().copied().unwrap_or_default();
        let [head, mask, end] = [head, mask, end].map(u128::from_le_bytes);
        Self { text: text.into(), head, mask, end }
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
        let Some(head) = rest.first_chunk::<LANES>() else { return self.begins_end(rest) };
        u128::from_le_bytes(*head) & self.mask == self.head
            && (self.text.len() <= LANES || self.is_all_of(rest))
    }

    /// The same, quicker for texts that are longer than a delimiter, as keys are.
    #[expect(
        clippy::inline_always,
        reason = "a call for every value of a line costs a tenth of it"
    )]
    #[inline(always)]
    pub(super) fn begins_as_key(&self, rest: &[u8]) -> bool {
        let Some(head) = rest.first_chunk() else { return self.begins_end(rest) };
        let [known, mask] = [self.head, self.mask].map(|bytes| load(bytes.to_le_bytes()));
        (load(*head) & mask).simd_eq(known).all()
            && (self.text.len() <= LANES || self.is_all_of(rest))
    }

    /// Whether the end of a line begins with it.
    #[inline]
    fn begins_end(&self, rest: &[u8]) -> bool {
        self.text.is_empty() || rest.starts_with(self.text.as_bytes())
    }

    /// Whether what is behind the first bytes is there, too.
    #[inline]
    fn is_all_of(&self, rest: &[u8]) -> bool {
        let found = rest.get(..self.text.len());
        let end = found.and_then(<[u8]>::last_chunk);
        end.is_some_and(|end| load(*end).simd_eq(load(self.end.to_le_bytes())).all())
            && (self.text.len() <= 2 * LANES || found == Some(self.text.as_bytes()))
    }

    /// Whether `rest` ends with it.
    #[inline]
    pub(super) fn ends(&self, rest: &[u8]) -> bool {
        self.text.is_empty() || rest.ends_with(self.text.as_bytes())
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
        fn a_text_begins_with_its_literals(text in "[ab\"é]{0,60}", literal in "[ab\"é]{0,20}") {
            let cut = text.char_indices().nth(18).map_or(text.len(), |(at, _)| at);
            let other = text.replacen('a', "b", 1);
            for literal in [&*literal, &text, &text[..cut], &other] {
                let made = Literal::new(literal);
                prop_assert_eq!(made.begins(text.as_bytes()), text.starts_with(literal));
                prop_assert_eq!(made.begins_as_key(text.as_bytes()), text.starts_with(literal));
                prop_assert_eq!(made.strip(&text), text.strip_prefix(literal));
                prop_assert_eq!(made.ends(text.as_bytes()), text.ends_with(literal));
            }
        }
    }
}

//! Texts of sampled records by their hash, for fingerprints and summaries.

use serde::{Deserialize, Serialize};

use crate::limits::{NAME_BYTES_MAX, NAMES_BYTES_MAX, NAMES_MAX};
use crate::record::columns::Texts;
use crate::record::event::{Event, folders, query_key};
use crate::store::cache::Cache;
use crate::store::lendable::Lendable;
use crate::store::table::Table;

/// Length from which on a text is known by its beginning only: a character has up to four bytes.
const CUT: usize = NAME_BYTES_MAX - 3;

/// What is looked at of a text: all of it, or its first characters up to at least [`CUT`] bytes.
///
/// The texts that begin with a cut text are exactly those that are cut to it, so that it stands for itself in a
/// predicate, as a beginning.
pub fn cut(text: &str) -> &str {
    if text.len() < CUT { text } else { &text[..text.ceil_char_boundary(CUT)] }
}

/// Whether a text that came from [`cut`] may be the beginning of others.
pub const fn is_cut(text: &str) -> bool {
    text.len() >= CUT
}

/// Bytes of all texts at most.
pub const BYTES_MAX: usize =
    NAMES_BYTES_MAX + NAME_BYTES_MAX + NAMES_MAX * Table::<Box<str>>::ENTRY_BYTES;

/// Texts by keyed hash, each [`cut`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Names {
    texts: Lendable<Box<str>>,
    bytes: usize,
}

impl Names {
    /// Keeps a text, if there is room for it.
    pub(crate) fn insert(&mut self, hash: u64, text: &str) {
        let text = cut(text);
        if hash != 0 && !self.is_full() && self.texts.entry(hash, || text.into()).1 {
            self.bytes += text.len();
        }
    }

    /// Whether there is no room for another text.
    pub fn is_full(&self) -> bool {
        self.texts.len() >= NAMES_MAX || self.bytes >= NAMES_BYTES_MAX
    }

    /// Remembers the texts of a record, save those that `remembered` says are here.
    pub fn remember(&mut self, event: &Event, texts: &Texts<'_>, remembered: &mut Cache<()>) {
        let mut insert = |hash: u64, text: &str| {
            let is_new = hash != 0 && remembered.get_or(hash, || ()).1;
            if is_new {
                self.insert(hash, text);
            }
            is_new
        };
        insert(event.host, texts.host);
        insert(event.user_agent, texts.user_agent);
        // With a text its beginnings were remembered.
        if insert(event.path, texts.path) {
            for (hash, text) in event.folders.into_iter().zip(folders(texts.path)) {
                insert(hash, text);
            }
        }
        if insert(event.query, texts.query) {
            insert(event.query_key, query_key(texts.query));
        }
        insert(event.ja4, texts.ja4);
        insert(u64::from(event.method), texts.method);
        if event.source.is_named() {
            insert(event.source.0, texts.client_ip);
        }
    }

    /// Keeps the texts of others, too, as far as there is room.
    pub fn absorb(&mut self, mut others: Self) {
        others.texts.own().iter().for_each(|(hash, text)| self.insert(*hash, text));
    }

    /// The text of a hash.
    pub fn get(&self, hash: u64) -> Option<&str> {
        self.texts.get(hash).map(AsRef::as_ref)
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Keeps the texts whose hashes are in `live`.
    pub fn retain(&mut self, live: &Table<()>) {
        let texts = self.texts.own();
        texts.retain(|hash, _| live.get(hash).is_some());
        self.bytes = texts.iter().map(|(_, text)| text.len()).sum();
    }

    /// Lends the texts to the next clone.
    pub fn lend(&mut self) {
        self.texts.lend();
    }

    /// Bytes held.
    pub fn state_bytes(&self) -> usize {
        self.texts.state_bytes() + self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cut_text_stands_for_those_that_begin_with_it(
            a in "[a\u{e9}\u{20ac}\u{1f600}]{2,5}", n in 1_010_usize..1_030, tail in "[a\u{e9}]{0,4}",
        ) {
            let fill = |text: &str| text.chars().cycle().take(n).collect::<String>();
            let (one, other) = (fill(&a), fill(&a) + &tail);
            for (x, y) in [(&one, &other), (&other, &one)] {
                let known = cut(x);
                prop_assert!(known.len() <= NAME_BYTES_MAX && cut(known) == known);
                let selected = if is_cut(known) { y.starts_with(known) } else { y == known };
                prop_assert_eq!(selected, cut(y) == known);
            }
        }
    }

    #[test]
    fn texts_have_bounded_room() {
        let mut names = Names::default();
        let long = "x".repeat(5_000);
        for hash in 1..=(NAMES_BYTES_MAX / CUT + 10) as u64 {
            names.insert(hash, &long);
        }
        assert!(names.is_full() && names.bytes < NAMES_BYTES_MAX + NAME_BYTES_MAX);
        let mut live = Table::default();
        live.entry(3, || ());
        names.retain(&live);
        assert_eq!((names.len(), names.bytes, names.is_full()), (1, CUT, false));
    }
}

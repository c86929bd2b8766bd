//! Texts of sampled records by their hash, for fingerprints and summaries.

use serde::{Deserialize, Serialize};

use crate::limits::{NAME_BYTES_MAX, NAMES_MAX};
use crate::record::columns::Texts;
use crate::record::event::{Event, method_name_key};
use crate::store::cache::Cache;
use crate::store::table::Table;

/// Texts by keyed hash. Texts longer than [`NAME_BYTES_MAX`] are not kept: a cut text would select nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Names {
    texts: Table<Box<str>>,
}

impl Names {
    /// Keeps a text, if there is room for it.
    pub(crate) fn insert(&mut self, hash: u64, text: &str) {
        if hash != 0 && text.len() <= NAME_BYTES_MAX && self.texts.len() < NAMES_MAX {
            self.texts.entry(hash, || text.into());
        }
    }

    /// Remembers the texts of a record, save those that `remembered` says are here.
    pub fn remember(&mut self, event: &Event, texts: &Texts<'_>, remembered: &mut Cache<()>) {
        let mut insert = |hash: u64, text: &str| {
            if hash != 0 && remembered.get_or(hash, || ()).1 {
                self.insert(hash, text);
            }
        };
        insert(event.host, texts.host);
        insert(event.user_agent, texts.user_agent);
        insert(event.path, texts.path);
        insert(event.query, texts.query);
        insert(event.ja4, texts.ja4);
        insert(method_name_key(event.method), texts.method);
        if event.source.is_named() {
            insert(event.source.0, texts.client_ip);
        }
    }

    /// The text of a hash.
    pub fn get(&self, hash: u64) -> Option<&str> {
        self.texts.get(hash).map(AsRef::as_ref)
    }

    /// Number of texts.
    pub const fn len(&self) -> usize {
        self.texts.len()
    }

    /// Keeps the texts whose hashes are in `live`.
    pub fn retain(&mut self, live: &Table<()>) {
        self.texts.retain(|hash, _| live.get(hash).is_some());
    }

    /// Bytes held.
    pub fn state_bytes(&self) -> usize {
        self.texts.state_bytes() + self.texts.iter().map(|(_, text)| text.len()).sum::<usize>()
    }
}

//! Logstash's `COMBINEDAPACHELOG`, which takes a line apart and keeps some of what was around its fields.

use super::wrapped::{has_keys, string_in};
use crate::record::{Record, Slot};
use crate::text::place;

/// Keys that only its fields have, all of them together.
const KEYS: [&str; 4] = ["clientip", "verb", "httpversion", "response"];

/// Headers that keep the quotes around them, and their keys.
const QUOTED: [(Slot, &str); 2] = [(Slot::UserAgent, "agent"), (Slot::Referer, "referrer")];

/// Takes off the quotes of the headers of such a record, whose object `text` is. Its `host` is the machine that read the file.
#[cold]
pub(super) fn settle(text: &str, record: &mut Record<'_>) {
    let keeps_quotes = |(slot, _): &(Slot, &str)| {
        record.get(*slot).is_some_and(|value| value.text.starts_with("\\\""))
    };
    if !QUOTED.iter().any(keeps_quotes) || !has_keys(text, &KEYS) {
        return;
    }
    let is_under = |slot, key, record: &Record<'_>| {
        let value = record.get(slot).and_then(|value| place(text, value.text));
        value.is_some() && value == string_in(text, &[key])
    };
    for (slot, key) in QUOTED {
        if is_under(slot, key, record)
            && let Some(mut value) = record.get(slot).copied()
            && let Some(bare) = value.text.strip_prefix("\\\"")
            && let Some(bare) = bare.strip_suffix("\\\"")
        {
            value.text = bare;
            record.take_out(slot);
            record.set(slot, value);
        }
    }
    if is_under(Slot::Host, "host", record) {
        record.take_out(Slot::Host);
    }
}

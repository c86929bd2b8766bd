//! Who asked, where no key that is known says it.

use super::keys::{Action, KeyTable, NodeId, letters_of};
use super::scan::{Broken, Cursor};
use super::{is_another, is_empty};
use crate::line::sound::is_address;
use crate::record::{Record, Slot};

/// Letters in keys that hold other addresses than the peer's: of the other side, of a machine, or of a claim.
const OTHERS: [&str; 15] = [
    "upstream",
    "backend",
    "server",
    "local",
    "target",
    "dest",
    "dst",
    "hostip",
    "nodeip",
    "podip",
    "forwarded",
    "xff",
    "connectingip",
    "trueclient",
    "xrealip",
];

/// Notes that the peer's place says nothing, where somebody only claims to be the client and an address stands under a key
/// of the object `text` that is not known: it may be the peer's, and then the claim is a stranger's.
#[cold]
pub(super) fn withhold_claims(keys: &KeyTable, text: &str, node: NodeId, record: &mut Record<'_>) {
    if names_another(keys, text, node).unwrap_or(true) {
        record.note_empty(Slot::ClientIp);
    }
}

/// Whether an address stands under a key that is not known.
fn names_another(keys: &KeyTable, text: &str, node: NodeId) -> Result<bool, Broken> {
    let mut cursor = Cursor::new(text);
    if !cursor.enters_object()? {
        return Ok(false);
    }
    loop {
        let key = cursor.key()?;
        let first = cursor.peek()?;
        if first == b'"' {
            let value = cursor.scalar(first)?.text;
            if is_one_address(value) && keys.action(node, key) == Action::Skip && may_be_peer(key) {
                return Ok(true);
            }
        } else if cursor.skip_value().is_err() {
            is_empty(&mut cursor)?;
        }
        if !is_another(&mut cursor)? {
            return Ok(false);
        }
    }
}

/// Whether a text is an address; a list of them is a claim.
fn is_one_address(text: &str) -> bool {
    let may_begin = |first: char| first.is_ascii_hexdigit() || matches!(first, '[' | ':');
    text.starts_with(may_begin) && !text.contains(',') && is_address(text)
}

/// Whether a key that is not known may hold the peer.
fn may_be_peer(key: &str) -> bool {
    let letters = letters_of(key);
    !OTHERS.iter().any(|other| letters.contains(other))
}

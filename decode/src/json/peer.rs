//! Who asked, where no key that is known says it.

use super::keys::{Action, KeyTable, NodeId, letters_of};
use super::scan::{Broken, Cursor};
use super::{is_another, is_empty};
use crate::line::sound::is_address;
use crate::record::{Record, Slot, Value};

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

/// Letters of keys beside which `host` is Apache's `%h`, as its common log is taken apart by Fluentd, Fluent Bit, Vector
/// and Tomcat.
const OF_COMMON_LOG: [&str; 8] =
    ["user", "identity", "ident", "logname", "logicalusername", "remotelogname", "code", "size"];

/// Stands in Tomcat's JSON alone, whose `host` is `%h`, be it an address or a name.
const OF_TOMCAT: &str = "\"logicalUserName\":";

/// How many of them are enough.
const OF_COMMON_LOG_MIN: usize = 2;

/// What the keys of an object say that are of no use by themselves.
#[derive(Default)]
struct Beside {
    /// An address stands under one that is not known.
    is_named: bool,
    /// How many are of [`OF_COMMON_LOG`].
    of_common_log: usize,
}

/// Decides who asked where no key was seen that says it; `text` is the object.
///
/// A host that is an address, among the fields of a common log, is the peer. Where somebody only claims to be the client and
/// an address stands under a key that is not known, that may be the peer, and the claim a stranger's: then its place says
/// nothing.
///
/// - `has_sites`: whether a host of the lines before was a name. Then it is what was asked for, which a client writes as he
///   likes, an address too.
#[cold]
pub(super) fn seek(
    keys: &KeyTable,
    has_sites: &mut bool,
    (text, node): (&str, NodeId),
    record: &mut Record<'_>,
) {
    let has_claims =
        [Slot::ForwardedFor, Slot::RealIp].iter().any(|slot| record.get(*slot).is_some());
    let host = record.get(Slot::Host).copied();
    if let Some(host) = host.filter(|_| text.contains(OF_TOMCAT)) {
        let client = if is_one_address(host.text) { host.text } else { "" };
        record.set(Slot::ClientIp, Value { text: client, ..host });
        record.take_out(Slot::Host);
        return;
    }
    *has_sites |= host.is_some_and(|host| !is_one_address(host.text));
    let host = host.filter(|_| !*has_sites);
    if !has_claims && host.is_none() {
        return;
    }
    let Ok(beside) = look_beside(keys, text, node, host.is_some()) else {
        // It breaks off, and may have gone on with the peer.
        record.note_empty(Slot::ClientIp);
        return;
    };
    match host {
        Some(host) if beside.of_common_log >= OF_COMMON_LOG_MIN && !beside.is_named => {
            record.set(Slot::ClientIp, host);
            record.take_out(Slot::Host);
        }
        _ if has_claims && beside.is_named => record.note_empty(Slot::ClientIp),
        _ => {}
    }
}

/// Looks through the keys of an object; for those of a common log only where there is a host that may be the peer.
fn look_beside(
    keys: &KeyTable,
    text: &str,
    node: NodeId,
    has_host: bool,
) -> Result<Beside, Broken> {
    let mut found = Beside::default();
    let mut cursor = Cursor::new(text);
    if !cursor.enters_object()? {
        return Ok(found);
    }
    let mut entry = KeyTable::start(node);
    loop {
        cursor.peek()?;
        let start = cursor.place();
        // The order of the keys was learnt when the record was read.
        let predicted = keys.predict_alone(entry, cursor.rest());
        let action = if let Some((next, length, action)) = predicted {
            cursor.skip(length);
            entry = next;
            action
        } else {
            keys.action(node, cursor.key()?)
        };
        let key = text.get(start..cursor.place()).unwrap_or_default();
        if has_host && OF_COMMON_LOG.contains(&&*letters_of(key)) {
            found.of_common_log += 1;
        }
        cursor.peek()?;
        if let Some(value) = cursor.plain_scalar() {
            found.is_named |= action == Action::Skip && is_one_address(value) && may_be_peer(key);
        } else if cursor.skip_value().is_err() {
            is_empty(&mut cursor)?;
        }
        if !is_another(&mut cursor)? {
            return Ok(found);
        }
    }
}

/// Whether a text is an address; a list of them is a claim.
fn is_one_address(text: &str) -> bool {
    let is_of_address =
        |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':' | b'[' | b']');
    // Behind `%` comes the name of a zone.
    let address = text.split_once('%').map_or(text, |(address, _)| address);
    address.len() > 1
        && address.bytes().all(is_of_address)
        && !text.contains(',')
        && is_address(text)
}

/// Whether a key that is not known may hold the peer.
fn may_be_peer(key: &str) -> bool {
    let letters = letters_of(key);
    !OTHERS.iter().any(|other| letters.contains(other))
}

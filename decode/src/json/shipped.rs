//! What collectors write of themselves beside a request, under keys that servers use for it: the machine they run on, and the
//! file they read.

use std::path::Path;

use memchr::memmem;

use crate::record::{Record, Slot};

/// Keys by which a line shows that a collector has been at it: Logstash's, Vector's, and that of GELF, in which `host` is
/// always the sender (Graylog, "GELF payload specification").
const OF_COLLECTORS: [&str; 3] = ["\"@version\":", "\"source_type\":", OF_GELF];

const OF_GELF: &str = "\"short_message\":";

/// Ends of names that machines have among themselves and no site has: RFC 6762 and RFC 8375, ICANN's `internal`, and those
/// that administrators took.
const OF_MACHINES: [&str; 7] =
    [".local", ".internal", ".lan", ".localdomain", ".intranet", ".corp", ".home.arpa"];

/// Takes out a host and a path that are the collector's own, as far as that shows: a name without a dot or of a machine, and
/// a log.
#[inline]
pub(super) fn withhold(text: &str, record: &mut Record<'_>) {
    let host = record.get(Slot::Host).map(|value| value.text);
    let path = record.get(Slot::Path).map(|value| value.text);
    let is_odd = host.is_some_and(is_of_machine) || path.is_some_and(is_log);
    if is_odd || (host.is_some() && text.contains(OF_GELF)) {
        withhold_own(text, record);
    }
}

#[cold]
fn withhold_own(text: &str, record: &mut Record<'_>) {
    let has = |key: &str| memmem::find(text.as_bytes(), key.as_bytes()).is_some();
    if !OF_COLLECTORS.into_iter().any(has) {
        return;
    }
    if record.get(Slot::Host).is_some_and(|host| is_of_machine(host.text)) || has(OF_GELF) {
        record.take_out(Slot::Host);
    }
    if record.get(Slot::Path).is_some_and(|path| is_log(path.text)) {
        record.take_out(Slot::Path);
    }
}

fn is_of_machine(host: &str) -> bool {
    let is_of = |end: &&str| {
        let at = host.len().checked_sub(end.len());
        at.and_then(|at| host.get(at..)).is_some_and(|text| text.eq_ignore_ascii_case(end))
    };
    !host.contains(['.', ':']) || OF_MACHINES.iter().any(is_of)
}

fn is_log(path: &str) -> bool {
    let end = Path::new(path).extension();
    path.starts_with('/') && end.is_some_and(|end| end.eq_ignore_ascii_case("log"))
}

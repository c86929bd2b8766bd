//! What to do about a line that is not read, or not whole.

use super::Outcome;
use super::tried::{Tried, is_json};
use crate::RejectReason;
use crate::address::parse_address;
use crate::json::leaves;
use crate::record::{Record, Slot, Unit};
use crate::time::TimeParser;

/// Values from which a format is near enough to be named.
const VALUES_NEAR: usize = 3;

/// What to do next, a sentence each.
pub(super) fn advice(
    outcome: &Outcome,
    record: Option<&Record<'_>>,
    tried: &[Tried],
    inner: &str,
) -> Vec<String> {
    match outcome {
        Outcome::Nothing => Vec::new(),
        Outcome::Rows(_) => of_row(record),
        Outcome::Reject(reason) => of_reject(reason, record, tried, inner),
    }
}

fn of_row(record: Option<&Record<'_>>) -> Vec<String> {
    let Some(record) = record else { return Vec::new() };
    let mut advice = Vec::new();
    if record.truncated {
        let cut = "The line ends, or stops making sense, before its format does: the row is `malformed` and has what \
                   could be read.";
        advice.push(cut.to_owned());
    } else if record.is_partial() {
        let twice = "It says two things of who asked, what for, or how it was answered: the row is `malformed` and has \
                     neither.";
        advice.push(twice.to_owned());
    }
    if record.get(Slot::Host).is_none() {
        let host = "It names no host: `--host` names one for all lines that do not.";
        advice.push(host.to_owned());
    }
    advice
}

fn of_reject(
    reason: &str,
    record: Option<&Record<'_>>,
    tried: &[Tried],
    inner: &str,
) -> Vec<String> {
    let is = |of: RejectReason| reason == of.to_string();
    let no_record = [
        RejectReason::ErrorLog,
        RejectReason::TcpSession,
        RejectReason::Probe,
        RejectReason::OtherKind,
    ];
    if no_record.into_iter().any(is) {
        let nothing = "Nothing need be done: it is no request, and kept in the table `rejects`. Where such lines are \
                       many, send the access log alone.";
        return vec![nothing.to_owned()];
    }
    let mut advice = Vec::new();
    if let Some(time) = record.and_then(|record| record.get(Slot::Time))
        && is(RejectReason::NoTimestamp)
    {
        let text = schemas::text::escape(time.text).into_owned();
        advice.push(format!(
            "`{text}` is no time in a known notation: log it as ISO 8601, as common log format or as seconds since 1970."
        ));
    }
    if let Some(near) = tried.first().filter(|near| near.values >= VALUES_NEAR) {
        advice.push(format!(
            "Nearest is `{}`: compare the line with `floodmark formats {}`.",
            near.format, near.format
        ));
    }
    if is_json(inner) {
        advice.push(keys(inner));
    } else {
        let string = "Give the server's own format string: --format '$remote_addr … \"$request\" $status' as in \
                      nginx's `log_format`, or '%h %l %u %t \"%r\" %>s' as in Apache's `LogFormat`.";
        advice.push(string.to_owned());
    }
    advice
}

/// A field map for a line of JSON, begun with what its values look like.
fn keys(inner: &str) -> String {
    let leaves = leaves(inner);
    let mut times = TimeParser::default();
    let text = |leaf: &crate::json::Leaf| inner.get(leaf.bytes.clone()).unwrap_or_default();
    // A small number is a time of 1970, and of nothing.
    let time = leaves
        .iter()
        .find(|leaf| text(leaf).len() >= 10 && times.parse(text(leaf), Unit::Auto).is_some());
    let client = leaves.iter().find(|leaf| parse_address(text(leaf)).is_some());
    let target = leaves.iter().find(|leaf| text(leaf).starts_with('/'));
    let shown = |leaf: Option<&crate::json::Leaf>| {
        leaf.map_or_else(|| "…".to_owned(), |leaf| schemas::text::escape(&leaf.path).into_owned())
    };
    format!(
        "Name its keys in the configuration: format = \"json\", and under [fields]: ts = \"{}\", client_ip = \"{}\", \
         uri = \"{}\", and so on; a dot leads into an object.",
        shown(time),
        shown(client),
        shown(target)
    )
}

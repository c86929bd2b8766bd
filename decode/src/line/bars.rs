//! Lines with bars between their fields which do not follow their format: what clients send may have bars, too.

use super::ends::{ends_as_request, is_id, is_place};
use super::sound::is_address;
use super::step::{Step, Until};
use crate::numbers::is_digits;
use crate::record::{Record, Slot};
use crate::text::place;

/// Fewest bytes of a time that is surely one: other numbers are shorter.
const TIME_BYTES_MIN: usize = 10;

/// Values that clients choose.
const CHOSEN: [Slot; 6] =
    [Slot::Referer, Slot::Uri, Slot::Request, Slot::UserAgent, Slot::ForwardedFor, Slot::Host];

/// Keeps of a line what certainly stands where the format of these steps has it, if there are bars between its fields, and
/// whether that is anything. A line with fewer bars than the format lost its end. With more of them it is what stands in front
/// of the texts that clients choose, and those up to the target if that is sound: one of them has bars.
#[cold]
pub(super) fn keep_placed(steps: &[Step], line: &str, record: &mut Record<'_>) -> bool {
    let bars: usize = steps.iter().map(bars_of).sum();
    if bars == 0 {
        return true;
    }
    if !is_placed(record) {
        return false;
    }
    let has_end = memchr::memchr_iter(b'|', line.as_bytes()).count() >= bars;
    let is_cut = !has_end && has_own_id(line, record);
    let kept = match target(record) {
        Target::None if is_cut => return true,
        Target::Url if is_cut || is_only_url(line, record) => Slot::Edge,
        Target::Request => Slot::Request,
        Target::None | Target::Url | Target::Other => {
            let is_chosen = |step: &Step| step.variable.slot.is_some_and(|it| CHOSEN.contains(&it));
            let behind = steps.iter().skip_while(|step| !is_chosen(step));
            behind.filter_map(|step| step.variable.slot).for_each(|slot| record.take_out(slot));
            return true;
        }
    };
    if !is_cut {
        let behind = steps.iter().skip_while(|step| step.variable.slot != Some(kept)).skip(1);
        behind.filter_map(|step| step.variable.slot).for_each(|slot| record.take_out(slot));
    }
    true
}

/// How many bars stand behind the values of a step.
fn bars_of(step: &Step) -> usize {
    let behind = match step.until {
        Until::Byte(byte) => usize::from(byte == b'|'),
        _ => step.after.as_str().matches('|').count(),
    };
    behind * step.values
}

/// Whether time, status and client are such: behind a bar too many they stand elsewhere.
fn is_placed(record: &Record<'_>) -> bool {
    let text = |slot| record.get(slot).map(|value| value.text);
    text(Slot::Time).is_some_and(|time| time.len() >= TIME_BYTES_MIN)
        && text(Slot::Status).is_none_or(|status| status.len() <= 3 && is_digits(status))
        && text(Slot::ClientIp).is_none_or(is_address)
}

/// What stands where the target is.
enum Target {
    /// Nothing: the line ends before.
    None,
    /// A URL.
    Url,
    /// A request that ends as one.
    Request,
    /// What is none of these.
    Other,
}

fn target(record: &Record<'_>) -> Target {
    let text = |slot| record.get(slot).map(|value| value.text);
    match (text(Slot::Uri), text(Slot::Request)) {
        (Some(url), _) if url.starts_with('/') || url.starts_with("http") => Target::Url,
        (None, Some(request)) if ends_as_request(request) && !request.contains('|') => {
            Target::Request
        }
        (None, None) => Target::None,
        _ => Target::Other,
    }
}

/// Whether an id, of a line that goes on behind it, is one: else a text in front of it has bars.
fn has_own_id(line: &str, record: &Record<'_>) -> bool {
    let id = record.get(Slot::RequestId).map(|id| id.text);
    id.is_none_or(|id| is_id(id) || line.trim_ascii_end().ends_with(id))
}

/// Whether the target is a URL that no other stands behind, and a point of presence does, as in the format: `FR`, `LA2`.
fn is_only_url(line: &str, record: &Record<'_>) -> bool {
    let url = record.get(Slot::Uri).and_then(|url| place(line, url.text));
    let behind = url.and_then(|url| line.get(url.end..)).unwrap_or_default();
    let edge = record.get(Slot::Edge).is_some_and(|edge| is_place(edge.text));
    edge && !behind.contains("|http")
}

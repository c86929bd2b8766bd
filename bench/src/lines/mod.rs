//! Lines of the formats that the generator does not write, made of the requests of a log that it does.
//!
//! ```text
//! layouts.txt ─▶ Layout ──┐
//! generated log, decoded ─┴▶ a line for each request ─▶ Log
//! ```
//!
//! A layout is an ordinary line of `decode/tests/conformance` with `<fields>` where the values of a request go; those
//! that begin with `#` stand at the head of a log. So lines differ as those of real traffic do, and no format is
//! flattered by one line over and over.

mod fields;

use decode::Format;
use schemas::PositionedBatch;

use crate::input::Log;
use fields::{Push, Request, Second, field};

/// The layouts: name of the format, a blank, the layout.
const LAYOUTS: &str = include_str!("layouts.txt");

/// A line with gaps.
struct Layout {
    /// Text before each field, and what writes the field.
    pieces: Vec<(&'static str, Push)>,
    /// Text behind the last one.
    end: &'static str,
    /// What stands for a value that is missing.
    nothing: &'static str,
}

impl Layout {
    /// `None` when it names a field that is not known.
    fn new(text: &'static str) -> Option<Self> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, behind)) = rest.split_once('<') {
            let (name, behind) = behind.split_once('>')?;
            pieces.push((before, field(name)?));
            rest = behind;
        }
        let nothing = if text.trim_start().starts_with('{') { "" } else { "-" };
        Some(Self { pieces, end: rest, nothing })
    }

    fn write(&self, request: &Request<'_>, line: &mut Vec<u8>) {
        for (before, push) in &self.pieces {
            line.extend_from_slice(before.as_bytes());
            push(request, line);
        }
        line.extend_from_slice(self.end.as_bytes());
        line.push(b'\n');
    }
}

/// Whether lines of a format can be made.
#[cfg(test)]
pub fn has_layout(format: Format) -> bool {
    layouts(format).next().is_some()
}

/// What [`LAYOUTS`] says of a format.
fn layouts(format: Format) -> impl Iterator<Item = &'static str> {
    let lines = LAYOUTS.lines().filter_map(|line| line.split_once(' '));
    lines.filter(move |(name, _)| *name == format.name()).map(|(_, layout)| layout)
}

/// The requests of `batches` as lines of a format; those that could not be understood are left out.
pub fn log(format: Format, batches: &[PositionedBatch]) -> Log {
    let mut bytes = Vec::new();
    for head in layouts(format).filter(|layout| layout.starts_with('#')) {
        bytes.extend_from_slice(head.as_bytes());
        bytes.push(b'\n');
    }
    let layout = layouts(format).find(|layout| !layout.starts_with('#')).and_then(Layout::new);
    let mut second = Second::default();
    for batch in batches {
        let requests = &batch.requests;
        for row in 0..requests.rows() {
            second.move_to(requests.ts().value(row));
            if let Some(layout) = layout.as_ref().filter(|_| !requests.malformed().value(row)) {
                let nothing = layout.nothing;
                layout.write(&Request { requests, row, second: &second, nothing }, &mut bytes);
            }
        }
    }
    Log::of(bytes, u64::MAX)
}

#[cfg(test)]
mod tests {
    use ::decode::DecoderConfig;
    use arrow::array::StringArray;
    use schemas::RequestBatch;

    use super::*;
    use crate::stages::decode;

    const REQUEST: &str = r#"{"ts":"2026-03-02T09:00:00.5Z","client_ip":"2001:db8::7","client_asn":64502,"client_country":"es","edge":"MRS","method":"GET","path":"/a","query":"b=c","protocol":"HTTP/2","user_agent":"Mozilla/5.0 (X11; Linux x86_64)","scheme":"https","host":"shop.example","status":200,"request_bytes":10,"response_bytes":20,"duration_us":1500,"referer":"https://shop.example/?d","cache_status":"hit","ja3":"e42e8acbe0f966752e72ea4880cb9981","ja4":"t13d2710h2_cac17e4b3761_0edc09056609","request_id":"810a2dec00000001"}
"#;

    /// What of a request, and the fields of a layout that write it.
    type Text = (&'static [&'static str], fn(&RequestBatch) -> StringArray);

    const TEXTS: [Text; 6] = [
        (&["<ip>", "<peer>"], |rows| rows.client_ip().clone()),
        (&["<method>"], |rows| rows.method().clone()),
        (&["<path>", "<uri>"], |rows| rows.path().clone()),
        (&["<host>"], |rows| rows.host().clone()),
        (&["<agent>", "<agent_"], |rows| rows.user_agent().clone()),
        (&["<referer>", "<referer_"], |rows| rows.referer().clone()),
    ];

    fn decoded(format: &str, log: &Log) -> Vec<PositionedBatch> {
        decode::batches(log, &DecoderConfig::of(format)).unwrap()
    }

    #[test]
    fn every_line_is_the_request_it_was_made_of() {
        let given = decoded("floodmark", &Log::of(REQUEST.into(), 1));
        let given = &given[0].requests;
        for format in Format::ALL.iter().copied().filter(|format| has_layout(*format)) {
            let log = log(format, &decoded("floodmark", &Log::of(REQUEST.repeat(3).into(), 3)));
            assert_eq!(log.records, 3, "{format}");
            let found = decoded(format.name(), &log);
            let found = &found[0].requests;
            assert_eq!(found.rows(), 3, "{format}: {}", String::from_utf8_lossy(&log.bytes));
            let layout = layouts(format).find(|layout| !layout.starts_with('#')).unwrap();
            let is_written = |names: &[&str]| names.iter().any(|name| layout.contains(name));
            for (names, text) in TEXTS {
                let (found, given) = (text(found), text(given));
                let is_read = arrow::array::Array::is_valid(&found, 2);
                assert!(is_read || !is_written(names), "{format}: {names:?}");
                assert!(!is_read || found.value(2) == given.value(0), "{format}: {names:?}");
            }
            let has_status = arrow::array::Array::is_valid(found.status(), 2);
            assert_eq!(has_status, is_written(&["<status>"]), "{format}");
            assert!(!has_status || found.status().value(2) == 200, "{format}");
            assert_eq!(found.ts().value(2) / 1_000_000, given.ts().value(0) / 1_000_000);
            assert!(!found.malformed().value(2), "{format}");
        }
    }
}

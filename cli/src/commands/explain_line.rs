//! `floodmark explain-line`: how lines are read, for everybody whose log is not.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::ops::Range;
use std::time::Duration;

use anyhow::Context;
use decode::RawMessage;
use decode::explain::{Explainer, Explanation, Outcome};
use ingest::{FileSource, Polled, Positions, Source};
use schemas::text::{escape, escape_json};
use serde_json::{Value, json};

use crate::args::{DetectArgs, ExplainLineArgs};
use crate::config::{Decode, File};
use crate::signals::StopFlag;

/// Characters of a text that are shown.
const TEXT_CHARS: usize = 120;

/// Formats that are named of those in which a line was tried, as text.
const TRIED_SHOWN: usize = 5;

/// Explains the first lines of a file.
///
/// # Errors
/// When the file cannot be read, or the configuration makes no sense.
pub fn explain_line(args: ExplainLineArgs, file: &File, stop: &StopFlag) -> anyhow::Result<()> {
    let decode = Decode::new(args.input, args.clients, &DetectArgs::default(), file)?;
    let mut explainer = Explainer::new(&decode.decoder)?;
    let mut source = FileSource::open(&[args.file], Positions::new())?;
    let mut out = io::stdout().lock();
    let mut number = 0;
    while !stop.is_set() && number < args.lines {
        let mut lines: Vec<Vec<u8>> = Vec::new();
        let mut take = |message: &RawMessage<'_>| {
            let text = message.payload.strip_suffix(b"\n").unwrap_or(message.payload);
            lines.extend(text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
        };
        match source.poll(Duration::from_millis(100), &mut take)? {
            Polled::End => break,
            Polled::PartitionFailed(_, error) => return Err(error.into()),
            _ => {}
        }
        for line in lines.iter().take(args.lines - number) {
            number += 1;
            let explanation = explainer.explain(line)?;
            let shown = if args.json {
                escape_json(&as_json(number, &explanation).to_string()).into_owned() + "\n"
            } else {
                as_text(number, &explanation)
            };
            match out.write_all(shown.as_bytes()) {
                // Who reads has seen enough.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                written => written.context("cannot write the explanation")?,
            }
        }
    }
    if number == 0 && args.lines > 0 {
        tracing::warn!("there is no line to explain");
    }
    Ok(())
}

/// A text of the line, made safe and not too long.
fn shown(text: &str) -> String {
    let cut: String = text.chars().take(TEXT_CHARS).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("{}{more}", escape(&cut))
}

fn part<'a>(of: &'a str, bytes: &Range<usize>) -> &'a str {
    of.get(bytes.clone()).unwrap_or_default()
}

fn outcome(explanation: &Explanation) -> String {
    match &explanation.outcome {
        Outcome::Rows(1) => "a row of `requests`".to_owned(),
        Outcome::Rows(rows) => format!("{rows} rows of `requests`, of which the first is shown"),
        Outcome::Reject(reason) => format!("a row of `rejects`: {reason}"),
        Outcome::Nothing => {
            "no record: blank, a comment, a header, or a part of one that goes on".to_owned()
        }
    }
}

fn as_text(number: usize, explanation: &Explanation) -> String {
    let mut text = format!("line {number}: {}\n", outcome(explanation));
    let mut say = |name: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name:<10} {value}");
    };
    say("read", &shown(&explanation.line));
    if explanation.outcome == Outcome::Nothing {
        return text + "\n";
    }
    let format = explanation.format.map_or("none", decode::Format::name);
    say("format", &format!("{format}: {}", explanation.why));
    if let Some(around) = &explanation.around {
        let at = around.inner.as_ref().map_or_else(String::new, |inner| {
            let (before, behind) = (
                explanation.line.get(..inner.start).unwrap_or_default(),
                explanation.line.get(inner.end..).unwrap_or_default(),
            );
            format!(": `{}`", shown(&format!("{before}…{behind}")))
        });
        say("taken off", &format!("{}{at}", around.what));
        say("inside", &shown(&explanation.inner));
    }
    let inner = explanation.inner.as_str();
    for column in &explanation.columns {
        let from = column.bytes.as_ref().map_or_else(String::new, |bytes| {
            let (start, end) = (bytes.start, bytes.end);
            let name = column.from.unwrap_or_default();
            format!("   ◂ bytes {start}–{end}, {name}: {}", shown(part(inner, bytes)))
        });
        say("", &format!("{:<14} {}{from}", column.name, shown(&column.value)));
    }
    for hop in &explanation.hops {
        say("asked", &format!("{}: {}", shown(&hop.text), hop.part.words()));
    }
    for left in &explanation.leftovers {
        let key = left.key.as_ref().map_or_else(String::new, |key| format!("{}: ", shown(key)));
        let (start, end) = (left.bytes.start, left.bytes.end);
        say("not kept", &format!("bytes {start}–{end}   {key}{}", shown(part(inner, &left.bytes))));
    }
    for tried in explanation.tried.iter().take(TRIED_SHOWN) {
        let behind = tried.behind.map_or_else(
            || "at the start".to_owned(),
            |name| format!("behind `{name}`, byte {}", tried.at),
        );
        let (format, values, why) = (tried.format.name(), tried.values, tried.why);
        say("tried", &format!("{format:<20} {values} values, stopped {behind}: {why}"));
    }
    if explanation.tried.is_empty() && matches!(explanation.outcome, Outcome::Reject(_)) {
        say(
            "tried",
            "every format; none finds a time, an address, a number or a request in its place",
        );
    }
    for advice in &explanation.advice {
        say("next", advice);
    }
    text + "\n"
}

fn as_json(number: usize, explanation: &Explanation) -> Value {
    let bytes = |bytes: &Range<usize>| json!([bytes.start, bytes.end]);
    let inner = explanation.inner.as_str();
    let outcome = match &explanation.outcome {
        Outcome::Rows(rows) => json!({"rows": rows}),
        Outcome::Reject(reason) => json!({"reject": reason}),
        Outcome::Nothing => json!({}),
    };
    json!({
        "line": number,
        "text": explanation.line,
        "outcome": outcome,
        "format": explanation.format.map(decode::Format::name),
        "why": explanation.why,
        "taken_off": explanation.around.as_ref().map(|around| around.what),
        "inner": inner,
        "columns": explanation.columns.iter().map(|column| json!({
            "column": column.name,
            "value": column.value,
            "bytes": column.bytes.as_ref().map(bytes),
            "field": column.from,
            "text": column.bytes.as_ref().map(|bytes| part(inner, bytes)),
        })).collect::<Vec<_>>(),
        "asked": explanation.hops.iter().map(|hop| json!({
            "address": hop.text, "is": hop.part.words(),
        })).collect::<Vec<_>>(),
        "not_kept": explanation.leftovers.iter().map(|left| json!({
            "bytes": bytes(&left.bytes), "key": left.key, "text": part(inner, &left.bytes),
        })).collect::<Vec<_>>(),
        "tried": explanation.tried.iter().map(|tried| json!({
            "format": tried.format.name(),
            "values": tried.values,
            "behind": tried.behind,
            "byte": tried.at,
            "why": tried.why,
        })).collect::<Vec<_>>(),
        "next": explanation.advice,
    })
}

#[cfg(test)]
mod tests {
    use decode::DecoderConfig;
    use schemas::text::is_unsafe;

    use super::*;

    #[test]
    fn nothing_of_a_line_reaches_the_terminal_as_it_is() {
        let hostile = "\u{1b}[31m\u{202e}\u{7}";
        let lines = [
            format!(
                r#"192.0.2.1 - {hostile} [01/May/2024:12:00:00 +0000] "GET /{hostile} HTTP/1.1" 200 5 "{hostile}" "{hostile}" "{hostile}""#
            ),
            format!(
                r#"{{"ClientIP":"192.0.2.1","EdgeEndTimestamp":"2024-05-01T12:00:00Z","{hostile}":"{hostile}"}}"#
            ),
            format!(r#"{{"{hostile}":"/a","{hostile}b":"2024-05-01T12:00:00Z"}}"#),
            format!("{hostile} nothing of use"),
            format!(r#"{hostile}web-1 | 192.0.2.1 - - [{hostile}] "GET / HTTP/1.1" 200 5"#),
        ];
        let mut explainer = Explainer::new(&DecoderConfig::default()).unwrap();
        for line in lines {
            let explanation = explainer.explain(line.as_bytes()).unwrap();
            let text = as_text(1, &explanation);
            assert!(!text.contains(|c| is_unsafe(c) && c != '\n'), "{text:?}");
            let json = escape_json(&as_json(1, &explanation).to_string()).into_owned();
            assert!(!json.contains(is_unsafe), "{json:?}");
        }
    }
}

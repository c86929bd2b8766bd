//! One case a line of a JSON Lines file.

use std::path::Path;

use serde_json::{Map, Value};

/// A log line and what is expected of it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// `file:line`.
    pub(crate) place: String,
    /// Where it was gathered.
    pub(crate) source: String,
    /// The format, as its writers call it.
    pub(crate) format: String,
    /// The line as logged.
    pub(crate) raw: String,
    /// Values by name, as they stand.
    pub(crate) expect: Map<String, Value>,
}

impl Case {
    /// `Some(reason)` when the line is expected to be no access record; the reason is empty when any will do.
    pub(crate) fn expected_reject(&self) -> Option<&str> {
        match self.expect.get("reject") {
            Some(Value::Bool(true)) => return Some(""),
            Some(Value::String(reason)) => return Some(reason),
            _ => {}
        }
        let log_type = self.expect.get("log_type").and_then(Value::as_str)?;
        (!log_type.contains("access")).then_some("")
    }
}

/// The cases of a file; the message for a line that is none.
pub(crate) fn read_cases(file: &str, text: &str) -> Vec<Result<Case, String>> {
    let stem = Path::new(file).file_stem().map_or(file.into(), |stem| stem.to_string_lossy());
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
    lines
        .map(|(index, line)| {
            let place = format!("{file}:{}", index + 1);
            read_case(&place, &stem, line).map_err(|error| format!("{place}: {error}"))
        })
        .collect()
}

fn read_case(place: &str, stem: &str, line: &str) -> Result<Case, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let raw = text("raw").ok_or("no `raw` text; a case looks as --help shows")?;
    let mut expect = match value.get("expect") {
        Some(Value::Object(expect)) => flat(expect),
        _ if value.get("reject").is_some() => Map::new(),
        _ => return Err("no `expect` object; a case looks as --help shows".to_owned()),
    };
    if let Some(reject) = value.get("reject") {
        expect.insert("reject".to_owned(), reject.clone());
    }
    Ok(Case {
        place: place.to_owned(),
        source: text("source").unwrap_or_else(|| stem.to_owned()),
        format: text("format").unwrap_or_else(|| "auto".to_owned()),
        raw,
        expect,
    })
}

/// The values of objects inside objects, under their names with dots between them.
fn flat(expect: &Map<String, Value>) -> Map<String, Value> {
    let mut values = Map::new();
    for (name, value) in expect {
        match value {
            Value::Object(inside) => values.extend(
                flat(inside).into_iter().map(|(inner, value)| (format!("{name}.{inner}"), value)),
            ),
            value => {
                values.insert(name.clone(), value.clone());
            }
        }
    }
    values
}

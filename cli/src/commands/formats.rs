//! `floodmark formats`: what is read, with a line of each.

use std::io::{self, Write};

use anyhow::Context;
use decode::Format;
use schemas::text::{escape, escape_json};
use serde_json::json;

use crate::args::FormatsArgs;
use crate::config::UsageError;

/// Characters of an example in the list of all.
const EXAMPLE_CHARS: usize = 100;

/// Lists the formats, or tells of one.
///
/// # Errors
/// When there is no format of that name, or the list cannot be written.
pub fn formats(args: &FormatsArgs) -> anyhow::Result<()> {
    let all = Format::ALL.iter().copied().filter(|format| *format != Format::Custom);
    let formats: Vec<Format> = match &args.name {
        None => all.collect(),
        Some(name) => {
            let format = name.parse::<Format>();
            vec![format.map_err(|error| UsageError::new(error.to_string()))?]
        }
    };
    let is_one = args.name.is_some();
    let mut text = String::new();
    for format in formats {
        let shown = if args.json { as_json(format) } else { as_text(format, is_one) };
        text.push_str(&shown);
    }
    if !args.json && !is_one {
        text.push_str(
            "\nA format may also be the format string of nginx, Apache, HAProxy, Envoy, API Gateway or Logpush: see `floodmark scan --help`.\n\
             `floodmark formats NAME` shows a whole line; `floodmark explain-line` tells how a line of yours is read.\n",
        );
    }
    io::stdout().write_all(text.as_bytes()).context("cannot write the list")
}

fn as_text(format: Format, is_one: bool) -> String {
    let aliases: Vec<_> = format.aliases().collect();
    let also =
        if aliases.is_empty() { String::new() } else { format!(" (also {})", aliases.join(", ")) };
    let example = escape(format.example().unwrap_or_default());
    let cut: String =
        example.chars().take(if is_one { usize::MAX } else { EXAMPLE_CHARS }).collect();
    let more = if cut.len() < example.len() { "…" } else { "" };
    let line = if cut.is_empty() { String::new() } else { format!("    {cut}{more}\n") };
    format!("{:<28} {}{also}\n{line}", format.name(), format.writer())
}

fn as_json(format: Format) -> String {
    let row = json!({
        "format": format.name(),
        "written_by": format.writer(),
        "also": format.aliases().collect::<Vec<_>>(),
        "example": format.example(),
    });
    escape_json(&row.to_string()).into_owned() + "\n"
}

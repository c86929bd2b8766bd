//! The conformance runner.
//!
//! ```text
//! files ─ case::read_cases ─▶ Case ─ read::read ─▶ row or reject ─ compare ─▶ Difference ─▶ table::Table
//! ```

mod case;
mod compare;
mod fields;
mod read;
mod table;

use std::io::{self, Write};

use decode::DecoderConfig;

use case::{Case, read_cases};
use compare::{Outcome, judge};
use table::Table;

/// Everything was as expected.
const EQUAL: u8 = 0;
/// A case differs, or is no case.
const DIFFERENT: u8 = 1;
/// The command line is wrong, or a file cannot be read.
const UNUSABLE: u8 = 2;

const HELP: &str = r#"Reads log lines gathered elsewhere and compares the rows with what is expected of them.

usage: conformance [--show N] [--format F] FILE…

  --show N     prints the first N differences
  --format F   reads every line in this format, a name or a log format string, instead of
               with `auto` and, where that knows no format, in those of the server it names

A file holds JSON lines, one case a line:

  {"source":"nginx docs","format":"nginx","raw":"192.0.2.1 - - [01/May/2024:12:00:00 +0000] …",
   "expect":{"client_ip":"192.0.2.1","status":200,"path":"/a","query":null}}

raw      the line as logged; with several lines (a header, say) the first record counts
format   whatever its writers call it (nginx, apache2, iis, …)
source   where it is from, the name of the file if missing
expect   values as strings or numbers, by the names of our columns or other usual ones (http_status,
         source_ip, http_verb, duration_ms, url.path, …, with or without `parsed_`); null, "" or "-"
         where the column must be null. A path may be given with its query, objects may hold
         objects. Lists, and values under other names, are counted as `not compared`.
         "reject": true when the line is no access record, or the reason or part of it.
         A "log_type" that is not an access log says the same.

Columns of the table: cases; rows, the lines that were decoded; equal, rows that agree with everything
compared, and rejects that were expected; differ; missed, rejects where a row was expected; not
compared, values that were expected under names nobody knows.

Exit status: 0 all equal; 1 something differs or was missed; 2 the command line is wrong.

examples:
  conformance cases.jsonl
  conformance --show 20 nginx.jsonl apache.jsonl
  conformance --show 5 --format '$remote_addr [$time_local] "$request" $status' odd.jsonl
"#;

/// The command line, taken apart.
#[derive(Debug, Default)]
struct Arguments {
    files: Vec<String>,
    show: usize,
    format: Option<String>,
}

/// Runs the command line; returns the exit status.
pub(crate) fn run(arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        return status(out.write_all(HELP.as_bytes()), EQUAL);
    }
    let arguments = match parse(arguments) {
        Ok(arguments) => arguments,
        Err(message) => return status(writeln!(err, "conformance: {message}"), UNUSABLE),
    };
    let mut cases = Vec::new();
    for file in &arguments.files {
        match std::fs::read_to_string(file) {
            Ok(text) => cases.extend(read_cases(file, &text)),
            Err(error) => return status(writeln!(err, "conformance: {file}: {error}"), UNUSABLE),
        }
    }
    match compare_all(&arguments, cases, out, err) {
        Ok(true) => EQUAL,
        Ok(false) => DIFFERENT,
        Err(error) => status(Err(error), EQUAL),
    }
}

/// `done`, unless the output could not be written for another reason than that nobody reads it any more.
fn status(written: io::Result<()>, done: u8) -> u8 {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => UNUSABLE,
        Ok(()) | Err(_) => done,
    }
}

fn parse(arguments: &[String]) -> Result<Arguments, String> {
    let mut parsed = Arguments::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--show" => {
                let number = value()?;
                parsed.show = number.parse().map_err(|_parse: std::num::ParseIntError| {
                    format!("--show needs a number, not `{number}`")
                })?;
            }
            "--format" => parsed.format = Some(value()?.clone()),
            option if option.starts_with("--") => {
                return Err(format!("unknown option {option}; see --help"));
            }
            file => parsed.files.push(file.to_owned()),
        }
    }
    if parsed.files.is_empty() {
        return Err("no file with cases; see --help".to_owned());
    }
    if let Some(format) = &parsed.format {
        DecoderConfig::of(format).validate().map_err(|error| error.to_string())?;
    }
    Ok(parsed)
}

/// Judges the cases and prints differences and table; whether all were as expected.
fn compare_all(
    arguments: &Arguments,
    cases: Vec<Result<Case, String>>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<bool> {
    let (mut table, mut shown, mut all_equal) = (Table::default(), 0, true);
    for case in cases {
        let case = match case {
            Ok(case) => case,
            Err(message) => {
                all_equal = false;
                writeln!(err, "conformance: {message}")?;
                continue;
            }
        };
        let found = read::read(&case, arguments.format.as_deref());
        let verdict = judge(&case, &found);
        table.count(&case, &found, &verdict);
        if verdict.outcome == Outcome::Equal {
            continue;
        }
        all_equal = false;
        if shown < arguments.show {
            shown += 1;
            write!(out, "{}", verdict.describe(&case, &found))?;
        }
    }
    if shown > 0 {
        writeln!(out)?;
    }
    write!(out, "{table}")?;
    Ok(all_equal)
}

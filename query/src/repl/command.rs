//! The commands of the prompt.

use crate::output::{Format, Layout};

/// What `\?` shows.
pub(super) const HELP: &str = r"
Type SQL and end it with `;`. Ctrl-C stops a running query or forgets the line, Ctrl-D leaves.

  \d                tables and views
  \d NAME           columns of a table or view, and what they mean
  \df               the functions that Floodmark adds
  \df NAME          what a function does, of Floodmark or of the engine
  \f FORMAT         output format: table, csv, json, ndjson
  \x [on|off|auto]  a block a row instead of columns; auto where the terminal is too narrow
  \timing           show how long each query takes
  \i FILE           run the statements of a file
  \?                this help
  \q                leave
";

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Tables,
    Table(String),
    Functions(Option<String>),
    Format(Format),
    Expanded(Option<Layout>),
    Timing,
    Include(String),
    Help,
    Quit,
}

/// Names of the commands, for completion.
pub(super) const NAMES: [&str; 8] = ["\\?", "\\d", "\\df", "\\f", "\\i", "\\q", "\\timing", "\\x"];

impl Command {
    /// Reads a line as a command; `None` when it is none, an error text when it is a wrong one.
    pub(super) fn parse(line: &str) -> Option<Result<Self, String>> {
        let line = line.trim().trim_end_matches(';').trim_end();
        match line.to_ascii_lowercase().as_str() {
            "quit" | "exit" => return Some(Ok(Self::Quit)),
            "help" | "?" => return Some(Ok(Self::Help)),
            _ => {}
        }
        let command = line.strip_prefix('\\')?;
        let (name, argument) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let argument = argument.trim();
        Some(Self::named(name, (!argument.is_empty()).then(|| argument.to_owned())))
    }

    fn named(name: &str, argument: Option<String>) -> Result<Self, String> {
        Ok(match (name, argument) {
            ("d" | "dt" | "dv", None) => Self::Tables,
            ("d", Some(table)) => Self::Table(table),
            ("df", function) => Self::Functions(function),
            ("f", Some(format)) => Self::Format(format.parse()?),
            ("f", None) => return Err(format!("\\f needs a format: {}", format_names())),
            ("x", None) => Self::Expanded(None),
            ("x", Some(layout)) => Self::Expanded(Some(parse_layout(&layout)?)),
            ("timing", None) => Self::Timing,
            ("i", Some(path)) => Self::Include(path),
            ("i", None) => return Err("\\i needs the name of a file".to_owned()),
            ("?" | "h", None) => Self::Help,
            ("q", None) => Self::Quit,
            (name, _) => return Err(format!("no command `\\{name}` of that form; \\? lists them")),
        })
    }
}

fn format_names() -> String {
    Format::ALL.map(Format::name).join(", ")
}

fn parse_layout(text: &str) -> Result<Layout, String> {
    match text {
        "on" => Ok(Layout::Expanded),
        "off" => Ok(Layout::Columns),
        "auto" => Ok(Layout::Auto),
        other => Err(format!("\\x takes on, off or auto, not `{other}`")),
    }
}

/// What the prompt calls a layout.
pub(super) const fn layout_name(layout: Layout) -> &'static str {
    match layout {
        Layout::Auto => "auto: columns where they fit, else a block a row",
        Layout::Columns => "columns",
        Layout::Expanded => "a block a row",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        let read = |line| Command::parse(line);
        assert_eq!(read("SELECT 1;"), None);
        assert_eq!(read(" \\d "), Some(Ok(Command::Tables)));
        assert_eq!(read("\\d attacks;"), Some(Ok(Command::Table("attacks".into()))));
        assert_eq!(read("\\x on"), Some(Ok(Command::Expanded(Some(Layout::Expanded)))));
        assert_eq!(read("EXIT;"), Some(Ok(Command::Quit)));
        assert_eq!(read("\\f json"), Some(Ok(Command::Format(Format::Json))));
        for wrong in ["\\nope", "\\x maybe", "\\f xml", "\\i"] {
            assert!(matches!(read(wrong), Some(Err(_))), "{wrong}");
        }
    }

    #[test]
    fn every_command_is_in_the_help() {
        for name in NAMES {
            assert!(HELP.contains(&format!("  {name} ")), "{name}");
        }
    }
}

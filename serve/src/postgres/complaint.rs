//! What went wrong, as clients of PostgreSQL are told: a code that programs know (SQLSTATE), and a place in the statement.

use arrow::error::ArrowError;
use bytes::BufMut as _;
use query::QueryError;

use super::message::Broken;
use super::speech::{Speech, put_text};
use crate::answers::{Cut, Fault};

/// An error, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// Characters of the statement before the mistake, and one.
    pub(super) position: Option<usize>,
    /// Whether the connection ends with it.
    pub(super) is_fatal: bool,
}

impl Complaint {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message, hint: None, position: None, is_fatal: false }
    }

    pub(super) fn fatal(code: &'static str, message: impl Into<String>) -> Self {
        Self { is_fatal: true, ..Self::new(code, message) }
    }

    /// With the place that the message tells as line and column of `statement`.
    pub(super) fn placed_in(self, statement: &str) -> Self {
        let position = position(&self.message, statement);
        Self { position, ..self }
    }

    /// The same in a text that has so many characters before the statement.
    pub(super) fn behind(self, characters: usize) -> Self {
        Self { position: self.position.map(|position| position + characters), ..self }
    }

    /// Tells it.
    pub(super) fn tell(&self, speech: &mut Speech) {
        let severity = if self.is_fatal { "FATAL" } else { "ERROR" };
        speech.say(b'E', |body| {
            let mut field = |name: u8, text: &str| {
                body.put_u8(name);
                put_text(body, text);
            };
            field(b'S', severity);
            field(b'V', severity);
            field(b'C', self.code);
            field(b'M', &self.message);
            if let Some(hint) = &self.hint {
                field(b'H', hint);
            }
            if let Some(position) = self.position {
                field(b'P', &position.to_string());
            }
            body.put_u8(0);
        });
    }
}

/// Place in `statement` that `message` tells at its end, in characters from 1.
fn position(message: &str, statement: &str) -> Option<usize> {
    let message = message.to_lowercase();
    let (_, place) = message.rsplit_once("line")?;
    let mut numbers = place
        .split(|of: char| !of.is_ascii_digit())
        .filter(|of| !of.is_empty())
        .map(str::parse::<usize>);
    let (Some(Ok(line)), Some(Ok(column))) = (numbers.next(), numbers.next()) else { return None };
    let before: usize =
        statement.split('\n').take(line.checked_sub(1)?).map(|line| line.chars().count() + 1).sum();
    let position = before + column;
    (position <= statement.chars().count() + 1).then_some(position)
}

/// Codes of PostgreSQL (manual, appendix A) by what was wrong.
fn code_of_query(error: &QueryError) -> &'static str {
    match error {
        QueryError::Syntax { .. } | QueryError::OneResult { .. } => "42601",
        QueryError::ReadOnly { .. } => "25006",
        QueryError::Params { .. } => "22023",
        QueryError::Plan { message, .. } => code_of_plan(message).unwrap_or("42000"),
        QueryError::TooLarge { .. } => "54000",
        QueryError::OutOfMemory { .. } => "53200",
        QueryError::Vanished { .. } => "40001",
        QueryError::Execute { message } => code_of_plan(message).unwrap_or("22000"),
        QueryError::Format { .. } => "22000",
        _ => "58030",
    }
}

/// What the messages of the engine say, and the code of it.
const SAID: [(&str, &str); 13] = [
    (" would make ", "54000"),
    ("no column", "42703"),
    ("no table", "42P01"),
    ("table '", "42P01"),
    ("relation \"", "42P01"),
    ("unrecognized configuration parameter", "42704"),
    ("with 'SHOW'", "42704"),
    ("type \"", "42704"),
    ("ivide by zero", "22012"),
    ("ast string", "22P02"),
    ("Error parsing", "22P02"),
    ("verflow", "22003"),
    ("unction", "42883"),
];

fn code_of_plan(message: &str) -> Option<&'static str> {
    SAID.iter().find(|(said, _)| message.contains(said)).map(|(_, code)| *code)
}

impl From<QueryError> for Complaint {
    fn from(error: QueryError) -> Self {
        let code = code_of_query(&error);
        match error {
            QueryError::Plan { message, hint } => Self { hint, ..Self::new(code, message) },
            other => Self::new(code, other.to_string()),
        }
    }
}

impl From<Fault> for Complaint {
    fn from(fault: Fault) -> Self {
        let code = match fault {
            Fault::Query(error) => return error.into(),
            Fault::TooLong { .. } => "54000",
            Fault::Busy { .. } => "53000",
            Fault::TooSlow { .. } | Fault::Cancelled => "57014",
            Fault::Stopping => return Self::fatal("57P01", fault.to_string()),
            Fault::Gone | Fault::SameId | Fault::Broken => "XX000",
        };
        Self::new(code, fault.to_string())
    }
}

/// An answer that was cut is none: nobody is to take a part for the whole.
impl From<Cut> for Complaint {
    fn from(cut: Cut) -> Self {
        Self::new("54000", cut.to_string())
    }
}

impl From<ArrowError> for Complaint {
    fn from(error: ArrowError) -> Self {
        Self::new("22000", error.to_string())
    }
}

impl From<Broken> for Complaint {
    fn from(broken: Broken) -> Self {
        Self::fatal("08P01", broken.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_mistake_is_counted_in_characters() {
        let said = "syntax error: Expected: x, found: SELEC at line 2, column 3";
        assert_eq!(position(said, "-- ä\n  SELEC 1"), Some(8));
        assert_eq!(position("Unterminated at Line: 1, Column: 8", "SELECT 'x"), Some(8));
        assert_eq!(position(said, "SELEC"), None);
        assert_eq!(position("no column `line 1`", "SELECT x"), None);
    }

    #[test]
    fn mistakes_have_the_codes_that_programs_know() {
        let plan = |message: &str| QueryError::Plan { message: message.into(), hint: None };
        assert_eq!(Complaint::from(plan("no table `x`")).code, "42P01");
        assert_eq!(Complaint::from(plan("no column `x`")).code, "42703");
        assert_eq!(Complaint::from(Fault::Cancelled).code, "57014");
        assert!(Complaint::from(Fault::Stopping).is_fatal);
    }
}

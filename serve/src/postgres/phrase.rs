//! Statements that are about the connection and not about the tables: clients send them unasked, and are answered without
//! a query.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use query::postgres::{Set, Setting};
use query::statements::Piece;

use super::complaint::Complaint;
use super::timeout;

/// Settings of which clients are told when they connect, by the names that they look for.
const TOLD: [&str; 11] = [
    "server_version",
    "server_encoding",
    "client_encoding",
    "DateStyle",
    "TimeZone",
    "IntervalStyle",
    "integer_datetimes",
    "standard_conforming_strings",
    "is_superuser",
    "in_hot_standby",
    "default_transaction_read_only",
];

/// The same with their values.
pub(super) fn told() -> impl Iterator<Item = (&'static str, &'static str)> {
    TOLD.into_iter().filter_map(|name| Some((name, Setting::named(name)?.value)))
}

/// Words of a statement about the connection, at most: what has more is asked.
const WORDS_MAX: usize = 64;

/// What is said of an answer with rows, which are counted behind it.
pub(super) const SELECT: &str = "SELECT";

/// What is to be done about a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phrase {
    /// Nothing.
    Empty,
    /// Ask the tables.
    ///
    /// `stops` is the number of a conversation of which the query is stopped before.
    Ask { text: String, at: usize, tag: &'static str, stops: Option<i32> },
    /// Tell the number of the conversation.
    Number,
    /// Begin what others call a transaction: each query sees one version of the tables anyway.
    Begin,
    /// End it.
    Commit,
    /// End it.
    Rollback,
    /// End what is within it.
    RollbackTo,
    /// Say that it is done.
    Done(&'static str),
    /// Forget all that was prepared and all portals.
    Discard,
    /// Forget a prepared statement, or all.
    Deallocate(Option<String>),
    /// Tell a setting.
    Show { name: String, value: String },
    /// Limit the time of statements.
    Limit(Duration),
    /// Limit it as it was said at first.
    Unlimit(&'static str),
}

impl Phrase {
    /// Bytes of its text.
    pub(super) const fn bytes(&self) -> usize {
        match self {
            Self::Ask { text, .. } => text.len(),
            _ => 0,
        }
    }
}

/// What a statement is about.
pub(super) fn phrase(piece: Piece) -> Result<Phrase, Complaint> {
    let words = piece.words.iter().take(WORDS_MAX);
    let words: Vec<String> = words.map(|word| word.to_ascii_uppercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Ok(match words.as_slice() {
        [] => Phrase::Empty,
        ["BEGIN", ..] | ["START", "TRANSACTION", ..] => Phrase::Begin,
        ["SAVEPOINT", ..] => Phrase::Done("SAVEPOINT"),
        ["RELEASE", ..] => Phrase::Done("RELEASE"),
        ["ROLLBACK", "TO", ..] => Phrase::RollbackTo,
        ["COMMIT" | "END", ..] => Phrase::Commit,
        ["ROLLBACK" | "ABORT", ..] => Phrase::Rollback,
        ["DISCARD", "ALL"] => Phrase::Discard,
        ["DISCARD", "PLANS"] => Phrase::Done("DISCARD PLANS"),
        ["DISCARD", "SEQUENCES"] => Phrase::Done("DISCARD SEQUENCES"),
        ["DISCARD", "TEMP" | "TEMPORARY"] => Phrase::Done("DISCARD TEMP"),
        ["CLOSE", _] => Phrase::Done("CLOSE CURSOR"),
        ["UNLISTEN", _] => Phrase::Done("UNLISTEN"),
        ["DEALLOCATE", "ALL"] | ["DEALLOCATE", "PREPARE", "ALL"] => Phrase::Deallocate(None),
        ["DEALLOCATE", "PREPARE", _] | ["DEALLOCATE", _] => {
            Phrase::Deallocate(piece.words.last().map(|name| unquoted(name)))
        }
        ["RESET", "ALL" | "STATEMENT_TIMEOUT"] => Phrase::Unlimit("RESET"),
        ["RESET", name] if Setting::named(name).is_some() => Phrase::Done("RESET"),
        ["SET", of @ ..] => match set(of) {
            Some(done) => done?,
            None => ask(piece, "SET"),
        },
        ["SHOW", "TIME", "ZONE"] => show("timezone").unwrap_or(Phrase::Empty),
        ["SHOW", "TRANSACTION", "ISOLATION", "LEVEL"] => {
            show("transaction_isolation").unwrap_or(Phrase::Empty)
        }
        ["SHOW", name] => match show(name) {
            Some(shown) => shown,
            None => ask(piece, "SHOW"),
        },
        ["SHOW", ..] => ask(piece, "SHOW"),
        ["COPY", ..] => {
            let told = "COPY is not spoken here: rows come by SELECT, and nothing is written";
            return Err(Complaint::new("0A000", told));
        }
        ["EXPLAIN", ..] => ask(piece, "EXPLAIN"),
        ["SELECT", "PG_BACKEND_PID", "(", ")"] => Phrase::Number,
        ["SELECT", function @ ("PG_CANCEL_BACKEND" | "PG_TERMINATE_BACKEND"), "(", ..] => {
            // The number itself, or the pid of a row that `pg_stat_activity` would have.
            let number = words.iter().rev().find_map(|word| word.trim_matches('\'').parse().ok());
            let function = function.to_ascii_lowercase();
            let text = format!("SELECT {} AS {function}", number.is_some());
            Phrase::Ask { text, at: piece.at, tag: SELECT, stops: number }
        }
        _ => ask(piece, SELECT),
    })
}

fn ask(Piece { text, at, .. }: Piece, tag: &'static str) -> Phrase {
    Phrase::Ask { text, at, tag, stops: None }
}

fn show(name: &str) -> Option<Phrase> {
    let Setting { name, value, .. } = Setting::named(&unquoted(name))?;
    Some(Phrase::Show { name: (*name).to_owned(), value: (*value).to_owned() })
}

/// `SET`, in its forms; `None` for a name that is not known here, which the core refuses.
fn set(words: &[&str]) -> Option<Result<Phrase, Complaint>> {
    let words = match words {
        ["SESSION", "CHARACTERISTICS", "AS", "TRANSACTION", ..] | ["TRANSACTION", ..] => {
            return Some(Ok(Phrase::Done("SET")));
        }
        ["SESSION" | "LOCAL", rest @ ..] => rest,
        all => all,
    };
    let (name, value) = match words {
        ["TIME", "ZONE", value @ ..] => ("timezone", value),
        ["NAMES", value @ ..] => ("client_encoding", value),
        [name, "TO" | "=", value @ ..] => (*name, value),
        _ => return None,
    };
    let Setting { name, value: is, set: may } = Setting::named(&unquoted(name))?;
    let given = value.concat();
    if *name == timeout::NAME {
        if given.eq_ignore_ascii_case("default") {
            return Some(Ok(Phrase::Unlimit("SET")));
        }
        let told = || Complaint::new("22023", format!("{given} is no span of time"));
        let limit = timeout::read(&given.to_ascii_lowercase()).ok_or_else(told);
        return Some(limit.map(Phrase::Limit));
    }
    let plain = |text: &str| {
        text.trim_matches(['"', '\'', ' ']).replace(['-', '_'], "").to_ascii_lowercase()
    };
    // Some are lists, of which any part may be named.
    let is_same = plain(&given) == "default"
        || given.split(',').all(|part| is.split(',').any(|of| plain(part) == plain(of)))
        || (*name == "client_encoding" && plain(&given) == "unicode");
    Some(match may {
        Set::Any => Ok(Phrase::Done("SET")),
        Set::Same if is_same => Ok(Phrase::Done("SET")),
        Set::Same | Set::Never => {
            let told = format!("{name} is {is} here, and stays so");
            Err(Complaint::new("55P02", told))
        }
    })
}

fn unquoted(word: &str) -> String {
    word.trim_matches(['"', '\'']).to_owned()
}

/// The answer of `SHOW`.
pub(super) fn shown(name: &str, value: &str) -> Option<RecordBatch> {
    let column: ArrayRef = Arc::new(StringArray::from(vec![value]));
    RecordBatch::try_from_iter([(name, column)]).ok()
}

#[cfg(test)]
mod tests {
    use query::statements::split;

    use super::*;

    fn of(text: &str) -> Result<Phrase, Complaint> {
        phrase(split(text).unwrap().remove(0))
    }

    #[test]
    fn what_clients_send_unasked_is_known() {
        for (text, is) in [
            ("begin read only", Phrase::Begin),
            ("START TRANSACTION ISOLATION LEVEL SERIALIZABLE", Phrase::Begin),
            ("COMMIT", Phrase::Commit),
            ("ROLLBACK", Phrase::Rollback),
            ("ROLLBACK TO SAVEPOINT a", Phrase::RollbackTo),
            ("DISCARD ALL", Phrase::Discard),
            ("DISCARD PLANS", Phrase::Done("DISCARD PLANS")),
            ("SET extra_float_digits = 3", Phrase::Done("SET")),
            ("SET application_name = 'PostgreSQL JDBC Driver'", Phrase::Done("SET")),
            ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", Phrase::Done("SET")),
            ("SET client_encoding TO 'utf-8'", Phrase::Done("SET")),
            ("SET NAMES 'UTF8'", Phrase::Done("SET")),
            ("SET DateStyle = ISO, MDY", Phrase::Done("SET")),
            ("SET datestyle TO 'ISO'", Phrase::Done("SET")),
            ("SET intervalstyle TO DEFAULT", Phrase::Done("SET")),
            ("SET TIME ZONE 'Europe/Berlin'", Phrase::Done("SET")),
            ("RESET ALL", Phrase::Unlimit("RESET")),
            ("SET statement_timeout = DEFAULT", Phrase::Unlimit("SET")),
            ("SET LOCAL statement_timeout TO '5s'", Phrase::Limit(Duration::from_secs(5))),
            ("DEALLOCATE \"S_1\"", Phrase::Deallocate(Some("S_1".into()))),
        ] {
            assert_eq!(of(text), Ok(is), "{text}");
        }
        let shown = Phrase::Show { name: "server_version".into(), value: "16.6".into() };
        assert_eq!(of("show Server_Version"), Ok(shown));
    }

    #[test]
    fn what_would_change_an_answer_is_refused_and_what_is_unknown_is_asked() {
        for text in [
            "SET client_encoding = 'LATIN1'",
            "SET standard_conforming_strings = off",
            "SET datestyle = 'ISO, DMY'",
            "SET server_version = '9'",
        ] {
            assert_eq!(of(text).unwrap_err().code, "55P02", "{text}");
        }
        for text in [
            "SET datafusion.runtime.memory_limit = '1G'",
            "SET x = 1",
            "SHOW TABLES",
            "RESET x",
            "SELECT 1",
        ] {
            assert!(matches!(of(text), Ok(Phrase::Ask { stops: None, .. })), "{text}");
        }
    }

    #[test]
    fn conversations_are_stopped_by_number() {
        assert_eq!(of("SELECT pg_backend_pid()"), Ok(Phrase::Number));
        for text in [
            "SELECT pg_cancel_backend(493)",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid='493'",
        ] {
            assert!(matches!(of(text), Ok(Phrase::Ask { stops: Some(493), .. })), "{text}");
        }
    }
}

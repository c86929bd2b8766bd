//! What can go wrong between a question and its answer.

use datafusion::common::{DataFusionError, SchemaError};
use lake::LakeError;

use crate::hint;

/// A query could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The data folder cannot be named or reached.
    #[error("{source}")]
    Location {
        /// Why, and what to give instead.
        source: Box<LakeError>,
    },
    /// Nothing has been written there yet.
    #[error(
        "no tables under `{uri}`; write some first, for example with \
         `floodmark scan --data {uri} access.log`, or name another folder with `--data`"
    )]
    NoTables {
        /// Where they were looked for.
        uri: String,
    },
    /// A table exists and cannot be read.
    #[error("cannot open table `{table}`: {source}")]
    Open {
        /// Which table.
        table: &'static str,
        /// Why, and what to do.
        source: Box<LakeError>,
    },
    /// The session cannot be built as asked.
    #[error("cannot start the query engine: {detail}")]
    Engine {
        /// Which setting is wrong, and how.
        detail: String,
    },
    /// The text is no SQL.
    #[error("syntax error: {message}")]
    Syntax {
        /// What was expected, and where.
        message: String,
    },
    /// The statement does not fit the tables.
    #[error("{message}{}", hint::suffix(.hint.as_deref()))]
    Plan {
        /// What does not fit.
        message: String,
        /// What to try.
        hint: Option<String>,
    },
    /// The statement is larger than can be planned.
    #[error("{message}; {hint}")]
    TooLarge {
        /// Of what it has too many.
        message: String,
        /// What to write instead.
        hint: &'static str,
    },
    /// The values for the placeholders of a statement cannot be used.
    #[error("{message}")]
    Params {
        /// Which, and why.
        message: String,
    },
    /// The statement would write.
    #[error("{statement} is refused: {reason}")]
    ReadOnly {
        /// The statement, as `INSERT` or `DROP TABLE`.
        statement: String,
        /// Why, and what to do instead.
        reason: &'static str,
    },
    /// The query failed while it ran.
    #[error("query failed: {message}")]
    Execute {
        /// What happened.
        message: String,
    },
    /// The query wants more memory than it may have.
    #[error(
        "query failed: {message}; raise the memory limit, or ask for fewer rows or groups at a time"
    )]
    OutOfMemory {
        /// What wanted it.
        message: String,
    },
    /// A file was deleted while it was read.
    #[error(
        "query failed: `{path}` is gone; where maintenance has replaced it meanwhile, asking again helps; else \
         `floodmark check` tells what is missing"
    )]
    Vanished {
        /// Which.
        path: String,
    },
    /// The answer could not be put into the asked format.
    #[error("cannot write the result as {format}: {message}")]
    Format {
        /// Name of the format.
        format: &'static str,
        /// Why.
        message: String,
    },
    /// A terminal would show noise.
    #[error(
        "{format} is binary and stdout is a terminal; redirect it: `floodmark sql --format {format} … > result.{format}`"
    )]
    BinaryToTerminal {
        /// Name of the format.
        format: &'static str,
    },
    /// The text has several statements where one is answered.
    #[error(
        "{place} holds one result and the text has {statements} statements; run them one by one"
    )]
    OneResult {
        /// What holds one, as `format parquet`.
        place: String,
        /// Statements in the text.
        statements: usize,
    },
    /// A file of statements cannot be read.
    #[error("cannot read `{path}`: {source}")]
    ReadFile {
        /// As given.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The reader of the result went wrong (a closed pipe is not an error).
    #[error("cannot write the result: {0}")]
    Write(#[source] std::io::Error),
    /// The prompt cannot read from the terminal.
    #[error("cannot read from the terminal: {0}")]
    Prompt(String),
}

impl QueryError {
    /// An error of parsing or planning, in plain words and with a hint where one is known.
    ///
    /// - `tables`: names that a misspelt table could have meant.
    pub(crate) fn from_plan(error: &DataFusionError, tables: &[String]) -> Self {
        if vanished(error).is_some() {
            return Self::from_execution(error);
        }
        let root = match error.find_root() {
            DataFusionError::Collection(errors) => errors.first().unwrap_or(error),
            root => root,
        };
        match root {
            DataFusionError::SQL(error, _) => Self::Syntax { message: hint::syntax(error) },
            DataFusionError::SchemaError(error, _) => Self::from_schema(error),
            _ => {
                let message = hint::plain(root);
                let hint = hint::missing_table(&message).and_then(|name| {
                    let known: Vec<&str> = tables.iter().map(String::as_str).collect();
                    hint::similar(name, &known)
                });
                Self::Plan { message, hint }
            }
        }
    }

    /// The error with a hint where what it misses stands in double quotes in `text`, which name columns.
    pub(crate) fn quoted_in(self, text: &str) -> Self {
        match self {
            Self::Plan { message, hint } => {
                let name = message.strip_prefix("no column `").and_then(|of| of.strip_suffix('`'));
                let name = name.map(|name| name.trim_matches('"'));
                let is_quoted = |name: &&str| text.contains(&format!("\"{name}\""));
                let last = |name: &'_ str| name.rsplit_once('.').map(|(_, last)| last.len());
                let part = name.and_then(|of| of.get(of.len() - last(of)?..)).filter(is_quoted);
                match name.filter(is_quoted).or(part) {
                    Some(name) => {
                        let quoted = format!("a text stands in single quotes: '{name}'");
                        Self::Plan { message, hint: Some(quoted) }
                    }
                    None => Self::Plan { message, hint },
                }
            }
            other => other,
        }
    }

    fn from_schema(error: &SchemaError) -> Self {
        if let SchemaError::FieldNotFound { field, valid_fields } = error {
            let names: Vec<&str> = valid_fields.iter().map(|column| column.name.as_str()).collect();
            return Self::Plan {
                message: format!("no column `{}`", field.flat_name()),
                hint: hint::similar(&field.name, &names),
            };
        }
        Self::Plan { message: error.to_string(), hint: None }
    }

    /// An error of a running query.
    pub(crate) fn from_execution(error: &DataFusionError) -> Self {
        if let Some(path) = vanished(error) {
            return Self::Vanished { path };
        }
        let root = error.find_root();
        let message = hint::plain(root);
        if matches!(root, DataFusionError::ResourcesExhausted(_)) {
            Self::OutOfMemory { message }
        } else {
            Self::Execute { message }
        }
    }
}

/// The file of a table that the store does not have any more, if that is what an error is about.
fn vanished(error: &DataFusionError) -> Option<String> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = next {
        if let Some(object_store::Error::NotFound { path, .. }) = current.downcast_ref() {
            return Some(path.clone());
        }
        next = current.source();
    }
    // The reader of footers keeps the text alone.
    let text = error.to_string();
    let rest = text.get(text.find("Object at location ")? + "Object at location ".len()..)?;
    rest.get(..rest.find(" not found")?).map(str::to_owned)
}

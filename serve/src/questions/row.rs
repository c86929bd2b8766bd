//! Answers to our own questions, as rows of a few values.

use chrono::{DateTime, Utc};
use query::Format;
use serde_json::{Map, Value};

use crate::answers::{Answers, Fault, Question};

/// A row: names and values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row(pub(crate) Map<String, Value>);

/// The answer to one of our own questions, which bounds its rows itself.
pub(crate) async fn rows(answers: &Answers, text: &str) -> Result<Vec<Row>, Fault> {
    let reply = answers.bytes(Question::own(text), Format::Json).await?;
    let (pieces, _) = reply.collect().await?;
    let bytes = pieces.concat();
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Map<String, Value>> =
        serde_json::from_slice(&bytes).map_err(|_| Fault::Broken)?;
    Ok(rows.into_iter().map(Row).collect())
}

impl Row {
    /// A text; empty where there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.maybe_text(name).unwrap_or_default()
    }

    /// A text.
    pub(crate) fn maybe_text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// A number.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.0.get(name).and_then(Value::as_f64)
    }

    /// A count; zero where there is none.
    pub(crate) fn count(&self, name: &str) -> u64 {
        let value = self.0.get(name);
        value.and_then(Value::as_u64).unwrap_or_default()
    }

    /// A time.
    pub(crate) fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        let text = self.maybe_text(name)?;
        DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
    }

    /// The texts of a list.
    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        let list = self.0.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// A text that is JSON, read.
    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(self.text(name)).unwrap_or_default()
    }
}

//! What there is to ask: tables, columns, functions.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::logical_expr::Documentation;

use crate::error::QueryError;
use crate::functions;
use crate::session::Session;
use crate::views::{VIEWS, View};

/// Functions listed by name, at most.
const FUNCTIONS_MAX: usize = 60;

/// Rows of text under `names`.
fn text_rows<const N: usize>(
    names: [&str; N],
    rows: &[[String; N]],
) -> Result<RecordBatch, QueryError> {
    let fields: Vec<Field> = names.map(|name| Field::new(name, DataType::Utf8, false)).to_vec();
    let columns = (0..N).map(|index| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row[index])))
    });
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.collect())
        .map_err(|error| QueryError::Format { format: "table", message: error.to_string() })
}

/// Every table and view with what a row is.
pub(super) fn tables(session: &Session) -> Result<RecordBatch, QueryError> {
    let mut rows: Vec<[String; 2]> =
        VIEWS.iter().map(|view| [view.name, view.doc].map(str::to_owned)).collect();
    rows.extend(schemas::tables::ALL.map(|table| [table.name.to_owned(), table.doc.to_owned()]));
    for name in session.names() {
        if !rows.iter().any(|[known, _]| *known == name) {
            rows.push([name, "Of this session.".to_owned()]);
        }
    }
    text_rows(["name", "a row is"], &rows)
}

/// The columns of a table or view with their meaning.
pub(super) async fn table(session: &Session, name: &str) -> Result<RecordBatch, QueryError> {
    const HEAD: [&str; 4] = ["column", "type", "null", "meaning"];
    let like = View::named(name).and_then(|view| view.like);
    let own = || schemas::tables::ALL.into_iter().find(|table| table.name == name);
    if let Some(table) = like.or_else(own) {
        let rows: Vec<[String; 4]> = table
            .columns
            .iter()
            .map(|c| {
                let null = if c.nullable { "yes" } else { "" };
                [c.name, c.data_type.name(), null, c.doc].map(str::to_owned)
            })
            .collect();
        return text_rows(HEAD, &rows);
    }
    let schema = session.schema_of(name).await?;
    let rows: Vec<[String; 4]> = schema
        .fields()
        .iter()
        .map(|field| {
            let null = if field.is_nullable() { "yes" } else { "" };
            [field.name().clone(), field.data_type().to_string(), null.to_owned(), String::new()]
        })
        .collect();
    text_rows(HEAD, &rows)
}

/// The functions of Floodmark, one a line.
pub(super) fn own_functions(session: &Session) -> String {
    let documented = documented(session);
    let mut text = String::new();
    for name in functions::NAMES {
        let Some((_, doc)) = documented.iter().find(|(known, _)| known == name) else { continue };
        let first = doc.description.split(". ").next().unwrap_or_default().trim_end_matches('.');
        _ = writeln!(text, "{:<36}{first}", doc.syntax_example);
    }
    text.push_str("\\df NAME tells more, of these and of the engine's functions\n");
    text
}

/// What function `name` does, or which functions have `name` in theirs.
pub(super) fn function(session: &Session, name: &str) -> Result<String, String> {
    let name = name.trim_end_matches("()").to_lowercase();
    let documented = documented(session);
    if let Some((_, doc)) = documented.iter().find(|(known, _)| *known == name) {
        return Ok(told(doc));
    }
    let like: Vec<&str> = documented
        .iter()
        .map(|(known, _)| known.as_str())
        .filter(|known| known.contains(&name))
        .collect();
    if like.is_empty() {
        let known: Vec<&str> = documented.iter().map(|(known, _)| known.as_str()).collect();
        let hint = crate::hint::similar(&name, &known);
        return Err(format!("no function `{name}`{}", crate::hint::suffix(hint.as_deref())));
    }
    let shown = like.get(..FUNCTIONS_MAX).unwrap_or(&like);
    Ok(shown.join(", "))
}

fn told(doc: &Documentation) -> String {
    let mut text = format!("{}\n\n{}\n", doc.syntax_example.trim(), doc.description.trim());
    for (name, meaning) in doc.arguments.iter().flatten() {
        _ = writeln!(text, "  {name}: {}", meaning.trim());
    }
    if let Some(example) = &doc.sql_example {
        _ = writeln!(text, "\n{}", example.trim());
    }
    text
}

/// Every documented function of the session by name, sorted.
fn documented(session: &Session) -> Vec<(String, Documentation)> {
    let state = session.state();
    let scalar = state.scalar_functions().values().map(|f| (f.name(), f.documentation()));
    let aggregate = state.aggregate_functions().values().map(|f| (f.name(), f.documentation()));
    let window = state.window_functions().values().map(|f| (f.name(), f.documentation()));
    let mut found: Vec<(String, Documentation)> = scalar
        .chain(aggregate)
        .chain(window)
        .filter_map(|(name, doc)| Some((name.to_owned(), doc?.clone())))
        .collect();
    found.extend(
        functions::table_functions().into_iter().map(|(name, doc)| (name.to_owned(), doc.clone())),
    );
    found.sort_by(|(left, _), (right, _)| left.cmp(right));
    found.dedup_by(|(left, _), (right, _)| left == right);
    found
}

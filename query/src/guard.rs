//! The tables are read-only: what would write is refused before it runs.

use datafusion::common::TableReference;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::{DdlStatement, LogicalPlan};
use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast;

use crate::error::QueryError;
use crate::options::Scratch;
use crate::session::is_reserved;
use crate::views::View;

const READ_ONLY: &str =
    "the tables hold what was observed and are written by `run` and `scan` only";
const COPY: &str = "choose an output format and redirect it, as in \
                    `floodmark sql --format parquet \"SELECT …\" > result.parquet`";
const RESERVED: &str = "the name belongs to Floodmark; choose another";
const VIEW: &str = "the view belongs to Floodmark";
const SCRATCH: &str = "this session answers queries only";
const UNKNOWN: &str =
    "only views, tables in memory and external tables can be created and dropped here";

/// Words of a statement, and characters of them at most, that name it in a refusal.
const NAME_WORDS: usize = 2;
const NAME_CHARS: usize = 40;

/// Refuses statements that write, by their text: before names are resolved, so that the message is about writing.
pub(crate) fn check_statement(
    statement: &ParsedStatement,
    scratch: Scratch,
) -> Result<(), QueryError> {
    refuse_writing(statement)?;
    if scratch == Scratch::Refused && !only_reads(statement) {
        let text = statement.to_string();
        let name: Vec<&str> = text.split_whitespace().take(NAME_WORDS).collect();
        let name: String = name.join(" ").chars().take(NAME_CHARS).collect();
        return refuse(&name.to_uppercase(), SCRATCH);
    }
    Ok(())
}

/// Whether a statement asks and does nothing else. What is not listed is refused to those who may only ask.
fn only_reads(statement: &ParsedStatement) -> bool {
    match statement {
        ParsedStatement::Explain(explain) => only_reads(&explain.statement),
        ParsedStatement::Statement(statement) => only_reads_sql(statement),
        ParsedStatement::CopyTo(_)
        | ParsedStatement::CreateExternalTable(_)
        | ParsedStatement::Reset(_) => false,
    }
}

fn only_reads_sql(statement: &ast::Statement) -> bool {
    use ast::Statement as S;
    match statement {
        S::Explain { statement, .. } => only_reads_sql(statement),
        S::Query(_)
        | S::ExplainTable { .. }
        | S::ShowColumns { .. }
        | S::ShowCreate { .. }
        | S::ShowFunctions { .. }
        | S::ShowTables { .. }
        | S::ShowVariable { .. } => true,
        _ => false,
    }
}

fn refuse_writing(statement: &ParsedStatement) -> Result<(), QueryError> {
    match statement {
        ParsedStatement::CopyTo(_) => refuse("COPY", COPY),
        ParsedStatement::Explain(explain) => refuse_writing(&explain.statement),
        ParsedStatement::Statement(statement) => check_sql(statement),
        ParsedStatement::CreateExternalTable(_) | ParsedStatement::Reset(_) => Ok(()),
    }
}

fn check_sql(statement: &ast::Statement) -> Result<(), QueryError> {
    use ast::Statement as S;
    let name = match statement {
        S::Insert(_) => "INSERT",
        S::Update(_) => "UPDATE",
        S::Delete(_) => "DELETE",
        S::Merge(_) => "MERGE",
        S::Truncate(_) => "TRUNCATE",
        S::AlterTable(_) => "ALTER TABLE",
        S::Copy { .. } => return refuse("COPY", COPY),
        S::Explain { statement, .. } => return check_sql(statement),
        _ => return Ok(()),
    };
    refuse(name, READ_ONLY)
}

/// Refuses plans that write, wherever in the plan.
pub(crate) fn check_plan(plan: &LogicalPlan, scratch: Scratch) -> Result<(), QueryError> {
    let mut refused = Ok(());
    let walked = plan.apply_with_subqueries(|node| {
        refused = check_node(node, scratch);
        Ok(if refused.is_ok() { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    refused?;
    walked.map(drop).map_err(|error| QueryError::from_plan(&error, &[]))
}

fn check_node(node: &LogicalPlan, scratch: Scratch) -> Result<(), QueryError> {
    match node {
        LogicalPlan::Dml(dml) => refuse(&dml.op.to_string().to_uppercase(), READ_ONLY),
        LogicalPlan::Copy(_) => refuse("COPY", COPY),
        LogicalPlan::Ddl(ddl) => check_ddl(ddl, scratch),
        // Settings reach beyond the statement, to folders for temporary files among others.
        LogicalPlan::Statement(statement) if scratch == Scratch::Refused => {
            refuse(&statement.name().to_uppercase(), SCRATCH)
        }
        _ => Ok(()),
    }
}

fn check_ddl(ddl: &DdlStatement, scratch: Scratch) -> Result<(), QueryError> {
    let (statement, name) = match ddl {
        DdlStatement::CreateExternalTable(create) => ("CREATE EXTERNAL TABLE", &create.name),
        DdlStatement::CreateMemoryTable(create) => ("CREATE TABLE", &create.name),
        DdlStatement::CreateView(create) => ("CREATE VIEW", &create.name),
        DdlStatement::DropTable(drop) => ("DROP TABLE", &drop.name),
        DdlStatement::DropView(drop) => ("DROP VIEW", &drop.name),
        DdlStatement::CreateCatalogSchema(_) => return refuse("CREATE SCHEMA", UNKNOWN),
        DdlStatement::CreateCatalog(_) => return refuse("CREATE DATABASE", UNKNOWN),
        DdlStatement::CreateIndex(_) => return refuse("CREATE INDEX", UNKNOWN),
        DdlStatement::DropCatalogSchema(_) => return refuse("DROP SCHEMA", UNKNOWN),
        DdlStatement::CreateFunction(_) => return refuse("CREATE FUNCTION", UNKNOWN),
        DdlStatement::DropFunction(_) => return refuse("DROP FUNCTION", UNKNOWN),
    };
    if scratch == Scratch::Refused {
        return refuse(statement, SCRATCH);
    }
    check_name(statement, name)
}

fn check_name(statement: &str, name: &TableReference) -> Result<(), QueryError> {
    if is_reserved(name.table()) {
        let written = format!("{statement} {}", name.table());
        let reason = match (statement.starts_with("DROP"), View::named(name.table())) {
            (false, _) => RESERVED,
            (true, Some(_)) => VIEW,
            (true, None) => READ_ONLY,
        };
        return refuse(&written, reason);
    }
    Ok(())
}

fn refuse(statement: &str, reason: &'static str) -> Result<(), QueryError> {
    Err(QueryError::ReadOnly { statement: statement.to_owned(), reason })
}

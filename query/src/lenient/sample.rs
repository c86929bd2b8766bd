//! `TABLESAMPLE`, which the engine reads past: an answer about all rows is none about a tenth of them.

use datafusion::sql::sqlparser::ast::{
    SetExpr, Statement, TableAlias, TableFactor, TableSample, TableSampleKind, TableSampleUnit,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use crate::error::QueryError;

/// Reads so many in a hundred rows of a table, chosen at random.
///
/// # Errors
/// [`QueryError::Plan`] for a sample that is no share.
pub(super) fn respell(of: &mut TableFactor) -> Result<(), QueryError> {
    let TableFactor::Table { name, alias, sample: sample @ Some(_), .. } = of else {
        return Ok(());
    };
    let Some(TableSampleKind::BeforeTableAlias(given) | TableSampleKind::AfterTableAlias(given)) =
        sample.take()
    else {
        return Ok(());
    };
    let refused = || QueryError::Plan {
        message: format!("`{given}` is not understood"),
        hint: Some("write `TABLESAMPLE BERNOULLI (10)` for one row in ten".to_owned()),
    };
    let percent = percent(&given).ok_or_else(refused)?;
    let text = format!("SELECT * FROM {name} WHERE random() < {percent} / 100.0");
    let parsed = Parser::parse_sql(&PostgreSqlDialect {}, &text).ok().and_then(|mut all| all.pop());
    let Some(Statement::Query(subquery)) = parsed else { return Err(refused()) };
    if !matches!(subquery.body.as_ref(), SetExpr::Select(_)) {
        return Err(refused());
    }
    let last = name.0.last().and_then(|part| part.as_ident()).cloned();
    let alias = alias.take().or_else(|| {
        let plain = |name| TableAlias { explicit: true, name, columns: Vec::new(), at: None };
        last.map(plain)
    });
    *of = TableFactor::Derived { lateral: false, subquery, alias, sample: None };
    Ok(())
}

/// The share that a sample asks for; `None` where it asks for something else, or for the same rows each time.
fn percent(of: &TableSample) -> Option<f64> {
    let quantity = of.quantity.as_ref()?;
    let is_share = matches!(quantity.unit, None | Some(TableSampleUnit::Percent));
    if !is_share || of.seed.is_some() || of.bucket.is_some() || of.offset.is_some() {
        return None;
    }
    let percent: f64 = quantity.value.to_string().parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(percent)
}

//! Filters as the scan takes them: all that a row alone decides.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::Session as EngineSession;
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Like, Operator, TableProviderFilterPushDown};
use datafusion::physical_expr::expressions::{BinaryExpr as PhysicalBinary, Column, not};
use datafusion::physical_expr::{PhysicalExpr, conjunction};

use super::dictionary::OnDictionary;
use super::parts::HoldsParts;
use super::values::OfValues;

/// Whether the scan decides `filter` for every row.
pub(super) fn pushdown(filter: &Expr, schema: &Schema) -> TableProviderFilterPushDown {
    let is_flat =
        |name: &str| schema.field_with_name(name).is_ok_and(|field| !field.data_type().is_nested());
    let columns = filter.column_refs();
    let fits = !columns.is_empty() && columns.iter().all(|column| is_flat(&column.name));
    let plain = !filter.is_volatile() && !has_subquery(filter);
    if fits && plain {
        TableProviderFilterPushDown::Exact
    } else {
        TableProviderFilterPushDown::Unsupported
    }
}

fn has_subquery(filter: &Expr) -> bool {
    let mut found = false;
    let _ = filter.apply(|node| {
        found |= matches!(
            node,
            Expr::ScalarSubquery(_)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::OuterReferenceColumn(_, _)
                | Expr::SetComparison(_)
        );
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found
}

/// Values of a list, at most, that the engine asks statistics about.
const LISTED_MAX: usize = 20;

/// Text columns for which every filter is worth an evaluation on the dictionary: patterns, functions and long lists, not
/// plain comparisons, which statistics and Bloom filters know of.
pub(super) fn searched(filters: &[Expr], schema: &Schema) -> BTreeSet<String> {
    let (mut searched, mut compared) = (BTreeSet::new(), BTreeSet::new());
    for filter in filters.iter().flat_map(split_conjunction) {
        leaves(filter, &mut |leaf| {
            let columns = leaf.column_refs();
            let mut texts = columns.iter().filter(|column| is_text(schema, &column.name));
            match (texts.next(), texts.next(), columns.len()) {
                (Some(column), None, 1) if is_search(leaf) => {
                    searched.insert(column.name.clone());
                }
                _ => compared.extend(
                    columns
                        .iter()
                        .filter(|column| is_text(schema, &column.name))
                        .map(|column| column.name.clone()),
                ),
            }
        });
    }
    searched.difference(&compared).cloned().collect()
}

/// Whether `filters` look for one value of a text: mostly few rows have it.
pub(super) fn finds_few(filters: &[Expr]) -> bool {
    filters.iter().flat_map(split_conjunction).any(|filter| match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            let is_text =
                |of: &Expr| matches!(of, Expr::Literal(value, _) if value.data_type().is_string());
            is_text(left) || is_text(right)
        }
        _ => false,
    })
}

fn is_text(schema: &Schema, name: &str) -> bool {
    schema.field_with_name(name).is_ok_and(|field| *field.data_type() == DataType::Utf8View)
}

/// The parts of a condition between `AND`, `OR` and `NOT`.
fn leaves<'a>(filter: &'a Expr, each: &mut dyn FnMut(&'a Expr)) {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And | Operator::Or, right }) => {
            leaves(left, each);
            leaves(right, each);
        }
        Expr::Not(inner) => leaves(inner, each),
        leaf => each(leaf),
    }
}

/// Whether a condition reads the whole text.
fn is_search(leaf: &Expr) -> bool {
    let mut found = false;
    let _ = leaf.apply(|node| {
        found |= match node {
            Expr::Like(_) | Expr::SimilarTo(_) | Expr::ScalarFunction(_) => true,
            Expr::InList(list) => list.list.len() > LISTED_MAX,
            Expr::BinaryExpr(binary) => matches!(
                binary.op,
                Operator::RegexMatch
                    | Operator::RegexIMatch
                    | Operator::RegexNotMatch
                    | Operator::RegexNotIMatch
                    | Operator::LikeMatch
                    | Operator::ILikeMatch
                    | Operator::NotLikeMatch
                    | Operator::NotILikeMatch
            ),
            _ => false,
        };
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found
}

/// All of `filters` as one condition over `schema`; conditions on one of `dictionaries` are decided once a value.
pub(super) fn physical(
    filters: &[Expr],
    schema: &SchemaRef,
    dictionaries: &BTreeSet<String>,
    state: &dyn EngineSession,
) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    let planner = Planner {
        schema: DFSchema::try_from(Arc::clone(schema))?,
        columns: schema,
        dictionaries,
        state,
    };
    let parts = filters.iter().flat_map(split_conjunction);
    let parts: Vec<_> = parts.map(|filter| planner.condition(filter)).collect::<Result<_>>()?;
    Ok((!parts.is_empty()).then(|| conjunction(parts)))
}

struct Planner<'a> {
    schema: DFSchema,
    columns: &'a SchemaRef,
    dictionaries: &'a BTreeSet<String>,
    state: &'a dyn EngineSession,
}

impl Planner<'_> {
    fn condition(&self, filter: &Expr) -> Result<Arc<dyn PhysicalExpr>> {
        match filter {
            Expr::BinaryExpr(BinaryExpr {
                left,
                op: op @ (Operator::And | Operator::Or),
                right,
            }) => {
                let (left, right) = (self.condition(left)?, self.condition(right)?);
                Ok(Arc::new(PhysicalBinary::new(left, *op, right)))
            }
            Expr::Not(inner) => not(self.condition(inner)?),
            leaf => self.leaf(leaf),
        }
    }

    fn leaf(&self, leaf: &Expr) -> Result<Arc<dyn PhysicalExpr>> {
        let columns = leaf.column_refs();
        let name = columns.iter().map(|column| column.name.as_str()).next();
        let name = name.filter(|name| self.dictionaries.contains(*name));
        let Some(name) = name else { return planned(leaf, self.state, &self.schema) };
        let value = Field::new(name, DataType::Utf8View, true);
        let alone: SchemaRef = Arc::new(Schema::new(vec![value]));
        let of_value = planned(leaf, self.state, &DFSchema::try_from(Arc::clone(&alone))?)?;
        let column = Arc::new(Column::new(name, self.columns.index_of(name)?));
        Ok(Arc::new(OnDictionary(OfValues::new(of_value, alone, column))))
    }
}

fn planned(
    leaf: &Expr,
    state: &dyn EngineSession,
    schema: &DFSchema,
) -> Result<Arc<dyn PhysicalExpr>> {
    if let Expr::Like(Like { negated, expr, pattern, escape_char: None, case_insensitive: false }) =
        leaf
        && let Expr::Literal(pattern, _) = pattern.as_ref()
        && let Some(Some(pattern)) = pattern.try_as_str()
    {
        let text = state.create_physical_expr((**expr).clone(), schema)?;
        if let Some(parts) = HoldsParts::of(&text, pattern, *negated) {
            return Ok(Arc::new(parts));
        }
    }
    state.create_physical_expr(leaf.clone(), schema)
}

//! A condition on a text, decided once for each value of a dictionary.

use std::fmt::{Display, Formatter};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array as _, ArrayRef, AsArray as _, BooleanArray, RecordBatch, new_null_array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int32Type, Schema, SchemaRef};
use datafusion::common::{Result, exec_datafusion_err, plan_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;

use super::values::PerValue;

/// Numbers of what a condition says.
const FALSE: u32 = 0;
const TRUE: u32 = 1;
const NULL: u32 = 2;

/// `of_value` for each row of a text column that may come as a dictionary.
#[derive(Debug)]
pub(super) struct OnDictionary {
    of_value: Arc<dyn PhysicalExpr>,
    /// The one column that `of_value` is over.
    schema: SchemaRef,
    column: Arc<dyn PhysicalExpr>,
    decided: PerValue,
}

impl OnDictionary {
    /// `of_value` is over `schema`, whose one column is `column` of the scan.
    pub(super) fn new(
        of_value: Arc<dyn PhysicalExpr>,
        schema: SchemaRef,
        column: Arc<dyn PhysicalExpr>,
    ) -> Self {
        Self { of_value, schema, column, decided: PerValue::default() }
    }

    fn of(&self, texts: &ArrayRef) -> Result<ArrayRef> {
        let texts = cast(texts, &DataType::Utf8View)?;
        let rows = texts.len();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), vec![texts])?;
        self.of_value.evaluate(&batch)?.into_array(rows)
    }

    fn numbers(&self, texts: &ArrayRef) -> Result<Vec<u32>> {
        let decisions = self.of(texts)?;
        let decisions = decisions
            .as_boolean_opt()
            .ok_or_else(|| exec_datafusion_err!("a condition is true or false"))?;
        let number = |of: Option<bool>| of.map_or(NULL, |of| if of { TRUE } else { FALSE });
        Ok(decisions.iter().map(number).collect())
    }
}

impl Display for OnDictionary {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.of_value)
    }
}

impl PartialEq for OnDictionary {
    fn eq(&self, other: &Self) -> bool {
        self.of_value.eq(&other.of_value) && self.column.eq(&other.column)
    }
}

impl Eq for OnDictionary {}

impl Hash for OnDictionary {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.of_value.hash(state);
        self.column.hash(state);
    }
}

impl PhysicalExpr for OnDictionary {
    fn data_type(&self, _input: &Schema) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, _input: &Schema) -> Result<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let texts = self.column.evaluate(batch)?.into_array(batch.num_rows())?;
        let Some(texts) = texts.as_dictionary_opt::<Int32Type>() else {
            return self.of(&texts).map(ColumnarValue::Array);
        };
        let null = if texts.keys().null_count() == 0 {
            NULL
        } else {
            let of_null = self.numbers(&new_null_array(&DataType::Utf8View, 1))?;
            of_null.first().copied().unwrap_or(NULL)
        };
        let rows = self.decided.rows(texts, null, |new| self.numbers(new))?;
        let rows: BooleanArray = if rows.contains(&NULL) {
            rows.into_iter().map(|of| (of != NULL).then_some(of == TRUE)).collect()
        } else {
            rows.into_iter().map(|of| Some(of == TRUE)).collect()
        };
        Ok(ColumnarValue::Array(Arc::new(rows)))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.column]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let [column] = children.as_slice() else {
            return plan_err!("a condition on a dictionary is on one column");
        };
        let (of_value, schema) = (Arc::clone(&self.of_value), Arc::clone(&self.schema));
        Ok(Arc::new(Self::new(of_value, schema, Arc::clone(column))))
    }

    fn fmt_sql(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.of_value.fmt_sql(f)
    }
}

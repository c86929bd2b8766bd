//! A condition on a text, decided once for each value of a dictionary.

use std::fmt::{Display, Formatter};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray as _, BooleanArray, RecordBatch};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Int32Type, Schema};
use datafusion::common::{Result, exec_datafusion_err, plan_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;

use super::values::OfValues;

/// Numbers of what a condition says.
const FALSE: u32 = 0;
const TRUE: u32 = 1;
const NULL: u32 = 2;

/// A condition for each row of a text column that may come as a dictionary.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct OnDictionary(pub(super) OfValues);

fn numbers(decisions: &ArrayRef) -> Result<Vec<u32>> {
    let decisions = decisions
        .as_boolean_opt()
        .ok_or_else(|| exec_datafusion_err!("a condition is true or false"))?;
    let number = |of: Option<bool>| of.map_or(NULL, |of| if of { TRUE } else { FALSE });
    Ok(decisions.iter().map(number).collect())
}

impl Display for OnDictionary {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.of_value)
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
        let texts = self.0.texts(batch)?;
        let Some(texts) = texts.as_dictionary_opt::<Int32Type>() else {
            return self.0.made(&texts).map(ColumnarValue::Array);
        };
        let rows = self.0.rows(texts, NULL, numbers, |rows| {
            let nulls = rows.may_reach(NULL).then(|| NullBuffer::new(rows.bits(|of| of != NULL)));
            BooleanArray::new(rows.bits(|of| of == TRUE), nulls)
        })?;
        Ok(ColumnarValue::Array(Arc::new(rows)))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.0.column]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let [column] = children.as_slice() else {
            return plan_err!("a condition on a dictionary is on one column");
        };
        Ok(Arc::new(Self(self.0.of(column))))
    }

    fn fmt_sql(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.0.of_value.fmt_sql(f)
    }
}

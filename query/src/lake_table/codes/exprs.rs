//! Texts to numbers and back, as expressions of a plan.

use std::fmt::{Display, Formatter};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array as _, ArrayRef, AsArray as _, RecordBatch, UInt32Array, UInt64Array,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int32Type, Schema, UInt32Type, UInt64Type};
use datafusion::common::{Result, exec_datafusion_err, plan_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;

use super::super::values::OfValues;
use super::interner::{Interner, NULL};

/// The number of the text that is made of a column; made once for each value of its dictionaries.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) made: OfValues,
    pub(super) interner: Arc<Interner>,
}

impl Encoded {
    fn numbers(&self, made: &ArrayRef) -> Result<Vec<u32>> {
        self.interner.numbers(cast(made, &DataType::Utf8View)?.as_string_view())
    }
}

impl Display for Encoded {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "number_of({})", self.made.of_value)
    }
}

impl PartialEq for Encoded {
    fn eq(&self, other: &Self) -> bool {
        self.made == other.made && Arc::ptr_eq(&self.interner, &other.interner)
    }
}

impl Eq for Encoded {}

impl Hash for Encoded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.made.hash(state);
    }
}

impl PhysicalExpr for Encoded {
    fn data_type(&self, _input: &Schema) -> Result<DataType> {
        Ok(DataType::UInt32)
    }

    fn nullable(&self, _input: &Schema) -> Result<bool> {
        self.made.of_value.nullable(&self.made.schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let texts = self.made.texts(batch)?;
        let numbers = match texts.as_dictionary_opt::<Int32Type>() {
            None => {
                let rows = self.numbers(&self.made.made(&texts)?)?;
                let nulls =
                    rows.contains(&NULL).then(|| rows.iter().map(|of| *of != NULL).collect());
                UInt32Array::new(rows.into(), nulls)
            }
            Some(texts) => self.made.rows(
                texts,
                NULL,
                |made| self.numbers(made),
                |rows| {
                    let nulls =
                        rows.may_reach(NULL).then(|| NullBuffer::new(rows.bits(|of| of != NULL)));
                    UInt32Array::new(rows.each().into(), nulls)
                },
            )?,
        };
        Ok(ColumnarValue::Array(Arc::new(numbers)))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.made.column]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let [column] = children.as_slice() else { return plan_err!("numbers are of one column") };
        let (made, interner) = (self.made.of(column), Arc::clone(&self.interner));
        Ok(Arc::new(Self { made, interner }))
    }

    fn fmt_sql(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.made.of_value.fmt_sql(f)
    }
}

/// Two numbers in one, which are grouped by at the price of one.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) high: Arc<dyn PhysicalExpr>,
    pub(super) low: Arc<dyn PhysicalExpr>,
}

impl PartialEq for Packed {
    fn eq(&self, other: &Self) -> bool {
        self.high.eq(&other.high) && self.low.eq(&other.low)
    }
}

impl Eq for Packed {}

impl Hash for Packed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.high.hash(state);
        self.low.hash(state);
    }
}

impl Display for Packed {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "({}, {})", self.high, self.low)
    }
}

impl PhysicalExpr for Packed {
    fn data_type(&self, _input: &Schema) -> Result<DataType> {
        Ok(DataType::UInt64)
    }

    fn nullable(&self, _input: &Schema) -> Result<bool> {
        Ok(false)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let numbers = |expr: &Arc<dyn PhysicalExpr>| {
            let numbers = expr.evaluate(batch)?.into_array(batch.num_rows())?;
            numbers
                .as_primitive_opt::<UInt32Type>()
                .cloned()
                .ok_or_else(|| exec_datafusion_err!("only numbers are packed"))
        };
        let (high, low) = (numbers(&self.high)?, numbers(&self.low)?);
        let pack = |high: u32, low: u32| (u64::from(high) << 32) | u64::from(low);
        let packed: UInt64Array = if high.null_count() == 0 && low.null_count() == 0 {
            high.values().iter().zip(low.values()).map(|(high, low)| pack(*high, *low)).collect()
        } else {
            let of = |number: Option<u32>| number.unwrap_or(NULL);
            high.iter().zip(&low).map(|(high, low)| Some(pack(of(high), of(low)))).collect()
        };
        Ok(ColumnarValue::Array(Arc::new(packed)))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.high, &self.low]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let [high, low] = children.as_slice() else { return plan_err!("two numbers are packed") };
        Ok(Arc::new(Self { high: Arc::clone(high), low: Arc::clone(low) }))
    }

    fn fmt_sql(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        Display::fmt(self, f)
    }
}

/// Where in a column the number of a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Half {
    Whole,
    High,
    Low,
}

/// The text of a number.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) number: Arc<dyn PhysicalExpr>,
    pub(super) half: Half,
    pub(super) interner: Arc<Interner>,
    pub(super) data_type: DataType,
    pub(super) nullable: bool,
}

impl Display for Decoded {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "text_of({})", self.number)
    }
}

impl PartialEq for Decoded {
    fn eq(&self, other: &Self) -> bool {
        self.number.eq(&other.number)
            && self.half == other.half
            && Arc::ptr_eq(&self.interner, &other.interner)
    }
}

impl Eq for Decoded {}

impl Hash for Decoded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

impl PhysicalExpr for Decoded {
    fn data_type(&self, _input: &Schema) -> Result<DataType> {
        Ok(self.data_type.clone())
    }

    fn nullable(&self, _input: &Schema) -> Result<bool> {
        Ok(self.nullable)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let numbers = self.number.evaluate(batch)?.into_array(batch.num_rows())?;
        let numbers = unpacked(&numbers, self.half)
            .ok_or_else(|| exec_datafusion_err!("texts are of numbers"))?;
        self.interner.texts(&numbers, &self.data_type).map(ColumnarValue::Array)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.number]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let [number] = children.as_slice() else { return plan_err!("a text is of one number") };
        Ok(Arc::new(Self {
            number: Arc::clone(number),
            half: self.half,
            interner: Arc::clone(&self.interner),
            data_type: self.data_type.clone(),
            nullable: self.nullable,
        }))
    }

    fn fmt_sql(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.number.fmt_sql(f)
    }
}

fn unpacked(numbers: &ArrayRef, half: Half) -> Option<UInt32Array> {
    let shift = match half {
        Half::Whole => return numbers.as_primitive_opt::<UInt32Type>().cloned(),
        Half::High => 32,
        Half::Low => 0,
    };
    let packed = numbers.as_primitive_opt::<UInt64Type>()?;
    let of = |packed: u64| u32::try_from((packed >> shift) & u64::from(u32::MAX)).ok();
    let number = |packed: Option<u64>| packed.and_then(of).filter(|number| *number != NULL);
    Some(packed.iter().map(number).collect())
}

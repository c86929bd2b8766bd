//! `entropy(x)` and `entropy_h2(x)`: how spread out the values of a column are.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, UInt64Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{cast, filter, is_not_null};
use arrow::datatypes::{DataType, Field, FieldRef, UInt64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, DocSection, Documentation, GroupsAccumulator,
    Signature, Volatility,
};

use super::counts::Counts;
use super::entropy_groups::EntropyGroups;
use crate::formula::Formula;

const SECTION: DocSection = DocSection { include: true, label: "Entropy", description: None };

static ENTROPY_DOC: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        SECTION,
        "Shannon entropy, in bits, of the distribution of the values of an expression, with the \
         Miller–Madow correction for small samples. 0 when all values are equal, about \
         log2(n) when n values are all different. Nulls are ignored; null when no value is left.",
        "entropy(x)",
    )
    .with_argument("x", "Expression of any type; values are told apart by equality.")
    .with_sql_example(
        "SELECT date_bin(INTERVAL '1 minute', ts) AS minute, entropy(path) FROM requests GROUP BY 1 ORDER BY 1;",
    )
    .with_related_udf("entropy_h2")
    .build()
});

static ENTROPY_H2_DOC: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        SECTION,
        "Collision entropy (Rényi entropy of order 2), in bits: minus the binary logarithm of the \
         unbiased probability that two values drawn without replacement are equal. Falls faster \
         than entropy(x) when a few values gain weight. Nulls are ignored; null below two values.",
        "entropy_h2(x)",
    )
    .with_argument("x", "Expression of any type; values are told apart by equality.")
    .with_sql_example("SELECT host, entropy_h2(client_ip) FROM requests GROUP BY host;")
    .with_related_udf("entropy")
    .build()
});

/// The two aggregate functions.
pub(super) fn functions() -> [AggregateUDF; 2] {
    [
        AggregateUDF::from(Entropy::new("entropy", Formula::MillerMadow)),
        AggregateUDF::from(Entropy::new("entropy_h2", Formula::Collision)),
    ]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Entropy {
    name: &'static str,
    formula: Formula,
    signature: Signature,
}

impl Entropy {
    fn new(name: &'static str, formula: Formula) -> Self {
        Self { name, formula, signature: Signature::any(1, Volatility::Immutable) }
    }
}

/// The type in which values are counted: dictionaries are unpacked.
fn value_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, values) => values.as_ref().clone(),
        other => other.clone(),
    }
}

fn input_type(args: &AccumulatorArgs<'_>) -> Result<DataType> {
    match args.expr_fields {
        [field] => Ok(value_type(field.data_type())),
        fields => exec_err!("entropy takes one argument, not {}", fields.len()),
    }
}

impl AggregateUDFImpl for Entropy {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let [input] = args.input_fields else {
            return plan_err!("{} takes one argument", self.name);
        };
        Ok(vec![
            state_field(args.name, "values", value_type(input.data_type())),
            state_field(args.name, "counts", DataType::UInt64),
        ])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return plan_err!("{0}(DISTINCT x) counts every value once; use {0}(x)", self.name);
        }
        Ok(Box::new(EntropyOne::try_new(self.formula, input_type(&args)?)?))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(EntropyGroups::try_new(self.formula, input_type(&args)?)?))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(match self.formula {
            Formula::MillerMadow => &ENTROPY_DOC,
            Formula::Collision => &ENTROPY_H2_DOC,
        })
    }
}

fn state_field(aggregate: &str, part: &str, element: DataType) -> FieldRef {
    let element = Arc::new(Field::new_list_field(element, true));
    Arc::new(Field::new(format_state_name(aggregate, part), DataType::List(element), true))
}

/// Rows of `values` that are not null; `None` when all are.
pub(super) fn mask_of_nulls(values: &ArrayRef) -> Result<Option<BooleanArray>> {
    if values.logical_null_count() == 0 {
        return Ok(None);
    }
    Ok(Some(is_not_null(values)?))
}

/// `values` in the type in which they are counted.
pub(super) fn unpacked(values: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    if values.data_type() == data_type {
        return Ok(Arc::clone(values));
    }
    Ok(cast(values, data_type)?)
}

/// One list a row from `values`, cut at `lengths`.
pub(super) fn lists(
    values: ArrayRef,
    lengths: impl IntoIterator<Item = usize>,
) -> Result<ArrayRef> {
    let element = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    Ok(Arc::new(ListArray::try_new(element, OffsetBuffer::from_lengths(lengths), values, None)?))
}

/// The entropy of all rows, or of a window's frame.
#[derive(Debug)]
struct EntropyOne {
    formula: Formula,
    data_type: DataType,
    counts: Counts,
}

impl EntropyOne {
    fn try_new(formula: Formula, data_type: DataType) -> Result<Self> {
        let counts = Counts::try_new(std::slice::from_ref(&data_type))?;
        Ok(Self { formula, data_type, counts })
    }

    fn column(&self, values: &[ArrayRef]) -> Result<ArrayRef> {
        let [values] = values else { return exec_err!("entropy takes one argument") };
        let present = match mask_of_nulls(values)? {
            None => Arc::clone(values),
            Some(mask) => filter(values, &mask)?,
        };
        unpacked(&present, &self.data_type)
    }
}

impl Accumulator for EntropyOne {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let column = self.column(values)?;
        self.counts.add(&[column], None)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let column = self.column(values)?;
        self.counts.remove(&[column])
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let counts: Vec<u64> =
            self.counts.counts().iter().copied().filter(|&count| count > 0).collect();
        Ok(ScalarValue::Float64(self.formula.of(&counts)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let (columns, counts) = self.counts.take()?;
        let mut lists_of = Vec::with_capacity(2);
        for values in columns.into_iter().chain([Arc::new(UInt64Array::from(counts)) as ArrayRef]) {
            let length = values.len();
            lists_of.push(ScalarValue::try_from_array(&lists(values, [length])?, 0)?);
        }
        Ok(lists_of)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [values, counts] = states else { return exec_err!("entropy state has two columns") };
        for row in 0..values.len() {
            let values = values.as_list::<i32>().value(row);
            let counts = counts.as_list::<i32>().value(row);
            self.counts.add(&[values], Some(counts.as_primitive::<UInt64Type>()))?;
        }
        Ok(())
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.counts.size()
    }
}

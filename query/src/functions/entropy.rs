//! `entropy(x)` and `entropy_h2(x)`: how spread out the values of a column are.

use std::sync::LazyLock;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, DocSection, Documentation, GroupsAccumulator,
    Signature, Volatility,
};

use super::entropy_groups::EntropyGroups;
use super::histogram::{Histogram, Summarised, Summary, state_fields, value_type};
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
        Ok(state_fields(args.name, input.data_type()))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return plan_err!("{0}(DISTINCT x) counts every value once; use {0}(x)", self.name);
        }
        Ok(Box::new(Summarised::try_new(input_type(&args)?, self.formula)?))
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

impl Summary for Formula {
    fn of(&self, histogram: &mut Histogram) -> Result<ScalarValue> {
        let counts = histogram.counts().iter().copied().filter(|&count| count > 0);
        Ok(ScalarValue::Float64(Self::of(*self, &counts.collect::<Vec<_>>())))
    }
}

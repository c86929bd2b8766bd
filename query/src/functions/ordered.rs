//! Aggregates that PostgreSQL has over values in order, and the engine has not: `mode() WITHIN GROUP (ORDER BY x)` and
//! `percentile_disc(0.5) WITHIN GROUP (ORDER BY x)`.

use std::sync::Arc;

use arrow::array::Array;
use arrow::compute::{SortOptions, sort_to_indices};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;

use super::histogram::{Histogram, Summarised, Summary, state_fields, value_type};

/// The two aggregate functions.
pub(super) fn functions() -> [AggregateUDF; 2] {
    [Which::Mode, Which::PercentileDisc].map(|which| AggregateUDF::from(Ordered::new(which)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Which {
    /// The most frequent value, of several the first.
    Mode,
    /// The first value behind which no more than the share of all stands.
    PercentileDisc,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Ordered {
    which: Which,
    signature: Signature,
}

impl Ordered {
    fn new(which: Which) -> Self {
        let values = match which {
            Which::Mode => 1,
            Which::PercentileDisc => 2,
        };
        Self { which, signature: Signature::any(values, Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for Ordered {
    fn name(&self) -> &'static str {
        match self.which {
            Which::Mode => "mode",
            Which::PercentileDisc => "percentile_disc",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let Some(data_type) = types.first() else {
            return plan_err!("{} needs WITHIN GROUP (ORDER BY …)", self.name());
        };
        Ok(value_type(data_type))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let Some(field) = args.input_fields.first() else {
            return plan_err!("{} needs WITHIN GROUP (ORDER BY …)", self.name());
        };
        Ok(state_fields(args.name, field.data_type()))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let share = match self.which {
            Which::Mode => None,
            Which::PercentileDisc => Some(share(args.exprs.get(1))?),
        };
        let order = args.order_bys.first().map_or_else(SortOptions::default, |by| by.options);
        let data_type = args.return_field.data_type().clone();
        Ok(Box::new(Summarised::try_new(data_type, Place { share, order })?))
    }

    fn supports_within_group_clause(&self) -> bool {
        true
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The share that is asked for, from 0 to 1.
fn share(of: Option<&Arc<dyn PhysicalExpr>>) -> Result<f64> {
    let literal = of.and_then(|of| of.downcast_ref::<Literal>());
    let share = literal.map(|literal| literal.value().cast_to(&DataType::Float64)).transpose()?;
    match share {
        Some(ScalarValue::Float64(Some(share))) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => plan_err!(
            "the share of percentile_disc is a number from 0 to 1, as in percentile_disc(0.5)"
        ),
    }
}

/// The value at a place of all in order.
#[derive(Debug)]
struct Place {
    /// The share of all up to it; nothing for the most frequent one.
    share: Option<f64>,
    order: SortOptions,
}

impl Summary for Place {
    fn of(&self, histogram: &mut Histogram) -> Result<ScalarValue> {
        let (values, counts) = histogram.values()?;
        let order = sort_to_indices(&values, Some(self.order), None)?;
        let count = |at: &u32| counts.value(*at as usize);
        // Of a window's frame some may be gone.
        let order = order.values().iter().filter(|at| count(at) > 0);
        let found = match self.share {
            // Of several that are greatest the last is taken, and the first is wanted.
            None => order.rev().max_by_key(|at| count(at)),
            Some(share) => {
                let wanted = place(share, counts.values().iter().sum());
                let mut seen = 0;
                order.into_iter().find(|at| {
                    seen += count(at);
                    seen >= wanted
                })
            }
        };
        match found {
            Some(at) => ScalarValue::try_from_array(&values, *at as usize),
            None => ScalarValue::try_from(values.data_type()),
        }
    }
}

/// The place of the value up to which the share of so many stands, from 1.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of rows"
)]
fn place(share: f64, rows: u64) -> u64 {
    ((share * rows as f64).ceil() as u64).max(1)
}

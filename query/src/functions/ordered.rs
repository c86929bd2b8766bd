//! Aggregates that PostgreSQL has over values in order, and the engine has not: `mode() WITHIN GROUP (ORDER BY x)` and
//! `percentile_disc(0.5) WITHIN GROUP (ORDER BY x)`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
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

use super::histogram::{Histogram, state_fields, value_type};

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
        let data_type = self.return_type(&[args.expr_fields[0].data_type().clone()])?;
        let pick = match self.which {
            Which::Mode => Pick::Most,
            Which::PercentileDisc => Pick::Share(share(args.exprs.get(1))?),
        };
        // A null counts for nothing, wherever it would stand.
        let options = args.order_bys.first().map_or_else(SortOptions::default, |by| by.options);
        let histogram = Histogram::try_new(data_type)?;
        Ok(Box::new(OrderedOne { histogram, pick, options }))
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

#[derive(Debug, Clone, Copy)]
enum Pick {
    Most,
    Share(f64),
}

#[derive(Debug)]
struct OrderedOne {
    histogram: Histogram,
    pick: Pick,
    options: SortOptions,
}

impl OrderedOne {
    /// Which value it is, of `values` in that order, that occurred so often.
    fn place(&self, order: &[u32], counts: &[u64]) -> Option<u32> {
        let count = |at: u32| counts.get(at as usize).copied().unwrap_or_default();
        match self.pick {
            Pick::Most => {
                // Of several the last is taken by `max`, so that the first stands last.
                order.iter().rev().copied().max_by_key(|at| count(*at))
            }
            Pick::Share(share) => {
                #[expect(
                    clippy::cast_precision_loss,
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a number of rows"
                )]
                let wanted = (share * counts.iter().sum::<u64>() as f64).ceil() as u64;
                let mut seen = 0;
                order.iter().copied().find(|at| {
                    seen += count(*at);
                    seen >= wanted.max(1)
                })
            }
        }
    }
}

impl Accumulator for OrderedOne {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.histogram.add(values)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (values, counts) = self.histogram.take()?;
        let order = sort_to_indices(&values, Some(self.options), None)?;
        match self.place(order.values(), &counts) {
            Some(at) => ScalarValue::try_from_array(&values, at as usize),
            None => ScalarValue::try_from(values.data_type()),
        }
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.histogram.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.histogram.merge(states)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.histogram.size()
    }
}

//! File statistics in Delta's JSON, from a Parquet footer.
//!
//! Engines skip files by them and some answer `min`, `max` and `count` from them alone, so a bound that is not the
//! exact value (a long text cut short) is left out rather than written.
//!
//! # Source
//! Delta Transaction Log Protocol, "Per-file Statistics". Timestamps keep their microseconds.

use chrono::{DateTime, Datelike as _};
use parquet::basic::{LogicalType, Type};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescriptor;
use serde_json::{Map, Value, json};

/// Statistics of a whole file as the text of the `stats` field of an `add` action.
pub(crate) fn stats_json(metadata: &ParquetMetaData) -> String {
    let mut minima = Map::new();
    let mut maxima = Map::new();
    let mut nulls = Map::new();
    let schema = metadata.file_metadata().schema_descr();
    for (index, column) in schema.columns().iter().enumerate() {
        let [name] = column.path().parts() else { continue };
        let groups: Option<Vec<Group<'_>>> = metadata
            .row_groups()
            .iter()
            .map(|group| {
                Some((u64::try_from(group.num_rows()).ok()?, group.column(index).statistics()?))
            })
            .collect();
        let Some(groups) = groups else { continue };
        let null_count: Option<u64> = groups.iter().map(|(_, group)| group.null_count_opt()).sum();
        if let Some(null_count) = null_count {
            nulls.insert(name.clone(), null_count.into());
        }
        if let Some((min, max)) = bounds(column, &groups) {
            minima.insert(name.clone(), min);
            maxima.insert(name.clone(), max);
        }
    }
    json!({
        "numRecords": metadata.file_metadata().num_rows(),
        "minValues": minima,
        "maxValues": maxima,
        "nullCount": nulls,
    })
    .to_string()
}

/// Rows of a row group, and the statistics of one of its columns.
type Group<'a> = (u64, &'a Statistics);

/// Exact minimum and maximum over all row groups; `None` when one is unknown or the column is all null.
fn bounds(column: &ColumnDescriptor, groups: &[Group<'_>]) -> Option<(Value, Value)> {
    let mut all: Option<(Scalar, Scalar)> = None;
    for (rows, group) in groups {
        if group.null_count_opt() == Some(*rows) {
            continue;
        }
        if !group.min_is_exact() || !group.max_is_exact() {
            return None;
        }
        let (min, max) = scalars(column, group)?;
        all = Some(match all {
            None => (min, max),
            Some((low, high)) => {
                (if min < low { min } else { low }, if max > high { max } else { high })
            }
        });
    }
    let (min, max) = all?;
    Some((min.json()?, max.json()?))
}

#[derive(Debug, PartialEq, PartialOrd)]
enum Scalar {
    Long(i64),
    Micros(i64),
    Double(f64),
    Text(String),
}

impl Scalar {
    fn json(self) -> Option<Value> {
        match self {
            Self::Long(value) => Some(value.into()),
            Self::Double(value) => serde_json::Number::from_f64(value).map(Value::Number),
            Self::Text(value) => Some(value.into()),
            Self::Micros(value) => {
                let time = DateTime::from_timestamp_micros(value)?;
                // Four digits of year: beyond, readers disagree about the text.
                (0..=9999)
                    .contains(&time.year())
                    .then(|| time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string().into())
            }
        }
    }
}

fn scalars(column: &ColumnDescriptor, group: &Statistics) -> Option<(Scalar, Scalar)> {
    match group {
        Statistics::Int32(of) => {
            Some((Scalar::Long((*of.min_opt()?).into()), Scalar::Long((*of.max_opt()?).into())))
        }
        Statistics::Int64(of) => {
            let (min, max) = (*of.min_opt()?, *of.max_opt()?);
            Some(if matches!(column.logical_type_ref(), Some(LogicalType::Timestamp { .. })) {
                (Scalar::Micros(min), Scalar::Micros(max))
            } else {
                (Scalar::Long(min), Scalar::Long(max))
            })
        }
        Statistics::Double(of) => {
            Some((Scalar::Double(*of.min_opt()?), Scalar::Double(*of.max_opt()?)))
        }
        Statistics::ByteArray(of)
            if column.physical_type() == Type::BYTE_ARRAY
                && matches!(column.logical_type_ref(), Some(LogicalType::String)) =>
        {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
            Some((
                Scalar::Text(text(of.min_bytes_opt()?)?),
                Scalar::Text(text(of.max_bytes_opt()?)?),
            ))
        }
        Statistics::Boolean(_)
        | Statistics::Int96(_)
        | Statistics::Float(_)
        | Statistics::ByteArray(_)
        | Statistics::FixedLenByteArray(_) => None,
    }
}

//! The types of columns and values, as drivers list them.

use arrow_flight::sql::metadata::{XdbcTypeInfo, XdbcTypeInfoData, XdbcTypeInfoDataBuilder};
use arrow_flight::sql::{Nullable, Searchable, XdbcDataType};
use query::postgres::{Kind, oid};
use tonic::Status;

/// A type: its number, its name among the drivers', how many digits or characters its values have at most, and its base.
struct Row(u32, XdbcDataType, i32, Option<i32>);

/// As many characters as a text may have.
const ANY: i32 = i32::MAX;

/// Types in which columns come. Digits are those of the type's greatest value.
static TYPES: [Row; 14] = [
    Row(oid::BOOL, XdbcDataType::XdbcBit, 1, None),
    Row(oid::BYTEA, XdbcDataType::XdbcVarbinary, ANY, None),
    Row(oid::INT2, XdbcDataType::XdbcSmallint, 5, Some(10)),
    Row(oid::INT4, XdbcDataType::XdbcInteger, 10, Some(10)),
    Row(oid::INT8, XdbcDataType::XdbcBigint, 19, Some(10)),
    Row(oid::FLOAT4, XdbcDataType::XdbcReal, 24, Some(2)),
    Row(oid::FLOAT8, XdbcDataType::XdbcDouble, 53, Some(2)),
    Row(oid::NUMERIC, XdbcDataType::XdbcNumeric, 38, Some(10)),
    Row(oid::TEXT, XdbcDataType::XdbcVarchar, ANY, None),
    Row(oid::DATE, XdbcDataType::XdbcDate, 10, None),
    Row(oid::TIME, XdbcDataType::XdbcTime, 15, None),
    Row(oid::TIMESTAMP, XdbcDataType::XdbcTimestamp, 26, None),
    Row(oid::TIMESTAMPTZ, XdbcDataType::XdbcTimestamp, 32, None),
    Row(oid::INTERVAL, XdbcDataType::XdbcInterval, 49, None),
];

/// All types.
pub(super) fn types() -> Result<XdbcTypeInfoData, Status> {
    let mut all = XdbcTypeInfoDataBuilder::new();
    for Row(number, data_type, size, radix) in &TYPES {
        let Some(kind) = Kind::of_oid(*number) else { continue };
        let quote = radix.is_none().then(|| "'".to_owned()).filter(|_| *number != oid::BOOL);
        all.append(XdbcTypeInfo {
            type_name: kind.sql_name.to_owned(),
            data_type: *data_type,
            column_size: Some(*size),
            literal_prefix: quote.clone(),
            literal_suffix: quote,
            nullable: Nullable::NullabilityNullable,
            case_sensitive: *number == oid::TEXT,
            searchable: if *number == oid::TEXT { Searchable::Full } else { Searchable::Basic },
            unsigned_attribute: radix.map(|_| false),
            sql_data_type: *data_type,
            num_prec_radix: *radix,
            ..XdbcTypeInfo::default()
        });
    }
    all.build().map_err(|error| Status::internal(error.to_string()))
}

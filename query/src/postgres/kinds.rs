//! Types of PostgreSQL, and which of them is told for a column of Arrow's: clients know them by number.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};
use schemas::column::UTC;

/// Numbers of types, as `pg_type` has them in any PostgreSQL.
pub mod oid {
    #![expect(missing_docs, reason = "each is the number of the type that it is named after")]
    pub const BOOL: u32 = 16;
    pub const BYTEA: u32 = 17;
    pub const CHAR: u32 = 18;
    pub const NAME: u32 = 19;
    pub const INT8: u32 = 20;
    pub const INT2: u32 = 21;
    pub const INT4: u32 = 23;
    pub const TEXT: u32 = 25;
    pub const OID: u32 = 26;
    pub const FLOAT4: u32 = 700;
    pub const FLOAT8: u32 = 701;
    pub const UNKNOWN: u32 = 705;
    pub const BPCHAR: u32 = 1042;
    pub const VARCHAR: u32 = 1043;
    pub const DATE: u32 = 1082;
    pub const TIME: u32 = 1083;
    pub const TIMESTAMP: u32 = 1114;
    pub const TIMESTAMPTZ: u32 = 1184;
    pub const INTERVAL: u32 = 1186;
    pub const NUMERIC: u32 = 1700;
    pub const UUID: u32 = 2950;
}

/// A type as clients are told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Its number.
    pub oid: u32,
    /// Number of the type of lists of it.
    pub list_oid: u32,
    /// Bytes of a value; -1 where they vary.
    pub size: i16,
    /// Its name in `pg_type`.
    pub name: &'static str,
    /// Its name in SQL.
    pub sql_name: &'static str,
    /// Its kind, as `pg_type.typcategory` has it.
    pub category: &'static str,
}

const fn kind(
    (oid, list_oid): (u32, u32),
    size: i16,
    name: &'static str,
    sql_name: &'static str,
    category: &'static str,
) -> Kind {
    Kind { oid, list_oid, size, name, sql_name, category }
}

/// Whatever has no type of its own is a text.
const TEXT: Kind = kind((oid::TEXT, 1009), -1, "text", "text", "S");

/// Every type that is spoken of, from the manual's table of types and `pg_type.dat` of PostgreSQL.
pub static KINDS: [Kind; 25] = [
    kind((oid::BOOL, 1000), 1, "bool", "boolean", "B"),
    kind((oid::BYTEA, 1001), -1, "bytea", "bytea", "U"),
    kind((oid::CHAR, 1002), 1, "char", "\"char\"", "Z"),
    kind((oid::NAME, 1003), 64, "name", "name", "S"),
    kind((oid::INT8, 1016), 8, "int8", "bigint", "N"),
    kind((oid::INT2, 1005), 2, "int2", "smallint", "N"),
    kind((oid::INT4, 1007), 4, "int4", "integer", "N"),
    kind((24, 1008), 4, "regproc", "regproc", "N"),
    TEXT,
    kind((oid::OID, 1028), 4, "oid", "oid", "N"),
    kind((114, 199), -1, "json", "json", "U"),
    kind((oid::FLOAT4, 1021), 4, "float4", "real", "N"),
    kind((oid::FLOAT8, 1022), 8, "float8", "double precision", "N"),
    kind((oid::UNKNOWN, 0), -2, "unknown", "unknown", "X"),
    kind((oid::BPCHAR, 1014), -1, "bpchar", "character", "S"),
    kind((oid::VARCHAR, 1015), -1, "varchar", "character varying", "S"),
    kind((oid::DATE, 1182), 4, "date", "date", "D"),
    kind((oid::TIME, 1183), 8, "time", "time without time zone", "D"),
    kind((oid::TIMESTAMP, 1115), 8, "timestamp", "timestamp without time zone", "D"),
    kind((oid::TIMESTAMPTZ, 1185), 8, "timestamptz", "timestamp with time zone", "D"),
    kind((oid::INTERVAL, 1187), 16, "interval", "interval", "T"),
    kind((oid::NUMERIC, 1231), -1, "numeric", "numeric", "N"),
    kind((oid::UUID, 2951), 16, "uuid", "uuid", "U"),
    kind((2205, 2210), 4, "regclass", "regclass", "N"),
    kind((2206, 2211), 4, "regtype", "regtype", "N"),
];

/// Decimal places of a `numeric` that is a value for a placeholder.
pub const NUMERIC_PLACES: u8 = 10;

/// Under which name a field says which type it is.
const METADATA: &str = "postgres";

impl Kind {
    /// The type of that number, or of which that is the number of lists.
    pub fn of_oid(number: u32) -> Option<&'static Self> {
        let is_one = |kind: &&Self| kind.oid == number || (number != 0 && kind.list_oid == number);
        KINDS.iter().find(is_one)
    }

    /// The type of that name, in any spelling.
    pub fn named(name: &str) -> Option<&'static Self> {
        let name = name.trim().to_ascii_lowercase();
        let plain = match name.as_str() {
            "int" => "int4",
            "decimal" => "numeric",
            "float" => "float8",
            "string" => "text",
            "jsonb" => "json",
            other => other,
        };
        KINDS.iter().find(|kind| kind.name == plain || kind.sql_name == plain)
    }

    /// The type of Arrow in which a value of it is taken; `None` for one that is not taken.
    pub fn arrow(&self) -> Option<DataType> {
        Some(match self.oid {
            oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME | oid::UNKNOWN | oid::UUID => {
                DataType::Utf8
            }
            oid::BOOL => DataType::Boolean,
            oid::INT2 => DataType::Int16,
            oid::INT4 => DataType::Int32,
            oid::OID => DataType::UInt32,
            oid::INT8 => DataType::Int64,
            oid::FLOAT4 => DataType::Float32,
            oid::FLOAT8 => DataType::Float64,
            oid::BYTEA => DataType::Binary,
            oid::DATE => DataType::Date32,
            oid::TIME => DataType::Time64(TimeUnit::Microsecond),
            oid::TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
            oid::TIMESTAMPTZ => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
            oid::INTERVAL => DataType::Interval(IntervalUnit::MonthDayNano),
            // As wide as it gets; the places behind the point are those of a sum of money and more.
            oid::NUMERIC => DataType::Decimal128(38, NUMERIC_PLACES.cast_signed()),
            _ => return None,
        })
    }

    /// The type in which a value of the type of that number is taken, a list included; a text where none is told.
    pub fn taken(number: u32) -> Option<DataType> {
        if number == 0 {
            return Some(DataType::Utf8);
        }
        let kind = Self::of_oid(number)?;
        let one = kind.arrow()?;
        Some(if kind.oid == number { one } else { DataType::new_list(one, true) })
    }

    /// What a field says of itself whose type is not seen by that of Arrow.
    pub(crate) fn as_metadata(number: u32) -> HashMap<String, String> {
        HashMap::from([(METADATA.to_owned(), number.to_string())])
    }

    /// The type that is told for a column.
    pub fn of_field(field: &Field) -> Self {
        let number = field.metadata().get(METADATA).and_then(|number| number.parse().ok());
        let said =
            number.and_then(Self::of_oid).filter(|_| plain(field.data_type()) == DataType::Utf8);
        said.copied().unwrap_or_else(|| Self::of(field.data_type()))
    }

    /// The type that is told for a column of `of`.
    pub fn of(of: &DataType) -> Self {
        let number = match plain(of) {
            DataType::Boolean => oid::BOOL,
            DataType::Int16 => oid::INT2,
            DataType::Int32 => oid::INT4,
            DataType::UInt32 => oid::OID,
            DataType::Int64 => oid::INT8,
            DataType::Float32 => oid::FLOAT4,
            DataType::Float64 => oid::FLOAT8,
            DataType::Binary => oid::BYTEA,
            DataType::Date32 => oid::DATE,
            DataType::Time64(_) => oid::TIME,
            DataType::Timestamp(_, None) => oid::TIMESTAMP,
            DataType::Timestamp(_, Some(_)) => oid::TIMESTAMPTZ,
            DataType::Interval(_) => oid::INTERVAL,
            DataType::Decimal128(..) | DataType::Decimal256(..) => oid::NUMERIC,
            DataType::List(of) => {
                let item = Self::of(of.data_type());
                // Lists of lists are a text.
                let oid = if item.list_oid == 0 { oid::TEXT } else { item.list_oid };
                return Self { oid, list_oid: 0, size: -1, category: "A", ..item };
            }
            _ => oid::TEXT,
        };
        Self::of_oid(number).copied().unwrap_or(TEXT)
    }
}

/// The shape in which a column of `of` is written: one of few.
pub fn plain(of: &DataType) -> DataType {
    use DataType as D;
    match of {
        D::Int8 | D::UInt8 => D::Int16,
        D::UInt16 => D::Int32,
        D::UInt64 => D::Decimal128(20, 0),
        D::Float16 => D::Float32,
        D::LargeUtf8 | D::Utf8View => D::Utf8,
        D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => D::Binary,
        D::Date64 => D::Date32,
        D::Time32(_) | D::Time64(_) => D::Time64(TimeUnit::Microsecond),
        D::Timestamp(_, zone) => D::Timestamp(TimeUnit::Microsecond, zone.clone()),
        D::Interval(_) | D::Duration(_) => D::Interval(IntervalUnit::MonthDayNano),
        D::Decimal32(digits, scale) | D::Decimal64(digits, scale) => D::Decimal128(*digits, *scale),
        D::Dictionary(_, value) => plain(value),
        D::RunEndEncoded(_, value) => plain(value.data_type()),
        D::List(item)
        | D::LargeList(item)
        | D::FixedSizeList(item, _)
        | D::ListView(item)
        | D::LargeListView(item) => match plain(item.data_type()) {
            // Lists of lists have dimensions there, and all of one length: these are a text.
            D::List(_) | D::Null => of.clone(),
            plain => D::new_list(plain, true),
        },
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_the_numbers_that_clients_know() {
        let stamp = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        assert_eq!(
            (Kind::of(&stamp).oid, Kind::of(&stamp).sql_name),
            (1184, "timestamp with time zone")
        );
        let texts = DataType::new_list(DataType::Utf8View, true);
        assert_eq!((Kind::of(&texts).oid, Kind::of(&texts).category), (1009, "A"));
        assert_eq!(Kind::of(&DataType::new_list(texts, true)).oid, oid::TEXT);
        assert_eq!(Kind::of(&DataType::UInt64).oid, oid::NUMERIC);
        assert_eq!(Kind::named("BIGINT").map(|kind| kind.oid), Some(20));
        assert_eq!(Kind::of_oid(1016).map(|kind| kind.name), Some("int8"));
        assert_eq!(Kind::of_oid(0), None);
    }
}

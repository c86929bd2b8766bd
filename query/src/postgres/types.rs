//! Casts: types that the engine does not know, under names that it does, and lists written as a text.

use datafusion::sql::sqlparser::ast::{
    Array, ArrayElemTypeDef, CastKind, DataType, Expr, TimezoneInfo, Value,
};

use super::kinds::{Kind, oid};
use super::lists::items;
use super::names::{last, unqualify};
use crate::calls::{call, null, take};

/// Types whose values are numbers of things, which have names, and the functions that know them.
const NUMBERED: [(&str, &str); 5] = [
    ("regclass", "regclass"),
    ("regnamespace", "regnamespace"),
    ("regproc", "regproc"),
    ("regprocedure", "regproc"),
    ("regtype", "regtype"),
];

/// Types of the catalogue alone, and what stands for them.
const TEXTS: [&str; 12] = [
    "aclitem",
    "character_data",
    "cstring",
    "int2vector",
    "jsonb",
    "json",
    "oidvector",
    "pg_node_tree",
    "regrole",
    "sql_identifier",
    "uuid",
    "yes_or_no",
];
const NUMBERS: [&str; 3] = ["cid", "oid", "xid"];

/// Writes a cast so that the engine knows its type.
pub(super) fn respell(expr: &mut Expr) {
    let Expr::Cast { expr: of, data_type, array: false, .. } = expr else { return };
    if let Some(function) = numbered(data_type) {
        let of = take(of);
        *expr = call(function, of);
        return;
    }
    if let DataType::Array(_) = data_type
        && let Some(list) = listed(of)
    {
        **of = list;
    }
    known(data_type);
    if matches!(data_type, DataType::Bytea)
        && let Expr::Value(value) = of.as_mut()
        && let Value::SingleQuotedString(text) = &value.value
        && let Some(digits) = text.strip_prefix("\\x")
    {
        value.value = Value::HexStringLiteral(digits.to_owned());
    }
}

/// The function that knows the type, where its values are numbers of things.
fn numbered(of: &DataType) -> Option<&'static str> {
    let name = match of {
        DataType::Regclass => "regclass".to_owned(),
        DataType::Custom(name, _) => last(name)?,
        _ => return None,
    };
    NUMBERED.iter().find(|(of, _)| *of == name).map(|(_, function)| *function)
}

/// Puts a type that the engine knows in the place of one that it does not.
fn known(of: &mut DataType) {
    match of {
        DataType::Array(
            ArrayElemTypeDef::SquareBracket(item, _)
            | ArrayElemTypeDef::AngleBracket(item)
            | ArrayElemTypeDef::Parenthesis(item),
        ) => {
            if numbered(item).is_some() {
                **item = DataType::IntUnsigned(None);
            }
            known(item);
        }
        DataType::JSON | DataType::JSONB | DataType::Uuid => *of = DataType::Text,
        DataType::Custom(name, _) => {
            unqualify(name);
            if let Some(plain) = last(name).and_then(|name| plain(&name)) {
                *of = plain;
            }
        }
        _ => {}
    }
}

fn plain(name: &str) -> Option<DataType> {
    if TEXTS.contains(&name) {
        return Some(DataType::Text);
    }
    if NUMBERS.contains(&name) {
        return Some(DataType::IntUnsigned(None));
    }
    if name == "cardinal_number" {
        return Some(DataType::Int(None));
    }
    Some(match Kind::named(name)?.oid {
        oid::BOOL => DataType::Boolean,
        oid::BYTEA => DataType::Bytea,
        oid::INT2 => DataType::SmallInt(None),
        oid::INT4 => DataType::Int(None),
        oid::INT8 => DataType::BigInt(None),
        oid::FLOAT4 => DataType::Real,
        oid::FLOAT8 => DataType::DoublePrecision,
        oid::DATE => DataType::Date,
        oid::TIMESTAMP => DataType::Timestamp(None, TimezoneInfo::None),
        oid::TIMESTAMPTZ => DataType::Timestamp(None, TimezoneInfo::WithTimeZone),
        _ => DataType::Text,
    })
}

/// A list that is written as a text, as `'{a,b}'`.
pub(super) fn listed(of: &Expr) -> Option<Expr> {
    let Expr::Value(value) = of else { return None };
    let Value::SingleQuotedString(text) = &value.value else { return None };
    let one = |item: Option<String>| {
        item.map_or_else(null, |item| Expr::value(Value::SingleQuotedString(item)))
    };
    let elem = items(text)?.into_iter().map(one).collect();
    Some(Expr::Array(Array { elem, named: false }))
}

/// A list of texts that is not there.
pub(super) fn no_list() -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(null()),
        data_type: DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(DataType::Text), None)),
        array: false,
        format: None,
    }
}

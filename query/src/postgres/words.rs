//! Expressions that PostgreSQL writes in words of its own.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, CharacterLength, DataType, ExactNumberInfo, Expr, Function,
    FunctionArguments, Ident, TimezoneInfo, Value,
};

use super::names::{is, last};
use crate::calls::{arguments, call, call_with, take, text};

/// Names without brackets that are functions.
const BARE: [(&str, &str); 3] = [
    ("current_role", "current_role"),
    ("current_schema", "current_schema"),
    ("localtime", "current_time"),
];

/// Functions that the engine has under another name.
const RENAMED: [(&str, &str); 7] = [
    ("clock_timestamp", "now"),
    ("every", "bool_and"),
    ("gen_random_uuid", "uuid"),
    ("json_array_length", "json_length"),
    ("statement_timestamp", "now"),
    ("transaction_timestamp", "now"),
    ("variance", "var_samp"),
];

/// Columns that hold a function, which is its name here.
const PROCEDURES: [&str; 8] = [
    "typinput",
    "typoutput",
    "typreceive",
    "typsend",
    "typmodin",
    "typmodout",
    "typanalyze",
    "typsubscript",
];

/// Writes an expression in the words of the engine.
pub(super) fn respell(expr: &mut Expr) {
    let written = match expr {
        Expr::Identifier(name) if name.quote_style.is_none() => of_bare(&name.value),
        Expr::Function(function) if matches!(function.args, FunctionArguments::None) => {
            last(&function.name).and_then(|name| of_bare(&name))
        }
        Expr::Function(function) => of_function(function),
        Expr::AtTimeZone { timestamp, time_zone } => {
            Some(call_with("timezone", vec![take(time_zone), take(timestamp)]))
        }
        Expr::Extract { field, expr, .. } => {
            exact(&field.to_string()).map(|field| call_with(EXACTLY, vec![text(field), take(expr)]))
        }
        Expr::Substring { expr, substring_from: Some(from), substring_for: None, .. } => {
            let is_text = matches!(from.as_ref(), Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_)));
            is_text.then(|| {
                let found = call_with("regexp_match", vec![take(expr), take(from)]);
                call_with(
                    "array_element",
                    vec![found, Expr::value(Value::Number("1".into(), false))],
                )
            })
        }
        Expr::Cast { expr, data_type, array: false, .. } => of_cast(expr, data_type),
        _ => None,
    };
    if let Some(written) = written {
        *expr = written;
    }
}

/// The function that tells parts of a time with their fractions.
const EXACTLY: &str = "extract_exactly";

/// A part of a time that has a fraction, by the name that the function knows it by.
fn exact(field: &str) -> Option<&'static str> {
    match field.to_ascii_lowercase().as_str() {
        "second" | "seconds" => Some("second"),
        "epoch" => Some("epoch"),
        "millisecond" | "milliseconds" => Some("milliseconds"),
        "microsecond" | "microseconds" => Some("microseconds"),
        _ => None,
    }
}

/// A name that calls a function without brackets.
fn of_bare(name: &str) -> Option<Expr> {
    let name = name.to_ascii_lowercase();
    if name == "localtimestamp" {
        let without_zone = DataType::Timestamp(None, TimezoneInfo::None);
        return Some(cast(call_with("now", Vec::new()), without_zone));
    }
    let (_, function) = BARE.iter().find(|(word, _)| *word == name)?;
    Some(call_with(function, Vec::new()))
}

fn of_function(function: &mut Function) -> Option<Expr> {
    let name = last(&function.name)?;
    if let Some((_, known)) = RENAMED.iter().find(|(word, _)| *word == name) {
        function.name = vec![Ident::new(*known)].into();
        return None;
    }
    let given = arguments(function)?;
    match (name.as_str(), <[&mut Expr; 2]>::try_from(given)) {
        ("mod", Ok([of, by])) => Some(Expr::Nested(Box::new(Expr::BinaryOp {
            left: Box::new(take(of)),
            op: BinaryOperator::Modulo,
            right: Box::new(take(by)),
        }))),
        ("date_part", Ok([field, of])) => {
            let Expr::Value(written) = &*field else { return None };
            let Value::SingleQuotedString(written) = &written.value else { return None };
            Some(call_with(EXACTLY, vec![text(exact(written)?), take(of)]))
        }
        ("age", Ok([of, from])) => Some(Expr::Nested(Box::new(Expr::BinaryOp {
            left: Box::new(take(of)),
            op: BinaryOperator::Minus,
            right: Box::new(take(from)),
        }))),
        ("date", Err(mut given)) if given.len() == 1 => {
            given.pop().map(|of| cast(take(of), DataType::Date))
        }
        ("date_trunc", Err(mut given)) if given.len() == 3 => {
            let (zone, of, field) = (take(given.pop()?), take(given.pop()?), take(given.pop()?));
            let local = call_with("timezone", vec![zone.clone(), of]);
            let begun = call_with("date_trunc", vec![field, local]);
            Some(call_with("timezone", vec![zone, begun]))
        }
        _ => None,
    }
}

fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast {
        kind: CastKind::DoubleColon,
        expr: Box::new(expr),
        data_type,
        array: false,
        format: None,
    }
}

/// `::float` is of double precision, `::varchar(3)` cuts.
fn of_cast(of: &mut Expr, data_type: &mut DataType) -> Option<Expr> {
    let length = match data_type {
        DataType::Float(ExactNumberInfo::None) => {
            *data_type = DataType::DoublePrecision;
            return None;
        }
        DataType::Char(length)
        | DataType::Character(length)
        | DataType::Varchar(length)
        | DataType::CharacterVarying(length)
        | DataType::CharVarying(length) => *length,
        _ => return None,
    };
    let Some(CharacterLength::IntegerLength { length, .. }) = length else { return None };
    let whole = cast(take(of), DataType::Text);
    let length = Expr::value(Value::Number(length.to_string(), false));
    Some(call_with("left", vec![whole, length]))
}

/// Compares a column that holds a function with a number, or with the number of a function, by name.
pub(super) fn respell_procedures(column: &Expr, with: &mut Expr) {
    let of = match column {
        Expr::Identifier(name) => name,
        Expr::CompoundIdentifier(parts) => match parts.last() {
            Some(name) => name,
            None => return,
        },
        _ => return,
    };
    if !PROCEDURES.iter().any(|name| is(of, name)) {
        return;
    }
    match with {
        Expr::Value(value) if matches!(value.value, Value::Number(..)) => {
            *with = call("regproc", take(with));
        }
        Expr::CompoundIdentifier(parts) => {
            if let Some(oid) = parts.last_mut()
                && is(oid, "oid")
            {
                "proname".clone_into(&mut oid.value);
            }
        }
        _ => {}
    }
}

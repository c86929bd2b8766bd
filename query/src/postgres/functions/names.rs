//! Names: of objects by their numbers, numbers by their names, and how names are written.

use arrow::array::Array as _;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::ScalarUDF;

use super::listed::{LISTED, Listed};
use super::{Function, gives_number, gives_text, gives_texts, number, of_text, of_texts, text};
use crate::lenient::with_backslashes;
use crate::postgres::kinds::Kind;
use crate::postgres::relations::{self, PUBLIC};
use crate::postgres::settings::USER;

pub(super) fn functions() -> Vec<ScalarUDF> {
    vec![
        Function::by("format_type", gives_text, |of| {
            Ok(of_text(number(of.first()).map(type_name)))
        }),
        Function::by("regclass", other_side, regclass),
        Function::by("regtype", other_side, regtype),
        Function::by("regproc", gives_text, regproc),
        Function::by("regnamespace", other_side, regnamespace),
        Function::by("to_regclass", gives_number, |of| {
            let found = text(of.first()).and_then(|name| relations::named(&name));
            Ok(ScalarValue::Int64(found.map(|of| of.oid)))
        }),
        Function::by("to_regtype", gives_number, |of| {
            Ok(match text(of.first()) {
                Some(_) => regtype(of).unwrap_or(ScalarValue::Int64(None)),
                None => ScalarValue::Int64(None),
            })
        }),
        Function::by("array_lower", gives_number, |of| {
            Ok(ScalarValue::Int64(bounds(of).map(|_| 1)))
        }),
        Function::by("array_upper", gives_number, |of| Ok(ScalarValue::Int64(bounds(of)))),
        Function::by("pg_get_userbyid", gives_text, |_| Ok(of_text(Some(USER.to_owned())))),
        Function::by("pg_get_viewdef", gives_text, |of| {
            let relation = match number(of.first()) {
                Some(oid) => relations::numbered(oid),
                None => text(of.first()).and_then(|name| relations::named(&name)),
            };
            Ok(of_text(relation.and_then(|of| of.view).map(crate::views::View::query)))
        }),
        Function::by("pg_get_function_result", gives_text, |of| {
            Ok(of_text(listed(of).map(|of| of.gives.to_owned())))
        }),
        Function::by("pg_get_function_arguments", gives_text, arguments),
        Function::by("pg_get_function_identity_arguments", gives_text, arguments),
        Function::by("obj_description", gives_text, |of| {
            let relation = number(of.first()).and_then(relations::numbered);
            let doc = relation.map(|of| of.doc).filter(|doc| !doc.is_empty());
            Ok(of_text(doc.map(str::to_owned)))
        }),
        Function::by("col_description", gives_text, |of| Ok(of_text(column_doc(of)))),
        Function::by("quote_ident", gives_text, |of| Ok(of_text(text(of.first()).map(quoted)))),
        Function::by("like_escape", gives_text, |of| {
            let (pattern, escape) = (text(of.first()), text(of.get(1)));
            let escape = escape.as_deref().and_then(|of| of.chars().next());
            Ok(of_text(pattern.map(|pattern| match escape {
                Some(escape) => with_backslashes(&pattern, escape),
                // No character escapes.
                None => pattern.replace('\\', "\\\\"),
            })))
        }),
        Function::by("quote_literal", gives_text, |of| {
            Ok(of_text(text(of.first()).map(|text| format!("'{}'", text.replace('\'', "''")))))
        }),
        Function::by("parse_ident", gives_texts, |of| {
            let Some(name) = text(of.first()) else {
                return ScalarValue::try_from(&gives_texts(&[]));
            };
            let parts: Vec<String> = name.split('.').map(unquoted).collect();
            Ok(of_texts(&parts.iter().map(String::as_str).collect::<Vec<_>>()))
        }),
    ]
}

/// The last index of a list with anything in it.
fn bounds(of: &[ScalarValue]) -> Option<i64> {
    let ScalarValue::List(list) = of.first()? else { return None };
    let length = list.value_length(0);
    (list.is_valid(0) && length > 0).then_some(length.into())
}

/// A number for a name, and a name for a number.
fn other_side(of: &[DataType]) -> DataType {
    match of.first() {
        Some(of) if of.is_string() => DataType::Int64,
        _ => DataType::Utf8,
    }
}

fn named<T>(
    of: &[ScalarValue],
    (what, by_name): (&str, impl Fn(&str) -> Option<i64>),
    by_number: impl Fn(i64) -> Option<T>,
) -> Result<ScalarValue>
where
    T: Into<String>,
{
    let Some(given) = of.first() else { return plan_err!("{what} of nothing") };
    if !given.data_type().is_string() {
        let Some(number) = number(Some(given)) else { return Ok(of_text(None)) };
        let name = by_number(number).map_or_else(|| nameless(number), Into::into);
        return Ok(of_text(Some(name)));
    }
    let Some(name) = text(Some(given)) else { return Ok(ScalarValue::Int64(None)) };
    let Some(number) = name.trim().parse().ok().or_else(|| by_name(name.trim())) else {
        return plan_err!("{what} \"{name}\" does not exist");
    };
    Ok(ScalarValue::Int64(Some(number)))
}

/// How a number is shown that nothing has.
fn nameless(number: i64) -> String {
    if number == 0 { "-".to_owned() } else { number.to_string() }
}

fn regclass(of: &[ScalarValue]) -> Result<ScalarValue> {
    let by_name = |name: &str| relations::named(name).map(|of| of.oid);
    let by_number = |oid| {
        relations::numbered(oid).map(|of| match of.space.name {
            space if of.space == relations::INFORMATION => format!("{space}.{}", of.name),
            _ => of.name.to_owned(),
        })
    };
    named(of, ("relation", by_name), by_number)
}

fn regtype(of: &[ScalarValue]) -> Result<ScalarValue> {
    let by_name = |name: &str| {
        let name = name.strip_prefix("pg_catalog.").unwrap_or(name);
        match name.strip_suffix("[]") {
            Some(item) => Kind::named(item).map(|kind| kind.list_oid.into()),
            None => Kind::named(name).map(|kind| kind.oid.into()),
        }
    };
    named(of, ("type", by_name), |oid| (oid != 0).then(|| type_name(oid)))
}

fn regproc(of: &[ScalarValue]) -> Result<ScalarValue> {
    // The catalogue's own tables name functions by name.
    if of.first().is_some_and(|of| of.data_type().is_string()) {
        return Ok(of_text(text(of.first())));
    }
    let by_number = |oid| LISTED.iter().find(|of| of.oid == oid).map(|of| of.name);
    named(of, ("function", |_: &str| None), by_number)
}

fn regnamespace(of: &[ScalarValue]) -> Result<ScalarValue> {
    let spaces = relations::SPACES;
    let by_name = |name: &str| spaces.iter().find(|of| of.name == name).map(|of| of.oid);
    let by_number = |oid| spaces.iter().find(|of| of.oid == oid).map(|of| of.name);
    named(of, ("schema", by_name), by_number)
}

fn type_name(oid: i64) -> String {
    let kind = u32::try_from(oid).ok().and_then(|oid| Some((oid, Kind::of_oid(oid)?)));
    match kind {
        Some((oid, kind)) if oid == kind.oid => kind.sql_name.to_owned(),
        Some((_, kind)) => format!("{}[]", kind.sql_name),
        None if oid == 0 => "-".to_owned(),
        None => "???".to_owned(),
    }
}

fn listed(of: &[ScalarValue]) -> Option<&'static Listed> {
    let oid = number(of.first())?;
    LISTED.iter().find(|of| of.oid == oid)
}

#[expect(clippy::unnecessary_wraps, reason = "it stands beside those that may fail")]
fn arguments(of: &[ScalarValue]) -> Result<ScalarValue> {
    Ok(of_text(listed(of).map(|of| of.takes.to_owned())))
}

fn column_doc(of: &[ScalarValue]) -> Option<String> {
    let relation = relations::numbered(number(of.first())?)?;
    let at = usize::try_from(number(of.get(1))?.checked_sub(1)?).ok()?;
    let column = relation.like.filter(|_| relation.space == PUBLIC)?.columns.get(at)?;
    Some(column.doc.to_owned())
}

/// A name as it is written in a statement.
pub(super) fn quoted(name: String) -> String {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit();
    let begins = name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    if begins && name.bytes().all(is_plain) {
        name
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// A name as it was written in a statement.
fn unquoted(part: &str) -> String {
    match part.strip_prefix('"').and_then(|part| part.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => part.trim().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_of_each_other() {
        let number = regclass(&["public.requests".into()]).unwrap();
        assert_eq!(regclass(&[number]).unwrap(), of_text(Some("requests".into())));
        assert_eq!(regclass(&["pg_class".into()]).unwrap(), ScalarValue::from(1259_i64));
        let error = regclass(&["nothing".into()]).unwrap_err().to_string();
        assert!(error.contains("relation \"nothing\" does not exist"), "{error}");
        assert_eq!(regtype(&["text[]".into()]).unwrap(), ScalarValue::from(1009_i64));
        assert_eq!(type_name(1009), "text[]");
        assert_eq!(type_name(1184), "timestamp with time zone");
    }

    #[test]
    fn names_are_written_as_they_must_be() {
        assert_eq!(quoted("requests".into()), "requests");
        assert_eq!(quoted("Requests".into()), "\"Requests\"");
        assert_eq!(quoted("a\"b".into()), "\"a\"\"b\"");
        assert_eq!(unquoted("\"A\"\"b\""), "A\"b");
    }
}

//! `json_get`, `json_text`, `json_elements` and `json_length`, and the operators `->` and `->>`: JSON in a text.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, ListBuilder, StringBuilder, StringViewArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type};
use datafusion::common::{DFSchema, Result, exec_datafusion_err, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;
use serde::de::IgnoredAny;

const SECTION: DocSection = DocSection { include: true, label: "JSON", description: None };

static DOCS: LazyLock<[Documentation; 4]> = LazyLock::new(|| {
    let doc = |what: &str, syntax: &str, example: &str| {
        Documentation::builder(SECTION, what, syntax)
            .with_argument("json", "Text that holds JSON, such as incidents.evidence.")
            .with_sql_example(example)
    };
    let key = |builder: datafusion::logical_expr::DocumentationBuilder| {
        builder.with_argument(
            "key",
            "Name of a field, or place in a list from 0, from its end below 0.",
        )
    };
    [
        key(doc(
            "A field of an object or an element of a list, as JSON: also json -> key. Null where there is none, or the text is no JSON.",
            "json_get(json, key)",
            "SELECT evidence -> 0 FROM attacks;",
        ))
        .build(),
        key(doc(
            "As json_get, as plain text: also json ->> key. Null for a JSON null.",
            "json_text(json, key)",
            "SELECT evidence -> 0 ->> 'feature' AS strongest, count(*) FROM attacks GROUP BY 1;",
        ))
        .build(),
        doc(
            "The elements of a list, each as JSON. Null where the text holds no list.",
            "json_elements(json)",
            "SELECT incident_id, unnest(json_elements(evidence)) AS test FROM attacks;",
        )
        .build(),
        doc(
            "How many elements a list or fields an object has.",
            "json_length(json)",
            "SELECT json_length(evidence) FROM attacks;",
        )
        .build(),
    ]
});

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Get,
    Text,
    Elements,
    Length,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Get, Self::Text, Self::Elements, Self::Length];

    const fn arguments(self) -> usize {
        match self {
            Self::Get | Self::Text => 2,
            Self::Elements | Self::Length => 1,
        }
    }
}

/// The scalar functions.
pub(super) fn functions() -> [ScalarUDF; 4] {
    Kind::ALL.map(|kind| ScalarUDF::from(JsonFunction::new(kind)))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct JsonFunction {
    kind: Kind,
    signature: Signature,
}

impl JsonFunction {
    fn new(kind: Kind) -> Self {
        Self { kind, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

fn elements_type() -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)))
}

impl ScalarUDFImpl for JsonFunction {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Get => "json_get",
            Kind::Text => "json_text",
            Kind::Elements => "json_elements",
            Kind::Length => "json_length",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let fits = given.len() == self.kind.arguments()
            && given.first().is_some_and(|of| of.is_string() || of.is_null());
        if !fits {
            return plan_err!(
                "{} takes a text that holds JSON{}",
                self.name(),
                if self.kind.arguments() == 2 { ", and a key" } else { "" }
            );
        }
        let mut types = vec![DataType::Utf8View];
        if let Some(key) = given.get(1) {
            types.push(if key.is_integer() { DataType::Int64 } else { DataType::Utf8View });
        }
        Ok(types)
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(match self.kind {
            Kind::Get | Kind::Text => DataType::Utf8,
            Kind::Elements => elements_type(),
            Kind::Length => DataType::Int64,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scalar = args.args.iter().all(|of| matches!(of, ColumnarValue::Scalar(_)));
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let texts = columns.first().ok_or_else(|| exec_datafusion_err!("no text"))?;
        let texts = cast(texts, &DataType::Utf8View)?;
        let values = texts.as_string_view();
        let answer: ArrayRef = match self.kind {
            Kind::Get => picked(values, columns.get(1), |part| Some(part.to_owned()))?,
            Kind::Text => picked(values, columns.get(1), text)?,
            Kind::Elements => elements(values),
            Kind::Length => Arc::new(
                values
                    .iter()
                    .map(|text| match parse(text?)? {
                        Parts::List(list) => i64::try_from(list.len()).ok(),
                        Parts::Fields(fields) => i64::try_from(fields.len()).ok(),
                    })
                    .collect::<Int64Array>(),
            ),
        };
        if scalar {
            return Ok(ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(
                &answer, 0,
            )?));
        }
        Ok(ColumnarValue::Array(answer))
    }

    fn documentation(&self) -> Option<&Documentation> {
        let place = Kind::ALL.iter().position(|kind| *kind == self.kind)?;
        DOCS.get(place)
    }
}

/// What may stand between the parts of JSON.
const BLANK: [char; 4] = [' ', '\t', '\n', '\r'];

/// The parts of a list or an object, as they are written: no number is rounded, no field is lost.
enum Parts<'a> {
    List(Vec<&'a str>),
    /// Names in their quotes, and values; a name may come twice.
    Fields(Vec<(&'a str, &'a str)>),
}

/// The parts of JSON in a text; `None` for what has none, and what is no JSON.
fn parse(text: &str) -> Option<Parts<'_>> {
    let text = text.trim_matches(BLANK);
    if let Some(mut rest) = text.strip_prefix('[') {
        let list = separated(&mut rest, ']', next)?;
        return rest.is_empty().then_some(Parts::List(list));
    }
    let mut rest = text.strip_prefix('{')?;
    let fields = separated(&mut rest, '}', |rest| {
        let name = next(rest).filter(|name| name.starts_with('"'))?;
        *rest = rest.strip_prefix(':')?;
        Some((name, next(rest)?))
    })?;
    rest.is_empty().then_some(Parts::Fields(fields))
}

/// What stands in `rest` between commas and before `close`, which are taken from it.
fn separated<'a, T>(
    rest: &mut &'a str,
    close: char,
    mut part: impl FnMut(&mut &'a str) -> Option<T>,
) -> Option<Vec<T>> {
    let mut parts = Vec::new();
    *rest = rest.trim_start_matches(BLANK);
    if let Some(after) = rest.strip_prefix(close) {
        *rest = after;
        return Some(parts);
    }
    loop {
        parts.push(part(rest)?);
        let mut chars = rest.chars();
        let end = chars.next()?;
        *rest = chars.as_str();
        if end == close {
            return Some(parts);
        }
        if end != ',' {
            return None;
        }
    }
}

/// The value with which `rest` begins, whatever is in it; it and the blanks around it are taken from `rest`.
fn next<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let text = rest.trim_start_matches(BLANK);
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    let (value, after) = text.split_at_checked(values.byte_offset())?;
    *rest = after.trim_start_matches(BLANK);
    Some(value)
}

/// Whether a name in quotes is `wanted`.
fn is_named(quoted: &str, wanted: &str) -> bool {
    if quoted.contains('\\') {
        return text(quoted).is_some_and(|name| name == wanted);
    }
    quoted.get(1..quoted.len() - 1) == Some(wanted)
}

/// A part as plain text; `None` for null.
fn text(part: &str) -> Option<String> {
    match part {
        "null" => None,
        quoted if quoted.starts_with('"') => serde_json::from_str(quoted).ok(),
        written => Some(written.to_owned()),
    }
}

/// What `keys` pick of each text, written by `write`.
fn picked(
    texts: &StringViewArray,
    keys: Option<&ArrayRef>,
    write: impl Fn(&str) -> Option<String>,
) -> Result<ArrayRef> {
    let keys = keys.ok_or_else(|| exec_datafusion_err!("no key"))?;
    let places = keys.as_primitive_opt::<Int64Type>();
    let names = cast(keys, &DataType::Utf8View)?;
    let names = names.as_string_view();
    let mut out = StringBuilder::with_capacity(texts.len(), 0);
    for (row, text) in texts.iter().enumerate() {
        let parts = text.filter(|_| keys.is_valid(row)).and_then(parse);
        let part = parts.and_then(|parts| match (parts, places) {
            (Parts::List(list), Some(places)) => {
                let place = places.value(row);
                let from_end = if place < 0 { i64::try_from(list.len()).ok()? } else { 0 };
                let place = usize::try_from(place.checked_add(from_end)?).ok()?;
                list.get(place).copied()
            }
            // Of fields of one name the last, as other readers take it.
            (Parts::Fields(fields), None) => {
                let name = names.value(row);
                fields.iter().rfind(|(of, _)| is_named(of, name)).map(|(_, value)| *value)
            }
            _ => None,
        });
        out.append_option(part.and_then(&write));
    }
    Ok(Arc::new(out.finish()))
}

fn elements(texts: &StringViewArray) -> ArrayRef {
    let mut out = ListBuilder::new(StringBuilder::new());
    for text in texts {
        match text.and_then(parse) {
            Some(Parts::List(list)) => {
                for value in list {
                    out.values().append_value(value);
                }
                out.append(true);
            }
            _ => out.append(false),
        }
    }
    Arc::new(out.finish())
}

/// Plans `->` and `->>`.
#[derive(Debug)]
pub(super) struct Operators;

impl ExprPlanner for Operators {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        _schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let kind = match expr.op {
            BinaryOperator::Arrow => Kind::Get,
            BinaryOperator::LongArrow => Kind::Text,
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let function = Arc::new(ScalarUDF::from(JsonFunction::new(kind)));
        let arguments = vec![expr.left, expr.right];
        let call = ScalarFunction::new_udf(function, arguments);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }
}

//! `LIKE '%this%that%'`: parts of a text in their order, found one after the other, where a regular expression costs
//! many times as much.

use std::fmt::{Display, Formatter};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{AsArray as _, BooleanArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use memchr::memmem::Finder;

/// Whether a text holds parts in their order.
#[derive(Debug)]
pub(super) struct HoldsParts {
    text: Arc<dyn PhysicalExpr>,
    parts: Vec<Finder<'static>>,
    negated: bool,
}

impl HoldsParts {
    /// The condition that `pattern` is, if it is of that form: at least two parts between `%`.
    pub(super) fn of(text: &Arc<dyn PhysicalExpr>, pattern: &str, negated: bool) -> Option<Self> {
        let inner = pattern.strip_prefix('%')?.strip_suffix('%')?;
        let parts: Vec<&str> = inner.split('%').filter(|part| !part.is_empty()).collect();
        let plain = parts.len() > 1 && !inner.contains(['_', '\\']);
        let parts = parts.into_iter().map(|part| Finder::new(part).into_owned()).collect();
        plain.then(|| Self { text: Arc::clone(text), parts, negated })
    }

    fn holds(&self, text: &str) -> bool {
        let mut rest = text.as_bytes();
        let all = self.parts.iter().all(|part| {
            let after = part.find(rest).map(|at| at + part.needle().len());
            let found = after.and_then(|after| rest.get(after..));
            rest = found.unwrap_or_default();
            found.is_some()
        });
        all != self.negated
    }
}

impl Display for HoldsParts {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}LIKE %", self.text, if self.negated { "NOT " } else { "" })?;
        self.parts.iter().try_for_each(|part| write!(f, "{}%", part.needle().escape_ascii()))
    }
}

impl PartialEq for HoldsParts {
    fn eq(&self, other: &Self) -> bool {
        let needles =
            |of: &Self| of.parts.iter().map(|part| part.needle().to_vec()).collect::<Vec<_>>();
        self.text.eq(&other.text)
            && self.negated == other.negated
            && needles(self) == needles(other)
    }
}

impl Eq for HoldsParts {}

impl Hash for HoldsParts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
        self.negated.hash(state);
        self.parts.iter().for_each(|part| part.needle().hash(state));
    }
}

impl PhysicalExpr for HoldsParts {
    fn data_type(&self, _input: &Schema) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, input: &Schema) -> Result<bool> {
        self.text.nullable(input)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let texts = self.text.evaluate(batch)?.into_array(batch.num_rows())?;
        let texts = cast(&texts, &DataType::Utf8View)?;
        let rows = texts.as_string_view().iter().map(|text| text.map(|text| self.holds(text)));
        Ok(ColumnarValue::Array(Arc::new(rows.collect::<BooleanArray>())))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.text]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let [text] = children.as_slice() else { return plan_err!("parts are of one text") };
        let (parts, negated) = (self.parts.clone(), self.negated);
        Ok(Arc::new(Self { text: Arc::clone(text), parts, negated }))
    }

    fn fmt_sql(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::physical_expr::expressions::Column;

    use super::*;

    #[test]
    fn parts_are_found_in_their_order() {
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new("x", 0));
        let holds = |pattern: &str, text: &str| {
            HoldsParts::of(&column, pattern, false).unwrap().holds(text)
        };
        assert!(holds("%union%select%", "1 union all select 2"));
        assert!(!holds("%union%select%", "select union"));
        assert!(holds("%%aa%%a%", "aaa") && !holds("%aa%aa%", "aaa"));
        assert!(!HoldsParts::of(&column, "%a%b%", true).unwrap().holds("ab"));
        for other in ["%a%", "a%b%", "%a%b", "%a_%b%", r"%a\%%b%", "%%"] {
            assert!(HoldsParts::of(&column, other, false).is_none(), "{other}");
        }
    }
}

//! `format('%s of %I', …)`.

use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::ScalarUDF;

use super::names::quoted;
use super::{Function, gives_text, of_text, text};
use arrow::datatypes::DataType;

pub(super) fn function() -> ScalarUDF {
    Function::by("format", gives_text, |of| {
        let Some((template, values)) = of.split_first() else {
            return plan_err!("format() takes a template");
        };
        let Some(template) = text(Some(template)) else { return Ok(of_text(None)) };
        written(&template, values).map(|text| of_text(Some(text)))
    })
}

fn written(template: &str, values: &[ScalarValue]) -> Result<String> {
    let (mut out, mut rest, mut next) = (String::new(), template, 0);
    while let Some((before, behind)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(behind) = behind.strip_prefix('%') {
            out.push('%');
            rest = behind;
            continue;
        }
        let digits = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
        let (place, after) = behind.split_at(digits);
        let (at, after) = match (place.parse::<usize>(), after.strip_prefix('$')) {
            (Ok(place), Some(after)) if place > 0 => (place - 1, after),
            _ => (next, behind),
        };
        next = at + 1;
        let Some(value) = values.get(at) else {
            return plan_err!("format() has too few values for '{template}'");
        };
        let value = match value {
            null if null.is_null() => None,
            value => text(Some(&value.cast_to(&DataType::Utf8)?)),
        };
        let mut chars = after.chars();
        match (chars.next(), value) {
            (Some('s'), value) => out.push_str(&value.unwrap_or_default()),
            (Some('I'), Some(name)) => out.push_str(&quoted(name)),
            (Some('L'), Some(value)) => {
                out.push('\'');
                out.push_str(&value.replace('\'', "''"));
                out.push('\'');
            }
            (Some('L'), None) => out.push_str("NULL"),
            (Some('I'), None) => return plan_err!("a name that is NULL in format()"),
            _ => return plan_err!("format() knows %s, %I, %L and %%, not those of '{template}'"),
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_into_templates() {
        let values = ["a b", "it's"].map(ScalarValue::from);
        let told = |template: &str| written(template, &values).ok();
        assert_eq!(told("%s-%s %%").as_deref(), Some("a b-it's %"));
        assert_eq!(told("%I %L").as_deref(), Some("\"a b\" 'it''s'"));
        assert_eq!(told("%2$s %1$s").as_deref(), Some("it's a b"));
        assert_eq!(told("%s %s %s"), None);
        assert_eq!(told("%d"), None);
    }
}

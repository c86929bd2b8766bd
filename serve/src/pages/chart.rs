//! A chart of any answer: bars for what has names, a line of steps for what has times.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde_json::Value;

use super::layout::value;
use super::plot::{HEIGHT, WIDTH, framed, height};
use crate::questions::read_time;

/// Bars of a chart, at most: more are a table.
const BARS: usize = 30;

/// Which columns of an answer make a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Columns {
    label: usize,
    number: usize,
}

/// A chart of the answer; `None` where there is nothing to compare: fewer than two rows, no names, or no numbers.
///
/// - `rows`: the values of each row, in the order of `names`.
pub(super) fn chart(names: &[String], rows: &[Vec<Value>]) -> Option<Markup> {
    let columns = columns(rows)?;
    let name = |at: usize| names.get(at).map(String::as_str).unwrap_or_default();
    let (label, number) = (name(columns.label), name(columns.number));
    let points: Vec<(&Value, f64)> = rows.iter().filter_map(|row| point(row, columns)).collect();
    let times: Option<Vec<(DateTime<Utc>, f64)>> =
        points.iter().map(|(at, of)| Some((read_time(at.as_str()?)?, *of))).collect();
    let drawn = match times {
        Some(times) => steps(times),
        None => bars(&points),
    };
    Some(html! {
        figure .chart {
            figcaption { (value(number)) " by " (value(label)) }
            (drawn)
        }
    })
}

/// What is grouped by stands first, and what was counted behind it; else there are names or times behind the numbers.
fn columns(rows: &[Vec<Value>]) -> Option<Columns> {
    let first = rows.first().filter(|_| rows.len() > 1)?;
    let all = |at: usize, is: fn(&Value) -> bool| {
        let of_column = || rows.iter().filter_map(|row| row.get(at));
        of_column().all(|of| is(of) || of.is_null()) && of_column().any(is)
    };
    let find = |from: usize, is| (from..first.len()).find(|at| all(*at, is));
    let (label, number) = match find(1, Value::is_number) {
        Some(number) => (0, number),
        None => (find(0, Value::is_string)?, find(0, Value::is_number)?),
    };
    Some(Columns { label, number })
}

fn point(row: &[Value], columns: Columns) -> Option<(&Value, f64)> {
    Some((row.get(columns.label)?, row.get(columns.number)?.as_f64()?))
}

/// A bar each, the first of them.
fn bars(points: &[(&Value, f64)]) -> Markup {
    let shown = points.get(..BARS).unwrap_or(points);
    let most = shown.iter().map(|(_, of)| *of).fold(0.0, f64::max);
    html! {
        table { tbody { @for (name, of) in shown { tr {
            td { @match name {
                Value::Null => span .faint { "null" },
                Value::String(name) => (value(name)),
                other => (value(&other.to_string())),
            } }
            td .share { meter value=(part(*of, most)) { } " " (of) }
        } } } }
        @if shown.len() < points.len() { p .faint { "The first " (BARS) " of " (points.len()) " rows." } }
    }
}

fn part(of: f64, most: f64) -> f64 {
    if most > 0.0 { (of / most).clamp(0.0, 1.0) } else { 0.0 }
}

/// Each value holds until the time of the next.
fn steps(mut points: Vec<(DateTime<Utc>, f64)>) -> Markup {
    points.sort_by_key(|(at, _)| *at);
    let most = points.iter().map(|(_, of)| *of).fold(0.0, f64::max);
    let (first, last) = match (points.first(), points.last()) {
        (Some((first, _)), Some((last, _))) => (*first, *last),
        _ => return html! {},
    };
    #[expect(clippy::cast_precision_loss, reason = "a chart has fewer places than a float")]
    let seconds = |at: DateTime<Utc>| (at - first).num_milliseconds() as f64;
    let (whole, top) = (seconds(last).max(1.0), if most > 0.0 { most } else { 1.0 });
    let mut path = format!("M0 {HEIGHT}");
    let mut before = HEIGHT;
    for (at, of) in &points {
        let (x, y) = (seconds(*at) / whole * WIDTH, height(of.max(0.0), top));
        // Writing to a string cannot fail.
        let _ = write!(path, "L{x:.1} {before:.1}L{x:.1} {y:.1}");
        before = y;
    }
    let _ = write!(path, "L{WIDTH} {before:.1}L{WIDTH} {HEIGHT}Z");
    let ends = [time(first), time(last)];
    let says = format!("from {} to {}, most {most}", ends[0], ends[1]);
    framed(&says, &ends, &most.to_string(), &html! { path .requests d=(path) {} })
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn drawn(names: &[&str], rows: &[Value]) -> Option<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let rows: Vec<Vec<Value>> =
            rows.iter().map(|row| row.as_array().unwrap().clone()).collect();
        chart(&names, &rows).map(Markup::into_string)
    }

    #[test]
    fn names_become_bars_and_times_a_line() {
        let bars = drawn(&["path", "n"], &[json!(["/<b>", 4]), json!([null, 2])]).unwrap();
        assert!(bars.contains("/&lt;b&gt;") && bars.contains(r#"<meter value="0.5">"#), "{bars}");
        let bars = drawn(&["status", "n", "path"], &[json!([200, 4, "/"]), json!([404, 1, "/x"])])
            .unwrap();
        assert!(bars.contains("200") && bars.contains(r#"<meter value="0.25">"#), "{bars}");
        let rows = [json!([7, "2026-03-01T00:01:00Z"]), json!([3, "2026-03-01T00:00:00Z"])];
        let line = drawn(&["n", "at"], &rows).unwrap();
        assert!(line.contains("<svg") && line.contains("2026-03-01 00:01:00"), "{line}");
        assert!(!line.contains("style=") && !line.contains("NaN"), "{line}");
    }

    #[test]
    fn what_cannot_be_compared_is_no_chart() {
        assert!(drawn(&["path", "n"], &[json!(["/", 4])]).is_none(), "one row");
        assert!(
            drawn(&["a", "b"], &[json!(["x", "y"]), json!(["x", "y"])]).is_none(),
            "no numbers"
        );
        assert!(drawn(&["a"], &[json!([1]), json!([3])]).is_none(), "no names");
        assert!(
            drawn(&["a", "b"], &[json!(["x", null]), json!(["y", null])]).is_none(),
            "only nulls"
        );
        assert!(drawn(&["a", "b"], &[json!(["x", -1]), json!(["y", 0])]).is_some());
        assert!(drawn(&[], &[]).is_none());
    }
}

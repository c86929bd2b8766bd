//! Plots as SVG: a rate over time, its forecast, and what happened when.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

use super::layout::count;
use crate::questions::Row;

/// Size of the drawing, in its own units.
pub(super) const WIDTH: f64 = 720.0;
pub(super) const HEIGHT: f64 = 140.0;

/// Room that the letter of a mark takes.
const LETTER: f64 = 8.0;

/// Room below for the times.
const FOOT: f64 = 16.0;

/// Something that happened.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub(super) at: DateTime<Utc>,
    /// One letter, drawn above.
    pub(super) letter: &'static str,
    pub(super) says: String,
}

/// Requests over time.
#[derive(Debug, Clone)]
pub(super) struct Rate {
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
    pub(super) step: TimeDelta,
    /// Times, requests, forecast.
    points: Vec<(DateTime<Utc>, f64, Option<f64>)>,
}

impl Rate {
    /// From rows with `at`, `requests` and perhaps `forecast`.
    pub(super) fn new<'a>(
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        step: TimeDelta,
        rows: impl IntoIterator<Item = &'a Row>,
    ) -> Self {
        let point = |row: &Row| {
            let requests = row.number("requests").unwrap_or_default();
            row.time("at").map(|at| (at, requests, row.number("forecast")))
        };
        let mut points: Vec<_> = rows.into_iter().filter_map(point).collect();
        points.sort_by_key(|(at, ..)| *at);
        Self { from, to, step, points }
    }

    fn top(&self) -> f64 {
        let highest = |top: f64, (_, requests, forecast): &(_, f64, Option<f64>)| {
            top.max(*requests).max(forecast.unwrap_or_default())
        };
        self.points.iter().fold(0.0, highest)
    }

    fn x(&self, at: DateTime<Utc>) -> f64 {
        let whole = seconds(self.to - self.from).max(1.0);
        (seconds(at - self.from) / whole * WIDTH).clamp(0.0, WIDTH)
    }

    /// A line of steps: each value holds for its whole window. Where there is none, the line has a gap, or is at zero.
    fn steps(&self, value: impl Fn(&(DateTime<Utc>, f64, Option<f64>)) -> Option<f64>) -> String {
        let top = self.top().max(1.0);
        let mut path = String::new();
        for point in &self.points {
            let Some(value) = value(point) else { continue };
            let (left, right) = (self.x(point.0), self.x(point.0 + self.step));
            let y = height(value, top);
            // Writing to a string cannot fail.
            let _ = write!(
                path,
                "M{left:.1} {HEIGHT}L{left:.1} {y:.1}L{right:.1} {y:.1}L{right:.1} {HEIGHT}Z"
            );
        }
        path
    }

    fn forecast(&self) -> String {
        let top = self.top().max(1.0);
        let mut path = String::new();
        for (at, _, forecast) in &self.points {
            let Some(forecast) = forecast else { continue };
            let (left, right) = (self.x(*at), self.x(*at + self.step));
            let y = height(*forecast, top);
            let _ = write!(path, "M{left:.1} {y:.1}L{right:.1} {y:.1}");
        }
        path
    }

    /// What it shows, in words.
    fn says(&self) -> String {
        let highest = self.points.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        match highest {
            Some((at, requests, _)) => format!(
                "requests in {}; most at {}: {}",
                span(self.step),
                at.format("%Y-%m-%d %H:%M"),
                count(whole(*requests))
            ),
            None => "no requests".to_owned(),
        }
    }

    /// Draws it.
    ///
    /// Marks of what happened before or after it are left out.
    pub(super) fn draw(&self, marks: &[Mark]) -> Markup {
        let is_within = |mark: &&Mark| self.from <= mark.at && mark.at <= self.to;
        let marks: Vec<&Mark> = marks.iter().filter(is_within).collect();
        let label = |at: DateTime<Utc>| at.format("%m-%d %H:%M").to_string();
        let drawn = html! {
            path .requests d=(self.steps(|point| Some(point.1))) {}
            path .forecast d=(self.forecast()) {}
            @for (at, mark) in marks.iter().enumerate() {
                @let x = format!("{:.1}", self.x(mark.at));
                @let is_apart = !marks.iter().take(at).any(|other| (self.x(other.at) - self.x(mark.at)).abs() < LETTER);
                g .mark {
                    title { (mark.says) }
                    line x1=(x) x2=(x) y1="0" y2=(HEIGHT) {}
                    @if is_apart { text x=(x) y="-3" text-anchor="middle" { (mark.letter) } }
                }
            }
        };
        let ends = [label(self.from), label(self.to)];
        html! {
            figure .plot {
                (framed(&self.says(), &ends, &count(whole(self.top())), &drawn))
                figcaption { (self.says()) "." }
            }
        }
    }

    /// Draws it small, without words.
    pub(super) fn draw_small(&self) -> Markup {
        html! {
            svg .small viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(self.says()) {
                path .requests d=(self.steps(|point| Some(point.1))) {}
                path .forecast d=(self.forecast()) {}
            }
        }
    }
}

/// Where a value is drawn, on a scale that ends with `top`.
pub(super) fn height(value: f64, top: f64) -> f64 {
    HEIGHT - value / top * (HEIGHT - FOOT)
}

/// What is drawn over time, with its axis.
///
/// - `says`: the same in words;
/// - `ends`: beginning and end of the time;
/// - `top`: the greatest value.
pub(super) fn framed(says: &str, ends: &[String; 2], top: &str, drawn: &Markup) -> Markup {
    let [from, to] = ends;
    html! {
        svg viewBox={ "0 -14 " (WIDTH) " " (HEIGHT + 14.0 + FOOT) } role="img" aria-label=(says) {
            (drawn)
            line .axis x1="0" y1=(HEIGHT) x2=(WIDTH) y2=(HEIGHT) {}
            text .label x="0" y=(HEIGHT + FOOT - 3.0) { (from) }
            text .label x=(WIDTH) y=(HEIGHT + FOOT - 3.0) text-anchor="end" { (to) }
            text .label x="2" y=(FOOT - 5.0) { (top) }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a plot has fewer places than a float")]
fn seconds(span: TimeDelta) -> f64 {
    span.num_seconds() as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts, shown")]
fn whole(number: f64) -> u64 {
    number.max(0.0).round() as u64
}

/// A time span in words.
fn span(step: TimeDelta) -> String {
    match step.num_seconds() {
        60 => "a minute".to_owned(),
        3_600 => "an hour".to_owned(),
        86_400 => "a day".to_owned(),
        seconds if seconds % 3_600 == 0 => format!("{} hours", seconds / 3_600),
        seconds if seconds % 60 == 0 => format!("{} minutes", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_has_its_rate_its_forecast_and_its_marks() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let rows: Vec<Row> = [
            r#"{"at": "2026-03-01T00:01:00Z", "requests": 300, "forecast": 30.0}"#,
            r#"{"at": "2026-03-01T00:00:00Z", "requests": 20, "forecast": null}"#,
        ]
        .map(|row| Row(serde_json::from_str(row).unwrap()))
        .into();
        let range = (at("2026-03-01T00:00:00Z"), at("2026-03-01T00:02:00Z"));
        let rate = Rate::new(range, TimeDelta::minutes(1), &rows);
        assert_eq!(rate.says(), "requests in a minute; most at 2026-03-01 00:01: 300");
        assert_eq!(rate.forecast().matches('M').count(), 1);
        let mark = Mark { at: range.0, letter: "O", says: "<opened>".to_owned() };
        let before =
            Mark { at: at("2026-02-28T23:00:00Z"), letter: "X", says: "before".to_owned() };
        let drawn = rate.draw(&[mark, before]).into_string();
        assert!(!drawn.contains("before"), "{drawn}");
        assert!(drawn.contains("<title>&lt;opened&gt;</title>"), "{drawn}");
        assert!(!drawn.contains("style="), "the policy forbids it");
        let empty = Rate::new(range, TimeDelta::minutes(1), []);
        assert_eq!(empty.says(), "no requests");
    }
}

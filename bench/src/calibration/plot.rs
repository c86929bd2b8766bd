//! The two plots as SVG, without a library: axes, a diagonal, points with their intervals.

use std::fmt::Write as _;

use super::figures::{garwood, wilson};
use super::page::per_day;
use super::tally::{Tally, bins};
use super::{Counted, DEFAULT, SETTINGS};
use crate::measure::float;

/// Size of the picture and of its margins, pixels.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 480.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 64.0;

/// A point with its interval, in the units of its axes.
#[derive(Debug, Clone, Copy)]
struct Point {
    x: f64,
    y: f64,
    low: f64,
    high: f64,
}

/// An axis: its ends, what is written where, and its name.
struct Axis {
    from: f64,
    to: f64,
    ticks: Vec<(f64, String)>,
    name: &'static str,
}

impl Axis {
    /// Place of a value between 0 and 1.
    fn place(&self, value: f64) -> f64 {
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }
}

/// Promised against observed, both as powers of ten.
pub fn false_alarms(clean: &Tally) -> String {
    let least = -7.0;
    let log = |x: f64| if x > 0.0 { x.log10().max(least) } else { least };
    let points = SETTINGS.iter().enumerate().map(|(at, setting)| {
        let count = clean.false_alarms(at).count() as u64;
        let (low, high) = garwood(count, clean.site_days);
        let y = log(per_day(count, clean.site_days));
        Point { x: log(*setting), y, low: log(low), high: log(high) }
    });
    let ticks = |from: i32, to: i32| {
        (from..=to).step_by(2).map(|power| (f64::from(power), format!("1e{power}"))).collect()
    };
    draw(
        "False alarms a site-day: below the line is what was promised",
        &Axis { from: least, to: 1.5, ticks: ticks(-6, 0), name: "promised (false-alarms)" },
        &Axis { from: least, to: 1.5, ticks: ticks(-6, 0), name: "observed; at the foot: none" },
        &points.collect::<Vec<_>>(),
    )
}

/// Confidence said against the share that was right.
pub fn confidence(counted: &Counted) -> String {
    let both = counted.planted.judged[DEFAULT].iter().chain(&counted.clean.judged[DEFAULT]);
    let points = bins(both).into_iter().map(|bin| {
        let (low, high) = wilson(bin.right, bin.of);
        Point { x: bin.said, y: float(bin.right) / float(bin.of), low, high }
    });
    let ticks = || [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| (share, share.to_string())).into();
    draw(
        "Confidence: on the line, what is said is what comes",
        &Axis { from: 0.0, to: 1.0, ticks: ticks(), name: "mean confidence said when it opened" },
        &Axis { from: 0.0, to: 1.0, ticks: ticks(), name: "share that were attacks" },
        &points.collect::<Vec<_>>(),
    )
}

/// Adds an element; writing to a string cannot fail.
macro_rules! add {
    ($svg:expr, $($text:tt)*) => {{ let _ = writeln!($svg, $($text)*); }};
}

fn draw(title: &str, x_axis: &Axis, y_axis: &Axis, points: &[Point]) -> String {
    let (right, foot) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    let x = |value: f64| LEFT + (right - LEFT) * x_axis.place(value);
    let y = |value: f64| foot - (foot - TOP) * y_axis.place(value);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"14\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"28\" font-size=\"16\">{title}</text>\n"
    );
    for (value, text) in &x_axis.ticks {
        let at = x(*value);
        add!(
            svg,
            "<line x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{foot}\" stroke=\"#dddddd\"/>"
        );
        add!(svg, "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{text}</text>", foot + 20.0);
    }
    for (value, text) in &y_axis.ticks {
        let at = y(*value);
        add!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\" stroke=\"#dddddd\"/>"
        );
        add!(
            svg,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
            LEFT - 8.0,
            at + 5.0
        );
    }
    add!(
        svg,
        "<rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#333333\"/>",
        right - LEFT,
        foot - TOP
    );
    let (middle_x, middle_y) = (f64::midpoint(LEFT, right), f64::midpoint(TOP, foot));
    add!(
        svg,
        "<text x=\"{middle_x}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
        foot + 46.0,
        x_axis.name
    );
    add!(
        svg,
        "<text x=\"22\" y=\"{middle_y}\" text-anchor=\"middle\" transform=\"rotate(-90 22 {middle_y})\">{}</text>",
        y_axis.name
    );
    add!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#888888\" stroke-dasharray=\"6 4\"/>",
        x(x_axis.from),
        y(x_axis.from),
        x(x_axis.to),
        y(x_axis.to)
    );
    for point in points {
        mark(&mut svg, x(point.x), [point.low, point.y, point.high].map(y));
    }
    svg.push_str("</svg>\n");
    svg
}

/// A point with its interval, in pixels: across, and how far down are its lower end, itself and its upper end.
fn mark(svg: &mut String, at: f64, [low, middle, high]: [f64; 3]) {
    const STROKE: &str = "stroke=\"#1f5fa8\" stroke-width=\"2\"";
    add!(svg, "<line x1=\"{at:.1}\" y1=\"{low:.1}\" x2=\"{at:.1}\" y2=\"{high:.1}\" {STROKE}/>");
    for end in [low, high] {
        let (left, right) = (at - 5.0, at + 5.0);
        add!(
            svg,
            "<line x1=\"{left:.1}\" y1=\"{end:.1}\" x2=\"{right:.1}\" y2=\"{end:.1}\" {STROKE}/>"
        );
    }
    add!(svg, "<circle cx=\"{at:.1}\" cy=\"{middle:.1}\" r=\"5\" fill=\"#1f5fa8\"/>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_where_it_belongs() {
        let axis =
            || Axis { from: 0.0, to: 1.0, ticks: vec![(0.5, "half".to_owned())], name: "share" };
        let svg = draw("t", &axis(), &axis(), &[Point { x: 0.5, y: 1.0, low: 0.0, high: 1.0 }]);
        let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
        assert!(svg.contains(&format!("<circle cx=\"{middle:.1}\" cy=\"{TOP:.1}\"")), "{svg}");
        assert!(svg.contains(">half</text>") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn none_observed_is_at_the_foot_and_its_interval_reaches_up() {
        let clean = Tally { site_days: 300.0, ..Tally::default() };
        let svg = false_alarms(&clean);
        let foot = HEIGHT - BOTTOM;
        assert_eq!(svg.matches(&format!("cy=\"{foot:.1}\"")).count(), SETTINGS.len());
    }
}

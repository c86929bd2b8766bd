//! How a run went, as SVG: what was read, how far behind it was, memory and files over time.

use std::fmt::Write as _;

use super::page::rate;
use super::watch::Sample;
use crate::measure::float;

/// Size of the picture, of a panel in it, and of its margins, pixels.
const WIDTH: f64 = 760.0;
const PANEL: f64 = 120.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 20.0;
const GAP: f64 = 44.0;

/// A line over time.
type Panel = (&'static str, fn(&[Sample], usize) -> f64);

const PANELS: [Panel; 4] = [
    ("lines read a second", rate),
    ("lag, seconds", |samples, at| samples[at].lag_s),
    ("resident memory, MiB", |samples, at| float(samples[at].rss_bytes >> 20)),
    ("data files of requests", |samples, at| float(samples[at].files as u64)),
];

/// Draws the panels, one below the other.
pub fn draw(samples: &[Sample]) -> String {
    let height = float(PANELS.len() as u64) * (PANEL + GAP) + GAP;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let end_s = samples.last().map_or(1, |last| last.at_s.max(1));
    for (number, (name, of)) in PANELS.iter().enumerate() {
        let top = float(number as u64) * (PANEL + GAP) + GAP;
        panel(&mut svg, top, name, end_s, samples, *of);
    }
    svg.push_str("</svg>\n");
    svg
}

fn panel(
    svg: &mut String,
    top: f64,
    name: &str,
    end_s: u64,
    samples: &[Sample],
    of: fn(&[Sample], usize) -> f64,
) {
    let (foot, right) = (top + PANEL, WIDTH - RIGHT);
    let most = (0..samples.len()).map(|at| of(samples, at)).fold(0.0, f64::max).max(1e-9);
    let x = |at_s: u64| LEFT + float(at_s) / float(end_s) * (right - LEFT);
    let y = |value: f64| foot - value / most * PANEL;
    let points: Vec<String> = (0..samples.len())
        .map(|at| format!("{:.1},{:.1}", x(samples[at].at_s), y(of(samples, at))))
        .collect();
    let digits = if most < 10.0 { 2 } else { 0 };
    // Writing to a string cannot fail.
    let _ = write!(
        svg,
        "<text x=\"{LEFT}\" y=\"{}\">{name}</text>\n\
         <path d=\"M{LEFT} {top}V{foot}H{right}\" fill=\"none\" stroke=\"#888888\"/>\n\
         <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{most:.digits$}</text>\n\
         <text x=\"{}\" y=\"{foot}\" text-anchor=\"end\">0</text>\n\
         <text x=\"{right}\" y=\"{}\" text-anchor=\"end\">{} min</text>\n\
         <polyline points=\"{}\" fill=\"none\" stroke=\"#1f5fa8\" stroke-width=\"1.5\"/>\n",
        top - 8.0,
        LEFT - 8.0,
        top + 6.0,
        LEFT - 8.0,
        foot + 16.0,
        end_s / 60,
        points.join(" "),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_is_at_the_top_and_the_end_at_the_right() {
        let sample = |at_s, files| Sample { at_s, files, ..Sample::default() };
        let svg = draw(&[sample(60, 1), sample(120, 8)]);
        let top = 3.0 * (PANEL + GAP) + GAP;
        assert!(svg.contains(&format!("{:.1},{top:.1}\"", WIDTH - RIGHT)), "{svg}");
        assert_eq!(svg.matches("<polyline").count(), PANELS.len());
    }
}

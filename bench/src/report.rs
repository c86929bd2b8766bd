//! Figures as a table.

use std::fmt::Write as _;

use crate::measure::{Case, Group, float};

/// Head of the table; widths are those of a row.
const HEAD: [&str; 9] = [
    "records/s",
    "MB/s",
    "ns/record",
    "CPU ns",
    "min s",
    "median s",
    "max s",
    "peak MiB",
    "written MB",
];

/// Every case with its baselines below it. Rates are of the median run; MB are 10⁶ bytes read; `CPU ns` is
/// processor time of all threads a record.
pub fn table(groups: &[Group]) -> String {
    let mut out = String::new();
    line(&mut out, "stage", "case", &HEAD.map(str::to_owned), "");
    for group in groups {
        line(&mut out, group.stage, &group.case.name, &figures(&group.case), "");
        for baseline in &group.baselines {
            let share = baseline.wall_s().median / group.case.wall_s().median;
            let name = format!("  {}", baseline.name);
            let note = format!("{}× its speed", digits(share));
            line(&mut out, "", &name, &figures(baseline), &note);
        }
    }
    out
}

fn line(out: &mut String, stage: &str, name: &str, figures: &[String; 9], note: &str) {
    let mut text = format!("{stage:<7}{name:<38}");
    for figure in figures {
        // Writing to a String cannot fail.
        let _ = write!(text, " {figure:>10}");
    }
    if !note.is_empty() {
        let _ = write!(text, "  {note}");
    }
    out.push_str(text.trim_end());
    out.push('\n');
}

fn figures(case: &Case) -> [String; 9] {
    let wall = case.wall_s();
    let records = float(case.records);
    let nothing = || "-".to_owned();
    [
        thousands(records / wall.median),
        digits(float(case.bytes) / wall.median / 1e6),
        digits(wall.median / records * 1e9),
        case.cpu_s().map_or_else(nothing, |cpu| digits(cpu.median / records * 1e9)),
        format!("{:.3}", wall.min),
        format!("{:.3}", wall.median),
        format!("{:.3}", wall.max),
        case.peak_rss_bytes().map_or_else(nothing, |bytes| digits(float(bytes >> 10) / 1024.0)),
        case.written_bytes().map_or_else(nothing, |bytes| digits(float(bytes) / 1e6)),
    ]
}

/// Three digits that count, more before the point.
fn digits(value: f64) -> String {
    match value {
        v if v >= 100.0 => thousands(v),
        v if v >= 10.0 => format!("{v:.1}"),
        v if v >= 1.0 => format!("{v:.2}"),
        v => format!("{v:.3}"),
    }
}

/// A whole number in groups of three digits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a figure is positive")]
fn thousands(value: f64) -> String {
    schemas::text::thousands(value.round() as u64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::measure::Run;

    #[test]
    fn numbers_are_short() {
        assert_eq!(thousands(1_234_567.4), "1,234,567");
        assert_eq!([0.012_34, 1.234, 12.34, 123.4].map(digits), ["0.012", "1.23", "12.3", "123"]);
    }

    #[test]
    fn a_baseline_says_how_fast_the_case_is_beside_it() {
        let case = |name: &str, ms| Case {
            name: name.to_owned(),
            records: 1_000,
            bytes: 800_000,
            runs: vec![Run { wall: Duration::from_millis(ms), ..Run::default() }],
        };
        let group = Group { stage: "decode", case: case("x", 4), baselines: vec![case("y", 2)] };
        let table = table(&[group]);
        let rows: Vec<&str> = table.lines().collect();
        assert!(rows[1].starts_with("decode x ") && rows[1].contains("    250,000        200"));
        assert!(rows[2].ends_with("0.500× its speed"), "{table}");
    }
}

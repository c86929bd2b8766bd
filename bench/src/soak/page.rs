//! The figures of a run as a page.

use std::fmt::Write as _;

use super::watch::Sample;
use super::{LOOK_EVERY_S, Soaked};
use crate::machine::Machine;
use crate::measure::float;

/// Seconds after which memory and rate are those of a process that has settled.
const SETTLED_S: u64 = 300;

const DAY_S: f64 = 86_400.0;

const MIB: f64 = 1_048_576.0;

/// Writes the page.
pub fn page(soaked: &Soaked, before: &Machine) -> String {
    let now = Machine::now();
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "# Soak\n\n\
         {} minutes of {} lines a second and {} floods of a minute each, three times as much, through `ship`, {} and `run`; \
         looked at every {LOOK_EVERY_S} s. Every line is stored once, and `check` finds the tables whole.\n\n\
         - {}, {} threads, {}\n- commit {}\n- load {} before, {} after\n\n\
         | what | first look | settled, {SETTLED_S} s | middle | end | most |\n|---|---:|---:|---:|---:|---:|\n",
        soaked.minutes,
        soaked.rate,
        soaked.floods,
        soaked.broker,
        before.cpu,
        before.cores,
        before.system,
        before.commit,
        before.load,
        now.load,
    );
    for row in rows(&soaked.samples) {
        let _ = writeln!(page, "{row}");
    }
    let _ = write!(page, "\n{}\n\n![How it went](soak.svg)\n", words(soaked));
    page
}

/// A figure of each moment.
type Figure = (&'static str, fn(&[Sample], usize) -> f64, usize);

/// Lines read a second since the look before.
pub fn rate(samples: &[Sample], at: usize) -> f64 {
    let Some(before) = at.checked_sub(1) else {
        return float(samples[at].read) / float(samples[at].at_s.max(1));
    };
    let (from, to) = (samples[before], samples[at]);
    float(to.read.saturating_sub(from.read)) / float((to.at_s - from.at_s).max(1))
}

fn processor(samples: &[Sample], at: usize) -> f64 {
    let before = at.checked_sub(1).map(|before| samples[before]).unwrap_or_default();
    (samples[at].cpu_s - before.cpu_s) / float((samples[at].at_s - before.at_s).max(1))
}

const FIGURES: [Figure; 8] = [
    ("lines read a second", rate, 0),
    (
        "lines on their way",
        |samples, at| float(samples[at].sent.saturating_sub(samples[at].read)),
        0,
    ),
    ("lag, seconds", |samples, at| samples[at].lag_s, 2),
    ("resident memory, MiB", |samples, at| float(samples[at].rss_bytes) / MIB, 0),
    ("processors busy", processor, 2),
    ("data files of `requests`", |samples, at| float(samples[at].files as u64), 0),
    ("tables, MiB", |samples, at| float(samples[at].bytes) / MIB, 0),
    ("states written, MiB", |samples, at| float(samples[at].state_bytes) / MIB, 1),
];

fn rows(samples: &[Sample]) -> Vec<String> {
    let Some(last) = samples.len().checked_sub(1) else { return Vec::new() };
    let settled = samples.iter().position(|sample| sample.at_s >= SETTLED_S).unwrap_or(last);
    let row = |(name, of, digits): &Figure| {
        let at = |at: usize| format!("{:.*}", *digits, of(samples, at));
        let most = (0..samples.len()).map(|at| of(samples, at)).fold(0.0, f64::max);
        let places = [0, settled, last / 2, last].map(at).join(" | ");
        format!("| {name} | {places} | {most:.*} |", *digits)
    };
    FIGURES.iter().map(row).collect()
}

fn words(soaked: &Soaked) -> String {
    let Some(last) = soaked.samples.last() else { return "Nothing was seen.".to_owned() };
    let mut lags: Vec<f64> = soaked.samples.iter().map(|sample| sample.lag_s).collect();
    lags.sort_by(f64::total_cmp);
    let lag = |share: usize| lags[(lags.len() - 1) * share / 100];
    let a_day = float(last.state_bytes) / float(last.at_s.max(1)) * DAY_S / 1e9;
    format!(
        "{} lines sent. Lag at a look: half within {:.2} s, 99 of 100 within {:.2} s. States of the detector at this pace: \
         {a_day:.2} GB a day. The tables hold {} attacks, of {} floods, and {} incidents in all.",
        soaked.sent,
        lag(50),
        lag(99),
        soaked.found[0],
        soaked.floods,
        soaked.found[1],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_their_moments() {
        let sample =
            |at_s, read, rss: u64| Sample { at_s, read, rss_bytes: rss << 20, ..Sample::default() };
        let samples = [sample(10, 100, 50), sample(20, 400, 90), sample(310, 3_300, 70)];
        let rows = rows(&samples);
        assert_eq!(rows[0], "| lines read a second | 10 | 10 | 30 | 10 | 30 |");
        assert_eq!(rows[3], "| resident memory, MiB | 50 | 70 | 90 | 70 | 90 |");
    }
}

//! Runs, cases and their order.

use std::fs;
use std::time::{Duration, Instant};

use crate::error::BenchError;
use crate::say;

/// One run of a case.
#[derive(Debug, Clone, Copy, Default)]
pub struct Run {
    /// Time on the clock.
    pub wall: Duration,
    /// Time on processors, all threads together; `None` where the system does not tell.
    pub cpu: Option<Duration>,
    /// Largest resident memory of a measured process, bytes.
    pub peak_rss_bytes: Option<u64>,
    /// Bytes written.
    pub written_bytes: Option<u64>,
}

/// Something measured, and its runs.
#[derive(Debug, Clone)]
pub struct Case {
    /// Name, such as `cloudflare`; of a baseline, what it does.
    pub name: String,
    /// Records a run takes in.
    pub records: u64,
    /// Bytes a run takes in.
    pub bytes: u64,
    /// The runs, in order.
    pub runs: Vec<Run>,
}

/// A measured case and others that do comparable work on the same input.
#[derive(Debug, Clone)]
pub struct Group {
    /// The stage.
    pub stage: &'static str,
    /// What is measured.
    pub case: Case,
    /// What it is compared with.
    pub baselines: Vec<Case>,
}

/// Least, middle and greatest of some values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Least.
    pub min: f64,
    /// Middle; of an even number, the mean of the middle two.
    pub median: f64,
    /// Greatest.
    pub max: f64,
}

impl Spread {
    /// Of some values; `None` when there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let half = values.len() / 2;
        let upper = *values.get(half)?;
        let lower = *values.get(half.checked_sub(1 - values.len() % 2)?)?;
        Some(Self {
            min: *values.first()?,
            median: f64::midpoint(lower, upper),
            max: *values.last()?,
        })
    }
}

impl Case {
    /// Seconds on the clock.
    pub fn wall_s(&self) -> Spread {
        Spread::of(self.runs.iter().map(|run| run.wall.as_secs_f64())).unwrap_or(Spread {
            min: f64::NAN,
            median: f64::NAN,
            max: f64::NAN,
        })
    }

    /// Seconds on processors, where every run knows them.
    pub fn cpu_s(&self) -> Option<Spread> {
        let seconds: Option<Vec<f64>> =
            self.runs.iter().map(|run| run.cpu.map(|cpu| cpu.as_secs_f64())).collect();
        Spread::of(seconds?)
    }

    /// Largest resident memory over all runs, bytes.
    pub fn peak_rss_bytes(&self) -> Option<u64> {
        self.runs.iter().filter_map(|run| run.peak_rss_bytes).max()
    }

    /// Bytes written by the last run.
    pub fn written_bytes(&self) -> Option<u64> {
        self.runs.last().and_then(|run| run.written_bytes)
    }
}

/// A case that can be run; the first one of a group is the measured one.
pub struct Bench<'a> {
    name: String,
    run: Box<dyn FnMut() -> Result<Run, BenchError> + 'a>,
}

impl<'a> Bench<'a> {
    /// A case called `name`; `run` does its work once and says what it took.
    pub fn new(name: impl Into<String>, run: impl FnMut() -> Result<Run, BenchError> + 'a) -> Self {
        Self { name: name.into(), run: Box::new(run) }
    }
}

/// How much a group reads in a run, and how often it is run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Measured runs of each case.
    pub repeat: u32,
    /// Whether a first run is not counted, which warms caches.
    pub warm_up: bool,
    /// Records a run takes in.
    pub records: u64,
    /// Bytes a run takes in.
    pub bytes: u64,
}

/// Runs a case and its baselines in turns: case, baselines, case, baselines, …
///
/// # Errors
/// That of the first run that fails.
pub fn in_turns(
    stage: &'static str,
    plan: Plan,
    measured: Bench<'_>,
    baselines: Vec<Bench<'_>>,
) -> Result<Group, BenchError> {
    say(&format!("{stage} {}", measured.name));
    let Plan { records, bytes, .. } = plan;
    let mut benches: Vec<Bench<'_>> = std::iter::once(measured).chain(baselines).collect();
    let mut cases: Vec<Case> = benches
        .iter()
        .map(|bench| Case { name: bench.name.clone(), records, bytes, runs: Vec::new() })
        .collect();
    for round in 0..plan.repeat + u32::from(plan.warm_up) {
        for (bench, case) in benches.iter_mut().zip(&mut cases) {
            let run = (bench.run)()?;
            if !plan.warm_up || round > 0 {
                case.runs.push(run);
            }
        }
    }
    let case = cases.remove(0);
    Ok(Group { stage, case, baselines: cases })
}

/// Measures work inside this process.
///
/// # Errors
/// That of the work.
pub fn timed<T>(work: impl FnOnce() -> Result<T, BenchError>) -> Result<(T, Run), BenchError> {
    let (cpu, start) = (cpu_of_threads(), Instant::now());
    let outcome = work()?;
    let wall = start.elapsed();
    let cpu = cpu_of_threads().zip(cpu).map(|(after, before)| after.saturating_sub(before));
    Ok((outcome, Run { wall, cpu, ..Run::default() }))
}

/// Processor time of the threads that are alive, from Linux's `schedstat`: its first number is in nanoseconds.
fn cpu_of_threads() -> Option<Duration> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir("/proc/self/task").ok()?.flatten() {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        sum += Duration::from_nanos(text.split_ascii_whitespace().next()?.parse().ok()?);
    }
    Some(sum)
}

/// A count as a number that can be divided.
#[expect(clippy::cast_precision_loss, reason = "figures have three digits")]
pub const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_the_middle() {
        let spread = |values: &[f64]| Spread::of(values.iter().copied());
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[2.0]), Some(Spread { min: 2.0, median: 2.0, max: 2.0 }));
        assert_eq!(spread(&[4.0, 1.0]), Some(Spread { min: 1.0, median: 2.5, max: 4.0 }));
        assert_eq!(spread(&[9.0, 1.0, 2.0]), Some(Spread { min: 1.0, median: 2.0, max: 9.0 }));
    }

    #[test]
    fn cases_take_turns_and_the_first_round_does_not_count() {
        let log = std::cell::RefCell::new(String::new());
        let bench = |name: &'static str| {
            let log = &log;
            Bench::new(name, move || {
                log.borrow_mut().push_str(name);
                Ok(Run::default())
            })
        };
        let plan = Plan { repeat: 2, warm_up: true, records: 1, bytes: 1 };
        let group = in_turns("stage", plan, bench("a"), vec![bench("b")]).unwrap();
        assert_eq!(log.borrow().as_str(), "ababab");
        assert_eq!((group.case.runs.len(), group.baselines.len()), (2, 1));
    }
}

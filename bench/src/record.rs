//! Figures kept: a folder with what was run, where, and every run.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::Utc;

use crate::error::BenchError;
use crate::machine::Machine;
use crate::measure::{Case, Group};

/// Writes `README.md` and `raw.csv` into a new folder `<date>-<processor>` in `runs`; returns its path.
///
/// # Errors
/// When they cannot be written.
pub fn write(
    runs: &Path,
    before: &Machine,
    table: &str,
    groups: &[Group],
) -> Result<PathBuf, BenchError> {
    let name = format!("{}-{}", Utc::now().format("%Y-%m-%d"), before.slug());
    let fail = |error| BenchError::io(format!("write {}", runs.join(&name).display()), error);
    fs::create_dir_all(runs).map_err(fail)?;
    let folder = new_folder(runs, &name).map_err(fail)?;
    fs::write(folder.join("README.md"), readme(before, &Machine::now(), table)).map_err(fail)?;
    fs::write(folder.join("raw.csv"), raw(groups)).map_err(fail)?;
    Ok(folder)
}

/// A folder that was not there: `name`, `name-2`, `name-3`, …
fn new_folder(runs: &Path, name: &str) -> std::io::Result<PathBuf> {
    let mut number = 1;
    loop {
        let folder = match number {
            1 => runs.join(name),
            n => runs.join(format!("{name}-{n}")),
        };
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            made => return made.map(|()| folder),
        }
    }
}

fn readme(before: &Machine, after: &Machine, table: &str) -> String {
    let args: Vec<String> = std::env::args().skip(1).collect();
    format!(
        "# {}\n\n\
         - Command: `cargo run --release -p bench -- {}`\n\
         - Commit: {}\n\
         - Machine: {}, {} cores, {}\n\
         - Load averages before: {}; after: {}\n\n\
         ```text\n{table}```\n",
        Utc::now().format("%Y-%m-%d %H:%M UTC"),
        args.join(" "),
        before.commit,
        before.cpu,
        before.cores,
        before.system,
        before.load,
        after.load,
    )
}

/// Every run of every case, one a line.
fn raw(groups: &[Group]) -> String {
    let mut out =
        "stage,case,baseline,run,records,bytes,wall_s,cpu_s,peak_rss_bytes,written_bytes\n"
            .to_owned();
    for group in groups {
        let start = format!("{},{}", group.stage, group.case.name);
        rows(&mut out, &format!("{start},"), &group.case);
        for baseline in &group.baselines {
            rows(&mut out, &format!("{start},{}", baseline.name), baseline);
        }
    }
    out
}

/// The runs of a case; `start` is stage, case and baseline.
fn rows(out: &mut String, start: &str, case: &Case) {
    let known = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
    for (number, run) in (1..).zip(&case.runs) {
        let cpu = run.cpu.map_or_else(String::new, |cpu| format!("{:.6}", cpu.as_secs_f64()));
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{start},{number},{},{},{:.6},{cpu},{},{}",
            case.records,
            case.bytes,
            run.wall.as_secs_f64(),
            known(run.peak_rss_bytes),
            known(run.written_bytes),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::measure::Run;

    #[test]
    fn every_run_is_a_line() {
        let wall = Duration::from_millis(1_500);
        let run = Run { wall, peak_rss_bytes: Some(7), ..Run::default() };
        let case = Case { name: "x".into(), records: 3, bytes: 4, runs: vec![run, run] };
        let text = raw(&[Group { stage: "scan", case, baselines: Vec::new() }]);
        assert_eq!(text.lines().nth(2), Some("scan,x,,2,3,4,1.500000,,7,"));
    }

    #[test]
    fn a_second_record_of_a_day_gets_a_folder_of_its_own() {
        let runs = tempfile::tempdir().unwrap();
        let machine = Machine::now();
        let first = write(runs.path(), &machine, "", &[]).unwrap();
        let second = write(runs.path(), &machine, "", &[]).unwrap();
        assert_ne!(first, second);
        assert!(second.join("raw.csv").is_file() && second.join("README.md").is_file());
    }
}

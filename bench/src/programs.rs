//! Other programs that read the same logs, where they are installed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::error::BenchError;
use crate::measure::{Bench, Run};
use crate::process;
use crate::say;
use crate::stages::check;

/// `GoAccess`: parses and aggregates, for its report.
#[derive(Debug)]
pub struct GoAccess;

impl GoAccess {
    /// `GoAccess` on a `combined` file of so many lines, start of the process to its end.
    pub fn bench(file: &Path, lines: u64) -> Option<Bench<'_>> {
        if !answers(Command::new("goaccess").arg("--version")) {
            say("no GoAccess: it is not installed");
            return None;
        }
        Some(Bench::new("GoAccess: parse, aggregate", move || Self::run(file, lines)))
    }

    fn run(file: &Path, lines: u64) -> Result<Run, BenchError> {
        let fail = |error| BenchError::io("read the report of GoAccess", error);
        let report = tempfile::Builder::new().suffix(".json").tempfile().map_err(fail)?;
        let mut command = Command::new("goaccess");
        command.arg(file).args(["--log-format=COMBINED", "--no-global-config", "--no-progress"]);
        let (_, run) = process::timed(command.arg("-o").arg(report.path()))?;
        let text = std::fs::read(report.path()).map_err(fail)?;
        let report: serde_json::Value = serde_json::from_slice(&text)?;
        let read = report.pointer("/general/total_requests").and_then(serde_json::Value::as_u64);
        check("GoAccess", lines, read.unwrap_or_default())?;
        Ok(run)
    }
}

/// `DuckDB`, by its command line or by its Python package. Only queries are timed: no start, no import.
#[derive(Debug, Clone, Copy)]
pub enum DuckDb {
    /// `duckdb`.
    Cli,
    /// `import duckdb`.
    Python,
}

/// The keys that are decoded of `cloudflare`.
const CLOUDFLARE: [&str; 20] = [
    "EdgeStartTimestamp",
    "EdgeEndTimestamp",
    "EdgeColoCode",
    "ClientIP",
    "ClientASN",
    "ClientCountry",
    "ClientRequestMethod",
    "ClientRequestScheme",
    "ClientRequestHost",
    "ClientRequestURI",
    "ClientRequestProtocol",
    "EdgeResponseStatus",
    "ClientRequestBytes",
    "EdgeResponseBytes",
    "ClientRequestUserAgent",
    "ClientRequestReferer",
    "CacheCacheStatus",
    "JA3Hash",
    "JA4",
    "RayID",
];

/// Runs a query with so many threads, and says what it took: wall and processor seconds, then its first value.
const PYTHON: &str = "
import duckdb, sys, time
connection = duckdb.connect()
connection.execute('SET enable_progress_bar = false')
if sys.argv[2]:
    connection.execute('SET threads TO ' + sys.argv[2])
wall, cpu = time.perf_counter(), time.process_time()
value = connection.execute(sys.argv[1]).fetchone()[0]
print(time.perf_counter() - wall, time.process_time() - cpu, value)
";

impl DuckDb {
    /// The one that is installed.
    pub fn find() -> Option<Self> {
        if answers(Command::new("duckdb").arg("--version")) {
            Some(Self::Cli)
        } else if answers(Command::new("python3").args(["-c", "import duckdb"])) {
            Some(Self::Python)
        } else {
            say("no DuckDB: neither `duckdb` nor Python's package is installed");
            None
        }
    }

    /// `DuckDB`'s JSON reader on a `cloudflare` file: the columns that we decode, counted, which is the least that
    /// needs their values.
    pub fn to_columns(file: &Path, lines: u64) -> Vec<Bench<'_>> {
        let Some(duckdb) = Self::find() else { return Vec::new() };
        let counts = CLOUDFLARE.map(|key| format!(", count(\"{key}\")")).concat();
        let sql = format!("SELECT count(*){counts} FROM {}", Self::source(file));
        let all = std::thread::available_parallelism().map_or(1, Into::into);
        let name = |threads| format!("DuckDB: parse to columns, {threads} threads");
        [("DuckDB: parse to columns, 1 thread".to_owned(), Some(1)), (name(all), None)]
            .map(|(name, threads)| {
                let sql = sql.clone();
                Bench::new(name, move || duckdb.run(&sql, threads, lines))
            })
            .into()
    }

    /// The log as a Parquet file, all columns, on as many threads as the machine has.
    ///
    /// # Errors
    /// When it fails or reads fewer lines.
    pub fn to_parquet(self, file: &Path, lines: u64) -> Result<Run, BenchError> {
        let folder = tempfile::tempdir().map_err(|error| BenchError::io("make a folder", error))?;
        let sql = format!(
            "COPY (SELECT * FROM {}) TO {out} (FORMAT parquet, COMPRESSION zstd);
             SELECT count(*) FROM {out}",
            Self::source(file),
            out = quoted(&folder.path().join("requests.parquet")),
        );
        let run = self.run(&sql, None, lines)?;
        Ok(Run { written_bytes: Some(process::bytes_under(folder.path())), ..run })
    }

    fn source(file: &Path) -> String {
        format!("read_ndjson_auto({})", quoted(file))
    }

    /// Runs a query that says first how many lines it has read.
    fn run(self, sql: &str, threads: Option<usize>, lines: u64) -> Result<Run, BenchError> {
        let mut command = match self {
            Self::Cli => Command::new("duckdb"),
            Self::Python => Command::new("python3"),
        };
        match (self, threads) {
            (Self::Cli, threads) => {
                if let Some(threads) = threads {
                    command.args(["-cmd", &format!("SET threads TO {threads}")]);
                }
                command.args(["-csv", "-noheader", "-cmd", ".timer on", "-c", sql]);
            }
            (Self::Python, threads) => {
                let threads = threads.map_or_else(String::new, |threads| threads.to_string());
                command.args(["-c", PYTHON, sql, &threads]);
            }
        }
        let (output, run) = process::timed(&mut command)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let Answer { wall, cpu, lines: found } = self.answer(&text).unwrap_or_default();
        check("DuckDB", lines, found)?;
        Ok(Run { wall, cpu: Some(cpu), ..run })
    }

    fn answer(self, text: &str) -> Option<Answer> {
        let seconds = |text: &str| text.parse().ok().map(Duration::from_secs_f64);
        let mut answer = Answer::default();
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            match (self, words.next()?) {
                (Self::Python, wall) => {
                    answer.wall = seconds(wall)?;
                    answer.cpu = seconds(words.next()?)?;
                    answer.lines = words.next()?.parse().ok()?;
                }
                // `Run Time (s): real 0.012 user 0.010 sys 0.001`
                (Self::Cli, "Run") => {
                    let mut next = |skipped| seconds(words.nth(skipped)?);
                    answer.wall += next(3)?;
                    answer.cpu += next(1)? + next(1)?;
                }
                (Self::Cli, row) => answer.lines = row.split(',').next()?.parse().ok()?,
            }
        }
        Some(answer)
    }
}

/// What a query took, and read.
#[derive(Debug, Default, PartialEq)]
struct Answer {
    wall: Duration,
    cpu: Duration,
    lines: u64,
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', "''"))
}

/// Whether a program is there and does not fail.
fn answers(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_duckdb_tell_the_same() {
        let ms = Duration::from_millis;
        let expected = Some(Answer { wall: ms(250), cpu: ms(400), lines: 7 });
        assert_eq!(DuckDb::Python.answer("0.25 0.4 7\n"), expected);
        let cli = "Run Time (s): real 0.050 user 0.1 sys 0.1\n7,7,7\nRun Time (s): real 0.200 user 0.1 sys 0.1\n";
        assert_eq!(DuckDb::Cli.answer(cli), expected);
    }
}

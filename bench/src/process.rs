//! Processes that are measured: the binary, and other programs beside it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::BenchError;
use crate::measure::Run;

/// How often the memory of a process is looked at: seldom, since it takes a processor from what is measured. The system
/// keeps the peak, so that only growth in the last interval before its end is missed.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Ticks of a second in `/proc/self/stat`: `USER_HZ`, 100 on every Linux.
const TICKS_S: u64 = 100;

/// The folder of the workspace, as `cargo run` tells it: checkouts may share the folder that is built into.
/// Without cargo, where it was started.
pub fn workspace() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    package.map_or_else(|| PathBuf::from("."), |package| package.join(".."))
}

/// The release binary: built by cargo when it is not up to date, where this program was built.
/// `FLOODMARK_BIN` names another one.
///
/// # Errors
/// When it cannot be built.
pub fn floodmark() -> Result<PathBuf, BenchError> {
    if let Some(binary) = std::env::var_os("FLOODMARK_BIN") {
        return Ok(binary.into());
    }
    let exe =
        std::env::current_exe().map_err(|error| BenchError::io("find this program", error))?;
    // TARGET/release/bench
    let target = exe.ancestors().nth(2).unwrap_or(Path::new("target")).to_owned();
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build
        .args(["build", "--release", "--locked", "--bin", "floodmark"])
        .current_dir(workspace())
        .env("CARGO_TARGET_DIR", &target);
    // What `cargo run` tells a program of its package makes dependencies build anew whose scripts look at it.
    for (name, _) in std::env::vars_os() {
        let of_package =
            |name: &str| ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|p| name.starts_with(p));
        if name.to_str().is_some_and(of_package) {
            build.env_remove(name);
        }
    }
    success(&mut build)?;
    Ok(target.join("release").join("floodmark"))
}

/// `floodmark ARGS`, untouched by the configuration of the machine.
pub fn command<S: AsRef<OsStr>>(binary: &Path, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(binary);
    command.args(args);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("FLOODMARK_")) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a process to its end; what it wrote and what it took.
///
/// # Errors
/// When it cannot be started, or fails.
pub fn timed(command: &mut Command) -> Result<(Output, Run), BenchError> {
    let fail =
        |command: &Command, error| BenchError::io(format!("run {}", describe(command)), error);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (cpu, start) = (cpu_of_children(), Instant::now());
    let child = command.spawn().map_err(|error| fail(command, error))?;
    let status_file = format!("/proc/{}/status", child.id());
    let (ended, watched) = mpsc::channel::<()>();
    let memory = thread::spawn(move || {
        let mut peak = None;
        while watched.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            peak = peak_rss_bytes(&status_file).max(peak);
        }
        peak
    });
    let output = child.wait_with_output().map_err(|error| fail(command, error))?;
    let wall = start.elapsed();
    drop(ended);
    let peak_rss_bytes = memory.join().ok().flatten();
    let cpu = cpu_of_children().zip(cpu).map(|(after, before)| after.saturating_sub(before));
    if !output.status.success() {
        return Err(BenchError::Command {
            command: describe(command),
            status: output.status,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        });
    }
    Ok((output, Run { wall, cpu, peak_rss_bytes, written_bytes: None }))
}

/// Runs a process to its end.
///
/// # Errors
/// When it cannot be started, or fails.
pub fn success(command: &mut Command) -> Result<(), BenchError> {
    timed(command).map(|_| ())
}

/// The number that a query of tables gives.
///
/// # Errors
/// When it fails.
pub fn count(binary: &Path, data: &Path, sql: &str) -> Result<u64, BenchError> {
    let mut command = command(binary, ["sql", "--format", "csv", "--data"]);
    let (output, _) = timed(command.arg(data).arg(sql))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().last().and_then(|line| line.trim().parse().ok()).unwrap_or_default())
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// The largest resident memory a process has had.
fn peak_rss_bytes(status_file: &str) -> Option<u64> {
    memory_bytes(status_file, "VmHWM:")
}

/// The resident memory of a process.
pub fn rss_bytes(process: u32) -> Option<u64> {
    memory_bytes(&format!("/proc/{process}/status"), "VmRSS:")
}

fn memory_bytes(status_file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(status_file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

/// Processor time of a process.
pub fn cpu(process: u32) -> Option<Duration> {
    // `utime` and `stime` are fields 14 and 15.
    ticks_of(&format!("/proc/{process}/stat"), 11)
}

/// Processor time of all children that were waited for.
fn cpu_of_children() -> Option<Duration> {
    // `cutime` and `cstime` are fields 16 and 17.
    ticks_of("/proc/self/stat", 13)
}

/// Two numbers of ticks together, behind so many after the name in brackets.
fn ticks_of(stat_file: &str, skipped: usize) -> Option<Duration> {
    let text = fs::read_to_string(stat_file).ok()?;
    // After the name come fields 3 and on.
    let (_, fields) = text.rsplit_once(')')?;
    let ticks = fields.split_ascii_whitespace().skip(skipped).take(2).map(str::parse::<u64>);
    let ticks: u64 = ticks.collect::<Result<Vec<_>, _>>().ok()?.iter().sum();
    Some(Duration::from_millis(ticks * 1_000 / TICKS_S))
}

/// The files under a folder, at any depth, and their bytes.
pub fn files_under(folder: &Path) -> Vec<(PathBuf, u64)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for entry in entries.flatten() {
        match entry.metadata() {
            Ok(of) if of.is_dir() => files.extend(files_under(&entry.path())),
            Ok(of) => files.push((entry.path(), of.len())),
            // It is gone by now.
            Err(_) => {}
        }
    }
    files
}

/// Bytes of the files under a folder.
pub fn bytes_under(folder: &Path) -> u64 {
    files_under(folder).iter().map(|(_, bytes)| bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_the_process_said() {
        let error = timed(Command::new("sh").args(["-c", "echo no room >&2; exit 3"])).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("exit status: 3") && text.ends_with("no room\n"), "{text}");
    }

    #[test]
    fn files_of_all_depths_are_weighed() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/b"), [0; 10]).unwrap();
        fs::write(folder.path().join("c"), [0; 5]).unwrap();
        assert_eq!(bytes_under(folder.path()), 15);
    }
}

//! Where figures were measured.

use std::fs;
use std::process::Command;

use crate::process::workspace;

/// The machine, the commit and how busy it is.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Model of the processor.
    pub cpu: String,
    /// Threads that run at once.
    pub cores: usize,
    /// Memory and kernel, in words.
    pub system: String,
    /// Load averages over 1, 5 and 15 minutes.
    pub load: String,
    /// The commit; ` with changes` when the working tree differs from it.
    pub commit: String,
}

impl Machine {
    /// As it is now; what the system does not tell is `unknown`.
    pub fn now() -> Self {
        let memory = field("/proc/meminfo", "MemTotal").unwrap_or_else(unknown);
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_else(|_| unknown());
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_else(|_| unknown());
        Self {
            cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(1, Into::into),
            system: format!("{memory} of memory, {} {}", std::env::consts::OS, kernel.trim()),
            load: load.split(' ').take(3).collect::<Vec<_>>().join(" "),
            commit: commit(),
        }
    }

    /// The processor as part of a folder name.
    pub fn slug(&self) -> String {
        let lower = self.cpu.to_ascii_lowercase();
        let words =
            lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.chain([format!("{}core", self.cores).as_str()]).collect::<Vec<_>>().join("-")
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// The value of the first line `name : value`.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line =
        text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
    line.map(|value| value.trim().to_owned())
}

fn commit() -> String {
    let git = |args: &[&str]| {
        let output = Command::new("git")
            .args(args)
            .current_dir(workspace())
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(head) = git(&["rev-parse", "--short=12", "HEAD"]) else { return unknown() };
    match git(&["status", "--porcelain", "--untracked-files=no"]) {
        Some(changes) if !changes.is_empty() => format!("{head} with changes"),
        _ => head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_names_a_folder() {
        let machine = Machine { cpu: "AMD EPYC(tm) 7B13 @ 2.4".into(), cores: 2, ..Machine::now() };
        assert_eq!(machine.slug(), "amd-epyc-tm-7b13-2-4-2core");
    }
}

//! Programs in Python that are not ours: readers of the tables (`DuckDB`, delta-rs), clients of the server, a browser's driver.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::floodmark::PATIENCE;
use crate::running::Running;
use crate::skip::Missing;
use crate::workspace;

/// A Python with the packages of `tests/parts/requirements.txt`.
#[derive(Debug)]
pub struct Python {
    packages: PathBuf,
}

impl Python {
    /// The prepared Python.
    ///
    /// # Errors
    /// [`Missing`] when there is no Python or its packages are not in the cache.
    pub fn find() -> Result<Self, Missing> {
        let packages = workspace::part("FLOODMARK_TEST_PYTHON", "python")
            .ok_or_else(|| Missing("Python packages missing: start tests/run".into()))?;
        match Command::new("python3").arg("--version").output() {
            Ok(output) if output.status.success() => Ok(Self { packages }),
            _ => Err(Missing("Python 3 missing".into())),
        }
    }

    /// Runs `tests/parts/SCRIPT ARGS`; returns the JSON that it prints.
    pub fn ask(&self, script: &str, args: &[&str]) -> Value {
        let mut command = self.command(script, args);
        command.stdin(Stdio::null());
        let said = Running::start(&mut command).output(PATIENCE).expect_status(0);
        serde_json::from_str(&said.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}", said.describe()))
    }

    /// Starts `tests/parts/SCRIPT ARGS`, which may read until this is dropped.
    pub fn start(&self, script: &str, args: &[&str]) -> Running {
        let mut command = self.command(script, args);
        command.stdin(Stdio::piped());
        Running::start(&mut command)
    }

    fn command(&self, script: &str, args: &[&str]) -> Command {
        let mut command = Command::new("python3");
        command
            .arg(workspace::root().join("tests/parts").join(script))
            .args(args)
            .env("PYTHONPATH", &self.packages);
        command
    }
}

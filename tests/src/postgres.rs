//! Clients of PostgreSQL that are not ours: psql, and pgjdbc in Java.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::Output;
use crate::floodmark::PATIENCE;
use crate::kafka::Kafka;
use crate::running::Running;
use crate::skip::Missing;
use crate::workspace;

/// Runs `psql ARGS` against a server at `port`.
///
/// # Errors
/// [`Missing`] when psql is not installed.
pub fn psql(port: &str, args: &[&str]) -> Result<Output, Missing> {
    if Command::new("psql").arg("--version").output().is_err() {
        return Err(Missing("psql missing: Debian package postgresql-client".into()));
    }
    let mut command = Command::new("psql");
    command
        .args(["-X", "-w", "-h", "127.0.0.1", "-p", port, "-U", "anybody", "-d", "floodmark"])
        .args(args)
        .env("PGCONNECT_TIMEOUT", "60")
        .env("PAGER", "")
        .stdin(Stdio::null());
    Ok(Running::start(&mut command).output(PATIENCE))
}

/// pgjdbc, in a program of `tests/parts`.
#[derive(Debug)]
pub struct Jdbc {
    jars: PathBuf,
}

impl Jdbc {
    /// The prepared driver.
    ///
    /// # Errors
    /// [`Missing`] when there is no Java compiler, or the driver is not among the jars.
    pub fn find() -> Result<Self, Missing> {
        let jars = Kafka::jars()?;
        let is_driver = |name: &str| name.starts_with("postgresql-");
        let mut names = std::fs::read_dir(&jars).into_iter().flatten().flatten();
        if names.any(|entry| entry.file_name().to_str().is_some_and(is_driver)) {
            return Ok(Self { jars });
        }
        Err(Missing("pgjdbc missing: start tests/run".into()))
    }

    /// What it gets from the server at `port`: a name and a value a line.
    pub fn ask(&self, port: &str) -> String {
        self.run("Jdbc.java", port)
    }

    /// What `program` of `tests/parts` gets from the server at `port`.
    pub fn run(&self, program: &str, port: &str) -> String {
        let mut command = Command::new("java");
        command
            .args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Duser.timezone=UTC"])
            // Arrow's own memory, as its drivers ask for it.
            .args(["--add-opens=java.base/java.nio=ALL-UNNAMED", "-cp"])
            .arg(self.jars.join("*"))
            .arg(workspace::root().join("tests/parts").join(program))
            .arg(port)
            .stdin(Stdio::null());
        Running::start(&mut command).output(PATIENCE).expect_status(0).stdout
    }
}

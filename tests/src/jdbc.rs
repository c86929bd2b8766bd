//! Drivers of JDBC that are not ours, in a program of Java: pgjdbc, and that of Arrow Flight SQL.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::floodmark::PATIENCE;
use crate::kafka::Kafka;
use crate::running::Running;
use crate::skip::Missing;
use crate::workspace;

/// How the names of the drivers' jars begin.
const DRIVERS: [&str; 2] = ["postgresql-", "flight-sql-jdbc-driver-"];

/// Both drivers, in a program of `tests/parts`.
#[derive(Debug)]
pub struct Jdbc {
    jars: PathBuf,
}

impl Jdbc {
    /// The prepared drivers.
    ///
    /// # Errors
    /// [`Missing`] when there is no Java compiler, or a driver is not among the jars.
    pub fn find() -> Result<Self, Missing> {
        let jars = Kafka::jars()?;
        let names = std::fs::read_dir(&jars).into_iter().flatten().flatten();
        let names: Vec<String> =
            names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        for driver in DRIVERS {
            if !names.iter().any(|name| name.starts_with(driver)) {
                return Err(Missing(format!("{driver}….jar missing: start tests/run")));
            }
        }
        Ok(Self { jars })
    }

    /// What the driver of `face` gets from the server at `port`: a name and a value a line.
    pub fn ask(&self, face: &str, port: &str) -> String {
        let mut command = Command::new("java");
        command
            .args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Duser.timezone=UTC"])
            // Arrow's own memory, as its drivers ask for it.
            .args(["--add-opens=java.base/java.nio=ALL-UNNAMED", "-cp"])
            .arg(self.jars.join("*"))
            .arg(workspace::root().join("tests/parts/Jdbc.java"))
            .args([face, port])
            .stdin(Stdio::null());
        Running::start(&mut command).output(PATIENCE).expect_status(0).stdout
    }
}

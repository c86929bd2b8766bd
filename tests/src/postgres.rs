//! psql, a client of PostgreSQL that is not ours.

use std::process::{Command, Stdio};

use crate::Output;
use crate::floodmark::PATIENCE;
use crate::running::Running;
use crate::skip::Missing;

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

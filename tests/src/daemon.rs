//! Programs made to run for ever, of which no test may leave one behind.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use crate::skip::Missing;

/// A program of this machine that is started in the foreground and dies with the thread that started it.
#[derive(Debug, Clone)]
pub(crate) struct Daemon {
    program: &'static str,
    path: OsString,
}

impl Daemon {
    /// The program of that name.
    ///
    /// # Errors
    /// [`Missing`] when it, or what ends it in time, is not installed.
    pub(crate) fn find(program: &'static str) -> Result<Self, Missing> {
        // Debian keeps such programs where the `PATH` of ordinary users does not lead.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
        let path = std::env::join_paths(path).expect("a path that was split can be joined");
        let daemon = Self { program, path };
        let version =
            daemon.command().arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if version.is_ok_and(|status| status.success()) {
            Ok(daemon)
        } else {
            Err(Missing(format!("{program} or setpriv missing")))
        }
    }

    /// The program without arguments. A value that owns it kills it when dropped; where a test is killed nothing is
    /// dropped, and the kernel does it.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.env("PATH", &self.path).args(["--pdeathsig", "KILL", "--", self.program]);
        command.stdin(Stdio::null());
        command
    }
}

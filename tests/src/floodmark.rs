//! The binary under test: built once, started with arguments, its end described.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::running::Running;
use crate::workspace;

/// The longest that a command under test may take before it counts as hung.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// The release binary: built by cargo when it is not up to date, in the folder the tests were built in.
///
/// `FLOODMARK_BIN` names another binary to test.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("FLOODMARK_BIN") {
        Some(binary) => binary.into(),
        None => build(),
    })
}

fn build() -> PathBuf {
    let target = workspace::target();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // What cargo tells this test about itself would make build scripts of dependencies run again, and with them
    // everything that depends on them.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_") && name != "CARGO_HOME" {
            command.env_remove(&name);
        }
    }
    let output = command
        .args(["build", "--release", "--locked", "--bin", "floodmark"])
        .current_dir(workspace::root())
        .env("CARGO_TARGET_DIR", &target)
        .output()
        .expect("cargo starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the binary does not build:\n{stderr}");
    target.join("release").join("floodmark")
}

/// One invocation of the binary. Configuration of the machine does not reach it: the environment's
/// `FLOODMARK_…`, `NO_COLOR` and `RUST_LOG` are removed.
#[derive(Debug)]
pub struct Floodmark {
    command: Command,
    stdin: Option<Feed>,
}

/// What a process reads on standard input, and in pieces of how many bytes it is written.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) piece: usize,
}

impl Floodmark {
    /// `floodmark ARGS`.
    pub fn new<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(args: I) -> Self {
        let mut command = Command::new(binary());
        command.args(args).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("FLOODMARK_")) {
                command.env_remove(name);
            }
        }
        command.env_remove("NO_COLOR").env_remove("RUST_LOG");
        Self { command, stdin: None }
    }

    /// More arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, args: I) -> Self {
        self.command.args(args);
        self
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// An environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// The folder it is started in.
    #[must_use]
    pub fn current_dir(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// What it reads on standard input; nothing unless told.
    #[must_use]
    pub fn stdin(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin_in_pieces(bytes, usize::MAX)
    }

    /// What it reads on standard input, written in pieces of so many bytes.
    #[must_use]
    pub fn stdin_in_pieces(mut self, bytes: impl Into<Vec<u8>>, piece: usize) -> Self {
        self.command.stdin(Stdio::piped());
        self.stdin = Some(Feed { bytes: bytes.into(), piece });
        self
    }

    /// Its standard input stays open, for [`Running::say`].
    #[must_use]
    pub fn spoken_to(mut self) -> Self {
        self.command.stdin(Stdio::piped());
        self
    }

    /// The command as it will be run, for a test that wraps it in another.
    pub const fn command(&self) -> &Command {
        &self.command
    }

    /// Starts it.
    pub fn start(mut self) -> Running {
        Running::feed(&mut self.command, self.stdin)
    }

    /// Runs it to its end, within [`PATIENCE`].
    pub fn output(self) -> Output {
        self.start().output(PATIENCE)
    }

    /// Runs it to its end and expects status 0.
    pub fn success(self) -> Output {
        self.output().expect_status(0)
    }
}

/// What a process said, and how it ended.
#[derive(Debug, Clone)]
pub struct Output {
    /// The command line, for messages.
    pub command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// Everything on standard output.
    pub stdout: String,
    /// Everything on standard error.
    pub stderr: String,
}

impl Output {
    /// Passes when it ended with this exit status, and never when it ended in a panic.
    #[expect(clippy::return_self_not_must_use, reason = "an expectation is an end in itself")]
    pub fn expect_status(self, status: i32) -> Self {
        assert!(!self.stderr.contains("panicked at"), "a panic:\n{}", self.describe());
        assert_eq!(self.status.code(), Some(status), "{}", self.describe());
        self
    }

    /// Passes when standard error holds each of these texts, whatever their case.
    #[expect(clippy::return_self_not_must_use, reason = "an expectation is an end in itself")]
    pub fn expect_stderr(self, parts: &[&str]) -> Self {
        let stderr = self.stderr.to_lowercase();
        for part in parts {
            let found = stderr.contains(&part.to_lowercase());
            assert!(found, "no `{part}` on stderr\n{}", self.describe());
        }
        self
    }

    /// Standard output as one JSON value a line; fails when a line is anything else.
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let parse = |line: &str| {
            serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{error} in `{line}`\n{}", self.describe()))
        };
        self.stdout.lines().map(parse).collect()
    }

    /// Everything about it, for a failing test; long output is cut.
    pub fn describe(&self) -> String {
        let Self { command, status, stdout, stderr } = self;
        let (stdout, stderr) = (tail(stdout), tail(stderr));
        format!("{command}\n{status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n---")
    }
}

/// The last lines of a text, as many as help.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let cut = |line: &&str| line.chars().take(400).collect::<String>();
    lines[lines.len().saturating_sub(40)..].iter().map(cut).collect::<Vec<_>>().join("\n")
}

//! A process that is running: its lines as they come, signals to it, its end.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::floodmark::{Feed, Output, tail};

/// How often a condition is looked at while a process has nothing to say.
const LOOK: Duration = Duration::from_millis(20);

/// A signal, by its POSIX name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// As from Ctrl-C.
    Int,
    /// As from a service manager.
    Term,
    /// It stands still, as a machine that is moved.
    Stop,
    /// It goes on.
    Cont,
}

/// Sends a signal to a process.
pub(crate) fn signal(process: u32, signal: Signal) {
    let name = match signal {
        Signal::Int => "INT",
        Signal::Term => "TERM",
        Signal::Stop => "STOP",
        Signal::Cont => "CONT",
    };
    let kill = format!("kill -s {name} {process}");
    let status = Command::new("sh").args(["-c", &kill]).status().expect("sh starts");
    assert!(status.success(), "{kill}: {status}");
}

#[derive(Debug)]
enum Said {
    Out(String),
    Err(String),
    /// One of the two streams ended.
    End,
}

/// A child process; killed when dropped.
#[derive(Debug)]
pub struct Running {
    command: String,
    child: Child,
    stdin: Option<ChildStdin>,
    said: Receiver<Said>,
    open_streams: u8,
    stdout: String,
    stderr: String,
}

impl Running {
    /// Starts `command` and takes its outputs; a piped standard input stays open for [`Self::say`].
    pub fn start(command: &mut Command) -> Self {
        Self::feed(command, None)
    }

    /// The same, and feeds it `stdin` from a thread.
    pub(crate) fn feed(command: &mut Command, stdin: Option<Feed>) -> Self {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut pipe = child.stdin.take();
        if let Some(Feed { bytes, piece }) = stdin
            && let Some(mut pipe) = pipe.take()
        {
            // A process that ends before it has read everything closes the pipe: not the feeder's concern.
            thread::spawn(move || {
                bytes.chunks(piece).try_for_each(|piece| pipe.write_all(piece)).is_ok()
            });
        }
        let (say, said) = channel();
        pump(child.stdout.take().expect("stdout is piped"), say.clone(), Said::Out);
        pump(child.stderr.take().expect("stderr is piped"), say, Said::Err);
        Self {
            command: format!("{command:?}"),
            child,
            stdin: pipe,
            said,
            open_streams: 2,
            stdout: String::new(),
            stderr: String::new(),
        }
    }

    /// Takes what was said until `deadline`; returns whether both streams are still open.
    fn listen(&mut self, deadline: Instant) -> bool {
        while self.open_streams > 0 {
            let patience = deadline.saturating_duration_since(Instant::now());
            match self.said.recv_timeout(patience) {
                Ok(Said::Out(line)) => self.stdout.push_str(&line),
                Ok(Said::Err(line)) => self.stderr.push_str(&line),
                Ok(Said::End) => self.open_streams -= 1,
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        false
    }

    /// Waits until `condition` holds, at most `limit`; what the process says meanwhile is kept.
    ///
    /// # Panics
    /// When the limit is reached, or the process ends while the condition does not hold.
    pub fn until(&mut self, what: &str, limit: Duration, condition: impl FnMut(&Self) -> bool) {
        let holds = self.until_or_end(what, limit, condition);
        assert!(holds, "ended before: {what}\n{}", self.describe());
    }

    /// The same, and `false` when the process ends while the condition does not hold.
    ///
    /// # Panics
    /// When the limit is reached.
    pub fn until_or_end(
        &mut self,
        what: &str,
        limit: Duration,
        mut condition: impl FnMut(&Self) -> bool,
    ) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            let alive = self.listen(deadline.min(Instant::now() + LOOK));
            if condition(self) {
                return true;
            }
            if !alive {
                return false;
            }
            assert!(
                Instant::now() < deadline,
                "{limit:?} passed before: {what}\n{}",
                self.describe()
            );
        }
    }

    /// Waits until standard error holds `text`, whatever its case.
    pub fn until_stderr(&mut self, text: &str, limit: Duration) {
        let text = text.to_lowercase();
        self.until(&format!("`{text}` on stderr"), limit, |process| {
            process.stderr.to_lowercase().contains(&text)
        });
    }

    /// Writes to its standard input.
    pub fn say(&mut self, text: &str) {
        let pipe = self.stdin.as_mut().expect("standard input is piped and not fed");
        pipe.write_all(text.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", self.command));
    }

    /// Lets it run for a while, or to its end.
    pub fn run_for(&mut self, time: Duration) {
        self.listen(Instant::now() + time);
    }

    /// What it has said on standard output so far.
    pub fn stdout(&self) -> &str {
        &self.stdout
    }

    /// What it has said on standard error so far.
    pub fn stderr(&self) -> &str {
        &self.stderr
    }

    /// Sends a signal.
    pub fn signal(&self, wanted: Signal) {
        signal(self.child.id(), wanted);
    }

    /// Kills it as `kill -9` does, and returns what it had said.
    pub fn kill(mut self) -> Output {
        // An error means that it has ended by itself.
        let killed = self.child.kill();
        let status = self.child.wait().unwrap_or_else(|error| panic!("{killed:?}, {error}"));
        self.finish(status)
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it has not ended within `limit`.
    pub fn output(mut self, limit: Duration) -> Output {
        // Nothing more is said to it.
        drop(self.stdin.take());
        let hung = self.listen(Instant::now() + limit);
        assert!(!hung, "still running after {limit:?}\n{}", self.describe());
        let status = self.child.wait().expect("a child can be waited for");
        self.finish(status)
    }

    fn finish(mut self, status: ExitStatus) -> Output {
        while self.open_streams > 0 {
            match self.said.recv() {
                Ok(Said::Out(line)) => self.stdout.push_str(&line),
                Ok(Said::Err(line)) => self.stderr.push_str(&line),
                Ok(Said::End) | Err(_) => self.open_streams -= 1,
            }
        }
        Output {
            command: std::mem::take(&mut self.command),
            status,
            stdout: std::mem::take(&mut self.stdout),
            stderr: std::mem::take(&mut self.stderr),
        }
    }

    fn describe(&self) -> String {
        let (out, err) = (tail(&self.stdout), tail(&self.stderr));
        format!("{}\n--- stdout\n{out}\n--- stderr\n{err}\n---", self.command)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        if self.child.kill().is_ok() {
            self.child.wait().ok();
        }
    }
}

/// Sends each line of a stream as it comes, then its end.
fn pump(stream: impl Read + Send + 'static, say: Sender<Said>, kind: fn(String) -> Said) {
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
            if say.send(kind(String::from_utf8_lossy(&line).into_owned())).is_err() {
                return;
            }
            line.clear();
        }
        say.send(Said::End).ok();
    });
}

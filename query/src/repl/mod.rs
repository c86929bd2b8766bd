//! The prompt: lines in, answers out.
//!
//! ```text
//! LineInput ─ line ─▶ Repl ─┬─ `\d` … ─▶ command ─▶ out
//!  (terminal or test)       └─ until `;` ─▶ Session::run ─▶ out      messages ─▶ notes
//! ```

mod command;
mod complete;
mod describe;
mod one_shot;
mod terminal;

use std::io::{self, Write};
use std::time::Duration;

use arrow::array::RecordBatch;
use futures::future::BoxFuture;
use tokio::runtime::Handle;

use crate::error::QueryError;
use crate::output::{Format, Layout, OutputOptions, write_batch};
use crate::session::Session;
use crate::statements;
use command::Command;
pub use one_shot::one_shot;
pub use terminal::Terminal;

/// The prompt for a new statement.
const PROMPT: &str = "floodmark> ";

/// The prompt for the next line of an open statement.
const PROMPT_MORE: &str = "      ...> ";

/// What came from the person at the prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// One line (or several, when pasted), without the line end.
    Text(String),
    /// Ctrl-C: forget what was typed.
    Interrupted,
    /// Ctrl-D, or the end of the input.
    End,
}

/// Where lines come from: a terminal, or a test.
pub trait LineInput {
    /// Shows `prompt` and waits for a line.
    ///
    /// # Errors
    /// [`QueryError::Prompt`] when the terminal cannot be read.
    fn line(&mut self, prompt: &str) -> Result<Line, QueryError>;

    /// Keeps a whole statement for the history.
    fn remember(&mut self, statement: &str);

    /// Width of the terminal; `None` where there is none.
    fn columns(&mut self) -> Option<usize>;
}

/// What the prompt needs from outside.
pub struct ReplContext<'a> {
    /// Where queries run.
    pub runtime: Handle,
    /// Completes when the person wants the running query to stop; asked anew for every query.
    pub interrupt: &'a dyn Fn() -> BoxFuture<'static, ()>,
    /// Time since some moment, for `\timing`.
    pub clock: &'a dyn Fn() -> Duration,
}

impl std::fmt::Debug for ReplContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReplContext").finish_non_exhaustive()
    }
}

/// The prompt of one session.
#[derive(Debug)]
pub struct Repl<'a> {
    session: &'a Session,
    context: ReplContext<'a>,
    options: OutputOptions,
    timing: bool,
}

/// The two ways out: answers, and everything else.
struct Streams<'a> {
    out: &'a mut (dyn Write + Send),
    notes: &'a mut (dyn Write + Send),
}

/// Whether the prompt goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Continue,
    Leave,
}

impl<'a> Repl<'a> {
    /// A prompt that answers in `format` until told otherwise.
    pub const fn new(session: &'a Session, format: Format, context: ReplContext<'a>) -> Self {
        Self { session, context, options: OutputOptions::new(format), timing: false }
    }

    /// Reads and answers until the input ends or `\q`. Answers go to `out`, messages and errors to `notes`.
    ///
    /// Must not be called from within the runtime, which it blocks on.
    ///
    /// # Errors
    /// [`QueryError::Prompt`] when the terminal cannot be read, [`QueryError::Write`] when nothing can be written.
    /// What is wrong with a query is told, and the prompt goes on.
    pub fn run(
        &mut self,
        input: &mut dyn LineInput,
        out: &mut (dyn Write + Send),
        notes: &mut (dyn Write + Send),
    ) -> Result<(), QueryError> {
        let mut streams = Streams { out, notes };
        let mut typed = String::new();
        loop {
            let prompt = if typed.is_empty() { PROMPT } else { PROMPT_MORE };
            match input.line(prompt)? {
                Line::End => return Ok(()),
                Line::Interrupted => typed.clear(),
                Line::Text(line) => {
                    self.options.terminal_columns = input.columns();
                    if self.take(&line, &mut typed, input, &mut streams)? == Next::Leave {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Adds a line to what was typed, and runs it once it is complete.
    fn take(
        &mut self,
        line: &str,
        typed: &mut String,
        input: &mut dyn LineInput,
        streams: &mut Streams<'_>,
    ) -> Result<Next, QueryError> {
        if typed.is_empty()
            && let Some(command) = Command::parse(line)
        {
            input.remember(line.trim());
            return self.command(command, streams);
        }
        if !typed.is_empty() {
            typed.push('\n');
        }
        typed.push_str(line);
        if statements::is_blank(typed) {
            typed.clear();
        } else if statements::is_complete(typed) {
            let text = std::mem::take(typed);
            input.remember(text.trim());
            self.answer(&text, streams)?;
        }
        Ok(Next::Continue)
    }

    fn command(
        &mut self,
        command: Result<Command, String>,
        streams: &mut Streams<'_>,
    ) -> Result<Next, QueryError> {
        let done = match command {
            Ok(Command::Quit) => return Ok(Next::Leave),
            Ok(Command::Help) => say(streams, command::HELP),
            Ok(Command::Tables) => Self::tell(describe::tables(self.session), streams),
            Ok(Command::Table(name)) => {
                let told = self.context.runtime.block_on(describe::table(self.session, &name));
                Self::tell(told, streams)
            }
            Ok(Command::Functions(None)) => say(streams, &describe::own_functions(self.session)),
            Ok(Command::Functions(Some(name))) => match describe::function(self.session, &name) {
                Ok(text) => say(streams, &text),
                Err(text) => note(streams, &format!("error: {text}")),
            },
            Ok(Command::Expanded(layout)) => {
                self.options.layout = layout.unwrap_or(match self.options.layout {
                    Layout::Expanded => Layout::Auto,
                    Layout::Auto | Layout::Columns => Layout::Expanded,
                });
                note(streams, &format!("layout is {}", command::layout_name(self.options.layout)))
            }
            Ok(Command::Format(format)) => {
                self.options.format = format;
                note(streams, &format!("format is {format}"))
            }
            Ok(Command::Timing) => {
                self.timing = !self.timing;
                note(streams, if self.timing { "timing is on" } else { "timing is off" })
            }
            Ok(Command::Include(path)) => self.include(&path, streams),
            Err(message) => note(streams, &format!("error: {message}")),
        };
        done.map(|()| Next::Continue)
    }

    /// Runs the statements of a file.
    fn include(&self, path: &str, streams: &mut Streams<'_>) -> Result<(), QueryError> {
        match std::fs::read_to_string(path) {
            Ok(text) => self.answer(&text, streams),
            Err(source) => {
                let error = QueryError::ReadFile { path: path.to_owned(), source };
                note(streams, &format!("error: {error}"))
            }
        }
    }

    /// Shows what the session knows about its tables.
    fn tell(
        told: Result<RecordBatch, QueryError>,
        streams: &mut Streams<'_>,
    ) -> Result<(), QueryError> {
        match told {
            Ok(batch) => {
                // Without a terminal's width: what columns mean is wrapped, not cut.
                let options = OutputOptions::new(Format::Table);
                write_batch(&batch, &options, streams.out).map(drop)
            }
            Err(error) => note(streams, &format!("error: {error}")),
        }
    }

    /// Runs `text` until it is done or interrupted.
    fn answer(&self, text: &str, streams: &mut Streams<'_>) -> Result<(), QueryError> {
        let started = (self.context.clock)();
        let finished = self.context.runtime.block_on(async {
            tokio::select! {
                biased;
                () = (self.context.interrupt)() => None,
                result = self.session.run(text, &self.options, streams.out) => Some(result),
            }
        });
        match finished {
            None => note(streams, "cancelled")?,
            Some(Ok(_)) => {}
            Some(Err(error @ QueryError::Write(_))) => return Err(error),
            Some(Err(error)) => note(streams, &format!("error: {error}"))?,
        }
        streams.out.flush().map_err(QueryError::Write)?;
        if self.timing {
            let elapsed = (self.context.clock)().saturating_sub(started);
            note(streams, &format!("time: {:.3} s", elapsed.as_secs_f64()))?;
        }
        Ok(())
    }
}

/// Help to the person.
fn say(streams: &mut Streams<'_>, text: &str) -> Result<(), QueryError> {
    write_lines(streams.out, text.trim()).map_err(QueryError::Write)
}

/// A message to the person, with nothing in it that a terminal would obey.
fn note(streams: &mut Streams<'_>, text: &str) -> Result<(), QueryError> {
    write_lines(streams.notes, text).map_err(QueryError::Write)
}

fn write_lines(out: &mut dyn Write, text: &str) -> io::Result<()> {
    for line in text.lines() {
        writeln!(out, "{}", schemas::text::escape(line))?;
    }
    out.flush()
}

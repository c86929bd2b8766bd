//! `floodmark sql`: one query, a file of queries, or a prompt.

use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use futures::FutureExt;
use query::repl::{Repl, ReplContext, Terminal, one_shot};
use query::{Format, OutputOptions, QueryError, Session, SessionOptions};
use tokio::runtime::Runtime;

use crate::args::SqlArgs;
use crate::config::{File, UsageError, data};
use crate::engine;
use crate::progress::Progress;

/// Answers the queries.
///
/// # Errors
/// When there are no tables, or a query is wrong or fails.
pub fn sql(args: SqlArgs, file: &File, quiet: bool) -> anyhow::Result<()> {
    engine::on_deep_stack(|| answer_all(args, file, quiet))
}

fn answer_all(args: SqlArgs, file: &File, quiet: bool) -> anyhow::Result<()> {
    let format: Format = args.format.parse().map_err(UsageError::new)?;
    let text = queries(&args)?;
    let runtime = engine::runtime()?;
    let options = SessionOptions {
        memory_limit: args.memory.map(|mib| mib << 20),
        ..SessionOptions::default()
    };
    let uri = data(args.data, file);
    let session = runtime.block_on(Session::open(&uri, &options))?;
    let done = match text {
        Some(text) => answer(&runtime, &session, &text, format, quiet),
        None => prompt(&runtime, &session, format),
    };
    engine::end(runtime);
    done
}

/// The queries of the command line, of `--file`, or of stdin when it is no terminal.
fn queries(args: &SqlArgs) -> anyhow::Result<Option<String>> {
    if let Some(query) = &args.query {
        return Ok(Some(query.clone()));
    }
    if let Some(path) = &args.file {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the queries in {}", path.display()))?;
        return Ok(Some(text));
    }
    if io::stdin().is_terminal() {
        return Ok(None);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).context("cannot read queries from stdin")?;
    Ok(Some(text))
}

fn answer(
    runtime: &Runtime,
    session: &Session,
    text: &str,
    format: Format,
    quiet: bool,
) -> anyhow::Result<()> {
    let mut out = io::BufWriter::new(Answers { progress: Some(Progress::spinner(quiet)) });
    let mut options = OutputOptions::new(format);
    options.terminal_columns = io::stdout().is_terminal().then(terminal_columns);
    runtime.block_on(async {
        if !one_shot(session, text, &options, &mut out).await? {
            session.run(text, &options, &mut out).await?;
        }
        Ok::<_, QueryError>(())
    })?;
    match out.flush() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write the answer to stdout")
        }
        _ => Ok(()),
    }
}

/// Columns of the terminal that stdout is.
fn terminal_columns() -> usize {
    usize::from(console::Term::stdout().size().1)
}

/// stdout; a spinner turns on stderr until the first row.
struct Answers {
    progress: Option<Progress>,
}

impl Write for Answers {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(progress) = self.progress.take() {
            progress.finish();
        }
        io::stdout().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

fn prompt(runtime: &Runtime, session: &Session, format: Format) -> anyhow::Result<()> {
    let started = Instant::now();
    let context = ReplContext {
        runtime: runtime.handle().clone(),
        interrupt: &|| tokio::signal::ctrl_c().map(|_| ()).boxed(),
        clock: &|| started.elapsed(),
    };
    let mut terminal = Terminal::open(session, history())?;
    let mut repl = Repl::new(session, format, context);
    // A note that cannot be read hides nothing: the answers go to stdout.
    let _ = writeln!(
        io::stderr(),
        "floodmark {} on {}; \\? for help",
        env!("CARGO_PKG_VERSION"),
        session.uri()
    );
    repl.run(&mut terminal, &mut io::stdout(), &mut io::stderr())?;
    Ok(())
}

/// Where the prompt keeps its history.
fn history() -> Option<PathBuf> {
    std::env::home_dir().map(|home| home.join(".floodmark_history"))
}

//! `floodmark top`: what is going on, in a terminal.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Context as _;
use chrono::TimeDelta;
use serve::answers::{Answers, Limits};

use crate::args::TopArgs;
use crate::config::{File, UsageError, data};
use crate::engine;
use crate::signals::StopFlag;
use crate::top::{self, SPANS};

/// Shows the tables until somebody has seen enough; once where nobody looks.
///
/// # Errors
/// When there are no tables, or they cannot be read.
pub fn top(args: &TopArgs, file: &File, stop: &StopFlag) -> anyhow::Result<()> {
    if args.every.is_zero() {
        return Err(UsageError::new("--every must be longer than 0s; try 2s").into());
    }
    let uri = data(args.data.clone(), file);
    engine::on_deep_stack(|| {
        let engine = engine::runtime()?;
        let opened = Answers::open(&uri, Limits::default(), engine.handle().clone());
        let answers = engine.block_on(opened)?;
        let done = if args.once || !io::stdout().is_terminal() {
            once(&engine, &answers, args)
        } else {
            top::watch(&engine, &answers, args.minutes, args.every, stop)
        };
        engine::end(engine);
        done
    })
}

fn once(engine: &tokio::runtime::Runtime, answers: &Answers, args: &TopArgs) -> anyhow::Result<()> {
    let length = args.minutes.map_or(SPANS[0], |minutes| TimeDelta::minutes(i64::from(minutes)));
    let overview = engine.block_on(top::look(answers, length))?;
    let mut out = io::stdout().lock();
    let written = out.write_all(top::text(&overview, answers.uri()).as_bytes());
    match written.and_then(|()| out.flush()) {
        // The reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to stdout"),
    }
}

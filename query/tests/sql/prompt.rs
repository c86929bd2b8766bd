//! The prompt, without a terminal.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use expect_test::{Expect, expect};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use query::repl::{Line, LineInput, Repl, ReplContext};
use query::{Format, QueryError, Session};
use tokio::runtime::Runtime;

use crate::fixture;

/// Lines as if typed.
struct Typed {
    lines: VecDeque<Line>,
    history: Vec<String>,
    prompts: Vec<String>,
}

impl Typed {
    fn new(text: &str) -> Self {
        let lines = text.lines().map(|line| match line.trim() {
            "^C" => Line::Interrupted,
            line => Line::Text(line.to_owned()),
        });
        Self { lines: lines.collect(), history: Vec::new(), prompts: Vec::new() }
    }
}

impl LineInput for Typed {
    fn line(&mut self, prompt: &str) -> Result<Line, QueryError> {
        self.prompts.push(prompt.to_owned());
        Ok(self.lines.pop_front().unwrap_or(Line::End))
    }

    fn remember(&mut self, statement: &str) {
        self.history.push(statement.to_owned());
    }

    fn columns(&mut self) -> Option<usize> {
        Some(80)
    }
}

struct Prompt {
    runtime: Runtime,
    session: Arc<Session>,
    _lake: tempfile::TempDir,
}

fn never() -> BoxFuture<'static, ()> {
    futures::future::pending().boxed()
}

impl Prompt {
    fn new() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let (lake, session) = runtime.block_on(fixture::lake_and_session());
        Self { runtime, session, _lake: lake }
    }

    /// Types `text`; answers and messages in the order of streams.
    fn run(&self, text: &str, interrupt: &dyn Fn() -> BoxFuture<'static, ()>) -> (String, Typed) {
        let ticks = AtomicU64::new(0);
        let clock = || Duration::from_millis(ticks.fetch_add(1_500, Ordering::Relaxed));
        let context =
            ReplContext { runtime: self.runtime.handle().clone(), interrupt, clock: &clock };
        let mut typed = Typed::new(text);
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        Repl::new(&self.session, Format::Table, context)
            .run(&mut typed, &mut out, &mut notes)
            .expect("the end of the input");
        let shown = [out, notes].map(|bytes| String::from_utf8(bytes).expect("text"));
        (shown.join("----\n"), typed)
    }

    fn check(&self, text: &str, expected: &Expect) {
        expected.assert_eq(&self.run(text, &never).0);
    }
}

#[test]
fn statements_end_with_a_semicolon() {
    let prompt = Prompt::new();
    let text = "SELECT\n 1 AS a,\n';' AS b; SELECT 2 AS c;\n\n-- nothing\nSELECT 3";
    let (shown, typed) = prompt.run(text, &never);
    expect![[""]].assert_eq(&shown);
    assert_eq!(typed.history, ["SELECT\n1 AS a,\n';' AS b; SELECT 2 AS c;"]);
    let prompts: Vec<&str> = typed.prompts.iter().map(|prompt| prompt.trim()).collect();
    assert_eq!(
        prompts,
        ["floodmark>", "...>", "...>", "floodmark>", "floodmark>", "floodmark>", "...>"]
    );
}

#[test]
fn commands_answer() {
    let prompt = Prompt::new();
    prompt.check("\\d\n\\d rejects\n\\d nothing\n\\d requsts", &expect![[""]]);
    prompt.check("\\df\n\\df ip_in\n\\df entropi\n\\df date_b", &expect![[""]]);
    prompt.check("\\?\n\\nope\nhelp me;", &expect![[""]]);
    prompt.check(
        "\\x on\nSELECT 1 AS a, 2 AS bb;\n\\x\n\\f csv\nSELECT 1 AS a;\n\\timing\nSELECT 2 AS b;\n\\f xml\nexit\nSELECT 3;",
        &expect![[""]],
    );
}

#[test]
fn files_are_included() {
    let prompt = Prompt::new();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("two.sql");
    std::fs::write(&file, "SELECT 1 AS a; -- first\nSELECT 2 AS b\n").expect("a file");
    prompt.check(&format!("\\i {}", file.display()), &expect![[""]]);
    let (shown, _) = prompt.run("\\i no-such-file.sql", &never);
    assert!(shown.contains("error: cannot read `no-such-file.sql`"), "{shown}");
}

#[test]
fn a_mistake_does_not_end_the_session() {
    let prompt = Prompt::new();
    prompt.check("SELECT hst FROM requests;\nSELEC;\nSELECT 1 AS a;", &expect![[""]]);
}

#[test]
fn an_interrupt_forgets_the_line() {
    let prompt = Prompt::new();
    let (shown, typed) = prompt.run("SELECT 1\n^C\nSELECT 2 AS b;", &never);
    assert!(shown.contains(" 2") && !shown.contains("error"), "{shown}");
    assert_eq!(typed.history, ["SELECT 2 AS b;"]);
}

#[test]
fn an_interrupt_stops_the_query() {
    let prompt = Prompt::new();
    let soon = || -> BoxFuture<'static, ()> { tokio::task::yield_now().boxed() };
    let endless = "SELECT count(*) FROM generate_series(1, 100000000000) a(x);";
    let (shown, _) = prompt.run(endless, &soon);
    assert!(shown.ends_with("cancelled\n"), "{shown}");
}

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
    expect![[r#"
         a | b
        ---+---
         1 | ;
        (1 row)
         c
        ---
         2
        (1 row)
        ----
    "#]]
    .assert_eq(&shown);
    assert_eq!(typed.history, ["SELECT\n1 AS a,\n';' AS b; SELECT 2 AS c;"]);
    let prompts: Vec<&str> = typed.prompts.iter().map(|prompt| prompt.trim()).collect();
    assert_eq!(
        prompts,
        ["floodmark>", "...>", "...>", "floodmark>", "floodmark>", "floodmark>", "...>"]
    );
}

#[test]
fn tables_are_described() {
    let prompt = Prompt::new();
    prompt.check("\\d\n\\d rejects\n\\d nothing\n\\d requsts", &expect![[r#"
         name           | a row is
        ----------------+-------------------------------------------------------------------------------------------------------------------------------
         attacks        | Latest revision of every incident whose verdict is not `benign`.
         campaigns      | One attack on several hosts: what, how many, since when, how much, from how many named sources.
         signals        | One detection on one topic: whether it is on, degraded or off, which columns its log lacks, and the log formats of the topic.
         requests       | One row per access-log record.
         incidents      | One row per revision of an incident, append-only.
         source_windows | One row per minute and source that mattered in it: at least 32 requests, or part of an incident.
         target_windows | One row per minute and host.
         rejects        | One row per line that could not be read as an access record.
        (8 rows)
         column          | type      | null | meaning
        -----------------+-----------+------+----------------------------------------------------------------------------------------------------
         ts              | timestamp |      | Arrival: the Kafka message's timestamp, or when the file was read.
         topic           | string    | yes  | Kafka topic, or the name of the file.
         topic_partition | int       | yes  | Kafka partition; null for files.
         topic_offset    | long      | yes  | Kafka offset; for files the line number, from 1.
         record_index    | int       |      | Index of the record within the message or listing line, from 0; below 0 what had no end before it.
         reason          | string    |      | Why it could not be read.
         raw             | binary    |      | The line, whole.
        (7 rows)
        ----
        error: no table `nothing`; there are attacks, campaigns, incidents, rejects, requests, signals, source_windows, target_windows
        error: no table `requsts`; did you mean `requests`?
    "#]]);
}

#[test]
fn functions_are_described() {
    let prompt = Prompt::new();
    prompt.check("\\df\n\\df ip_in\n\\df entropi\n\\df date_b", &expect![[r#"
        entropy(x)                          Shannon entropy, in bits, of the distribution of the values of an expression, with the Miller–Madow correction for small samples
        entropy_h2(x)                       Collision entropy (Rényi entropy of order 2), in bits: minus the binary logarithm of the unbiased probability that two values drawn without replacement are equal
        ip_prefix(ip, v4_bits, v6_bits)     Network of an address as text, such as '192.0.2.0/24'
        ip_source(ip)                       Source of an address as the detector counts it: an IPv4 address, or the /64 of an IPv6 address
        ip_in(ip, network)                  Whether an address lies in a network
        json_get(json, key)                 A field of an object or an element of a list, as JSON: also json -> key
        json_text(json, key)                As json_get, as plain text: also json ->> key
        json_elements(json)                 The elements of a list, each as JSON
        json_length(json)                   How many elements a list or fields an object has
        fingerprint_requests('id or kind')  Requests that the fingerprint of an incident selects, at any time, as a table with the columns of requests
        timeline('network')                 Requests of an address or a network, each with the seconds since the one before of the same address
        sessions('network', minutes)        Visits: requests of one address without a longer pause, 30 minutes unless told otherwise; of all addresses when none is given
        \df NAME tells more, of these and of the engine's functions
        ip_in(ip, network)

        Whether an address lies in a network. IPv4-mapped IPv6 counts as IPv4. Null when the first text is no address; an error when the second is no network.
          ip: Address (or network) as text.
          network: Network such as '192.0.2.0/24' or '2001:db8::/32', or one address.

        SELECT count(*) FROM requests WHERE ip_in(client_ip, '198.51.100.0/24');
        date_bin
        ----
        error: no function `entropi`; did you mean `entropy`?
    "#]]);
}

#[test]
fn commands_are_explained() {
    let prompt = Prompt::new();
    prompt.check("\\?\n\\nope\nhelp me;", &expect![[r#"
        Type SQL and end it with `;`. Ctrl-C stops a running query or forgets the line, Ctrl-D leaves.

          \d                tables and views
          \d NAME           columns of a table or view, and what they mean
          \df               the functions that Floodmark adds
          \df NAME          what a function does, of Floodmark or of the engine
          \f FORMAT         output format: table, csv, json, ndjson
          \x [on|off|auto]  a block a row instead of columns; auto where the terminal is too narrow
          \timing           show how long each query takes
          \i FILE           run the statements of a file
          \?                this help
          \q                leave
        ----
        error: no command `\nope` of that form; \? lists them
        error: syntax error: Expected: an SQL statement, found: help at line 1, column 1
    "#]]);
}

#[test]
fn settings_are_kept() {
    let prompt = Prompt::new();
    prompt.check(
        "\\x on\nSELECT 1 AS a, 2 AS bb;\n\\x\n\\f csv\nSELECT 1 AS a;\n\\timing\nSELECT 2 AS b;\n\\f xml\nexit\nSELECT 3;",
        &expect![[r#"
            -[ 1 ]----------------------------------
            a  | 1
            bb | 2
            (1 row)
            a
            1
            b
            2
            ----
            layout is a block a row
            layout is auto: columns where they fit, else a block a row
            format is csv
            timing is on
            time: 1.500 s
            error: `xml` is no format; there are table, csv, json, ndjson, arrow, parquet
        "#]],
    );
}

#[test]
fn files_are_included() {
    let prompt = Prompt::new();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("two.sql");
    std::fs::write(&file, "SELECT 1 AS a; -- first\nSELECT 2 AS b\n").expect("a file");
    prompt.check(
        &format!("\\i {}", file.display()),
        &expect![[r#"
         a
        ---
         1
        (1 row)
         b
        ---
         2
        (1 row)
        ----
    "#]],
    );
    let (shown, _) = prompt.run("\\i no-such-file.sql", &never);
    assert!(shown.contains("error: cannot read `no-such-file.sql`"), "{shown}");
}

#[test]
fn a_mistake_does_not_end_the_session() {
    let prompt = Prompt::new();
    prompt.check(
        "SELECT hst FROM requests;\nSELEC;\nSELECT 1 AS a;",
        &expect![[r#"
         a
        ---
         1
        (1 row)
        ----
        error: no column `hst`; did you mean `host`?
        error: syntax error: Expected: an SQL statement, found: SELEC at line 1, column 1
    "#]],
    );
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

//! The output formats, byte by byte.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::ipc::reader::StreamReader;
use bytes_of::Shown;
use expect_test::expect;
use query::{Format, Layout, OutputOptions, QueryError, Session, statements};

use crate::fixture;

mod bytes_of {
    /// What was written, as text that a failing test can show.
    pub(super) struct Shown(pub(super) Vec<u8>);

    impl std::fmt::Display for Shown {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(&String::from_utf8_lossy(&self.0))
        }
    }
}

const TERMINAL: Option<usize> = Some(80);

async fn answer(session: &Session, text: &str, options: &OutputOptions) -> String {
    let mut out = Vec::new();
    session.run(text, options, &mut out).await.expect("an answer");
    Shown(out).to_string()
}

const EVERYTHING: &str = "SELECT TIMESTAMP '2026-03-01 10:00:00.5' AS local, first_ts, sources, confidence, \
     closed_ts, true AS yes, 'a,\"b\"' AS text, X'1b41ff' AS bytes FROM attacks WHERE incident_id = 'b2'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_in_every_format() {
    let (_lake, session) = fixture::lake_and_session().await;
    let text = |format| OutputOptions::new(format);
    expect![[r#"
        local,first_ts,sources,confidence,closed_ts,yes,text,bytes
        2026-03-01T10:00:00.500Z,2026-03-01T11:30:00Z,[],0.97,,true,"a,""b""",A\xff
    "#]]
    .assert_eq(&answer(&session, EVERYTHING, &text(Format::Csv)).await);
    expect![[r#"
        {"local":"2026-03-01T10:00:00.500Z","first_ts":"2026-03-01T11:30:00Z","sources":[],"confidence":0.97,"closed_ts":null,"yes":true,"text":"a,\"b\"","bytes":"\u001bA\\xff"}
    "#]].assert_eq(&answer(&session, EVERYTHING, &text(Format::Ndjson)).await);
    expect![[r#"
         local                    | first_ts             | sources | confidence | closed_ts | yes  | text  | bytes
        --------------------------+----------------------+---------+------------+-----------+------+-------+-----------
         2026-03-01T10:00:00.500Z | 2026-03-01T11:30:00Z | []      |       0.97 |           | true | a,"b" | \x1bA\xff
        (1 row)
    "#]].assert_eq(&answer(&session, EVERYTHING, &text(Format::Table)).await);
    let lists = "SELECT incident_id, sources FROM attacks ORDER BY 1";
    expect![[r#"
        [
        {"incident_id":"a1","sources":["203.0.113.7","203.0.113.8","203.0.113.9","2001:db8:bad:1::/64"]},
        {"incident_id":"b2","sources":[]}
        ]
    "#]].assert_eq(&answer(&session, lists, &text(Format::Json)).await);
    expect![[r#"
        incident_id,sources
        a1,"[""203.0.113.7"",""203.0.113.8"",""203.0.113.9"",""2001:db8:bad:1::/64""]"
        b2,[]
    "#]]
    .assert_eq(&answer(&session, lists, &text(Format::Csv)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_without_rows_are_whole() {
    let (_lake, session) = fixture::lake_and_session().await;
    let none = "SELECT host, path FROM requests WHERE false";
    let mut shown = String::new();
    for format in [Format::Table, Format::Csv, Format::Json, Format::Ndjson] {
        shown += format.name();
        shown += ":\n";
        shown += &answer(&session, none, &OutputOptions::new(format)).await;
    }
    expect![[r#"
        table:
         host | path
        ------+------
        (0 rows)
        csv:
        host,path
        json:
        [
        ]
        ndjson:
    "#]]
    .assert_eq(&shown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_gets_no_control_character() {
    let (_lake, session) = fixture::lake_and_session().await;
    let hostile = "SELECT path, user_agent FROM requests WHERE malformed; SELECT raw FROM rejects";
    let mut shown = String::new();
    for format in [Format::Table, Format::Csv, Format::Json, Format::Ndjson] {
        let options = OutputOptions { format, terminal_columns: TERMINAL, layout: Layout::Auto };
        let text = answer(&session, hostile, &options).await;
        assert!(!text.contains(|c: char| c != '\n' && schemas::text::is_unsafe(c)), "{text:?}");
        shown += &text;
    }
    expect![[r#"
         path              | user_agent
        -------------------+---------------------------
         /\x1b]0;pwned\x07 | \x1b[31mred\u{202e}\u{9b}
        (1 row)
         raw
        ----------------
         \x1b[31m\\\xff
         {}
        (2 rows)
        path,user_agent
        /\x1b]0;pwned\x07,\x1b[31mred\u{202e}\u{9b}
        raw
        \x1b[31m\\\xff
        {}
        [
        {"path":"/\u001b]0;pwned\u0007","user_agent":"\u001b[31mred\u202e\u009b"}
        ]
        [
        {"raw":"\u001b[31m\\\\\\xff"},
        {"raw":"{}"}
        ]
        {"path":"/\u001b]0;pwned\u0007","user_agent":"\u001b[31mred\u202e\u009b"}
        {"raw":"\u001b[31m\\\\\\xff"}
        {"raw":"{}"}
    "#]]
    .assert_eq(&shown);
    // A file gets the bytes as they were.
    let csv = answer(&session, hostile, &OutputOptions::new(Format::Csv)).await;
    assert!(csv.contains("/\u{1b}]0;pwned\u{7},\u{1b}[31mred\u{202e}\u{9b}\n"), "{csv:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_fit_the_terminal() {
    let (_lake, session) = fixture::lake_and_session().await;
    let text = "SELECT incident_id, sources, summary FROM attacks ORDER BY 1";
    let mut shown = String::new();
    for (columns, layout) in
        [(70, Layout::Auto), (40, Layout::Auto), (70, Layout::Expanded), (20, Layout::Columns)]
    {
        let options =
            OutputOptions { format: Format::Table, terminal_columns: Some(columns), layout };
        shown += &answer(&session, text, &options).await;
    }
    expect![[r#"
         incident_id | sources                   | summary
        -------------+---------------------------+---------------------------
         a1          | [203.0.113.7, 203.0.113.… | http_flood on shop.examp…
         b2          | []                        | credential_stuffing on s…
        (2 rows)
        -[ 1 ]----------------------------------
        incident_id | a1
        sources     | [203.0.113.7, 203.0.113.8, 203.0.113.9, 2001:db8:bad:1::/64]
        summary     | http_flood on shop.example
        -[ 2 ]----------------------------------
        incident_id | b2
        sources     | []
        summary     | credential_stuffing on shop.example
        (2 rows)
        -[ 1 ]----------------------------------
        incident_id | a1
        sources     | [203.0.113.7, 203.0.113.8, 203.0.113.9, 2001:db8:bad:1::/64]
        summary     | http_flood on shop.example
        -[ 2 ]----------------------------------
        incident_id | b2
        sources     | []
        summary     | credential_stuffing on shop.example
        (2 rows)
         incident_id | sources                                                      | summary
        -------------+--------------------------------------------------------------+-------------------------------------
         a1          | [203.0.113.7, 203.0.113.8, 203.0.113.9, 2001:db8:bad:1::/64] | http_flood on shop.example
         b2          | []                                                           | credential_stuffing on shop.example
        (2 rows)
    "#]].assert_eq(&shown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parquet_round_trips() {
    let (lake, session) = fixture::lake_and_session().await;
    let options = OutputOptions::new(Format::Parquet);
    let mut out = Vec::new();
    let written = session.run("SELECT * FROM requests", &options, &mut out).await.expect("a file");
    assert_eq!((written.rows, written.closed), (1_921, false));
    let file = lake.path().join("out.parquet");
    std::fs::write(&file, &out).expect("a file");
    let text = format!(
        "CREATE EXTERNAL TABLE back STORED AS PARQUET LOCATION '{}'; \
         SELECT count(*) AS n FROM (SELECT * FROM back EXCEPT SELECT * FROM requests)",
        file.display()
    );
    assert_eq!(answer(&session, &text, &OutputOptions::new(Format::Csv)).await, "n\n0\n");

    let terminal = OutputOptions { terminal_columns: TERMINAL, ..options };
    let refused = session.run("SELECT 1", &terminal, &mut Vec::new()).await;
    assert!(
        matches!(refused, Err(QueryError::BinaryToTerminal { format: "parquet" })),
        "{refused:?}"
    );
    let two = session.run("SELECT 1; SELECT 2", &options, &mut Vec::new()).await;
    assert!(matches!(two, Err(QueryError::OneResult { statements: 2, .. })), "{two:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arrow_round_trips() {
    let (_lake, session) = fixture::lake_and_session().await;
    let text =
        "SELECT ts, client_ip, status, user_agent FROM requests ORDER BY ts, client_ip, path";
    let mut out = Vec::new();
    session.run(text, &OutputOptions::new(Format::Arrow), &mut out).await.expect("a stream");
    let read = StreamReader::try_new(&out[..], None).expect("a stream");
    let read: Vec<RecordBatch> = read.collect::<Result<_, _>>().expect("rows");
    let statement = statements::parse(text).expect("SQL").remove(0);
    let ours = session.query(&statement).await.expect("rows").collect().await.expect("rows");
    let whole = |rows: &[RecordBatch]| concat_batches(&rows[0].schema(), rows).expect("rows");
    assert_eq!(whole(&read), whole(&ours));
}

/// A pipe whose reader leaves after some bytes.
struct Pipe(usize);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe));
        }
        let written = bytes.len().min(self.0);
        self.0 -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A disk that is full.
struct Full;

impl Write for Full {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_pipe_is_no_error_and_a_full_disk_is() {
    let (_lake, session) = fixture::lake_and_session().await;
    for format in Format::ALL {
        let options = OutputOptions::new(format);
        let text = "SELECT * FROM requests";
        let written = session.run(text, &options, &mut Pipe(10)).await.expect("no error");
        assert!(written.closed, "{format}");
        let full = session.run(text, &options, &mut Full).await;
        assert!(matches!(full, Err(QueryError::Write(_))), "{format}: {full:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn csv_tells_null_from_empty_and_guards_formulas() {
    let (_lake, session) = fixture::lake_and_session().await;
    let odd = "SELECT * FROM (VALUES (1, NULL, -5), (2, '', 0), (3, '=1+1', 1), (4, '-', NULL), (5, '@x,\"y\"', 2), \
               (6, 'a''b', 3)) t(n, text, number) ORDER BY 1";
    expect![[r#"
        n,text,number
        1,,-5
        2,"",0
        3,"'=1+1",1
        4,-,
        5,"'@x,""y""",2
        6,a'b,3
    "#]]
    .assert_eq(&answer(&session, odd, &OutputOptions::new(Format::Csv)).await);
}

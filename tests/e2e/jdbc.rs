//! Drivers of JDBC at both faces that have one.

use tests::sample::lake;
use tests::skip::or_skip;
use tests::{Jdbc, Served};

const TABLES: &str =
    "incidents:TABLE rejects:TABLE requests:TABLE source_windows:TABLE target_windows:TABLE";
const VIEWS: &str = "attacks:VIEW campaigns:VIEW signals:VIEW";

#[test]
fn drivers_of_java_get_metadata_and_rows() {
    let Some(jdbc) = or_skip(Jdbc::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let tables = lake(folder.path());
    let served = Served::start(&tables, &[]);
    let first = "SELECT client_ip, status, topic_offset FROM requests WHERE status = 200 ORDER BY ts, topic_offset LIMIT 1";
    let first = &tables.rows(first)[0];
    let row =
        format!("{} 200 {} false", first["client_ip"].as_str().unwrap(), first["topic_offset"]);
    // pgjdbc sorts by the type first, the other by the name alone.
    let of_postgres = format!("tables={TABLES} {VIEWS}");
    let mut names: Vec<&str> = of_postgres.trim_start_matches("tables=").split(' ').collect();
    names.sort_unstable();
    let of_flight = format!("tables={}", names.join(" "));
    let version = format!("product=Floodmark {}", env!("CARGO_PKG_VERSION"));
    let doc = "Event time as the edge logged it.";
    for (face, port, head, tail) in [
        (
            "postgres",
            &served.postgres,
            [
                "product=PostgreSQL 16.6",
                &of_postgres,
                &format!("columns=29 timestamptz 2 {doc}"),
                "schemas=3",
            ],
            &["indexes=0", "types=true", "by and by=5000", "wrong=42703 true", "wrong=25006 true"]
                [..],
        ),
        (
            "flight",
            &served.flight,
            [
                &version,
                &of_flight,
                &format!("columns=29 timestamp with time zone 2 {doc}"),
                "schemas=1",
            ],
            &["wrong=null true", "wrong=null true"][..],
        ),
    ] {
        let said = jdbc.ask(face, port);
        let lines: Vec<&str> = said.lines().collect();
        let [product, tables, columns, schemas] = head;
        assert_eq!(
            lines[..7],
            [product, "quote=\"", tables, columns, schemas, "keys=0", "foreign=0"],
            "{said}"
        );
        let is_row = |line: &&str| line.starts_with("row=") && line.ends_with(&row);
        assert!(lines[7..10].iter().all(is_row), "{said}");
        assert_eq!(lines[10..13], ["list=true", "has rows=true", "rows=5000"], "{said}");
        assert_eq!(&lines[13..], tail, "{said}");
    }
    served.stop();
}

//! What the dashboards of `docs/grafana` ask, of the tables.

use serde_json::Value;
use tests::skip::or_skip;
use tests::{Python, workspace};

use crate::postgres::Served;
use crate::serve::lake;

/// Panels that are rightly empty on the sample: it is read whole, and its attacks are over when it ends.
const EMPTY: [&str; 2] = ["Lines that could not be read", "Attack under way"];

#[test]
fn every_panel_gets_rows_from_the_tables() {
    let Some(python) = or_skip(Python::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let tables = lake(folder.path());
    let served = Served::start(&tables, &[]);
    let boards = workspace::root().join("docs/grafana");
    let seen = python.run("grafana.py", &["tables", &served.port, boards.to_str().unwrap()]);
    let seen: Value = serde_json::from_str(&seen).expect("JSON");
    let names: Vec<&String> = seen.as_object().unwrap().keys().collect();
    assert_eq!(names, ["attacks", "floodmark", "host", "ingest"]);
    for (board, panels) in seen.as_object().unwrap() {
        for (panel, rows) in panels.as_object().unwrap() {
            let some = rows.as_u64().unwrap() > 0;
            assert!(some || EMPTY.contains(&panel.as_str()), "{board}: {panel}: no row");
        }
    }
    served.stop();
}

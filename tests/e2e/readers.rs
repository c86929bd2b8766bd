//! The tables are open: readers that are not ours agree with our SQL.

use serde_json::Value;
use tests::sample::traffic;
use tests::skip::or_skip;
use tests::table::KEYS;
use tests::{Floodmark, Python, Tables};

#[test]
fn duckdb_and_delta_rs_read_all_tables() {
    let Some(python) = or_skip(Python::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let tables = Tables::at(folder.path().join("lake"));
    let bad = folder.path().join("bad.log");
    std::fs::write(&bad, "no record\n").unwrap();
    let scan = ["scan", "--format", "cloudflare", "--alerts", "none", "--data", tables.arg()];
    Floodmark::new(scan).arg(traffic().path()).arg(bad).success();

    agree(&python, &tables);
    Floodmark::new(["maintain", "--data", tables.arg()]).success();
    agree(&python, &tables);
}

/// Passes when the readers find what our SQL finds.
fn agree(python: &Python, tables: &Tables) {
    let answer = python.ask("readers.py", &[tables.arg()]);
    for (table, _) in KEYS {
        let ours = tables.count(table);
        assert!(ours > 0, "{table} is empty");
        for reader in ["duckdb", "deltalake"] {
            assert_eq!(answer[reader][table]["rows"].as_i64(), Some(ours), "{reader} {table}");
        }
        // Names, types and nullability as delta-rs sees them are those of the table's definition.
        let columns = answer["deltalake"][table]["columns"].as_array().unwrap();
        let ours = tables.rows(&format!(
            "SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' \
             ORDER BY ordinal_position"
        ));
        let ours: Vec<&Value> = ours.iter().map(|row| &row["column_name"]).collect();
        let theirs: Vec<&Value> = columns.iter().map(|column| &column["name"]).collect();
        assert_eq!(theirs, ours, "{table}");
    }
    // One value that goes through every layer: the sum of the statuses, and the busiest client.
    let ours = tables
        .rows("SELECT sum(status) AS statuses, min(ts) AS first, max(ts) AS last FROM requests");
    assert_eq!(answer["duckdb"]["sum"], ours[0]["statuses"]);
}

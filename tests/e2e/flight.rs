//! `floodmark serve --flight` with clients of Arrow Flight SQL that are not ours, and with those who mean harm.

use serde_json::json;
use tests::sample::lake;
use tests::skip::or_skip;
use tests::{Floodmark, Python, Served};

use crate::serve::{Secrets, TOKEN};

const RELATIONS: [&str; 8] = [
    "attacks:VIEW",
    "campaigns:VIEW",
    "incidents:TABLE",
    "rejects:TABLE",
    "requests:TABLE",
    "signals:VIEW",
    "source_windows:TABLE",
    "target_windows:TABLE",
];

#[test]
fn adbc_gets_columns_with_their_types() {
    let Some(python) = or_skip(Python::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let tables = lake(folder.path());
    let served = Served::start(&tables, &[]);
    let missing = tables.number("SELECT count(*) AS n FROM requests WHERE status = 404");
    let wrong = "ProgrammingError";
    let seen = python.ask("flight.py", &["adbc", &served.flight]);
    let expected = json!({
        "types": ["timestamp[us, tz=UTC]", "date32[day]", "string", "int32", "int64", "bool"],
        "values": [true, 7, 2.5, "x", null, ["a", null], "MonthDayNano(months=0, days=1, nanoseconds=0)", "1.25"],
        "views": "list<element: string>", "given": [7, 2.5, "'; DROP", true, null, "2026-01-02"], "counted": missing,
        "takes": ["timestamp[us, tz=UTC]", "int32", "int64"], "gives": [["path", "string"], ["n", "int64"]],
        "streamed": 50_000, "made equal": 3, "no rows": 0, "ingest": "NotSupportedError",
        "errors": {
            "SELEC 1": wrong, "SELECT nothing FROM requests": wrong, "SELECT 1 / 0 FROM requests": wrong,
            "DELETE FROM requests": wrong, "CREATE TABLE t (x int)": wrong, "SELECT 1; SELECT 2": wrong,
            "SELECT * FROM '/etc/passwd'": wrong, "SET datafusion.runtime.memory_limit = '1G'": wrong,
        },
        "after all": 1, "catalogs": ["floodmark"], "schemas": ["public"], "tables": RELATIONS, "columns": [29, 2],
        "one schema": 29, "table types": ["TABLE", "VIEW"], "vendor": "Floodmark", "cancelled": "OSError",
    });
    assert_eq!(seen, expected);
    served.stop();
}

#[test]
fn every_call_of_flight_is_answered_or_refused() {
    let Some(python) = or_skip(Python::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&lake(folder.path()), &[]);
    let seen = python.ask("flight.py", &["arrow", &served.flight]);
    let refused = "ArrowNotImplementedError";
    let expected = json!({
        "told": [["path", "status"], 1, []], "rows": [7, 7, 7], "schema": ["x", "y"],
        "actions": ["CreatePreparedStatement", "ClosePreparedStatement", "CancelFlightInfo", "CancelQuery"],
        "GetCatalogs": 1, "GetDbSchemas": 1, "GetTables": 8, "GetTableTypes": 2, "GetSqlInfo": 47,
        "GetXdbcTypeInfo": 14, "GetPrimaryKeys": 0, "GetExportedKeys": 0, "GetImportedKeys": 0, "GetCrossReference": 0,
        "like": ["source_windows", "target_windows"],
        "cancelled": 1, "told to the reader": true, "cancelled again": 3, "after those who left": 1, "cut": true,
        "CommandStatementUpdate": refused, "CommandStatementIngest": refused,
        "CommandStatementSubstraitPlan": refused, "Nothing": refused, "BeginTransaction": refused,
        "nothing": refused, "by path": refused, "no rows": "ArrowInvalid", "two rows": refused, "packed": refused,
        "many bytes": "ArrowInvalid", "one row": [2],
    });
    assert_eq!(seen, expected);
    served.stop();
}

#[test]
fn those_who_mean_harm_keep_nobody_from_an_answer() {
    let Some(python) = or_skip(Python::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&lake(folder.path()), &[]);
    let seen = python.ask("flight.py", &["hostile", &served.flight]);
    let wrong = "ArrowInvalid";
    let expected = json!({
        "no calls": true, "taken back": true, "after the crowd": true, "beside slow readers": true,
        "large": wrong, "long": wrong, "deep": wrong, "odd": wrong, "after all": 1,
    });
    assert_eq!(seen, expected);
    served.stop();
}

#[test]
fn others_are_answered_who_know_the_token_over_tls_alone() {
    let Some(python) = or_skip(Python::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let Some(secrets) = or_skip(Secrets::make(folder.path())) else { return };
    let tables = lake(folder.path());
    let served = Served::start(&tables, &secrets.args());
    let seen = python.ask("flight.py", &["secure", &served.flight, TOKEN, &secrets.authority]);
    let (unknown, unreached) = ("FlightUnauthenticatedError", "FlightUnavailableError");
    let expected = json!({
        "token": 1, "password": 1, "wrong password": unknown, "wrong": unknown, "none": unknown, "plain": unreached,
        "other authority": unreached, "adbc": 1, "after all": 1,
    });
    assert_eq!(seen, expected);
    served.stop();
    let open =
        ["serve", "--data", tables.arg(), "--listen", "127.0.0.1:0", "--flight", "0.0.0.0:0"];
    let open = Floodmark::new(open).output().expect_status(2);
    open.expect_stderr(&["token and encryption are missing"]);
}

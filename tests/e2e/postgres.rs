//! `floodmark serve --postgres` with clients of PostgreSQL that are not ours, and with those who mean harm.

use serde_json::{Value, json};
use tests::postgres::psql;
use tests::sample::lake;
use tests::skip::or_skip;
use tests::{Floodmark, Python, Served};

use crate::serve::{Secrets, TOKEN};

const TABLES: [&str; 5] = ["incidents", "rejects", "requests", "source_windows", "target_windows"];
const VIEWS: [&str; 3] = ["attacks", "campaigns", "signals"];

#[test]
fn psql_gets_what_the_command_line_gets_and_finds_its_way() {
    let folder = tempfile::tempdir().unwrap();
    let tables = lake(folder.path());
    let served = Served::start(&tables, &[]);
    let counted = "SELECT count(*) FROM requests WHERE status = 404";
    let Some(found) = or_skip(psql(&served.postgres, &["-At", "-c", counted])) else { return };
    let number = tables.number("SELECT count(*) AS n FROM requests WHERE status = 404");
    assert_eq!(found.expect_status(0).stdout.trim(), number.to_string());
    let ask = |command: &str| {
        let asked = psql(&served.postgres, &["-At", "-v", "ON_ERROR_STOP=1", "-c", command]);
        asked.unwrap().expect_status(0).stdout
    };
    let names = |command: &str| -> Vec<String> {
        let second = |line: &str| line.split('|').nth(1).map(str::to_owned);
        ask(command).lines().filter_map(second).collect()
    };
    assert_eq!(names("\\dt"), TABLES);
    assert_eq!(names("\\dv"), VIEWS);
    assert_eq!(names("\\d").len(), 8);
    assert_eq!(names("\\df").len(), 12);
    assert!(ask("\\dn").contains("public") && ask("\\l").contains("floodmark"));
    let described = ask("\\d requests");
    assert!(described.contains("ts|timestamp with time zone||not null|\n"), "{described}");
    assert!(described.contains("status|integer|||\n"), "{described}");
    assert!(ask("\\d attacks").contains("sources|text[]|"));
    assert!(ask("\\d+ rejects").contains("The line, whole."));
    assert!(ask("\\sv attacks").contains("row_number()"));
    for command in ["\\du", "\\di", "\\dT", "\\dp", "\\dx", "\\ds", "\\dt+", "\\l+", "\\d pg_class"]
    {
        ask(command);
    }
    let wrong = psql(&served.postgres, &["-c", "SELECT nothing FROM requests"]).unwrap();
    wrong.expect_status(1).expect_stderr(&["no column `nothing`"]);
    served.stop();
}

#[test]
fn drivers_of_python_get_values_with_their_types() {
    let Some(python) = or_skip(Python::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let tables = lake(folder.path());
    let served = Served::start(&tables, &[]);
    let answered = tables.number("SELECT count(*) AS n FROM requests WHERE status IN (200, 404)");
    let good = tables.number("SELECT count(*) AS n FROM requests WHERE status = 200");

    let seen = python.ask("postgres.py", &["psycopg", &served.postgres]);
    let expected = json!({
        "text is binary": true,
        "values": [true, 7, 2.5, "x", null, ["a", "b,\"", null], [1, 2]],
        "given": [7, 2.5, "'; DROP", true, null, "2026-01-02", ["a", "b"], "00ff", "00000000-0000-0000-0000-000000000005"],
        "counted": answered, "streamed": 50_000, "names": ["count", "max", "?column?", "status"],
        "codes": {
            "SELEC 1": "42601", "SELECT nothing FROM requests": "42703", "SELECT * FROM nothing": "42P01",
            "SELECT nothing(1)": "42883", "SET datafusion.runtime.memory_limit = '1G'": "25006",
            "DELETE FROM requests": "25006", "COPY requests TO STDOUT": "0A000", "COPY requests FROM STDIN": "0A000",
            "CREATE TABLE t (x int)": "25006", "SHOW nothing": "42704", "SELECT 1 / 0 FROM requests": "22012",
            "SELECT 'x'::int8": "22P02",
        },
        "place": "35", "two": [1, 2], "cancelled": "57014", "version": 160_006,
    });
    assert_eq!(seen, expected);

    let seen = python.ask("postgres.py", &["asyncpg", &served.postgres]);
    let expected = json!({
        "columns": ["ts", "date", "client_ip", "status", "topic_offset", "malformed", "path"],
        "takes": ["timestamptz", "int4", "int8"], "gives": [["path", "text"], ["n", "int8"]], "rows": 3,
        "listed": good, "by hundreds": 1_000, "code": "42703", "pool": [0, 1, 2],
    });
    assert_eq!(seen, expected);

    let seen = python.ask("postgres.py", &["sqlalchemy", &served.postgres]);
    assert_eq!((&seen["tables"], &seen["views"]), (&json!(TABLES), &json!(VIEWS)));
    assert_eq!(
        (&seen["schemas"], &seen["default"]),
        (&json!(["information_schema", "public"]), &json!("public"))
    );
    assert_eq!(seen["columns"]["first_ts"], "TIMESTAMP");
    assert_eq!(seen["columns"]["sources"], "ARRAY");
    assert_eq!(
        (&seen["key"], &seen["foreign"], &seen["indexes"]),
        (&json!([]), &json!([]), &json!([]))
    );
    assert_eq!(
        (&seen["has"], &seen["comment"], &seen["view"]),
        (&json!([true, false]), &json!(true), &json!(true))
    );
    assert_eq!((&seen["counted"], &seen["text"]), (&json!(answered), &json!("a")));
    served.stop();
}

#[test]
fn what_dashboards_ask_of_the_catalogue_is_answered() {
    let Some(python) = or_skip(Python::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&lake(folder.path()), &[]);
    let seen = python.ask("postgres.py", &["tools", &served.postgres]);
    let one = |name: &str| {
        let rows = seen[name].as_array().unwrap_or_else(|| panic!("{name}: {seen}"));
        rows.iter().map(|row| row[0].clone()).collect::<Vec<Value>>()
    };
    let mut all = [&TABLES[..], &VIEWS[..]].concat();
    all.sort_unstable();
    assert_eq!(one("grafana tables"), all);
    assert!(
        seen["grafana columns"]
            .as_array()
            .unwrap()
            .contains(&json!(["ts", "timestamp with time zone"]))
    );
    assert_eq!(seen["grafana version"], json!([[1600]]));
    assert_eq!(seen["grafana extension"], json!([]));
    assert_eq!(one("grafana series").len(), 3);
    assert_eq!(one("metabase schemas"), ["public"]);
    assert!(
        one("metabase version")[0].as_str().unwrap().starts_with("PostgreSQL 16.6 (Floodmark ")
    );
    assert_eq!(seen["metabase keys"], json!([]));
    assert_eq!(one("superset"), VIEWS);
    assert_eq!(seen["privileges"], json!([[true, false]]));
    assert_eq!(
        seen["types"],
        json!([[25, "text", 0], [1009, "_text", 25], [1184, "timestamptz", 0]])
    );
    assert_eq!(seen["by name"][6], json!(["raw", "bytea"]));
    assert_eq!(
        seen["settings"],
        json!([["public", "floodmark", "floodmark", false, ["pg_catalog", "public"]]])
    );
    assert_eq!((&seen["shown"], &seen["whole name"]), (&json!([["on"]]), &json!([[true]])));
    served.stop();
}

#[test]
fn those_who_mean_harm_keep_nobody_from_an_answer() {
    let Some(python) = or_skip(Python::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&lake(folder.path()), &[]);
    let seen = python.ask("postgres.py", &["hostile", &served.postgres]);
    let expected = json!({
        "beside a slow reader": true, "no beginnings": true, "no messages": true,
        "large": [["54000"], "TDCZ"], "out of step": ["12EZ", ["42703"]], "all rows": "12DCZ",
        "prepared": ["53000"], "after all": true,
    });
    assert_eq!(seen, expected);
    served.stop();
}

#[test]
fn others_are_answered_who_prove_to_know_the_token_over_tls_alone() {
    let Some(python) = or_skip(Python::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let Some(secrets) = or_skip(Secrets::make(folder.path())) else { return };
    let tables = lake(folder.path());
    let served = Served::start(&tables, &secrets.args());
    let seen = python.ask("postgres.py", &["secure", &served.postgres, TOKEN, &secrets.authority]);
    let wrong = "this is not the password, which is the token of the server";
    let plain = "this server is spoken to over TLS; ask for it with sslmode=require or stricter";
    let expected = json!({
        "token": 1, "by scram alone": 1, "wrong": wrong, "none": true, "plain": plain, "direct": 1, "early": true,
        "after all": 1,
    });
    assert_eq!(seen, expected);
    served.stop();
    let open =
        ["serve", "--data", tables.arg(), "--listen", "127.0.0.1:0", "--postgres", "0.0.0.0:0"];
    let open = Floodmark::new(open).output().expect_status(2);
    open.expect_stderr(&["token and encryption are missing"]);
}

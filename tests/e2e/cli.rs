//! The command line: help, exit statuses, configuration, and what goes to which stream.

use std::fs;
use std::process::Command;

use tests::floodmark::{PATIENCE, binary};
use tests::sample::{combined_log, traffic};
use tests::{Floodmark, Running, Tables};

/// The commands of the contract, with options that scripts rely on.
const COMMANDS: [(&str, &[&str]); 6] = [
    ("scan", &["--format", "--data", "--config", "--alerts"]),
    ("ship", &["--brokers", "--topic", "--format", "--follow", "--state", "--rate", "--config"]),
    (
        "run",
        &[
            "--brokers",
            "--topic",
            "--group",
            "--data",
            "--config",
            "--exit-at-end",
            "--commit-interval",
            "--alerts",
        ],
    ),
    ("sql", &["--data", "--format", "-f", "--config"]),
    ("demo", &["--alerts"]),
    ("generate", &["--seed"]),
];

#[test]
fn every_command_explains_itself() {
    for (command, options) in COMMANDS {
        let help = Floodmark::new([command, "--help"]).success().stdout;
        for option in options {
            assert!(help.contains(option), "no {option} in the help of {command}:\n{help}");
        }
        assert!(!help.contains('\u{1b}'), "colour in a pipe: {help:?}");
    }
    let help = Floodmark::new(["--help"]).success().stdout;
    for (command, _) in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "no {command} in\n{help}");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let version = Floodmark::new(["--version"]).success().stdout;
    assert_eq!(version, format!("floodmark {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_wrong_command_line_is_status_2_and_names_what_is_wrong() {
    let wrong: [(&[&str], &str); 9] = [
        (&[], "usage"),
        (&["sing"], "sing"),
        (&["scan"], "<file>"),
        (&["scan", "--nosuch", "x.log"], "--nosuch"),
        (&["scan", "--format", "nosuch", "x.log"], "nosuch"),
        (&["scan", "--alerts", "loud", "x.log"], "loud"),
        (&["run", "--topic", "t"], "--brokers"),
        (&["run", "--brokers", "b:1"], "--topic"),
        (&["run", "--brokers", "b:1", "--topic", "t", "--commit-interval", "soon"], "soon"),
    ];
    for (args, named) in wrong {
        let output = Floodmark::new(args).output().expect_status(2).expect_stderr(&[named]);
        assert_eq!(output.stdout, "", "{}", output.describe());
    }
}

#[test]
fn a_wrong_configuration_is_status_2_and_names_file_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("floodmark.toml");
    let path = file.to_str().unwrap();
    let wrong = [
        ("nosuch-key = 1\n", "nosuch-key"),
        ("data = 'x'\nrate = 'fast'\n", "rate"),
        ("commit-interval = '30 parsecs'\n", "parsecs"),
        ("format = 'nosuch'\n", "nosuch"),
        ("alerts = 'loud'\n", "loud"),
        ("this is no TOML\n", "line 1"),
        ("[detect]\nnosuch-key = 1\n", "nosuch-key"),
    ];
    for (text, named) in wrong {
        fs::write(&file, text).unwrap();
        let scan = Floodmark::new(["scan", "--config", path, "-"]).current_dir(folder.path());
        let output = scan.output().expect_status(2).expect_stderr(&[named]);
        assert_eq!(output.stdout, "", "{}", output.describe());
    }
    Floodmark::new(["scan", "--config", "nowhere.toml", "-"])
        .output()
        .expect_status(2)
        .expect_stderr(&["nowhere.toml"]);
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), "data = 'from-file'\nhost = 'a.example'\n").unwrap();
    let scan = |more: &[&str], environment: Option<&str>| {
        let mut scan = Floodmark::new(["scan", "--config", "c.toml", "--format", "combined"])
            .args(more)
            .arg("-")
            .current_dir(folder.path())
            .stdin(combined_log(3));
        if let Some(data) = environment {
            scan = scan.env("FLOODMARK_DATA", data);
        }
        scan.success();
    };
    scan(&[], None);
    scan(&[], Some("from-environment"));
    scan(&["--data", "from-line"], Some("from-environment"));
    for data in ["from-file", "from-environment", "from-line"] {
        let tables = Tables::at(folder.path().join(data));
        assert_eq!(tables.count("requests"), 3, "{data}");
        let hosts = tables.number("SELECT count(*) AS n FROM requests WHERE host = 'a.example'");
        assert_eq!(hosts, 3, "{data}");
    }
}

#[test]
fn stdout_carries_alerts_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let log = traffic();
    let scan = |alerts: &str| {
        let data = folder.path().join(alerts);
        Floodmark::new(["scan", "--alerts", alerts, "--data", data.to_str().unwrap()])
            .arg(log.path())
            .success()
    };
    let json = scan("json").json_lines();
    assert!(!json.is_empty(), "the sample has attacks");
    for alert in &json {
        for key in ["incident_id", "revision", "state", "kind", "verdict", "severity", "summary"] {
            assert!(!alert[key].is_null(), "no {key} in {alert}");
        }
        assert_ne!(alert["verdict"], "benign", "{alert}");
    }
    let ocsf = scan("ocsf").json_lines();
    assert_eq!(ocsf.len(), json.len());
    assert!(ocsf.iter().all(|finding| finding["class_uid"] == 2004), "{:?}", ocsf.first());
    assert_eq!(scan("none").stdout, "");
    let text = scan("text").stdout;
    assert!(!text.is_empty() && !text.contains('\u{1b}'), "no colour in a pipe:\n{text}");
}

#[test]
fn hostile_text_reaches_no_terminal_unescaped() {
    let folder = tempfile::tempdir().unwrap();
    // A flood whose path and agent would set colours, ring and overwrite the line; JSON keeps them intact in the log.
    let line = |n: u32| {
        format!(
            r#"{{"EdgeStartTimestamp":"2025-11-14T10:{:02}:{:02}Z","ClientIP":"198.51.100.{}","ClientRequestHost":"shop.example","ClientRequestMethod":"GET","ClientRequestURI":"/\u001b[31m\r\u0007\u009b2J\u202e","ClientRequestProtocol":"HTTP/1.1","EdgeResponseStatus":200,"EdgeResponseBytes":10,"ClientRequestUserAgent":"\u001b]0;owned\u0007"}}"#,
            n / 60 % 60,
            n % 60,
            n % 40,
        )
    };
    let mut log = String::new();
    for second in 0..1_800 {
        for _ in 0..if second < 1_500 { 2 } else { 300 } {
            log += &(line(second) + "\n");
        }
    }
    for (alerts, wanted) in [("text", "alerts"), ("json", "alerts")] {
        let data = folder.path().join(alerts);
        let data = data.to_str().unwrap();
        let args = ["scan", "--format", "cloudflare", "--alerts", alerts, "--data", data, "-"];
        let output = Floodmark::new(args).stdin(log.clone()).success();
        assert!(!output.stdout.is_empty(), "no {wanted} for a flood\n{}", output.describe());
        let is_control = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        let found = output.stdout.chars().chain(output.stderr.chars()).find(|c| is_control(*c));
        assert_eq!(found, None, "{}", output.describe());
    }
    let data = folder.path().join("text");
    let query = "SELECT path, user_agent FROM requests LIMIT 1";
    let table = Floodmark::new(["sql", "--data", data.to_str().unwrap(), query]).success().stdout;
    assert!(!table.contains('\u{1b}'), "a query result on a terminal is escaped too:\n{table:?}");
}

#[test]
fn no_color_and_a_closed_reader_are_respected() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("lake");
    let log = traffic();
    let file = log.path();
    let scan = ["scan", "--data", data.to_str().unwrap(), file.to_str().unwrap()];
    // The reader of the alerts is gone before the first one: the tables are whole all the same.
    let command = format!("'{}' \"$@\" | true", binary().display());
    let mut piped = Command::new("bash");
    piped.args(["-o", "pipefail", "-c", &command, "bash"]).args(scan).env("NO_COLOR", "1");
    piped.stdin(std::process::Stdio::null());
    let output = piped.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(!stderr.contains('\u{1b}'), "{stderr:?}");
    assert_eq!(Tables::at(data).records(), log.lines());
}

#[test]
fn a_query_answers_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let scan = ["scan", "--format", "combined", "--data", data, "-"];
    Floodmark::new(scan).stdin(combined_log(100)).success();
    let sql = |format: &str| {
        let query = "SELECT status, count(*) AS n FROM requests GROUP BY status";
        Floodmark::new(["sql", "--data", data, "--format", format, query])
    };
    assert_eq!(sql("csv").success().stdout, "status,n\n200,100\n");
    assert_eq!(sql("ndjson").success().stdout, "{\"status\":200,\"n\":100}\n");
    let json: serde_json::Value = serde_json::from_str(&sql("json").success().stdout).unwrap();
    assert_eq!(json, serde_json::json!([{"status": 200, "n": 100}]));
    let table = sql("table").success().stdout;
    assert!(table.contains("status | n") && table.contains("200 | 100"), "{table}");
    assert!(sql("parquet").success().stdout.starts_with("PAR1"));
    // A file of queries, as `-f`.
    let file = folder.path().join("q.sql");
    fs::write(&file, "SELECT count(*) AS n FROM requests;\n").unwrap();
    let from_file =
        Floodmark::new(["sql", "--data", data, "--format", "csv", "-f", file.to_str().unwrap()]);
    assert_eq!(from_file.success().stdout, "n\n100\n");
}

#[test]
fn a_query_may_have_thousands_of_terms() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let scan = ["scan", "--format", "combined", "--data", data, "-"];
    Floodmark::new(scan).stdin(combined_log(1)).success();
    let terms: Vec<String> = (0..2_000).map(|term| format!("path = '/{term}'")).collect();
    let query = format!("SELECT count(*) AS n FROM requests WHERE {}", terms.join(" OR "));
    let file = folder.path().join("q.sql");
    fs::write(&file, query).unwrap();
    let sql = ["sql", "--data", data, "--format", "csv", "-f", file.to_str().unwrap()];
    assert!(Floodmark::new(sql).success().stdout.starts_with("n\n"));
}

#[test]
fn a_query_that_fails_is_status_1_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    Floodmark::new(["scan", "--format", "combined", "--data", data, "-"])
        .stdin(combined_log(1))
        .success();
    for (query, named) in [
        ("SELECT nosuch FROM requests", "nosuch"),
        ("SELECT * FROM nosuch", "nosuch"),
        ("SELEKT 1", "SELEKT"),
    ] {
        let output = Floodmark::new(["sql", "--data", data, query]).output();
        let output = output.expect_status(1).expect_stderr(&[named]);
        assert_eq!(output.stdout, "", "{}", output.describe());
    }
}

/// Reads one byte of all that is said, and closes the pipe; then prints the status.
const READS_ONE_BYTE: &str = r#"
status=$(mktemp)
{ "$@" 2>&1; echo $? > "$status"; } | head -c 1 > /dev/null
cat "$status"; rm "$status"
"#;

#[test]
fn a_reader_of_everything_that_goes_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Tables::at(folder.path().join("lake"));
    let mut command = Command::new("sh");
    command.args(["-c", READS_ONE_BYTE, "sh"]).arg(binary());
    command.args(["scan", "--format", "cloudflare", "--data", lake.arg(), "--log", "debug"]);
    command.arg(traffic().path());
    let output = Running::start(&mut command).output(PATIENCE).expect_status(0);
    assert_eq!(output.stdout, "0\n", "{}", output.describe());
    assert!(lake.count("requests") > 0 && lake.count("attacks") > 0);
}

//! `floodmark top`: once as text, and in a terminal.

use tests::sample::lake;
use tests::skip::or_skip;
use tests::{Floodmark, Python, Tables, floodmark};

fn top(tables: &Tables) -> Floodmark {
    Floodmark::new(["top", "--data", tables.arg()])
}

#[test]
fn once_it_is_text_that_tells_what_the_tables_hold() {
    let folder = tempfile::tempdir().unwrap();
    let tables = lake(folder.path());
    // Where nobody looks it is written once without being told.
    let shown = top(&tables).args(["--minutes", "10080"]).success().stdout;
    assert!(!shown.contains('\u{1b}'), "{shown}");
    let busiest =
        "SELECT host FROM target_windows GROUP BY host ORDER BY sum(requests) DESC, host LIMIT 1";
    let busiest = tables.rows(busiest).remove(0);
    let hosts: Vec<&str> = shown.lines().skip_while(|line| *line != "Hosts").collect();
    assert!(hosts[2].starts_with(busiest["host"].as_str().unwrap()), "{shown}");
    let open = tables.number("SELECT count(*) AS n FROM attacks WHERE state <> 'close'");
    assert!(shown.contains(&format!("Open incidents: {open}")), "{shown}");
    let heaviest = "SELECT source FROM source_windows GROUP BY source ORDER BY sum(requests) DESC, source LIMIT 1";
    let heaviest = tables.rows(heaviest).remove(0);
    let sources: Vec<&str> = shown.lines().skip_while(|line| *line != "Sources").collect();
    assert!(sources[2].starts_with(heaviest["source"].as_str().unwrap()), "{shown}");
    assert_eq!(top(&tables).arg("--once").args(["--minutes", "10080"]).success().stdout, shown);
}

#[test]
fn in_a_terminal_it_stays_until_a_key_and_leaves_the_screen_as_it_was() {
    let Some(python) = or_skip(Python::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let tables = lake(folder.path());
    let program = floodmark::binary().to_str().unwrap();
    for keys in ["q", "\u{1b}[C\u{1b}[Cppr\u{3}"] {
        let args = ["Open incidents", keys, program, "top", "--data", tables.arg()];
        let seen = python.ask("terminal.py", &args);
        assert_eq!((&seen["pressed"], &seen["status"]), (&true.into(), &0.into()), "{seen}");
        let shown = seen["shown"].as_str().unwrap();
        let (entered, left) = (shown.find("\u{1b}[?1049h"), shown.find("\u{1b}[?1049l"));
        assert!(entered.is_some() && entered < left, "{shown}");
    }
}

#[test]
fn what_cannot_be_shown_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = Tables::at(folder.path().join("nowhere"));
    top(&nowhere).output().expect_status(1).expect_stderr(&["no tables under"]);
    top(&nowhere).args(["--every", "0s"]).output().expect_status(2).expect_stderr(&["--every"]);
}

//! What cannot be read, written or reached: a clear message, the right exit status, nothing lost, no panic.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use tests::sample::{Log, combined, combined_log, text};
use tests::{Floodmark, Output, Tables};

/// `floodmark scan` of `log` as `combined`; returns its tables, whose law 1 holds for `records`.
fn scan(log: impl AsRef<[u8]>, records: i64) -> (Tables, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("access.log");
    fs::write(&file, log.as_ref()).unwrap();
    let tables = Tables::at(folder.path().join("lake"));
    let scan = ["scan", "--format", "combined", "--data", tables.arg()];
    Floodmark::new(scan).arg(&file).success();
    assert_eq!(tables.records(), records, "records read = requests + rejects");
    (tables, folder)
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for command in [vec!["scan"], vec!["ship", "--brokers", "127.0.0.1:1", "--topic", "t"]] {
        let output = Floodmark::new(command)
            .arg("nowhere.log")
            .current_dir(folder.path())
            .output()
            .expect_status(1)
            .expect_stderr(&["nowhere.log", "no such file"]);
        assert_eq!(output.stderr.matches("No such file").count(), 1, "{}", output.describe());
    }
}

#[test]
fn what_is_no_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("directory.log")).unwrap();
    Floodmark::new(["scan", "directory.log"])
        .current_dir(folder.path())
        .output()
        .expect_status(1)
        .expect_stderr(&["directory.log", "directory"]);
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret.log");
    fs::write(&file, combined_log(1)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&file).is_ok() {
        // The superuser may read everything: a loop of links is what nobody can open.
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("secret.log", &file).unwrap();
    }
    let scan = Floodmark::new(["scan", "secret.log"]).current_dir(folder.path());
    scan.output().expect_status(1).expect_stderr(&["secret.log"]);
}

#[test]
fn one_bad_file_among_good_ones_stops_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let good = Log::new(&combined_log(10));
    let tables = Tables::at(folder.path().join("lake"));
    let scan = ["scan", "--format", "combined", "--data", tables.arg()];
    let scan = Floodmark::new(scan).arg(good.path()).arg("nowhere.log");
    scan.output().expect_status(1).expect_stderr(&["nowhere.log"]);
    let scan = ["scan", "--format", "combined", "--data", tables.arg()];
    Floodmark::new(scan).arg(good.path()).success();
    assert_eq!(tables.records(), 10);
}

#[test]
fn a_log_in_no_known_format_is_refused_by_auto_and_names_the_formats() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::new(&"the quick brown fox\njumps over\n".repeat(50));
    let tables = Tables::at(folder.path().join("lake"));
    let output = Floodmark::new(["scan", "--data", tables.arg()]).arg(log.path()).output();
    if output.status.success() {
        // Kept whole as rejects, and said …
        output.expect_status(0).expect_stderr(&["format"]);
        assert_eq!((tables.count("requests"), tables.count("rejects")), (0, log.lines()));
    } else {
        // … or refused, with what to do.
        output.expect_status(1).expect_stderr(&["format", "combined", "cloudflare"]);
    }
}

#[test]
fn the_format_that_auto_chose_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let scan = Floodmark::new(["scan", "--data", data, "-"]).stdin(combined_log(10));
    scan.success().expect_stderr(&["combined"]);
    assert_eq!(Tables::at(data).count("requests"), 10);
}

#[test]
fn an_empty_file_is_no_error() {
    let (tables, _folder) = scan("", 0);
    assert_eq!(tables.count("incidents"), 0);
    let (tables, _folder) = scan("\n\n", 0);
    assert_eq!(tables.count("rejects"), 0);
}

#[test]
fn a_line_without_line_feed_at_the_end_is_read_and_half_a_line_is_kept() {
    let (tables, _folder) = scan(combined_log(9) + &combined(9), 10);
    assert_eq!(tables.count("requests"), 10);
    let whole = combined(9);
    let half = &whole[..30];
    let (tables, _folder) = scan(combined_log(9) + half, 10);
    let raw = tables.rows("SELECT arrow_cast(raw, 'Utf8') AS raw, topic_offset FROM rejects");
    assert_eq!(raw, [serde_json::json!({"raw": half, "topic_offset": 10})]);
}

#[test]
fn binary_garbage_is_kept_byte_for_byte() {
    let mut garbage = Vec::new();
    let mut state = 0x9E37_79B9_u32;
    for n in 0..200_000_u32 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // No line is blank or a comment: those are no records.
        garbage.push(if n % 331 == 330 { b'\n' } else { (state >> 24).to_le_bytes()[0].max(b'$') });
        if n % 33_100 == 33_099 {
            garbage.extend(combined_log(2).as_bytes());
        }
    }
    garbage.push(b'\n');
    let lines = garbage.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let lines: Vec<&[u8]> = lines.collect();
    let good = lines.iter().filter(|line| line.starts_with(b"192.0.2.")).count();
    let (tables, _folder) = scan(&garbage, i64::try_from(lines.len()).unwrap());
    assert_eq!(tables.count("requests"), i64::try_from(good).unwrap());
    let kept = tables.rows("SELECT encode(raw, 'hex') AS raw FROM rejects ORDER BY topic_offset");
    let hex = |line: &&&[u8]| {
        line.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
    };
    let bad = lines.iter().filter(|line| !line.starts_with(b"192.0.2."));
    for (kept, bad) in kept.iter().zip(bad) {
        assert_eq!(kept["raw"].as_str(), Some(hex(&bad).as_str()));
    }
}

#[test]
fn a_line_of_100_megabytes_is_one_reject_and_its_neighbours_are_read() {
    const LONG: usize = 100_000_000;
    let mut log = combined_log(5).into_bytes();
    log.extend(std::iter::repeat_n(b'x', LONG));
    log.push(b'\n');
    log.extend(combined_log(5).into_bytes());
    let (tables, _folder) = scan(log, 11);
    let rejects =
        tables.rows("SELECT length(encode(raw, 'hex')) / 2 AS n, topic_offset FROM rejects");
    assert_eq!(rejects, [serde_json::json!({"n": LONG, "topic_offset": 6})]);
}

/// Incidents of a scan of `log`, without what counts single requests.
fn incidents(log: &str) -> Vec<serde_json::Value> {
    let folder = tempfile::tempdir().unwrap();
    let tables = Tables::at(folder.path().join("lake"));
    let log = Log::new(log);
    let scan = ["scan", "--format", "cloudflare", "--data", tables.arg()];
    Floodmark::new(scan).arg(log.path()).success();
    assert_eq!(tables.records(), log.lines());
    tables
        .rows("SELECT kind, target_host, target_path, detected_ts FROM attacks ORDER BY 1, 2, 3, 4")
}

#[test]
fn timestamps_from_1970_and_2100_are_kept_and_blind_nobody() {
    let calm = incidents(text());
    assert!(!calm.is_empty(), "the sample has attacks");
    let odd = |time: &str| {
        format!(
            r#"{{"EdgeStartTimestamp":"{time}","ClientIP":"192.0.2.9","ClientRequestHost":"odd.example","ClientRequestMethod":"GET","ClientRequestURI":"/","ClientRequestProtocol":"HTTP/1.1","EdgeResponseStatus":200}}"#
        )
    };
    let mut log = String::new();
    for (n, line) in text().lines().enumerate() {
        if n > 0 && n % 5_000 == 0 {
            log += &(odd("1970-01-01T00:00:00Z") + "\n");
            log += &(odd("2100-01-01T00:00:00Z") + "\n");
        }
        log += &(line.to_owned() + "\n");
    }
    assert_eq!(incidents(&log), calm);
}

#[test]
fn tables_of_another_schema_version_are_refused() {
    let (tables, _folder) = scan(combined_log(3), 3);
    for entry in fs::read_dir(tables.path().join("requests/_delta_log")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let log = fs::read_to_string(&path).unwrap();
        let newer =
            log.replace(r#""floodmark.schemaVersion":"1""#, r#""floodmark.schemaVersion":"999""#);
        fs::write(&path, newer).unwrap();
    }
    let scan = ["scan", "--format", "combined", "--data", tables.arg(), "-"];
    Floodmark::new(scan)
        .stdin(combined_log(5))
        .output()
        .expect_status(1)
        .expect_stderr(&["requests", "version", "999"]);
}

fn refused(data: &Path) -> Output {
    let scan = ["scan", "--format", "combined", "--data", data.to_str().unwrap(), "-"];
    let output = Floodmark::new(scan).stdin(combined_log(5)).output();
    output.expect_status(1).expect_stderr(&[data.to_str().unwrap()])
}

#[test]
fn a_table_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    fs::write(&file, "not a folder").unwrap();
    refused(&file);
    refused(&file.join("below"));
}

#[cfg(unix)]
#[test]
fn a_folder_without_permission_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let locked = folder.path().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(locked.join("probe"), "").is_ok() {
        // The superuser may write everywhere but where the kernel says no.
        refused(Path::new("/proc/floodmark"));
        return;
    }
    refused(&locked.join("lake"));
}

#[test]
fn a_query_of_a_folder_without_tables_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    let sql = ["sql", "--data", nowhere.to_str().unwrap(), "SELECT count(*) AS n FROM requests"];
    Floodmark::new(sql).output().expect_status(1).expect_stderr(&["nowhere"]);
    assert!(!nowhere.exists(), "a query creates nothing");
}

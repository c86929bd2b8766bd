//! A disk that is full: said once, waited for, and nothing lost when there is room again.

use std::process::{Command, Stdio};

use tests::floodmark::{PATIENCE, binary};
use tests::sample::Log;
use tests::skip::{Missing, or_skip};
use tests::{Running, sample};

/// Runs in a mount namespace of its own. Fills a small file system, scans onto it, makes room when told, and prints
/// the number of records in the tables.
const SCRIPT: &str = r#"
set -eu
floodmark=$1 folder=$2 log=$3 format=$4
mount -t tmpfs -o size=64m tmpfs "$folder"
head -c 67000000 /dev/zero > "$folder/ballast" || true
"$floodmark" scan --format "$format" --data "$folder/lake" --alerts none "$log" </dev/null & scan=$!
read -r go
rm "$folder/ballast"
wait "$scan"
"$floodmark" sql --data "$folder/lake" --format ndjson \
  'SELECT (SELECT count(*) FROM requests) + (SELECT count(*) FROM rejects) AS n'
"#;

fn namespaces() -> Result<(), Missing> {
    let try_it = "mount -t tmpfs tmpfs /tmp";
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", try_it]);
    match command.stderr(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Missing("user namespaces not permitted: no small disk to fill".into())),
    }
}

#[test]
fn a_full_disk_is_waited_for() {
    let Some(()) = or_skip(namespaces()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = Log::new(&sample::combined_log(20_000));
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--mount", "--kill-child"])
        .args(["--fork", "sh", "-c", SCRIPT, "sh"])
        .args([binary(), folder.path(), log.path()])
        .arg("combined")
        .stdin(Stdio::piped());
    let mut running = Running::start(&mut command);
    running.until_stderr("no space left", PATIENCE);
    running.say("go\n");
    let output = running.output(PATIENCE).expect_status(0);
    assert_eq!(output.json_lines(), [serde_json::json!({"n": 20_000})], "{}", output.describe());
    let said = output.stderr.to_lowercase().matches("no space left").count();
    assert_eq!(said, 1, "said once\n{}", output.describe());
}

//! What those see who watch a run: alerts on a stdout that nobody reads for a while, numbers over HTTP, the service manager.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tests::floodmark::PATIENCE;
use tests::http::get;
use tests::sample::{Log, combined_log, traffic};
use tests::skip::or_skip;
use tests::{Kafka, Running, Signal, Tables};

use super::{assert_every_record_once, run, ship};

/// What a pipe of Linux holds, unless told otherwise; see pipe(7).
const PIPE_BYTES: usize = 65_536;

#[test]
fn a_reader_of_stdout_that_stops_holds_up_alerts_alone() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let topic = kafka.topic("unread", 2);
    ship(kafka, &topic).arg(traffic().path()).success();
    let tables = Tables::at(folder.path().join("lake"));
    let pipe = folder.path().join("stdout");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Filled to the brim before the first alert.
    let mut both = OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    let mut reader = File::open(&pipe).unwrap();
    both.write_all(&vec![b'.'; PIPE_BYTES]).unwrap();

    let told = run(kafka, &topic, "unread", &tables).args(["--commit-interval", "300ms"]);
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$@\" > \"$0\""]).arg(&pipe);
    command.arg(told.command().get_program()).args(told.command().get_args());
    command.stdin(Stdio::null());
    let mut running = Running::start(&mut command);
    running.until("everything is committed", PATIENCE, |_| kafka.lag("unread", &topic) == 0);
    running.until_stderr("the reader of stdout has stopped", PATIENCE);
    assert_every_record_once(&tables, kafka.messages(&topic));
    drop(both);
    let reading = thread::spawn(move || {
        let mut all = String::new();
        reader.read_to_string(&mut all).map(|_| all.split_off(PIPE_BYTES))
    });
    running.until_stderr("the reader of stdout goes on; no alert was passed over", PATIENCE);
    running.signal(Signal::Term);
    running.output(PATIENCE).expect_status(0);

    let alerts = reading.join().unwrap().unwrap();
    let key = |alert: &Value| (alert["incident_id"].to_string(), alert["revision"].to_string());
    let printed: Vec<_> =
        alerts.lines().map(|line| key(&serde_json::from_str(line).unwrap())).collect();
    let stored = "SELECT incident_id, revision FROM incidents WHERE verdict <> 'benign'";
    let stored: BTreeSet<_> = tables.rows(stored).iter().map(key).collect();
    assert_eq!(printed.iter().cloned().collect::<BTreeSet<_>>(), stored);
    assert_eq!(printed.len(), stored.len(), "each once");
    assert!(!stored.is_empty());
}

/// Where a run with `--listen` answers monitors, once it does.
pub(super) fn monitor(running: &mut Running) -> String {
    running.until_stderr("answering monitors", PATIENCE);
    let told = running.stderr().lines().find(|line| line.contains("answering monitors"));
    let (_, address) = told.and_then(|line| line.split_once("address=")).expect("an address");
    address.trim().to_owned()
}

#[test]
fn numbers_are_told_over_http_and_the_service_manager_is_kept_informed() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let topic = kafka.topic("watched", 2);
    let tables = Tables::at(folder.path().join("lake"));
    let socket = folder.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let heard = |wanted: &str| {
        let mut bytes = [0; 4096];
        loop {
            let count =
                manager.recv(&mut bytes).unwrap_or_else(|error| panic!("{wanted}: {error}"));
            let said = String::from_utf8_lossy(&bytes[..count]).into_owned();
            if said.lines().any(|line| line.starts_with(wanted)) {
                return said;
            }
        }
    };
    let mut running = run(kafka, &topic, "watched", &tables)
        .args(["--commit-interval", "300ms", "--listen", "0"])
        .env("NOTIFY_SOCKET", &socket)
        .env("WATCHDOG_USEC", "400000")
        .start();
    let address = monitor(&mut running);
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    heard("READY=1");
    heard("WATCHDOG=1");
    // A topic without a message is read, and that is being ready.
    running.until("ready", PATIENCE, |_| {
        get(&address, "/readyz") == ("HTTP/1.1 200 OK".into(), "ok\n".into())
    });
    assert_eq!(get(&address, "/healthz").1, "ok\n");
    // Some who never ask, or never listen, are in nobody's way.
    let _silent: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(&address).unwrap()).collect();
    ship(kafka, &topic).arg(Log::new(&combined_log(50)).path()).success();
    let sample = |name: &str| {
        let metrics = get(&address, "/metrics").1;
        let line = metrics.lines().find(|line| line.split(' ').next() == Some(name));
        line.and_then(|line| line.split(' ').nth(1)?.parse::<f64>().ok())
    };
    let is = |name: &str, wanted: f64| sample(name).is_some_and(|told| (told - wanted).abs() < 0.5);
    running.until("50 requests", PATIENCE, |_| is("floodmark_requests_total", 50.0));
    running.until("their commit", PATIENCE, |_| is("floodmark_table_rows_total", 50.0));
    running
        .until("nothing waits", PATIENCE, |_| sample("floodmark_commit_waiting_seconds").is_none());
    assert!(is("floodmark_partitions", 2.0) && is("floodmark_brokers_reachable", 1.0));
    assert!(get(&address, "/metrics").1.ends_with("# EOF\n"));
    heard("STATUS=reading 2 partitions; 50 records");
    running.signal(Signal::Term);
    heard("STOPPING=1");
    running.output(PATIENCE).expect_status(0);
    assert_every_record_once(&tables, 50);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let tables = Tables::at(folder.path().join("lake"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let run = ["run", "--brokers", "127.0.0.1:1", "--topic", "t", "--data", tables.arg()];
    let run = tests::Floodmark::new(run);
    let output = run.args(["--listen", &address]).start().output(Duration::from_mins(1));
    output.expect_status(1).expect_stderr(&[&address, "--listen"]);
}

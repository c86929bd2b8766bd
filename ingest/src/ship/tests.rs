//! Shipping against the embedded broker.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{ShipConfig, ShipControl, ShipError, ShipProgress, ship};
use crate::EmbeddedBroker;
use crate::source::{KafkaConfig, KafkaSource, Membership, MessageSink, Polled, Source};
use decode::message::RawMessage;

const TOPIC: &str = "logs";
const DEADLINE: Duration = Duration::from_mins(1);

/// Everything in the topic, as `partition line`.
fn drain(broker: &EmbeddedBroker) -> Vec<String> {
    let mut config = KafkaConfig::new(broker.brokers(), TOPIC, "test");
    config.membership = Membership::Alone;
    config.exit_at_end = true;
    let mut source = KafkaSource::new(config, Box::new(|_| Ok(crate::Held::default()))).unwrap();
    let mut lines = Vec::new();
    let deadline = Instant::now() + DEADLINE;
    loop {
        assert!(Instant::now() < deadline);
        let mut sink = |message: &RawMessage<'_>| {
            let partition = message.kafka_partition.unwrap();
            lines.push(format!("{partition} {}", String::from_utf8_lossy(message.payload)));
        };
        let sink: &mut dyn MessageSink = &mut sink;
        if let Polled::End = source.poll(Duration::from_millis(100), sink).unwrap() {
            return lines;
        }
    }
}

fn line(client: u32, number: u32) -> String {
    format!(
        "203.0.{client}.{} - - [01/May/2024:12:00:00 +0000] \"GET /{number} HTTP/1.1\" 200 1",
        number % 256
    )
}

fn file(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn every_line_arrives_once_and_a_network_stays_in_its_partition() {
    let broker = EmbeddedBroker::start(TOPIC, 4).unwrap();
    let folder = TempDir::new().unwrap();
    let lines: Vec<_> = (0..4_000).map(|n| line(n % 37, n)).collect();
    let plain = file(&folder, "a", &(lines[..2_000].join("\n") + "\n\n"));
    let packed = folder.path().join("b.zst");
    fs::write(&packed, zstd::encode_all(lines[2_000..].join("\n").as_bytes(), 1).unwrap()).unwrap();
    let summary =
        ship(&ShipConfig::new(broker.brokers(), TOPIC), &[plain, packed], &mut ()).unwrap();
    assert_eq!(summary.lines, 4_000);
    let arrived = drain(&broker);
    let mut texts: Vec<_> = arrived.iter().map(|line| line[2..].to_owned()).collect();
    texts.sort();
    let mut sent = lines;
    sent.sort();
    assert_eq!(texts, sent);
    for client in 0..37 {
        let mut partitions: Vec<_> = arrived
            .iter()
            .filter(|line| line[2..].starts_with(&format!("203.0.{client}.")))
            .map(|line| &line[..1])
            .collect();
        partitions.dedup();
        partitions.sort_unstable();
        partitions.dedup();
        assert_eq!(partitions.len(), 1);
    }
}

/// Appends and rotates as the shipment goes on; stops when all has been sent.
struct Writer {
    path: PathBuf,
    step: u32,
}

impl ShipControl for Writer {
    fn stop(&mut self) -> bool {
        self.step == 3
    }

    fn progress(&mut self, progress: &ShipProgress) {
        match (self.step, progress.lines) {
            (0, 1) => {
                fs::rename(&self.path, self.path.with_extension("1")).unwrap();
                fs::write(&self.path, "b\nhalf").unwrap();
                self.step = 1;
            }
            (1, 2) => {
                let text = fs::read_to_string(&self.path).unwrap();
                fs::write(&self.path, text + " whole\n").unwrap();
                self.step = 2;
            }
            (2, 3) => self.step = 3,
            _ => {}
        }
    }
}

#[test]
fn a_followed_file_is_shipped_across_rotation() {
    let broker = EmbeddedBroker::start(TOPIC, 1).unwrap();
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "log", "a\n");
    let mut config = ShipConfig::new(broker.brokers(), TOPIC);
    config.follow = true;
    let mut writer = Writer { path: path.clone(), step: 0 };
    assert_eq!(ship(&config, &[path], &mut writer).unwrap().lines, 3);
    assert_eq!(drain(&broker), ["0 a", "0 b", "0 half whole"]);
}

/// Holds back after ten lines until it was asked ten times.
struct Held(Arc<Mutex<(u32, u64)>>);

impl ShipControl for Held {
    fn may_send(&mut self, lines: u64) -> bool {
        let mut asked = self.0.lock().unwrap();
        asked.0 += 1;
        asked.1 = lines;
        asked.0 >= 10
    }
}

#[test]
fn the_caller_can_hold_lines_back() {
    let broker = EmbeddedBroker::start(TOPIC, 1).unwrap();
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "log", "a\nb\n");
    let asked = Arc::new(Mutex::new((0, 0)));
    let mut config = ShipConfig::new(broker.brokers(), TOPIC);
    config.rate = Some(1_000);
    ship(&config, &[path], &mut Held(Arc::clone(&asked))).unwrap();
    assert_eq!(*asked.lock().unwrap(), (10, 0));
    assert_eq!(drain(&broker).len(), 2);
}

#[test]
fn a_torn_file_is_named_after_its_lines_were_delivered() {
    let broker = EmbeddedBroker::start(TOPIC, 1).unwrap();
    let folder = TempDir::new().unwrap();
    let text: String = (0..100_000).map(|n| line(n % 7, n * n % 999_983) + "\n").collect();
    let packed = zstd::encode_all(text.as_bytes(), 1).unwrap();
    let torn = folder.path().join("torn.zst");
    fs::write(&torn, &packed[..packed.len() / 2]).unwrap();
    let config = ShipConfig::new(broker.brokers(), TOPIC);
    let error = ship(&config, &[torn], &mut ()).unwrap_err();
    assert!(matches!(error, ShipError::Read { delivered: 10_000.., .. }), "{error}");
    let error = ship(&config, &[folder.path().join("none")], &mut ()).unwrap_err();
    assert!(error.to_string().contains("none`: No such file"), "{error}");
}

struct Stop(bool);

impl ShipControl for Stop {
    fn stop(&mut self) -> bool {
        std::mem::replace(&mut self.0, true)
    }
}

#[test]
fn a_shipment_to_nowhere_can_be_stopped() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "log", "a\n");
    let config = ShipConfig::new("127.0.0.1:1", TOPIC);
    assert_eq!(ship(&config, &[path], &mut Stop(false)).unwrap().lines, 0);
}

/// Stops once so many lines were sent.
struct Until(u64);

impl ShipControl for Until {
    fn stop(&mut self) -> bool {
        self.0 == 0
    }

    fn progress(&mut self, progress: &ShipProgress) {
        if progress.lines >= self.0 {
            self.0 = 0;
        }
    }
}

/// Follows `path` until `lines` more lines were sent; how many were.
fn follow(broker: &EmbeddedBroker, path: &Path, state: &Path, lines: u64) -> u64 {
    let mut config = ShipConfig::new(broker.brokers(), TOPIC);
    config.follow = true;
    config.state = Some(state.to_owned());
    ship(&config, &[path.to_owned()], &mut Until(lines)).unwrap().lines
}

#[test]
fn a_shipment_goes_on_where_the_last_one_was_stopped() {
    let broker = EmbeddedBroker::start(TOPIC, 1).unwrap();
    let folder = TempDir::new().unwrap();
    let lines: Vec<_> = (0..5_000).map(|number| line(number % 7, number)).collect();
    let path = file(&folder, "log", &(lines[..2_000].join("\n") + "\nhalf a"));
    let state = folder.path().join("state");
    // In the middle of a block, then at the end of what is there.
    let mut sent = follow(&broker, &path, &state, 700);
    assert!((700..2_000).contains(&sent), "{sent}");
    sent += follow(&broker, &path, &state, 2_000 - sent);
    assert_eq!(sent, 2_000);
    // Nobody looks while the rest is written and the file rotated.
    fs::write(
        &path,
        fs::read_to_string(&path).unwrap() + " line\n" + &lines[2_000..3_000].join("\n") + "\n",
    )
    .unwrap();
    fs::rename(&path, folder.path().join("log.1")).unwrap();
    fs::write(&path, lines[3_000..].join("\n") + "\n").unwrap();
    assert_eq!(follow(&broker, &path, &state, 3_001), 3_001);
    let mut expected = lines;
    expected.insert(2_000, "half a line".to_owned());
    let arrived: Vec<_> = drain(&broker).iter().map(|line| line[2..].to_owned()).collect();
    assert_eq!(arrived, expected);
}

#[test]
fn another_file_of_the_same_name_is_shipped_from_its_start() {
    let broker = EmbeddedBroker::start(TOPIC, 1).unwrap();
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "log", "a\nb\n");
    let state = folder.path().join("state");
    assert_eq!(follow(&broker, &path, &state, 2), 2);
    // Truncated and written again, at least as long: its first bytes tell.
    fs::write(&path, "c\nd\ne\n").unwrap();
    assert_eq!(follow(&broker, &path, &state, 3), 3);
    assert_eq!(drain(&broker), ["0 a", "0 b", "0 c", "0 d", "0 e"]);
}

#[test]
fn a_state_that_cannot_be_used_is_said_before_anything_is_sent() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "log", "a\n");
    for (name, text) in [("torn", "{\"version\":1,\"fi"), ("old", "{\"version\":0,\"files\":[]}")] {
        let mut config = ShipConfig::new("127.0.0.1:1", TOPIC);
        config.follow = true;
        config.state = Some(file(&folder, name, text));
        let error = ship(&config, std::slice::from_ref(&path), &mut ()).unwrap_err();
        assert!(matches!(error, ShipError::State { .. }), "{error}");
        assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), text);
    }
}

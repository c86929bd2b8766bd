//! Lines whose ends never come, through the front and the tables: across restarts, ends of files, and partitions that
//! go to another member of a group.

use std::collections::VecDeque;

use decode::{DecoderConfig, Numbering};
use detect::DetectConfig;
use expect_test::{Expect, expect};
use ingest::Progress;
use lake::History;
use query::{Format, OutputOptions, Session, SessionOptions};
use tempfile::TempDir;

use super::*;
use crate::alerts::{AlertFormat, AlertQueue, AlertWriter, Overflow};
use crate::pipeline::{Back, Pace, open};

const BEGINNING: &str =
    "2024-05-01T12:00:00.1Z stdout P 192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /begun";
const END: &str = "2024-05-01T12:00:00.1Z stdout F /ended HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"";
const OTHER: &str = "2024-05-01T12:00:00.1Z stdout F 192.0.2.2 - - [01/May/2024:12:00:01 +0000] \"GET /other HTTP/1.1\" 200 7 \"-\" \"Wget\"";

/// What a source has to say.
enum Event {
    /// A line, at a position.
    Line(i64, &'static str),
    Is(Polled),
}

/// A source that says what it is told to, and then nothing.
struct Script {
    partition: Arc<str>,
    kafka_partition: Option<i32>,
    events: VecDeque<Event>,
}

impl Source for Script {
    fn poll(&mut self, _: Duration, sink: &mut dyn MessageSink) -> Result<Polled, SourceError> {
        let (offset, line) = match self.events.pop_front() {
            Some(Event::Line(offset, line)) => (offset, line),
            Some(Event::Is(event)) => return Ok(event),
            None => return Ok(Polled::Idle),
        };
        let is_message = self.kafka_partition.is_some();
        sink.message(&RawMessage {
            partition: &self.partition,
            topic: "edge",
            kafka_partition: self.kafka_partition,
            offset,
            numbering: if is_message { Numbering::Records } else { Numbering::Lines },
            arrival_us: 1_714_564_800_000_000,
            payload: format!("{line}\n").as_bytes(),
        });
        Ok(Polled::Messages(1))
    }

    fn set_paused(&mut self, _: &str, _: bool) -> Result<(), SourceError> {
        Ok(())
    }

    fn proofs(&self, _: &Positions) -> Positions {
        Positions::new()
    }

    fn commit(&mut self, _: &Positions) {}

    fn progress(&self) -> Progress {
        Progress { read: 0, total: None, reached: true }
    }
}

/// Runs over these events, from what the tables hold, and then stops as if it were told to.
fn run(data: &TempDir, kafka_partition: Option<i32>, events: Vec<Event>) {
    let partition: Arc<str> = if kafka_partition.is_some() { "edge/3" } else { "file/x" }.into();
    let mut batcher = Batcher::new(&DecoderConfig::default()).unwrap();
    let mut tables = open(data.path().to_str().unwrap()).unwrap();
    let history = History::of("run/group/edge");
    let restored = tables.detector(&history, &DetectConfig::default(), &mut batcher).unwrap();
    let (back, commits) = Back::start(tables, history.clone(), 1).unwrap();
    let writer = AlertWriter::new(AlertFormat::None, std::io::sink());
    let alerts = AlertQueue::start(writer, Overflow::Wait).unwrap();
    let detection =
        Detection::start(history, restored, Pace::each(), None, alerts.alerts(), back).unwrap();
    let mut steps = events.len();
    let mut all = VecDeque::from(events);
    all.push_front(Event::Is(Polled::PartitionsAssigned(vec![Arc::clone(&partition)])));
    let source = Script { partition, kafka_partition, events: all };
    let config = FrontConfig { commit_interval: Duration::from_hours(1), at_end: EndPolicy::Close };
    let mut front = Front::new(config, Box::new(source), batcher, detection, commits);
    front
        .run(|_, _| {
            let next = if steps == usize::MAX { Next::Stop } else { Next::Continue };
            steps = steps.wrapping_sub(1);
            next
        })
        .unwrap();
    alerts.finish();
}

/// What the tables hold, in order.
fn check(data: &TempDir, expected: &Expect) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut out = Vec::new();
    runtime.block_on(async {
        let options = SessionOptions::default();
        let session = Session::open(data.path().to_str().unwrap(), &options).await.unwrap();
        let rows = "SELECT topic_offset, record_index < 0 AS in_front, path AS what, malformed FROM requests \
                    UNION ALL SELECT topic_offset, record_index < 0, reason, NULL FROM rejects ORDER BY 1, 2 DESC, 3";
        let options = OutputOptions::new(Format::Csv);
        session.run(rows, &options, &mut out).await.unwrap();
    });
    expected.assert_eq(&String::from_utf8(out).unwrap());
}

fn data() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_beginning_outlives_a_restart_and_is_kept_when_another_line_shows_it_to_be_alone() {
    let data = data();
    run(&data, None, vec![Event::Line(1, OTHER), Event::Line(2, BEGINNING)]);
    run(&data, None, vec![Event::Line(3, OTHER), Event::Line(4, BEGINNING)]);
    run(&data, None, vec![Event::Line(5, END)]);
    check(
        &data,
        &expect![[r"
        topic_offset,in_front,what,malformed
        1,false,/other,false
        3,false,/begun,true
        3,false,/other,false
        5,false,/begun/ended,false
    "]],
    );
}

#[test]
fn a_file_that_ends_in_a_beginning_is_read_to_its_end() {
    let end = || Event::Is(Polled::PartitionEnd("file/x".into()));
    let in_one = data();
    run(&in_one, None, vec![Event::Line(1, OTHER), Event::Line(2, BEGINNING), end()]);
    let expected = expect![[r"
        topic_offset,in_front,what,malformed
        1,false,/other,false
        3,true,/begun,true
    "]];
    check(&in_one, &expected);
    let interrupted = data();
    run(&interrupted, None, vec![Event::Line(1, OTHER), Event::Line(2, BEGINNING)]);
    run(&interrupted, None, vec![end()]);
    check(&interrupted, &expected);
    // Nothing is left of it, and a file that has grown goes on behind it.
    run(&interrupted, None, vec![end()]);
    check(&interrupted, &expected);
    run(&interrupted, None, vec![Event::Line(3, OTHER), end()]);
    check(
        &interrupted,
        &expect![[r"
        topic_offset,in_front,what,malformed
        1,false,/other,false
        3,true,/begun,true
        3,false,/other,false
    "]],
    );
}

#[test]
fn a_partition_that_goes_to_another_member_leaves_its_beginnings_in_the_tables() {
    let data = data();
    let revoked = || Event::Is(Polled::PartitionsRevoking(vec!["edge/3".into()]));
    let assigned = || Event::Is(Polled::PartitionsAssigned(vec!["edge/3".into()]));
    run(
        &data,
        Some(3),
        vec![
            Event::Line(0, OTHER),
            Event::Line(1, BEGINNING),
            revoked(),
            // Another member has read on meanwhile, and this is the end of another line.
            assigned(),
            Event::Line(7, END),
        ],
    );
    check(
        &data,
        &expect![[r"
        topic_offset,in_front,what,malformed
        0,false,/other,false
        2,true,/begun,true
        7,false,format not recognised,
    "]],
    );
}

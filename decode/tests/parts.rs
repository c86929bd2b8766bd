//! Lines that are one in several: parts that container runtimes cut, and JSON written over many lines.

#![cfg(test)]

mod support;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use decode::{Batcher, DecoderConfig, Numbering, RawMessage};
use expect_test::{Expect, expect};
use schemas::PositionedBatch;
use support::{read_blocks, show};

const HEAD: &str = "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a";
const TAIL: &str = "/b HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"";
const OTHER: &str =
    "192.0.2.2 - - [01/May/2024:12:00:01 +0000] \"GET /other HTTP/1.1\" 200 7 \"-\" \"Wget\"";

fn cri(output: &str, mark: &str, text: &str) -> String {
    format!("2024-05-01T12:00:00.1Z {output} {mark} {text}\n")
}

fn docker(output: &str, text: &str, end: &str) -> String {
    let text = text.replace('"', "\\\"");
    format!(
        "{{\"log\":\"{text}{end}\",\"stream\":\"{output}\",\"time\":\"2024-05-01T12:00:00.1Z\"}}\n"
    )
}

/// The rows and rejects of a file, which are the same with a restart behind any of its lines.
fn check(text: &str, expected: &Expect) {
    let config = DecoderConfig::default();
    let (batches, _) = read_blocks(&config, [text.as_bytes()]);
    expected.assert_eq(&show(&batches));
    for (at, _) in text.match_indices('\n') {
        let (before, after) = text.split_at(at + 1);
        assert_eq!(restarted(&config, before, after), show(&batches), "restart behind {before}");
    }
}

fn restarted(config: &DecoderConfig, before: &str, after: &str) -> String {
    let partition: Arc<str> = "file/test".into();
    let mut batches = Vec::new();
    let mut reader = Batcher::new(config).unwrap();
    reader.push(&block(&partition, 1, before));
    reader.flush(&mut batches);
    let committed = batches.last().unwrap().next_position;
    let learnt = reader.learnt().remove("file/test");
    let mut reader = Batcher::new(config).unwrap();
    if let Some(learnt) = &learnt {
        reader.resume(&partition, learnt);
    }
    // Behind the last line nothing is left to be read, and the source says so at once.
    if !after.is_empty() {
        reader.push(&block(&partition, committed, after));
    }
    reader.close("file/test");
    let held = batches.len();
    reader.flush(&mut batches);
    for batch in &batches[held..] {
        assert!(batch.next_position >= committed, "{batch:?}");
        for (topic, offset) in places(batch) {
            // The tables hold all rows before that, and leave others out as met before.
            assert!(offset >= committed, "restart behind {before}");
            assert_eq!(topic, "test.log");
        }
    }
    show(&batches)
}

/// Where the rows and rejects of a batch are said to come from.
fn places(batch: &PositionedBatch) -> Vec<(String, i64)> {
    let mut places = Vec::new();
    for rows in [batch.requests.record_batch(), &batch.rejects] {
        let topics = rows.column_by_name("topic").unwrap().as_string::<i32>();
        let offsets = rows.column_by_name("topic_offset").unwrap().as_primitive::<Int64Type>();
        let place = |row| (topics.value(row).to_owned(), offsets.value(row));
        places.extend((0..rows.num_rows()).map(place));
    }
    places
}

fn block<'a>(partition: &'a Arc<str>, offset: i64, text: &'a str) -> RawMessage<'a> {
    RawMessage {
        partition,
        topic: "test.log",
        kafka_partition: None,
        offset,
        numbering: Numbering::Lines,
        arrival_us: 7,
        payload: text.as_bytes(),
    }
}

/// A message of a topic.
fn message<'a>(partition: &'a Arc<str>, offset: i64, payload: &'a str) -> RawMessage<'a> {
    RawMessage {
        partition,
        topic: "logs",
        kafka_partition: Some(3),
        offset,
        numbering: Numbering::Records,
        arrival_us: 7,
        payload: payload.as_bytes(),
    }
}

/// The rows and rejects of messages.
fn messages(payloads: &[String]) -> String {
    let partition: Arc<str> = "logs/3".into();
    let mut reader = Batcher::new(&DecoderConfig::default()).unwrap();
    for (offset, payload) in (0..).zip(payloads) {
        reader.push(&message(&partition, offset, payload));
    }
    let mut batches = Vec::new();
    reader.flush(&mut batches);
    show(&batches)
}

#[test]
fn parts_of_a_containers_line_are_joined() {
    for whole in [cri("stdout", "F", OTHER), docker("stdout", OTHER, "\\n")] {
        let parts: [String; 3] = if whole.starts_with('{') {
            [docker("stdout", HEAD, ""), docker("stdout", "/x", ""), docker("stdout", TAIL, "\\n")]
        } else {
            [cri("stdout", "P", HEAD), cri("stdout", "P", "/x"), cri("stdout", "F", TAIL)]
        };
        let errors = if whole.starts_with('{') {
            docker("stderr", "2024/05/01 12:00:00 [error] 7#7: x", "\\n")
        } else {
            cri("stderr", "F", "2024/05/01 12:00:00 [error] 7#7: x")
        };
        let [first, second, third] = &parts;
        check(
            &[&whole, first, second, third, &whole, first, &errors, third, &whole]
                .map(|line| &**line)
                .concat(),
            &expect![[r#"
                1 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget"
                4 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a/x/b" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
                5 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget"
                7 REJECT a line of an error log
                8 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a/b" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
                9 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget"
            "#]],
        );
        // In front of any line from which the format can be learnt.
        check(
            &[first, third, first].map(|line| &**line).concat(),
            &expect![[r#"
                2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a/b" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
                4 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" malformed=true
            "#]],
        );
    }
}

#[test]
fn a_part_without_its_end_is_marked_and_mixes_with_nothing() {
    check(
        &[
            cri("stdout", "F", OTHER),
            cri("stdout", "P", HEAD),
            cri("stdout", "F", OTHER),
            cri("stdout", "P", HEAD),
            cri("stdout", "P", OTHER),
            cri("stdout", "F", "x\""),
            cri("stdout", "P", HEAD),
            OTHER.to_owned() + "\n",
            cri("stdout", "P", HEAD),
        ]
        .concat(),
        &expect![[r#"
            1 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget"
            3 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" malformed=true
            3 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget"
            5 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" malformed=true
            6 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget\"x"
            8 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" malformed=true
            8 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget"
            10 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" malformed=true
        "#]],
    );
}

#[test]
fn in_a_topic_parts_are_joined_until_containers_are_mixed() {
    let payloads = [
        cri("stdout", "P", HEAD),
        cri("stdout", "F", TAIL),
        cri("stdout", "P", HEAD),
        cri("stdout", "P", &OTHER[..60]),
        cri("stdout", "F", TAIL),
        cri("stdout", "F", &OTHER[60..]),
        cri("stdout", "P", HEAD),
        cri("stdout", "F", TAIL),
        cri("stdout", "F", OTHER),
        // Whole records between the parts are those of another container.
        cri("stdout", "P", HEAD),
        cri("stdout", "F", OTHER),
        cri("stdout", "F", TAIL),
        cri("stdout", "P", HEAD),
        cri("stdout", "F", TAIL),
    ];
    expect![[r#"
        1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a/b" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
        3 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" malformed=true
        3 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/" malformed=true
        4 REJECT does not follow the log format
        5 REJECT does not follow the log format
        7 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a/b" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
        8 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget"
        10 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" malformed=true
        10 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget"
        11 REJECT does not follow the log format
        12 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" malformed=true
        13 REJECT does not follow the log format
    "#]].assert_eq(&messages(&payloads));
}

const PRETTY: &str = r#"{
  "time_iso8601": "2024-05-01T12:00:00Z",
  "remote_addr": "192.0.2.1",
  "request": "GET /a}b HTTP/1.1",
  "tags": [
    "x",
    "y"
  ],
  "status": 200
}
"#;

#[test]
fn json_over_many_lines_is_one_record() {
    let flat = "{\"time_iso8601\":\"2024-05-01T12:00:01Z\",\"remote_addr\":\"192.0.2.2\",\"request\":\"GET /flat HTTP/1.1\",\"status\":200}\n";
    check(
        &[PRETTY, flat, PRETTY, PRETTY].concat(),
        &expect![[r#"
            10 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a}b" protocol="HTTP/1.1" status=200
            11 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/flat" protocol="HTTP/1.1" status=200
            21 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a}b" protocol="HTTP/1.1" status=200
            31 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a}b" protocol="HTTP/1.1" status=200
        "#]],
    );
    let list = format!("[\n{},\n{}]\n", PRETTY.trim_end(), PRETTY);
    check(
        &list,
        &expect![[r#"
        11 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a}b" protocol="HTTP/1.1" status=200
        21 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a}b" protocol="HTTP/1.1" status=200
    "#]],
    );
    let list = format!("[\n{},\n{}\n]\n{flat}", flat.trim_end(), flat.trim_end());
    check(
        &list,
        &expect![[r#"
        2 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/flat" protocol="HTTP/1.1" status=200
        3 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/flat" protocol="HTTP/1.1" status=200
        5 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/flat" protocol="HTTP/1.1" status=200
    "#]],
    );
    let list = format!("[{},\n{}]\n{flat}", flat.trim_end(), flat.trim_end());
    check(
        &list,
        &expect![[r#"
        1 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/flat" protocol="HTTP/1.1" status=200
        2 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/flat" protocol="HTTP/1.1" status=200
        3 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/flat" protocol="HTTP/1.1" status=200
    "#]],
    );
}

#[test]
fn what_is_no_json_after_all_is_rejected() {
    check(
        &format!("{OTHER}\n{{\n{OTHER}\n[\n{OTHER}\n{{\n\"a\": 1\n{OTHER}\n{{\n\"a\": 1,\n"),
        &expect![[r#"
            1 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget"
            3 REJECT no request in it
            3 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget"
            5 REJECT no request in it
            5 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget"
            8 REJECT does not follow the log format
            8 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget"
            11 REJECT does not follow the log format
        "#]],
    );
}

#[test]
fn a_message_is_json_over_many_lines() {
    let flat = "{\"time_iso8601\":\"2024-05-01T12:00:01Z\",\"remote_addr\":\"192.0.2.2\",\"request\":\"GET /flat HTTP/1.1\",\"status\":200}\n";
    let payloads = [
        PRETTY.to_owned(),
        flat.to_owned(),
        format!("[\n{},\n{}]\n", PRETTY.trim_end(), PRETTY),
        format!("{PRETTY}{flat}"),
        "{\n\"a\": 1,\n".to_owned(),
        flat.to_owned(),
    ];
    expect![[r#"
        0 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a}b" protocol="HTTP/1.1" status=200
        1 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/flat" protocol="HTTP/1.1" status=200
        2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a}b" protocol="HTTP/1.1" status=200
        2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a}b" protocol="HTTP/1.1" status=200
        3 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a}b" protocol="HTTP/1.1" status=200
        3 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/flat" protocol="HTTP/1.1" status=200
        4 REJECT no request in it
        5 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/flat" protocol="HTTP/1.1" status=200
    "#]].assert_eq(&messages(&payloads));
}

/// A reader that goes on where another one stands after some messages.
fn resumed(payloads: &[String]) -> (Batcher, Arc<str>) {
    let partition: Arc<str> = "logs/3".into();
    let config = DecoderConfig::default();
    let mut before = Batcher::new(&config).unwrap();
    for (offset, payload) in (0..).zip(payloads) {
        before.push(&message(&partition, offset, payload));
    }
    let mut reader = Batcher::new(&config).unwrap();
    reader.resume(&partition, &before.learnt()["logs/3"]);
    (reader, partition)
}

#[test]
fn a_partition_that_goes_to_another_reader_leaves_no_beginning_behind() {
    let (mut reader, partition) =
        resumed(&[cri("stdout", "F", OTHER), cri("stdout", "P", HEAD), cri("stderr", "P", HEAD)]);
    reader.close("logs/3");
    let mut batches = Vec::new();
    reader.flush(&mut batches);
    assert_eq!((batches.len(), batches[0].next_position), (1, 3));
    assert_eq!(places(&batches[0]), [("logs".to_owned(), 3), ("logs".to_owned(), 3)]);
    let indexes = batches[0].requests.record_index().values();
    assert!(indexes[0] < indexes[1] && indexes[1] < 0, "in front of the next message: {indexes:?}");
    // It has nothing more of it.
    reader.discard("logs/3");
    reader.push(&message(&partition, 3, &cri("stdout", "F", TAIL)));
    batches.clear();
    reader.flush(&mut batches);
    assert_eq!((batches[0].requests.rows(), batches[0].rejects.num_rows()), (0, 1));
}

#[test]
fn what_waited_while_others_read_on_is_joined_to_nothing() {
    for (offset, expected) in [
        (
            2,
            expect![[r#"
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a/b" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
        "#]],
        ),
        (
            9,
            expect![[r#"
            9 REJECT does not follow the log format
            9 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" malformed=true
        "#]],
        ),
    ] {
        let (mut reader, partition) =
            resumed(&[cri("stdout", "F", OTHER), cri("stdout", "P", HEAD)]);
        reader.push(&message(&partition, offset, &cri("stdout", "F", TAIL)));
        let mut batches = Vec::new();
        reader.flush(&mut batches);
        expected.assert_eq(&show(&batches));
    }
}

#[test]
fn a_partition_of_which_nothing_was_read_has_no_end() {
    let mut reader = Batcher::new(&DecoderConfig::default()).unwrap();
    reader.close("file/test");
    let mut batches = Vec::new();
    reader.flush(&mut batches);
    assert!(batches.is_empty());
}

/// A text that looks as if a record began in it, wherever it is cut.
fn filled(with: &str) -> String {
    with.repeat(20_000 / with.len())
}

#[test]
fn no_client_chooses_where_its_line_is_torn_nor_stops_the_joining() {
    let fillers = [
        "{",
        "{ ",
        "{\\\"",
        " [01/May/2024:12:00:00 +0000] ",
        "1.2.3.4 - - [01/May/2024:12:00:00 +0000] ",
    ];
    for filler in fillers {
        let agent = filled(filler);
        let line = format!("{HEAD}{} \"{agent}\"", TAIL.split(" \"curl").next().unwrap());
        for shift in 0..filler.len() {
            let (first, rest) = line.split_at(9_000 + shift);
            let payloads = [
                cri("stdout", "F", OTHER),
                cri("stdout", "P", first),
                cri("stdout", "P", &rest[..filler.len() * 100]),
                cri("stdout", "F", &rest[filler.len() * 100..]),
                cri("stdout", "P", HEAD),
                cri("stdout", "F", TAIL),
            ];
            let shown = messages(&payloads);
            let paths = shown.matches("path=\"/a/b\"").count();
            assert!(paths == 2 && !shown.contains("malformed"), "{filler:?} from {shift}");
        }
    }
}

#[test]
fn lines_of_very_many_parts_are_joined() {
    // The parts of a line of the greatest length, a byte each, take as long as the line does, not its square.
    let payload = cri("stdout", "P", HEAD) + &cri("stdout", "P", "x").repeat(900_000);
    let shown = messages(&[cri("stdout", "F", OTHER), payload, cri("stdout", "F", TAIL)]);
    assert_eq!(shown.matches("\n2 ts=2024-05-01 12:00:00Z client_ip=\"192.0.2.1\"").count(), 1);
}

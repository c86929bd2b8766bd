//! Lines that are one in several: parts that container runtimes cut, and JSON written over many lines.

#![cfg(test)]

mod support;

use std::sync::Arc;

use decode::{Batcher, DecoderConfig, Numbering, RawMessage};
use expect_test::{Expect, expect};
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
    let mut learnt = None;
    let mut offset = 1;
    for text in [before, after] {
        let mut reader = Batcher::new(config).unwrap();
        if let Some(learnt) = &learnt {
            reader.resume(&partition, learnt);
        }
        reader.push(&RawMessage {
            partition: &partition,
            topic: "test.log",
            kafka_partition: None,
            offset,
            numbering: Numbering::Lines,
            arrival_us: 7,
            payload: text.as_bytes(),
        });
        offset += i64::try_from(text.matches('\n').count()).unwrap();
        if offset > i64::try_from((before.to_owned() + after).matches('\n').count()).unwrap() {
            reader.close("file/test");
        }
        learnt = reader.learnt().remove("file/test");
        reader.flush(&mut batches);
    }
    show(&batches)
}

/// Messages of a topic.
fn messages(payloads: &[String]) -> String {
    let partition: Arc<str> = "logs/3".into();
    let mut reader = Batcher::new(&DecoderConfig::default()).unwrap();
    for (offset, payload) in (0..).zip(payloads) {
        reader.push(&RawMessage {
            partition: &partition,
            topic: "logs",
            kafka_partition: Some(3),
            offset,
            numbering: Numbering::Records,
            arrival_us: 7,
            payload: payload.as_bytes(),
        });
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
                3 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" malformed=true
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
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" malformed=true
            3 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget"
            4 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" malformed=true
            6 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget\"x"
            7 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" malformed=true
            8 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget"
            9 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" malformed=true
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
    ];
    expect![[r#"
        1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a/b" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
        3 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" malformed=true
        3 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/" malformed=true
        4 REJECT does not follow the log format
        5 REJECT does not follow the log format
        6 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" malformed=true
        7 REJECT does not follow the log format
        8 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget"
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
            2 REJECT no request in it
            3 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget"
            4 REJECT no request in it
            5 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget"
            7 REJECT does not follow the log format
            8 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/other" protocol="HTTP/1.1" status=200 response_bytes=7 user_agent="Wget"
            10 REJECT does not follow the log format
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

//! Lines as collectors hand them on: under some key, in lists, as bytes, in quotes. What is inside is read as if it stood
//! alone.

#![cfg(test)]

mod support;

use decode::DecoderConfig;
use serde_json::{Value, json};
use support::{read_blocks, show};

const LINE: &str =
    r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl/8.5.0""#;

const ORDINARY: &str = r#"203.0.113.1 - - [30/Apr/2024:12:00:00 +0000] "GET /page HTTP/1.1" 200 500 "-" "Mozilla/5.0 (X11)""#;

fn record() -> Value {
    json!({"time": "2024-05-01T12:00:00Z", "remote_addr": "192.0.2.1", "request": "GET /a HTTP/1.1",
           "status": 200, "body_bytes_sent": 5, "http_user_agent": "curl/8.5.0"})
}

fn rows(text: &str) -> Vec<String> {
    let (batches, _) = read_blocks(&DecoderConfig::default(), [text.as_bytes()]);
    let rows = show(&batches);
    rows.lines().map(|row| row.split_once(' ').unwrap().1.to_owned()).collect()
}

/// Each text is `count` times what stands in it, alone and behind a line of another kind.
fn check(count: usize, texts: &[String]) {
    let expected = vec![rows(LINE).remove(0); count];
    for text in texts {
        assert_eq!(rows(text), expected, "{text}");
        let behind = rows(&format!("{ORDINARY}\n{text}\n{text}"));
        assert_eq!(behind[1..], [&*expected, &*expected].concat(), "behind another: {text}");
    }
}

#[test]
fn under_any_key() {
    let keys = [
        "message",
        "log",
        "MESSAGE",
        "_raw",
        "raw",
        "body",
        "Body",
        "line",
        "event",
        "content",
        "data",
        "value",
        "short_message",
        "payload",
        "@message",
        "original",
        "text",
        "full_log",
        "raw_event",
        "Log_s",
        "LogMessage",
        "resultDescription",
        "@m",
    ];
    check(1, &keys.map(|key| json!({key: LINE, "zone": 1}).to_string()));
    check(1, &keys.map(|key| json!({key: record().to_string()}).to_string()));
    check(
        1,
        &["payload", "message", "log", "event", "data"]
            .map(|key| json!({key: record()}).to_string()),
    );
    check(
        1,
        &[
            json!({"event": {"original": LINE}}),
            json!({"schema": {"type": "string"}, "payload": LINE}),
            json!({"schema": {"type": "struct", "fields": [{"field": "message"}]}, "payload": {"message": LINE}}),
            json!({"schema": null, "payload": record()}),
            json!({"result": {"_raw": LINE}}),
            json!({"MESSAGE": LINE.as_bytes(), "_HOSTNAME": "edge1"}),
            json!({"MESSAGE": record().to_string().as_bytes()}),
            json!({"message": format!("edge1 nginx: {LINE}"), "type": "log.journald"}),
            json!({"log": format!("web-1  | {LINE}")}),
            json!({"time": "2024-05-01T12:00:01Z", "category": "ContainerLogV2", "properties": {"LogMessage": LINE}}),
            json!({"Type": 0, "Line": {"Raw": LINE, "Src": "/var/log/nginx/access.log"}}),
            json!({"payload": {"string": LINE}}),
            json!({"timestamp": "2024-05-01T12:00:01Z", "agent": {"name": "web1"}, "full_log": LINE, "data": {"protocol": "GET", "srcip": "192.0.2.1", "id": "200", "url": "/a"}}),
        ]
        .map(|text| text.to_string()),
    );
}

#[test]
fn several_in_one_value() {
    let one = json!({"message": LINE}).to_string();
    let record = record().to_string();
    check(
        2,
        &[
            format!("{one}{one}"),
            format!("{one} {one}"),
            format!("{one},{one}"),
            // GELF over TCP, RFC 7464
            format!("{one}\0{one}\0"),
            format!("\u{1e}{one}\u{1e}{one}"),
            format!("{record}\0{record}"),
            format!("[{one},{one}]"),
            format!("{record}{record}"),
            format!("{record}, {record}"),
            json!([LINE, LINE]).to_string(),
            json!({"logEvents": [{"id": "1", "message": LINE}, {"id": "2", "message": LINE}]})
                .to_string(),
            json!({"streams": [{"stream": {"job": "x"}, "values": [["17", LINE], ["18", LINE]]}]})
                .to_string(),
            json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [
                {"body": {"stringValue": LINE}}, {"body": {"stringValue": LINE}}]}]}]})
            .to_string(),
        ],
    );
    check(
        1,
        &[
            json!(["tag.x", 17, {"log": LINE}]).to_string(),
            json!([17.5, {"log": LINE}]).to_string(),
        ],
    );
}

#[test]
fn quoted_and_marked() {
    let record = record();
    check(
        1,
        &[
            format!("\"{}\"", LINE.replace('"', "\"\"")),
            format!("'{LINE}'"),
            json!(LINE).to_string(),
            json!(json!(LINE).to_string()).to_string(),
            json!(record.to_string()).to_string(),
            format!("nginx: {LINE}"),
            format!("INFO {LINE}"),
            format!("@cee: {record}"),
            format!("May  1 12:00:00 edge1 nginx: @cee:{record}"),
            format!("2024-05-01T12:00:00+00:00\ttag.x\t{record}"),
            format!("2024-05-01 12:00:00.1 +0000 tag.x: {record}"),
            format!("\u{1b}[32m{LINE}\u{1b}[0m"),
            format!("data: {record}"),
            format!("\u{feff}\u{feff}{LINE}"),
            format!("2024-05-01T12:00:00.1Z stdout F:x {LINE}"),
        ],
    );
}

#[test]
fn what_is_no_record_inside_is_one_reject() {
    for text in [
        r#"{"message":"started"}"#,
        r#"["a","b"]"#,
        r#"{"logEvents":[]}"#,
        r#"{"MESSAGE":[1,2]}"#,
        "\"\"\"\"",
    ] {
        assert_eq!(rows(&format!("{ORDINARY}\n{text}")).len(), 2, "{text}");
        assert!(rows(text)[0].starts_with("REJECT"), "{text}");
    }
}

#[test]
fn a_value_behind_another_and_something_else_is_not_lost() {
    let one = json!({"message": LINE}).to_string();
    for between in ["x", "; ", "|", "\u{a0}"] {
        let text = format!("{one}{between}{one}");
        let rows = rows(&format!("{ORDINARY}\n{text}"));
        assert_eq!(rows.len(), 2, "{text}");
        assert!(rows[1].starts_with("REJECT"), "kept whole: {rows:?}");
    }
}

#[test]
fn several_layers_deep() {
    let inner = json!({"log": LINE}).to_string();
    check(
        1,
        &[
            json!({"data": {"message": LINE}, "zone": 1}).to_string(),
            json!({"schema": {}, "payload": {"before": null, "after": record(), "op": "c"}}).to_string(),
            json!({"message": json!({"log": inner}).to_string()}).to_string(),
            json!({"info": record()}).to_string(),
            json!({"version": "1.1", "short_message": "GET", "full_message": LINE}).to_string(),
            json!({"version": "1.1", "short_message": LINE, "full_message": "of access.log"}).to_string(),
            json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"kvlistValue": {"values": [
                {"key": "message", "value": {"stringValue": LINE}}]}}}]}]}]})
            .to_string(),
        ],
    );
}

#[test]
fn all_lines_of_a_field_count() {
    check(
        2,
        &[
            json!({"MESSAGE": [LINE, LINE], "_HOSTNAME": "edge1"}).to_string(),
            json!({"data": [record(), record()], "pagination": {"limit": 2}}).to_string(),
            json!({"streams": [{"stream": {}, "values": [["1714564800000000000", LINE, {"trace": "x"}],
                                                         ["1714564800000000001", LINE]]}]})
            .to_string(),
        ],
    );
}

#[test]
fn lists_over_many_lines_hold_a_record_a_line() {
    let record = record().to_string();
    for text in [
        format!("{{\"events\":[\n{record},\n{record}\n]}}"),
        format!("{{\"events\":[{record},\n{record}]}}"),
        format!("{{ \"Records\": [\n{record},\n{record}\n]\n}}"),
        format!("{record}\n,{record}"),
        format!("[{record},\n{record}]"),
    ] {
        assert_eq!(rows(&text), vec![rows(LINE).remove(0); 2], "{text}");
    }
}

#[test]
fn collectors_mark_parts() {
    let (first, last) = LINE.split_at(40);
    for [one, other] in [
        [
            json!({"stream": "stdout", "logtag": "P", "log": first}),
            json!({"stream": "stdout", "logtag": "F", "log": last}),
        ],
        [
            json!({"message": first, "partial_message": "true", "partial_last": "false"}),
            json!({"message": last, "partial_message": "true", "partial_last": "true"}),
        ],
    ] {
        assert_eq!(rows(&format!("{one}\n{other}")), rows(LINE), "{one}");
    }
}

//! JSON that programs write under keys of their own: each value is found under the names in use for it, in its unit, and what a
//! client named is none of them.

#![cfg(test)]

#[path = "support/line.rs"]
mod line;
mod support;

use line::read;
use serde_json::{Value, json};

/// A record without the value that a test adds.
fn record(without: &str) -> Value {
    let mut record = json!({"time": "2024-05-01T12:00:00Z", "remote_addr": "192.0.2.1", "method": "GET", "path": "/t", "status": 200});
    record.as_object_mut().unwrap().remove(without);
    record
}

/// The same with a value under a key, or in objects where the key has points in it.
fn with(mut record: Value, key: &str, value: &Value) -> String {
    let mut place = &mut record;
    for name in key.split('.') {
        place = &mut place[name];
    }
    *place = value.clone();
    record.to_string()
}

fn check(without: &str, column: &str, value: &Value, keys: &[&str]) {
    for key in keys {
        let row = read("auto", &with(record(without), key, value));
        assert!(row.contains(column), "{key}: {row}");
    }
}

#[test]
fn each_value_is_found_under_its_usual_names() {
    check(
        "status",
        "status=404",
        &json!(404),
        &[
            "sc_status",
            "respStatus",
            "http_response_code",
            "response.status",
            "res.statusCode",
            "http.status_code",
        ],
    );
    check(
        "method",
        "method=\"PUT\"",
        &json!("PUT"),
        &["http_verb", "reqMethod", "request.method", "req.method", "http.method"],
    );
    check(
        "path",
        "path=\"/a\" query=\"b=c\"",
        &json!("/a?b=c"),
        &["originalUrl", "http_url", "request.url", "req.url", "http.url", "request.uri"],
    );
    check(
        "remote_addr",
        "client_ip=\"192.0.2.7\"",
        &json!("192.0.2.7"),
        &["viewer_ip", "requestIp", "request.remote_ip", "req.remoteAddress"],
    );
    check(
        "",
        "user_agent=\"x/1\"",
        &json!("x/1"),
        &[
            "request_user_agent",
            "cs_user_agent",
            "request.headers.user-agent",
            "headers.User-Agent",
            "http.useragent",
        ],
    );
    check(
        "",
        "referer=\"https://a.example/\"",
        &json!("https://a.example/"),
        &["request_referer", "request.headers.referer"],
    );
    check(
        "",
        "response_bytes=7",
        &json!(7),
        &["written_bytes", "bytesWritten", "sc_bytes", "resp_size", "response.bytes"],
    );
    check("", "host=\"a.example\"", &json!("a.example"), &["cs_host", "request.host"]);
    check("", "cache_status=\"hit\"", &json!("HIT"), &["cf_cache_status", "hit_info"]);
}

#[test]
fn a_duration_is_of_the_unit_that_its_key_or_its_text_names() {
    let is_12_ms = |key: &str, value: &Value| check("", "duration_us=12000", value, &[key]);
    for key in ["duration_ms", "latencyMs", "elapsed_ms", "response_time_ms", "took_ms"] {
        is_12_ms(key, &json!(12));
    }
    is_12_ms("duration_us", &json!(12000));
    is_12_ms("total_ns", &json!("12000000"));
    is_12_ms("latency_seconds", &json!(0.012));
    for key in ["duration", "latency", "elapsed", "took", "latency_human"] {
        for text in ["12ms", "12.000 ms", "0.012s", "12000us"] {
            is_12_ms(key, &json!(text));
        }
        // Nobody knows of what.
        let row = read("auto", &with(record(""), key, &json!(12)));
        assert!(!row.contains("duration_us"), "{key}: {row}");
    }
}

#[test]
fn fields_of_w3c_in_json_are_timed_by_their_server() {
    let line = |taken: &str, more: &str| {
        format!(
            r#"{{"date":"2024-05-01","time":"12:00:00","c-ip":"192.0.2.1","cs-method":"GET","cs-uri-stem":"/t","sc-status":"200","time-taken":"{taken}"{more}}}"#
        )
    };
    let iis = read("auto", &line("85", r#","s-ip":"10.0.0.5","sc-win32-status":"0""#));
    assert!(iis.contains("duration_us=85000"), "{iis}");
    let cloudfront = read("auto", &line("0.085", r#","x-edge-location":"FRA56-P1""#));
    assert!(cloudfront.contains("duration_us=85000"), "{cloudfront}");
}

#[test]
fn what_a_client_names_like_a_key_is_none() {
    let names = [
        "remote_addr",
        "client_ip",
        "status",
        "method",
        "path",
        "url",
        "host",
        "request",
        "time",
        "duration_ms",
        "message",
        "query",
        "protocol",
        "bytes_sent",
        "http",
        "req",
    ];
    let plain = read("auto", &record("").to_string());
    for place in
        ["headers", "request.headers", "req.headers", "response.headers", "args", "cookies", "body"]
    {
        for name in names {
            let line = with(record(""), &format!("{place}.{name}"), &json!("198.51.100.9"));
            assert_eq!(read("auto", &line), plain, "{line}");
        }
    }
}

//! Streams in which lines of several formats, and of none, follow each other: each line is read by the format that fits,
//! however the others are written.

#![cfg(test)]

mod support;

use arrow_array::cast::AsArray;
use decode::DecoderConfig;
use expect_test::expect;
use support::{read_blocks, show};

const COMBINED: &str =
    r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl/8.5.0""#;
const INGRESS: &str = r#"192.0.2.2 - - [01/May/2024:12:00:00 +0000] "GET /b HTTP/1.1" 200 5 "-" "curl/8.5.0" 74 0.004 [shop-web-80] [] 10.0.0.1:80 5 0.004 200 810a2dec"#;
const WITH_TIME: &str =
    r#"192.0.2.3 - - [01/May/2024:12:00:00 +0000] "GET /c HTTP/1.1" 200 5 "-" "curl/8.5.0" 0.004"#;
const NGINX: &str = r#"{"time_iso8601":"2024-05-01T12:00:00Z","remote_addr":"192.0.2.4","request":"GET /d HTTP/1.1","status":"200"}"#;
const CADDY: &str = r#"{"level":"info","ts":1714564800.1,"logger":"http.log.access","request":{"remote_ip":"192.0.2.5","proto":"HTTP/2.0","method":"GET","host":"shop.example","uri":"/e"},"duration":0.001,"size":5,"status":200}"#;
const HTTP: &str = r#"192.0.2.6:4000 [01/May/2024:12:00:00.000] http-in be/s1 10/0/30/69/109 200 5 - - ---- 1/1/1/1/0 0/0 "GET /f HTTP/1.1""#;
const HTTPS: &str = r#"192.0.2.7:4000 [01/May/2024:12:00:00.000] https-in~ be/s1 0/0/0/1/1 200 5 - - ---- 1/1/1/1/0 0/0 "GET /g HTTP/2.0" 0/0000000000000000/0/0/0 shop.example/TLSv1.3/TLS_AES_256_GCM_SHA384"#;
const ERROR: &str = r#"2024/05/01 12:00:00 [error] 7#7: *1 open() "/x" failed (2: No such file or directory), client: 192.0.2.8, server: shop.example, request: "GET /x HTTP/1.1", host: "shop.example""#;
const APACHE_ERROR: &str = r"[Wed May 01 12:00:00.123456 2024] [core:error] [pid 7] [client 192.0.2.9:4000] AH00126: Invalid URI";

/// The formats of the rows of these lines, repeated in turns.
fn formats(lines: &[&str]) -> Vec<String> {
    let stream: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let (batches, _) = read_blocks(&DecoderConfig::default(), [stream.repeat(3).as_bytes()]);
    let names = batches.iter().flat_map(|batch| {
        let column = batch.requests.record_batch().column_by_name("format").unwrap();
        let names: Vec<_> =
            column.as_string::<i32>().iter().map(|it| it.unwrap().to_owned()).collect();
        names
    });
    names.collect()
}

#[test]
fn lines_that_alternate_are_each_read_in_their_format() {
    for (lines, expected) in [
        (vec![COMBINED, NGINX], vec!["combined", "nginx_json"]),
        (vec![NGINX, CADDY, COMBINED], vec!["nginx_json", "caddy", "combined"]),
        (vec![COMBINED, INGRESS], vec!["combined", "ingress_nginx"]),
        (vec![HTTP, HTTPS], vec!["haproxy", "haproxy_https"]),
        // What operators add is of no format of its own.
        (vec![COMBINED, WITH_TIME], vec!["combined", "combined"]),
    ] {
        assert_eq!(formats(&lines), expected.repeat(3));
    }
}

#[test]
fn lines_of_error_logs_stand_between_requests() {
    let stream = [COMBINED, ERROR, NGINX, APACHE_ERROR, COMBINED].join("\n");
    let (batches, _) = read_blocks(&DecoderConfig::default(), [stream.as_bytes()]);
    expect![[r#"
        1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
        2 REJECT a line of an error log
        3 ts=2024-05-01 12:00:00Z client_ip="192.0.2.4" method="GET" path="/d" protocol="HTTP/1.1" status=200
        4 REJECT a line of an error log
        5 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
    "#]].assert_eq(&show(&batches));
}

#[test]
fn a_host_is_recognised_only_where_it_is_sure() {
    let rest = r#"- - [01/May/2024:12:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl/8.5.0""#;
    for (before, host) in [
        ("shop.example 192.0.2.1", Some("shop.example")),
        ("shop.example:443 192.0.2.1", Some("shop.example")),
        ("shop 192.0.2.1", Some("shop")),
        ("198.51.100.7:80 192.0.2.1", Some("198.51.100.7")),
        ("_ 192.0.2.1", None),
    ] {
        let (batches, _) =
            read_blocks(&DecoderConfig::default(), [format!("{before} {rest}").as_bytes()]);
        let rows = show(&batches);
        assert!(rows.contains("client_ip=\"192.0.2.1\"") && !rows.contains("malformed"), "{rows}");
        assert_eq!(rows.contains("host="), host.is_some(), "{rows}");
        assert!(host.is_none_or(|host| rows.contains(&format!("host=\"{host}\""))), "{rows}");
    }
    // The peer and what it says of its client, or an id.
    for before in [
        "192.0.2.97 198.51.100.98",
        "192.0.2.97 198.51.100.98, 203.0.113.99",
        "W05TOAAhHiEXJHDTpZ1psQAAACc 192.0.2.1",
        "0a1b2c3d4e5f60718293a4b5c6d7e8f9 192.0.2.1",
        "https 192.0.2.1",
        "443 192.0.2.1",
        "GET 192.0.2.1",
    ] {
        for ordinary in ["", COMBINED] {
            let stream = format!("{ordinary}\n{before} {rest}");
            let (batches, _) = read_blocks(&DecoderConfig::default(), [stream.as_bytes()]);
            let rows = show(&batches);
            let odd = rows.lines().last().unwrap();
            let is_left_alone = odd.contains("REJECT")
                || (odd.contains("malformed=true")
                    && !odd.contains("host=")
                    && !odd.contains("client_ip=\"198.51.100"));
            assert!(is_left_alone, "{odd}");
        }
    }
}

#[test]
fn json_of_any_writer_is_read_for_what_it_says() {
    let lines = [
        // Numbers of a writer that knows one kind of them, in Envoy's keys with a time of their own.
        r#"{"@timestamp":"2024-05-01T12:00:00.1Z","downstream_remote_address":"192.0.2.4:49286","path":"/?abc=123","authority":"shop.example","protocol":"HTTP/2","duration":"1","response_code":200.0,"bytes_sent":2e2,"response_flags":"-","method":"GET"}"#,
        // A path that holds the query, and one beside it.
        r#"{"time":"2024-05-01T12:00:00Z","remote_addr":"192.0.2.1","method":"GET","path":"/a?b=c","status":200}"#,
        r#"{"time":"2024-05-01T12:00:00Z","remote_addr":"192.0.2.1","method":"GET","path":"/a?b","args":"c=d","status":200}"#,
        // No request is in it.
        r#"{"time":"2024-05-01T12:00:00Z","host":"shop.example","status":404,"id":"1"}"#,
    ];
    let one = |line: &&str| {
        let (batches, _) = read_blocks(&DecoderConfig::default(), [line.as_bytes()]);
        show(&batches)
    };
    expect![[r#"
        1 ts=2024-05-01 12:00:00.100Z client_ip="192.0.2.4" method="GET" host="shop.example" path="/" query="abc=123" protocol="HTTP/2" status=200 response_bytes=200 duration_us=1000
        1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" query="b=c" status=200
        1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a?b" query="c=d" status=200
        1 REJECT format not recognised
    "#]].assert_eq(&lines.iter().map(one).collect::<String>());
}

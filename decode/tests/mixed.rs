//! Streams in which lines of several formats, and of none, follow each other: each line is read by the format that fits,
//! however the others are written.

#![cfg(test)]

mod support;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use decode::json::KeySet;
use decode::{Batcher, DecoderConfig, Format, Numbering, RawMessage};
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
    let stream = lines.join("\n") + "\n";
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
        ("shop.example 192.0.2.1", "shop.example"),
        ("shop.example:443 192.0.2.1", "shop.example"),
        ("shop 192.0.2.1", "shop"),
        ("WEB01 192.0.2.1", "web01"),
        ("my_app 192.0.2.1", "my_app"),
        ("host-with-a-very-long-name-in-k8s 192.0.2.1", "host-with-a-very-long-name-in-k8s"),
        ("198.51.100.7:80 192.0.2.1", "198.51.100.7"),
        ("_ 192.0.2.1", "_"),
    ] {
        let (batches, _) =
            read_blocks(&DecoderConfig::default(), [format!("{before} {rest}").as_bytes()]);
        let rows = show(&batches);
        assert!(rows.contains("client_ip=\"192.0.2.1\"") && !rows.contains("malformed"), "{rows}");
        assert!(rows.contains(&format!("host=\"{host}\"")), "{rows}");
    }
    // The peer and what it says of its client, or an id.
    for before in [
        "192.0.2.97 198.51.100.98",
        "192.0.2.97 198.51.100.98, 203.0.113.99",
        "W05TOAAhHiEXJHDTpZ1psQAAACc 192.0.2.1",
        "a01b2c3d4e5f60718293a4b5c6d7e8f9 192.0.2.1",
        "a01b2c3d-4e5f-6071-8293-a4b5c6d7e8f9 192.0.2.1",
        "DE 192.0.2.1",
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
                    && !odd.contains("client_ip="));
            assert!(is_left_alone, "{odd}");
        }
    }
}

#[test]
fn json_of_any_writer_is_read_for_what_it_says() {
    let lines = [
        // Numbers of a writer that knows one kind of them.
        r#"{"start_time":"2024-05-01T12:00:00.1Z","downstream_remote_address":"192.0.2.4:49286","path":"/?abc=123","authority":"shop.example","protocol":"HTTP/2","duration":"1","response_code":200.0,"bytes_sent":2e2,"response_flags":"-","method":"GET"}"#,
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

/// The last of the rows and rejects of a stream.
fn last(lines: &[&str]) -> String {
    let (batches, _) = read_blocks(&DecoderConfig::default(), [lines.join("\n").as_bytes()]);
    show(&batches).lines().last().unwrap().to_owned()
}

#[test]
fn what_begins_like_an_error_may_be_a_value_or_a_part() {
    let docker = r#"{"log":"192.0.2.10 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"W\"\n","stream":"stdout","time":"2024-05-01T12:00:00.1Z"}"#;
    let record = r#"{"@timestamp":"2024-05-01T12:00:00Z","message":"2024/05/01 12:00:00 [error] 7#7: x","http":{"request":{"method":"GET"},"response":{"status_code":200}},"url":{"path":"/b"},"source":{"ip":"192.0.2.66"}}"#;
    let row = last(&[docker, record]);
    assert!(row.contains("client_ip=\"192.0.2.66\"") && row.contains("path=\"/b\""), "{row}");
    // What a client sent to have it logged is no line of its own.
    let cri = |mark: &str, text: &str| format!("2024-05-01T12:00:00.1Z stdout {mark} {text}");
    for head in
        ["2024/05/01 12:00:00 [error] 7#7: *1 ", r#"time="2024-05-01T12:00:00Z" level=error msg="#]
    {
        let part = cri("P", &format!("{head}{}", "x".repeat(16_384 - head.len())));
        let tail = cri(
            "F",
            "1714564800.779    180 192.0.2.66 TCP_MISS/200 411 GET http://victim.example/x - HIER_DIRECT/192.0.2.1 text/html",
        );
        let found = last(&[&cri("F", COMBINED), &part, &tail]);
        assert!(found.contains("REJECT"), "{found}");
    }
}

#[test]
fn a_user_hides_no_client() {
    for user in ["192.0.2.99", "a 192.0.2.99 b"] {
        let line = format!(
            r#"192.0.2.10 - {user} [01/May/2024:12:00:00 +0000] "GET /x HTTP/1.1" 200 5 "-" "Wget""#
        );
        for other in [CADDY, HTTP, INGRESS] {
            let row = last(&[COMBINED, other, &line]);
            assert!(
                row.contains("client_ip=\"192.0.2.10\"") && row.contains("/x"),
                "{other}: {row}"
            );
        }
    }
}

#[test]
fn no_line_keeps_those_behind_it_from_their_format() {
    let traefik = r#"192.0.2.10 - - [01/May/2024:12:00:00 +0000] "GET /a HTTP/1.1" 200 414 "-" "curl" 500 "web@docker" "http://10.0.0.3:80" 7ms"#;
    let quoted = r#"192.0.2.10 - - [01/May/2024:12:00:00 +0000] "GET /a HTTP/1.1" 200 414 "-" "a \"b\" c" 500 "web@docker" "http://10.0.0.3:80" 7ms"#;
    let (batches, _) =
        read_blocks(&DecoderConfig::default(), [[traefik, quoted, traefik].join("\n").as_bytes()]);
    let rows = show(&batches);
    assert!(rows.lines().last().unwrap().contains("duration_us=7000"), "{rows}");
}

#[test]
fn a_dialect_that_was_met_does_not_hide_another() {
    let of = |name: &str| {
        let path = format!("{}/tests/conformance/{name}.log", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap().lines().next().unwrap().to_owned()
    };
    let lines = ["nginx_json", "fastly", "haproxy_json.v3", "haproxy_json.v3", "fastly"].map(of);
    let found = formats(&lines.each_ref().map(String::as_str));
    assert_eq!(found.get(4).map(String::as_str), Some("fastly"), "{found:?}");
}

#[test]
fn records_in_one_line_are_each_read_in_their_dialect() {
    let cloudflare = r#"{"EdgeStartTimestamp":"2024-05-01T12:00:00Z","ClientIP":"192.0.2.12","ClientRequestMethod":"GET","ClientRequestURI":"/h","EdgeResponseStatus":200}"#;
    let docker = r#"{"log":"192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"\n","stream":"stdout"}"#;
    for (lines, expected) in [
        (vec![NGINX.to_owned(), CADDY.repeat(2)], vec!["nginx_json", "caddy", "caddy"]),
        (vec![CADDY.to_owned(), cloudflare.repeat(2)], vec!["caddy", "cloudflare", "cloudflare"]),
        (vec![format!("{NGINX}{cloudflare}")], vec!["nginx_json", "cloudflare"]),
        (vec![format!("[{CADDY},{NGINX},{CADDY}]")], vec!["caddy", "nginx_json", "caddy"]),
        (vec![NGINX.to_owned(), docker.repeat(2)], vec!["nginx_json", "combined", "combined"]),
    ] {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert_eq!(formats(&lines), expected.repeat(3), "{lines:?}");
    }
    // Whose records are in an object of their own, all are of one dialect.
    let batch = r#"{"records":[{"time":"2024-05-01T12:00:02Z","category":"FrontDoorAccessLog","properties":{"httpMethod":"GET","requestUri":"https://shop.example:443/b","clientIp":"192.0.2.11","httpStatusCode":"200"}},{"EdgeStartTimestamp":"2024-05-01T12:00:00Z"}]}"#;
    let stream = [NGINX, batch].join("\n");
    let (batches, _) = read_blocks(&DecoderConfig::default(), [stream.as_bytes()]);
    assert!(show(&batches).contains("REJECT no request in it"));
}

/// The same without its number.
fn last_row(lines: &[&str]) -> String {
    last(lines).split_once(' ').unwrap().1.to_owned()
}

#[test]
fn json_is_read_in_its_dialect_behind_others_with_the_same_keys() {
    let nginx = r#"{"time":"2024-05-01T12:00:00Z","remote_addr":"192.0.2.4","request":"GET /d HTTP/1.1","status":200,"body_bytes_sent":5,"http_user_agent":"curl/8.5.0"}"#;
    let few = r#"{"timestamp":"2024-05-01T12:00:00Z","client_ip":"192.0.2.5","method":"GET","path":"/e","status":200}"#;
    let own = r#"{"ts":"2024-05-01T12:00:00Z","client_ip":"192.0.2.6","method":"GET","host":"shop.example","path":"/f","status":200,"duration_us":1200}"#;
    let fastly = r#"{"timestamp":"2024-05-01T12:00:00Z","client_ip":"192.0.2.7","host":"shop.example","url":"/g","request_method":"GET","request_user_agent":"curl/8.5.0","response_state":"HIT","response_status":200,"response_body_size":5,"time_elapsed":1200}"#;
    let gateway = r#"{"level":"info","time":"2024-05-01T12:00:00Z","client_ip":"192.0.2.8","host":"shop.example","method":"GET","path":"/h","status":200,"user_agent":"curl/8.5.0"}"#;
    let all = [nginx, few, own, fastly, gateway];
    for line in all {
        let alone = last_row(&[line]);
        for before in all {
            for stream in
                [vec![before, line], vec![before, line, before, line], [all, all].concat()]
            {
                let stream: Vec<&str> = stream.into_iter().chain([line]).collect();
                assert_eq!(last_row(&stream), alone, "{stream:?}");
            }
        }
    }
    // A key more is no other dialect.
    let more = fastly.replace("\"host\"", "\"x\":1,\"host\"");
    assert_eq!(last_row(&[nginx, fastly, &more]), last_row(&[fastly]));
    // So is each record of a list.
    let list = format!("{few}\n[{nginx},{fastly},{own}]");
    let (batches, _) = read_blocks(&DecoderConfig::default(), [list.as_bytes()]);
    let rows = show(&batches);
    for line in [nginx, fastly, own] {
        assert!(rows.contains(&last_row(&[line])), "{line}: {rows}");
    }
}

#[test]
fn a_restart_knows_the_keys_of_lines() {
    let few = r#"{"timestamp":"2024-05-01T12:00:00Z","client_ip":"192.0.2.5","request_method":"GET","url":"/e","response_status":200}"#;
    let all = r#"{"timestamp":"2024-05-01T12:00:00Z","client_ip":"192.0.2.7","host":"shop.example","url":"/g","request_method":"GET","response_state":"HIT","response_status":200,"time_elapsed":1200}"#;
    let config = DecoderConfig::default();
    let partition: Arc<str> = "logs/0".into();
    let mut before = Batcher::new(&config).unwrap();
    let push = |batcher: &mut Batcher, payload: &str, offset| {
        let payload = payload.as_bytes();
        batcher.push(&RawMessage {
            partition: &partition,
            topic: "logs",
            kafka_partition: Some(0),
            offset,
            numbering: Numbering::Records,
            arrival_us: 7,
            payload,
        });
    };
    push(&mut before, all, 1);
    push(&mut before, few, 2);
    let learnt = before.learnt();
    assert_ne!(learnt["logs/0"].keys, KeySet::default());
    let mut after = Batcher::new(&config).unwrap();
    after.resume(&partition, &learnt["logs/0"]);
    push(&mut after, few, 3);
    assert_eq!(after.learnt(), learnt);
    assert_eq!(after.chosen_format("logs/0"), Some(Format::Fastly));
}

#[test]
fn a_comma_of_a_template_ends_an_object() {
    let line = NGINX.replace("\"200\"}", "\"200\",}");
    assert_eq!(last_row(&[&line]), last_row(&[NGINX]));
    assert_eq!(last_row(&[NGINX, &line]), last_row(&[NGINX]));
    let broken = NGINX.replace("\"200\"}", "\"200\",,}");
    assert!(last_row(&[NGINX, &broken]).contains("malformed=true"));
}

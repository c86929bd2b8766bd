//! A value is read where its format puts it or not at all, whatever clients put into theirs.

#![cfg(test)]

mod support;

use decode::{ClientsConfig, DecoderConfig};
use expect_test::{Expect, expect};
use schemas::Networks;
use support::{read_blocks, show};

const COMBINED: &str = r#"203.0.113.1 - - [30/Apr/2024:12:00:00 +0000] "GET /page HTTP/1.1" 200 500 "-" "Mozilla/5.0 (X11)""#;
const BUNNY: &str = "HIT|200|1714478400000|412|390|203.0.113.1|-|https://shop.example/x|DE|Mozilla/5.0|322b688bd63fb63f2babe9de30a5d262|DE";
const ALB: &str = r#"https 2024-04-30T12:00:00.186641Z app/lb/50dc6c495c0c9188 203.0.113.1:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://shop.example:443/ HTTP/1.1" "curl/8.5.0" - - arn:aws:x "Root=1-58337281" "shop.example" "arn:aws:y" 1 2024-04-30T12:00:00.000000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-""#;

/// The rows of the lines behind another, or alone.
fn check(config: &DecoderConfig, before: Option<&str>, lines: &[&str], expected: &Expect) {
    let one = |line: &&str| {
        let stream: Vec<&str> = before.into_iter().chain([*line]).collect();
        let (batches, _) = read_blocks(config, [stream.join("\n").as_bytes()]);
        let rows = show(&batches);
        let last = rows.lines().last().and_then(|row| row.split_once(' '));
        last.map(|(_, row)| format!("{row}\n")).unwrap_or_default()
    };
    expected.assert_eq(&lines.iter().map(one).collect::<String>());
}

fn auto(before: &str, lines: &[&str], expected: &Expect) {
    check(&DecoderConfig::of("auto"), Some(before), lines, expected);
}

#[test]
fn what_has_bars_moves_nothing_behind_them() {
    auto(
        BUNNY,
        &[
            // In the referrer, the query and the user agent.
            "HIT|200|1714564800000|412|390|192.0.2.1|https://a.example/b|c|https://shop.example/a|DE|curl/8.5.0|322b688bd63fb63f2babe9de30a5d262|DE",
            "HIT|200|1714564800000|412|390|192.0.2.1|-|https://shop.example/a?b|c|DE|curl/8.5.0|322b688bd63fb63f2babe9de30a5d262|DE",
            "HIT|200|1714564800000|412|390|192.0.2.1|-|https://shop.example/a|DE|x|https://shop.example/b|DE|y|322b688bd63fb63f2babe9de30a5d262|DE",
            // A line in a line.
            "HIT|200|1714564800000|412|390|192.0.2.1|-|https://shop.example/a|DE|curl/8.5.0|322b688bd63fb63f2babe9de30a5d262|DEHIT|200|1714564801000|1|1|192.0.2.2|-|https://shop.example/b|DE|x|322b688bd63fb63f2babe9de30a5d262|DE",
            // One that lost its end has its values where they are.
            "HIT|200|1714564800000|412|390|192.0.2.1|-|https://shop.example/a|DE|cur",
            "HIT|200|1714564800000|412|390|192.0",
            // Something in front, which is no value.
            "edge1 HIT|200|1714564800000|412|390|192.0.2.1|-|https://shop.example/a|DE|curl/8.5.0|322b688bd63fb63f2babe9de30a5d262|DE",
            "edge1|HIT|200|1714564800000|412|390|192.0.2.1|-|https://shop.example/a|DE|curl/8.5.0|322b688bd63fb63f2babe9de30a5d262|DE",
        ],
        &expect![[r#"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" status=200 response_bytes=412 cache_status="hit" malformed=true
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" status=200 response_bytes=412 cache_status="hit" malformed=true
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" status=200 response_bytes=412 cache_status="hit" malformed=true
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" status=200 response_bytes=412 cache_status="hit" malformed=true
            ts=2024-05-01 12:00:00Z edge="DE" client_ip="192.0.2.1" path="https://shop.example/a" status=200 response_bytes=412 user_agent="cur" cache_status="hit" malformed=true
            ts=2024-05-01 12:00:00Z status=200 response_bytes=412 cache_status="hit" malformed=true
            REJECT does not follow the log format
            REJECT does not follow the log format
        "#]],
    );
}

#[test]
fn what_ran_into_a_line_is_no_scheme() {
    for word in ["x|", "edge1>", "2024-05-01T12:00:00Z,", "(b)"] {
        let line = format!("{word}{ALB}");
        auto(
            ALB,
            &[&line],
            &expect![[r"
            REJECT does not follow the log format
        "]],
        );
    }
}

#[test]
fn a_request_in_a_request_is_told() {
    auto(
        COMBINED,
        &[
            r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] "GET /" 404 9 " HTTP/1.1" 200 512 "-" "curl/8.5.0""#,
            r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] "GET / "GET /b HTTP/1.1" 404 9 HTTP/1.1" 200 512 "-" "curl/8.5.0""#,
            r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] "GET /HTTP/1.1" 404 9 HTTP/1.1" 200 512 "-" "curl/8.5.0""#,
        ],
        &expect![[r#"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/" status=404 response_bytes=9 referer=" HTTP/1.1\" 200 512 \"-\" \"curl/8.5.0" malformed=true
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/ \"GET /b" protocol="HTTP/1.1" status=404 malformed=true
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/HTTP/1.1" status=404 malformed=true
        "#]],
    );
}

#[test]
fn connections_without_a_request_are_none() {
    let header = "#Fields: date time c-ip c-port s-ip s-port cs-version cs-method cs-uri streamid sc-status s-siteid s-reason s-queuename";
    auto(
        header,
        &[
            "2024-05-01 12:00:00 192.0.2.1 50000 10.0.0.1 80 - - - - - - Timer_ConnectionIdle -",
            "2024-05-01 12:00:00 192.0.2.1 50000 10.0.0.1 80 HTTP/1.1 GET /a?b=c - 400 - BadRequest -",
            "2024-05-01 12:00:00 192.0.2.1 50000 10.0.0.1 80 - - - - 400 - URL -",
            "2024-05-01 12:00:00 192.0.2.1 50000 10.0.0.1 80 HTTP/1.1 GET /a - - 1 Connection_Dropped Pool",
        ],
        &expect![[r#"
            REJECT a TCP session, no request
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" query="b=c" protocol="HTTP/1.1" status=400
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" status=400 malformed=true
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1"
        "#]],
    );
    check(
        &DecoderConfig::of("s3"),
        None,
        &[
            "79a5 shop-files [01/May/2024:12:00:00 +0000] 192.0.2.1 79a5 3E57427F3EXAMPLE BATCH.DELETE.OBJECT a - 204 - - 1 - - - - - hostid= SigV4 ECDHE AuthHeader shop-files.s3.amazonaws.com TLSv1.2 - -",
            r#"79a5 shop-files [01/May/2024:12:00:00 +0000] 192.0.2.1 79a5 3E57427F3EXAMPLE REST.POST.MULTI_OBJECT_DELETE - "POST /?delete HTTP/1.1" 200 - 512 - 7 6 "-" "curl/8.5.0" - hostid= SigV4 ECDHE AuthHeader shop-files.s3.amazonaws.com TLSv1.2 - -"#,
        ],
        &expect![[r#"
            REJECT no request in it
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="POST" host="shop-files.s3.amazonaws.com" path="/" query="delete" protocol="HTTP/1.1" status=200 response_bytes=512 duration_us=7000 user_agent="curl/8.5.0" request_id="3E57427F3EXAMPLE"
        "#]],
    );
}

#[test]
fn api_gateway_is_read_as_its_documentation_writes_it() {
    check(
        &DecoderConfig::of("api_gateway"),
        None,
        &[
            r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000]"GET /a HTTP/1.1" 200 5 c6af9ac6-7b61-11e6"#,
            r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000]"GET /a HTTP/1.1" 200 5 c6af9ac6-7b61-11e6 e5f6="#,
            r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] "GET /a HTTP/1.1" 200 5 c6af9ac6-7b61-11e6"#,
            r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] "GET /a HTTP/1.1" 200"#,
        ],
        &expect![[r#"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 request_id="c6af9ac6-7b61-11e6"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 request_id="e5f6="
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 request_id="c6af9ac6-7b61-11e6"
            REJECT not a JSON object
        "#]],
    );
}

#[test]
fn ports_of_clients_are_no_part_of_what_is_forwarded() {
    let trusted_proxies = Networks::parse(["10.0.0.0/8"]).unwrap();
    let clients = ClientsConfig { trusted_proxies, ..ClientsConfig::default() };
    let config = DecoderConfig { clients, ..DecoderConfig::of("combined") };
    let lines = [
        "192.0.2.1:50711",
        "198.51.100.2, 192.0.2.1:4711",
        "198.51.100.2, [2001:db8::1]:50711",
        "198.51.100.2:40000, 192.0.2.1",
        // Of an upstream, or of several.
        "10.0.0.2:50711",
        "192.0.2.1:8080",
        "192.0.2.1:443, 192.0.2.2:443",
    ]
    .map(|list| {
        format!(
            r#"10.0.0.1 - - [01/May/2024:12:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl/8.5.0" "{list}""#
        )
    });
    check(
        &config,
        None,
        &lines.each_ref().map(String::as_str),
        &expect![[r#"
        ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
        ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
        ts=2024-05-01 12:00:00Z client_ip="2001:db8::1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
        ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
        ts=2024-05-01 12:00:00Z client_ip="10.0.0.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
        ts=2024-05-01 12:00:00Z client_ip="10.0.0.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
        ts=2024-05-01 12:00:00Z client_ip="10.0.0.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
    "#]],
    );
}

#[test]
fn zeros_alone_are_no_line() {
    let zeros = "\0".repeat(40);
    let (batches, _) =
        read_blocks(&DecoderConfig::of("auto"), [format!("{zeros}\n{COMBINED}").as_bytes()]);
    assert_eq!(show(&batches).lines().count(), 1);
}

#[test]
fn what_a_line_ends_in_is_no_value() {
    for (format, line, whole) in [
        (
            "istio",
            r#"[2024-05-01T12:00:00.123Z] "GET /t HTTP/1.1" 200 - via_upstream - "-" 0 135 5 4 "-" "curl/8.5.0" "id" "shop.example:8000" "10.44.1.27:80" outbound|8000||shop.example 10.44.1.23:37652 10.0.45.184:8000 192.0.2.10:46520 - default"#,
            "client_ip=\"192.0.2.10\"",
        ),
        ("bunny", BUNNY, "client_ip=\"203.0.113.1\""),
        ("alb", ALB, "client_ip=\"203.0.113.1\""),
        (
            "nginx_proxy_manager",
            r#"[01/May/2024:12:00:00 +0000] - 404 404 - GET https shop.example "/t" [Client 192.0.2.10] [Length 192] [Gzip -] [Sent-to 10.0.0.7] "curl/8.5.0" "-""#,
            "client_ip=\"192.0.2.10\"",
        ),
        (
            "kong",
            r#"{"client_ip":"192.0.2.10","request":{"method":"GET","uri":"/t","size":100},"response":{"status":200,"size":934},"started_at":1714564800147}"#,
            "ts=2024-05-01 12:00:00.147Z",
        ),
    ] {
        let (name, _) = whole.split_once('=').unwrap();
        for end in 1..line.len() {
            let cut = format!("{line}\n{}", &line[..end]);
            let (batches, _) = read_blocks(&DecoderConfig::of(format), [cut.as_bytes()]);
            let rows = show(&batches);
            let row = rows.lines().last().unwrap();
            let is_sound = row.contains(whole) || !row.contains(&format!(" {name}="));
            assert!(is_sound, "{end}: {row}");
            // A status has three digits.
            let statuses = [" status=200 ", " status=404 "];
            let is_status = statuses.iter().any(|status| row.contains(status));
            assert!(is_status || !row.contains(" status="), "{end}: {row}");
        }
    }
    // In a header's columns, and where an object was torn into another.
    let header = "#Fields: date time c-ip cs-method cs-uri-stem sc-status time-taken cs(User-Agent) a b c d e f g";
    auto(
        header,
        &[
            "2024-05-01 12:00:00 192.0.2.1 GET /t 200 12 curl/8.5.0 1 2 3 4 5",
            "2024-05-01 12:00:00 192.0.2.1 GET /t 200 1",
            "2024-05-01 12:00:00 192.0.2.1 GET /t 20",
        ],
        &expect![[r#"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/t" status=200 duration_us=12000 user_agent="curl/8.5.0" malformed=true
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/t" status=200 malformed=true
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/t" malformed=true
        "#]],
    );
    auto(
        r#"{"time":"2024-05-01T12:00:00Z","remote_addr":"192.0.2.1","request":"GET /t HTTP/1.1","status":200,"host":"shop.example","body_bytes_sent":5}"#,
        &[
            r#"{"time":"2024-05-01T12:00:00Z","remote_addr":"192.0.2.1","request":"GET /t HTTP/1.1","status":200,"host":"shop.{"time":"2024-05-01T12:00:00Z","remote_addr":"192.0.2.2"}"#,
            r#"{"time":"2024-05-01T12:00:00Z","remote_addr":"192.0.2.1","request":"GET /t HTTP/1.1","status":200,"body_bytes_sent":5"#,
        ],
        &expect![[r#"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/t" protocol="HTTP/1.1" status=200 malformed=true
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/t" protocol="HTTP/1.1" status=200 malformed=true
        "#]],
    );
}

#[test]
fn a_line_torn_behind_a_client_has_none() {
    auto(
        COMBINED,
        &[
            r#"192.0.2.1 -2001:db8::7 - alice [01/May/2024:12:00:00 +0000] "GET /t HTTP/1.1" 200 5 "-" "curl/8.5.0""#,
            r#"192.0.2.1 - -192.0.2.7 - - [01/May/2024:12:00:00 +0000] "GET /t HTTP/1.1" 200 5 "-" "curl/8.5.0""#,
            "192.0.2.10:3192.0.2.11:33319 [01/May/2024:12:00:00.000] https-in~ app/s1 0/0/0/1/1 200 739 - - --NN 0/0/0/0/0 0/0 \"GET /t HTTP/2.0\"",
        ],
        &expect![[r#"
            ts=2024-05-01 12:00:00Z method="GET" path="/t" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0" malformed=true
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/t" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0" malformed=true
            REJECT does not follow the log format
        "#]],
    );
}

#[test]
fn two_lines_that_ran_into_each_other_are_not_one() {
    let realtime = "1714564800.123\t192.0.2.10\t0.002\t200\t415\tGET\thttps\td1.cloudfront.example\t/t\t62\tFRA56-P2\tabc==\tcdn.example\t0.003\tHTTP/2.0\tIPv4\tcurl/8.5.0\t-\t-\t-\tHit\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\tHit\t-\t-\ttext/html\t78\t-\t-\t51754\tHit\tDE\tgzip\t*/*\t*\thost:cdn\thost\t3";
    let squid = "1714564800.779    180 192.0.2.224 TCP_MISS/200 411 GET http://shop.example/t - HIER_DIRECT/203.0.113.96 text/plain";
    let haproxy = "192.0.2.10:33317 [06/Feb/2024:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 \"GET /t HTTP/1.1\"";
    for (format, line) in
        [("cloudfront_realtime", realtime), ("squid", squid), ("haproxy", haproxy)]
    {
        let other = line.replace("192.0.2.", "198.51.100.");
        // In front of a value that is told apart from others.
        for end in 19..line.find("HTTP/").unwrap_or(line.len()).min(80) {
            let torn = format!("{}{other}", &line[..end]);
            let (batches, _) = read_blocks(&DecoderConfig::of(format), [torn.as_bytes()]);
            let rows = show(&batches);
            assert!(rows.contains("malformed") || rows.contains("REJECT"), "{torn}: {rows}");
        }
    }
}

#[test]
fn what_tools_put_before_a_client_is_no_host() {
    let line = r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl""#;
    let vhost = format!("shop.example:443 {line}");
    for word in [
        "200",
        "12",
        "1714564800",
        "1714564800.123",
        "0.012",
        "2024-05-01",
        "INFO",
        "info:",
        "access.log:",
        "stdout",
        "OUT",
        "F",
        "UTC",
        "nil",
        "web-1:",
    ] {
        for before in ["", COMBINED, &vhost] {
            let (batches, _) = read_blocks(
                &DecoderConfig::of("auto"),
                [format!("{before}\n{before}\n{word} {line}").as_bytes()],
            );
            let rows = show(&batches);
            let last = rows.lines().last().unwrap();
            assert!(!last.contains("host="), "{word} behind {before}: {last}");
        }
    }
    for (host, expected) in [
        ("shop.example", "shop.example"),
        ("shop.example:443", "shop.example"),
        ("intranet", "intranet"),
        ("web1", "web1"),
        ("10.0.0.5:80", "10.0.0.5"),
        ("[2001:db8::5]:443", "2001:db8::5"),
        ("_", "_"),
    ] {
        let (batches, _) = read_blocks(
            &DecoderConfig::of("auto"),
            [format!("{vhost}\n{vhost}\n{host} {line}").as_bytes()],
        );
        let rows = show(&batches);
        let last = rows.lines().last().unwrap();
        assert!(last.contains(&format!("host=\"{expected}\"")), "{host}: {last}");
    }
}

#[test]
fn the_first_of_a_list_of_addresses_is_no_host() {
    let rest = r#"- - [01/May/2024:12:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl""#;
    let vhost = format!("shop.example:443 192.0.2.1 {rest}");
    let text = format!("{vhost}\n{vhost}\n203.0.113.7, 10.4.0.9 {rest}");
    let (batches, _) = read_blocks(&DecoderConfig::of("auto"), [text.as_bytes()]);
    let rows = show(&batches);
    assert!(rows.lines().last().unwrap().contains("client_ip=\"203.0.113.7\""), "{rows}");
}

#[test]
fn a_number_is_no_host_in_any_format() {
    for (host, is_one) in
        [("200", false), ("1.5", false), ("10.0.0.5", true), ("web1", true), ("shop.example", true)]
    {
        let line = format!(
            r#"{{"time":"2024-05-01T12:00:00Z","remote_addr":"192.0.2.1","host":"{host}","request":"GET /a HTTP/1.1","status":200}}"#
        );
        let (batches, _) = read_blocks(&DecoderConfig::of("auto"), [line.as_bytes()]);
        assert_eq!(show(&batches).contains("host="), is_one, "{host}");
    }
}

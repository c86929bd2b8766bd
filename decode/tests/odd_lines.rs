//! Lines as servers, collectors and accidents really leave them: each value is read at the place where the format puts
//! it, or not at all. The lines are made up; each group stands for a kind.

#![cfg(test)]

mod support;

use decode::DecoderConfig;
use decode::json::FieldSource;
use expect_test::{Expect, expect};
use support::{read_blocks, show};

/// Ordinary lines, behind which an odd one must be read as it is alone.
const ORDINARY: &str = "203.0.113.1 - - [30/Apr/2024:12:00:00 +0000] \"GET /page HTTP/1.1\" 200 500 \"https://www.example.net/\" \"Mozilla/5.0 (X11)\"\n\
                        203.0.113.2 - - [30/Apr/2024:12:00:01 +0000] \"GET /page HTTP/1.1\" 200 500 \"-\" \"Mozilla/5.0 (X11)\"\n";

/// A stream of each line, without its number.
fn read(format: &str, lines: &[&str]) -> String {
    let one = |line: &&str| {
        let (batches, _) = read_blocks(&DecoderConfig::of(format), [line.as_bytes()]);
        show(&batches)
            .lines()
            .map(|row| row.split_once(' ').unwrap().1.to_owned() + "\n")
            .collect::<String>()
    };
    lines.iter().map(one).collect()
}

/// Each line as a stream of its own, and, if the format is to be recognised, behind ordinary lines of another.
fn check(format: &str, lines: &[&str], expected: &Expect) {
    expected.assert_eq(&read(format, lines));
    if format == "auto" {
        let behind: Vec<String> = lines.iter().map(|line| ORDINARY.to_owned() + line).collect();
        let behind: Vec<&str> = behind.iter().map(String::as_str).collect();
        let rows = read(format, &behind);
        let ordinary = read("combined", &[ORDINARY]);
        let odd = rows.replace(&ordinary, "");
        assert_eq!(odd, read(format, lines), "behind lines of another format");
    }
}

#[test]
fn what_stands_before_a_line_is_no_part_of_it() {
    check(
        "auto",
        &[
            "web-1  | 192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"",
            "web_1 | 192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5",
            "\u{1b}[36mweb-1  | \u{1b}[0m192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"",
            "2024-05-01T12:00:00.1Z 192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"",
            "2024-05-01 12:00:00 192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"",
            "2024-05-01T12:00:00.1Z web-1  | 192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"",
            "[pod/web-5d9/nginx] 192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"",
            "May  1 12:00:00 web1 nginx: 192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"",
            "  \t192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"",
            "\0\0\0\0\0\x00192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"\0\0",
            "web-1  | {\"time\":\"2024-05-01T12:00:00Z\",\"remote_addr\":\"192.0.2.1\",\"request\":\"GET /a HTTP/1.1\",\"status\":200,\"body_bytes_sent\":5}",
            "\"192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"\"",
            "\"192.0.2.1 - - [01/May/2024:12:00:00 +0000] \\\"GET /a HTTP/1.1\\\" 200 5 \\\"-\\\" \\\"curl/8.5.0\\\"\"",
            "{\"version\":\"1.1\",\"host\":\"edge1\",\"short_message\":\"192.0.2.1 - - [01/May/2024:12:00:00 +0000] \\\"GET /a HTTP/1.1\\\" 200 5 \\\"-\\\" \\\"curl/8.5.0\\\"\",\"timestamp\":1714564800.1}",
        ],
        &expect![[r#"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
        "#]],
    );
}

#[test]
fn a_client_is_what_the_peer_position_holds() {
    check(
        "auto",
        &[
            "shop.example:443 fe80::1%eth0 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"",
            " shop.example 192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\" \"198.51.100.7\"",
            "192.0.2.1, 10.0.0.1, 127.0.0.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"",
            "- - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\" \"198.51.100.7\"",
            "192.0.2.1 [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"",
            "192.0.2.1 - a [b c] d [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"",
            "192.0.2.1 - x [01/Jan/2020:00:00:00 +0000] y [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"",
            "{\"start_time\":\"2024-05-01T12:00:00Z\",\"downstream_remote_address\":\"-\",\"x_forwarded_for\":\"198.51.100.7\",\"method\":\"GET\",\"path\":\"/a\",\"response_code\":200}",
        ],
        &expect![[r#"
            ts=2024-05-01 12:00:00Z client_ip="fe80::1" method="GET" host="shop.example" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" host="shop.example" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z method="GET" path="/a" status=200
        "#]],
    );
}

#[test]
fn fields_too_many_or_without_quotes_shift_nothing() {
    check(
        "combined",
        &[
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 - -",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" -",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 - \"curl/8.5.0\"",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] - 408 - \"-\" \"-\"",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 1204 \"https://a.example/\" \"curl/8.5.0\"",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 1204 33 \"https://a.example/\" \"curl/8.5.0\"",
            "192.0.2.1 - -  [01/May/2024:12:00:00 +0000]  \"GET /a HTTP/1.1\"  200  5 \"https://a.example/\"  \"curl/8.5.0\"",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"-\" \"GET /a HTTP/1.1\" 200 5 0 \"https://a.example/\" \"curl/8.5.0\"",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" TLSv1.3 200 5 \"https://a.example/\" \"curl/8.5.0\"",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" - 200 5 \"https://a.example/\" \"curl/8.5.0\"",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" \"shop.example\" 200 5 \"https://a.example/\" \"curl/8.5.0\"",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"https://a.example/\" \"curl/8.5.0\" 56cd-FRA rt=0.1 \"x y\"",
        ],
        &expect![[r#"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" status=408 malformed=true aborted=true
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0" referer="https://a.example/"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0" referer="https://a.example/"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0" referer="https://a.example/"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0" referer="https://a.example/"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0" referer="https://a.example/"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0" referer="https://a.example/"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0" referer="https://a.example/"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0" referer="https://a.example/"
        "#]],
    );
}

#[test]
fn records_torn_into_one_line_are_marked() {
    check(
        "combined",
        &[
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTT192.0.2.2 - - [01/May/2024:12:00:00 +0000] \"POST /b HTTP/1.1\" 502 12 \"-\" \"-\"",
            "192.0.2.1 - - [01/May/2024:12:0192.0.2.2 - - [01/May/2024:12:00:00 +0000] \"POST /b HTTP/1.1\" 502 12 \"-\" \"-\"",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5192.0.2.2 - - [01/May/2024:12:00:00 +0000] \"POST /b HTTP/1.1\" 502 12 \"-\" \"-\"",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"Mozilla/5.0 (192.0.2.2 - - [01/May/2024:12:00:00 +0000] \"POST /b HTTP/1.1\" 502 12 \"-\" \"-\"",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"192.0.2.2 - - [01/May/2024:12:00:00 +0000] \"POST /b HTTP/1.1\" 502 12 \"-\" \"-\"",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\" 192.0.2.2 - - [01/May/2024:12:00:00 +0000] \"POST /b HTTP/1.1\" 502 12 \"-\" \"-\"",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a\0\0\0\x00192.0.2.2 - - [01/May/2024:12:00:00 +0000] \"POST /b HTTP/1.1\" 502 12 \"-\" \"-\"",
        ],
        &expect![[r#"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a HTT192.0.2.2 - - [01/May/2024:12:00:00 +0000] \"POST /b HTTP/1.1\" 502 12 \"-\" \"-" malformed=true
            REJECT no readable timestamp
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 malformed=true
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="Mozilla/5.0 (192.0.2.2 - - [01/May/2024:12:00:00 +0000] \"POST /b HTTP/1.1\" 502 12 \"-\" \"-" malformed=true
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0\"192.0.2.2 - - [01/May/2024:12:00:00 +0000] \"POST /b HTTP/1.1\" 502 12 \"-\" \"-" malformed=true
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0" malformed=true
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a\0\0\0\0192.0.2.2 - - [01/May/2024:12:00:00 +0000] \"POST /b HTTP/1.1\" 502 12 \"-\" \"-" malformed=true
        "#]],
    );
}

#[test]
fn lists_without_quotes_end_where_they_end() {
    check(
        "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent $upstream_addr $upstream_response_time $request_time $upstream_cache_status",
        &[
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 10.0.0.1:80 0.100 0.120 HIT",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 10.0.0.1:80, 10.0.0.2:80 0.100, 0.020 0.120 HIT",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80 0.100, 0.020 : 0.001 0.120 HIT",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 - - 0.120 -",
        ],
        &expect![[r#"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 duration_us=120000 cache_status="hit"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 duration_us=120000 cache_status="hit"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 duration_us=120000 cache_status="hit"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 duration_us=120000
        "#]],
    );
}

#[test]
fn haproxy_writes_escapes_sockets_and_more_than_requests() {
    check(
        "haproxy",
        &[
            "192.0.2.1:40000 [01/May/2024:12:00:00.000] fe be/s1 0/0/0/1/1 200 50 - - ---- 1/1/0/0/0 0/0 {shop.example|a #7Bb#7D} \"GET /a#22b?c=#23d HTTP/1.1\"",
            "192.0.2.1:40000 [01/May/2024:12:00:00.000] fe be/s1 0/0/0/1/1 200 50 - - ---- 1/1/0/0/0 0/0 \"GET /a HTTP/1.1\" TLSv1.3 peer:\"203.0.113.40\"",
            "unix:1 [01/May/2024:12:00:00.000] fe be/s1 0/0/0/1/1 200 50 - - ---- 1/1/0/0/0 0/0 \"GET /a HTTP/1.1\"",
            "192.0.2.1:40000 [01/May/2024:12:00:00.000] fe be/s1 1/0/98 8398 -- 6/5/5/5/0 0/0",
            "192.0.2.1:40000 [01/May/2024:12:00:00.000] fe/1: SSL handshake failure",
            "Proxy fe started.",
            "192.0.2.1:40000 [01/May/2024:12:00:00.000] fe fe/<NOSRV> -1/-1/-1/-1/0 400 0 - - PR-- 1/1/0/0/0 0/0 \"<BADREQ>\"",
        ],
        &expect![[r#"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" host="shop.example" path="/a\"b" query="c=#d" protocol="HTTP/1.1" status=200 response_bytes=50 duration_us=1000
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=50 duration_us=1000
            ts=2024-05-01 12:00:00Z method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=50 duration_us=1000
            REJECT a TCP session, no request
            REJECT a line of an error log
            REJECT no request in it
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" path="<BADREQ>" status=400 response_bytes=0 duration_us=0 malformed=true
        "#]],
    );
}

#[test]
fn w3c_lines_have_the_fields_of_their_header() {
    let header = "#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status sc-bytes time-taken cs(User-Agent)\n";
    let behind = |line: &str| format!("{header}{line}");
    check(
        "iis",
        &[
            &behind("2024-05-01 12:00:00 192.0.2.1 GET /a b=c 200 5 7 curl/8.5.0"),
            &behind("2024-05-01 12:00:00 192.0.2.1 GET /a b=c 200 5 7 curl/8.5.0 one-more"),
            &behind("2024-05-01 12:00:00 W3SVC1 192.0.2.1 GET /a b=c 200 5 7 curl/8.5.0"),
            &behind("2024-05-01 12:00:00 GET /a b=c 443 192.0.2.1 200 5 7"),
            &behind(
                "2024-05-01\t12:00:00\t192.0.2.1\tGET\t/a\tb=c\t200\t5\t7\t\"curl/8.5.0 (x y)\"",
            ),
            &behind(
                "2024-05-01 12:00:00 192.0.2.1 GET \"/a\" \"b=c d\" 200 5 7 \"curl/8.5.0 (x y)\"",
            ),
            "2024-05-01 12:00:00 10.0.0.5 GET /a b=c 443 - 192.0.2.1 curl/8.5.0 - 200 0 0 12 198.51.100.7,10.2.2.1",
        ],
        &expect![[r#"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" query="b=c" status=200 response_bytes=5 duration_us=7000 user_agent="curl/8.5.0"
            REJECT does not follow the log format
            REJECT does not follow the log format
            REJECT does not follow the log format
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" query="b=c" status=200 response_bytes=5 duration_us=7000 user_agent="curl/8.5.0 (x y)"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" query="b=c d" status=200 response_bytes=5 duration_us=7000 user_agent="curl/8.5.0 (x y)"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" query="b=c" status=200 duration_us=12000 user_agent="curl/8.5.0"
        "#]],
    );
}

#[test]
fn json_that_is_hardly_json() {
    check(
        "nginx_json",
        &[
            r#"{"time_local":"01/May/2024:12:00:00 +0000","remote_addr":"192.0.2.1","request":"GET /a HTTP/1.1","status":502,"upstream_addr":10.0.0.1:80, 10.0.0.2:80,"upstream_response_time":0.004, 0.012,"http_user_agent":"curl/8.5.0"}"#,
            r#"{"time_local":"01/May/2024:12:00:00 +0000","remote_addr":"192.0.2.1","request":"GET /a HTTP/1.1","status":502,"upstream_response_time":,"http_user_agent":"curl/8.5.0"}"#,
            r#"{"time_local":"01/May/2024:12:00:00 +0000","remote_addr":"192.0.2.1","request":"GET /a HTTP/1.1","status":502,"upstream_response_time":-,"http_user_agent":"curl/8.5.0"}"#,
            r#"{"timeLocal":"01/May/2024:12:00:00 +0000","remoteAddr":"192.0.2.1","Request":"GET /a HTTP/1.1","response-status":502,"bodyBytesSent":5,"requestTime":0.1,"httpUserAgent":"curl/8.5.0"}"#,
            r#"{"time_local":"01/May/2024:12:00:00 +0000","remote_addr":"192.0.2.1","request":"GET /a HTTP/1.1"}{"time_local":"01/May/2024:12:00:01 +0000","remote_addr":"192.0.2.2","request":"GET /b HTTP/1.1"} {"x":1}"#,
        ],
        &expect![[r#"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=502 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=502 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=502 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=502 response_bytes=5 duration_us=100000 user_agent="curl/8.5.0"
            REJECT no request in it
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1"
            ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" path="/b" protocol="HTTP/1.1"
        "#]],
    );
}

#[test]
fn several_formats_in_one_stream() {
    let lines = concat!(
        "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"\n",
        "{\"level\":\"info\",\"ts\":1714564801,\"request\":{\"client_ip\":\"192.0.2.2\",\"method\":\"GET\",\"host\":\"a.example\",\"uri\":\"/b\",\"proto\":\"HTTP/2.0\"},\"status\":200,\"size\":5,\"duration\":0.1}\n",
        "2024/05/01 12:00:02 [error] 7#7: *1 open() \"/x\" failed (2: No such file), client: 192.0.2.3\n",
        "shop.example 192.0.2.4 - - [01/May/2024:12:00:03 +0000] \"GET /c HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"\n",
        "{\"time_iso8601\":\"2024-05-01T12:00:04Z\",\"remote_addr\":\"192.0.2.5\",\"request\":\"GET /d HTTP/1.1\",\"status\":200}\n",
        "#Fields: date time c-ip cs-method cs-uri-stem sc-status\n",
        "2024-05-01 12:00:05 192.0.2.6 GET /e 200\n",
        "192.0.2.1 - - [01/May/2024:12:00:06 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"\n",
        "2024-05-01 12:00:07 192.0.2.6 GET /e 200\n",
        "May  1 12:00:08 lb haproxy[7]: 192.0.2.7:40000 [01/May/2024:12:00:08.000] fe be/s1 0/0/0/1/1 200 50 - - ---- 1/1/0/0/0 0/0 \"GET /f HTTP/1.1\"\n",
        "nothing that anybody knows\n",
    );
    let (batches, _) = read_blocks(&DecoderConfig::default(), [lines.as_bytes()]);
    expect![[r#"
        1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
        2 ts=2024-05-01 12:00:01Z client_ip="192.0.2.2" method="GET" host="a.example" path="/b" protocol="HTTP/2.0" status=200 response_bytes=5 duration_us=100000
        3 REJECT a line of an error log
        4 ts=2024-05-01 12:00:03Z client_ip="192.0.2.4" method="GET" host="shop.example" path="/c" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
        5 ts=2024-05-01 12:00:04Z client_ip="192.0.2.5" method="GET" path="/d" protocol="HTTP/1.1" status=200
        7 ts=2024-05-01 12:00:05Z client_ip="192.0.2.6" method="GET" path="/e" status=200
        8 ts=2024-05-01 12:00:06Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
        9 ts=2024-05-01 12:00:07Z client_ip="192.0.2.6" method="GET" path="/e" status=200
        10 ts=2024-05-01 12:00:08Z client_ip="192.0.2.7" method="GET" path="/f" protocol="HTTP/1.1" status=200 response_bytes=50 duration_us=1000
        11 REJECT no request in it
    "#]].assert_eq(&show(&batches));
}

#[test]
fn times_of_other_writers() {
    check(
        "auto",
        &[
            "192.0.2.1 - - [01/May/2024 12:00:00] \"GET /a HTTP/1.1\" 200 -",
            "192.0.2.1 - - [Wed May  1 12:00:00 2024] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"",
            "192.0.2.1 - - [2024-05-01 12:00:00,5] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"",
            "192.0.2.1 - - [1714564800] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"",
        ],
        &expect![[r#"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00.500Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 user_agent="curl/8.5.0"
        "#]],
    );
}

#[test]
fn utf_16_is_text() {
    let line = "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"\r\n";
    let text = format!("\u{feff}{line}{line}");
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [little, big] {
        let (batches, _) = read_blocks(&DecoderConfig::default(), [&*bytes]);
        let rows = show(&batches)
            .lines()
            .filter(|row| row.contains("client_ip=\"192.0.2.1\" method=\"GET\" path=\"/a\""))
            .count();
        assert_eq!(rows, 2, "{}", show(&batches));
    }
}

#[test]
fn a_record_that_contradicts_itself_is_marked() {
    check(
        "nginx_json",
        &[
            r#"{"time":"2024-05-01T12:00:00Z","remote_addr":"192.0.2.1","request_uri":"/a","remote_addr":"192.0.2.2","request_uri":"/b","request_method":"GET","status":200}"#,
            r#"{"time":"2024-05-01T12:00:00Z","http_user_agent":"x","remote_addr":"198.51.100.66","y":"z","remote_addr":"192.0.2.1","request_uri":"/a","request_method":"GET","status":200}"#,
            r#"{"time":"2024-05-01T12:00:00Z","host":"a.example","host":"edge1","time":"2024-05-01T12:00:01Z","remote_addr":"192.0.2.1","remote_addr":"192.0.2.1","request_uri":"/a","status":200}"#,
        ],
        &expect![[r#"
            ts=2024-05-01 12:00:00Z method="GET" status=200 malformed=true
            ts=2024-05-01 12:00:00Z method="GET" path="/a" status=200 user_agent="x" malformed=true
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" host="a.example" path="/a" status=200
        "#]],
    );
}

#[test]
fn a_record_that_contradicts_itself_changes_no_format() {
    let line = |second: u8| {
        format!(
            r#"{{"time":"2024-05-01T12:00:0{second}Z","remote_addr":"192.0.2.1","request_uri":"/a","request_method":"GET","status":200,"host":"a.example","http_user_agent":"x","body_bytes_sent":5,"request_time":0.5}}"#
        )
    };
    let torn = line(1).replace(r#""host""#, r#""remote_addr":"192.0.2.2","status":404,"host""#);
    let alone = read("auto", &[&line(2)]);
    for lines in [[line(0), torn.clone(), line(2)], [torn.clone(), line(0), line(2)]] {
        let rows = read("auto", &[&lines.join("\n")]);
        assert!(rows.ends_with(&alone), "{rows}");
        assert_eq!(rows.matches("malformed").count(), 1, "{rows}");
        assert_eq!(rows.matches("192.0.2.1").count(), 2, "{rows}");
        assert_eq!(rows.matches("duration_us=500000").count(), 3, "{rows}");
    }
}

#[test]
fn a_dialect_that_contradicts_itself_yields_to_one_that_does_not() {
    check(
        "auto",
        &[
            r#"{"time":"2024-05-01T12:00:00Z","client_ip":"192.0.2.1","request_method":"GET","url":"/a","status":200,"user_agent":"curl/8","data":{"status":"ok"}}"#,
            r#"{"time":"2024-05-01T12:00:00Z","client_ip":"192.0.2.1","request_method":"GET","url":"/a","status":200,"user_agent":"curl/8","host":"a.example","event":{"status":"ok","url":"/x"}}"#,
        ],
        &expect![[r#"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" status=200 user_agent="curl/8"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" host="a.example" path="/a" status=200 user_agent="curl/8"
        "#]],
    );
}

#[test]
fn columns_have_the_keys_that_the_configuration_names() {
    let text = "when,who,what,came\n2024-05-01T12:00:00Z,192.0.2.1,/a,200\n2024-05-01T12:00:01Z,192.0.2.2,/b,404\n";
    let key = |key: &str| FieldSource::Key(key.to_owned());
    let fields = [("ts", "when"), ("client_ip", "who"), ("uri", "what"), ("status", "came")];
    let fields = fields.map(|(name, from)| (name.to_owned(), key(from)));
    for format in ["auto", "json", "nginx_json"] {
        let config = DecoderConfig { fields: fields.clone().into(), ..DecoderConfig::of(format) };
        let (batches, _) = read_blocks(&config, [text.as_bytes()]);
        let rows = show(&batches);
        assert!(rows.contains(r#"client_ip="192.0.2.2" path="/b" status=404"#), "{format}: {rows}");
        assert_eq!(rows.lines().count(), 2, "{format}: {rows}");
    }
}

#[test]
fn columns_are_read_as_the_keys_of_their_names() {
    let header = "timeStamp,properties.clientIP,properties.httpMethod,properties.requestUri,properties.httpStatus,properties.timeTaken";
    let rows = read(
        "azure_app_gateway",
        &[&format!(
            "{header}\n2024-05-01T12:00:00Z,192.0.2.1,GET,/a,200,120\n2024-05-01T12:00:00Z,192.0.2.1,GET,/a,200,0.12"
        )],
    );
    assert_eq!(rows.matches("duration_us=120000").count(), 2, "{rows}");
}

#[test]
fn what_says_nothing_of_a_request_is_none() {
    check(
        "nginx_json",
        &[
            r#"{"Action":"block","ClientIP":"192.0.2.1","ClientRequestHost":"shop.example","ClientRequestMethod":"GET","Datetime":"2024-05-01T12:00:00Z","EdgeResponseStatus":403,"Kind":"firewall"}"#,
            r#"{"time":"2024-05-01T12:00:00Z","client_ip":"192.0.2.1","msg":"logged in"}"#,
        ],
        &expect![[r"
            REJECT no request in it
            REJECT no request in it
        "]],
    );
}

#[test]
fn fields_of_another_answer_are_no_further_fields() {
    check(
        "combined",
        &[
            "192.0.2.1 - a [01/Jan/2030:00:00:00 +0000] \"GET /evil HTTP/1.1\" 200 1 \"-\" \"x\" [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 401 9 \"-\" \"curl\"",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /evil HTTP/1.1\" 200 1 \"-\" \"x\" 404 9 \"-\" \"curl\"",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 1 \"-\" \"x\" 404 0.003",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 1 \"-\" \"curl/8.5.0\" 512 1024 \"203.0.113.7\"",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 1 \"-\" \"curl/8.5.0\" 512 1024 \"-\" \"shop.example\"",
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 1 \"-\" \"curl/8.5.0\" 512 1024 \"shop.example\" \"-\"",
            "192.0.2.1.2.3.4 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 1 \"-\" \"x\"",
        ],
        &expect![[r#"
            ts=2030-01-01 00:00:00Z client_ip="192.0.2.1" method="GET" path="/evil" protocol="HTTP/1.1" status=200 response_bytes=1 user_agent="x" malformed=true
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/evil" protocol="HTTP/1.1" status=200 response_bytes=1 user_agent="x" malformed=true
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=1 user_agent="x"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=1 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=1 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=1 user_agent="curl/8.5.0"
            ts=2024-05-01 12:00:00Z method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=1 user_agent="x" malformed=true
        "#]],
    );
}

#[test]
fn what_consoles_and_libraries_put_before_a_line_is_taken_off() {
    let line =
        "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"";
    let row = read("auto", &[line]);
    for before in [
        "57 <190>1 2024-05-01T12:00:00Z edge1 nginx - - - ",
        "1714564800.123456 edge1 nginx[7]: ",
        "May  1 2024 12:00:00 edge1 nginx: ",
        "0|web  | 2024-05-01T12:00:00: ",
        "2024-05-01 12:00:00,123 - access - INFO - ",
        "[2024-05-01 12:00:00 +0000] [7] [INFO] ",
        "2024-05-01T12:00:00Z web/nginx/7f ",
        "www/access.log.1:",
        "[2024-05-01 12:00:00] edge1 nginx: ",
        "[2024-05-01 12:00:00] - access - INFO - ",
        "Okt 10 2023 12:00:00 edge1 nginx: ",
        "Mai 1 2024 12:00:00 - access - INFO - ",
        "\u{1e}",
    ] {
        assert_eq!(read("auto", &[&format!("{before}{line}")]), row, "{before}");
    }
    // Nobody can tell a pod from a host.
    assert_eq!(
        read("auto", &[&format!("{ORDINARY}web-5d9 nginx {line}")])
            .matches("malformed=true")
            .count(),
        1
    );
}

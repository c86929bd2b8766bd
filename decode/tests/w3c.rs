//! W3C lines: where their values are, with quotes that the writer sets and quotes that clients send.

#![cfg(test)]

#[path = "support/line.rs"]
mod line;
mod support;

use expect_test::{Expect, expect};
use line::read;

/// What becomes of each of these streams, whether the format is named or not.
fn check(streams: &[(&str, &str)], expected: &Expect) {
    let read_in = |format: &str| {
        let one = |(header, line): &(&str, &str)| read(format, &format!("{header}\n{line}"));
        streams.iter().map(one).collect::<String>()
    };
    expected.assert_eq(&read_in("auto"));
    expected.assert_eq(&read_in("iis"));
}

#[test]
fn quotes_that_clients_send_move_no_field() {
    let forwarded = "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username cs(User-Agent) cs(Referer) c-ip X-Forwarded-For sc-status sc-substatus sc-win32-status time-taken";
    check(
        &[
            ("", r#"2024-05-01 12:00:00 10.0.0.1 GET /a - 443 - 192.0.2.1 "x y" 404 0 0 15"#),
            ("", r#"2024-05-01 12:00:00 10.0.0.1 GET /a - 443 - 192.0.2.1 " " 404 0 0 15"#),
            ("", r#"2024-05-01 12:00:00 10.0.0.1 GET /a - 443 - 192.0.2.1 "x y"" 404 0 0 15"#),
            (
                "",
                r#"2024-05-01 12:00:00 W3SVC1 WEB1 10.0.0.1 GET /a - 443 - 192.0.2.1 HTTP/1.1 "x c" - shop.example 404 0 0 1500 400 15"#,
            ),
            (
                forwarded,
                r#"2024-05-01 12:00:00 10.0.0.1 GET /a - 443 - "x y" 192.0.2.1 198.51.100.9 404 0 0 15"#,
            ),
            (
                "#Fields: date time c-ip cs-method cs-uri-stem cs(User-Agent) sc-status cs(Referer)",
                r#"2024-05-01 12:00:00 192.0.2.1 GET /a "x 200 y""#,
            ),
            // It lost a field: which of the texts in front of the address are values nobody can tell.
            (
                forwarded,
                r#"2024-05-01 12:00:00 10.0.0.1 GET /a - 443 - "x y" 192.0.2.1 198.51.100.9 404 0 0"#,
            ),
        ],
        &expect![[r#"
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" status=404 duration_us=15000 user_agent="\"x" referer="y\""
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" status=404 duration_us=15000 user_agent="\"" referer="\""
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" status=404 duration_us=15000 user_agent="\"x" referer="y\"\""
            2 ts=2024-05-01 12:00:00Z edge="WEB1" client_ip="192.0.2.1" method="GET" host="shop.example" path="/a" protocol="HTTP/1.1" status=404 request_bytes=400 response_bytes=1500 duration_us=15000 user_agent="\"x"
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" status=404 duration_us=15000 user_agent="\"x" referer="y\""
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" status=200 user_agent="\"x" referer="y\""
            2 REJECT does not follow the log format
        "#]],
    );
}

#[test]
fn quotes_that_a_writer_doubles_end_no_value() {
    let fields =
        "#Fields: date time c-ip cs-method cs-uri-stem cs(User-Agent) sc-status cs(Referer)";
    let client_behind =
        "#Fields: date time cs-method cs-uri-stem cs(User-Agent) c-ip cs(Referer) sc-status";
    let tabs = client_behind.replace(' ', "\t").replacen('\t', " ", 1);
    check(
        &[
            (fields, r#"2024-05-01 12:00:00 192.0.2.1 GET /a "x"" 404 " 200 "http://r.example/""#),
            (fields, r#"2024-05-01 12:00:00 192.0.2.1 GET /a "x ""y"" z" 200 -"#),
            (fields, r#"2024-05-01 12:00:00 192.0.2.1 GET /a "x ""y""" 200 "-""#),
            (
                client_behind,
                r#"2024-05-01 12:00:00 GET /a "x"" 198.51.100.9 " 192.0.2.1 "http://r.example/" 404"#,
            ),
            (
                &tabs,
                "2024-05-01\t12:00:00\tGET\t/a\t\"x\"\"\t198.51.100.9\t\"\t192.0.2.1\t\"http://r.example/\"\t404",
            ),
            // Not doubled: nobody can tell.
            (
                client_behind,
                r#"2024-05-01 12:00:00 GET /a "x" 198.51.100.9 " 192.0.2.1 "http://r.example/" 404"#,
            ),
        ],
        &expect![[r#"
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" status=200 user_agent="x\" 404 " referer="http://r.example/"
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" status=200 user_agent="x \"y\" z"
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" status=200 user_agent="x \"y\""
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" status=404 user_agent="x\" 198.51.100.9 " referer="http://r.example/"
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" status=404 user_agent="x\"\t198.51.100.9\t" referer="http://r.example/"
            2 REJECT does not follow the log format
        "#]],
    );
}

#[test]
fn without_a_header_a_status_is_a_number() {
    check(
        &[
            ("", "2024-05-01 12:00:00 10.0.0.1 GET /a - 443 - 192.0.2.1 x - 200 0 64"),
            ("", "2024-05-01 12:00:00 10.0.0.1 GET /a - 443 - 192.0.2.1 x 200 0 0 12"),
            ("", "2024-05-01 12:00:00 10.0.0.1 GET /a - 443 - 192.0.2.1 x - 0 0 64 12"),
            ("", "2024-05-01 12:00:00 10.0.0.1 GET /a - 443 - 192.0.2.1 x - y 0 0 12"),
            // A referer of three digits, or a status: of two layouts nobody can tell which.
            ("", "2024-05-01 12:00:00 10.0.0.1 GET /a - 443 - 192.0.2.1 x 200 404 0 12"),
        ],
        &expect![[r#"
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" status=200 user_agent="x" aborted=true
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" status=200 duration_us=12000 user_agent="x"
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" duration_us=12000 user_agent="x" aborted=true
            2 REJECT format not recognised
            2 REJECT format not recognised
        "#]],
    );
}

#[test]
fn a_time_with_a_fraction_is_one_of_seconds() {
    let of = |names: &str| format!("#Fields: date time c-ip cs-method {names}");
    check(
        &[
            (
                &of("cs-uri-stem sc-status bytes time-taken"),
                "2024-05-01 12:00:00 192.0.2.1 GET /a 200 5 0.015",
            ),
            (
                &of("cs-uri-stem sc-status bytes time-taken"),
                "2024-05-01 12:00:00 192.0.2.1 GET /a 200 5 15",
            ),
            (
                &of("cs-uri-path cs-uri-query sc-status"),
                "2024-05-01 12:00:00 192.0.2.1 GET /a ?b=c 200",
            ),
        ],
        &expect![[r#"
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" status=200 response_bytes=5 duration_us=15000
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" status=200 response_bytes=5 duration_us=15000
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" query="b=c" status=200
        "#]],
    );
}

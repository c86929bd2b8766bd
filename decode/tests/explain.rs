//! What is told of a line is what was done with it, and its places are those of the line.

#![cfg(test)]

use std::fmt::Write;

use decode::explain::{Explainer, Explanation, Outcome};
use decode::{DecoderConfig, Format};
use expect_test::{Expect, expect};
use schemas::Networks;

fn explain(config: &DecoderConfig, lines: &str) -> Vec<Explanation> {
    let mut explainer = Explainer::new(config).unwrap();
    lines.lines().map(|line| explainer.explain(line.as_bytes()).unwrap()).collect()
}

/// What is told of the last of some lines.
fn told(config: &DecoderConfig, lines: &str) -> String {
    let explanation = explain(config, lines).pop().unwrap();
    let Explanation { outcome, format, why, inner, .. } = &explanation;
    let mut out = format!("{outcome:?}\n{}: {why}\n", format.map_or("none", Format::name));
    if let Some(around) = &explanation.around {
        writeln!(out, "around: {} {:?}", around.what, around.inner).unwrap();
    }
    for column in &explanation.columns {
        let text = column.bytes.clone().map(|bytes| &inner[bytes]);
        writeln!(out, "{}={} {:?} {:?}", column.name, column.value, column.bytes, text).unwrap();
    }
    for hop in &explanation.hops {
        writeln!(out, "asked: {} {}", hop.text, hop.part.words()).unwrap();
    }
    for left in &explanation.leftovers {
        writeln!(out, "left: {:?} {:?}", left.key, &inner[left.bytes.clone()]).unwrap();
    }
    for tried in explanation.tried.iter().take(2) {
        let (values, behind, why) = (tried.values, tried.behind, tried.why);
        writeln!(out, "tried: {} {values} {behind:?} {} {why}", tried.format, tried.at).unwrap();
    }
    for advice in &explanation.advice {
        writeln!(out, "next: {advice}").unwrap();
    }
    out
}

fn check(config: &DecoderConfig, lines: &str, expected: &Expect) {
    expected.assert_eq(&told(config, lines));
}

#[test]
fn a_line_in_an_envelope_behind_proxies() {
    let mut config = DecoderConfig::default();
    config.clients.trusted_proxies = Networks::parse(["10.0.0.0/8"]).unwrap();
    check(
        &config,
        r#"May  1 12:00:00 edge1 nginx: 10.0.0.1 - anna [01/May/2024:12:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 5 "-" "curl/8.5.0" "1.1.1.1, 203.0.113.9""#,
        &expect![[r#"
            Rows(1)
            combined: recognised in this line: the first of the text formats that it can be; the line follows it byte by byte
            around: a header, as syslog and container runtimes write it Some(29..141)
            ts=2024-05-01 12:00:00Z Some(17..43) Some("01/May/2024:12:00:00 +0000")
            client_ip=203.0.113.9 Some(91..111) Some("1.1.1.1, 203.0.113.9")
            method=GET Some(46..65) Some("GET /a?b=c HTTP/1.1")
            path=/a Some(46..65) Some("GET /a?b=c HTTP/1.1")
            query=b=c Some(46..65) Some("GET /a?b=c HTTP/1.1")
            protocol=HTTP/1.1 Some(46..65) Some("GET /a?b=c HTTP/1.1")
            status=200 Some(67..70) Some("200")
            response_bytes=5 Some(71..72) Some("5")
            user_agent=curl/8.5.0 Some(78..88) Some("curl/8.5.0")
            malformed=false None None
            asked: 10.0.0.1 a proxy that is believed
            asked: 203.0.113.9 who asked
            asked: 1.1.1.1 claimed, not believed
            left: None "anna"
            next: It names no host: `--host` names one for all lines that do not.
        "#]],
    );
}

#[test]
fn json_keeps_what_it_has_a_column_for() {
    check(
        &DecoderConfig::default(),
        r#"{"ClientIP":"192.0.2.10","ClientRequestMethod":"GET","ClientRequestURI":"/a?b","EdgeEndTimestamp":"2024-05-01T12:00:00Z","EdgeResponseStatus":200,"JA4Signals":{"h2h3_ratio_1h":0.9},"BotScore":7}"#,
        &expect![[r#"
            Rows(1)
            cloudflare: recognised in this line: of the JSON formats the one that finds most in it; the line follows it byte by byte
            ts=2024-05-01 12:00:00Z Some(99..119) Some("2024-05-01T12:00:00Z")
            client_ip=192.0.2.10 Some(13..23) Some("192.0.2.10")
            method=GET Some(48..51) Some("GET")
            path=/a Some(73..77) Some("/a?b")
            query=b Some(73..77) Some("/a?b")
            status=200 Some(142..145) Some("200")
            malformed=false None None
            aborted=false Some(142..145) Some("200")
            asked: 192.0.2.10 who asked
            left: Some("JA4Signals.h2h3_ratio_1h") "0.9"
            left: Some("BotScore") "7"
            next: It names no host: `--host` names one for all lines that do not.
        "#]],
    );
}

#[test]
fn a_line_that_no_format_reads_says_where_each_stopped() {
    check(
        &DecoderConfig::default(),
        r#"192.0.2.1 - - [Yesterday] "GET / HTTP/1.1" 200 5 "-" "curl/8.5.0""#,
        &expect![[r#"
            Reject("format not recognised")
            none: no format was recognised yet
            tried: combined 1 Some("client_ip") 9 the line goes on otherwise
            tried: common 1 Some("client_ip") 9 the line goes on otherwise
            next: Give the server's own format string: --format '$remote_addr … "$request" $status' as in nginx's `log_format`, or '%h %l %u %t "%r" %>s' as in Apache's `LogFormat`.
        "#]],
    );
}

#[test]
fn json_without_known_keys_gets_the_beginning_of_a_field_map() {
    check(
        &DecoderConfig::default(),
        r#"{"when":"2024-05-01T12:00:00Z","who":{"addr":"192.0.2.1"},"what":"/a"}"#,
        &expect![[r#"
            Reject("format not recognised")
            none: no format was recognised yet
            next: Name its keys in the configuration: format = "json", and under [fields]: ts = "when", client_ip = "who.addr", uri = "what", and so on; a dot leads into an object.
        "#]],
    );
}

#[test]
fn a_header_counts_for_the_lines_behind_it() {
    check(
        &DecoderConfig::default(),
        "#Fields: date time c-ip cs-method cs-uri-stem sc-status\n2024-05-01 12:00:00 192.0.2.1 GET /a 200",
        &expect![[r#"
            Rows(1)
            iis: that of the line before; the line follows it byte by byte
            ts=2024-05-01 12:00:00Z Some(0..10) Some("2024-05-01")
            client_ip=192.0.2.1 Some(20..29) Some("192.0.2.1")
            method=GET Some(30..33) Some("GET")
            path=/a Some(34..36) Some("/a")
            status=200 Some(37..40) Some("200")
            malformed=false None None
            asked: 192.0.2.1 who asked
            next: It names no host: `--host` names one for all lines that do not.
        "#]],
    );
}

#[test]
fn what_is_no_request_is_said_to_be_none() {
    check(
        &DecoderConfig::of("combined"),
        "2024/05/01 12:00:00 [error] 7#7: *1 open() failed",
        &expect![[r#"
            Reject("a line of an error log")
            combined: asked for by --format; the line is not of it
            next: Nothing need be done: it is no request, and kept in the table `rejects`. Where such lines are many, send the access log alone.
        "#]],
    );
}

/// The places of values are those of the line, whatever its format, and what is told is what the tables get.
#[test]
fn every_example_is_explained() {
    for format in Format::ALL.iter().copied() {
        let Some(example) = format.example() else { continue };
        let explanation = explain(&DecoderConfig::of(format.name()), example).pop().unwrap();
        assert_eq!(explanation.outcome, Outcome::Rows(1), "{format}: {example}");
        assert_eq!(explanation.format, Some(format));
        let column = |name: &str| explanation.columns.iter().find(|column| column.name == name);
        for name in ["ts", "status", "client_ip", "user_agent"] {
            let Some(column) = column(name) else { continue };
            assert!(column.bytes.is_some(), "{format}: {name} has no place");
        }
        let status = column("status").and_then(|status| Some((status.bytes.clone()?, status)));
        if let Some((bytes, status)) = status {
            assert_eq!(explanation.inner[bytes], status.value, "{format}");
        }
    }
}

#[test]
fn a_beginning_is_explained_before_any_format_is_known() {
    for beginning in ["{", "2024-05-01T12:00:00Z stdout P 192.0.2.1 - - ["] {
        let explained = explain(&DecoderConfig::default(), beginning);
        assert_eq!(explained[0].outcome, Outcome::Nothing, "{beginning}");
        assert_eq!(explained[0].why, "no format was recognised yet");
    }
}

#[test]
fn captured_headers_are_told_by_the_lines_before() {
    let line = |headers: &str| {
        format!(
            "192.0.2.1:40000 [01/May/2024:12:00:00.000] fe be/s1 0/0/0/1/1 200 50 - - ---- 1/1/0/0/0 0/0 {{{headers}}} \"GET /a HTTP/1.1\"\n"
        )
    };
    let lines = line("Mozilla/5.0 (X11)|x") + &line("evil.example|x");
    let explained = explain(&DecoderConfig::default(), &lines);
    assert_eq!(explained[1].why, "that of the line before; the line follows it byte by byte");
    assert!(explained[1].columns.iter().all(|column| column.name != "host"));
}

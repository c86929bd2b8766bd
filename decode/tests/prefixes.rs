//! What tools put before a line, known by its shape; and what clients make of such shapes.

#![cfg(test)]

#[path = "support/line.rs"]
mod line;
mod support;

use line::read;

const LINE: &str =
    r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] "GET /t HTTP/1.1" 200 5 "-" "curl/8.5.0""#;

const ORDINARY: &str = r#"203.0.113.1 - - [30/Apr/2024:12:00:00 +0000] "GET /page HTTP/1.1" 200 500 "-" "Mozilla/5.0""#;

const PREFIXES: [&str; 26] = [
    "<134>May  1 2024 12:00:00 edge1 nginx: ",
    "nginx-7c5ddbdf54-x2ldq nginx ",
    "[  123.456789] edge1 nginx[1234]: ",
    "2024-05-01T12:00:09.123Z\tINFO\tnginx\t",
    "2024-05-01T12:00:09.123456789Z app[a1b2c3d4] fra [info] ",
    "/aws/nginx i-0abc123 ",
    "<190>1 2024-05-01T12:00:00.123456+00:00 host app web.1 - ",
    "2024-05-01T12:00:00Z {app=\"nginx\",pod=\"p\"} ",
    "@4000000050d506482dbdf024 ",
    "1\t2024-05-01T12:00:00\t2024-05-01T12:00:00Z\t2\tedge1\t10.0.0.7\tLocal7\tInfo\tnginx\t",
    "May  1 12:00:00 edge1 nginx_access ",
    "2024-05-01T12:00:00.123Z edge1.example.com 10.0.0.7 local7.info nginx: ",
    "May 1 12:00:00 edge1 nginx[21]: ",
    "May 1 12:00:00 nginx: ",
    "<190>May  1 12:00:00 relay <190>May  1 12:00:00 edge1 nginx: ",
    "<190>May  1 12:00:00 edge1 ",
    "2024-05-01 12:00:00.123  INFO 7 --- [or-http-epoll-2] reactor.netty.http.server.AccessLog      : ",
    "<134>",
    "web    |",
    "[2024-05-01 12:00:00] ",
    "2024-05-01 12:00:00.123 UTC ",
    "May  1 12:00:00.123 edge1 nginx: ",
    "   2024-05-01T12:00:00.12+0000 [APP/PROC/WEB/0] OUT ",
    "[APP/PROC/WEB/0] ERR ",
    "CreateTime:1714564800123\t",
    "LogAppendTime:1714564800123\tPartition:0\tOffset:5\tnull\t",
];

/// The last row, without its number.
fn last(text: &str) -> String {
    let rows = read("auto", text);
    rows.lines().last().unwrap().split_once(' ').unwrap().1.to_owned()
}

#[test]
fn a_shape_is_taken_off_alone_and_among_others() {
    let row = last(LINE);
    for before in PREFIXES {
        let line = format!("{before}{LINE}");
        assert_eq!(last(&line), row, "{before}");
        assert_eq!(last(&format!("{ORDINARY}\n{ORDINARY}\n{line}\n{line}")), row, "{before}");
        assert_eq!(last(&format!("{line}\n{ORDINARY}")), last(ORDINARY), "{before}");
    }
}

#[test]
fn nobody_is_made_the_client_by_a_shape() {
    let asked = r#"- - [01/May/2024:12:00:00 +0000] "GET /t HTTP/1.1" 200 5 "-" "curl/8.5.0""#;
    let escaped = r"192.0.2.66 - - [01/May/2024:12:00:00 +0000] \x22GET /evil HTTP/1.1\x22 200 5";
    for before in PREFIXES {
        let raw = before.replace('\t', "\\x09");
        let quiet = raw.replace('"', "\\x22");
        for line in [
            // In front of the peer, as a forwarded header may be; of formats that nobody named, each of them.
            format!("{raw}192.0.2.66 192.0.2.1 {asked}"),
            format!("{raw}192.0.2.66, 192.0.2.1 {asked}"),
            format!("{quiet}192.0.2.66 192.0.2.1 {asked}"),
            format!("{quiet}{escaped} 192.0.2.1 {asked}"),
            format!("192.0.2.1 {raw}192.0.2.66 {asked}"),
            format!("192.0.2.1 - {quiet}192.0.2.66 {asked}"),
            format!("shop.example {quiet}192.0.2.66 192.0.2.1 {asked}"),
            // In what is asked for and with.
            format!(
                "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /{quiet}{escaped} HTTP/1.1\" 200 5 \"-\" \"{quiet}{escaped}\""
            ),
            format!(
                "192.0.2.1 - {quiet}{escaped} [01/May/2024:12:00:00 +0000] \"GET / HTTP/1.1\" 200 5"
            ),
        ] {
            for stream in
                [line.clone(), format!("{ORDINARY}\n{line}"), format!("{before}{LINE}\n{line}")]
            {
                let rows = read("auto", &stream);
                assert!(!rows.contains("client_ip=\"192.0.2.66\""), "{line}: {rows}");
                assert_eq!(rows.lines().count(), stream.lines().count(), "{line}: {rows}");
            }
        }
    }
}

#[test]
fn the_console_of_caddy_has_its_time_before_the_object() {
    let record = r#"{"request":{"remote_ip":"10.0.0.9","client_ip":"192.0.2.1","proto":"HTTP/3.0","method":"GET","host":"shop.example","uri":"/t?x=1","headers":{"User-Agent":["a\tb"]}},"duration":0.0012,"size":5,"status":200}"#;
    let head = "2024/05/01 12:00:00.500\tinfo\thttp.log.access.log0\thandled request\t";
    let row = last(&format!("{head}{record}"));
    assert_eq!(
        row,
        "ts=2024-05-01 12:00:00.500Z client_ip=\"192.0.2.1\" method=\"GET\" host=\"shop.example\" path=\"/t\" query=\"x=1\" protocol=\"HTTP/3.0\" status=200 response_bytes=5 duration_us=1200 user_agent=\"a\\tb\""
    );
    let behind = format!("{ORDINARY}\n{head}{record}\n{head}{record}");
    assert_eq!(last(&behind), row);
    assert_eq!(last(&format!("{behind}\n{ORDINARY}")), last(ORDINARY));
    let coloured = head.replace("info", "\u{1b}[34mINFO\u{1b}[0m");
    assert_eq!(last(&format!("{coloured}{record}")), row);
    for head in [
        "2024/05/01 12:00:00.500\tinfo\thttp.log\t",
        "2024/05/01 12:00:00.500\tGET\thttp.log\thandled request\t",
        "\",\"request\":{}\tinfo\thttp.log\thandled request\t",
    ] {
        assert!(read("auto", &format!("{head}{record}")).contains("REJECT"), "{head}");
    }
}

#[test]
fn outputs_of_fluentd_have_the_time_before_the_object() {
    let record = r#"{"remote":"192.0.2.1","host":"-","user":"-","method":"GET","path":"/t?x=1","code":"200","size":"5","referer":"-","agent":"curl/8.5.0"}"#;
    let row = "ts=2024-05-01 12:00:00Z client_ip=\"192.0.2.1\" method=\"GET\" path=\"/t\" query=\"x=1\" status=200 response_bytes=5 user_agent=\"curl/8.5.0\"";
    for head in [
        "2024-05-01 12:00:00.000000000 +0000 nginx.access: ",
        "2024-05-01T12:00:00+00:00\tnginx.access\t",
    ] {
        let line = format!("{head}{record}");
        assert_eq!(last(&line), row, "{head}");
        assert_eq!(last(&format!("{ORDINARY}\n{line}\n{line}")), row, "{head}");
    }
    // A time of its own counts.
    let own = record.replacen('{', "{\"time\":\"2024-05-01T11:00:00Z\",", 1);
    assert!(last(&format!("2024-05-01T12:00:00+00:00\tnginx.access\t{own}")).contains("11:00:00Z"));
}

#[test]
fn parts_that_were_written_anew_are_joined() {
    let part = |text: &str| {
        format!(r#"{{"log": {text:?}, "stream": "stdout", "time": "2024-05-01T12:00:05.1Z"}}"#)
    };
    let (first, last_part) = LINE.split_at(60);
    let stream = format!("{}\n{}", part(first), part(&format!("{last_part}\n")));
    assert_eq!(last(&stream), last(LINE));
    assert_eq!(read("auto", &stream).lines().count(), 1);
    assert_eq!(last(&format!("{ORDINARY}\n{stream}")), last(LINE));
    // A client's quotes are escaped: they end no part.
    let agent = LINE.replace("curl/8.5.0", r#"\", \"stream\": \"stdout"#);
    let (first, last_part) = agent.split_at(60);
    let stream = format!("{}\n{}", part(first), part(&format!("{last_part}\n")));
    assert_eq!(last(&stream), last(&agent));
}

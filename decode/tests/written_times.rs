//! Times as a format string says that they are written.

#![cfg(test)]

#[path = "support/line.rs"]
mod line;
mod support;

use line::read;

const REST: &str = r#"192.0.2.1 "GET /t HTTP/1.1" 200 5"#;

#[test]
fn the_directive_says_whether_the_day_or_the_month_is_first() {
    let row = r#"1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/t" protocol="HTTP/1.1" status=200 response_bytes=5"#;
    for (directive, time) in [
        ("%d/%m/%y %T", "01/05/24 12:00:00"),
        ("%D %T", "05/01/24 12:00:00"),
        ("%m/%d/%Y %H:%M:%S", "05/01/2024 12:00:00"),
        ("%d.%m.%Y %T", "01.05.2024 12:00:00"),
        ("%d-%m-%Y:%T %z", "01-05-2024:14:00:00 +0200"),
        ("%a %b %e %H:%M:%S %Y", "Wed May  1 12:00:00 2024"),
        ("%c", "Wed May  1 12:00:00 2024"),
        ("%a %b %e %T %Y", "Wed May 01 12:00:00 2024"),
        ("%F %T", "2024-05-01 12:00:00"),
    ] {
        let format = format!("%{{{directive}}}t %a \"%r\" %>s %b");
        assert_eq!(read(&format, &format!("{time} {REST}")), format!("{row}\n"), "{directive}");
    }
    // A time that is written otherwise is none, and shifts nothing.
    for (directive, time) in [
        ("%D %T", "13/01/24 12:00:00"),
        ("%d/%m/%y %T", "01/13/24 12:00:00"),
        ("%d/%m/%y %T", "01/05/124 12:00:00"),
        ("%d/%m/%y %T", "01/05/24"),
        ("%d/%m/%y %T", "01/05/24 12:00:00 12:00:00"),
    ] {
        let format = format!("%{{{directive}}}t %a \"%r\" %>s %b");
        let row = read(&format, &format!("{time} {REST}"));
        let is_shifted = row.contains("client_ip=") || !row.contains("malformed=true");
        assert!(row.contains("REJECT") || !is_shifted, "{directive}, {time}: {row}");
    }
}

#[test]
fn times_of_haproxy_have_their_zone_behind_a_blank() {
    let request = r#"200 "GET /t HTTP/1.1""#;
    let row = r#"client_ip="192.0.2.1" method="GET" path="/t" protocol="HTTP/1.1" status=200"#;
    for (variable, time, read_as) in [
        ("%T", "01/May/2024:12:00:00 +0000", "2024-05-01 12:00:00Z"),
        ("%Tl", "01/May/2024:14:00:00 +0200", "2024-05-01 12:00:00Z"),
        ("%trg", "01/May/2024:12:00:00 +0000", "2024-05-01 12:00:00Z"),
        ("%trl", "01/May/2024:14:00:00 +0200", "2024-05-01 12:00:00Z"),
        ("[%trl]", "[01/May/2024:14:00:00 +0200]", "2024-05-01 12:00:00Z"),
        ("%t", "01/May/2024:12:00:00.123", "2024-05-01 12:00:00.123Z"),
        ("%Ts", "1714564800", "2024-05-01 12:00:00Z"),
        ("%Ts.%ms", "1714564800.123", "2024-05-01 12:00:00.123Z"),
        ("%Ts %ms", "1714564800 123", "2024-05-01 12:00:00Z"),
    ] {
        let format = format!("%ci {variable} %ST %{{+Q}}r");
        let shown = read(&format, &format!("192.0.2.1 {time} {request}"));
        assert_eq!(shown, format!("1 ts={read_as} {row}\n"), "{variable}");
    }
    // A time without its zone takes no field that a client wrote.
    for request in [r#"200 "404 /t HTTP/1.1""#, r#"200 "+0200 404 HTTP/1.1""#] {
        let line = format!("192.0.2.1 01/May/2024:12:00:00 {request}");
        let shown = read("%ci %Tl %ST %{+Q}r", &line);
        assert!(!shown.contains("status=404"), "{shown}");
    }
}

#[test]
fn no_zone_is_farther_than_there_are() {
    let line = |zone: &str| {
        format!("192.0.2.1 - - [01/May/2024:12:00:00 {zone}] \"GET /t HTTP/1.1\" 200 5 \"-\" \"-\"")
    };
    for zone in ["+1400", "-1200", "+0545"] {
        assert!(read("auto", &line(zone)).contains("path=\"/t\""), "{zone}");
    }
    for zone in ["+9999", "-2400", "+0260", "+1430"] {
        assert!(read("auto", &line(zone)).contains("REJECT"), "{zone}");
    }
}

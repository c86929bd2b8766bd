//! What was asked for is what the request says, whatever the server made of it.

#![cfg(test)]

#[path = "support/line.rs"]
mod line;
mod support;

use line::read;

#[test]
fn a_request_line_stands_before_its_parts() {
    for part in [
        r#""uri":"/index.php""#,
        r#""path":"/var/log/nginx/access.log""#,
        r#""url":"/index.php""#,
        r#""uri":"/index.php","args":"q=/t&x=1""#,
        r#""request_uri":"/t?x=1""#,
        r#""path":"/t","query":"x=1""#,
    ] {
        let rest = r#""time_iso8601":"2024-05-01T12:00:00Z","remote_addr":"192.0.2.1","request":"GET /t?x=1 HTTP/1.1","status":200"#;
        for line in [format!("{{{part},{rest}}}"), format!("{{{rest},{part}}}")] {
            let row = read("auto", &line);
            assert!(row.contains(r#"path="/t" query="x=1""#), "{line}: {row}");
        }
    }
    for (format, line) in [
        (
            "$time_iso8601 $remote_addr \"$request\" $uri $status",
            r#"2024-05-01T12:00:00+00:00 192.0.2.1 "GET /t?x=1 HTTP/1.1" /index.php 200"#,
        ),
        (
            "$time_iso8601 $remote_addr $uri \"$request\" $status",
            r#"2024-05-01T12:00:00+00:00 192.0.2.1 /index.php "GET /t?x=1 HTTP/1.1" 200"#,
        ),
        (
            "%h %t \"%r\" %>s %b %f %U",
            r#"192.0.2.1 [01/May/2024:12:00:00 +0000] "GET /t?x=1 HTTP/1.1" 200 5 /var/www/index.php /index.php"#,
        ),
    ] {
        let row = read(format, line);
        assert!(row.contains(r#"path="/t" query="x=1""#), "{row}");
    }
}

#[test]
fn no_query_is_made_up() {
    let row = read(
        "auto",
        r#"{"time_iso8601":"2024-05-01T12:00:00Z","remote_addr":"192.0.2.1","request":"GET /post HTTP/1.1","uri":"/index.php","args":"q=/post","status":200}"#,
    );
    assert!(row.contains(r#"path="/post""#) && !row.contains("query="), "{row}");
}

#[test]
fn parts_tell_where_the_request_line_does_not() {
    for request in ["-", "", r"\u0016\u0003", "GET"] {
        let line = format!(
            r#"{{"time_iso8601":"2024-05-01T12:00:00Z","remote_addr":"192.0.2.1","request":"{request}","request_method":"GET","request_uri":"/t?x=1","status":200}}"#
        );
        let row = read("auto", &line);
        assert!(row.contains(r#"path="/t" query="x=1""#), "{request}: {row}");
    }
}

#[test]
fn a_url_under_the_key_of_a_path_is_one() {
    for (key, url) in
        [("uri", "http://shop.example/t?x=1"), ("path", r"https:\/\/shop.example\/t?x=1")]
    {
        let line = format!(
            r#"{{"timestamp":"2024-05-01T12:00:00Z","client.addr":"192.0.2.1:123","method":"GET","{key}":"{url}","status":"200"}}"#
        );
        let row = read("auto", &line);
        assert!(row.contains(r#"host="shop.example" path="/t" query="x=1""#), "{key}: {row}");
    }
}

//! What programs call the fields of a request, and what their numbers count.

#![cfg(test)]

#[path = "support/line.rs"]
mod line;
mod support;

use decode::DecoderConfig;
use decode::json::FieldSource;
use decode::record::Unit;
use line::read;
use support::{read_blocks, show};

#[test]
fn durations_are_in_the_unit_of_their_writer() {
    for (member, duration) in [
        (r#""responseTime":12"#, Some(12_000)),
        (r#""requesttime":12"#, Some(12_000)),
        (r#""requestTime":"0.012""#, Some(12_000)),
        (r#""request_time":12"#, Some(12_000_000)),
        (r#""request_time":86400"#, Some(86_400_000_000_i64)),
        (r#""request_time":1714564800"#, None),
        (r#""request_time":86401"#, None),
    ] {
        let row = read(
            "auto",
            &format!(
                r#"{{"timestamp":"2024-05-01T12:00:00Z","ip":"192.0.2.1","method":"GET","url":"/t","status":200,{member}}}"#
            ),
        );
        assert!(row.contains("path=\"/t\"") && !row.contains("malformed"), "{member}: {row}");
        let shown = duration.map(|duration| format!("duration_us={duration}\n"));
        assert!(shown.is_none_or(|shown| row.contains(&shown)), "{member}: {row}");
        assert_eq!(row.contains("duration_us"), duration.is_some(), "{member}: {row}");
    }
    let row = read(
        "$remote_addr [$time_local] \"$request\" $status $request_time",
        "192.0.2.1 [01/May/2024:12:00:00 +0000] \"GET /t HTTP/1.1\" 200 1714564800.123",
    );
    assert!(row.contains("status=200") && !row.contains("duration_us"), "{row}");
    assert!(!row.contains("malformed"), "{row}");
}

#[test]
fn whoever_names_a_key_says_its_unit() {
    for key in ["responseTime", "latency_ms", "duration_ns", "elapsed"] {
        let source = FieldSource::WithUnit { keys: vec![key.to_owned()], unit: Unit::Seconds };
        let fields = [("duration".to_owned(), source)].into();
        let config = DecoderConfig { fields, ..DecoderConfig::of("nginx_json") };
        let line = format!(
            r#"{{"time":"2024-05-01T12:00:00Z","ip":"192.0.2.1","method":"GET","url":"/t","status":200,"{key}":12}}"#
        );
        let (batches, _) = read_blocks(&config, [line.as_bytes()]);
        assert!(show(&batches).contains("duration_us=12000000\n"), "{key}");
    }
}

#[test]
fn a_layout_that_begins_with_a_time_is_not_that_of_tls() {
    let time = "[01/May/2024:10:00:00 +0000] 192.0.2.1";
    for rest in [
        r#"- - "GET /t HTTP/1.1" 404 1375"#,
        r#"- - "GET /t HTTP/1.1" 404 1375 "-" "curl/8.5.0""#,
        r#"- anna "GET /t HTTP/1.1" 404"#,
        r#"anna - "GET /t HTTP/1.1" 404"#,
        r#"200 0.012 "GET /t HTTP/1.1" 404"#,
    ] {
        for format in ["auto", "ssl_request"] {
            let row = read(format, &format!("{time} {rest}"));
            let is_marked = row.contains("REJECT") || row.contains("malformed=true");
            assert!(is_marked, "{format}, {rest}: {row}");
        }
    }
    for rest in [
        r#"TLSv1.3 TLS_AES_256_GCM_SHA384 "GET /t HTTP/1.1" 1375"#,
        r#"SSLv3 ECDHE-RSA-AES128-GCM-SHA256 "GET /t HTTP/1.1" 1375"#,
        r#"- - "GET /t HTTP/1.1" 1375"#,
    ] {
        let row = read("auto", &format!("{time} {rest}"));
        assert!(row.contains("response_bytes=1375") && !row.contains("malformed"), "{row}");
    }
}

#[test]
fn a_time_called_ts_is_not_of_our_own_rows_alone() {
    for (line, format) in [
        (
            r#"{"ts":"2024-05-01T12:00:00Z","remote_addr":"192.0.2.1","method":"GET","uri":"/t?x=1","status":200}"#,
            "nginx_json",
        ),
        (
            r#"{"ts":1714564800,"ip":"192.0.2.1","method":"GET","path":"/t?x=1","status":200}"#,
            "nginx_json",
        ),
        (
            r#"{"level":"info","ts":"2024-05-01T12:00:00.000Z","logger":"http","msg":"request","method":"GET","url":"/t?x=1","status":200,"remote":"192.0.2.1:40000","duration":"1.2ms"}"#,
            "nginx_json",
        ),
        (
            r#"{"ts":"2024-05-01T12:00:00Z","client_ip":"192.0.2.1","method":"GET","path":"/t","query":"x=1","status":200}"#,
            "floodmark",
        ),
    ] {
        let (batches, chosen) = read_blocks(&DecoderConfig::default(), [line.as_bytes()]);
        let row = show(&batches);
        assert_eq!(chosen.map(|chosen| chosen.to_string()).as_deref(), Some(format), "{line}");
        for part in ["client_ip=\"192.0.2.1\"", "path=\"/t\" query=\"x=1\"", "status=200"] {
            assert!(row.contains(part), "{line}: {row}");
        }
        assert!(row.contains("ts=2024-05-01 12:00:00Z"), "{row}");
    }
}

#[test]
fn what_was_asked_of_vercel_is_in_its_proxy() {
    let record = r#"{"id":"1","timestamp":1714564800456,"requestId":"6","statusCode":500,"source":"static","host":"shop-abc.vercel.app","path":"/dynamic/[route]","proxy":{"timestamp":1714564800123,"method":"GET","scheme":"https","host":"shop.example","path":"/t?x=1","userAgent":["curl/8.5.0"],"referer":"https://a.example/","statusCode":200,"clientIp":"192.0.2.1","region":"fra1","vercelCache":"HIT"}}"#;
    let row = r#"ts=2024-05-01 12:00:00.123Z edge="fra1" client_ip="192.0.2.1" method="GET" scheme="https" host="shop.example" path="/t" query="x=1" status=200 user_agent="curl/8.5.0" referer="https://a.example/" cache_status="hit" request_id="6""#;
    assert_eq!(read("auto", record), format!("1 {row}\n"));
    assert_eq!(read("auto", &format!("[{record},{record}]")), format!("1 {row}\n1 {row}\n"));
}

#[test]
fn what_operators_add_shifts_nothing() {
    let head = r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] "GET /t HTTP/1.1" 200 5"#;
    for (rest, agent) in [
        // Rack, Puma.
        (" 0.0123", None),
        // Datadog's, and Jira's.
        (r#" 0.012 "-" "Mozilla/5.0 (X11)""#, Some("Mozilla/5.0 (X11)")),
        // Cookies, the quotes of which Apache escapes.
        (r#" "-" "Mozilla/5.0" "a=\"b\"; c=d""#, Some("Mozilla/5.0")),
        (r#" "-" "Mozilla/5.0" "-" "x=\"y\"""#, Some("Mozilla/5.0")),
        (r#" "-" "Mozilla/5.0 \"x\" y" "a=\"b\"""#, Some("Mozilla/5.0 \\\"x\\\" y")),
        (r#" "-" "Mozilla/5.0" "C:\""#, Some("Mozilla/5.0")),
    ] {
        let row = read("auto", &format!("{head}{rest}"));
        assert!(row.contains("status=200 response_bytes=5"), "{rest}: {row}");
        assert!(!row.contains("malformed"), "{rest}: {row}");
        let shown = agent.map(|agent| format!("user_agent=\"{agent}\""));
        assert!(shown.is_none_or(|shown| row.contains(&shown)), "{rest}: {row}");
        assert_eq!(row.contains("user_agent"), agent.is_some(), "{rest}: {row}");
    }
}

#[test]
fn a_duration_before_the_status_is_none() {
    let line =
        r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] "GET /t HTTP/1.1" 0.012 200 5 "-" "M""#;
    let row = read("combined", line);
    assert!(row.contains("status=200 response_bytes=5") && !row.contains("malformed"), "{row}");
}

#[test]
fn a_format_that_has_all_fields_comes_before_one_with_more() {
    let combined =
        r#"203.0.113.1 - - [30/Apr/2024:12:00:00 +0000] "GET /p HTTP/1.1" 200 5 "-" "M""#;
    let apisix = r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] shop.example "GET /t HTTP/1.1" 200 5 0.012 "-" "curl/8.5.0" 10.0.0.2:80 200 0.011 "http://shop.example""#;
    let row = read("auto", &format!("{combined}\n{apisix}"));
    assert!(row.contains("host=\"shop.example\"") && row.contains("duration_us=12000"), "{row}");
}

#[test]
fn a_line_stands_under_any_usual_key() {
    let line = r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /t HTTP/1.1\" 200 5"#;
    for record in [
        format!(
            r#"{{"entry":"{line}","labels":{{"job":"nginx"}},"timestamp":"2024-05-01T12:00:09Z"}}"#
        ),
        format!(r#"{{"message":{{"string":"{line}"}}}}"#),
        format!("2024-05-01T12:00:09+00:00\tnginx.access\t{{\"message\":\"{line}\"}}"),
    ] {
        let row = read("auto", &record);
        assert!(row.contains("client_ip=\"192.0.2.1\" method=\"GET\" path=\"/t\""), "{row}");
    }
}

#[test]
fn frameworks_colour_their_lines() {
    for line in [
        "192.0.2.1 - - [01/May/2024 12:00:00] \"\u{1b}[33mGET /t HTTP/1.1\u{1b}[0m\" 404 -",
        "\u{1b}[32m192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /t HTTP/1.1\" 404 -\u{1b}[0m",
        "INFO:werkzeug:192.0.2.1 - - [01/May/2024 12:00:00] \"GET /t HTTP/1.1\" 404 -",
    ] {
        let row = read("auto", line);
        let expected =
            "client_ip=\"192.0.2.1\" method=\"GET\" path=\"/t\" protocol=\"HTTP/1.1\" status=404\n";
        assert!(row.ends_with(expected), "{line}: {row}");
    }
    let bytes =
        "\u{1b}[32m192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /t HTTP/1.1\" 404 -\u{1b}[0m";
    let line = format!("{{\"MESSAGE\":{:?},\"_HOSTNAME\":\"edge1\"}}", bytes.as_bytes());
    assert!(read("auto", &line).contains("client_ip=\"192.0.2.1\" method=\"GET\" path=\"/t\""));
}

#[test]
fn the_client_of_a_registry_is_what_a_header_says() {
    let line = r#"{"go.version":"go1.20","http.request.host":"reg.example","http.request.id":"x","http.request.method":"GET","http.request.remoteaddr":"203.0.113.66","http.request.uri":"/v2/?n=1","http.request.useragent":"docker/24","http.response.duration":"12.3ms","http.response.status":200,"http.response.written":5,"level":"info","msg":"response completed","time":"2024-05-01T12:00:00Z"}"#;
    let row = r#"1 ts=2024-05-01 12:00:00Z method="GET" host="reg.example" path="/v2/" query="n=1" status=200 response_bytes=5 duration_us=12300 user_agent="docker/24""#;
    assert_eq!(read("auto", line), format!("{row}\n"));
}

#[test]
fn escapes_of_nginx_in_json_are_those_of_its_text() {
    let record = |agent: &str| {
        format!(
            r#"{{"time_local":"01/May/2024:12:00:00 +0000","remote_addr":"192.0.2.1","request":"GET /\xD0\x9F?q=\x22 HTTP/1.1","status":"200","http_user_agent":"{agent}"}}"#
        )
    };
    for (agent, read_as) in [
        (r"a \x22b\x22", r#""a \"b\"""#),
        // What a client sends has its backslashes escaped: these are his own, and stay.
        (r"a\x5Cx22,\x5Cx22remote_addr", r#""a\\x22,\\x22remote_addr""#),
        (r"\xFF\x00 \x22", r#""\\xFF\\x00 \\x22""#),
    ] {
        let row = read("auto", &record(agent));
        assert!(row.contains(r#"client_ip="192.0.2.1""#), "{row}");
        assert!(row.contains(r#"path="/П" query="q=\"""#), "{row}");
        assert!(row.ends_with(&format!("user_agent={read_as}\n")), "{row}");
    }
    // In a line that JSON holds they are that line's: a quote among them ends no field.
    let line = r#"192.0.2.1 - a\x22 [01/May/2024:12:00:00 +0000] \"GET /\x22 404 9 \x22-\x22 \x22x HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\""#;
    let row = read("auto", &format!(r#"{{"message":"{line}"}}"#));
    assert_eq!(row, read("auto", &line.replace("\\\"", "\"")));
    assert!(row.contains("status=200 response_bytes=5") && !row.contains("malformed"), "{row}");
}

#[test]
fn quotes_that_logstash_keeps_are_no_part_of_headers() {
    let record = |agent: &str, response: &str| {
        format!(
            r#"{{"clientip":"192.0.2.1","ident":"-","auth":"-","timestamp":"01/May/2024:12:00:00 +0000","verb":"GET","request":"/t?x=1","httpversion":"1.1","{response}":"200","bytes":"5","referrer":"\"-\"","agent":"{agent}","host":"edge1"}}"#
        )
    };
    let head = r#"1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/t" query="x=1" protocol="1.1" status=200 response_bytes=5"#;
    for (agent, read_as) in [
        (r#"\"curl/8.5.0\""#, r#" user_agent="curl/8.5.0""#),
        (r#"\"-\""#, ""),
        (r#"\"\""#, ""),
        // What a client sends stands between them.
        (r#"\"a\\\" \\\"b\""#, r#" user_agent="a\\\" \\\"b""#),
        (r#"a\""#, r#" user_agent="a\"""#),
        (r#"\""#, r#" user_agent="\"""#),
    ] {
        assert_eq!(read("auto", &record(agent, "response")), format!("{head}{read_as}\n"));
    }
    let other = read("auto", &record(r#"\"a\""#, "status"));
    assert!(other.contains(r#"host="edge1""#), "{other}");
    assert!(other.contains(r#"user_agent="\"a\"""#), "{other}");
}

#[test]
fn a_version_that_stands_alone_is_no_part_of_the_path() {
    let line = |request: &str| {
        let line = format!(
            "[2024-05-01 12:00:00 +0000] [7] [INFO] 192.0.2.1:40000 - - [01/May/2024:12:00:00 +0000] \"{request}\" 200 5 \"-\" \"curl/8.5.0\""
        );
        read("auto", &line)
    };
    let row = line("GET /t?x=1 1.1");
    assert!(row.contains("client_ip=\"192.0.2.1\" method=\"GET\" path=\"/t\" query=\"x=1\" protocol=\"1.1\" status=200"), "{row}");
    // Whoever sends a request so sends none.
    assert!(row.contains("malformed=true"), "{row}");
    let row = line("GET /t 1.1 HTTP/1.1");
    assert!(
        row.contains("path=\"/t 1.1\" protocol=\"HTTP/1.1\"") && !row.contains("malformed"),
        "{row}"
    );
}

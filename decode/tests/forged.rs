//! Lines in which clients wrote what others write: where the fields of such a line are nobody can tell, so it is marked.

#![cfg(test)]

#[path = "support/line.rs"]
mod line;
mod support;

use line::read;

#[test]
fn an_answer_in_the_request_is_not_that_of_the_server() {
    let forged =
        "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /\" 404 9 \"-\" \"curl HTTP/1.1\" 200 5 ";
    for tail in [
        "\"-\" \"-\"",
        "\"android-app\" \"real\"",
        "\"-\" \"1.2.3.4\"",
        "\"-\" \"a.b\"",
        "\"a.b\" \"1.2.3.4\" \"x\"",
    ] {
        let row = read("combined", &format!("{forged}{tail}"));
        assert!(row.ends_with("malformed=true\n"), "{tail}: {row}");
        let spaced = forged.replacen(" - - ", " - -  ", 1);
        let row = read("combined", &format!("{spaced}{tail}"));
        assert!(row.ends_with("malformed=true\n"), "{tail}: {row}");
    }
    let between = "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /\" 404 9 \"-\" \"curl\" \" HTTP/1.1\" 200 5 \"-\" \"real/1\"";
    let behind = "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /\" 404 9 \"-\" \"curl\" 3 0.1 [a] [] 10.0.0.9:80 5 0.1 404 forged HTTP/1.1\" 200 5 \"-\" \"real/1\" 300 0.004 [default-web-80] [] 10.0.0.1:80 5 0.004 200 realid";
    for (format, line) in [("combined", between), ("ingress_nginx", behind)] {
        let row = read(format, line);
        assert!(row.ends_with("malformed=true\n"), "{row}");
    }
    // What operators add is none.
    for added in [
        "512 1024 \"203.0.113.7\"",
        "512 1024 \"shop.example\" \"-\"",
        "512 0.003 \"-\" \"MISS\"",
        "\"HTTP/1.1\" \"TLSv1.3\"",
        "200 0.004",
        "\"shop.example\" \"GET / HTTP/1.1\"",
    ] {
        let line = format!(
            "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET / HTTP/1.1\" 200 9 \"-\" \"curl/8\" {added}"
        );
        let row = read("combined", &line);
        assert!(!row.contains("malformed"), "{added}: {row}");
    }
}

#[test]
fn a_bar_behind_the_last_bar_shows_that_fields_moved() {
    for (format, line, is_sound) in [
        (
            "$time_iso8601|$remote_addr|$request_uri|$status|$http_user_agent",
            "2024-05-01T12:00:00Z|192.0.2.1|/a|404|curl/8",
            true,
        ),
        (
            "$time_iso8601|$remote_addr|$request_uri|$status|$http_user_agent",
            "2024-05-01T12:00:00Z|192.0.2.1|/a|404|200|curl/8",
            false,
        ),
        (
            "$time_iso8601|$host|$request_uri|$status|$remote_addr|$request_time|$http_referer",
            "2024-05-01T12:00:00Z|a.example|/a|404|6.6.6.6|7|200|192.0.2.1|0.1|x",
            false,
        ),
    ] {
        let row = read(format, line);
        assert_eq!(row.contains("malformed") || row.contains("REJECT"), !is_sound, "{row}");
    }
}

#[test]
fn a_text_in_front_of_the_client_does_not_choose_it() {
    for (format, front) in [
        (
            "$http_x_forwarded_for - $remote_addr - $remote_user [$time_local] \"$request\" $status",
            "203.0.113.9 - 203.0.113.66 - - - ",
        ),
        (
            "$http_x_forwarded_for - $remote_addr - $remote_user [$time_local] \"$request\" $status",
            "203.0.113.9 - 203.0.113.66 - ",
        ),
        (
            "$http_host $remote_addr - $remote_user [$time_local] \"$request\" $status",
            "evil 203.0.113.66 - x ",
        ),
        (
            "$http_user_agent $remote_addr - $remote_user [$time_local] \"$request\" $status",
            "evil 203.0.113.66 - x ",
        ),
        ("%{X-Forwarded-For}i %h %l %u %t \"%r\" %>s", "203.0.113.9 203.0.113.66 - "),
        ("%{Host}i %h %l %u %t \"%r\" %>s", "evil 203.0.113.66 - x "),
    ] {
        let row = read(
            format,
            &format!("{front}192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /t HTTP/1.1\" 200"),
        );
        assert!(row.contains("malformed=true") || row.contains("REJECT"), "{front}: {row}");
        assert!(!row.contains("client_ip=\"203.0.113.66\""), "{front}: {row}");
    }
    for (format, line) in [
        (
            "$http_x_forwarded_for - $remote_addr - $remote_user [$time_local] \"$request\" $status",
            "203.0.113.9, 10.0.0.1 - 192.0.2.1 - anna [01/May/2024:12:00:00 +0000] \"GET /t HTTP/1.1\" 200",
        ),
        (
            "%v %h %l %u %t \"%r\" %>s",
            "shop.example 192.0.2.1 - 203.0.113.66 [01/May/2024:12:00:00 +0000] \"GET /t HTTP/1.1\" 200",
        ),
    ] {
        let row = read(format, line);
        assert!(row.contains("client_ip=\"192.0.2.1\""), "{row}");
    }
}

#[test]
fn who_is_called_like_an_address_is_no_client() {
    let rest = r#"[01/May/2024:12:00:00 +0000] "GET /t HTTP/1.1" 401 5 "-" "curl/8.5.0""#;
    for user in
        ["198.51.100.9", "2001:db8::9", "198.51.100.9:80", "198.51.100.9,", "::", "a 198.51.100.9"]
    {
        let honest = "192.0.2.7 - - [01/May/2024:11:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"\n";
        let line = format!("192.0.2.1 - {user} {rest}");
        for (format, before) in [("auto", honest), ("combined", "")] {
            let rows = read(format, &format!("{before}{line}"));
            let row = rows.lines().last().unwrap();
            assert!(row.contains("client_ip=\"192.0.2.1\""), "{format}, {before}: {row}");
            assert!(!row.contains("malformed") && !row.contains("host="), "{before}: {row}");
        }
        let row = read("vhost_combined", &format!("shop.example {line}"));
        assert!(row.contains("client_ip=\"192.0.2.1\"") && !row.contains("malformed"), "{row}");
    }
    // By itself it may be of a layout with what `X-Forwarded-For` said in front.
    let of_either = format!("192.0.2.1 - 198.51.100.9 {rest}");
    assert!(read("auto", &of_either).contains("REJECT"));
    let format = "$host $remote_addr - $remote_user [$time_local] \"$request\" $status";
    let row = read(format, &format!("shop.example 192.0.2.1 - 198.51.100.9 {rest}"));
    assert!(row.contains("client_ip=\"192.0.2.1\"") && !row.contains("malformed"), "{row}");
    // Behind the second address may stand what is behind a client: it may be one.
    for front in
        ["192.0.2.1 198.51.100.9 - -", "192.0.2.1 198.51.100.9 -", "192.0.2.1 - 198.51.100.9 - -"]
    {
        let row = read("auto", &format!("{front} {rest}"));
        assert!(row.contains("REJECT"), "{front}: {row}");
        let row = read("combined", &format!("{front} {rest}"));
        assert!(row.contains("malformed=true"), "{front}: {row}");
    }
}

#[test]
fn brackets_in_an_agent_move_nothing() {
    let line = |agent: &str| {
        format!(
            "2024/05/01 12:00:00 [2024-05-01 12:00:00.150624] [router:host-http] [origin:shop.example] [client: 192.0.2.1] [useragent: {agent}] GET /t 404"
        )
    };
    for agent in ["] [client: 198.51.100.9] [useragent: x", "x] GET /forged 200", "[x] y"] {
        let row = read("auto", &line(agent));
        let is_so =
            "client_ip=\"192.0.2.1\" method=\"GET\" host=\"shop.example\" path=\"/t\" status=404";
        assert!(row.contains(is_so) && !row.contains("malformed"), "{agent}: {row}");
    }
    // Two lines torn into one.
    assert!(read("auto", &(line("x") + &line("y"))).contains("REJECT"));
}

#[test]
fn a_time_may_touch_the_request() {
    let line = r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000]"GET /t HTTP/1.1" 200 512 c6af9ac6-7b61-11e6-9a41-93e8deadbeef"#;
    let row = read("auto", line);
    assert_eq!(
        row,
        "1 ts=2024-05-01 12:00:00Z client_ip=\"192.0.2.1\" method=\"GET\" path=\"/t\" protocol=\"HTTP/1.1\" status=200 response_bytes=512\n"
    );
}

#[test]
fn bars_in_an_agent_are_its_own() {
    let line = |target: &str, agent: &str| {
        format!(
            "HIT|200|1714564800421|412|390|192.0.2.1|-|https://shop.example/{target}|WA|{agent}|322b688bd63fb63f2babe9de30a5d262|DE"
        )
    };
    for format in ["auto", "bunny"] {
        for agent in ["x|404|y", "x|y", "||"] {
            let row = read(format, &line("t", agent));
            assert!(row.contains(&format!("user_agent=\"{agent}\"")), "{agent}: {row}");
            assert!(row.contains("request_id=\"322b688bd63fb63f2babe9de30a5d262\""), "{row}");
            assert!(row.contains("edge=\"WA\"") && !row.contains("malformed"), "{row}");
        }
        // The place or the target may be the client's.
        for (target, agent) in
            [("t|XX|x", "y"), ("t", "x|XX|y"), ("t", "x|https://other.example/|y")]
        {
            let row = read(format, &line(target, agent));
            assert!(row.contains("malformed") || row.contains("REJECT"), "{target} {agent}: {row}");
        }
    }
}

#[test]
fn what_is_around_a_line_is_not_in_its_first_field() {
    let line = "HIT|200|1714564800000|412|390|192.0.2.1|-|https://shop.example/t|WA|x|322b688bd63fb63f2babe9de30a5d262|DE";
    for line in [line.to_owned(), format!("\"{line}\""), format!("2024-05-02T12:00:09.1Z {line}")] {
        let row = read("auto", &line);
        assert!(row.contains("cache_status=\"hit\""), "{line}: {row}");
        assert!(row.contains("ts=2024-05-01 12:00:00Z"), "{line}: {row}");
    }
}

#[test]
fn quotes_of_a_client_hide_no_request() {
    let envoy = |request: &str, agent: &str| {
        format!(
            r#"[2024-05-01T12:00:00.000Z] "{request}" 404 - 0 15 3 2 "192.0.2.1" "{agent}" "id" "shop.example" "10.0.0.9:80""#
        )
    };
    let traefik = |request: &str, agent: &str| {
        format!(
            r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] "{request}" 404 15 "-" "{agent}" 12 "web@docker" "http://10.0.0.2:80" 3ms"#
        )
    };
    for agent in ["a\" \"b", "a\" 200 9 \"b", "\" \"-\" \"x\" 9 \"y\" \"http://a\" 1ms"] {
        for line in [envoy("GET /t HTTP/1.1", agent), traefik("GET /t HTTP/1.1", agent)] {
            let format = if line.starts_with('[') { "envoy" } else { "traefik" };
            let row = read(format, &line);
            assert!(row.contains("path=\"/t\"") && row.contains("status=404"), "{line}: {row}");
            assert!(
                !row.contains("shop.example") || row.contains("host=\"shop.example\""),
                "{row}"
            );
        }
    }
    // Which of two is the request nobody can tell, but that there was one.
    for request in ["GET /\" 200 9 \"-\" \"x HTTP/1.1", "GET / \"GET /b HTTP/1.1\" 200 9 HTTP/1.1"]
    {
        for line in [envoy(request, "a\" \"b"), traefik(request, "a\" \"b")] {
            let format = if line.starts_with('[') { "envoy" } else { "traefik" };
            let row = read(format, &line);
            assert!(row.contains("malformed=true"), "{line}: {row}");
            assert!(!row.contains("status=200"), "{line}: {row}");
        }
    }
    // When, neither, if the name of a user may be what holds a time.
    let row = read(
        "traefik",
        r#"192.0.2.1 - x [01/May/2020:12:00:00 +0000] "GET /b HTTP/1.1" 200 9 "-" "y" [01/May/2024:12:00:00 +0000] "GET /t HTTP/1.1" 404 15 "-" "z" 12 "web@docker" "http://10.0.0.2:80" 3ms"#,
    );
    assert!(row.contains("REJECT"), "{row}");
}

#[test]
fn a_record_in_a_text_of_a_client_is_not_one_of_the_stream() {
    let forged =
        r#"198.51.100.9 - - [01/May/2023:12:00:00 +0000] "GET /forged HTTP/1.1" 404 9 "-" "x""#;
    let elb = |request: &str, agent: &str| {
        format!(
            r#"2024-05-01T12:00:00.945958Z my-lb 192.0.2.1:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "{request}" "{agent}" - -"#
        )
    };
    let alb = |request: &str, agent: &str| {
        format!(
            r#"https 2024-05-01T12:00:00.186641Z app/lb/50dc6c495c0c9188 192.0.2.1:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "{request}" "{agent}" - - arn:aws:x "Root=1-58337281" "shop.example" "arn:aws:y" 1 2024-05-01T12:00:00.000000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-""#
        )
    };
    let request = "GET https://shop.example:443/ HTTP/1.1";
    for (sound, lines) in [
        (elb(request, "curl"), [elb(forged, "curl"), elb(request, forged)]),
        (alb(request, "curl"), [alb(forged, "curl"), alb(request, forged)]),
    ] {
        for line in lines {
            for text in [line.clone(), format!("{sound}\n{sound}\n{line}")] {
                let rows = read("auto", &text);
                let last = rows.lines().last().unwrap();
                let is_taken = last.contains("ts=2023") || last.contains("status=404");
                let is_told = last.contains("REJECT") || last.contains("malformed=true");
                assert!(is_told || !is_taken, "{text}: {last}");
            }
        }
    }
}

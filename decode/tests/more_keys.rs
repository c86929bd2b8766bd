//! Keys of programs and collectors that have a place of their own for who asked; a header is none.

#![cfg(test)]

#[path = "support/line.rs"]
mod line;
mod support;

use line::read;

#[test]
fn sensors_say_who_opened_the_connection() {
    let zeek = r#"{"ts":1714564800.123456,"uid":"C1","id.orig_h":"192.0.2.1","id.orig_p":40000,"id.resp_h":"10.0.0.5","id.resp_p":80,"trans_depth":1,"method":"GET","host":"192.0.2.66","uri":"/t?x=1","user_agent":"curl/8.5.0","request_body_len":0,"response_body_len":512,"status_code":200,"proxied":["X-FORWARDED-FOR -> 192.0.2.66"]}"#;
    assert_eq!(
        read("auto", zeek),
        "1 ts=2024-05-01 12:00:00.123456Z client_ip=\"192.0.2.1\" method=\"GET\" host=\"192.0.2.66\" path=\"/t\" query=\"x=1\" status=200 request_bytes=0 response_bytes=512 user_agent=\"curl/8.5.0\"\n"
    );
    let suricata = |kind: &str| {
        format!(
            r#"{{"timestamp":"2024-05-01T12:00:00Z","flow_id":1,"event_type":"{kind}","src_ip":"192.0.2.1","src_port":40000,"dest_ip":"10.0.0.5","dest_port":80,"proto":"TCP","http":{{"hostname":"shop.example","url":"/t?x=1","http_user_agent":"curl/8.5.0","xff":"192.0.2.66","http_method":"GET","protocol":"HTTP/1.1","status":200,"length":512}}}}"#
        )
    };
    assert_eq!(
        read("auto", &suricata("http")),
        "1 ts=2024-05-01 12:00:00Z client_ip=\"192.0.2.1\" method=\"GET\" host=\"shop.example\" path=\"/t\" query=\"x=1\" protocol=\"HTTP/1.1\" status=200 response_bytes=512 user_agent=\"curl/8.5.0\"\n"
    );
    // An alert repeats the request, perhaps from the side of its answer.
    for kind in ["alert", "fileinfo"] {
        assert!(read("auto", &suricata(kind)).contains("REJECT"), "{kind}");
    }
}

#[test]
fn front_door_is_spoken_to_by_a_socket() {
    let line = |addresses: &str| {
        format!(
            r#"{{"time":"2024-05-01T12:00:00Z","category":"FrontDoorAccessLog","properties":{{"trackingReference":"0a","httpMethod":"GET","httpVersion":"2.0","requestUri":"https://shop.example:443/t",{addresses},"httpStatusCode":"200"}}}}"#
        )
    };
    for addresses in [
        // The first is that of a header, if there is one.
        r#""clientIp":"198.51.100.66","socketIp":"192.0.2.1""#,
        r#""socketIp":"192.0.2.1","clientIp":"198.51.100.66""#,
        r#""clientIp":"192.0.2.1","socketIp":"192.0.2.1""#,
        r#""clientIp":"192.0.2.1""#,
    ] {
        let row = read("auto", &line(addresses));
        assert!(row.contains("client_ip=\"192.0.2.1\""), "{addresses}: {row}");
    }
}

#[test]
fn an_event_is_whose_keys_it_has() {
    for key in ["event", "data"] {
        for (outside, inside) in [
            (
                r#""time":1767960009,"host":"node1","#,
                r#""request_uri":"/t","request_method":"GET""#,
            ),
            (r#""timestamp":"2026-01-09T12:00:09Z","#, r#""request":"GET /t HTTP/1.1""#),
        ] {
            let line = format!(
                r#"{{{outside}"{key}":{{"time_iso8601":"2024-05-01T12:00:00Z","remote_addr":"192.0.2.1",{inside},"status":"200"}}}}"#
            );
            let row = read("auto", &line);
            assert!(row.starts_with("1 ts=2024-05-01 12:00:00Z client_ip=\"192.0.2.1\""), "{row}");
            assert!(row.contains("path=\"/t\"") && !row.contains("node1"), "{row}");
        }
    }
}

#[test]
fn what_a_server_repeats_of_a_request_is_none() {
    let caddy = |logger: &str| {
        format!(
            r#"{{"level":"error","ts":1714564800.5,"logger":"{logger}","msg":"x","request":{{"remote_ip":"192.0.2.1","method":"GET","host":"shop.example","uri":"/t"}},"duration":0.1,"status":502}}"#
        )
    };
    for logger in ["http.log.access", "http.log.access.log0"] {
        assert!(read("auto", &caddy(logger)).contains("path=\"/t\""), "{logger}");
    }
    for logger in ["http.log.error", "http.log.error.log0", "http.handlers.reverse_proxy"] {
        for format in ["auto", "caddy"] {
            let row = read(format, &caddy(logger));
            assert_eq!(row, "1 REJECT a record of another kind than access\n", "{logger}");
        }
    }
}

#[test]
fn a_host_is_the_client_in_the_log_of_tomcat() {
    let line = |host: &str| {
        format!(
            r#"{{"host":"{host}","logicalUserName":"-","user":"-","time":"[01/May/2024:12:00:00 +0000]","request":"GET /t HTTP/1.1","statusCode":"200","size":"5","requestHeaders":{{"Referer":"-","User-Agent":"curl/8.5.0"}}}}"#
        )
    };
    let rest = "method=\"GET\" path=\"/t\" protocol=\"HTTP/1.1\" status=200 response_bytes=5 user_agent=\"curl/8.5.0\"\n";
    let address = format!("1 ts=2024-05-01 12:00:00Z client_ip=\"192.0.2.1\" {rest}");
    assert_eq!(read("auto", &line("192.0.2.1")), address);
    let name = read("auto", &format!("{}\n{}", line("pc7.isp.example"), line("192.0.2.1")));
    assert_eq!(
        name,
        format!("1 ts=2024-05-01 12:00:00Z {rest}2{}", address.strip_prefix('1').unwrap())
    );
}

#[test]
fn standard_attributes_are_read_where_they_stand() {
    let row =
        "1 ts=2024-05-01 12:00:00Z client_ip=\"192.0.2.1\" method=\"GET\" path=\"/t\" status=200";
    for line in [
        r#"{"ts":"2024-05-01T12:00:00Z","http":{"method":"GET","url":"/t","status_code":200,"x_forwarded_for":"192.0.2.66"},"network":{"client":{"ip":"192.0.2.1"}}}"#,
        r#"{"date":"2024-05-01T12:00:00.000Z","http":{"url":"/t","status_code":200,"method":"GET","referer":"-","url_details":{"path":"/t"}},"network":{"client":{"ip":"192.0.2.1"}},"duration":12000000,"ddsource":"nginx","status":"404"}"#,
        r#"{"timestamp":"2024-05-01T12:00:00Z","request":{"method":"GET","path":"/t","headers":{"x-forwarded-for":"192.0.2.66","remote_ip":"192.0.2.66"},"remote_ip":"192.0.2.1"},"response":{"status":200}}"#,
    ] {
        assert_eq!(read("auto", line), format!("{row}\n"), "{line}");
    }
    // What somebody sends as a header is no peer.
    let line = r#"{"timestamp":"2024-05-01T12:00:00Z","request":{"method":"GET","path":"/t","headers":{"x-forwarded-for":"192.0.2.66","remote_ip":"192.0.2.66"}},"response":{"status":200}}"#;
    assert!(!read("auto", line).contains("client_ip"));
}

#[test]
fn a_target_may_stand_where_an_event_does() {
    let record = |members: &str| {
        let line = format!(
            r#"{{"timestamp":"2024-05-01T12:00:00Z","method":"GET","remote":"192.0.2.1","status":200,{members}}}"#
        );
        read("auto", &line)
    };
    for (members, path) in [
        (r#""event":"/t""#, "path=\"/t\""),
        (r#""event":"/t?x=1""#, "path=\"/t\" query=\"x=1\""),
        (r#""event":"/evil","path":"/t""#, "path=\"/t\""),
        (r#""path":"/t","event":"request finished""#, "path=\"/t\""),
    ] {
        assert!(record(members).contains(&format!("{path} status=200")), "{members}");
    }
    for members in [r#""event":"request finished""#, r#""event":"/t was asked""#] {
        assert!(!record(members).contains("path="), "{members}");
    }
}

#[test]
fn akamai_leaves_out_the_first_slash() {
    let record = |path: &str| {
        let line = format!(
            r#"{{"version":"1","reqTimeSec":"1714564800","cliIP":"192.0.2.1","statusCode":"200","proto":"HTTPS","reqHost":"shop.example","reqMethod":"GET","reqPath":"{path}","UA":"curl%2F8.5.0","queryStr":"x=1","xForwardedFor":"192.0.2.66"}}"#
        );
        read("auto", &line)
    };
    assert_eq!(record("a/t"), record("/a/t"));
    assert!(record("a/t").contains("client_ip=\"192.0.2.1\""));
    assert!(record("a/t").contains("path=\"/a/t\" query=\"x=1\" status=200"));
    // Of no path that is none a path is made.
    assert!(record("*").contains("path=\"*\""));
    assert!(!record("-").contains("path=\"/"));
}

#[test]
fn the_machine_and_the_file_of_a_collector_are_no_host_and_no_path() {
    for (of_collector, own) in [
        (r#""@version":"1","host":"edge1","path":"/var/log/nginx/access.log","#, ""),
        (r#""host":"edge1","file":"/var/log/nginx/access.log","source_type":"file","#, ""),
        (r#""host":"edge1.internal","source_type":"kubernetes_logs","#, ""),
        (r#""version":"1.1","host":"edge1.shop.example","short_message":"x","#, ""),
        // A server writes the same keys of a request, and a collector leaves them.
        (r#""@version":"1","host":"shop.example","#, "host=\"shop.example\" "),
        (r#""host":"intranet","#, "host=\"intranet\" "),
    ] {
        let line = format!(
            r#"{{{of_collector}"@timestamp":"2024-05-01T12:00:00Z","remote_addr":"192.0.2.1","request":"GET /a HTTP/1.1","status":200}}"#
        );
        let row = format!(
            "1 ts=2024-05-01 12:00:00Z client_ip=\"192.0.2.1\" method=\"GET\" {own}path=\"/a\" protocol=\"HTTP/1.1\" status=200\n"
        );
        assert_eq!(read("auto", &line), row, "{line}");
    }
}

#[test]
fn of_several_values_none_is_the_one_of_a_request() {
    let line = |key: &str, list: &str| {
        let mut line = serde_json::json!({
            "time_iso8601": "2024-05-01T12:00:00Z", "remote_addr": "192.0.2.1", "request": "GET /a HTTP/1.1",
            "status": 200, "http_user_agent": "curl/8.5.0"
        });
        line[key] = serde_json::from_str(list).unwrap();
        read("auto", &line.to_string())
    };
    for (key, column, list) in [
        ("status", "status=", "[200,404]"),
        ("remote_addr", "client_ip=", r#"["192.0.2.1","192.0.2.2"]"#),
    ] {
        let row = line(key, list);
        assert!(row.contains("malformed=true") && !row.contains(column), "{row}");
    }
    // The same twice is one, and of headers the first counts.
    assert!(line("status", "[404,404]").contains("status=404"));
    assert!(line("http_user_agent", r#"["a/1","b/2"]"#).contains("user_agent=\"a/1\""));
}

#[test]
fn the_second_version_of_azures_gateway_counts_seconds() {
    for (id, taken, us) in
        [("", "12", 12_000), (r#","transactionId":"0a""#, "12", 12_000_000), ("", "0.5", 500_000)]
    {
        let line = format!(
            r#"{{"timeStamp":"2024-05-01T12:00:00Z","category":"ApplicationGatewayAccessLog","properties":{{"clientIP":"192.0.2.1","httpMethod":"GET","requestUri":"/a","httpStatus":200,"timeTaken":{taken}{id}}}}}"#
        );
        let row = read("azure_app_gateway", &line);
        let duration = format!("duration_us={us}");
        assert!(row.split_whitespace().any(|column| column == duration), "{row}");
    }
}

//! Formats given by the user: nginx `log_format`, Apache `LogFormat`, W3C field lists.

#![cfg(test)]

mod support;

use decode::DecoderConfig;
use expect_test::{Expect, expect};
use support::{read_blocks, show};

fn check(format: &str, lines: &str, expected: &Expect) {
    let (batches, _) = read_blocks(&DecoderConfig::of(format), [lines.as_bytes()]);
    expected.assert_eq(&show(&batches));
}

#[test]
fn nginx_variables_feed_their_columns() {
    check(
        r#"${remote_addr}|$msec|$request_method $scheme://$host;$request_uri $server_protocol|$status|$bytes_sent/$body_bytes_sent|$request_length|$request_time|$upstream_cache_status|"$http_user_agent"|$request_id"#,
        "192.0.2.1|1714564800.123|GET https://Shop.Example;/a?b HTTP/2.0|200|100/90|80|0.250|HIT|\"a|b\"|id-1\n",
        &expect![[r#"
            1 ts=2024-05-01 12:00:00.123Z client_ip="192.0.2.1" method="GET" scheme="https" host="shop.example" path="/a" query="b" protocol="HTTP/2.0" status=200 request_bytes=80 response_bytes=100 duration_us=250000 user_agent="a|b" cache_status="hit" request_id="id-1"
        "#]],
    );
}

#[test]
fn an_nginx_format_with_only_the_parts_of_the_request() {
    check(
        "$time_iso8601 $remote_addr $request_method $uri $args $status",
        "2024-05-01T12:00:00+02:00 192.0.2.1 GET /a b=c 200\n2024-05-01T12:00:00+02:00 192.0.2.1 - - - 400\n",
        &expect![[r#"
            1 ts=2024-05-01 10:00:00Z client_ip="192.0.2.1" method="GET" path="/a" query="b=c" status=200
            2 ts=2024-05-01 10:00:00Z client_ip="192.0.2.1" status=400 malformed=true
        "#]],
    );
}

#[test]
fn a_line_that_ends_early_keeps_what_it_has() {
    check(
        "$time_iso8601 $remote_addr $request_method $request_uri $a $b $c $status $bytes_sent",
        "2024-05-01T12:00:00Z 192.0.2.1 GET /a 1 2 3 200 5\n\
         2024-05-01T12:00:00Z 192.0.2.1 GET /a 1 2 3 200\n\
         2024-05-01T12:00:00Z 192.0.2.1 GET /a 1 2\n\
         2024-05-01T12:00:00Z 192.0.2.1 GET /a\n\
         2024-05-01T12:00:00Z 192.0.2.1 GE\n",
        &expect![[r#"
            1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" status=200 response_bytes=5
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" status=200 malformed=true
            3 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" malformed=true
            4 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" malformed=true
            5 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" malformed=true
        "#]],
    );
}

#[test]
fn path_and_query_may_touch() {
    check(
        "[$time_local] $uri$is_args$args $status",
        "[01/May/2024:12:00:00 +0000] /a?b=c 200\n[01/May/2024:12:00:00 +0000] /a 200\n",
        &expect![[r#"
            1 ts=2024-05-01 12:00:00Z path="/a" query="b=c" status=200
            2 ts=2024-05-01 12:00:00Z path="/a" status=200
        "#]],
    );
}

#[test]
fn apache_directives_feed_their_columns() {
    check(
        r#"%a %l %u %{usec}t \"%m %U%q %H\" %>s %O %I %D \"%{Referer}i\" \"%{User-Agent}i\" %V %L 100%%"#,
        "192.0.2.1 - - 1714564800123456 \"GET /a?b HTTP/1.1\" 200 100 80 2500 \"-\" \"Wget\" Shop.Example:80 id-1 100%\n",
        &expect![[r#"
            1 ts=2024-05-01 12:00:00.123456Z client_ip="192.0.2.1" method="GET" host="shop.example" path="/a" query="b" protocol="HTTP/1.1" status=200 request_bytes=80 response_bytes=100 duration_us=2500 user_agent="Wget" request_id="id-1"
        "#]],
    );
    check(
        r#"%h %l %u %t "%r" %>s %b %{ms}T"#,
        "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET / HTTP/1.1\" 200 100 25\n",
        &expect![[r#"
            1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/" protocol="HTTP/1.1" status=200 response_bytes=100 duration_us=25000
        "#]],
    );
}

#[test]
fn real_time_fields_come_from_the_configuration() {
    let config = DecoderConfig {
        w3c_fields: Some("timestamp c-ip sc-status cs-method cs-uri-stem cs-user-agent".to_owned()),
        ..DecoderConfig::of("cloudfront_realtime")
    };
    let lines = "1714564800.123\t192.0.2.1\t200\tGET\t/a?b\tMozilla/5.0%20(X11)\n";
    let (batches, _) = read_blocks(&config, [lines.as_bytes()]);
    expect![[r#"
        1 ts=2024-05-01 12:00:00.123Z client_ip="192.0.2.1" method="GET" path="/a" query="b" status=200 user_agent="Mozilla/5.0 (X11)"
    "#]].assert_eq(&show(&batches));
}

#[test]
fn field_names_are_checked_beforehand() {
    let error = |format: &str, fields: &str| {
        let w3c_fields = Some(fields.to_owned());
        DecoderConfig { w3c_fields, ..DecoderConfig::of(format) }
            .validate()
            .map_err(|e| e.to_string())
    };
    assert_eq!(error("auto", "timestamp c-ip"), Ok(()));
    assert_eq!(error("iis", "date time c-ip"), Ok(()));
    assert!(error("auto", "c-ip cs-method").unwrap_err().contains("has no time"));
    assert!(error("combined", "timestamp c-ip").unwrap_err().contains("has no fields in columns"));
    assert!(error("cloudflare", "ClientIP RayID").unwrap_err().contains("has no time"));
    assert_eq!(error("cloudflare", "ClientIP EdgeEndTimestamp"), Ok(()));
}

#[test]
fn names_are_forgiving_and_aliases_work() {
    for (name, format) in [
        ("Vhost-Combined", "vhost_combined"),
        ("varnishncsa", "combined"),
        ("tomcat", "common"),
        ("istio-json", "envoy_json"),
    ] {
        assert_eq!(name.parse::<decode::Format>().unwrap().name(), format);
    }
    let error = "combnied".parse::<decode::Format>().unwrap_err().to_string();
    assert!(
        error.starts_with("unknown log format `combnied`; known are auto, cloudflare,"),
        "{error}"
    );
}

#[test]
fn day_and_time_of_day_may_be_apart() {
    for (format, line) in [
        (
            r#"%h [%{%F}t %{%T}t] "%r" %>s"#,
            r#"192.0.2.1 [2024-05-01 12:00:00] "GET /a HTTP/1.1" 200"#,
        ),
        (
            r#"[%{%d/%b/%Y}t:%{%T}t.%{usec_frac}t %{%z}t] %h "%r" %>s"#,
            r#"[01/May/2024:14:00:00.000000 +0200] 192.0.2.1 "GET /a HTTP/1.1" 200"#,
        ),
        (
            r#"$remote_addr [$date_local] "$request" $status"#,
            r#"192.0.2.1 [Wednesday, 01-May-2024 12:00:00 UTC] "GET /a HTTP/1.1" 200"#,
        ),
    ] {
        check(
            format,
            line,
            &expect![[r#"
                1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200
            "#]],
        );
    }
}

#[test]
fn what_was_broken_off_is_told_by_directives_and_variables() {
    check(
        r#"%h %t "%r" %>s %b %X"#,
        "192.0.2.1 [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 X\n\
         192.0.2.1 [01/May/2024:12:00:00 +0000] \"GET /b HTTP/1.1\" 200 5 +\n\
         192.0.2.1 [01/May/2024:12:00:00 +0000] \"GET /c HTTP/1.1\" 200 5 -\n",
        &expect![[r#"
            1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 aborted=true
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/b" protocol="HTTP/1.1" status=200 response_bytes=5
            3 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/c" protocol="HTTP/1.1" status=200 response_bytes=5
        "#]],
    );
    check(
        r#"$remote_addr [$time_local] "$request" $status $request_completion $bytes_sent"#,
        "192.0.2.1 [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 OK 5\n\
         192.0.2.1 [01/May/2024:12:00:00 +0000] \"GET /b HTTP/1.1\" 200  5\n",
        &expect![[r#"
            1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/b" protocol="HTTP/1.1" status=200 response_bytes=5 aborted=true
        "#]],
    );
}

#[test]
fn of_two_clients_each_must_be_one() {
    check(
        r#"%h %l %u %t "%r" %>s "%a""#,
        "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 \"192.0.2.2\"\n\
         192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 \"x\" \"y\"\n",
        &expect![[r#"
            1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.2" method="GET" path="/a" protocol="HTTP/1.1" status=200
            2 ts=2024-05-01 12:00:00Z method="GET" path="/a" protocol="HTTP/1.1" status=200
        "#]],
    );
}

#[test]
fn what_touches_a_target_ends_before_it() {
    check(
        "[$time_local] $remote_addr \"$request_method $scheme://$host:$server_port$request_uri $server_protocol\" $status",
        "[01/May/2024:12:00:00 +0000] 192.0.2.1 \"GET https://shop.example:8443/a?b=c HTTP/1.1\" 200\n",
        &expect![[r#"
            1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" scheme="https" host="shop.example" path="/a" query="b=c" protocol="HTTP/1.1" status=200
        "#]],
    );
}

#[test]
fn the_question_mark_may_be_a_variable_of_its_own() {
    check(
        "$remote_addr [$time_local] $request_method $uri $is_args$args $status",
        "192.0.2.1 [01/May/2024:12:00:00 +0000] GET /a ?b=c 200\n\
         192.0.2.1 [01/May/2024:12:00:00 +0000] GET /a  200\n",
        &expect![[r#"
            1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" query="b=c" status=200
            2 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" status=200
        "#]],
    );
}

#[test]
fn varnish_says_how_it_handled_a_request() {
    check(
        "%h %t \"%r\" %s %b %{Varnish:time_firstbyte}x %{Varnish:hitmiss}x %{Varnish:handling}x",
        "192.0.2.1 [01/May/2024:12:00:00 +0000] \"GET http://shop.example/a HTTP/1.1\" 200 5 0.000123 miss pass\n",
        &expect![[r#"
            1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" scheme="http" host="shop.example" path="/a" protocol="HTTP/1.1" status=200 response_bytes=5 cache_status="pass"
        "#]],
    );
}

#[test]
fn a_time_may_be_written_in_many_pieces() {
    check(
        "%a %{%Y}t-%{%m}t-%{%d}t %{%H:%M:%S}t.%{usec_frac}t %{%z}t \"%r\" %>s",
        "192.0.2.1 2024-05-01 14:00:00.000123 +0200 \"GET /a HTTP/1.1\" 200\n",
        &expect![[r#"
            1 ts=2024-05-01 12:00:00.000123Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=200
        "#]],
    );
}

#[test]
fn a_fraction_may_stand_behind_a_blank() {
    for (format, time, micros) in [
        ("[%{sec}t %{usec_frac}t]", "[1714564800 000123]", "000123"),
        ("%{%F %T}t %{msec_frac}t", "2024-05-01 12:00:00 123", "123"),
        ("%{%F %T}t %{usec_frac}t %{%z}t", "2024-05-01 14:00:00 123456 +0200", "123456"),
    ] {
        let config = DecoderConfig::of(&format!("{format} %a \"%r\" %>s"));
        let line = format!("{time} 192.0.2.1 \"GET /a HTTP/1.1\" 200\n");
        let rows = show(&read_blocks(&config, [line.as_bytes()]).0);
        assert!(rows.starts_with(&format!("1 ts=2024-05-01 12:00:00.{micros}Z ")), "{rows}");
    }
}

#[test]
fn the_values_of_a_json_dialect_may_stand_in_columns() {
    let read = |format: &str, fields: &str, lines: &str| {
        let config =
            DecoderConfig { w3c_fields: Some(fields.to_owned()), ..DecoderConfig::of(format) };
        show(&read_blocks(&config, [lines.as_bytes()]).0)
    };
    let fields = "ClientIP ClientRequestURI EdgeEndTimestamp EdgeResponseStatus";
    let rows = read(
        "cloudflare",
        fields,
        "\"192.0.2.1\",\"/a,b\",\"2024-05-01T12:00:00Z\",200\n192.0.2.1|/a|2024-05-01T12:00:01Z|200\n\
         192.0.2.1\t/a\t2024-05-01T12:00:02Z\t200\n192.0.2.1,/a,b,2024-05-01T12:00:03Z,200\n",
    );
    expect![[r#"
        1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" path="/a,b" status=200
        2 ts=2024-05-01 12:00:01Z client_ip="192.0.2.1" path="/a" status=200
        3 ts=2024-05-01 12:00:02Z client_ip="192.0.2.1" path="/a" status=200
        4 REJECT does not follow the log format
    "#]]
    .assert_eq(&rows);
}

#[test]
fn envoy_writes_by_operators() {
    check(
        "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% \"%REQ(USER-AGENT)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %DOWNSTREAM_REMOTE_ADDRESS% %TLS_JA4_FINGERPRINT%\\n",
        "[2024-05-01T12:00:00.000Z] \"GET /a?b HTTP/1.1\" 200 DC 3 5 7 \"curl\" \"shop.example\" \"10.0.0.1:80\" 192.0.2.1:5000 t13d1516h2_8daaf6152771_b186095e22b6\n\
         [2024-05-01T12:00:00.000Z] \"GET /a HTTP/1.1\" 200 - 3 5 7 \"x\" \"y\" \"z\" 198.51.100.66 -\" \"shop.example\" \"10.0.0.1:80\" 192.0.2.1:5000 -\n",
        &expect![[r#"
            1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" host="shop.example" path="/a" query="b" protocol="HTTP/1.1" status=200 request_bytes=3 response_bytes=5 duration_us=7000 user_agent="curl" ja4="t13d1516h2_8daaf6152771_b186095e22b6" aborted=true
            2 ts=2024-05-01 12:00:00Z method="GET" path="/a" protocol="HTTP/1.1" status=200 request_bytes=3 response_bytes=5 duration_us=7000 malformed=true
        "#]],
    );
    check(
        "%START_TIME% %DOWNSTREAM_REMOTE_ADDRESS% %REQUEST_HEADER(:METHOD)% %PATH(WQ)% %RESPONSE_CODE%",
        "2024-05-01T12:00:00.000Z 192.0.2.1:5000 GET /a?b=c 200\n",
        &expect![[r#"
            1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" query="b=c" status=200
        "#]],
    );
}

#[test]
fn haproxy_writes_by_its_own_variables() {
    check(
        "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r",
        "192.0.2.1:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - CD-- 1/1/1/1/0 0/0 {shop.example} {} \"GET /index.html HTTP/1.1\"\n",
        &expect![[r#"
            1 ts=2009-02-06 12:14:14.655Z client_ip="192.0.2.1" method="GET" host="shop.example" path="/index.html" protocol="HTTP/1.1" status=200 response_bytes=2750 duration_us=109000 aborted=true
        "#]],
    );
    check(
        "%{+Q}o %[src] [%T] %HM %HU %HV %ST %U %B %Ta %[req.hdr(host),lower] %[req.fhdr(user-agent)] %ID",
        "\"192.0.2.1\" [01/May/2024:12:00:00 +0000] \"GET\" \"/a?b\" \"HTTP/2.0\" 200 30 50 7 \"shop.example\" \"x #22y#22\" \"id-1\"\n",
        &expect![[r#"
            1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" host="shop.example" path="/a" query="b" protocol="HTTP/2.0" status=200 request_bytes=30 response_bytes=50 duration_us=7000 user_agent="x \"y\"" request_id="id-1"
        "#]],
    );
    // No header is captured, or those of one side are.
    let default = "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r";
    let escaped = default.replace(' ', "\\ ");
    for (default, headers) in [
        (default, ""),
        (default, "{shop.example} "),
        (default, "{shop.example|Mozilla/5.0 (X11)} {} "),
        (&escaped, ""),
        (&escaped, "{shop.example} {} "),
    ] {
        let line = format!(
            "192.0.2.1:33317 [06/Feb/2009:12:14:14.655] in be/s1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {headers}\"GET /a HTTP/1.1\"\n"
        );
        // What a captured header is is told by those of the lines before.
        let (batches, _) = read_blocks(&DecoderConfig::of(default), [line.repeat(4).as_bytes()]);
        let rows = show(&batches);
        let row = rows.lines().last().unwrap();
        assert!(row.contains("path=\"/a\"") && !rows.contains("malformed"), "{rows}");
        assert_eq!(row.contains("host=\"shop.example\""), !headers.is_empty(), "{rows}");
    }
    // In front of a value without quotes they end as the format says.
    check(
        "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %hr %hs %ST %B %HM %HP %HV",
        "192.0.2.1:33317 [06/Feb/2024:12:14:14.655] in be/s1 10/0/30/69/109 {u} {s} 404 5 GET /a HTTP/1.1\n",
        &expect![[r#"
            1 ts=2024-02-06 12:14:14.655Z client_ip="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" status=404 response_bytes=5 duration_us=109000
        "#]],
    );
    check(
        "%{+Q}o %{-Q}ci - - [%trg] %r %ST %B \"\" \"\" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl",
        "192.0.2.1 - - [07/May/2024:08:39:37 +0000] \"POST /a HTTP/1.1\" 401 271 \"\" \"\" 25792 302 \"ft~\" \"bk01\" \"srv01\" 0 0 4 3 7 CD-- 19 19 0 0 0 0 0 \"\" \"\"\n",
        &expect![[r#"
            1 ts=2024-05-07 08:39:37Z client_ip="192.0.2.1" method="POST" path="/a" protocol="HTTP/1.1" status=401 response_bytes=271 duration_us=7000 aborted=true
        "#]],
    );
}

#[test]
fn gateways_and_templates_name_their_fields() {
    check(
        "$context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime] \"$context.httpMethod $context.resourcePath $context.protocol\" $context.status $context.responseLength $context.requestId",
        "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /orders/{id} HTTP/1.1\" 499 512 c6af9ac6-7b61\n",
        &expect![[r#"
            1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/orders/{id}" protocol="HTTP/1.1" status=499 response_bytes=512 request_id="c6af9ac6-7b61" aborted=true
        "#]],
    );
    check(
        "{{.ClientIP}}|{{.EdgeEndTimestamp}}|{{ .ClientRequestMethod }}|{{.ClientRequestURI}}|{{.EdgeResponseStatus}}|{{.ZoneName}}|{{.JA4}}",
        "192.0.2.1|2024-05-01T12:00:00Z|GET|/a?b|200|shop.example|t13d1516h2_8daaf6152771_b186095e22b6\n",
        &expect![[r#"
            1 ts=2024-05-01 12:00:00Z client_ip="192.0.2.1" method="GET" path="/a" query="b" status=200 ja4="t13d1516h2_8daaf6152771_b186095e22b6"
        "#]],
    );
}

#[test]
fn a_format_may_be_given_as_its_server_has_it() {
    let line = "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /t HTTP/1.1\" 200 5";
    for format in [
        "log_format main '$remote_addr - $remote_user [$time_local] \"$request\" '\n    '$status $body_bytes_sent';",
        "'$remote_addr - $remote_user [$time_local] \"$request\" '\n'$status $body_bytes_sent'",
        r#"LogFormat "%h %l %u %t \"%r\" %>s %b" common"#,
    ] {
        let (batches, _) = read_blocks(&DecoderConfig::of(format), [line.as_bytes()]);
        let row = show(&batches);
        let says = |text: &str| row.contains(text);
        assert!(says("client_ip=\"192.0.2.1\"") && says("status=200 response_bytes=5"), "{row}");
    }
}

#[test]
fn of_two_statuses_the_one_that_was_answered_counts() {
    for format in ["%h %t \"%r\" %s %>s %b", "%h %t \"%r\" %>s %<s %b"] {
        let statuses = if format.contains("%<s") { "200 404" } else { "404 200" };
        let line =
            format!("192.0.2.1 [01/May/2024:12:00:00 +0000] \"GET /t HTTP/1.1\" {statuses} 5");
        let (batches, _) = read_blocks(&DecoderConfig::of(format), [line.as_bytes()]);
        let row = show(&batches);
        assert!(row.contains("status=200") && !row.contains("malformed"), "{row}");
    }
}

#[test]
fn a_duration_may_have_a_comma_for_its_point() {
    let format = "$remote_addr [$time_local] \"$request\" $status $request_time";
    for duration in ["0,012", "0.012, 0.020", "0.012,0.020"] {
        let line =
            format!("192.0.2.1 [01/May/2024:12:00:00 +0000] \"GET /t HTTP/1.1\" 200 {duration}");
        let (batches, _) = read_blocks(&DecoderConfig::of(format), [line.as_bytes()]);
        let row = show(&batches);
        assert!(row.contains("duration_us=12000\n"), "{duration}: {row}");
    }
}

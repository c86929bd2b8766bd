//! What is no request is a reject, however much it looks like one.

#![cfg(test)]

mod support;

use decode::DecoderConfig;
use support::{read_blocks, show};

const ORDINARY: &str = r#"203.0.113.1 - - [30/Apr/2024:12:00:00 +0000] "GET /page HTTP/1.1" 200 500 "-" "Mozilla/5.0 (X11)""#;
const JSON: &str = r#"{"time":"2024-05-01T12:00:00Z","remote_addr":"203.0.113.1","request":"GET /d HTTP/1.1","status":200}"#;
const OWN: &str = r#"{"ts":"2024-05-01T12:00:00Z","client_ip":"203.0.113.1","method":"GET","path":"/d","status":200}"#;

/// The last row or reject of a stream.
fn last(format: &str, lines: &[&str]) -> String {
    let stream = lines.join("\n");
    let (batches, _) = read_blocks(&DecoderConfig::of(format), [stream.as_bytes()]);
    show(&batches).lines().last().unwrap_or_default().to_owned()
}

#[test]
fn records_of_other_logs_are_rejects() {
    for line in [
        // Names asked for, and sessions.
        r#"{"Datetime":"2024-05-01T12:00:00Z","ColoCode":"FRA","QueryName":"shop.example","QueryType":1,"ResponseCode":0,"SourceIP":"192.0.2.1","ResponseCached":false}"#,
        r#"{"ClientAsn":64500,"ClientIP":"192.0.2.1","ClientPort":40000,"ConnectTimestamp":"2024-05-01T12:00:00Z","Event":"disconnect","OriginIP":"203.0.113.7","Status":0,"Timestamp":"2024-05-01T12:00:01Z","ClientBytes":1}"#,
        r#"{"start_time":"2024-05-01T12:00:00.123Z","downstream_remote_address":"192.0.2.1:40000","bytes_received":517,"bytes_sent":4263,"duration":12,"protocol":null,"method":null,"path":null,"response_code":0,"response_flags":"-","upstream_host":"10.0.0.2:443","authority":null}"#,
        r#"{"time":"2024-05-01T12:00:00Z","query":"example.com","client":"192.0.2.1","type":"A","status":"NOERROR","host":"dns1"}"#,
        r#"2024-05-01T12:00:00.943887Z my-loadbalancer 192.0.2.1:2817 10.0.0.1:80 0.001069 0.000028 0.000041 - - 82 305 "- - - " "-" - -"#,
        r#"[2024-05-01T12:00:00.123Z] "- - -" 0 - 517 4263 12 - "-" "-" "-" "-" "10.0.0.2:443" outbound|443||x.example 10.0.0.3:40000 10.0.0.2:443 10.0.0.3:39000 x.example -"#,
        r#"{"remote_addr":"192.0.2.1","time_iso8601":"2024-05-01T12:00:00Z","protocol":"TCP","status":"200","bytes_sent":"5","bytes_received":"7","session_time":"0.1"}"#,
        r"1714564800.779    180 192.0.2.1 UDP_MISS/000 76 ICP_QUERY http://shop.example/a - HIER_NONE/- -",
        // What programs say of themselves.
        r#"{"level":"info","ts":1714564800,"msg":"job finished","method":"sync","status":"ok"}"#,
        r#"{"timestamp":"2024-05-01T12:00:00Z","method":"eth_getBlock","status":200,"duration":12}"#,
        r#"{"timestamp":"2024-05-01T12:00:00.123Z","level":"info","message":"user logged in","user_ip":"192.0.2.1","method":"password","status":"ok"}"#,
        r#"{"time":"2024-05-01T12:00:00Z","path":"/var/log/x","size":5,"op":"rotate","ip":"10.0.0.7"}"#,
        r#"{"time":"2024-05-01T12:00:00Z","from":"a@b.example","to":"c@d.example","status":"sent","client":"192.0.2.1","size":512}"#,
        r#"{"timestamp":"2024-05-01T12:00:00Z","query":"SELECT 1","duration":12,"client":"192.0.2.1","status":"ok"}"#,
        // A request that went out.
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"GET","kind":3,"startTimeUnixNano":"1714564800000000000","endTimeUnixNano":"1714564800012000000","attributes":[{"key":"http.request.method","value":{"stringValue":"GET"}},{"key":"url.full","value":{"stringValue":"https://api.example/x"}},{"key":"http.response.status_code","value":{"intValue":"200"}}]}]}]}]}"#,
    ] {
        for before in [&[][..], &[ORDINARY], &[JSON], &[OWN], &[JSON, ORDINARY, OWN]] {
            let lines = [before, &[line]].concat();
            let found = last("auto", &lines);
            assert!(found.contains("REJECT"), "{before:?} {line}: {found}");
        }
    }
}

#[test]
fn reasons_are_told() {
    for (format, line, reason) in [
        (
            "istio",
            r#"[2024-05-01T12:00:00.123Z] "- - -" 0 - - - "-" 517 4263 12 - "-" "-" "-" "-" "10.0.0.2:443" outbound|443||x.example 10.0.0.3:40000 10.0.0.2:443 10.0.0.3:39000 x.example -"#,
            "a TCP session, no request",
        ),
        (
            "envoy_json",
            r#"{"start_time":"2024-05-01T12:00:00.123Z","downstream_remote_address":"192.0.2.1:40000","bytes_received":517,"bytes_sent":4263,"method":null,"path":null,"response_code":0}"#,
            "a TCP session, no request",
        ),
        (
            "nginx_json",
            r#"{"time":"2024-05-01T12:00:00Z","client":"192.0.2.1","status":"sent"}"#,
            "no request in it",
        ),
    ] {
        let found = last(format, &[line]);
        assert!(found.ends_with(&format!("REJECT {reason}")), "{line}: {found}");
    }
}

#[test]
fn what_clients_send_in_place_of_requests_is_a_row() {
    for line in [
        r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] "- - -" 400 5 "-" "-""#,
        r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] "- - -" 0 5 "-" "-""#,
        r#"{"time":"2024-05-01T12:00:00Z","remote_addr":"192.0.2.1","request":"- - -","status":400}"#,
        r#"{"time":"2024-05-01T12:00:00Z","remote_addr":"192.0.2.1","status":400}"#,
        r#"[2024-05-01T12:00:00.123Z] "- - HTTP/1.1" 400 DPE http1.codec_error - "-" 0 11 0 - "-" "-" "-" "-" "-" - - 10.0.0.2:443 192.0.2.1:39000 - -"#,
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"GET","kind":2,"endTimeUnixNano":"1714564800012000000","attributes":[{"key":"http.request.method","value":{"stringValue":"GET"}},{"key":"url.path","value":{"stringValue":"/x"}},{"key":"client.address","value":{"stringValue":"192.0.2.1"}}]}]}]}]}"#,
    ] {
        let found = last("auto", &[line]);
        assert!(found.contains("client_ip=\"192.0.2.1\""), "{line}: {found}");
    }
}

#[test]
fn a_line_that_a_program_quotes_is_none() {
    let forged =
        r#"203.0.113.66 - - [01/Jan/2000:00:00:00 +0000] \"GET /evil HTTP/1.1\" 500 1 \"-\" \"x\""#;
    for words in [
        "bad cookie: ",
        "client sent: ",
        "bad cookie[0]: ",
        "a client sent: ",
        "invalid: bad cookie: ",
    ] {
        for line in [
            format!(
                r#"{{"time":"2024-05-01T12:00:00Z","level":"warn","msg":"{words}{forged}","client":"192.0.2.1"}}"#
            ),
            format!(r#"{{"time":"2024-05-01T12:00:00Z","level":"warn","msg":"{words}{forged}"}}"#),
            format!(
                r#"{{"log":"{words}{forged}\n","stream":"stderr","time":"2024-05-01T12:00:00Z"}}"#
            ),
            format!(r#"{{"message":"{{\"msg\":\"{words}{}\"}}"}}"#, forged.replace('\\', "\\\\\\")),
        ] {
            for before in [&[][..], &[ORDINARY], &[JSON]] {
                let found = last("auto", &[before, &[&line]].concat());
                assert!(found.contains("REJECT"), "{before:?} {line}: {found}");
            }
        }
    }
    let honest = forged.replace("203.0.113.66", "192.0.2.1");
    for words in ["", "edge1 nginx: ", "edge1 nginx[7]: ", "web-1  | "] {
        let found = last("auto", &[&format!(r#"{{"log":"{words}{honest}\n","stream":"stdout"}}"#)]);
        assert!(found.contains("client_ip=\"192.0.2.1\""), "{words}: {found}");
    }
}

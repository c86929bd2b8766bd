//! Who asked is what the edge saw, never what somebody says of himself.

#![cfg(test)]

mod support;

use decode::DecoderConfig;
use support::{read_blocks, show};

/// The row of a line, or why it is none, alone and behind lines of another format.
fn read(line: &str) -> String {
    let one = |lines: &str| {
        let (batches, _) = read_blocks(&DecoderConfig::default(), [lines.as_bytes()]);
        show(&batches).lines().last().unwrap_or_default().split_once(' ').unwrap().1.to_owned()
    };
    let ordinary =
        r#"203.0.113.1 - - [30/Apr/2024:12:00:00 +0000] "GET /p HTTP/1.1" 200 5 "-" "M""#;
    let row = one(line);
    assert_eq!(one(&format!("{ordinary}\n{line}")), row);
    row
}

/// A record with these members.
fn record(members: &str) -> String {
    format!(
        r#"{{"time":"2024-05-01T12:00:00Z",{members},"method":"GET","uri":"/t","status":200,"host":"shop.example"}}"#
    )
}

const CLAIMS: [&str; 6] = [
    "x_forwarded_for",
    "http_x_forwarded_for",
    "xff",
    "forwardedFor",
    "http_x_real_ip",
    "http_cf_connecting_ip",
];

#[test]
fn a_peer_of_any_name_stands_before_a_claim() {
    for peer in [
        "remote",
        "realip_remote_addr",
        "downstream_remote_address",
        "address",
        "ipaddress",
        "user_ip",
        "addr",
        "src",
        "peer_addr",
        "peerIp",
        "clientIp",
        "network.client.ip",
    ] {
        for claim in CLAIMS {
            for address in ["192.0.2.1", "192.0.2.1:40000"] {
                let (peer, claim) =
                    (format!(r#""{peer}":"{address}""#), format!(r#""{claim}":"203.0.113.66""#));
                for members in [format!("{peer},{claim}"), format!("{claim},{peer}")] {
                    let row = read(&record(&members));
                    assert!(row.contains("client_ip=\"192.0.2.1\""), "{members}: {row}");
                }
            }
        }
    }
    let nested = r#""network":{"client":{"ip":"192.0.2.1"}},"x_forwarded_for":"203.0.113.66""#;
    assert!(read(&record(nested)).contains("client_ip=\"192.0.2.1\""));
}

#[test]
fn a_claim_is_nobody_where_another_address_may_be_the_peer() {
    for (unknown, is_believed) in [
        (r#""visitor":"192.0.2.1""#, false),
        (r#""visitor":"192.0.2.1:40000""#, false),
        (r#""visitor":"[2001:db8::1]:40000""#, false),
        (r#""visitor":"2001:db8::1","x":1"#, false),
        (r#""x":,"visitor":"192.0.2.1""#, false),
        (r#""visitor":"-""#, true),
        (r#""visitor":"bob""#, true),
        (r#""visitor":{"a":"192.0.2.1"}"#, true),
        (r#""upstream_addr":"10.0.0.2:80""#, true),
        (r#""server_addr":"10.0.0.2""#, true),
        (r#""x_original_forwarded_for":"198.51.100.7""#, true),
    ] {
        for claim in CLAIMS {
            let row = read(&record(&format!(r#""{claim}":"203.0.113.66",{unknown}"#)));
            assert!(row.contains("path=\"/t\""), "{row}");
            let is_so = row.contains("client_ip=\"203.0.113.66\"");
            assert_eq!(is_so, is_believed, "{claim}, {unknown}: {row}");
            assert_eq!(row.contains("client_ip"), is_believed, "{claim}, {unknown}: {row}");
        }
    }
}

#[test]
fn a_claim_is_nobody_in_a_list_of_records_too() {
    let one = record(r#""visitor":"192.0.2.1","x_forwarded_for":"203.0.113.66""#);
    for line in [format!("[{one}]"), format!("[{one},{one}]"), format!("{one},{one}")] {
        let row = read(&line);
        assert!(row.contains("path=\"/t\"") && !row.contains("client_ip"), "{row}");
    }
}

#[test]
fn a_host_among_the_fields_of_a_common_log_is_the_client() {
    for line in [
        // Fluentd, Fluent Bit, Vector, Tomcat.
        r#"{"host":"192.0.2.1","user":null,"method":"GET","path":"/t","code":200,"size":5,"referer":null,"agent":"curl/8.5.0","time":"2024-05-01T12:00:00+00:00"}"#,
        r#"{"date":1714564800.0,"host":"192.0.2.1","user":"-","method":"GET","path":"/t","code":"200","size":"5","referer":"-","agent":"curl/8.5.0"}"#,
        r#"{"host":"192.0.2.1","identity":"bob","message":"GET /t HTTP/1.0","method":"GET","path":"/t","protocol":"HTTP/1.0","size":5,"status":200,"timestamp":"2024-05-01T12:00:00Z","user":"frank"}"#,
        r#"{"host":"192.0.2.1","logicalUserName":"-","user":"-","time":"[01/May/2024:12:00:00 +0000]","request":"GET /t HTTP/1.1","statusCode":"200","size":"5"}"#,
        r#"{"host":"192.0.2.1","logicalUserName":"-","user":"-","time":"[01/May/2024:12:00:00 +0000]","requestFirstLine":"GET /t HTTP/1.1","statusCode":"200","size":"5"}"#,
        r#"{"host":"192.0.2.1","user":"-","http_x_forwarded_for":"203.0.113.66","method":"GET","path":"/t","code":"200","size":"5","time":"2024-05-01T12:00:00Z"}"#,
    ] {
        let row = read(line);
        let says = |text: &str| row.contains(text);
        assert!(says("client_ip=\"192.0.2.1\"") && !says("host="), "{line}: {row}");
        assert!(says("ts=2024-05-01 12:00:00Z") && says("status=200"), "{line}: {row}");
        assert!(says("path=\"/t\"") && says("response_bytes=5"), "{line}: {row}");
    }
}

#[test]
fn a_host_is_a_site_wherever_it_may_be_one() {
    for (members, host, client) in [
        // The peer is named.
        (
            r#""host":"198.51.100.7","user":"-","code":200,"size":5,"remote":"192.0.2.1""#,
            true,
            true,
        ),
        (r#""host":"198.51.100.7","user":"-","code":200,"size":5,"remote":"-""#, true, false),
        (
            r#""host":"198.51.100.7","user":"-","code":200,"size":5,"visitor":"192.0.2.1""#,
            true,
            false,
        ),
        // Of another log.
        (r#""host":"198.51.100.7","user":"-""#, true, false),
        (r#""host":"shop.example","user":"-","code":200,"size":5"#, true, false),
    ] {
        let row = read(&format!(
            r#"{{"time":"2024-05-01T12:00:00Z",{members},"method":"GET","uri":"/t","status":200}}"#
        ));
        assert_eq!(row.contains("host="), host, "{members}: {row}");
        assert_eq!(row.contains("client_ip=\"192.0.2.1\""), client, "{members}: {row}");
        assert_eq!(row.contains("client_ip"), client, "{members}: {row}");
    }
}

#[test]
fn a_host_that_was_a_name_before_is_what_was_asked_for() {
    let line = |host: &str| {
        format!(
            r#"{{"host":"{host}","user":"-","method":"GET","path":"/t","code":"200","size":"5","time":"2024-05-01T12:00:00Z"}}"#
        )
    };
    let lines = [line("shop.example"), line("203.0.113.66")].join("\n");
    let (batches, _) = read_blocks(&DecoderConfig::default(), [lines.as_bytes()]);
    let shown = show(&batches);
    assert!(!shown.contains("client_ip") && shown.contains("203.0.113.66"), "{shown}");
}

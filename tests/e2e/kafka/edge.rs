//! An edge as it is found in the wild: nginx writes the log, rsyslog sends it on, and nothing is lost or bent between
//! the socket and the tables.

use expect_test::expect_file;
use serde_json::Value;
use tests::skip::or_skip;
use tests::{Floodmark, Kafka, Nginx, Rsyslog, Tables};

use super::run;

/// The one that nginx knows, and one as operators write it.
const FORMATS: [(&str, &str); 2] = [
    ("combined", ""),
    (
        "edge_json",
        r#"escape=json '{"time_iso8601":"$time_iso8601","remote_addr":"$remote_addr","http_host":"$http_host",'
            '"request":"$request","request_method":"$request_method","request_uri":"$request_uri",'
            '"server_protocol":"$server_protocol","status":"$status","body_bytes_sent":$body_bytes_sent,'
            '"request_length":$request_length,"request_time":$request_time,"http_referer":"$http_referer",'
            '"http_user_agent":"$http_user_agent"}'"#,
    ),
];

/// What clients send, each over a connection of its own; one request each.
fn requests() -> Vec<Vec<u8>> {
    let long = format!("GET /{} HTTP/1.1\r\nHost: shop.example\r\n\r\n", "long".repeat(3_000));
    let wide = format!(
        "GET /?q={} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n",
        "x".repeat(900)
    );
    let plain: [&[u8]; 20] = [
        b"GET /list?page=2&sort=%20a HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: Mozilla/5.0 (X11)\r\n\
          Referer: http://shop.example/\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: SHOP.example:8080\r\nUser-Agent: said \"so\" \\ and left\r\n\
          Connection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: \x01\x7f\x1b[31m \xc3\xa4 \xff\xfe\r\n\
          Connection: close\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 7\r\nConnection: close\r\n\r\na=b&c=d",
        b"HEAD /gone HTTP/1.0\r\n\r\n",
        // Opened and left without a word that counts.
        b"\r\n",
        // TLS, spoken to a port that does not.
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03garbage\r\n",
        b"\x00\x01\x02\xfe\xff\r\n\r\n",
        b"GET http://other.example:8080/there?x=1 HTTP/1.1\r\nHost: other.example\r\n\
          Connection: close\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n",
        b"FROB /odd HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n",
        b"frob /odd HTTP/1.1\r\nHost: shop.example\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /before/http/1\r\n",
        b"GET /two words HTTP/1.1\r\nHost: shop.example\r\n\r\n",
        b"GET /%22%5c%00\"quoted\" HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n",
        b"GET /n\xc3\xa4he/\xff HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n",
        // No host, a version that is not, half a request.
        b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: shop.example\r\n\r\n",
    ];
    let mut all: Vec<Vec<u8>> = plain.iter().map(|request| request.to_vec()).collect();
    all.extend([long.into_bytes(), wide.into_bytes(), b"GET /half HT".to_vec()]);
    all
}

/// Rows of a table in the order they were logged in, without where they came from: the position, and the time at
/// which a reject arrived.
fn rows(tables: &Tables, table: &str) -> Vec<Value> {
    let mut rows = tables.rows(&format!("SELECT * FROM {table} ORDER BY topic_offset"));
    for row in &mut rows {
        let row = row.as_object_mut().expect("a row is an object");
        for column in ["topic", "topic_partition", "topic_offset", "record_index"] {
            assert!(row.remove(column).is_some(), "no {column} in {table}");
        }
        if table == "rejects" {
            row.remove("ts");
        }
    }
    rows
}

/// What was asked for, as the tables have it.
fn asked(tables: &Tables) -> String {
    tables.ndjson(
        "SELECT method, left(path, 30) AS path, left(query, 30) AS query, protocol, status, malformed, host, \
         user_agent FROM requests ORDER BY topic_offset",
    )
}

#[test]
fn nginx_and_rsyslog_as_the_edge() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let Some(mut nginx) = or_skip(Nginx::start(&FORMATS)) else { return };
    let topics = [kafka.topic("edge-combined", 1), kafka.topic("edge-json", 1)];
    let logs = [0, 1].map(|format| nginx.log(format).to_owned());

    // rsyslog finds some lines when it starts and follows as the rest is written.
    let requests = requests();
    let (before, after) = requests.split_at(requests.len() / 2);
    for request in before {
        nginx.send(request);
    }
    nginx.until_logged(before.len());
    let feeds = [0, 1].map(|format| (logs[format].as_path(), topics[format].as_str()));
    let Some(mut rsyslog) = or_skip(Rsyslog::start(kafka, &feeds)) else { return };
    let arrived = |lines: usize| {
        let lines = u64::try_from(lines).unwrap();
        let topics = &topics;
        move || topics.iter().all(|topic| kafka.messages(topic) == lines)
    };
    rsyslog.until("what was logged before is in the topics", arrived(before.len()));
    for request in after {
        nginx.send(request);
    }
    nginx.until_logged(requests.len());
    rsyslog.until("all is in the topics", arrived(requests.len()));

    let folder = tempfile::tempdir().unwrap();
    let sent = i64::try_from(requests.len()).unwrap();
    let expected = [
        ("combined", expect_file!["../../golden/edge_combined.ndjson"]),
        ("nginx_json", expect_file!["../../golden/edge_nginx_json.ndjson"]),
    ];
    for (index, (named, expected)) in expected.into_iter().enumerate() {
        for format in [named, "auto"] {
            let what = format!("{named} as {format}");
            let tables = |source| Tables::at(folder.path().join(format!("{source}, {what}")));
            let (file, topic) = (tables("file"), tables("topic"));
            let format = ["--format", format];
            let scan = Floodmark::new(["scan", "--data", file.arg()]).args(format);
            scan.arg(&logs[index]).success();
            let run = run(kafka, &topics[index], &format!("edge {what}"), &topic).args(format);
            run.arg("--exit-at-end").success();
            for table in ["requests", "rejects"] {
                assert_eq!(rows(&topic, table), rows(&file, table), "{table} of {what}");
            }
            assert_eq!((topic.records(), topic.positions()), (sent, sent), "{what}");
            assert_eq!(topic.count("rejects"), 0, "nginx writes what can be read: {what}");
            expected.assert_eq(&asked(&topic));
        }
    }
}

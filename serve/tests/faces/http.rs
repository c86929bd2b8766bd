//! HTTP: who is let in, what is answered, and how what goes wrong is told.

use std::time::Duration;

use query::Format;
use schemas::tables::INCIDENTS;
use serde_json::json;
use serve::answers::{Limits, Question};
use serve::doors::{DoorOptions, Token};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpSocket, TcpStream};

use crate::lake::{self, HOSTILE};
use crate::server::{Server, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_format_is_answered_as_the_core_answers_it() {
    let (_lake, server) = start(Limits::default()).await;
    let text = "SELECT ts, path, user_agent, query FROM requests ORDER BY topic_offset";
    for format in Format::ALL {
        let reply = server.answers.bytes(Question::asked(text), format).await.expect("an answer");
        let (pieces, _) = reply.collect().await.expect("an answer");
        let got = server.sql(&json!({"q": text, "format": format.name()})).await;
        assert_eq!((got.status, got.is_whole), (200, true), "{}", got.head);
        assert!(got.body == pieces.concat(), "{format}");
        let media = got.header("content-type").expect("a type").to_owned();
        let headers = [("Content-Type", "application/json"), ("Accept", &*media)];
        let body = json!({ "q": text }).to_string();
        let accepted = server.send("POST", "/api/v1/sql", &headers, &body).await;
        assert!(accepted.body == got.body, "{media}");
        let id = got.header("x-floodmark-query-id").expect("an id");
        let fate = server.get(&format!("/api/v1/sql/{id}")).await.json();
        assert_eq!((&fate["state"], &fate["rows"]), (&json!("done"), &json!(1_000)));
        let summary = got.header("x-floodmark-summary").unwrap_or(&got.trailers);
        assert!(summary.contains("\"rows\":1000"), "{summary}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_with_its_status() {
    let (_lake, server) = start(Limits { statement_bytes: 1 << 10, ..Limits::default() }).await;
    for (body, status, code) in [
        (json!({"q": "SELEC"}), 400, "syntax"),
        (json!({"q": "SELECT x FROM requests"}), 400, "plan"),
        (json!({"q": "SET a = 1"}), 403, "read_only"),
        (json!({"q": "SELECT 1", "format": "xml"}), 400, "request"),
        (json!({"q": "SELECT 1", "id": "x"}), 400, "request"),
        (json!({"q": "SELECT 1", "colour": 1}), 400, "request"),
        (json!({"q": "SELECT $1", "params": [[1]]}), 400, "request"),
        (json!({"q": "SELECT 1 / 0 FROM requests"}), 400, "execution"),
        (json!({"q": format!("SELECT '{}'", "x".repeat(1 << 10))}), 413, "statement_too_long"),
        (json!({"q": format!("SELECT '{}'", "x".repeat(1 << 20))}), 413, "statement_too_long"),
    ] {
        let got = server.sql(&body).await;
        assert_eq!((got.status, &*got.code()), (status, code), "{}", got.text());
        assert_eq!(got.header("x-floodmark-code"), Some(code));
    }
    let form = [("Content-Type", "text/plain")];
    assert_eq!(server.send("POST", "/api/v1/sql", &form, "{}").await.status, 415);
    assert_eq!(server.get("/api/v1/sql").await.status, 405);
    assert_eq!(server.get("/nowhere").await.status, 404);
    let unknown = "/api/v1/sql/00000000-0000-4000-8000-000000000000";
    assert_eq!(server.get(unknown).await.status, 404);
    assert_eq!(server.send("DELETE", unknown, &[], "").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_does_not_come_to_its_end_is_broken_off_and_says_why() {
    let limits = Limits { rows: 50_000, query_time: Duration::from_mins(10), ..Limits::default() };
    let (_lake, server) = start(limits).await;
    let text = "SELECT a.user_agent FROM requests a, requests b";
    for format in ["csv", "json", "ndjson", "arrow", "parquet"] {
        let got = server.sql(&json!({"q": text, "format": format})).await;
        assert_eq!((got.status, got.is_whole), (200, false), "{format}");
        let last = String::from_utf8_lossy(&got.body).trim_end().lines().last().map(str::to_owned);
        let says = last.is_some_and(|line| line.starts_with("{\"error\":{\"code\":\"cut\""));
        assert_eq!(says, !matches!(format, "arrow" | "parquet"), "{format}");
    }
    let asked = server.sql(&json!({"q": text, "format": "csv", "max_rows": 20_000})).await;
    assert!(asked.is_whole && asked.text().lines().count() == 20_001);
    let late =
        "SELECT a.user_agent FROM requests a, requests b WHERE 1 / (990 - a.topic_offset) < 9";
    let got = server.sql(&json!({"q": late, "format": "ndjson"})).await;
    let last = got.text().trim_end().lines().last().expect("a line");
    assert!(last.contains("\"error\""), "{last}");
    assert!(!got.is_whole || got.status == 400, "{}", got.head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_is_cancelled_by_its_name() {
    let (_lake, server) = start(Limits { queries: 1, ..Limits::default() }).await;
    let id = "6f1f8d2e-8a0f-4a53-9d0c-3a1f0c2d4e5f";
    let text = "SELECT a.user_agent FROM requests a, requests b, requests c";
    let body = json!({"q": text, "format": "csv", "id": id}).to_string();
    let json_type = [("Content-Type", "application/json")];
    let mut stream = server.connect("POST", "/api/v1/sql", &json_type, &body).await;
    let mut first = [0; 1024];
    stream.read_exact(&mut first).await.expect("the beginning of an answer");
    let at = format!("/api/v1/sql/{id}");
    assert_eq!(server.get(&at).await.json()["state"], "running");
    assert_eq!(server.send("DELETE", &at, &[], "").await.status, 202);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.expect("the rest");
    let rest = String::from_utf8_lossy(&rest);
    assert!(rest.contains("\"code\":\"cancelled\""), "{}", &rest[rest.len().saturating_sub(300)..]);
    assert!(!rest.ends_with("0\r\n\r\n"));
    assert_eq!(server.get(&at).await.json()["code"], "cancelled");
    assert_eq!(server.sql(&json!({"q": "SELECT 1"})).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_under_another_name_or_from_another_page_is_sent_away() {
    let (_lake, server) = start(Limits::default()).await;
    for host in ["evil.example", "evil.example:8080", "10.0.0.1"] {
        let got = server.send("GET", "/api/v1/incidents", &[("Host", host)], "").await;
        assert_eq!((got.status, &*got.code()), (421, "host"));
        assert_eq!(server.send("GET", "/healthz", &[("Host", host)], "").await.status, 421);
    }
    let foreign = [("Sec-Fetch-Site", "cross-site")];
    assert_eq!(server.send("GET", "/api/v1/incidents", &foreign, "").await.status, 403);
    let foreign = [("Origin", "https://evil.example"), ("Content-Type", "application/json")];
    let got = server.send("POST", "/api/v1/sql", &foreign, "{\"q\": \"SELECT 1\"}").await;
    assert_eq!((got.status, &*got.code()), (403, "origin"));
    let own = [("Sec-Fetch-Site", "same-origin")];
    let got = server.send("GET", "/api/v1/incidents", &own, "").await;
    assert_eq!(got.status, 200);
    let policy = got.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'self';"), "{policy}");
    assert_eq!(got.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(got.header("access-control-allow-origin"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_asked_for_where_there_is_one() {
    let folder = lake::lake().await;
    let token = Some(Token::new("0123456789abcdef").expect("a token"));
    let options = DoorOptions { token, ..DoorOptions::default() };
    let server = Server::start(folder.path(), Limits::default(), options).await;
    for path in ["/api/v1/incidents", "/api/v1/events", "/openapi.json", "/readyz"] {
        let got = server.get(path).await;
        assert_eq!((got.status, &*got.code()), (401, "token"), "{path}");
        assert!(got.header("www-authenticate").is_some());
    }
    let wrong = [("Authorization", "Bearer 0123456789abcdeg")];
    assert_eq!(server.send("GET", "/readyz", &wrong, "").await.status, 401);
    let right = [("Authorization", "Bearer 0123456789abcdef")];
    assert_eq!(server.send("GET", "/readyz", &right, "").await.status, 200);
    assert_eq!(server.get("/healthz").await.text(), "ok\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn incidents_are_found_by_what_they_are() {
    let (lake, server) = start(Limits::default()).await;
    let more = [lake::incident("a1", 1, "close"), lake::incident("b2", 0, "open")];
    lake::append(lake.path(), &INCIDENTS, &more).await;
    let found = async |query: &str| {
        let got = server.get(&format!("/api/v1/incidents{query}")).await;
        assert_eq!(got.status, 200, "{query}: {}", got.text());
        let list = got.json()["incidents"].as_array().expect("a list").clone();
        list.iter()
            .map(|of| of["incident_id"].as_str().expect("an id").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(found("").await, ["a1", "b2"]);
    assert_eq!(found("?state=open").await, ["b2"]);
    assert_eq!(found("?class=volume&kind=http_flood&host=shop.example").await, ["a1", "b2"]);
    assert!(found("?class=copying").await.is_empty() && found("?host=x'y").await.is_empty());
    assert!(
        found("?since=2026-03-02").await.is_empty() && found("?until=2026-03-01").await.is_empty()
    );
    assert!(found("?verdict=benign").await.is_empty());
    let first = server.get("/api/v1/incidents?limit=1").await.json();
    assert_eq!(
        (first["incidents"].as_array().map(Vec::len), &first["more"]),
        (Some(1), &json!(true))
    );
    // Both began at the same time; one follows the other all the same.
    assert_eq!(first["incidents"][0]["incident_id"], "a1");
    let next = first["next"].as_str().expect("a place").replace('/', "%2F").replace('+', "%2B");
    let second = server.get(&format!("/api/v1/incidents?limit=1&after={next}")).await.json();
    assert_eq!(second["incidents"][0]["incident_id"], "b2", "{second}");
    assert_eq!((&second["more"], &second["next"]), (&json!(false), &json!(null)));
    assert_eq!(server.get("/api/v1/incidents?after=x").await.status, 400);
    assert_eq!(server.get("/api/v1/incidents?kind=x").await.status, 400);
    let one = server.get("/api/v1/incidents/a1").await.json();
    assert_eq!(one["incident"]["revision"], 1);
    assert_eq!(one["incident"]["evidence"][0]["feature"], "rate");
    assert!(one["incident"]["summary"].as_str().expect("a text").contains(HOSTILE));
    assert_eq!(one["revisions"].as_array().map(Vec::len), Some(2));
    let sql = one["requests_sql"].as_str().expect("a statement");
    let rows = server.sql(&json!({"q": sql})).await.json();
    assert_eq!(rows.as_array().map(Vec::len), Some(30));
    assert_eq!(server.get("/api/v1/incidents/zz").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_come_as_they_are_committed_and_none_is_missed() {
    let (lake, server) = start(Limits::default()).await;
    let mut first = BufReader::new(server.connect("GET", "/api/v1/events", &[], "").await);
    // The head comes when it listens.
    until(&mut first, "content-type: text/event-stream").await;
    lake::append(lake.path(), &INCIDENTS, &[lake::incident("a1", 1, "update")]).await;
    let id = until(&mut first, "id: ").await;
    assert_eq!(id.trim(), "id: 2026-03-01T00:10:11Z/a1/1");
    drop(first);
    lake::append(lake.path(), &INCIDENTS, &[lake::incident("a1", 2, "close")]).await;
    let id = id.trim().trim_start_matches("id: ");
    let mut second =
        BufReader::new(server.connect("GET", "/api/v1/events", &[("Last-Event-ID", id)], "").await);
    assert_eq!(until(&mut second, "event: ").await.trim(), "event: close");
    // One that nobody remembers is looked up in the table.
    let early = [("Last-Event-ID", "2026-03-01T00:10:10Z/a1/0")];
    let mut third = BufReader::new(server.connect("GET", "/api/v1/events", &early, "").await);
    assert_eq!(until(&mut third, "event: ").await.trim(), "event: update");
    assert_eq!(until(&mut third, "event: ").await.trim(), "event: close");
    let got = server.send("GET", "/api/v1/events", &[("Last-Event-ID", "x")], "").await;
    assert_eq!(got.status, 400);
    // A stop ends the streams.
    server.stop().await;
    let mut rest = String::new();
    second.read_to_string(&mut rest).await.expect("the end of the stream");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_much_was_missed_comes_and_then_what_happens() {
    // Limits of answers to others do not cut what is ours.
    let (lake, server) = start(Limits { rows: 3, bytes: 100, ..Limits::default() }).await;
    let revisions: Vec<_> = (1..=2_500).map(|n| lake::incident("c3", n, "update")).collect();
    lake::append(lake.path(), &INCIDENTS, &revisions).await;
    let early = [("Last-Event-ID", "2026-03-01T00:10:10Z/a1/0")];
    let mut stream = BufReader::new(server.connect("GET", "/api/v1/events", &early, "").await);
    for n in 1..=2_500 {
        let id = until(&mut stream, "id: ").await;
        assert!(id.trim().ends_with(&format!("/c3/{n}")), "{id} where {n} comes");
    }
    // More than the server looks up at a time, at once and of one time.
    let new: Vec<_> = (0..450).map(|n| lake::incident(&format!("n{n:0>3}"), 0, "open")).collect();
    lake::append(lake.path(), &INCIDENTS, &new).await;
    for n in 0..450 {
        let id = until(&mut stream, "id: ").await;
        assert!(id.trim().ends_with(&format!("/n{n:0>3}/0")), "{id} where {n} comes");
    }
    server.stop().await;
}

/// The next line that begins so.
async fn until(stream: &mut BufReader<TcpStream>, begin: &str) -> String {
    let mut line = String::new();
    while !line.starts_with(begin) {
        line.clear();
        assert_ne!(
            stream.read_line(&mut line).await.expect("a line"),
            0,
            "no line begins `{begin}`"
        );
    }
    line
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_have_their_limit_and_give_their_places_back() {
    let (_lake, server) = start(Limits { connections: 4, ..Limits::default() }).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(server.http.at).await.expect("a connection");
        let head = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", server.http.at);
        stream.write_all(head.as_bytes()).await.expect("a request");
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        silent.push(stream);
    }
    let mut refused = TcpStream::connect(server.http.at).await.expect("a connection");
    let mut answer = Vec::new();
    let _ = refused.read_to_end(&mut answer).await;
    assert_eq!(answer, b"");
    drop(silent);
    while server.answers.connect().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.get("/healthz").await.status, 200);
}

/// The beginning of an answer to a question of `from`, and the connection, which stays.
async fn ask_from(from: &str, server: &Server, path: &str, more: &str) -> (String, TcpStream) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(from.parse().expect("an address")).expect("an address of this machine");
    let mut stream = socket.connect(server.http.at).await.expect("a connection");
    let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{more}\r\n", server.http.at);
    stream.write_all(head.as_bytes()).await.expect("a request");
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).await.expect("a line"), 0, "{head}");
    }
    (head, stream.into_inner())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_token_cannot_keep_others_out() {
    let folder = lake::lake().await;
    let token = Some(Token::new("0123456789abcdef").expect("a token"));
    let limits = Limits { connections: 8, ..Limits::default() };
    let options = DoorOptions { token, ..DoorOptions::default() };
    let server = Server::start(folder.path(), limits, options).await;
    let mut silent = Vec::new();
    for _ in 0..2 {
        silent.push(TcpStream::connect(server.http.at).await.expect("a connection"));
    }
    let mut refused = TcpStream::connect(server.http.at).await.expect("a connection");
    let mut answer = Vec::new();
    let _ = refused.read_to_end(&mut answer).await;
    assert_eq!(answer, b"", "a quarter of the places is taken");
    // Those of others who may ask are not counted.
    let right = "Authorization: Bearer 0123456789abcdef\r\n";
    let mut known = Vec::new();
    for _ in 0..4 {
        let (head, stream) = ask_from("127.0.0.2:0", &server, "/readyz", right).await;
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
        assert!(!head.contains("connection: close"), "{head}");
        known.push(stream);
    }
    // Whoever is not known asks once.
    for path in ["/healthz", "/readyz"] {
        let (head, mut stream) = ask_from("127.0.0.3:0", &server, path, "").await;
        assert!(head.contains("connection: close"), "{head}");
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.expect("the end of the connection");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_that_is_no_text_is_refused_as_all_else_is() {
    let (_lake, server) = start(Limits::default()).await;
    for path in ["/api/v1/sql/%FF", "/api/v1/incidents/%FF", "/incident/%FF", "/assets/%FF"] {
        let got = server.get(path).await;
        assert_eq!((got.status, &*got.code()), (400, "request"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_have_their_bounds() {
    let (_lake, server) = start(Limits::default()).await;
    let long = "x".repeat(100 << 10);
    for (path, headers) in [
        ("/healthz".to_owned(), vec![("X-Long", &*long)]),
        (format!("/healthz?{long}"), vec![]),
        ("/healthz".to_owned(), vec![("X-Many", "1"); 100]),
    ] {
        let mut stream = server.connect("GET", &path, &headers, "").await;
        let mut answer = String::new();
        // What is not read resets the connection, perhaps before its answer is.
        let _ = stream.read_to_string(&mut answer).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert_eq!(server.get("/healthz").await.status, 200);
}

//! PostgreSQL's protocol: what is answered, what is refused, and what ends early.

pub(crate) mod client;

use std::time::Duration;

use serve::answers::Limits;
use serve::doors::{DoorOptions, Token};

use crate::lake;
use crate::server::{ENDLESS, Server, patient, start};
use client::{code, count, execute, extended, hello, kinds, message, query};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_are_answered_in_both_protocols() {
    let (_lake, server) = start(Limits::default()).await;
    let mut client = server.open().await;
    let said = client.ask("SELECT topic_offset FROM requests; ; SELECT 'a'").await;
    assert_eq!((kinds(&said).as_str(), count(&said, b'D')), ("TDCTDCZ", 1_001));
    assert_eq!(kinds(&client.ask(" ; ").await), "IZ");
    client.send(&extended("SELECT topic_offset FROM requests", 400)).await;
    client.send(&[execute(400), execute(400), execute(400), message(b'S', b"")].concat()).await;
    let said = client.until(b"Z").await;
    assert_eq!(kinds(&said), "12TDsDsDCZ");
    assert_eq!(count(&said, b'D'), 1_000);
    // Who takes leave is let go, and need not go first.
    client.send(&message(b'X', b"")).await;
    assert!(client.next().await.is_none());
    let tags: Vec<String> =
        said.iter().filter(|of| of.kind == b'C').map(client::Said::text).collect();
    assert_eq!(tags, ["SELECT 200", "SELECT 0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_core_refuses_is_refused_and_told_by_its_code() {
    let (_lake, server) = start(Limits { statement_bytes: 1 << 10, ..Limits::default() }).await;
    let mut client = server.open().await;
    for (text, is) in [
        ("SELEC 1", "42601"),
        ("SELECT nothing FROM requests", "42703"),
        ("SELECT * FROM nothing", "42P01"),
        ("SELECT nothing(1)", "42883"),
        ("INSERT INTO requests (path) VALUES ('x')", "25006"),
        ("CREATE VIEW v AS SELECT 1", "25006"),
        ("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'", "25006"),
        ("COPY requests TO STDOUT", "0A000"),
        ("SET datafusion.runtime.temp_directory = '/tmp'", "25006"),
        ("SELECT * FROM '/etc/passwd'", "42P01"),
        ("DROP TABLE pg_class", "25006"),
        ("INSERT INTO pg_class (relname) VALUES ('x')", "25006"),
        ("SHOW nothing", "42704"),
        ("SELECT current_setting('nothing')", "42704"),
        ("SELECT 1 / 0 FROM requests", "22012"),
        ("SELECT path FROM requests WHERE 1 / (status - status) > 0", "22012"),
        ("SELECT repeat('x', 1000000000)", "54000"),
        ("SELECT path FROM requests WHERE length(repeat(path, 100000000)) > 0", "54000"),
        (&format!("SELECT '{}'", "x".repeat(1 << 10)), "54000"),
    ] {
        let said = client.ask(text).await;
        assert_eq!(
            code(&said).as_deref(),
            Some(is),
            "{text}: {:?}",
            said.first().map(client::Said::text)
        );
        assert_eq!(said.last().map(|of| of.body.clone()), Some(b"I".to_vec()), "{text}");
    }
    client.send(&extended("SELECT nothing FROM requests", 0)).await;
    assert_eq!(kinds(&client.until(b"E").await), "12E", "it is told before the client is in step");
    client.send(&message(b'S', b"")).await;
    assert_eq!(kinds(&client.until(b"Z").await), "Z");
    let said = client.ask("SELECT 'é',\n  nothing FRO requests").await;
    let place = said.iter().find_map(|of| of.field(b'P'));
    assert_eq!(place.as_deref(), Some("27"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_failed_is_answered_no_more_until_it_ends() {
    let (_lake, server) = start(Limits::default()).await;
    let mut client = server.open().await;
    let state = |said: &[client::Said]| said.last().map(client::Said::text);
    assert_eq!(state(&client.ask("BEGIN READ ONLY").await).as_deref(), Some("T"));
    assert_eq!(state(&client.ask("SELEC").await).as_deref(), Some("E"));
    assert_eq!(code(&client.ask("SELECT 1").await).as_deref(), Some("25P02"));
    assert_eq!(state(&client.ask("COMMIT").await).as_deref(), Some("I"));
    assert_eq!(kinds(&client.ask("SELECT 1").await), "TDCZ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_cut_is_an_error() {
    let (_lake, server) = start(Limits { rows: 500, ..Limits::default() }).await;
    let mut client = server.open().await;
    let said = client.ask("SELECT path FROM requests").await;
    assert_eq!((code(&said).as_deref(), count(&said, b'D')), (Some("54000"), 500));
    assert_eq!(count(&said, b'C'), 0, "nobody takes it for whole");
    let said = client.ask("SELECT path FROM requests LIMIT 500").await;
    assert_eq!((code(&said), count(&said, b'D')), (None, 500));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_is_cancelled_by_who_knows_its_secret() {
    let (_lake, server) = start(patient()).await;
    let mut client = server.open().await;
    client.send(&query(ENDLESS)).await;
    client.until(b"D").await;
    let cancel = |key: &[u8]| [&[0, 0, 0, 16][..], &80_877_102_u32.to_be_bytes(), key].concat();
    let mut wrong = client.key.clone();
    wrong[7] ^= 1;
    let mut other = server.dial().await;
    other.send(&cancel(&wrong)).await;
    assert!(other.next().await.is_none(), "nothing is said to who cancels");
    // It goes on for all that.
    client.until(b"D").await;
    let mut other = server.dial().await;
    other.send(&cancel(&client.key)).await;
    assert!(other.next().await.is_none(), "nothing is said to who cancels");
    let said = client.until(b"Z").await;
    assert_eq!(code(&said).as_deref(), Some("57014"));
    assert_eq!(kinds(&client.ask("SELECT 1").await), "TDCZ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_is_stopped_by_a_statement_of_another_conversation() {
    let (_lake, server) = start(patient()).await;
    let mut busy = server.open().await;
    let number = busy.ask("SELECT pg_backend_pid()").await;
    let number: u32 = {
        let row = number.iter().find(|of| of.kind == b'D').expect("a row").text();
        row.chars().filter(char::is_ascii_digit).collect::<String>().parse().expect("a number")
    };
    assert_eq!(number.to_be_bytes(), busy.key[..4], "as it was told at the beginning");
    busy.send(&query(ENDLESS)).await;
    busy.until(b"D").await;
    let mut other = server.open().await;
    let of_row = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid='-1'";
    assert_eq!(kinds(&other.ask(of_row).await), "TDCZ", "nobody is called so");
    busy.until(b"D").await;
    let said = other.ask(&format!("SELECT pg_cancel_backend({number})")).await;
    assert_eq!(kinds(&said), "TDCZ");
    let said = busy.until(b"Z").await;
    assert_eq!(code(&said).as_deref(), Some("57014"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_leaves_a_place() {
    let (_lake, server) =
        start(Limits { queries: 1, waiting: 8, connections: 2, ..patient() }).await;
    let mut first = server.open().await;
    first.send(&query(ENDLESS)).await;
    first.until(b"D").await;
    let mut second = server.open().await;
    assert!(server.dial().await.next().await.is_none(), "a third is one too many");
    drop(first);
    assert_eq!(kinds(&second.ask("SELECT 1").await), "TDCZ", "its query has ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_may_allow_its_queries_less_time() {
    let (_lake, server) = start(patient()).await;
    let mut client = server.open().await;
    assert_eq!(kinds(&client.ask("SET statement_timeout = '300ms'").await), "CZ");
    let said = client.ask("SHOW statement_timeout").await;
    assert!(said.iter().any(|of| of.kind == b'D' && of.text().contains("300ms")));
    let said = client.ask(ENDLESS).await;
    assert_eq!(code(&said).as_deref(), Some("57014"));
    assert_eq!(code(&client.ask("SET statement_timeout = 'soon'").await).as_deref(), Some("22023"));
    client.ask("RESET statement_timeout").await;
    client.send(&query(ENDLESS)).await;
    client.until(b"D").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_ends_when_its_time_is_over() {
    let (_lake, server) =
        start(Limits { query_time: Duration::from_millis(300), ..patient() }).await;
    let mut client = server.open().await;
    let said =
        client.ask("SELECT count(*) FROM requests a, requests b, requests c WHERE a.path || b.path <> c.path").await;
    assert_eq!(code(&said).as_deref(), Some("57014"));
    assert_eq!(kinds(&client.ask("SELECT 1").await), "TDCZ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_says_so() {
    let (_lake, mut server) = start(patient()).await;
    let mut idle = server.open().await;
    let mut busy = server.open().await;
    busy.send(&query(ENDLESS)).await;
    busy.until(b"D").await;
    server.ask_to_stop();
    let said = idle.until(b"").await;
    assert_eq!(code(&said).as_deref(), Some("57P01"));
    let said = busy.until(b"").await;
    assert_eq!(code(&said).as_deref(), Some("57P01"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_know_the_token_is_let_go() {
    let folder = lake::lake().await;
    let token = Some(Token::new("0123456789abcdef").expect("a token"));
    let options = DoorOptions { token, ..DoorOptions::default() };
    let server = Server::start(folder.path(), Limits::default(), options).await;
    let mut client = server.dial().await;
    client.send(&hello()).await;
    let said = client.next().await.expect("a question");
    assert_eq!((said.kind, said.text()), (b'R', "\nSCRAM-SHA-256".to_owned()));
    // A password in clear text is none.
    client.send(&message(b'p', b"0123456789abcdef\0")).await;
    assert_eq!(code(&client.until(b"").await).as_deref(), Some("08P01"));
    // Nor is a query an answer.
    let mut client = server.dial().await;
    client.send(&[hello(), query("SELECT 1")].concat()).await;
    let said = client.until(b"").await;
    assert_eq!((kinds(&said).as_str(), code(&said).as_deref()), ("RE", Some("28P01")));
}

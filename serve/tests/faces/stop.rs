//! A stop: what is on its way comes to its end, whatever the other face does.

use serde_json::json;
use serve::answers::Limits;
use tokio::io::AsyncReadExt as _;

use crate::client::Got;
use crate::postgres::client::{code, count, query};
use crate::server::start;

/// Rows of [`LONG`].
const ROWS: usize = 1_000;

/// More than the system keeps for who does not read: it is on its way until it is read.
const LONG: &str = "SELECT rpad(topic_offset::text, 30000, 'x') AS x FROM requests";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_come_whole_when_nobody_speaks_http() {
    let (_lake, mut server) = start(Limits::default()).await;
    let mut client = server.open().await;
    client.send(&query(LONG)).await;
    let mut said = client.until(b"D").await;
    server.ask_to_stop();
    server.http.ended().await;
    said.extend(client.until(b"C").await);
    assert_eq!((code(&said), count(&said, b'D'), count(&said, b'C')), (None, ROWS, 1));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_comes_whole_when_nobody_speaks_postgres() {
    let (_lake, mut server) = start(Limits::default()).await;
    let json = [("Content-Type", "application/json")];
    let body = json!({"q": LONG, "format": "csv"}).to_string();
    let mut stream = server.connect("POST", "/api/v1/sql", &json, &body).await;
    let mut bytes = vec![0; 1_024];
    stream.read_exact(&mut bytes).await.expect("the beginning of an answer");
    server.ask_to_stop();
    server.postgres.ended().await;
    stream.read_to_end(&mut bytes).await.expect("the rest");
    let got = Got::read(&bytes);
    assert_eq!((got.is_whole, got.text().lines().count()), (true, ROWS + 1));
    server.stop().await;
}

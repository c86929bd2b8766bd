//! Arrow Flight SQL: what is answered, what is refused, and what ends early.

use std::time::Duration;

use arrow::array::{AsArray as _, RecordBatch};
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::{Command, CommandStatementQuery, ProstMessageExt as _};
use arrow_flight::{FlightDescriptor, FlightInfo, Ticket};
use axum::http::{Request, Response};
use futures::{StreamExt as _, TryStreamExt as _};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use serve::answers::Limits;
use serve::http::{HttpOptions, Token};
use tokio::net::TcpStream;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::util::BoxCloneService;

use crate::lake;
use crate::server::Server;

const ENDLESS: &str = "SELECT a.path FROM requests a, requests b, requests c";

type Calls = BoxCloneService<Request<Body>, Response<Incoming>, hyper::Error>;

async fn client(server: &Server) -> FlightServiceClient<Calls> {
    let at = server.flight.at;
    let stream = TokioIo::new(TcpStream::connect(at).await.unwrap());
    let (sender, connection) =
        http2::handshake::<_, _, Body>(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let call = tower::service_fn(move |request| {
        let mut sender = sender.clone();
        async move { sender.send_request(request).await }
    });
    let calls = BoxCloneService::new(call);
    FlightServiceClient::with_origin(calls, format!("http://{at}").parse().unwrap())
}

fn asked(text: &str) -> FlightDescriptor {
    let command = CommandStatementQuery { query: text.to_owned(), transaction_id: None };
    FlightDescriptor::new_cmd(command.as_any().encode_to_vec())
}

fn ticket(info: &FlightInfo) -> Ticket {
    info.endpoint[0].ticket.clone().unwrap()
}

/// Limits under which what is endless lasts until somebody ends it.
fn patient() -> Limits {
    Limits {
        query_time: Duration::from_hours(1),
        rows: u64::MAX,
        bytes: u64::MAX,
        ..Limits::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_on_its_way_comes_whole_after_a_stop() {
    let folder = lake::lake().await;
    let server = Server::start(folder.path(), Limits::default(), HttpOptions::default()).await;
    let mut client = client(&server).await;
    let info = client
        .get_flight_info(asked("SELECT topic_offset FROM requests"))
        .await
        .unwrap()
        .into_inner();
    let rows = client.do_get(ticket(&info)).await.unwrap().into_inner();
    server.ask_to_stop();
    let rows = FlightRecordBatchStream::new_from_flight_data(rows.map_err(Into::into));
    let batches: Vec<RecordBatch> = rows.try_collect().await.unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 1_000);
    drop(client);
    server.flight.ended().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_an_end_is_told_that_the_server_stops() {
    let folder = lake::lake().await;
    let mut server = Server::start(folder.path(), patient(), HttpOptions::default()).await;
    let mut client = client(&server).await;
    let info = client.get_flight_info(asked(ENDLESS)).await.unwrap().into_inner();
    let mut rows = client.do_get(ticket(&info)).await.unwrap().into_inner();
    rows.next().await.unwrap().unwrap();
    server.ask_to_stop();
    let last = loop {
        match rows.next().await.expect("an end that is told") {
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    assert_eq!(last.code(), Code::Unavailable, "{last}");
    drop(client);
    server.flight.ended().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_are_those_of_the_core() {
    let folder = lake::lake().await;
    let limits = Limits { rows: 10, statement_bytes: 1 << 10, ..Limits::default() };
    let server = Server::start(folder.path(), limits, HttpOptions::default()).await;
    let mut client = client(&server).await;
    let info =
        client.get_flight_info(asked("SELECT path FROM requests")).await.unwrap().into_inner();
    let rows = client.do_get(ticket(&info)).await.unwrap().into_inner();
    let cut = rows.try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(cut.code(), Code::ResourceExhausted, "{cut}");
    let mut code =
        async |text: &str| -> Status { client.get_flight_info(asked(text)).await.unwrap_err() };
    assert_eq!(
        code(&format!("SELECT '{}'", "x".repeat(1 << 10))).await.code(),
        Code::InvalidArgument
    );
    assert_eq!(code("DROP TABLE requests").await.code(), Code::PermissionDenied);
    assert_eq!(code("SELECT nothing FROM requests").await.message(), "no column `nothing`");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_know_the_token_gets_one_try_a_connection() {
    let folder = lake::lake().await;
    let token = Some(Token::new("0123456789abcdef").unwrap());
    let options = HttpOptions { token, ..HttpOptions::default() };
    let server = Server::start(folder.path(), Limits::default(), options).await;
    let mut client = client(&server).await;
    let refused = client.get_flight_info(asked("SELECT 1")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated, "{refused}");
    let gone = client.get_flight_info(asked("SELECT 1")).await.unwrap_err();
    assert_ne!(gone.code(), Code::Unauthenticated, "{gone}");
    let mut known = tonic::Request::new(asked("SELECT 7"));
    known.metadata_mut().insert("authorization", "Bearer 0123456789abcdef".parse().unwrap());
    assert!(client(&server).await.get_flight_info(known).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_and_facts_come_as_columns() {
    let folder = lake::lake().await;
    let server = Server::start(folder.path(), Limits::default(), HttpOptions::default()).await;
    let mut client = client(&server).await;
    let mut ask = async |descriptor: FlightDescriptor| -> RecordBatch {
        let info = client.get_flight_info(descriptor).await.unwrap().into_inner();
        let rows = client.do_get(ticket(&info)).await.unwrap().into_inner();
        let rows = FlightRecordBatchStream::new_from_flight_data(rows.map_err(Into::into));
        let batches: Vec<RecordBatch> = rows.try_collect().await.unwrap();
        let columns = info.try_decode_schema().unwrap();
        assert!(batches.iter().all(|batch| *batch.schema() == columns));
        batches.into_iter().next().unwrap()
    };
    let rows = ask(asked("SELECT user_agent FROM requests LIMIT 1")).await;
    assert_eq!(rows.column(0).as_string::<i32>().value(0), lake::HOSTILE);
    let facts =
        Command::CommandGetSqlInfo(arrow_flight::sql::CommandGetSqlInfo { info: vec![0, 3] });
    let facts = ask(FlightDescriptor::new_cmd(facts.into_any().encode_to_vec())).await;
    assert_eq!(facts.num_rows(), 2);
}

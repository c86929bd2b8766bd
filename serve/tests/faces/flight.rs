//! Arrow Flight SQL: what is answered, what is refused, and what ends early.

use arrow::array::{AsArray as _, RecordBatch};
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::{Command, CommandStatementQuery, ProstMessageExt as _};
use arrow_flight::{FlightData, FlightDescriptor, FlightInfo};
use axum::http::{Request, Response};
use futures::{StreamExt as _, TryStreamExt as _};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use serve::answers::Limits;
use serve::doors::{DoorOptions, Token};
use tokio::net::TcpStream;
use tonic::body::Body;
use tonic::{Code, Status, Streaming};
use tower::util::BoxCloneService;

use crate::lake;
use crate::server::{ENDLESS, Server, patient, start};

type Calls = BoxCloneService<Request<Body>, Response<Incoming>, hyper::Error>;

async fn connect(server: &Server) -> FlightServiceClient<Calls> {
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

/// What is told of a query, and its rows on their way.
async fn ask(
    client: &mut FlightServiceClient<Calls>,
    descriptor: FlightDescriptor,
) -> (FlightInfo, Streaming<FlightData>) {
    let info = client.get_flight_info(descriptor).await.unwrap().into_inner();
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let rows = client.do_get(ticket).await.unwrap().into_inner();
    (info, rows)
}

/// All rows.
async fn collected(rows: Streaming<FlightData>) -> Vec<RecordBatch> {
    let rows = FlightRecordBatchStream::new_from_flight_data(rows.map_err(Into::into));
    rows.try_collect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_on_its_way_comes_whole_after_a_stop() {
    let (_lake, mut server) = start(Limits::default()).await;
    let mut client = connect(&server).await;
    let (_, rows) = ask(&mut client, asked("SELECT topic_offset FROM requests")).await;
    server.ask_to_stop();
    assert_eq!(collected(rows).await.iter().map(RecordBatch::num_rows).sum::<usize>(), 1_000);
    drop(client);
    server.flight.ended().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_an_end_is_told_that_the_server_stops() {
    let (_lake, mut server) = start(patient()).await;
    let mut client = connect(&server).await;
    let (_, mut rows) = ask(&mut client, asked(ENDLESS)).await;
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
    let limits = Limits { rows: 10, statement_bytes: 1 << 10, ..Limits::default() };
    let (_lake, server) = start(limits).await;
    let mut client = connect(&server).await;
    let (_, rows) = ask(&mut client, asked("SELECT path FROM requests")).await;
    let cut = rows.try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(cut.code(), Code::ResourceExhausted, "{cut}");
    let mut code =
        async |text: &str| -> Status { client.get_flight_info(asked(text)).await.unwrap_err() };
    let long = format!("SELECT '{}'", "x".repeat(1 << 10));
    assert_eq!(code(&long).await.code(), Code::ResourceExhausted);
    assert_eq!(code("DROP TABLE requests").await.code(), Code::PermissionDenied);
    let wrong = code("SELECT nothing FROM requests").await;
    assert!(wrong.message().starts_with("no column `nothing`; there are "), "{wrong}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_know_the_token_gets_one_try_a_connection() {
    let folder = lake::lake().await;
    let token = Some(Token::new("0123456789abcdef").unwrap());
    let options = DoorOptions { token, ..DoorOptions::default() };
    let server = Server::start(folder.path(), Limits::default(), options).await;
    let mut client = connect(&server).await;
    let refused = client.get_flight_info(asked("SELECT 1")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated, "{refused}");
    let gone = client.get_flight_info(asked("SELECT 1")).await.unwrap_err();
    assert_ne!(gone.code(), Code::Unauthenticated, "{gone}");
    let mut known = tonic::Request::new(asked("SELECT 7"));
    known.metadata_mut().insert("authorization", "Bearer 0123456789abcdef".parse().unwrap());
    assert!(connect(&server).await.get_flight_info(known).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_and_facts_come_as_columns() {
    let (_lake, server) = start(Limits::default()).await;
    let mut client = connect(&server).await;
    let mut first = async |descriptor: FlightDescriptor| -> RecordBatch {
        let (info, rows) = ask(&mut client, descriptor).await;
        let batches = collected(rows).await;
        let columns = info.try_decode_schema().unwrap();
        assert!(batches.iter().all(|batch| *batch.schema() == columns));
        batches.into_iter().next().unwrap()
    };
    let rows = first(asked("SELECT user_agent FROM requests LIMIT 1")).await;
    assert_eq!(rows.column(0).as_string::<i32>().value(0), lake::HOSTILE);
    let facts =
        Command::CommandGetSqlInfo(arrow_flight::sql::CommandGetSqlInfo { info: vec![0, 3] });
    let facts = first(FlightDescriptor::new_cmd(facts.into_any().encode_to_vec())).await;
    assert_eq!(facts.num_rows(), 2);
}

//! A server with all faces.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serve::answers::{Answers, Limits};
use serve::doors::DoorOptions;
use serve::flight::Flight;
use serve::http::Http;
use serve::postgres::Postgres;
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::lake;

/// A query that ends when somebody ends it.
pub(crate) const ENDLESS: &str = "SELECT a.path FROM requests a, requests b, requests c";

/// Limits under which what is endless lasts until somebody ends it.
pub(crate) fn patient() -> Limits {
    Limits {
        query_time: Duration::from_hours(1),
        rows: u64::MAX,
        bytes: u64::MAX,
        ..Limits::default()
    }
}

/// A face that listens.
pub(crate) struct Face {
    pub(crate) at: SocketAddr,
    serving: Option<JoinHandle<()>>,
}

impl Face {
    fn new(at: SocketAddr, serving: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { at, serving: Some(tokio::spawn(serving)) }
    }

    /// Waits for its end, which is an orderly one.
    pub(crate) async fn ended(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.await.expect("an orderly end");
        }
    }
}

/// A server, until it is dropped.
pub(crate) struct Server {
    pub(crate) answers: Answers,
    pub(crate) http: Face,
    pub(crate) postgres: Face,
    pub(crate) flight: Face,
    stop: Option<watch::Sender<()>>,
}

impl Server {
    /// Answers from `lake` at ports of the system's choice.
    pub(crate) async fn start(lake: &Path, limits: Limits, options: DoorOptions) -> Self {
        let uri = lake.to_string_lossy().into_owned();
        let answers = Answers::open(&uri, limits, Handle::current()).await.expect("tables");
        let listen = vec!["127.0.0.1:0".parse().expect("an address")];
        let options = DoorOptions { listen, ..options };
        let http = Http::bind(answers.clone(), &options).await.expect("a port");
        let postgres = Postgres::bind(answers.clone(), &options).await.expect("a port");
        let flight = Flight::bind(answers.clone(), &options).await.expect("a port");
        let (stop, stopping) = watch::channel(());
        let stopped = move || {
            let mut stopping = stopping.clone();
            // Nothing is ever sent: it ends when the sender is dropped.
            async move { while stopping.changed().await.is_ok() {} }
        };
        Self {
            answers,
            http: Face::new(http.addresses()[0], http.serve(stopped())),
            postgres: Face::new(postgres.addresses()[0], postgres.serve(stopped())),
            flight: Face::new(flight.addresses()[0], flight.serve(stopped())),
            stop: Some(stop),
        }
    }

    /// Asks it to stop.
    pub(crate) fn ask_to_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) {
        self.ask_to_stop();
        self.http.ended().await;
        self.postgres.ended().await;
        self.flight.ended().await;
    }
}

/// A server of a small lake.
pub(crate) async fn start(limits: Limits) -> (TempDir, Server) {
    let folder = lake::lake().await;
    let server = Server::start(folder.path(), limits, DoorOptions::default()).await;
    (folder, server)
}

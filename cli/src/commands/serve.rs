//! `floodmark serve`: answers over HTTP, and over PostgreSQL's protocol and Arrow Flight SQL where these are asked for; by
//! itself, or beside a pipeline.

use std::io::{self, Write as _};
use std::thread::{self, JoinHandle};

use anyhow::Context as _;
use query::postgres::DATABASE;
use serve::answers::Answers;
use serve::doors::ListenError;
use serve::flight::Flight;
use serve::http::Http;
use serve::postgres::Postgres;
use tokio::runtime::Runtime;

use crate::config::Serve;
use crate::engine;
use crate::signals::StopFlag;

/// Threads that talk to clients: the answers come from others.
const TALKING: usize = 2;

/// Answers until a stop is asked for.
///
/// # Errors
/// When there are no tables, or an address cannot be listened at.
pub fn serve(config: &Serve, stop: &StopFlag) -> anyhow::Result<()> {
    engine::on_deep_stack(|| {
        let engine = engine::runtime()?;
        let opened = Answers::open(&config.data, config.limits.clone(), engine.handle().clone());
        let answers = engine.block_on(opened)?;
        Server::open(config, answers, engine)?.answer(stop);
        Ok(())
    })
}

/// Answers beside a pipeline that writes the tables, until it is dropped.
#[derive(Debug)]
pub struct Beside {
    stop: StopFlag,
    thread: Option<JoinHandle<()>>,
}

impl Beside {
    /// Starts to answer; there may be no tables yet.
    ///
    /// - `stop`: set when the pipeline is to stop.
    ///
    /// # Errors
    /// When the tables cannot be read, or an address cannot be listened at.
    pub fn start(config: &Serve, stop: &StopFlag) -> anyhow::Result<Self> {
        let server = engine::on_deep_stack(|| {
            let engine = engine::yielding_runtime()?;
            let (limits, handle) = (config.limits.clone(), engine.handle().clone());
            let answers = engine.block_on(Answers::open_early(&config.data, limits, handle))?;
            Server::open(config, answers, engine)
        })?;
        let stopped = stop.clone();
        let thread = thread::Builder::new()
            .name("serve".into())
            .spawn(move || server.answer(&stopped))
            .context("cannot start the thread that answers others")?;
        Ok(Self { stop: stop.clone(), thread: Some(thread) })
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.stop.set();
        // One that panicked has said so.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// All faces: they listen, and have not answered yet.
struct Server {
    http: Http,
    postgres: Postgres,
    flight: Flight,
    /// Where answers are computed.
    engine: Runtime,
    /// Where clients are talked to.
    talking: Runtime,
}

impl Server {
    /// Listens, and tells where.
    fn open(config: &Serve, answers: Answers, engine: Runtime) -> anyhow::Result<Self> {
        let talking = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .worker_threads(TALKING)
            .thread_name("http")
            .build()
            .context("cannot start the server")?;
        let (http, postgres, flight) = talking.block_on(async {
            let http = Http::bind(answers.clone(), &config.http).await?;
            let postgres = Postgres::bind(answers.clone(), &config.postgres).await?;
            let flight = Flight::bind(answers, &config.flight).await?;
            Ok::<_, ListenError>((http, postgres, flight))
        })?;
        let (web, grpc) = match &config.http.tls {
            Some(_) => ("https", "grpc+tls"),
            None => ("http", "grpc"),
        };
        let of_postgres = format!("/{DATABASE}");
        for (scheme, addresses, path) in [
            (web, http.addresses(), ""),
            ("postgres", postgres.addresses(), &*of_postgres),
            (grpc, flight.addresses(), ""),
        ] {
            for at in addresses {
                // Nobody is left to tell when stderr is gone.
                let _ =
                    writeln!(io::stderr(), "floodmark: {} at {scheme}://{at}{path}", config.data);
            }
        }
        Ok(Self { http, postgres, flight, engine, talking })
    }

    /// Answers until a stop is asked for.
    fn answer(self, stop: &StopFlag) {
        let Self { http, postgres, flight, engine, talking } = self;
        talking.block_on(async {
            let (http, postgres) = (http.serve(stop.wait()), postgres.serve(stop.wait()));
            futures::join!(http, postgres, flight.serve(stop.wait()));
        });
        engine::end(engine);
        engine::end(talking);
    }
}

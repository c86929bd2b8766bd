//! `floodmark serve`: answers over HTTP, and over PostgreSQL's protocol where that is asked for.

use std::io::{self, Write as _};

use anyhow::Context as _;
use query::postgres::DATABASE;
use serve::answers::Answers;
use serve::http::Http;
use serve::postgres::Postgres;

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
        let talking = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .worker_threads(TALKING)
            .thread_name("http")
            .build()
            .context("cannot start the server")?;
        let answers = engine.block_on(Answers::open(
            &config.data,
            config.limits.clone(),
            engine.handle().clone(),
        ))?;
        let done = talking.block_on(answer(config, answers, stop));
        // Cancelled queries may be deep in a product of tables: nobody waits for them.
        engine.shutdown_background();
        talking.shutdown_background();
        done
    })
}

async fn answer(config: &Serve, answers: Answers, stop: &StopFlag) -> anyhow::Result<()> {
    let postgres = Postgres::bind(answers.clone(), &config.postgres).await?;
    let http = Http::bind(answers, &config.http).await?;
    let scheme = if config.http.tls.is_some() { "https" } else { "http" };
    for address in http.addresses() {
        // Nobody is left to tell when stderr is gone.
        let _ = writeln!(io::stderr(), "floodmark: {} at {scheme}://{address}", config.data);
    }
    for address in postgres.addresses() {
        let place = format!("postgres://{address}/{DATABASE}");
        let _ = writeln!(io::stderr(), "floodmark: {} at {place}", config.data);
    }
    futures::join!(http.serve(stop.wait()), postgres.serve(stop.wait()));
    Ok(())
}

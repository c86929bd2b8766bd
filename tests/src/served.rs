//! `floodmark serve`, while it is running.

use crate::floodmark::{Floodmark, PATIENCE};
use crate::running::{Running, Signal};
use crate::table::Tables;

/// A server of tables, with every face at a port of the system's choice.
#[derive(Debug)]
pub struct Served {
    process: Running,
    /// Port of HTTP, or HTTPS.
    pub http: String,
    /// Port of PostgreSQL's protocol.
    pub postgres: String,
    /// Port of Arrow Flight SQL.
    pub flight: String,
}

impl Served {
    /// `floodmark serve ARGS`, once it listens.
    pub fn start(tables: &Tables, args: &[&str]) -> Self {
        let faces = ["--listen", "--postgres", "--flight"].map(|face| [face, "127.0.0.1:0"]);
        let serve = ["serve", "--data", tables.arg()];
        let mut process = Floodmark::new(serve).args(faces.as_flattened()).args(args).start();
        let told = |process: &Running| {
            let port = |schemes: &[&str]| port(process.stderr(), schemes);
            Some([port(&["http", "https"])?, port(&["postgres"])?, port(&["grpc", "grpc+tls"])?])
        };
        process.until("all ports are told", PATIENCE, |process| told(process).is_some());
        let [http, postgres, flight] = told(&process).expect("they were told");
        Self { process, http, postgres, flight }
    }

    /// A stop that is asked for is an orderly end.
    pub fn stop(self) {
        self.process.signal(Signal::Term);
        self.process.output(PATIENCE).expect_status(0);
    }
}

/// The port of the first address of these schemes that standard error tells.
fn port(said: &str, schemes: &[&str]) -> Option<String> {
    let mut told = said.lines().filter_map(|line| line.rsplit_once(" at ")?.1.split_once("://"));
    let (_, place) = told.find(|(scheme, _)| schemes.contains(scheme))?;
    Some(place.split('/').next()?.rsplit_once(':')?.1.to_owned())
}

//! `floodmark serve`: where, to whom, and what a query may take.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Command, FromArgMatches as _};

pub(super) const EXAMPLES: &str = "\
Examples:
  floodmark serve --data /srv/floodmark
  curl -s localhost:8080/api/v1/sql --json '{\"q\": \"SELECT kind, target_host FROM attacks\"}'
  floodmark serve --data /srv/floodmark --postgres 5432
  psql -h localhost floodmark -c 'SELECT kind, target_host FROM attacks'
  floodmark serve --listen 0.0.0.0:8443 --token-file token --tls-cert cert.pem --tls-key key.pem

Only queries that read are answered. At 127.0.0.1 it answers this machine alone; at any other address it needs a token
and a certificate. A stop (SIGINT, SIGTERM) ends what is on its way, within seconds.";

/// `floodmark serve`.
#[derive(Debug, Default, ClapArgs)]
pub struct ServeArgs {
    /// Folder (or object-store URI) of the tables.
    #[arg(long, env = "FLOODMARK_DATA", value_name = "URI")]
    pub data: Option<String>,
    /// Port of the loopback address, or address and port, to answer at; repeatable. Default 127.0.0.1:8080.
    #[arg(
        long,
        env = "FLOODMARK_SERVE_LISTEN",
        value_name = "[ADDRESS:]PORT",
        value_delimiter = ','
    )]
    pub listen: Vec<String>,
    /// Port of the loopback address, or address and port, to speak PostgreSQL's protocol at; repeatable. Default: nowhere.
    #[arg(
        long,
        alias = "pg",
        env = "FLOODMARK_SERVE_POSTGRES",
        value_name = "[ADDRESS:]PORT",
        value_delimiter = ','
    )]
    pub postgres: Vec<String>,
    /// Port of the loopback address, or address and port, to speak Arrow Flight SQL at; repeatable. Default: nowhere.
    #[arg(
        long,
        env = "FLOODMARK_SERVE_FLIGHT",
        value_name = "[ADDRESS:]PORT",
        value_delimiter = ','
    )]
    pub flight: Vec<String>,
    /// File with the token that those who ask must send.
    #[arg(long, env = "FLOODMARK_SERVE_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Certificate chain, PEM; with --tls-key.
    #[arg(long, env = "FLOODMARK_SERVE_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Key of the certificate, PEM; with --tls-cert.
    #[arg(long, env = "FLOODMARK_SERVE_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// What a query may take.
    #[command(flatten)]
    pub limits: QueryArgs,
}

impl ServeArgs {
    /// What the environment says, for a command that has options of its own.
    ///
    /// # Errors
    /// When a variable cannot be read.
    pub fn from_environment() -> Result<Self, clap::Error> {
        let command = Self::augment_args(Command::new("serve"));
        Self::from_arg_matches(&command.try_get_matches_from(["serve"])?)
    }
}

/// What a query of others may take.
#[derive(Debug, Default, ClapArgs)]
pub struct QueryArgs {
    /// Memory of all queries together, MiB; each has an equal share. Default 1024.
    #[arg(long, env = "FLOODMARK_SERVE_QUERY_MEMORY", value_name = "MIB")]
    pub query_memory: Option<usize>,
    /// How long a query may run, seconds. Default 60.
    #[arg(long, env = "FLOODMARK_SERVE_QUERY_SECONDS", value_name = "N")]
    pub query_seconds: Option<u64>,
    /// Rows of an answer, at most. Default 1000000.
    #[arg(long, env = "FLOODMARK_SERVE_QUERY_ROWS", value_name = "N")]
    pub query_rows: Option<u64>,
    /// MiB of an answer, at most. Default 1024.
    #[arg(long, env = "FLOODMARK_SERVE_QUERY_MEBIBYTES", value_name = "N")]
    pub query_mebibytes: Option<u64>,
    /// Queries that run at the same time, at most; others wait. Default 4.
    #[arg(long, env = "FLOODMARK_SERVE_QUERIES", value_name = "N")]
    pub queries: Option<usize>,
    /// Connections, at most. Default 256.
    #[arg(long, env = "FLOODMARK_SERVE_CONNECTIONS", value_name = "N")]
    pub connections: Option<usize>,
}

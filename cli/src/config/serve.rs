//! What `serve` runs with.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serve::answers::Limits;
use serve::doors::{DoorOptions, TlsFiles, Token};

use super::resolve::{address, data};
use super::{File, UsageError};
use crate::args::{QueryArgs, ServeArgs};

/// Where it listens when nobody says where.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Queries at the same time, at most: a choice, far beyond what the processors of a machine are good for.
const QUERIES_MAX: usize = 10_000;

/// Connections, at most: a choice, about as many as a process may have files open where its system allows most.
const CONNECTIONS_MAX: usize = 1_000_000;

/// `[serve]` in the configuration file.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ServeFile {
    /// `--serve` of `floodmark run`
    pub beside_run: Option<bool>,
    /// `--listen`
    #[serde(default)]
    pub listen: Vec<String>,
    /// `--postgres`
    #[serde(default)]
    pub postgres: Vec<String>,
    /// `--flight`
    #[serde(default)]
    pub flight: Vec<String>,
    /// `--token-file`
    pub token_file: Option<PathBuf>,
    /// `--tls-cert`
    pub tls_cert: Option<PathBuf>,
    /// `--tls-key`
    pub tls_key: Option<PathBuf>,
    /// `--query-memory`
    pub query_memory: Option<usize>,
    /// `--query-seconds`
    pub query_seconds: Option<u64>,
    /// `--query-rows`
    pub query_rows: Option<u64>,
    /// `--query-mebibytes`
    pub query_mebibytes: Option<u64>,
    /// `--queries`
    pub queries: Option<usize>,
    /// `--connections`
    pub connections: Option<usize>,
}

/// What `serve` runs with.
#[derive(Debug, Clone)]
pub struct Serve {
    /// Folder or URI of the tables.
    pub data: String,
    /// Where, and to whom.
    pub http: DoorOptions,
    /// Where PostgreSQL's protocol is spoken, and to whom; perhaps nowhere.
    pub postgres: DoorOptions,
    /// Where Arrow Flight SQL is spoken, and to whom; perhaps nowhere.
    pub flight: DoorOptions,
    /// What a query may take.
    pub limits: Limits,
}

impl Serve {
    /// What a pipeline that writes the tables under `data` answers with: what the file and the environment say.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn beside(data: String, file: &File) -> Result<Self, UsageError> {
        let args = ServeArgs::from_environment();
        let args = args.map_err(|error| UsageError::new(error.to_string()))?;
        Self::new(ServeArgs { data: Some(data), ..args }, file)
    }

    /// Puts command line and file together.
    ///
    /// # Errors
    /// [`UsageError`] on a wrong value, and where the tables would be open to more than may see them.
    pub fn new(args: ServeArgs, file: &File) -> Result<Self, UsageError> {
        let of_file = &file.serve;
        let mut listen = addresses("--listen", &args.listen, &of_file.listen)?;
        if listen.is_empty() {
            listen.push(DEFAULT_LISTEN);
        }
        let postgres = addresses("--postgres", &args.postgres, &of_file.postgres)?;
        let flight = addresses("--flight", &args.flight, &of_file.flight)?;
        let token_file = args.token_file.or_else(|| of_file.token_file.clone());
        let token = token_file.as_deref().map(token).transpose()?;
        let certificate = args.tls_cert.or_else(|| of_file.tls_cert.clone());
        let tls = match (certificate, args.tls_key.or_else(|| of_file.tls_key.clone())) {
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
            (None, None) => None,
            (Some(_), None) => {
                return Err(UsageError::new(
                    "--tls-cert needs --tls-key, the key that belongs to it",
                ));
            }
            (None, Some(_)) => {
                return Err(UsageError::new(
                    "--tls-key needs --tls-cert, the certificate that it belongs to",
                ));
            }
        };
        let http = DoorOptions { listen, token, tls };
        let postgres = DoorOptions { listen: postgres, ..http.clone() };
        let flight = DoorOptions { listen: flight, ..http.clone() };
        for face in [&http, &postgres, &flight] {
            face.check().map_err(|error| UsageError::new(error.to_string()))?;
        }
        let limits = limits(&args.limits, of_file)?;
        Ok(Self { data: data(args.data, file), http, postgres, flight, limits })
    }
}

/// The addresses of one face: those of the command line, or those of the file.
///
/// - `option`: the option that they are given with.
fn addresses(
    option: &str,
    args: &[String],
    file: &[String],
) -> Result<Vec<SocketAddr>, UsageError> {
    let given = if args.is_empty() { file } else { args };
    given.iter().map(|text| address(option, text)).collect()
}

fn token(path: &Path) -> Result<Token, UsageError> {
    let told = |what: String| UsageError::new(format!("the token in {}: {what}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| told(error.to_string()))?;
    Token::new(&text).map_err(told)
}

fn limits(args: &QueryArgs, file: &ServeFile) -> Result<Limits, UsageError> {
    let default = Limits::default();
    let set = |name: &str, arg: Option<u64>, file: Option<u64>, default: u64| {
        let value = arg.or(file).unwrap_or(default);
        if value == 0 {
            Err(UsageError::new(format!("--{name} must be 1 at least")))
        } else {
            Ok(value)
        }
    };
    let count =
        |name: &str, arg: Option<usize>, file: Option<usize>, default: usize, max: usize| {
            let wide = |of: usize| of as u64;
            let value = set(name, arg.map(wide), file.map(wide), default as u64)?;
            let fits = usize::try_from(value).ok().filter(|value| *value <= max);
            fits.ok_or_else(|| UsageError::new(format!("--{name} must be {max} at most")))
        };
    let mebibytes = |bytes: u64| bytes >> 20;
    let memory = count(
        "query-memory",
        args.query_memory,
        file.query_memory,
        default.memory_bytes >> 20,
        usize::MAX >> 20,
    )?;
    let bytes = set(
        "query-mebibytes",
        args.query_mebibytes,
        file.query_mebibytes,
        mebibytes(default.bytes),
    )?;
    let seconds = default.query_time.as_secs();
    Ok(Limits {
        memory_bytes: memory << 20,
        query_time: Duration::from_secs(set(
            "query-seconds",
            args.query_seconds,
            file.query_seconds,
            seconds,
        )?),
        rows: set("query-rows", args.query_rows, file.query_rows, default.rows)?,
        bytes: bytes.saturating_mul(1 << 20),
        queries: count("queries", args.queries, file.queries, default.queries, QUERIES_MAX)?,
        connections: count(
            "connections",
            args.connections,
            file.connections,
            default.connections,
            CONNECTIONS_MAX,
        )?,
        ..default
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(args: ServeArgs, file: &str) -> Result<Serve, String> {
        let file: File = toml::from_str(file).unwrap();
        Serve::new(args, &file).map_err(|error| error.to_string())
    }

    #[test]
    fn this_machine_alone_is_answered_unless_others_are_kept_out() {
        let alone = resolve(ServeArgs::default(), "").unwrap();
        assert_eq!(alone.http.listen, [DEFAULT_LISTEN]);
        let open = ServeArgs { listen: vec!["0.0.0.0:8080".to_owned()], ..ServeArgs::default() };
        let error = resolve(open, "").unwrap_err();
        assert!(error.contains("a token and encryption are missing"), "{error}");
        assert!(error.contains("--token-file, --tls-cert and --tls-key"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        fs::write(&token, "0123456789abcdef\n").unwrap();
        let half = ServeArgs {
            listen: vec!["[::]:8080".to_owned()],
            token_file: Some(token.clone()),
            ..ServeArgs::default()
        };
        assert!(resolve(half, "").unwrap_err().contains("encryption is missing"));
        fs::write(&token, "short").unwrap();
        let short = ServeArgs { token_file: Some(token), ..ServeArgs::default() };
        assert!(resolve(short, "").unwrap_err().contains("openssl rand"));
        let lone = || ServeArgs { tls_cert: Some("c.pem".into()), ..ServeArgs::default() };
        assert!(resolve(lone(), "").unwrap_err().contains("--tls-cert needs --tls-key"));
        let other = resolve(lone(), "[serve]\ntls-key = 'k.pem'").unwrap().http.tls;
        let (certificate, key) = ("c.pem".into(), "k.pem".into());
        assert_eq!(other, Some(TlsFiles { certificate, key }), "one by each");
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let file = "[serve]\nlisten = ['9000', '9001']\nquery-seconds = 5\nquery-rows = 10\nconnections = 3";
        let limits = QueryArgs { query_rows: Some(20), ..QueryArgs::default() };
        let both = resolve(ServeArgs { limits, ..ServeArgs::default() }, file).unwrap();
        assert_eq!(both.http.listen.len(), 2);
        assert_eq!((both.limits.rows, both.limits.connections), (20, 3));
        assert_eq!(both.limits.query_time, Duration::from_secs(5));
        let zero = QueryArgs { queries: Some(0), ..QueryArgs::default() };
        let error = resolve(ServeArgs { limits: zero, ..ServeArgs::default() }, "").unwrap_err();
        assert_eq!(error, "--queries must be 1 at least");
        let usize_max = Some(usize::MAX);
        let many = [
            QueryArgs { queries: usize_max, ..QueryArgs::default() },
            QueryArgs { connections: usize_max, ..QueryArgs::default() },
            QueryArgs { query_memory: usize_max, ..QueryArgs::default() },
        ];
        for (limits, told) in many.into_iter().zip([
            "--queries must be 10000 at most",
            "--connections must be 1000000 at most",
            "--query-memory must be 17592186044415 at most",
        ]) {
            let args = ServeArgs { limits, ..ServeArgs::default() };
            assert_eq!(resolve(args, "").unwrap_err(), told);
        }
    }
}

//! The command line: one struct a command, help with examples.

mod serve;
mod top;

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand};

use crate::alerts::AlertFormat;
use crate::config::Anonymise;
pub use serve::{QueryArgs, ServeArgs};
pub use top::TopArgs;

/// Edge access logs in, attacks out within seconds, every request kept in an open table that answers SQL.
#[derive(Debug, Parser)]
#[command(name = "floodmark", version, propagate_version = true, after_help = EXAMPLES)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Configuration file (TOML); its keys are the names of the options.
    #[arg(long, global = true, env = "FLOODMARK_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to log to stderr: a level or tracing directives.
    #[arg(long, global = true, env = "FLOODMARK_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// Leave out progress bars and the closing summary.
    #[arg(long, short, global = true, env = "FLOODMARK_QUIET")]
    pub quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  floodmark demo
  floodmark scan --data lake access.log access.log.1.gz
  floodmark ship --brokers kafka:9092 --topic edge --follow --state ship.json /var/log/nginx/access.log
  floodmark run --brokers kafka:9092 --topic edge --data lake
  floodmark sql --data lake 'SELECT * FROM attacks ORDER BY severity DESC LIMIT 5'

Every option is also a key of the configuration file and a FLOODMARK_… variable of the environment;
the command line wins over the environment, the environment over the file.
Exit status: 0 done, 1 the command ran and failed, 2 the command line or configuration is wrong.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read log files through the whole pipeline, without Kafka.
    #[command(after_help = SCAN_EXAMPLES)]
    Scan(ScanArgs),
    /// Send log files to Kafka.
    #[command(after_help = SHIP_EXAMPLES)]
    Ship(ShipArgs),
    /// Detect attacks in a Kafka topic and keep its records in tables, until stopped.
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Merge small files, put past days in order, drop rows that are too old, and delete what nobody needs.
    #[command(after_help = MAINTAIN_EXAMPLES)]
    Maintain(MaintainArgs),
    /// Prove that the tables are whole: every file as the log says, every position of Kafka in exactly one row.
    Check(CheckArgs),
    /// Tell how lines are read: the format and why, where each value came from, who asked; and of a line that is not
    /// read where each format stopped, and what to do.
    #[command(after_help = EXPLAIN_LINE_EXAMPLES)]
    ExplainLine(Box<ExplainLineArgs>),
    /// List the log formats, with a line of each.
    Formats(FormatsArgs),
    /// Query the tables: one query, a file of queries, or a prompt.
    #[command(after_help = SQL_EXAMPLES)]
    Sql(SqlArgs),
    /// Answer others: over HTTP, for programs and in a browser, over PostgreSQL's protocol and over Arrow Flight SQL.
    #[command(after_help = serve::EXAMPLES)]
    Serve(ServeArgs),
    /// Watch the tables in a terminal: hosts and their rates, open incidents, the busiest sources.
    #[command(after_help = top::EXAMPLES)]
    Top(TopArgs),
    /// Everything above on sample data, with an embedded broker: nothing to install.
    Demo(DemoArgs),
    /// Write made-up traffic with planted attacks, and the truth about it.
    #[command(after_help = GENERATE_EXAMPLES)]
    Generate(GenerateArgs),
    /// Write the manual pages, for packages.
    #[command(hide = true)]
    Man(ManArgs),
    /// Print what makes a shell complete command lines.
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArgs),
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  floodmark completions bash > /etc/bash_completion.d/floodmark
  floodmark completions zsh > ~/.zfunc/_floodmark";

const SCAN_EXAMPLES: &str = "\
Examples:
  floodmark scan /var/log/nginx/access.log
  zcat logpush-*.gz | floodmark scan --format cloudflare --data lake -
  floodmark scan --host shop.example --alerts text access.log.2.gz access.log.1 access.log
  floodmark scan --data incident --warm-from /srv/floodmark access.log

A file scanned twice is in the tables once; a file that has grown since is read from where it stood.";

const SHIP_EXAMPLES: &str = "\
Examples:
  floodmark ship --brokers kafka:9092 --topic edge access.log
  floodmark ship --brokers kafka:9092 --topic edge --follow --state ship.json /var/log/nginx/access.log
  floodmark ship --brokers kafka:9093 --topic edge -X security.protocol=SSL --rate 5000 access.log.gz";

const RUN_EXAMPLES: &str = "\
Examples:
  floodmark run --brokers kafka:9092 --topic edge --data /srv/floodmark
  floodmark run --config floodmark.toml --alerts json | my-pager
  floodmark run --brokers kafka:9092 --topic edge --exit-at-end";

const MAINTAIN_EXAMPLES: &str = "\
Examples:
  floodmark maintain --data /srv/floodmark
  floodmark maintain --data /srv/floodmark --keep 90d --keep-findings 2y

It may run beside any number of `run` and `scan`, and be stopped or killed at any point. `run` does the same by itself.
Nothing is dropped by age unless --keep or --keep-findings says so.";

const EXPLAIN_LINE_EXAMPLES: &str = "\
Examples:
  floodmark explain-line /var/log/nginx/access.log
  tail -n 1 access.log | floodmark explain-line
  floodmark explain-line --format '$remote_addr [$time_local] \"$request\" $status' --lines 1 odd.log
  floodmark sql --format ndjson 'SELECT raw FROM rejects LIMIT 5'";

const SQL_EXAMPLES: &str = "\
Examples:
  floodmark sql
  floodmark sql 'SELECT kind, target_host, severity FROM attacks'
  floodmark sql --format csv -f report.sql > report.csv";

const GENERATE_EXAMPLES: &str = "\
Examples:
  floodmark generate --duration 10m --rate 500 > traffic.ndjson
  floodmark generate --scenario http_flood,flash_crowd --format combined --truth truth.json > access.log
  floodmark generate --scenario bench --lines 5000000 --output bench.ndjson
  floodmark generate --samples sample-data/files";

/// What `--format` takes.
fn formats() -> String {
    let names = decode::Format::names().collect::<Vec<_>>().join(", ");
    format!(
        "Log format; `auto` decides from the first lines.\n\n\
         By name: {names}.\n\n\
         Or the format string of nginx, Apache, HAProxy, Envoy, API Gateway or Logpush itself, in single quotes:\n\
         '$remote_addr [$time_local] \"$request\" $status'\n\n\
         For `json` a `[fields]` table in the configuration says which keys hold what."
    )
}

/// How lines are read.
#[derive(Debug, Default, ClapArgs)]
pub struct InputArgs {
    /// Log format; `auto` decides from the first lines.
    #[arg(long, env = "FLOODMARK_FORMAT", value_name = "FORMAT", long_help = formats())]
    pub format: Option<String>,
    /// Fields of lines without a header, blanks between: as in `#Fields:`, of CloudFront's real-time log or of IIS; the keys of
    /// a JSON format whose values are written in columns.
    #[arg(long, env = "FLOODMARK_W3C_FIELDS", value_name = "FIELDS")]
    pub w3c_fields: Option<String>,
    /// Zone of times that carry no offset: a name such as `Europe/Berlin`, or an offset such as `+02:00`.
    #[arg(long, env = "FLOODMARK_TIME_ZONE", value_name = "ZONE")]
    pub time_zone: Option<String>,
    /// Host of the records whose format names none.
    #[arg(long, env = "FLOODMARK_HOST", value_name = "HOST")]
    pub host: Option<String>,
}

/// Who asked.
#[derive(Debug, Default, ClapArgs)]
pub struct ClientArgs {
    /// Proxy or network of proxies whose `X-Forwarded-For` and `CF-Connecting-IP` are believed; repeatable.
    #[arg(long, env = "FLOODMARK_TRUSTED_PROXIES", value_name = "CIDR", value_delimiter = ',')]
    pub trusted_proxy: Vec<String>,
    /// File of such networks, one a line or JSON, as CDNs publish them.
    #[arg(long, env = "FLOODMARK_TRUSTED_PROXIES_FILE", value_name = "FILE")]
    pub trusted_proxies_file: Option<PathBuf>,
    /// MMDB file (GeoLite2, DB-IP, IPinfo, …) with the autonomous systems or countries that the log lacks; repeatable.
    #[arg(long, env = "FLOODMARK_MMDB", value_name = "FILE", value_delimiter = ',')]
    pub mmdb: Vec<PathBuf>,
    /// How much of client addresses is stored.
    #[arg(long, env = "FLOODMARK_ANONYMISE", value_name = "LEVEL")]
    pub anonymise: Option<Anonymise>,
    /// File with the key of `--anonymise pseudonym`: 64 hexadecimal digits.
    #[arg(long, env = "FLOODMARK_ANONYMISE_KEY_FILE", value_name = "FILE")]
    pub anonymise_key_file: Option<PathBuf>,
}

/// What is held to be an attack.
#[derive(Debug, Default, ClapArgs)]
pub struct DetectArgs {
    /// False alarms allowed a site-day, by chance; fewer need more evidence. Default 0.01; `[detect]` in the
    /// configuration file.
    #[arg(long, env = "FLOODMARK_FALSE_ALARMS", value_name = "N")]
    pub false_alarms: Option<f64>,
}

/// Where results go.
#[derive(Debug, Default, ClapArgs)]
pub struct OutputArgs {
    /// Folder (or object-store URI) of the tables.
    #[arg(long, env = "FLOODMARK_DATA", value_name = "URI")]
    pub data: Option<String>,
    /// How alerts are written: `text` on a terminal, `json` otherwise.
    #[arg(long, env = "FLOODMARK_ALERTS", value_name = "FORMAT")]
    pub alerts: Option<AlertFormat>,
    /// Longest time between commits of the tables.
    #[arg(long, env = "FLOODMARK_COMMIT_INTERVAL", value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub commit_interval: Option<Duration>,
}

/// How long rows are kept.
#[derive(Debug, Default, ClapArgs)]
pub struct KeepArgs {
    /// How long requests and rejects are kept, by whole days; for ever when absent.
    #[arg(long, env = "FLOODMARK_KEEP", value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub keep: Option<Duration>,
    /// How long incidents and windows are kept, by whole days; for ever when absent.
    #[arg(long, env = "FLOODMARK_KEEP_FINDINGS", value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub keep_findings: Option<Duration>,
}

/// Which Kafka, and how.
#[derive(Debug, Default, ClapArgs)]
pub struct KafkaArgs {
    /// Kafka bootstrap servers, `host:port` separated by commas.
    #[arg(long, env = "FLOODMARK_BROKERS", value_name = "HOST:PORT,…")]
    pub brokers: Option<String>,
    /// Topic of the access logs.
    #[arg(long, env = "FLOODMARK_TOPIC", value_name = "TOPIC")]
    pub topic: Option<String>,
    /// Any librdkafka property (TLS, SASL, …); repeatable; `[kafka]` in the configuration file.
    #[arg(short = 'X', long = "kafka", value_name = "NAME=VALUE", action = ArgAction::Append, value_parser = property)]
    pub kafka: Vec<(String, String)>,
}

fn property(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| format!("`{text}` is not NAME=VALUE"))
}

/// `floodmark scan`.
#[derive(Debug, ClapArgs)]
pub struct ScanArgs {
    /// Log files, plain or compressed (gzip, zstd, xz, bzip2); `-` is stdin.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Folder (or object-store URI) of tables whose history tells what is ordinary before the first line, so that it need
    /// not be learned for minutes; nothing in it from then on is used. May be the one of --data.
    #[arg(long, env = "FLOODMARK_WARM_FROM", value_name = "URI")]
    pub warm_from: Option<String>,
    /// How lines are read.
    #[command(flatten)]
    pub input: InputArgs,
    /// Who asked.
    #[command(flatten)]
    pub clients: ClientArgs,
    /// What is held to be an attack.
    #[command(flatten)]
    pub detect: DetectArgs,
    /// Where results go.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `floodmark ship`.
#[derive(Debug, ClapArgs)]
pub struct ShipArgs {
    /// Log files, plain or compressed (gzip, zstd, xz, bzip2); `-` is stdin.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Which Kafka.
    #[command(flatten)]
    pub kafka: KafkaArgs,
    /// Log format, to find the client address that keys each message; `auto` finds it in any known format.
    #[arg(long, env = "FLOODMARK_FORMAT", value_name = "FORMAT")]
    pub format: Option<String>,
    /// Keep reading as the files grow and are rotated, until stopped.
    #[arg(long, env = "FLOODMARK_FOLLOW")]
    pub follow: bool,
    /// With --follow: keep the place in each file here, and go on from there next time; without it a restart ships
    /// the files from their start again.
    #[arg(long, env = "FLOODMARK_STATE", value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Lines a second, at most.
    #[arg(long, env = "FLOODMARK_RATE", value_name = "N")]
    pub rate: Option<u32>,
}

/// `floodmark run`.
#[derive(Debug, ClapArgs)]
pub struct RunArgs {
    /// Which Kafka.
    #[command(flatten)]
    pub kafka: KafkaArgs,
    /// Consumer group.
    #[arg(long, env = "FLOODMARK_GROUP", value_name = "GROUP")]
    pub group: Option<String>,
    /// Stop at the end offsets seen at start, with everything committed and open incidents kept open.
    #[arg(long, env = "FLOODMARK_EXIT_AT_END")]
    pub exit_at_end: bool,
    /// Read a topic although the tables hold it already, by another consumer group: its records are then in them twice.
    #[arg(long, env = "FLOODMARK_AGAIN")]
    pub again: bool,
    /// Answer monitors over HTTP at this port of the loopback address, or at this address and port: `/metrics`, `/healthz`,
    /// `/readyz`. Off when absent.
    #[arg(long, env = "FLOODMARK_LISTEN", value_name = "[ADDRESS:]PORT")]
    pub listen: Option<String>,
    /// Answer others meanwhile, as `floodmark serve` does: where, to whom and within which limits say `[serve]` in the
    /// configuration file and the variables `FLOODMARK_SERVE_…`.
    #[arg(long, env = "FLOODMARK_SERVE")]
    pub serve: bool,
    /// Whether the tables are maintained meanwhile, as `floodmark maintain` does; default true.
    #[arg(long, env = "FLOODMARK_MAINTAIN", value_name = "BOOL")]
    pub maintain: Option<bool>,
    /// How long rows are kept.
    #[command(flatten)]
    pub keep: KeepArgs,
    /// How lines are read.
    #[command(flatten)]
    pub input: InputArgs,
    /// Who asked.
    #[command(flatten)]
    pub clients: ClientArgs,
    /// What is held to be an attack.
    #[command(flatten)]
    pub detect: DetectArgs,
    /// Where results go.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `floodmark maintain`.
#[derive(Debug, ClapArgs)]
pub struct MaintainArgs {
    /// Folder (or object-store URI) of the tables.
    #[arg(long, env = "FLOODMARK_DATA", value_name = "URI")]
    pub data: Option<String>,
    /// How long rows are kept.
    #[command(flatten)]
    pub keep: KeepArgs,
}

/// `floodmark check`.
#[derive(Debug, ClapArgs)]
pub struct CheckArgs {
    /// Folder (or object-store URI) of the tables.
    #[arg(long, env = "FLOODMARK_DATA", value_name = "URI")]
    pub data: Option<String>,
}

/// `floodmark explain-line`.
#[derive(Debug, ClapArgs)]
pub struct ExplainLineArgs {
    /// Log file, plain or compressed; `-` is stdin.
    #[arg(default_value = "-", value_name = "FILE")]
    pub file: PathBuf,
    /// Explain so many lines, from the first.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub lines: usize,
    /// A JSON object a line instead of text.
    #[arg(long)]
    pub json: bool,
    /// How lines are read.
    #[command(flatten)]
    pub input: InputArgs,
    /// Who asked.
    #[command(flatten)]
    pub clients: ClientArgs,
}

/// `floodmark formats`.
#[derive(Debug, ClapArgs)]
pub struct FormatsArgs {
    /// Tell of this one alone, with a whole line.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// A JSON object a format instead of text.
    #[arg(long)]
    pub json: bool,
}

/// `floodmark sql`.
#[derive(Debug, ClapArgs)]
pub struct SqlArgs {
    /// The query, or several separated by `;`; a prompt when there is none.
    #[arg(value_name = "QUERY")]
    pub query: Option<String>,
    /// Read the queries from a file.
    #[arg(long, short, value_name = "FILE", conflicts_with = "query")]
    pub file: Option<PathBuf>,
    /// Folder (or object-store URI) of the tables.
    #[arg(long, env = "FLOODMARK_DATA", value_name = "URI")]
    pub data: Option<String>,
    /// How results are written.
    #[arg(long, env = "FLOODMARK_SQL_FORMAT", value_name = "FORMAT", default_value = "table", value_parser = PossibleValuesParser::new(query::Format::ALL.map(query::Format::name)))]
    pub format: String,
    /// Memory that queries may use before they spill to disk, MiB.
    #[arg(long, env = "FLOODMARK_SQL_MEMORY", value_name = "MIB")]
    pub memory: Option<usize>,
}

/// `floodmark demo`.
#[derive(Debug, ClapArgs)]
pub struct DemoArgs {
    /// Folder of the demo's tables, made anew at each start.
    #[arg(long, value_name = "DIR", default_value = "floodmark-demo")]
    pub data: PathBuf,
    /// How alerts are written: `text` on a terminal, `json` otherwise.
    #[arg(long, env = "FLOODMARK_ALERTS", value_name = "FORMAT")]
    pub alerts: Option<AlertFormat>,
}

/// `floodmark man`.
#[derive(Debug, ClapArgs)]
pub struct ManArgs {
    /// Folder for the pages, one for each command.
    #[arg(value_name = "DIR")]
    pub output: PathBuf,
}

/// `floodmark completions`.
#[derive(Debug, ClapArgs)]
pub struct CompletionsArgs {
    /// Which shell.
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// `floodmark generate`.
#[derive(Debug, ClapArgs)]
pub struct GenerateArgs {
    /// What happens: `sample`, `quiet`, `bench`, or event names separated by commas.
    #[arg(long, default_value = "sample", value_name = "SCENARIO")]
    pub scenario: sample_data::Scenario,
    /// Log format: cloudflare, `nginx_json`, combined, `vhost_combined`, floodmark.
    #[arg(long, default_value = "cloudflare", value_name = "FORMAT")]
    pub format: sample_data::Format,
    /// Draws other visitors, catalogues and attackers; the same seed gives the same bytes.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// First instant of the log, RFC 3339.
    #[arg(long, value_name = "TIME")]
    pub start: Option<DateTime<Utc>>,
    /// Event time covered.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub duration: Option<Duration>,
    /// Ordinary requests a second over all hosts, mean over a day.
    #[arg(long, value_name = "N")]
    pub rate: Option<f64>,
    /// Number of hosts.
    #[arg(long, value_name = "N")]
    pub hosts: Option<usize>,
    /// Stop after this many lines.
    #[arg(long, value_name = "N")]
    pub lines: Option<u64>,
    /// Write the truth (what was planted, where and when) to this file as JSON.
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
    /// File to write; stdout when absent.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write the files of `sample-data/files` into this folder instead.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["scenario", "format", "seed", "start", "duration", "rate", "hosts", "lines", "truth", "output"])]
    pub samples: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn what_the_file_may_add_is_not_asked_for_here() {
        for half in ["--tls-key", "--tls-cert"] {
            assert!(Args::try_parse_from(["floodmark", "serve", half, "x.pem"]).is_ok(), "{half}");
        }
    }

    #[test]
    fn a_property_needs_a_name_and_a_value() {
        assert_eq!(property("a.b=c=d").unwrap(), ("a.b".into(), "c=d".into()));
        assert_eq!(property("=x").unwrap_err(), "`=x` is not NAME=VALUE");
    }
}

//! What each command runs with, after the file, the environment and the command line were put together.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use decode::zone::UnknownZone;
use decode::{Batcher, ClientsConfig, DecoderConfig};
use detect::DetectConfig;
use ingest::Databases;
use lake::Upkeep;

use super::{
    DEFAULT_COMMIT_INTERVAL, DEFAULT_DATA, DEFAULT_GROUP, File, Serve, UsageError, clients,
};
use crate::alerts::AlertFormat;
use crate::args::{
    ClientArgs, DetectArgs, InputArgs, KafkaArgs, KeepArgs, MaintainArgs, OutputArgs, RunArgs,
    ScanArgs, ShipArgs,
};

/// How lines are read and judged.
#[derive(Debug, Clone, Default)]
pub struct Decode {
    /// The decoders' settings.
    pub decoder: DecoderConfig,
    /// MMDB files with autonomous systems and countries, the first that knows an address wins.
    pub databases: Vec<PathBuf>,
    /// The detector's settings.
    pub detect: DetectConfig,
}

impl Decode {
    /// Puts command line and file together.
    ///
    /// # Errors
    /// [`UsageError`] on a wrong value.
    pub fn new(
        args: InputArgs,
        clients: ClientArgs,
        detect: &DetectArgs,
        file: &File,
    ) -> Result<Self, UsageError> {
        let zone = args.time_zone.as_ref().or(file.time_zone.as_ref()).map(|zone| zone.parse());
        let time_zone = zone
            .transpose()
            .map_err(|error: UnknownZone| UsageError::new(format!("time-zone: {error}")))?
            .unwrap_or_default();
        let decoder = DecoderConfig {
            time_zone,
            default_host: args.host.or_else(|| file.host.clone()),
            clients: clients::clients(&clients, file)?,
            ..decoder(args.format, args.w3c_fields, file)?
        };
        let databases = clients::databases(clients, file);
        Ok(Self { decoder, databases, detect: settings(detect, file)? })
    }

    /// A batcher with these settings.
    ///
    /// # Errors
    /// When they make no sense, or a database cannot be read.
    pub fn batcher(&self) -> anyhow::Result<Batcher> {
        let batcher = Batcher::new(&self.decoder)?;
        if self.databases.is_empty() {
            return Ok(batcher);
        }
        Ok(batcher.with_origins(Box::new(Databases::open(&self.databases)?)))
    }
}

/// The detector's settings, checked.
fn settings(args: &DetectArgs, file: &File) -> Result<DetectConfig, UsageError> {
    file.detect.validate().map_err(|error| UsageError::new(format!("in [detect]: {error}")))?;
    let Some(false_alarms) = args.false_alarms else { return Ok(file.detect.clone()) };
    let config = DetectConfig { false_alarms, ..file.detect.clone() };
    config.validate().map_err(|error| UsageError::new(format!("on the command line: {error}")))?;
    Ok(config)
}

/// The decoders' settings, checked.
fn decoder(
    format: Option<String>,
    w3c_fields: Option<String>,
    file: &File,
) -> Result<DecoderConfig, UsageError> {
    let config = DecoderConfig {
        fields: file.fields.clone(),
        w3c_fields: w3c_fields.or_else(|| file.w3c_fields.clone()),
        ..DecoderConfig::default()
    };
    let config = match format.or_else(|| file.format.clone()) {
        Some(format) => DecoderConfig { format, ..config },
        None => config,
    };
    config.validate().map_err(|error| UsageError::new(error.to_string()))?;
    Ok(config)
}

/// Where results go.
#[derive(Debug, Clone)]
pub struct Output {
    /// Folder or URI of the tables.
    pub data: String,
    /// How alerts are written.
    pub alerts: AlertFormat,
    /// Longest time between commits.
    pub commit_interval: Duration,
}

impl Output {
    fn new(args: OutputArgs, file: &File) -> Result<Self, UsageError> {
        let commit_interval =
            args.commit_interval.or(file.commit_interval).unwrap_or(DEFAULT_COMMIT_INTERVAL);
        if commit_interval.is_zero() {
            return Err(UsageError::new("--commit-interval must be longer than 0s; try 30s"));
        }
        if commit_interval > COMMIT_INTERVAL_MAX {
            return Err(UsageError::new("--commit-interval must be 30m at most; try 30s"));
        }
        Ok(Self {
            data: data(args.data, file),
            alerts: args.alerts.or(file.alerts).unwrap_or_else(AlertFormat::for_stdout),
            commit_interval,
        })
    }
}

/// Longest time between commits: files that no commit names are deleted after an hour.
const COMMIT_INTERVAL_MAX: Duration = Duration::from_mins(30);

/// The folder of the tables.
pub fn data(arg: Option<String>, file: &File) -> String {
    arg.or_else(|| file.data.clone()).unwrap_or_else(|| DEFAULT_DATA.to_owned())
}

/// Which Kafka.
#[derive(Debug, Clone)]
pub struct Kafka {
    /// Bootstrap servers.
    pub brokers: String,
    /// Topic.
    pub topic: String,
    /// librdkafka properties, the command line's over the file's.
    pub properties: BTreeMap<String, String>,
}

impl Kafka {
    fn new(args: KafkaArgs, file: &File) -> Result<Self, UsageError> {
        let missing = |option: &str, example: &str| {
            UsageError::new(format!(
                "--{option} is missing; name it on the command line ({example}), as `{option}` in the \
                 configuration file or as FLOODMARK_{}",
                option.to_uppercase()
            ))
        };
        let mut properties: BTreeMap<String, String> =
            file.kafka.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
        properties.extend(args.kafka);
        Ok(Self {
            brokers: args
                .brokers
                .or_else(|| file.brokers.clone())
                .ok_or_else(|| missing("brokers", "--brokers kafka:9092"))?,
            topic: args
                .topic
                .or_else(|| file.topic.clone())
                .ok_or_else(|| missing("topic", "--topic edge"))?,
            properties,
        })
    }
}

/// What `scan` runs with.
#[derive(Debug, Clone)]
pub struct Scan {
    /// Files, in the order given.
    pub files: Vec<PathBuf>,
    /// Tables whose history tells what is ordinary before the first line.
    pub warm_from: Option<String>,
    /// How lines are read.
    pub decode: Decode,
    /// Where results go.
    pub output: Output,
}

impl Scan {
    /// Puts command line and file together.
    ///
    /// # Errors
    /// [`UsageError`] on a wrong value.
    pub fn new(args: ScanArgs, file: &File) -> Result<Self, UsageError> {
        Ok(Self {
            files: args.files,
            warm_from: args.warm_from.or_else(|| file.warm_from.clone()),
            decode: Decode::new(args.input, args.clients, &args.detect, file)?,
            output: Output::new(args.output, file)?,
        })
    }
}

/// What is done to the tables so that they stay fast.
///
/// # Errors
/// [`UsageError`] when a time is shorter than a day: rows go by whole days.
fn upkeep(args: &KeepArgs, file: &File) -> Result<Upkeep, UsageError> {
    let days = |name: &str, keep: Option<Duration>| {
        let Some(keep) = keep else { return Ok(None) };
        let kept = TimeDelta::from_std(keep).ok().filter(|keep| *keep >= TimeDelta::days(1));
        let kept = kept.filter(|keep| *keep <= KEEP_MAX);
        kept.map(Some).ok_or_else(|| {
            UsageError::new(format!(
                "--{name} must be from one day to a thousand years, such as 90d; leave it out to keep all rows"
            ))
        })
    };
    Ok(Upkeep {
        keep: days("keep", args.keep.or(file.keep))?,
        keep_findings: days("keep-findings", args.keep_findings.or(file.keep_findings))?,
        ..Upkeep::default()
    })
}

/// Longest time rows can be said to be kept.
const KEEP_MAX: TimeDelta = TimeDelta::days(366_000);

/// What `maintain` runs with.
#[derive(Debug, Clone)]
pub struct Maintain {
    /// Folder or URI of the tables.
    pub data: String,
    /// What is done to them.
    pub upkeep: Upkeep,
}

impl Maintain {
    /// Puts command line and file together.
    ///
    /// # Errors
    /// [`UsageError`] on a wrong value.
    pub fn new(args: MaintainArgs, file: &File) -> Result<Self, UsageError> {
        let upkeep = Upkeep { at_once: true, ..upkeep(&args.keep, file)? };
        Ok(Self { upkeep, data: data(args.data, file) })
    }
}

/// What `run` runs with.
#[derive(Debug, Clone)]
pub struct Run {
    /// Which Kafka.
    pub kafka: Kafka,
    /// Consumer group.
    pub group: String,
    /// Stop at the end offsets seen at start.
    pub exit_at_end: bool,
    /// Read a topic that the tables hold already.
    pub again: bool,
    /// Where monitors are answered.
    pub listen: Option<SocketAddr>,
    /// Where others are answered.
    pub serve: Option<Serve>,
    /// What is done to the tables meanwhile; `None` for nothing.
    pub upkeep: Option<Upkeep>,
    /// How lines are read.
    pub decode: Decode,
    /// Where results go.
    pub output: Output,
}

/// A port of the loopback address, or an address and a port.
///
/// - `option`: the option that it is given with.
pub(super) fn address(option: &str, text: &str) -> Result<SocketAddr, UsageError> {
    let port = text.parse().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    port.or_else(|_| text.parse()).map_err(|_| {
        UsageError::new(format!(
            "{option}: `{text}` is neither a port such as 9464, for this machine alone, nor an address and a port such as \
             0.0.0.0:9464"
        ))
    })
}

impl Run {
    /// Puts command line and file together.
    ///
    /// # Errors
    /// [`UsageError`] on a missing or wrong value.
    pub fn new(args: RunArgs, file: &File) -> Result<Self, UsageError> {
        let output = Output::new(args.output, file)?;
        let serves = args.serve || file.serve.beside_run.unwrap_or(false);
        let serve = serves.then(|| Serve::beside(output.data.clone(), file)).transpose()?;
        Ok(Self {
            kafka: Kafka::new(args.kafka, file)?,
            serve,
            group: args
                .group
                .or_else(|| file.group.clone())
                .unwrap_or_else(|| DEFAULT_GROUP.to_owned()),
            listen: args
                .listen
                .or_else(|| file.listen.clone())
                .as_deref()
                .map(|text| address("--listen", text))
                .transpose()?,
            again: args.again || file.again.unwrap_or(false),
            upkeep: Some(upkeep(&args.keep, file)?)
                .filter(|_| args.maintain.or(file.maintain).unwrap_or(true)),
            exit_at_end: args.exit_at_end || file.exit_at_end.unwrap_or(false),
            decode: Decode::new(args.input, args.clients, &args.detect, file)?,
            output,
        })
    }
}

/// What `ship` runs with.
#[derive(Debug, Clone)]
pub struct Ship {
    /// Files, in the order given.
    pub files: Vec<PathBuf>,
    /// Which Kafka.
    pub kafka: Kafka,
    /// Keep reading as the files grow.
    pub follow: bool,
    /// Where the places in followed files are kept.
    pub state: Option<PathBuf>,
    /// Lines a second, at most.
    pub rate: Option<u32>,
    /// How lines are read, to find the client that keys each.
    pub decoder: DecoderConfig,
}

impl Ship {
    /// Puts command line and file together.
    ///
    /// # Errors
    /// [`UsageError`] on a missing or wrong value.
    pub fn new(args: ShipArgs, file: &File) -> Result<Self, UsageError> {
        let rate = args.rate.or(file.rate);
        if rate == Some(0) {
            return Err(UsageError::new("--rate must be at least 1 line a second"));
        }
        // Who asked is found as it is when the topic is read; how much of him is kept is for then.
        let clients = clients::clients(&ClientArgs::default(), file)?;
        let decoder = DecoderConfig {
            clients: ClientsConfig {
                trusted_proxies: clients.trusted_proxies,
                ..ClientsConfig::default()
            },
            ..decoder(args.format, None, file)?
        };
        let follow = args.follow || file.follow.unwrap_or(false);
        if args.state.is_some() && !follow {
            return Err(UsageError::new("--state keeps places in followed files: add --follow"));
        }
        Ok(Self {
            files: args.files,
            kafka: Kafka::new(args.kafka, file)?,
            follow,
            state: args.state.or_else(|| file.state.clone()),
            rate,
            decoder,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_for_this_machine_alone() {
        let said = |text| address("--listen", text).map(|address| address.to_string()).ok();
        assert_eq!(said("9464").as_deref(), Some("127.0.0.1:9464"));
        assert_eq!(said("0.0.0.0:1").as_deref(), Some("0.0.0.0:1"));
        assert_eq!(said("[::1]:9464").as_deref(), Some("[::1]:9464"));
        assert_eq!(["", "x", "localhost", "99999", "1.2.3.4"].map(said), [const { None }; 5]);
    }

    #[test]
    fn the_zone_of_the_command_line_replaces_that_of_the_file() {
        let decode = |zone: Option<&str>, file: Option<&str>| {
            let args = InputArgs { time_zone: zone.map(str::to_owned), ..InputArgs::default() };
            let file = File { time_zone: file.map(str::to_owned), ..File::default() };
            Decode::new(args, ClientArgs::default(), &DetectArgs::default(), &file)
                .map(|decode| decode.decoder.time_zone)
        };
        let (berlin, kolkata) = ("Europe/Berlin".parse().unwrap(), "+05:30".parse().unwrap());
        assert_eq!(decode(None, Some("Europe/Berlin")).unwrap(), berlin);
        assert_eq!(decode(Some("+05:30"), Some("Europe/Berlin")).unwrap(), kolkata);
        let error = decode(None, Some("Berlin")).unwrap_err().to_string();
        assert!(error.starts_with("time-zone: `Berlin` is no time zone"), "{error}");
    }

    #[test]
    fn false_alarms_of_the_command_line_replace_those_of_the_file_and_both_are_checked() {
        let settle = |arg: Option<f64>, file: f64| {
            let detect = DetectConfig { false_alarms: file, ..DetectConfig::default() };
            let file = File { detect, ..File::default() };
            settings(&DetectArgs { false_alarms: arg }, &file)
                .map(|config| config.false_alarms)
                .map_err(|error| error.to_string())
        };
        assert_eq!((settle(None, 0.5), settle(Some(0.001), 0.5)), (Ok(0.5), Ok(0.001)));
        let said = |whence: &str, value: f64| {
            Err(format!(
                "{whence}: `false-alarms` is {value}, it must be between 0.000001 and 10, a site and day"
            ))
        };
        assert_eq!(settle(None, 0.0), said("in [detect]", 0.0));
        assert_eq!(settle(Some(100.0), 0.5), said("on the command line", 100.0));
    }
}

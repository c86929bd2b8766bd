//! The configuration file: TOML whose keys are the names of the options.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::UsageError;
use super::clients::{Allow, Anonymise};
use super::serve::ServeFile;
use crate::alerts::AlertFormat;

/// Everything the file may hold; what it leaves out has the default of the option.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "they are the keys of the file")]
pub struct File {
    /// `--format`
    pub format: Option<String>,
    /// `--time-zone`
    pub time_zone: Option<String>,
    /// `--host`
    pub host: Option<String>,
    /// `--trusted-proxy`
    #[serde(default)]
    pub trusted_proxies: Vec<String>,
    /// `--trusted-proxies-file`
    pub trusted_proxies_file: Option<PathBuf>,
    /// `--mmdb`
    #[serde(default)]
    pub mmdb: Vec<PathBuf>,
    /// `--anonymise`
    pub anonymise: Option<Anonymise>,
    /// `--anonymise-key-file`
    pub anonymise_key_file: Option<PathBuf>,
    /// `--w3c-fields`
    pub w3c_fields: Option<String>,
    /// `--data`
    pub data: Option<String>,
    /// `--warm-from`
    pub warm_from: Option<String>,
    /// `--alerts`
    pub alerts: Option<AlertFormat>,
    /// `--commit-interval`
    #[serde(default, deserialize_with = "duration")]
    pub commit_interval: Option<Duration>,
    /// `--brokers`
    pub brokers: Option<String>,
    /// `--topic`
    pub topic: Option<String>,
    /// `--group`
    pub group: Option<String>,
    /// `--exit-at-end`
    pub exit_at_end: Option<bool>,
    /// `--again`
    pub again: Option<bool>,
    /// `--listen`
    pub listen: Option<String>,
    /// `--maintain`
    pub maintain: Option<bool>,
    /// `--keep`
    #[serde(default, deserialize_with = "duration")]
    pub keep: Option<Duration>,
    /// `--keep-findings`
    #[serde(default, deserialize_with = "duration")]
    pub keep_findings: Option<Duration>,
    /// `--follow`
    pub follow: Option<bool>,
    /// `--state`
    pub state: Option<PathBuf>,
    /// `--rate`
    pub rate: Option<u32>,
    /// `--quiet`
    pub quiet: Option<bool>,
    /// `--log`
    pub log: Option<String>,
    /// `-X`: librdkafka properties.
    #[serde(default)]
    pub kafka: BTreeMap<String, Property>,
    /// `floodmark serve`.
    #[serde(default)]
    pub serve: ServeFile,
    /// How the fields of JSON lines map to columns.
    #[serde(default)]
    pub fields: decode::json::FieldMap,
    /// Who is never judged.
    #[serde(default)]
    pub allow: Allow,
    /// The detector's settings.
    #[serde(default)]
    pub detect: detect::DetectConfig,
}

/// A librdkafka property: text, or a number or boolean that is written as text.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Property {
    /// As librdkafka wants it.
    Text(String),
    /// `5000`
    Number(i64),
    /// `true`
    Boolean(bool),
}

impl std::fmt::Display for Property {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Boolean(boolean) => boolean.fmt(f),
        }
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map(Some).map_err(|error| {
        serde::de::Error::custom(format!("`{text}` is not a duration such as \"30s\": {error}"))
    })
}

/// Reads the configuration file, or gives the defaults where none is named.
///
/// # Errors
/// [`UsageError`] when the file cannot be read, is no TOML, or has an unknown key or a wrong value; the message
/// names the line.
pub fn load(path: Option<&Path>) -> Result<File, UsageError> {
    let Some(path) = path else { return Ok(File::default()) };
    let text = fs::read_to_string(path).map_err(|error| {
        UsageError::new(format!("cannot read the configuration {}: {error}", path.display()))
    })?;
    parse(&text).map_err(|error| {
        UsageError::new(format!("in the configuration {}: {error}", path.display()))
    })
}

fn parse(text: &str) -> Result<File, toml::de::Error> {
    toml::from_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commented example that documents every key.
    const EXAMPLE: &str = include_str!("../../floodmark.example.toml");

    /// Settings of the detector that nobody needs but its tests.
    const INNER: [&str; 6] = [
        "hash-key",
        "watermark-bound-us",
        "lateness-grace-us",
        "learning-us",
        "quiet-us",
        "reopen-us",
    ];

    #[test]
    fn the_example_is_valid_and_shows_every_key() {
        let file = parse(EXAMPLE).unwrap();
        assert_eq!(file.commit_interval, Some(super::super::DEFAULT_COMMIT_INTERVAL));
        assert_eq!(file.data.as_deref(), Some(super::super::DEFAULT_DATA));
        assert_eq!(file.group.as_deref(), Some(super::super::DEFAULT_GROUP));
        assert_eq!(file.detect, detect::DetectConfig::default());
        let serve = super::super::Serve::new(crate::args::ServeArgs::default(), &file).unwrap();
        assert_eq!(serve.limits, serve::answers::Limits::default());
        assert_eq!(serve.http.listen.len(), 1);
        for (section, least) in [("", 30), ("serve", 12), ("allow", 4), ("detect", 3)] {
            // The part of the section, up to the next.
            let header = format!("[{section}]\n");
            let part = if section.is_empty() {
                EXAMPLE.split_once("\n[").unwrap().0
            } else {
                let behind = EXAMPLE.split_once(&header).unwrap().1;
                behind.split_once("\n[").map_or(behind, |(part, _)| part)
            };
            let text = if section.is_empty() { String::new() } else { header };
            let refused = parse(&(text + "no-such-key = 1")).unwrap_err().to_string();
            let (_, keys) = refused.split_once("expected one of").unwrap();
            let keys: Vec<&str> = keys.split('`').skip(1).step_by(2).collect();
            assert!(keys.len() >= least, "{refused}");
            for key in keys.into_iter().filter(|key| !INNER.contains(key)) {
                let is_set = part.lines().any(|line| {
                    line.trim_start_matches("# ").starts_with(&format!("{key} = "))
                        || line.contains(&format!("[[{section}.{key}]]"))
                });
                assert!(is_set || EXAMPLE.contains(&format!("\n[{key}]\n")), "{section} {key}");
            }
        }
    }

    #[test]
    fn settings_of_the_detector_are_written_as_all_others() {
        let file =
            parse("[detect]\nfalse-alarms = 0.1\nquiet-us = 30000000\nlearning-us = 60000000")
                .unwrap();
        let detect = file.detect;
        assert_eq!((detect.quiet_us, detect.learning_us), (30_000_000, 60_000_000));
        assert!((detect.false_alarms - 0.1).abs() < 1e-12);
        assert!(parse("[detect]\nalarm_nats = 16").is_err());
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = parse("topic = 'edge'\nbroker = 'x'\n").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("broker"), "{error}");
    }

    #[test]
    fn kafka_properties_may_be_numbers_and_booleans() {
        let file = parse("[kafka]\n'a.b' = 5\nc = true\nd = 'x'\n").unwrap();
        let properties: Vec<String> = file.kafka.values().map(ToString::to_string).collect();
        assert_eq!(properties, ["5", "true", "x"]);
    }

    #[test]
    fn a_duration_without_unit_is_refused() {
        let error = parse("commit-interval = '30'").unwrap_err().to_string();
        assert!(error.contains("is not a duration such as"), "{error}");
    }
}

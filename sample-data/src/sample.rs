//! The shipped samples: which they are, how they are made, and their contents.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::config::{EventKind, Format, GenerateConfig, GenerateError, Scenario};
use crate::engine::generate;
use crate::truth::Truth;

/// Compression of the shipped files: they are written once and read often.
const LEVEL: i32 = 19;
/// Decoders accept windows up to 2²⁷ bytes without being asked.
const WINDOW_LOG: u32 = 27;

/// One shipped log.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Name of its file in `sample-data/files`; its truth has the same name with
    /// [`TRUTH_SUFFIX`] instead of all endings.
    pub file: &'static str,
    /// How it is made.
    pub config: GenerateConfig,
}

/// What a truth's file name ends with.
pub const TRUTH_SUFFIX: &str = ".truth.json";

/// File name of the sample that [`embedded_sample`] holds.
pub const EMBEDDED_SAMPLE_FILE: &str = "sample.ndjson.zst";

impl Sample {
    /// File name of its truth.
    pub fn truth_file(&self) -> String {
        let stem = self.file.split('.').next().unwrap_or(self.file);
        format!("{stem}{TRUTH_SUFFIX}")
    }
}

/// Every shipped log; the first is the one of `demo`.
pub fn samples() -> Vec<Sample> {
    let small = |format, hosts, events: &[EventKind]| GenerateConfig {
        seed: 2,
        duration_s: 1_200,
        rate: 7.0,
        hosts,
        format,
        scenario: Scenario::Events(events.to_vec()),
        ..GenerateConfig::default()
    };
    vec![
        Sample { file: EMBEDDED_SAMPLE_FILE, config: GenerateConfig::default() },
        Sample {
            file: "combined.log.zst",
            config: small(Format::Combined, 1, &[EventKind::HttpFlood]),
        },
        Sample {
            file: "vhost_combined.log.zst",
            config: small(Format::VhostCombined, 4, &[EventKind::ContentDiscovery]),
        },
        Sample {
            file: "nginx_json.ndjson.zst",
            config: small(Format::NginxJson, 4, &[EventKind::CredentialStuffing]),
        },
    ]
}

/// The sample of `demo`, compressed with Zstandard: Cloudflare Logpush lines of ordinary traffic on
/// several hosts with planted attacks.
pub fn embedded_sample() -> &'static [u8] {
    include_bytes!("../files/sample.ndjson.zst")
}

/// The truth of [`embedded_sample`], as JSON.
pub fn embedded_truth() -> &'static str {
    include_str!("../files/sample.truth.json")
}

/// The truth of [`embedded_sample`].
///
/// # Errors
/// When the embedded text is no [`Truth`]: a bug.
pub fn embedded_truth_parsed() -> serde_json::Result<Truth> {
    serde_json::from_str(embedded_truth())
}

/// Writes every shipped log and its truth into `folder`, which is created when it is missing.
///
/// # Errors
/// [`GenerateError::Write`] when a file cannot be written.
pub fn write_samples(folder: &Path) -> Result<Vec<Truth>, GenerateError> {
    fs::create_dir_all(folder)?;
    let mut truths = Vec::new();
    for sample in samples() {
        let file = fs::File::create(folder.join(sample.file))?;
        let mut encoder = zstd::Encoder::new(file, LEVEL)?;
        encoder.window_log(WINDOW_LOG)?;
        encoder.long_distance_matching(true)?;
        let truth = generate(&sample.config, &mut encoder)?;
        encoder.finish()?;
        let mut json = serde_json::to_string_pretty(&truth).map_err(io::Error::from)?;
        json.push('\n');
        fs::File::create(folder.join(sample.truth_file()))?.write_all(json.as_bytes())?;
        truths.push(truth);
    }
    Ok(truths)
}

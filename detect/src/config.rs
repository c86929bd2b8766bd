//! What an operator may set. The defaults are what the evaluation was run with.

use serde::{Deserialize, Serialize};

/// False alarms a site-day when nothing else is said: one in a hundred days of a site.
pub const DEFAULT_FALSE_ALARMS: f64 = 0.01;

/// Settings of the detector; durations in microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DetectConfig {
    /// Key of the hashes of traffic values. Fixed by default, so that results can be reproduced; set it to a
    /// secret where attackers may read this source.
    pub hash_key: u64,
    /// The watermark of a partition stays this far behind its newest record.
    pub watermark_bound_us: i64,
    /// A record at most this far behind the watermark counts at the watermark; a later one is only counted.
    pub lateness_grace_us: i64,
    /// History a host needs before its rate and composition are judged.
    pub learning_us: i64,
    /// False alarms allowed a site-day: by chance, while a host does what is ordinary for it. The evidence that each test
    /// needs follows from it; floors on what is anybody's harm do not move.
    pub false_alarms: f64,
    /// An incident without matching traffic for this long is closed.
    pub quiet_us: i64,
    /// An attack that returns this soon after the close of its incident continues it.
    pub reopen_us: i64,
    /// Paths that take credentials, besides those whose words or answers tell: `/api/session`, or `/sso/*` for all that
    /// begin so. What is written there counts as an attempt to log in.
    pub credential_paths: Vec<String>,
}

impl Default for DetectConfig {
    fn default() -> Self {
        Self {
            hash_key: 0x666c_6f6f_646d_6172,
            watermark_bound_us: 2_000_000,
            lateness_grace_us: 60_000_000,
            learning_us: 480_000_000,
            false_alarms: DEFAULT_FALSE_ALARMS,
            quiet_us: 60_000_000,
            reopen_us: 900_000_000,
            credential_paths: Vec::new(),
        }
    }
}

/// A setting is outside its range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{field}` is {value}, it must be {range}")]
pub struct ConfigError {
    /// Name of the setting.
    pub field: &'static str,
    /// Its value.
    pub value: String,
    /// What is allowed.
    pub range: &'static str,
}

impl DetectConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`ConfigError`] names the first setting outside its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let fail = |field, value: String, range| Err(ConfigError { field, value, range });
        for (field, value) in [
            ("watermark-bound-us", self.watermark_bound_us),
            ("lateness-grace-us", self.lateness_grace_us),
        ] {
            if !(0..=600_000_000).contains(&value) {
                return fail(field, value.to_string(), "between 0 and ten minutes (600000000)");
            }
        }
        for (field, value) in [
            ("learning-us", self.learning_us),
            ("quiet-us", self.quiet_us),
            ("reopen-us", self.reopen_us),
        ] {
            if !(10_000_000..=86_400_000_000).contains(&value) {
                return fail(
                    field,
                    value.to_string(),
                    "between ten seconds (10000000) and a day (86400000000)",
                );
            }
        }
        if let Some(path) = self.credential_paths.iter().find(|path| !path.starts_with('/')) {
            return fail("credential-paths", path.clone(), "a path that begins with `/`");
        }
        // Less would need evidence beyond what is accumulated; more is no detector.
        if !(1e-6..=10.0).contains(&self.false_alarms) {
            return fail(
                "false-alarms",
                self.false_alarms.to_string(),
                "between 0.000001 and 10, a site and day",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid_and_errors_name_the_setting() {
        DetectConfig::default().validate().unwrap();
        let config = DetectConfig { quiet_us: 1, ..DetectConfig::default() };
        assert_eq!(
            config.validate().unwrap_err().to_string(),
            "`quiet-us` is 1, it must be between ten seconds (10000000) and a day (86400000000)"
        );
        for wrong in [0.0, -1.0, 11.0, f64::NAN, f64::INFINITY] {
            let config = DetectConfig { false_alarms: wrong, ..DetectConfig::default() };
            assert_eq!(
                config.validate().unwrap_err().to_string(),
                format!(
                    "`false-alarms` is {wrong}, it must be between 0.000001 and 10, a site and day"
                )
            );
        }
    }
}

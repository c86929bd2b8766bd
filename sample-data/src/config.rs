//! What to generate.

use std::str::FromStr;

/// Microseconds since 1970 of 2026-03-02T09:00:00Z, a Monday: where runs start unless told otherwise.
pub const START_US: i64 = 1_772_442_000_000_000;

/// Kinds of sites there are; a run with more hosts has several of a kind.
pub const MODELS: usize = crate::models::MODELS.len();

/// Hosts of one run, at most.
pub const HOSTS_MAX: usize = 1_000;

/// Longest run, seconds: 31 days.
pub const DURATION_S_MAX: i64 = 31 * 86_400;

/// Seconds of ordinary traffic before the first event of a run that is long enough.
pub const WARM_UP_S: i64 = 720;

/// Why a run was not made.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// A value that makes no sense.
    #[error("cannot generate: {0}")]
    Config(String),
    /// The lines could not be written.
    #[error("cannot write generated lines")]
    Write(#[from] std::io::Error),
}

/// A name that is not among those known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no {what}; known are {known}")]
pub struct UnknownName {
    /// What was looked for.
    pub what: &'static str,
    /// The name given.
    pub name: String,
    /// The names there are.
    pub known: String,
}

macro_rules! names {
    ($(#[$doc:meta])* $name:ident ($what:literal) { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),* }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name on the command line and in the truth.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<Self, UnknownName> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(UnknownName {
                        what: $what,
                        name: text.to_owned(),
                        known: [$($text),*].join(", "),
                    }),
                }
            }
        }
    };
}

names! {
    /// How a line is written.
    Format ("format to generate") {
        /// Cloudflare Logpush `http_requests`, one JSON object a line.
        Cloudflare = "cloudflare",
        /// JSON as nginx's `log_format … escape=json` writes it.
        NginxJson = "nginx_json",
        /// nginx's and Apache's `combined`.
        Combined = "combined",
        /// Apache's `vhost_combined`: host and port first.
        VhostCombined = "vhost_combined",
        /// JSON whose keys are the columns of `requests`.
        Floodmark = "floodmark",
    }
}

names! {
    /// Something that happens to one site.
    EventKind ("event") {
        /// One server asks for one page as fast as it can.
        HttpFlood = "http_flood",
        /// Many infected machines ask for one page.
        HttpFloodDistributed = "http_flood_distributed",
        /// One server tries paths that may exist.
        ContentDiscovery = "content_discovery",
        /// Many machines try stolen names and passwords.
        CredentialStuffing = "credential_stuffing",
        /// Two servers guess passwords.
        BruteForce = "brute_force",
        /// Many machines ask for one page with ever new queries.
        CacheBusting = "cache_busting",
        /// Three servers copy the pages of a site, one after the other.
        Scraping = "scraping",
        /// Benign: many people follow one link.
        FlashCrowd = "flash_crowd",
        /// Benign: assets get new names, and pages kept elsewhere ask for the old ones.
        Deploy = "deploy",
        /// Benign: the origin answers with errors.
        OriginFault = "origin_fault",
    }
}

impl EventKind {
    /// Whether it is an attack.
    pub const fn is_attack(self) -> bool {
        !matches!(self, Self::FlashCrowd | Self::Deploy | Self::OriginFault)
    }

    /// First label of the site that it happens to when that site is there.
    pub(crate) const fn prefers(self) -> &'static str {
        match self {
            Self::HttpFlood => "docs",
            Self::HttpFloodDistributed | Self::OriginFault => "api",
            Self::ContentDiscovery | Self::Scraping => "shop",
            Self::CredentialStuffing => "accounts",
            Self::BruteForce => "forum",
            Self::CacheBusting | Self::Deploy => "news",
            Self::FlashCrowd => "tickets",
        }
    }

    /// How long it lasts, seconds.
    pub(crate) const fn lasts_s(self) -> i64 {
        match self {
            Self::HttpFlood | Self::HttpFloodDistributed => 100,
            Self::CacheBusting => 90,
            Self::OriginFault => 120,
            Self::ContentDiscovery | Self::BruteForce => 150,
            Self::CredentialStuffing => 200,
            Self::Scraping => 270,
            Self::FlashCrowd | Self::Deploy => 300,
        }
    }
}

/// What happens during a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scenario {
    /// Every event once, one after the other, after ordinary traffic.
    Sample,
    /// Ordinary traffic only.
    Quiet,
    /// As [`Scenario::Sample`]; with the defaults of [`GenerateConfig::bench`] a log for measuring speed.
    Bench,
    /// These events in this order.
    Events(Vec<EventKind>),
}

/// The order of events of [`Scenario::Sample`]: neighbours differ in host and nature.
const SAMPLE_EVENTS: [EventKind; 10] = [
    EventKind::HttpFlood,
    EventKind::ContentDiscovery,
    EventKind::OriginFault,
    EventKind::CredentialStuffing,
    EventKind::FlashCrowd,
    EventKind::CacheBusting,
    EventKind::BruteForce,
    EventKind::Deploy,
    EventKind::HttpFloodDistributed,
    EventKind::Scraping,
];

impl Scenario {
    /// The events, in order.
    pub fn events(&self) -> &[EventKind] {
        match self {
            Self::Sample | Self::Bench => &SAMPLE_EVENTS,
            Self::Quiet => &[],
            Self::Events(events) => events,
        }
    }
}

impl std::fmt::Display for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sample => f.write_str("sample"),
            Self::Quiet => f.write_str("quiet"),
            Self::Bench => f.write_str("bench"),
            Self::Events(events) => {
                let names: Vec<&str> = events.iter().map(|e| e.as_str()).collect();
                f.write_str(&names.join(","))
            }
        }
    }
}

impl FromStr for Scenario {
    type Err = UnknownName;

    /// `sample`, `quiet`, `bench`, or event names separated by commas.
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text {
            "sample" => Ok(Self::Sample),
            "quiet" => Ok(Self::Quiet),
            "bench" => Ok(Self::Bench),
            _ => text
                .split(',')
                .map(|name| name.trim().parse())
                .collect::<Result<_, _>>()
                .map(Self::Events),
        }
    }
}

/// What to generate: the same values give the same bytes, on every platform.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerateConfig {
    /// Draws other visitors, catalogues and attackers; the schedule stays.
    pub seed: u64,
    /// First instant of the log, microseconds since 1970, UTC.
    pub start_us: i64,
    /// Event time covered, seconds.
    pub duration_s: i64,
    /// Ordinary requests a second over all hosts, mean over a day.
    pub rate: f64,
    /// Number of hosts; the first [`MODELS`] are all different.
    pub hosts: usize,
    /// How lines are written.
    pub format: Format,
    /// What happens.
    pub scenario: Scenario,
    /// Stop after this many lines.
    pub lines_max: Option<u64>,
}

impl Default for GenerateConfig {
    /// The sample: 55 minutes of seven hosts with every event.
    fn default() -> Self {
        Self {
            seed: 1,
            start_us: START_US,
            duration_s: 3_300,
            rate: 40.0,
            hosts: MODELS,
            format: Format::Cloudflare,
            scenario: Scenario::Sample,
            lines_max: None,
        }
    }
}

impl GenerateConfig {
    /// A log of `lines` lines for measuring speed: 14 hosts, and as much traffic as it takes for
    /// every event to fall inside (below some 100,000 lines the log ends before the last ones).
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no exact count")]
    pub fn bench(lines: u64) -> Self {
        let config = Self::default();
        // Events add a little to what ordinary traffic makes in 3,300 s; the last lines are cut off.
        let rate = (lines as f64 / 3_500.0).clamp(5.0, 1e6);
        Self {
            rate,
            hosts: 2 * MODELS,
            scenario: Scenario::Bench,
            lines_max: Some(lines),
            ..config
        }
    }

    /// Whether the values make sense together.
    ///
    /// # Errors
    /// [`GenerateError::Config`] names the first value that does not.
    pub fn check(&self) -> Result<(), GenerateError> {
        let wrong = |text: String| Err(GenerateError::Config(text));
        if !(1..=DURATION_S_MAX).contains(&self.duration_s) {
            return wrong(format!(
                "the duration is {} s, not 1 to {DURATION_S_MAX}",
                self.duration_s
            ));
        }
        if !(1..=HOSTS_MAX).contains(&self.hosts) {
            return wrong(format!("{} hosts, not 1 to {HOSTS_MAX}", self.hosts));
        }
        if !(self.rate >= 0.01 && self.rate <= 1e6) {
            return wrong(format!("a rate of {} requests/s, not 0.01 to 1,000,000", self.rate));
        }
        // 1971 to 2200: years have four digits and times fit nanoseconds in 64 bits.
        if !(31_536_000_000_000..7_258_118_400_000_000).contains(&self.start_us) {
            return wrong("the start lies outside the years 1971 to 2199".to_owned());
        }
        let events = i64::try_from(self.scenario.events().len()).unwrap_or(i64::MAX);
        if events.saturating_mul(15) > self.duration_s - self.warm_up_s() - self.cool_down_s() {
            return wrong(format!(
                "{events} events do not fit into {} s; they need 15 s each between {} s and {} s of ordinary traffic",
                self.duration_s,
                self.warm_up_s(),
                self.cool_down_s()
            ));
        }
        Ok(())
    }

    /// Seconds after the time of the last event, so that what it left can die away.
    pub(crate) fn cool_down_s(&self) -> i64 {
        240.min(self.duration_s / 10)
    }

    /// Seconds of ordinary traffic before the first event.
    pub(crate) fn warm_up_s(&self) -> i64 {
        WARM_UP_S.min(self.duration_s * 6 / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_written() {
        for format in Format::ALL {
            assert_eq!(format.as_str().parse(), Ok(*format));
        }
        for text in ["sample", "quiet", "bench", "scraping,flash_crowd"] {
            assert_eq!(text.parse::<Scenario>().unwrap().to_string(), text);
        }
        let error = "sample,nonsense".parse::<Scenario>().unwrap_err();
        assert!(
            error.to_string().starts_with("`sample` is no event; known are http_flood,"),
            "{error}"
        );
    }

    #[test]
    fn nonsense_is_refused() {
        let with = |change: fn(&mut GenerateConfig)| {
            let mut config = GenerateConfig::default();
            change(&mut config);
            config.check().is_ok()
        };
        assert!(with(|_| ()));
        assert!(!with(|c| c.duration_s = 0));
        assert!(!with(|c| c.duration_s = 60));
        assert!(!with(|c| c.hosts = 0));
        assert!(!with(|c| c.rate = f64::NAN));
        assert!(!with(|c| c.start_us = i64::MAX));
        assert!(GenerateConfig::bench(5_000_000).check().is_ok());
    }
}

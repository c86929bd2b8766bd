//! The names of the log formats.

use std::fmt;
use std::str::FromStr;

macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A log format.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Format {
            $($(#[$doc])* $variant,)*
        }

        impl Format {
            /// Every format.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

formats! {
    /// Recognised from the lines.
    Auto = "auto",
    /// Cloudflare Logpush `http_requests`, NDJSON.
    Cloudflare = "cloudflare",
    /// nginx and Apache `combined`.
    Combined = "combined",
    /// Apache `common`: `combined` without referer and user agent.
    Common = "common",
    /// `combined` with the virtual host in front.
    VhostCombined = "vhost_combined",
    /// JSON lines with the keys given in the configuration.
    Json = "json",
    /// JSON lines with the column names of the `requests` table as keys.
    Floodmark = "floodmark",
    /// nginx with `escape=json`, in its usual spellings.
    NginxJson = "nginx_json",
    /// A `log_format` or `LogFormat` string given by the user.
    Custom = "custom",
}

impl Format {
    /// Every name that can be given with `--format`, for help texts.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().filter(|format| **format != Self::Custom).map(|format| format.name())
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A format name nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown log format `{0}`; known are {names}, or a log_format string with `$` or `%` variables", names = known())]
pub struct UnknownFormat(pub String);

fn known() -> String {
    Format::names().collect::<Vec<_>>().join(", ")
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let wanted = name.to_ascii_lowercase().replace('-', "_");
        Self::ALL
            .iter()
            .find(|format| **format != Self::Custom && format.name() == wanted)
            .copied()
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

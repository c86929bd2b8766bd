//! What is voted on: the attributes of a record, and the value it shows of each.

use serde::{Deserialize, Serialize};

use crate::math::hash::Hasher;
use crate::record::column::Column;
use crate::record::event::{Event, flag};

/// Facts about an event that its host and its source know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "facts that hold or not, each by itself")]
pub struct Facts {
    /// Refused, and the host is not known to serve the path, or does not have what was asked of it.
    pub probe: bool,
    /// What was asked for in vain: a path, or a path with its query; otherwise 0.
    pub asked: u64,
    /// The same, and no path of its shape is served either.
    pub guess: bool,
    /// The same, of what is only searched for.
    pub sought: bool,
    /// Its source reads pages without what a browser loads with them.
    pub bare: bool,
    /// Endpoint it wrote to; otherwise 0.
    pub endpoint: u64,
    /// It was refused, or answered as most writes to its endpoint are.
    pub usual_answer: bool,
    /// Refused for want of credentials, where its source has asked for the same for long and was not: how much that asked for in the
    /// hour before; otherwise 0.
    pub was_asked: u32,
    /// Sent by a page that its source has opened, with what belongs to it, and not by the form that it answers.
    pub on_page: bool,
}

/// What is voted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Attribute {
    /// User agent.
    UserAgent,
    /// JA4 fingerprint.
    Ja4,
    /// User agent and JA4 together.
    Software,
    /// /24 or /48.
    Prefix,
    /// Autonomous system.
    Asn,
    /// Referer: none, own host, elsewhere.
    Referer,
    /// Program, whatever its version; browsers aside.
    Program,
    /// Path, assets aside.
    Path,
    /// Path with the first query parameter.
    QueryKey,
    /// Path with a refusing status.
    Refusal,
    /// Hands over credentials.
    Credentials,
    /// Asks for what the host does not serve.
    Probe,
    /// Reads page after page and nothing a browser loads with them.
    Bare,
    /// Carries an attack in its path, query or user agent.
    Hostile,
}

impl Attribute {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::UserAgent,
        Self::Ja4,
        Self::Software,
        Self::Prefix,
        Self::Asn,
        Self::Referer,
        Self::Program,
        Self::Path,
        Self::QueryKey,
        Self::Refusal,
        Self::Credentials,
        Self::Probe,
        Self::Bare,
        Self::Hostile,
    ];

    /// Name in the evidence.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UserAgent => "user_agent",
            Self::Ja4 => "ja4",
            Self::Software => "user_agent+ja4",
            Self::Prefix => "source_prefix",
            Self::Asn => "client_asn",
            Self::Referer => "referer",
            Self::Program => "program",
            Self::Path => "path",
            Self::QueryKey => "path+query_key",
            Self::Refusal => "path+status",
            Self::Credentials => "credentials",
            Self::Probe => "unknown_path",
            Self::Bare => "pages_without_assets",
            Self::Hostile => "attack_text",
        }
    }

    /// Name of the evidence that a value of it drew more votes than usual.
    pub fn feature(self) -> String {
        format!("sources_with_one({})", self.name())
    }

    /// Whether it speaks of who sends rather than of what is asked for.
    pub const fn is_software_or_network(self) -> bool {
        matches!(
            self,
            Self::UserAgent | Self::Ja4 | Self::Software | Self::Program | Self::Prefix | Self::Asn
        )
    }

    /// Whether it tells what the senders run, where they are or how they read.
    pub const fn speaks_of_sender(self) -> bool {
        self.is_software_or_network() || matches!(self, Self::Bare)
    }

    /// Columns of the predicates that speak of it.
    pub const fn columns(self) -> &'static [Column] {
        use Column as C;
        match self {
            Self::UserAgent | Self::Program => &[C::UserAgent],
            Self::Ja4 => &[C::Ja4],
            Self::Software => &[C::UserAgent, C::Ja4],
            Self::Prefix | Self::Bare => &[C::Source],
            Self::Asn => &[C::Asn],
            Self::Referer => &[C::Referer],
            Self::Path => &[C::Path],
            Self::QueryKey => &[C::Path, C::Query],
            Self::Refusal => &[C::Path, C::Status],
            Self::Credentials => &[C::Path, C::Query, C::Method],
            Self::Probe => &[C::Status],
            Self::Hostile => &[C::Path, C::Query, C::UserAgent],
        }
    }

    /// Negative-binomial size of the votes: content comes in fashions, software does not.
    pub const fn size(self) -> f64 {
        match self {
            Self::UserAgent
            | Self::Ja4
            | Self::Software
            | Self::Program
            | Self::Prefix
            | Self::Asn => 10.0,
            Self::Referer => 20.0,
            Self::Path
            | Self::QueryKey
            | Self::Refusal
            | Self::Credentials
            | Self::Probe
            | Self::Bare
            | Self::Hostile => 4.0,
        }
    }

    /// The votes its own are a share of: what is asked for is a share of all that is asked for.
    pub const fn whole(self) -> usize {
        if self as usize > Self::Path as usize { Self::Path as usize } else { self as usize }
    }

    /// The value an event votes for.
    pub fn value(self, event: &Event, facts: Facts, hasher: &Hasher) -> u64 {
        match self {
            Self::Credentials => u64::from(event.has(flag::AUTH)),
            Self::Probe => u64::from(facts.guess),
            Self::Bare => u64::from(facts.bare),
            Self::Hostile => u64::from(event.has(flag::HOSTILE)),
            Self::UserAgent => event.user_agent.max(1),
            Self::Program => u64::from(event.program),
            Self::Ja4 => event.ja4,
            Self::Software if event.ja4 == 0 => 0,
            Self::Software => hasher.pair(event.user_agent, event.ja4),
            Self::Prefix => event.source.prefix().0,
            Self::Asn => u64::from(event.asn),
            Self::Referer => 1 + u64::from(event.flags & (flag::REFERER_NONE | flag::REFERER_OWN)),
            Self::Path if event.has(flag::ASSET) => 0,
            Self::Path => hasher.pair(event.path, u64::from(event.method)),
            Self::QueryKey if event.query_key == 0 => 0,
            Self::QueryKey => hasher.pair(event.path, event.query_key),
            Self::Refusal if event.status < 400 || event.has(flag::ASSET) => 0,
            Self::Refusal => hasher.pair(event.path, u64::from(event.status)),
        }
    }
}

/// Number of attributes.
pub const ATTRIBUTES: usize = Attribute::ALL.len();

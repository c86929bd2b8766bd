//! One request on its way to a log line: small, `Copy`, its texts as numbers into tables.

use crate::agent::AgentId;
use crate::network::Address;

/// Request method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Post,
    /// Bytes that are no HTTP request: a TLS hello on a plain port, say.
    Garbage,
}

impl Method {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Garbage => "",
        }
    }
}

/// Media type of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Html,
    Css,
    Script,
    Font,
    Picture,
    Json,
    Zip,
    Empty,
}

/// What the cache had to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cache {
    Hit,
    Miss,
    Expired,
    Revalidated,
    Dynamic,
}

impl Cache {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Expired => "expired",
            Self::Revalidated => "revalidated",
            Self::Dynamic => "dynamic",
        }
    }

    /// Whether the origin was asked.
    pub(crate) const fn asked_origin(self) -> bool {
        !matches!(self, Self::Hit)
    }
}

/// What follows the path that the site knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    Nothing,
    /// A decimal number.
    Number(u64),
    /// `?_=` and a number in hexadecimal, to miss the cache.
    Buster(u64),
    /// A guessed path, by number.
    Guess(u64),
}

/// Path and query: a text of the site and a tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uri {
    /// Index into the site's paths.
    pub(crate) path: u32,
    pub(crate) tail: Tail,
}

/// Where the client says it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Referer {
    Nothing,
    /// A page of the same site, by path.
    Own(u32),
    /// Elsewhere, index into [`ELSEWHERE`].
    Elsewhere(u8),
}

/// Pages elsewhere that link to the sites.
pub(crate) const ELSEWHERE: [&str; 5] = [
    "https://seek.example/",
    "https://www.seek.example/search",
    "https://social.example/",
    "https://links.example.org/daily",
    "https://mail.example.com/",
];

/// Index of the page in [`ELSEWHERE`] from which crowds come.
pub(crate) const CROWD_REFERER: u8 = 2;

/// Who asks: address, software and connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    pub(crate) address: Address,
    pub(crate) agent: AgentId,
    pub(crate) port: u16,
}

/// Label of background traffic.
pub(crate) const BACKGROUND: u16 = 0;

/// One request and its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) start_us: i64,
    pub(crate) end_us: i64,
    /// Number of the site.
    pub(crate) site: u16,
    /// 0 for background, else one more than the index of the event.
    pub(crate) event: u16,
    pub(crate) client: Client,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) referer: Referer,
    pub(crate) cache: Cache,
    pub(crate) status: u16,
    /// Bytes of the request and of the response, headers included.
    pub(crate) bytes: (u32, u32),
}

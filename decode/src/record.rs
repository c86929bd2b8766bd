//! The values found in one line, borrowed from it, before they become a row.

use super::ending::Ending;
use super::line::{Captured, Layout};

/// What a value of a line means. Several slots may feed one column; [`crate::row`] says how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// Event time in any supported notation.
    Time,
    /// Start of the request, where the line also has its end.
    Start,
    /// Calendar day, where day and time of day are apart.
    Date,
    /// Time of day, where day and time of day are apart.
    Clock,
    /// Edge node or point of presence.
    Edge,
    /// Address that spoke to the edge, possibly with port, brackets or zone; or a list as of `X-Forwarded-For`.
    ClientIp,
    /// Addresses that proxies vouch for: `X-Forwarded-For`, or `Forwarded`.
    ForwardedFor,
    /// One address that a proxy vouches for: `CF-Connecting-IP`, `X-Real-IP`, `True-Client-IP`.
    RealIp,
    /// Autonomous system number of the client.
    Asn,
    /// Country of the client.
    Country,
    /// Request method.
    Method,
    /// `http` or `https`.
    Scheme,
    /// Requested host, possibly with port.
    Host,
    /// Whole request line: method, target, protocol.
    Request,
    /// Request target: path with query, or an absolute URL.
    Uri,
    /// Path without query.
    Path,
    /// Query with or without `?`.
    Query,
    /// Protocol version.
    Protocol,
    /// Response status code.
    Status,
    /// Bytes received.
    RequestBytes,
    /// Bytes sent.
    ResponseBytes,
    /// Time to serve, in the unit of the format.
    Duration,
    /// User-Agent header.
    UserAgent,
    /// Referer header.
    Referer,
    /// Cache outcome.
    CacheStatus,
    /// JA3 fingerprint.
    Ja3,
    /// JA4 fingerprint.
    Ja4,
    /// The edge's own id of the request.
    RequestId,
    /// What tells whether the request was broken off, in the words of its format.
    Aborted,
    /// What kind of record it says it is, where a log has several.
    Kind,
    /// A whole line of another format, carried inside this one.
    Inner,
}

/// Number of slots.
pub const SLOTS: usize = Slot::Inner as usize + 1;

impl Slot {
    /// Every slot with the name it has in configuration files, in order.
    pub const NAMES: [(&'static str, Self); SLOTS] = [
        ("ts", Self::Time),
        ("start", Self::Start),
        ("date", Self::Date),
        ("clock", Self::Clock),
        ("edge", Self::Edge),
        ("client_ip", Self::ClientIp),
        ("forwarded_for", Self::ForwardedFor),
        ("real_ip", Self::RealIp),
        ("client_asn", Self::Asn),
        ("client_country", Self::Country),
        ("method", Self::Method),
        ("scheme", Self::Scheme),
        ("host", Self::Host),
        ("request", Self::Request),
        ("uri", Self::Uri),
        ("path", Self::Path),
        ("query", Self::Query),
        ("protocol", Self::Protocol),
        ("status", Self::Status),
        ("request_bytes", Self::RequestBytes),
        ("response_bytes", Self::ResponseBytes),
        ("duration", Self::Duration),
        ("user_agent", Self::UserAgent),
        ("referer", Self::Referer),
        ("cache_status", Self::CacheStatus),
        ("ja3", Self::Ja3),
        ("ja4", Self::Ja4),
        ("request_id", Self::RequestId),
        ("aborted", Self::Aborted),
        ("kind", Self::Kind),
        ("message", Self::Inner),
    ];

    /// The slot of that name; the column name `duration_us` is accepted for `duration`.
    pub fn named(name: &str) -> Option<Self> {
        let name = if name == "duration_us" { "duration" } else { name };
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, slot)| *slot)
    }

    /// Whether the beginning of a value says something: of an address, a number or a name it is another one.
    pub(crate) const fn may_be_cut(self) -> bool {
        matches!(
            self,
            Self::Request | Self::Uri | Self::Path | Self::Query | Self::UserAgent | Self::Referer
        )
    }

    /// Whether two values of it make a record worthless.
    pub(crate) const fn is_contestable(self) -> bool {
        CONTESTABLE & self.bit() != 0
    }

    const fn bit(self) -> u64 {
        1 << self as u64
    }
}

/// Slots of which two values make a record worthless: times and hosts are written twice by collectors, these are not.
const CONTESTABLE: u64 = Slot::ClientIp.bit()
    | Slot::Method.bit()
    | Slot::Request.bit()
    | Slot::Uri.bit()
    | Slot::Path.bit()
    | Slot::Status.bit();

/// How the text of a value is escaped in the line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Escape {
    /// Not at all.
    #[default]
    None,
    /// JSON string escapes.
    Json,
    /// nginx and Apache: `\xXX`, `\"`, `\\`.
    Backslash,
    /// CloudFront: `%XX`.
    Percent,
    /// IIS: a blank is written `+`.
    Plus,
    /// `HAProxy`: `#XX`.
    Hash,
    /// CSV: a quote is written twice.
    Doubled,
    /// Akamai: a path without the slash it begins with.
    Rooted,
}

/// Unit of a duration or of a numeric timestamp.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Unit {
    /// Told from the notation: a suffix (`ms`), or the magnitude of a timestamp; seconds otherwise.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// Seconds, fractions allowed.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds, fractions allowed.
    #[serde(rename = "ms")]
    Millis,
    /// Microseconds.
    #[serde(rename = "us")]
    Micros,
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanos,
    /// None: a date of three numbers, of which the day stands first.
    #[serde(skip)]
    DayFirst,
    /// None: a date of three numbers, of which the month stands first.
    #[serde(skip)]
    MonthFirst,
}

/// A value as it stands in the line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Value<'a> {
    /// Text between the delimiters.
    pub text: &'a str,
    /// How it is escaped.
    pub escape: Escape,
    /// Unit, for durations and numeric times.
    pub unit: Unit,
    /// Preference among the keys that feed one slot; the lowest wins.
    pub rank: u8,
}

/// What a text is that stands where the client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Not looked at, or nothing that can be one.
    Unknown,
    /// An address in plain spelling.
    Plain,
    /// An address in another spelling, a name, a socket.
    Sound,
}

/// The values of one line.
#[derive(Debug)]
pub struct Record<'a> {
    values: [Value<'a>; SLOTS],
    present: u64,
    empty: u64,
    /// Slots for which two values were met of which none is preferred.
    contested: u64,
    /// The line ended, or stopped making sense, before its format did.
    pub truncated: bool,
    /// It comes from a line of text, where a value that cannot be read is one that was looked for at the wrong place.
    pub is_text: bool,
    /// What is known of the text that stands where the client does.
    pub peer: Peer,
    /// How its format tells that a request was broken off.
    pub ending: Ending,
    /// What stood at the places of captured headers in the lines before.
    pub layout: Layout,
    /// What stands there in this one.
    pub captured: Captured,
}

impl Default for Record<'_> {
    #[inline]
    fn default() -> Self {
        Self {
            values: [Value::default(); SLOTS],
            present: 0,
            empty: 0,
            contested: 0,
            truncated: false,
            is_text: false,
            peer: Peer::Unknown,
            ending: Ending::Unsaid,
            layout: Layout::default(),
            captured: Captured::NONE,
        }
    }
}

impl<'a> Record<'a> {
    /// Makes it that of another line: values that are not present are never looked at.
    #[inline]
    pub const fn clear(&mut self) {
        (self.present, self.empty, self.contested) = (0, 0, 0);
        self.truncated = false;
        (self.is_text, self.peer, self.captured) = (false, Peer::Unknown, Captured::NONE);
    }

    /// Keeps a value, unless a preferred one is there. Empty text and `-` count as absent, but are remembered
    /// as [seen empty](Self::was_seen).
    #[expect(
        clippy::inline_always,
        reason = "a call for every value of a line costs a tenth of it"
    )]
    #[inline(always)]
    pub fn set(&mut self, slot: Slot, value: Value<'a>) {
        // Field by field: as a whole it is put together in memory byte by byte and read back at once, which takes a
        // twentieth of a line in `combined`.
        let Value { text, escape, unit, rank } = value;
        if text.is_empty() || text == "-" {
            self.empty |= slot.bit();
        } else if self.present & slot.bit() != 0 {
            self.set_again(slot, text, (escape, unit, rank));
        } else if let Some(place) = self.values.get_mut(slot as usize) {
            place.text = text;
            place.escape = escape;
            place.unit = unit;
            place.rank = rank;
            self.present |= slot.bit();
        }
    }

    /// The same where a value is there already. Apart from what most values need.
    #[inline(never)]
    fn set_again(&mut self, slot: Slot, text: &'a str, (escape, unit, rank): (Escape, Unit, u8)) {
        let Some(place) = self.values.get_mut(slot as usize) else { return };
        if rank < place.rank {
            *place = Value { text, escape, unit, rank };
            self.contested &= !slot.bit();
        } else if rank == place.rank && text != place.text {
            self.contested |= slot.bit();
        }
    }

    /// Whether it says two things of what a request is known by: who asked, what for, and how it was answered.
    #[inline]
    pub const fn contradicts_itself(&self) -> bool {
        self.contested & CONTESTABLE != 0
    }

    /// Takes out the values that are contradicted: nobody can tell which of two is the writer's own.
    #[cold]
    pub const fn withhold_contested(&mut self) {
        let contested = self.contested & CONTESTABLE;
        self.present &= !contested;
        self.empty |= contested;
    }

    /// Whether some of it may be missing: it ended too early, or values that contradict each other were
    /// [taken out](Self::withhold_contested), as those of JSON are.
    #[inline]
    pub const fn is_partial(&self) -> bool {
        self.truncated || (!self.is_text && self.contradicts_itself())
    }

    /// What is contradicted so far, to be [put back](Self::set_contested) behind a list, of which the first entry counts.
    pub(crate) const fn contested(&self) -> u64 {
        self.contested
    }

    /// See [`contested`](Self::contested).
    pub(crate) const fn set_contested(&mut self, contested: u64) {
        self.contested = contested;
    }

    /// The value of a slot, if the line had one.
    #[inline]
    pub fn get(&self, slot: Slot) -> Option<&Value<'a>> {
        if self.present & slot.bit() == 0 { None } else { self.values.get(slot as usize) }
    }

    /// Whether somebody says that another than the peer asked: who forwards for nobody but himself claims nothing.
    #[inline]
    pub(crate) fn claims_another_client(&self) -> bool {
        let peer = self.get(Slot::ClientIp).map(|value| value.text);
        let is_other = |list: &Value<'_>| peer != Some(list.text);
        self.get(Slot::ForwardedFor).is_some_and(is_other) || self.get(Slot::RealIp).is_some()
    }

    /// Whether the line had the slot's field, empty or not.
    #[inline]
    pub const fn was_seen(&self, slot: Slot) -> bool {
        (self.present | self.empty) & slot.bit() != 0
    }

    /// Remembers a field as seen empty.
    pub(crate) const fn note_empty(&mut self, slot: Slot) {
        self.empty |= slot.bit();
    }

    /// Takes a value out again; its field was seen.
    pub(crate) const fn take_out(&mut self, slot: Slot) {
        self.present &= !slot.bit();
        self.empty |= slot.bit();
    }

    /// Takes values out behind which a line does not go on, if their beginning is another value.
    #[cold]
    pub(crate) fn take_out_cut(&mut self, is_last: impl Fn(&str) -> bool) {
        for (_, slot) in Slot::NAMES {
            if !slot.may_be_cut() && self.get(slot).is_some_and(|value| is_last(value.text)) {
                self.take_out(slot);
            }
        }
    }

    /// Whether the line says anything about a request. A client and a time are in records of any kind.
    #[inline]
    pub const fn has_request(&self) -> bool {
        const PARTS: u64 = Slot::Request.bit()
            | Slot::Uri.bit()
            | Slot::Path.bit()
            | Slot::Method.bit()
            | Slot::Status.bit();
        (self.present | self.empty) & PARTS != 0
    }

    /// Whether it says more of a request than a record of another kind could: the request line; a target with a method or a
    /// status; of a line of text, where the format names the places, a target that is none of dashes.
    #[inline]
    pub(crate) const fn has_sure_request(&self) -> bool {
        const TARGETS: u64 = Slot::Uri.bit() | Slot::Path.bit();
        const BESIDE: u64 = Slot::Method.bit() | Slot::Status.bit();
        let seen = self.present | self.empty;
        // Of a line of text every place is seen, whatever stands there.
        let beside = if self.is_text { self.present & TARGETS } else { seen & BESIDE };
        seen & Slot::Request.bit() != 0 || (seen & TARGETS != 0 && beside != 0)
    }

    /// Declares how the values of some slots are escaped, where their line does not say.
    pub fn escape_with(&mut self, slots: &[Slot], escape: Escape) {
        for slot in slots {
            if let Some(value) = self.values.get_mut(*slot as usize)
                && value.escape == Escape::None
            {
                value.escape = escape;
            }
        }
    }

    /// Number of slots with a value.
    pub const fn filled(&self) -> u32 {
        self.present.count_ones()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_slot_order() {
        assert!(Slot::NAMES.iter().enumerate().all(|(i, (_, slot))| *slot as usize == i));
        assert_eq!(Slot::named("duration_us"), Some(Slot::Duration));
    }
}

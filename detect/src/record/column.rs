//! The columns of `requests` that a predicate may speak of: one row of data for each.

use serde::{Deserialize, Serialize};

use crate::record::event::{Event, flag};
use crate::record::names::{Names, is_cut};
use crate::record::source::Source;

/// A column of `requests`, as far as a record shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Column {
    /// User agent.
    UserAgent,
    /// JA4 fingerprint.
    Ja4,
    /// Path.
    Path,
    /// Query.
    Query,
    /// Method.
    Method,
    /// Status.
    Status,
    /// Client address.
    Source,
    /// Autonomous system.
    Asn,
    /// Country.
    Country,
    /// Referer.
    Referer,
}

/// What is known of a column.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// Its name in the table.
    pub name: &'static str,
    /// What a record shows of it: the hash of a text, a number, a source; 0 for none.
    pub of: fn(&Event) -> u64,
    /// How its values are read.
    pub kind: Values,
    /// Beginnings of its texts that a record shows, each the hash of a text that all which begin with it show; 0 for
    /// none.
    pub beginnings: &'static [fn(&Event) -> u64],
}

/// How the values of a column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Hashes of texts; these texts, and null, are none.
    Text {
        /// What counts as no text.
        none: &'static [&'static str],
    },
    /// Numbers below the one at which records saturate; whether 0 is null and nothing else.
    Number {
        /// No record shows this or more as it was logged.
        end: u64,
        /// Whether 0 stands for null alone.
        zero_is_null: bool,
    },
    /// Two letters or digits; of other texts, and null, nothing is known.
    Code,
    /// Sources.
    Source,
}

const TEXT: Values = Values::Text { none: &[""] };

impl Column {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::UserAgent,
        Self::Ja4,
        Self::Path,
        Self::Query,
        Self::Method,
        Self::Status,
        Self::Source,
        Self::Asn,
        Self::Country,
        Self::Referer,
    ];

    /// The table of columns.
    pub const fn facts(self) -> Facts {
        const fn row(name: &'static str, kind: Values, of: fn(&Event) -> u64) -> Facts {
            Facts { name, of, kind, beginnings: &[] }
        }
        let status = Values::Number { end: (1 << 16) - 1, zero_is_null: true };
        let asn = Values::Number { end: (1 << 32) - 1, zero_is_null: false };
        let referer = Values::Text { none: &["", "-"] };
        match self {
            Self::UserAgent => row("user_agent", TEXT, |event| event.user_agent),
            Self::Ja4 => row("ja4", TEXT, |event| event.ja4),
            Self::Path => Facts {
                beginnings: &[|event| event.folders[0], |event| event.folders[1]],
                ..row("path", TEXT, |event| event.path)
            },
            Self::Query => Facts {
                beginnings: &[|event| event.query_key],
                ..row("query", TEXT, |event| event.query)
            },
            Self::Method => row("method", TEXT, |event| u64::from(event.method)),
            Self::Status => row("status", status, |event| u64::from(event.status)),
            Self::Source => row("client_ip", Values::Source, |event| event.source.0),
            Self::Asn => row("client_asn", asn, |event| u64::from(event.asn)),
            Self::Country => row("client_country", Values::Code, |event| u64::from(event.country)),
            Self::Referer => {
                row("referer", referer, |event| u64::from(!event.has(flag::REFERER_NONE)))
            }
        }
    }

    /// Its name in the table.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// What a record shows of it.
    pub fn of(self, event: &Event) -> u64 {
        (self.facts().of)(event)
    }

    /// What selects the records that show a value, and no others; `None` where nothing known does.
    pub fn test(self, value: u64, names: &Names) -> Option<Test<'_>> {
        match self.facts().kind {
            Values::Text { .. } if value == 0 => Some(Test::Absent),
            Values::Text { .. } => names.get(value).map(Test::of_text),
            Values::Number { zero_is_null, .. } if value == 0 => {
                zero_is_null.then_some(Test::Absent)
            }
            Values::Number { end, .. } => (value < end).then_some(Test::Number(value)),
            Values::Code => Test::of_code(value),
            Values::Source => Test::of_source(Source(value), names),
        }
    }
}

/// A test of one column, with its texts: what a renderer writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test<'a> {
    /// Null, or a text that counts as none.
    Absent,
    /// This text.
    Is(&'a str),
    /// A text that begins so.
    Begins(&'a str),
    /// This number.
    Number(u64),
    /// These two letters or digits.
    Code([u8; 2]),
    /// An address in an IPv4 network: its address and the length of its prefix.
    V4(u32, u8),
    /// An address in an IPv6 network: the upper half of its address and the length of its prefix, at most 64.
    V6(u64, u8),
}

impl<'a> Test<'a> {
    fn of_text(text: &'a str) -> Self {
        if is_cut(text) { Test::Begins(text) } else { Test::Is(text) }
    }

    fn of_code(value: u64) -> Option<Self> {
        let code = u16::try_from(value).ok().filter(|code| *code != 0)?;
        Some(Test::Code(code.to_be_bytes()))
    }

    fn of_source(source: Source, names: &'a Names) -> Option<Self> {
        match source.as_v4() {
            _ if source == Source::UNKNOWN => None,
            Some(address) => Some(Test::V4(address, 32)),
            None if source.is_named() => names.get(source.0).map(Self::of_text),
            None => Some(Test::V6(source.0, 64)),
        }
    }

    /// The /24 or /48 of a source that is an address.
    pub fn of_prefix(source: Source) -> Option<Self> {
        let prefix = source.prefix();
        match prefix.as_v4() {
            _ if prefix.is_named() => None,
            Some(address) => Some(Test::V4(address, 24)),
            None => Some(Test::V6(prefix.0, 48)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::event::country_code;

    #[test]
    fn every_column_is_one_of_the_table() {
        let requests: Vec<_> =
            schemas::tables::REQUESTS.row_columns().map(|column| column.name).collect();
        for column in Column::ALL {
            assert!(requests.contains(&column.name()), "{column:?}");
        }
    }

    #[test]
    fn what_saturates_or_is_unknown_has_no_test() {
        let names = Names::default();
        assert_eq!(Column::Status.test(0, &names), Some(Test::Absent));
        assert_eq!(Column::Status.test(499, &names), Some(Test::Number(499)));
        assert_eq!(Column::Status.test(u64::from(u16::MAX), &names), None);
        assert_eq!(Column::Asn.test(0, &names), None);
        assert_eq!(Column::Asn.test(u64::from(u32::MAX), &names), None);
        assert_eq!(Column::UserAgent.test(7, &names), None);
        assert_eq!(Column::Country.test(0, &names), None);
        let german = u64::from(country_code("DE"));
        assert_eq!(Column::Country.test(german, &names), Some(Test::Code(*b"DE")));
        assert_eq!(Column::Source.test(0, &names), None);
        assert_eq!(Column::Referer.test(0, &names), Some(Test::Absent));
        assert_eq!(Column::Referer.test(1, &names), None);
    }
}

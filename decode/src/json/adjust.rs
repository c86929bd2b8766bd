//! Keys whose text is not quite the value they hold.

use super::keys::{FieldMap, keys_of, marks};
use crate::record::{Escape, Record, Slot, Unit, Value};

/// How the text of a value is changed before it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Adjust {
    /// See [`marks::WHOLE_MILLIS`].
    WholeMillis,
    /// See [`marks::MILLIS`].
    Millis,
    /// See [`marks::MICROS`].
    Micros,
    /// See [`marks::NANOS`].
    Nanos,
    /// See [`marks::WITH_UNIT`].
    WithUnit,
    /// See [`marks::LAST_OF_LIST`].
    LastOfList,
    /// See [`marks::GATEWAY_QUERY`].
    GatewayQuery,
    /// See [`marks::SPAN_KIND`].
    SpanKind,
    /// See [`marks::ROOTED`].
    Rooted,
    /// See [`marks::TARGET`].
    Target,
}

/// The mark of each.
const MARKS: [(&str, Adjust); 10] = [
    (marks::SPAN_KIND, Adjust::SpanKind),
    (marks::ROOTED, Adjust::Rooted),
    (marks::TARGET, Adjust::Target),
    (marks::WHOLE_MILLIS, Adjust::WholeMillis),
    (marks::MILLIS, Adjust::Millis),
    (marks::MICROS, Adjust::Micros),
    (marks::NANOS, Adjust::Nanos),
    (marks::WITH_UNIT, Adjust::WithUnit),
    (marks::LAST_OF_LIST, Adjust::LastOfList),
    (marks::GATEWAY_QUERY, Adjust::GatewayQuery),
];

impl Adjust {
    /// How the values of a key are changed, if they are.
    pub(super) fn of(key: &str, fields: &FieldMap) -> Option<Self> {
        let is_marked = |mark: &str| keys_of(fields, mark).iter().any(|marked| marked == key);
        MARKS.into_iter().find(|(mark, _)| is_marked(mark)).map(|(_, adjust)| adjust)
    }

    /// The value that a text stands for, if for any.
    pub(crate) fn apply(self, value: Value<'_>) -> Option<Value<'_>> {
        let text = value.text;
        Some(match self {
            Self::WholeMillis if text.contains('.') => value,
            Self::WholeMillis | Self::Millis => Value { unit: Unit::Millis, ..value },
            Self::Micros => Value { unit: Unit::Micros, ..value },
            Self::Nanos => Value { unit: Unit::Nanos, ..value },
            Self::WithUnit if !text.ends_with('s') => return None,
            Self::LastOfList => {
                Value { text: text.rsplit(',').next().unwrap_or(text).trim_ascii(), ..value }
            }
            Self::SpanKind if is_asking(text) => value,
            Self::SpanKind => Value { text: "", ..value },
            Self::GatewayQuery => Value { text: without_gateway_query(text), ..value },
            Self::Target if !text.starts_with('/') || text.contains([' ', '\\']) => return None,
            Self::Rooted
                if value.escape == Escape::None
                    && !text.starts_with(['/', '*', '?'])
                    && !text.contains("://") =>
            {
                Value { escape: Escape::Rooted, ..value }
            }
            Self::Rooted | Self::Target | Self::WithUnit => value,
        })
    }
}

/// Azure's gateway writes seconds as version 2, which gives each request an id, and milliseconds as version 1 ("Monitoring
/// data reference", access log): a number without a fraction may be either.
#[inline]
pub(super) fn tell_unit(record: &mut Record<'_>) {
    if let Some(value) = record.get(Slot::Duration)
        && value.unit == Unit::Millis
        && record.get(Slot::RequestId).is_some()
    {
        let value = Value { unit: Unit::Seconds, ..*value };
        record.take_out(Slot::Duration);
        record.set(Slot::Duration, value);
    }
}

/// Whether a span is of one who asks, and sends or takes messages, and not of a server that is asked: OTLP's numbers, their
/// names, and those of the SDKs. Suricata's records of other kinds repeat a request, perhaps from the side of its answer.
fn is_asking(kind: &str) -> bool {
    let name = kind.strip_prefix("SPAN_KIND_").unwrap_or(kind);
    let kinds =
        ["3", "4", "5", "client", "producer", "consumer", "alert", "anomaly", "drop", "fileinfo"];
    kinds.iter().any(|asking| name.eq_ignore_ascii_case(asking))
}

/// A query without the parameters behind it that Azure's gateway, version 1, adds to it in its log: one of them is
/// another in each line.
fn without_gateway_query(query: &str) -> &str {
    let own = query.split("X-AzureApplicationGateway-").next().unwrap_or(query);
    own.strip_suffix('&').unwrap_or(own)
}

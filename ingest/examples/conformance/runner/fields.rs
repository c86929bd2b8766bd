//! Which column an expected value is about, by the names it goes by elsewhere.

use ingest::decode::record::Unit;

/// How an expected value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// Text of a column, with or without the escapes of the log.
    Text(&'static str),
    /// The same, whatever the case.
    Folded(&'static str),
    /// `client_ip`, in any notation.
    Address,
    /// `host`, with or without port.
    Host,
    /// A path, with its query or without, a whole URL or a whole request line.
    Target,
    /// The query, with or without `?`.
    Query,
    /// A count.
    Number(&'static str),
    /// `status`; 0 means none.
    Status,
    /// `ts`, in any notation.
    Time,
    /// `duration_us`, given in this unit.
    Duration(Unit),
    /// `malformed`.
    Malformed,
}

/// Names, in lower case and with `_` for other signs, and what they mean.
const NAMES: &[(&str, Field)] = &[
    ("ts", Field::Time),
    ("time", Field::Time),
    ("time_local", Field::Time),
    ("time_iso8601", Field::Time),
    ("timestamp", Field::Time),
    ("client_ip", Field::Address),
    ("clientip", Field::Address),
    ("source_ip", Field::Address),
    ("src_ip", Field::Address),
    ("remote_addr", Field::Address),
    ("remote_ip", Field::Address),
    ("ip", Field::Address),
    ("c_ip", Field::Address),
    ("client_asn", Field::Number("client_asn")),
    ("asn", Field::Number("client_asn")),
    ("client_country", Field::Folded("client_country")),
    ("country", Field::Folded("client_country")),
    ("edge", Field::Text("edge")),
    ("pop", Field::Text("edge")),
    ("method", Field::Text("method")),
    ("verb", Field::Text("method")),
    ("http_verb", Field::Text("method")),
    ("http_method", Field::Text("method")),
    ("request_method", Field::Text("method")),
    ("cs_method", Field::Text("method")),
    ("scheme", Field::Folded("scheme")),
    ("host", Field::Host),
    ("http_host", Field::Host),
    ("vhost", Field::Host),
    ("domain", Field::Host),
    ("server_name", Field::Host),
    ("target_fqdn", Field::Host),
    ("path", Field::Target),
    ("http_path", Field::Target),
    ("request", Field::Target),
    ("request_uri", Field::Target),
    ("uri", Field::Target),
    ("url", Field::Target),
    ("target", Field::Target),
    ("query", Field::Query),
    ("query_string", Field::Query),
    ("args", Field::Query),
    ("http_args", Field::Query),
    ("protocol", Field::Text("protocol")),
    ("server_protocol", Field::Text("protocol")),
    ("status", Field::Status),
    ("status_code", Field::Status),
    ("response_code", Field::Status),
    ("response_status", Field::Status),
    ("http_status", Field::Status),
    ("sc_status", Field::Status),
    ("request_bytes", Field::Number("request_bytes")),
    ("request_length", Field::Number("request_bytes")),
    ("bytes_received", Field::Number("request_bytes")),
    ("cs_bytes", Field::Number("request_bytes")),
    ("response_bytes", Field::Number("response_bytes")),
    ("bytes", Field::Number("response_bytes")),
    ("bytes_sent", Field::Number("response_bytes")),
    ("body_bytes_sent", Field::Number("response_bytes")),
    ("sc_bytes", Field::Number("response_bytes")),
    ("duration_s", Field::Duration(Unit::Seconds)),
    ("request_time", Field::Duration(Unit::Seconds)),
    ("duration_ms", Field::Duration(Unit::Millis)),
    ("duration_us", Field::Duration(Unit::Micros)),
    ("duration_ns", Field::Duration(Unit::Nanos)),
    ("user_agent", Field::Text("user_agent")),
    ("http_user_agent", Field::Text("user_agent")),
    ("useragent", Field::Text("user_agent")),
    ("agent", Field::Text("user_agent")),
    ("referer", Field::Text("referer")),
    ("referrer", Field::Text("referer")),
    ("http_referer", Field::Text("referer")),
    ("http_referrer", Field::Text("referer")),
    ("cache_status", Field::Folded("cache_status")),
    ("ja3", Field::Text("ja3")),
    ("ja4", Field::Text("ja4")),
    ("request_id", Field::Text("request_id")),
    ("malformed", Field::Malformed),
];

/// What a name means; `None` for one nobody knows.
pub(crate) fn field_of(name: &str) -> Option<Field> {
    let name = name.to_ascii_lowercase().replace(['-', '.', ' '], "_");
    let name = name.strip_prefix("parsed_").unwrap_or(&name);
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
}

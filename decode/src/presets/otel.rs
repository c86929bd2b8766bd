//! Keys of OpenTelemetry.

use super::Fields;
use crate::json::marks;
use crate::record::Unit;

/// OpenTelemetry, "Semantic conventions for HTTP spans", server side, and those before version 1.20 of them that
/// are still written: attributes as keys, flat, nested or under `attributes`, as an object or, in OTLP's JSON, as a
/// list of pairs; OTLP. Those of Datadog and of Suricata's requests (`src_ip`, `http.hostname`) are like them. Docker's registry
/// has keys like them, too, but calls the client what a header says it is: it is left out.
pub(super) const OTEL: Fields = Fields(&[
    (
        marks::RECORD,
        Unit::Auto,
        &["resourceSpans.scopeSpans.spans", "resourceLogs.scopeLogs.logRecords"],
    ),
    (marks::ATTRIBUTES, Unit::Auto, &["attributes"]),
    (marks::SPAN_KIND, Unit::Auto, &["kind", "span_kind", "span\\.kind", "event_type"]),
    ("kind", Unit::Auto, &["kind", "span_kind", "span\\.kind", "event_type"]),
    (
        "ts",
        Unit::Auto,
        &[
            "end_time_unix_nano",
            "endTimeUnixNano",
            "time_unix_nano",
            "timeUnixNano",
            "Timestamp",
            "timestamp",
            "time",
            "@timestamp",
            "ts",
            "observed_timestamp",
            "observedTimeUnixNano",
        ],
    ),
    ("start", Unit::Auto, &["start_time_unix_nano", "startTimeUnixNano", "start_time"]),
    (
        "client_ip",
        Unit::Auto,
        &[
            "client.address",
            "network.client.ip",
            "http.client_ip",
            "network.peer.address",
            "net.sock.peer.addr",
            "net.peer.ip",
            "src_ip",
        ],
    ),
    ("client_country", Unit::Auto, &["geo.country.iso_code"]),
    (
        "method",
        Unit::Auto,
        &["http.request.method_original", "http.request.method", "http.method", "http.http_method"],
    ),
    ("scheme", Unit::Auto, &["url.scheme", "http.scheme"]),
    (
        "host",
        Unit::Auto,
        &["server.address", "http.host", "net.host.name", "http.request.host", "http.hostname"],
    ),
    ("path", Unit::Auto, &["url.path"]),
    ("uri", Unit::Auto, &["url.full", "http.target", "http.url", "http.request.uri"]),
    ("query", Unit::Auto, &["url.query"]),
    ("protocol", Unit::Auto, &["network.protocol.version", "http.flavor", "http.protocol"]),
    (
        "status",
        Unit::Auto,
        &["http.response.status_code", "http.status_code", "http.response.status", "http.status"],
    ),
    (
        "request_bytes",
        Unit::Auto,
        &["http.request.size", "http.request.body.size", "http.request_content_length"],
    ),
    (
        "response_bytes",
        Unit::Auto,
        &[
            "http.response.size",
            "http.response.body.size",
            "http.response_content_length",
            "http.response.written",
            "http.length",
        ],
    ),
    ("duration", Unit::Seconds, &["http.server.request.duration", "http.response.duration"]),
    (
        "user_agent",
        Unit::Auto,
        &[
            "user_agent.original",
            "http.user_agent",
            "http.request.useragent",
            "http.useragent",
            "http.http_user_agent",
        ],
    ),
    ("referer", Unit::Auto, &["http.request.header.referer", "http.referer", "http.http_refer"]),
    ("ja3", Unit::Auto, &["tls.client.ja3"]),
    ("request_id", Unit::Auto, &["trace_id", "traceId", "TraceId"]),
]);

//! The five tables: every column of Floodmark, defined once.

use crate::column::ColumnType::{
    Binary, Boolean, Date, Double, Int, Long, String, StringList, Timestamp,
};
use crate::column::{Column, Table};

const fn req(name: &'static str, t: crate::ColumnType, doc: &'static str) -> Column {
    Column::required(name, t, doc)
}

const fn opt(name: &'static str, t: crate::ColumnType, doc: &'static str) -> Column {
    Column::optional(name, t, doc)
}

/// One row per access-log record.
pub const REQUESTS: Table = Table {
    name: "requests",
    doc: "One row per access-log record.",
    partition_by: &["date"],
    columns: &[
        req("date", Date, "UTC day of `ts`."),
        req("ts", Timestamp, "Event time as the edge logged it."),
        opt("edge", String, "Edge node or point of presence."),
        opt(
            "client_ip",
            String,
            "Client address after trusted-proxy resolution, canonical text (IPv4-mapped IPv6 as IPv4).",
        ),
        opt("client_asn", Long, "Autonomous system of the client."),
        opt("client_country", String, "Country of the client, ISO 3166 alpha-2, upper case."),
        opt("method", String, "Request method as sent."),
        opt("scheme", String, "`http` or `https`."),
        opt("host", String, "Requested host, lower case, without port."),
        opt("path", String, "Path as requested, without the query."),
        opt("query", String, "Query string without `?`."),
        opt("protocol", String, "Protocol version as logged, such as `HTTP/2.0`."),
        opt("status", Int, "Response status code; null when the client left before a response."),
        opt("request_bytes", Long, "Bytes received from the client."),
        opt("response_bytes", Long, "Bytes sent to the client."),
        opt("duration_us", Long, "Time to serve, microseconds."),
        opt("user_agent", String, "User-Agent header."),
        opt("referer", String, "Referer header."),
        opt("cache_status", String, "Cache outcome, lower case: hit, miss, bypass, …"),
        opt("ja3", String, "JA3 TLS client fingerprint."),
        opt("ja4", String, "JA4 TLS client fingerprint."),
        opt("request_id", String, "The edge's own id of the request."),
        req(
            "malformed",
            Boolean,
            "The line was an access record, its request could not be understood.",
        ),
        opt("topic", String, "Kafka topic, or the name of the file."),
        opt("topic_partition", Int, "Kafka partition; null for files."),
        opt("topic_offset", Long, "Kafka offset; for files the line number, from 1."),
        req(
            "record_index",
            Int,
            "Index of the record within the message or listing line, from 0; below 0 what had no end before it.",
        ),
        opt(
            "aborted",
            Boolean,
            "Client or proxy broke the request off before it was answered whole; null where the log cannot tell.",
        ),
        opt("format", String, "Log format in which the line was read, such as `combined`."),
    ],
};

/// One row per line that could not be read as an access record.
pub const REJECTS: Table = Table {
    name: "rejects",
    doc: "One row per line that could not be read as an access record.",
    partition_by: &[],
    columns: &[
        req("ts", Timestamp, "Arrival: the Kafka message's timestamp, or when the file was read."),
        opt("topic", String, "Kafka topic, or the name of the file."),
        opt("topic_partition", Int, "Kafka partition; null for files."),
        opt("topic_offset", Long, "Kafka offset; for files the line number, from 1."),
        req(
            "record_index",
            Int,
            "Index of the record within the message or listing line, from 0; below 0 what had no end before it.",
        ),
        req("reason", String, "Why it could not be read."),
        req("raw", Binary, "The line, whole."),
    ],
};

/// One row per revision of an incident, append-only.
pub const INCIDENTS: Table = Table {
    name: "incidents",
    doc: "One row per revision of an incident, append-only.",
    partition_by: &[],
    columns: &[
        req("incident_id", String, "Stable across revisions, restarts and replays."),
        req("revision", Int, "0, 1, 2, …"),
        req("state", String, "`open`, `update` or `close`."),
        req("kind", String, "What the attack is, such as `http_flood`."),
        req("verdict", String, "`attack`, `suspicious` or `benign`."),
        req("severity", Int, "0–100: 80 critical, 60 high, 35 medium."),
        req("confidence", Double, "0–1."),
        opt("target_host", String, "Attacked host; null when several or unknown."),
        opt("target_path", String, "Attacked path, when one path is attacked."),
        req("first_ts", Timestamp, "First request of the attack."),
        req("detected_ts", Timestamp, "Event time when the first decision fell."),
        req("revision_ts", Timestamp, "Event time when this revision was decided."),
        req("last_ts", Timestamp, "Last request of the attack seen so far."),
        opt("closed_ts", Timestamp, "Event time when it was closed."),
        req("requests", Long, "Requests of the attack so far."),
        req("excess_requests", Long, "Requests above the forecast so far."),
        req("source_count", Long, "Distinct sources so far."),
        req(
            "sources",
            StringList,
            "The heaviest sources or prefixes, heaviest first, at most 1,000.",
        ),
        opt(
            "fingerprint",
            String,
            "SQL predicate over `requests` that selects the attack's requests.",
        ),
        opt(
            "fingerprint_recall",
            Double,
            "Predicted share of the attack that the fingerprint selects, 0–1.",
        ),
        opt(
            "fingerprint_recall_lower",
            Double,
            "The same at least, with 95 % confidence: from how many records it was predicted.",
        ),
        opt(
            "fingerprint_precision",
            Double,
            "Predicted share of the selected requests that are the attack's, 0–1.",
        ),
        opt(
            "fingerprint_collateral",
            Double,
            "Predicted share of ordinary requests that the fingerprint selects, 0–1.",
        ),
        opt(
            "fingerprint_collateral_upper",
            Double,
            "The same at most, with 95 % confidence: from how many records it was predicted.",
        ),
        opt("technique", String, "MITRE ATT&CK technique id."),
        req("summary", String, "One sentence for a person."),
        req(
            "evidence",
            String,
            "JSON list: each test that spoke, with feature, expected, observed, score and, where a count was forecast, p_value: the probability that ordinary traffic shows as much.",
        ),
        opt(
            "campaign_id",
            String,
            "`incident_id` of the first incident of the campaign: the same attack on several hosts; null while it is alone.",
        ),
        opt(
            "campaign_hosts",
            Int,
            "Distinct hosts of the campaign when this revision was decided.",
        ),
    ],
};

/// One row per window and source that mattered in it.
pub const SOURCE_WINDOWS: Table = Table {
    name: "source_windows",
    doc: "One row per minute and source that mattered in it: at least 32 requests, or part of an incident.",
    partition_by: &["date"],
    columns: &[
        req("date", Date, "UTC day of `window_start`."),
        req("window_start", Timestamp, "Start of the window, inclusive."),
        req("window_end", Timestamp, "End of the window, exclusive."),
        req("source", String, "IPv4 address or IPv6 /64 prefix."),
        req("requests", Long, "Requests in the window."),
        req("response_bytes", Long, "Bytes sent in the window."),
        req("errors_4xx", Long, "Responses with status 400–499."),
        req("errors_5xx", Long, "Responses with status 500–599."),
        req("distinct_paths", Long, "Distinct paths requested."),
        req("distinct_hosts", Long, "Distinct hosts requested."),
        req("distinct_user_agents", Long, "Distinct user agents sent."),
        opt(
            "entropy_path",
            Double,
            "Entropy of the paths, bits, Miller–Madow; null below 32 requests.",
        ),
        opt(
            "entropy_path_h2",
            Double,
            "Collision entropy of the paths, bits, unbiased; null below 32 requests.",
        ),
        opt(
            "entropy_query",
            Double,
            "Entropy of the query strings, bits, Miller–Madow; null below 32 requests.",
        ),
        opt(
            "entropy_query_h2",
            Double,
            "Collision entropy of the query strings, bits; null below 32 requests.",
        ),
        opt(
            "entropy_user_agent",
            Double,
            "Entropy of the user agents, bits, Miller–Madow; null below 32 requests.",
        ),
        opt(
            "entropy_user_agent_h2",
            Double,
            "Collision entropy of the user agents, bits; null below 32 requests.",
        ),
        opt(
            "entropy_status",
            Double,
            "Entropy of the status codes, bits, Miller–Madow; null below 32 requests.",
        ),
        opt(
            "entropy_status_h2",
            Double,
            "Collision entropy of the status codes, bits; null below 32 requests.",
        ),
        req(
            "baseline_requests",
            Double,
            "Requests a busy ordinary source sends in a window (upper envelope).",
        ),
        req(
            "score",
            Double,
            "Evidence against the source, nats: log e-value accumulated by its e-detector.",
        ),
    ],
};

/// One row per window and host.
pub const TARGET_WINDOWS: Table = Table {
    name: "target_windows",
    doc: "One row per minute and host.",
    partition_by: &["date"],
    columns: &[
        req("date", Date, "UTC day of `window_start`."),
        req("window_start", Timestamp, "Start of the window, inclusive."),
        req("window_end", Timestamp, "End of the window, exclusive."),
        opt("host", String, "Host; null where the log names none."),
        req("requests", Long, "Requests in the window."),
        req("late_requests", Long, "Requests that came too late to be decided on."),
        req(
            "implausible_requests",
            Long,
            "Requests that arrived then and were not decided on, since nothing confirms the time they name.",
        ),
        req(
            "corrected_requests",
            Long,
            "Of `requests`, those whose clock is whole quarter-hours off (a time zone): decided on at the right time.",
        ),
        req("response_bytes", Long, "Bytes sent in the window."),
        req("errors_4xx", Long, "Responses with status 400–499."),
        req("errors_5xx", Long, "Responses with status 500–599."),
        req("distinct_sources", Long, "Distinct sources (IPv4 address or IPv6 /64)."),
        req("distinct_paths", Long, "Distinct paths."),
        req("distinct_user_agents", Long, "Distinct user agents."),
        opt(
            "entropy_source",
            Double,
            "Entropy of the sources, bits, Miller–Madow; null below 50 requests.",
        ),
        opt(
            "entropy_source_h2",
            Double,
            "Collision entropy of the sources, bits; null below 50 requests.",
        ),
        opt(
            "entropy_path",
            Double,
            "Entropy of the paths, bits, Miller–Madow; null below 50 requests.",
        ),
        opt(
            "entropy_path_h2",
            Double,
            "Collision entropy of the paths, bits; null below 50 requests.",
        ),
        opt(
            "entropy_query",
            Double,
            "Entropy of the query strings, bits, Miller–Madow; null below 50 requests.",
        ),
        opt(
            "entropy_query_h2",
            Double,
            "Collision entropy of the query strings, bits; null below 50 requests.",
        ),
        opt(
            "entropy_user_agent",
            Double,
            "Entropy of the user agents, bits, Miller–Madow; null below 50 requests.",
        ),
        opt(
            "entropy_user_agent_h2",
            Double,
            "Collision entropy of the user agents, bits; null below 50 requests.",
        ),
        opt(
            "entropy_status",
            Double,
            "Entropy of the status codes, bits, Miller–Madow; null below 50 requests.",
        ),
        opt(
            "entropy_status_h2",
            Double,
            "Collision entropy of the status codes, bits; null below 50 requests.",
        ),
        opt(
            "baseline_requests",
            Double,
            "Forecast of `requests` (upper envelope); null while the baseline is learning.",
        ),
        opt(
            "baseline_dispersion",
            Double,
            "Negative-binomial size r of the forecast per second; null while learning.",
        ),
        req(
            "score",
            Double,
            "Evidence that the rate exceeds the forecast, nats, at its highest in the window.",
        ),
    ],
};

/// All tables, in the order of the reference.
pub const ALL: [&Table; 5] = [&REQUESTS, &INCIDENTS, &SOURCE_WINDOWS, &TARGET_WINDOWS, &REJECTS];

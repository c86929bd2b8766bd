//! Keys of the JSON dialects.

use super::Fields;
use crate::json::marks;
use crate::record::Unit;

/// <https://developers.cloudflare.com/logs/logpush/logpush-job/datasets/zone/http_requests/>
pub(super) const CLOUDFLARE: Fields = Fields(&[
    ("ts", Unit::Auto, &["EdgeEndTimestamp"]),
    ("start", Unit::Auto, &["EdgeStartTimestamp"]),
    // Rank 1: yields to the time between start and end.
    ("duration", Unit::Millis, &["", "EdgeTimeToFirstByteMs"]),
    ("edge", Unit::Auto, &["EdgeColoCode", "EdgeColoID"]),
    ("client_ip", Unit::Auto, &["ClientIP"]),
    ("client_asn", Unit::Auto, &["ClientASN"]),
    ("client_country", Unit::Auto, &["ClientCountry"]),
    ("method", Unit::Auto, &["ClientRequestMethod"]),
    ("scheme", Unit::Auto, &["ClientRequestScheme"]),
    ("host", Unit::Auto, &["ClientRequestHost", "EdgeRequestHost"]),
    ("uri", Unit::Auto, &["ClientRequestURI"]),
    ("path", Unit::Auto, &["ClientRequestPath"]),
    ("protocol", Unit::Auto, &["ClientRequestProtocol"]),
    ("status", Unit::Auto, &["EdgeResponseStatus"]),
    ("request_bytes", Unit::Auto, &["ClientRequestBytes"]),
    ("response_bytes", Unit::Auto, &["EdgeResponseBytes", "EdgeResponseBodyBytes"]),
    ("user_agent", Unit::Auto, &["ClientRequestUserAgent"]),
    ("referer", Unit::Auto, &["ClientRequestReferer"]),
    ("cache_status", Unit::Auto, &["CacheCacheStatus"]),
    ("ja3", Unit::Auto, &["JA3Hash"]),
    ("ja4", Unit::Auto, &["JA4"]),
    ("request_id", Unit::Auto, &["RayID"]),
]);

/// The columns of the `requests` table.
pub(super) const FLOODMARK: Fields = Fields(&[
    ("ts", Unit::Auto, &["ts"]),
    ("edge", Unit::Auto, &["edge"]),
    ("client_ip", Unit::Auto, &["client_ip"]),
    ("client_asn", Unit::Auto, &["client_asn"]),
    ("client_country", Unit::Auto, &["client_country"]),
    ("method", Unit::Auto, &["method"]),
    ("scheme", Unit::Auto, &["scheme"]),
    ("host", Unit::Auto, &["host"]),
    ("path", Unit::Auto, &["path"]),
    ("query", Unit::Auto, &["query"]),
    ("protocol", Unit::Auto, &["protocol"]),
    ("status", Unit::Auto, &["status"]),
    ("request_bytes", Unit::Auto, &["request_bytes"]),
    ("response_bytes", Unit::Auto, &["response_bytes"]),
    ("duration", Unit::Micros, &["duration_us"]),
    ("user_agent", Unit::Auto, &["user_agent"]),
    ("referer", Unit::Auto, &["referer"]),
    ("cache_status", Unit::Auto, &["cache_status"]),
    ("ja3", Unit::Auto, &["ja3"]),
    ("ja4", Unit::Auto, &["ja4"]),
    ("aborted", Unit::Auto, &["aborted"]),
    ("request_id", Unit::Auto, &["request_id"]),
]);

/// Caddy, "How Logging Works"; `client_ip` is resolved by its trusted proxies. Its handlers and its log of errors repeat the
/// request.
pub(super) const CADDY: Fields = Fields(&[
    ("kind", Unit::Auto, &["logger"]),
    ("ts", Unit::Auto, &["ts"]),
    ("client_ip", Unit::Auto, &["request.client_ip", "request.remote_ip", "request.remote_addr"]),
    ("method", Unit::Auto, &["request.method"]),
    ("host", Unit::Auto, &["request.host"]),
    ("uri", Unit::Auto, &["request.uri"]),
    ("protocol", Unit::Auto, &["request.proto"]),
    ("status", Unit::Auto, &["status"]),
    ("request_bytes", Unit::Auto, &["bytes_read"]),
    ("response_bytes", Unit::Auto, &["size"]),
    ("duration", Unit::Seconds, &["duration"]),
    ("user_agent", Unit::Auto, &["request.headers.User-Agent"]),
    ("referer", Unit::Auto, &["request.headers.Referer"]),
    ("ja3", Unit::Auto, &["request.headers.X-Ja3"]),
    ("request_id", Unit::Auto, &["request.headers.X-Request-Id"]),
]);

/// Envoy and Istio: no default, these are the keys in use (Istio, Envoy Gateway). The downstream address comes first, because
/// Envoy has resolved it already.
pub(super) const ENVOY: Fields = Fields(&[
    ("ts", Unit::Auto, &["start_time"]),
    ("client_ip", Unit::Auto, &["downstream_remote_address"]),
    ("forwarded_for", Unit::Auto, &["x_forwarded_for", "x-forwarded-for"]),
    ("method", Unit::Auto, &["method", ":method"]),
    ("host", Unit::Auto, &["authority", ":authority"]),
    (
        "uri",
        Unit::Auto,
        &["path", ":path", "x-envoy-origin-path", "x-envoy-original-path", "x_envoy_original_path"],
    ),
    ("protocol", Unit::Auto, &["protocol"]),
    ("status", Unit::Auto, &["response_code"]),
    ("request_bytes", Unit::Auto, &["bytes_received"]),
    ("response_bytes", Unit::Auto, &["bytes_sent"]),
    ("duration", Unit::Millis, &["duration"]),
    ("user_agent", Unit::Auto, &["user_agent", "user-agent"]),
    ("referer", Unit::Auto, &["referer"]),
    ("aborted", Unit::Auto, &["response_flags", "response_flags_long"]),
    ("request_id", Unit::Auto, &["request_id", "x-request-id", "x_request_id"]),
]);

/// Traefik, "Access logs", `format: json`. `ClientHost` is all of `X-Forwarded-For` where Traefik trusts whoever
/// sent it: who that one heard from stands last. By OTLP the keys are attributes.
pub(super) const TRAEFIK: Fields = Fields(&[
    (marks::RECORD, Unit::Auto, &["resourceLogs.scopeLogs.logRecords"]),
    (marks::ATTRIBUTES, Unit::Auto, &["attributes"]),
    (marks::LAST_OF_LIST, Unit::Auto, &["ClientHost"]),
    ("ts", Unit::Auto, &["StartUTC", "StartLocal", "time"]),
    ("client_ip", Unit::Auto, &["ClientHost", "ClientAddr"]),
    ("forwarded_for", Unit::Auto, &["request_X-Forwarded-For"]),
    ("real_ip", Unit::Auto, &["request_Cf-Connecting-Ip", "request_X-Real-Ip"]),
    ("client_country", Unit::Auto, &["request_Cf-Ipcountry"]),
    ("method", Unit::Auto, &["RequestMethod"]),
    ("scheme", Unit::Auto, &["RequestScheme"]),
    ("host", Unit::Auto, &["RequestHost", "RequestAddr"]),
    ("uri", Unit::Auto, &["RequestPath"]),
    ("protocol", Unit::Auto, &["RequestProtocol"]),
    ("status", Unit::Auto, &["DownstreamStatus"]),
    ("request_bytes", Unit::Auto, &["RequestContentSize"]),
    ("response_bytes", Unit::Auto, &["DownstreamContentSize"]),
    ("duration", Unit::Nanos, &["Duration"]),
    ("user_agent", Unit::Auto, &["request_User-Agent"]),
    ("referer", Unit::Auto, &["request_Referer"]),
    ("request_id", Unit::Auto, &["request_X-Request-Id", "TraceId", "trace_id"]),
]);

//! Keys of API gateways, proxies and firewalls that write JSON.

use super::Fields;
use crate::json::marks;
use crate::record::Unit;

/// AWS WAF, "Log fields". Its headers are a list of names and values, as the client spelt them; a status is there only
/// where the firewall answered itself.
pub(super) const AWS_WAF: Fields = Fields(&[
    ("ts", Unit::Auto, &["timestamp"]),
    ("edge", Unit::Auto, &["httpSourceId"]),
    ("client_ip", Unit::Auto, &["httpRequest.clientIp"]),
    ("client_country", Unit::Auto, &["httpRequest.country"]),
    ("method", Unit::Auto, &["httpRequest.httpMethod"]),
    ("scheme", Unit::Auto, &["httpRequest.scheme"]),
    ("host", Unit::Auto, &["httpRequest.headers.host", "httpRequest.host"]),
    ("path", Unit::Auto, &["httpRequest.uri"]),
    ("query", Unit::Auto, &["httpRequest.args"]),
    ("protocol", Unit::Auto, &["httpRequest.httpVersion"]),
    ("status", Unit::Auto, &["responseCodeSent"]),
    ("request_bytes", Unit::Auto, &["requestBodySize"]),
    ("user_agent", Unit::Auto, &["httpRequest.headers.user-agent"]),
    ("referer", Unit::Auto, &["httpRequest.headers.referer"]),
    ("ja3", Unit::Auto, &["ja3Fingerprint"]),
    ("ja4", Unit::Auto, &["ja4Fingerprint"]),
    ("request_id", Unit::Auto, &["httpRequest.requestId"]),
]);

/// Amazon API Gateway: "Set up `CloudWatch` logging for REST APIs", "Customize HTTP API access logs": no default, these
/// are the keys of the documentation's examples and those that are named like the variables.
pub(super) const API_GATEWAY: Fields = Fields(&[
    ("ts", Unit::Auto, &["requestTimeEpoch", "requestTime"]),
    ("edge", Unit::Auto, &["apiId", "stage"]),
    ("client_ip", Unit::Auto, &["ip", "sourceIp", "identity.sourceIp", "clientIp"]),
    ("method", Unit::Auto, &["httpMethod"]),
    ("host", Unit::Auto, &["domainName"]),
    ("uri", Unit::Auto, &["path", "resourcePath"]),
    ("protocol", Unit::Auto, &["protocol"]),
    ("status", Unit::Auto, &["status"]),
    ("response_bytes", Unit::Auto, &["responseLength"]),
    ("duration", Unit::Millis, &["responseLatency"]),
    ("user_agent", Unit::Auto, &["userAgent", "identity.userAgent"]),
    ("request_id", Unit::Auto, &["requestId", "extendedRequestId"]),
]);

/// Kong, "HTTP Log", "File Log": "JSON object considerations". `started_at` is when the request came; who asked is what
/// Kong makes of its trusted proxies. Programs write request and response as such objects, too.
pub(super) const KONG: Fields = Fields(&[
    ("ts", Unit::Auto, &["started_at", "timestamp"]),
    ("client_ip", Unit::Auto, &["client_ip", "request.remote_ip"]),
    ("method", Unit::Auto, &["request.method"]),
    ("host", Unit::Auto, &["request.headers.host"]),
    ("uri", Unit::Auto, &["request.uri", "request.url", "request.path"]),
    ("status", Unit::Auto, &["response.status"]),
    ("request_bytes", Unit::Auto, &["request.size"]),
    ("response_bytes", Unit::Auto, &["response.size"]),
    ("duration", Unit::Millis, &["latencies.request"]),
    ("user_agent", Unit::Auto, &["request.headers.user-agent"]),
    ("referer", Unit::Auto, &["request.headers.referer"]),
    ("request_id", Unit::Auto, &["request.id", "request.headers.kong-request-id"]),
]);

/// Apache APISIX, "http-logger" and the other loggers: the default log format.
pub(super) const APISIX_JSON: Fields = Fields(&[
    ("ts", Unit::Auto, &["start_time"]),
    ("edge", Unit::Auto, &["server.hostname"]),
    ("client_ip", Unit::Auto, &["client_ip"]),
    ("method", Unit::Auto, &["request.method"]),
    ("host", Unit::Auto, &["request.headers.host"]),
    ("uri", Unit::Auto, &["request.uri", "request.url"]),
    ("status", Unit::Auto, &["response.status"]),
    ("request_bytes", Unit::Auto, &["request.size"]),
    ("response_bytes", Unit::Auto, &["response.size"]),
    ("duration", Unit::Millis, &["latency"]),
    ("user_agent", Unit::Auto, &["request.headers.user-agent"]),
    ("referer", Unit::Auto, &["request.headers.referer"]),
    ("request_id", Unit::Auto, &["request.headers.x-request-id"]),
]);

/// Apigee, "Analytics metrics, dimensions, and filters reference": names of dimensions and metrics, as they are exported
/// and as message logging is usually told to write them.
pub(super) const APIGEE: Fields = Fields(&[
    ("ts", Unit::Auto, &["client_sent_end_timestamp", "client_received_end_timestamp"]),
    ("start", Unit::Auto, &["client_received_start_timestamp"]),
    ("client_ip", Unit::Auto, &["ax_resolved_client_ip", "client_ip"]),
    ("client_country", Unit::Auto, &["ax_geo_country"]),
    ("method", Unit::Auto, &["request_verb"]),
    ("host", Unit::Auto, &["request_host", "host"]),
    ("uri", Unit::Auto, &["request_uri"]),
    ("path", Unit::Auto, &["request_path"]),
    ("status", Unit::Auto, &["response_status_code"]),
    ("request_bytes", Unit::Auto, &["request_size"]),
    ("response_bytes", Unit::Auto, &["response_size"]),
    ("duration", Unit::Millis, &["total_response_time"]),
    ("user_agent", Unit::Auto, &["useragent"]),
    ("request_id", Unit::Auto, &["gateway_flow_id", "request_id"]),
]);

/// `HAProxy` has no JSON of its own: these are the keys of the format strings in use, nested and flat. Those of version
/// 3, `%{+json}o`, are named by the operator.
pub(super) const HAPROXY_JSON: Fields = Fields(&[
    (marks::RECORD, Unit::Auto, &["haproxy"]),
    ("ts", Unit::Auto, &["timestamp_ms", "request_date", "timestamp", "time", "date"]),
    ("edge", Unit::Auto, &["ident_host", "server_host"]),
    ("client_ip", Unit::Auto, &["network.client_ip", "client_ip", "client_addr"]),
    ("forwarded_for", Unit::Auto, &["request.header.xforwardfor", "x_forwarded_for"]),
    ("method", Unit::Auto, &["request.method", "http_method", "method"]),
    ("host", Unit::Auto, &["request.header.host", "http_host", "req_host", "hdr_host"]),
    ("request", Unit::Auto, &["http_request", "raw_request"]),
    ("uri", Unit::Auto, &["request.uri", "http_uri", "uri"]),
    ("path", Unit::Auto, &["http_path", "req_path", "path"]),
    ("query", Unit::Auto, &["http_query"]),
    ("protocol", Unit::Auto, &["request.protocol", "http_version", "protocol"]),
    ("status", Unit::Auto, &["response.status_code", "status_code", "http_status", "status"]),
    ("request_bytes", Unit::Auto, &["bytes.uploaded", "bytes_uploaded"]),
    ("response_bytes", Unit::Auto, &["bytes.read", "bytes_read"]),
    (
        "duration",
        Unit::Millis,
        &["time.tt", "time.ta", "time_active", "total_time", "time_total", "Ta", "Tt"],
    ),
    ("user_agent", Unit::Auto, &["request.header.useragent", "http_user_agent", "user_agent"]),
    ("referer", Unit::Auto, &["request.header.referer", "http_referer", "referer"]),
    ("aborted", Unit::Auto, &["termination_state", "tsc"]),
    ("request_id", Unit::Auto, &["response.header.xrequestid", "unique_id", "request_id"]),
]);

//! Keys of the JSON dialects of clouds and schemas.

use super::Fields;
use crate::json::marks;
use crate::record::Unit;

/// Fastly: no default, these are the keys in use: of the examples for Amazon S3, `BigQuery`, Elasticsearch and New Relic,
/// those that Splunk wants inside `event` and Honeycomb inside `data`, and Datadog's objects.
pub(super) const FASTLY: Fields = Fields(&[
    (marks::RECORD, Unit::Auto, &["event", "data"]),
    ("ts", Unit::Auto, &["timestamp", "time_end", "date", "time_start", "time"]),
    ("edge", Unit::Auto, &["fastly_server", "server_datacenter", "pop"]),
    ("client_ip", Unit::Auto, &["client_ip", "network.client.ip"]),
    ("client_asn", Unit::Auto, &["client_as_number", "client_asn", "network.client.number"]),
    (
        "client_country",
        Unit::Auto,
        &["geo_country_code", "geo_country", "network.geoip.geo_country_code"],
    ),
    ("method", Unit::Auto, &["request_method", "request", "http.method"]),
    // What collects events calls the machine that sent them `host`.
    ("host", Unit::Auto, &["event.host", "host", "request_host"]),
    ("scheme", Unit::Auto, &["scheme", "is_tls"]),
    ("uri", Unit::Auto, &["url", "http.url"]),
    ("protocol", Unit::Auto, &["request_protocol", "protocol", "http.protocol"]),
    ("status", Unit::Auto, &["response_status", "http.status_code", "status"]),
    ("request_bytes", Unit::Auto, &["req_bytes", "request_bytes", "network.bytes_read"]),
    (
        "response_bytes",
        Unit::Auto,
        &[
            "response_body_size",
            "resp_body_size",
            "response_bytes",
            "body_size",
            "network.bytes_written",
        ],
    ),
    ("duration", Unit::Micros, &["time_elapsed"]),
    ("user_agent", Unit::Auto, &["request_user_agent", "user_agent", "http.useragent"]),
    ("referer", Unit::Auto, &["request_referer", "referer", "http.referer"]),
    ("cache_status", Unit::Auto, &["response_state", "fastly_info_state", "cache_status"]),
    ("ja3", Unit::Auto, &["tls_client_ja3_md5", "tls_ja3_md5", "ja3"]),
    ("ja4", Unit::Auto, &["tls_client_ja4", "ja4"]),
    ("request_id", Unit::Auto, &["request_id"]),
]);

/// Amazon CloudFront, "Standard logging (v2)" as JSON.
pub(super) const CLOUDFRONT: Fields = Fields(&[
    // CloudFront writes seconds with a fraction; IIS, whose fields collectors name alike, whole milliseconds.
    (marks::WHOLE_MILLIS, Unit::Auto, &["time-taken"]),
    ("ts", Unit::Auto, &["timestamp(ms)", "timestamp"]),
    ("date", Unit::Auto, &["date"]),
    ("clock", Unit::Auto, &["time"]),
    ("edge", Unit::Auto, &["x-edge-location"]),
    ("client_ip", Unit::Auto, &["c-ip"]),
    ("forwarded_for", Unit::Auto, &["x-forwarded-for"]),
    ("client_asn", Unit::Auto, &["asn"]),
    ("client_country", Unit::Auto, &["c-country"]),
    ("method", Unit::Auto, &["cs-method"]),
    ("scheme", Unit::Auto, &["cs-protocol"]),
    ("host", Unit::Auto, &["x-host-header", "cs(Host)"]),
    ("uri", Unit::Auto, &["cs-uri-stem"]),
    ("query", Unit::Auto, &["cs-uri-query"]),
    ("protocol", Unit::Auto, &["cs-protocol-version"]),
    ("status", Unit::Auto, &["sc-status"]),
    ("request_bytes", Unit::Auto, &["cs-bytes"]),
    ("response_bytes", Unit::Auto, &["sc-bytes"]),
    ("duration", Unit::Seconds, &["time-taken"]),
    ("user_agent", Unit::Auto, &["cs(User-Agent)"]),
    ("referer", Unit::Auto, &["cs(Referer)"]),
    ("cache_status", Unit::Auto, &["x-edge-result-type"]),
    ("aborted", Unit::Auto, &["x-edge-detailed-result-type"]),
    ("request_id", Unit::Auto, &["x-edge-request-id"]),
]);

/// Google Cloud, `LogEntry.httpRequest` of the external HTTP(S) load balancer; "Cloud Armor request logging" for what its
/// policies know of the client; Media CDN.
pub(super) const GCP_LB: Fields = Fields(&[
    ("ts", Unit::Auto, &["timestamp", "receiveTimestamp"]),
    ("client_ip", Unit::Auto, &["httpRequest.remoteIp"]),
    (
        "client_asn",
        Unit::Auto,
        &["jsonPayload.securityPolicyRequestData.remoteIpInfo.asn", "jsonPayload.clientAsn"],
    ),
    (
        "client_country",
        Unit::Auto,
        &[
            "jsonPayload.securityPolicyRequestData.remoteIpInfo.regionCode",
            "jsonPayload.clientRegionCode",
        ],
    ),
    ("ja3", Unit::Auto, &["jsonPayload.securityPolicyRequestData.tlsJa3Fingerprint"]),
    ("ja4", Unit::Auto, &["jsonPayload.securityPolicyRequestData.tlsJa4Fingerprint"]),
    ("method", Unit::Auto, &["httpRequest.requestMethod"]),
    ("uri", Unit::Auto, &["httpRequest.requestUrl"]),
    ("protocol", Unit::Auto, &["httpRequest.protocol"]),
    ("status", Unit::Auto, &["httpRequest.status"]),
    ("request_bytes", Unit::Auto, &["httpRequest.requestSize"]),
    ("response_bytes", Unit::Auto, &["httpRequest.responseSize"]),
    ("duration", Unit::Seconds, &["httpRequest.latency"]),
    ("user_agent", Unit::Auto, &["httpRequest.userAgent"]),
    ("referer", Unit::Auto, &["httpRequest.referer"]),
    ("cache_status", Unit::Auto, &["httpRequest.cacheHit"]),
    ("aborted", Unit::Auto, &["jsonPayload.statusDetails"]),
    ("request_id", Unit::Auto, &["insertId"]),
]);

/// Azure Front Door, `FrontDoorAccessLog`: `socketIp` is who spoke to it, `clientIp` what `X-Forwarded-For` says where one came.
pub(super) const AZURE_FRONT_DOOR: Fields = Fields(&[
    (marks::RECORD, Unit::Auto, &["records"]),
    ("kind", Unit::Auto, &["category"]),
    ("ts", Unit::Auto, &["time"]),
    ("edge", Unit::Auto, &["properties.pop"]),
    ("client_ip", Unit::Auto, &["properties.socketIp"]),
    ("forwarded_for", Unit::Auto, &["properties.clientIp", "properties.clientIP"]),
    ("client_country", Unit::Auto, &["properties.clientCountry"]),
    ("method", Unit::Auto, &["properties.httpMethod"]),
    ("uri", Unit::Auto, &["properties.requestUri"]),
    ("host", Unit::Auto, &["properties.hostName"]),
    ("protocol", Unit::Auto, &["properties.httpVersion"]),
    ("status", Unit::Auto, &["properties.httpStatusCode"]),
    ("request_bytes", Unit::Auto, &["properties.requestBytes"]),
    ("response_bytes", Unit::Auto, &["properties.responseBytes"]),
    ("duration", Unit::Seconds, &["properties.timeTaken"]),
    ("user_agent", Unit::Auto, &["properties.userAgent"]),
    ("referer", Unit::Auto, &["properties.referer", "properties.referrer"]),
    ("cache_status", Unit::Auto, &["properties.cacheStatus"]),
    ("aborted", Unit::Auto, &["properties.errorInfo"]),
    ("ja4", Unit::Auto, &["properties.clientJA4FingerPrint"]),
    ("request_id", Unit::Auto, &["properties.trackingReference"]),
]);

/// Azure Application Gateway, `ApplicationGatewayAccessLog`. Version 1 logs whole milliseconds, version 2 seconds with
/// a fraction.
pub(super) const AZURE_APP_GATEWAY: Fields = Fields(&[
    (marks::RECORD, Unit::Auto, &["records"]),
    (marks::WHOLE_MILLIS, Unit::Auto, &["properties.timeTaken"]),
    ("kind", Unit::Auto, &["category"]),
    (marks::GATEWAY_QUERY, Unit::Auto, &["properties.requestQuery"]),
    ("ts", Unit::Auto, &["timeStamp", "time"]),
    ("edge", Unit::Auto, &["properties.instanceId"]),
    ("client_ip", Unit::Auto, &["properties.clientIP", "properties.clientIp"]),
    ("method", Unit::Auto, &["properties.httpMethod"]),
    ("uri", Unit::Auto, &["properties.originalRequestUriWithArgs", "properties.requestUri"]),
    ("query", Unit::Auto, &["properties.requestQuery"]),
    ("host", Unit::Auto, &["properties.originalHost", "properties.host"]),
    ("protocol", Unit::Auto, &["properties.httpVersion"]),
    ("status", Unit::Auto, &["properties.httpStatus"]),
    ("request_bytes", Unit::Auto, &["properties.receivedBytes"]),
    ("response_bytes", Unit::Auto, &["properties.sentBytes"]),
    ("duration", Unit::Seconds, &["properties.timeTaken"]),
    ("user_agent", Unit::Auto, &["properties.userAgent"]),
    ("referer", Unit::Auto, &["properties.referer"]),
    ("aborted", Unit::Auto, &["properties.error_info"]),
    ("request_id", Unit::Auto, &["properties.transactionId"]),
]);

/// Akamai `DataStream` 2, "Data set parameters", JSON.
pub(super) const AKAMAI: Fields = Fields(&[
    ("ts", Unit::Auto, &["reqTimeSec"]),
    ("edge", Unit::Auto, &["edgeIP"]),
    ("client_ip", Unit::Auto, &["cliIP"]),
    ("forwarded_for", Unit::Auto, &["xForwardedFor"]),
    ("client_asn", Unit::Auto, &["asn"]),
    ("client_country", Unit::Auto, &["country"]),
    ("method", Unit::Auto, &["reqMethod"]),
    ("scheme", Unit::Auto, &["proto"]),
    ("host", Unit::Auto, &["reqHost"]),
    (marks::ROOTED, Unit::Auto, &["reqPath"]),
    ("uri", Unit::Auto, &["reqPath"]),
    ("query", Unit::Auto, &["queryStr"]),
    ("status", Unit::Auto, &["statusCode"]),
    ("response_bytes", Unit::Auto, &["totalBytes", "bytes"]),
    ("duration", Unit::Millis, &["transferTimeMSec"]),
    ("user_agent", Unit::Auto, &["UA"]),
    ("referer", Unit::Auto, &["referer"]),
    ("cache_status", Unit::Auto, &["cacheStatus"]),
    ("request_id", Unit::Auto, &["reqId"]),
]);

/// OCSF schema, HTTP Activity (4002).
pub(super) const OCSF: Fields = Fields(&[
    ("ts", Unit::Auto, &["time", "time_dt"]),
    ("start", Unit::Auto, &["start_time"]),
    ("edge", Unit::Auto, &["device.hostname", "metadata.product.name"]),
    ("client_ip", Unit::Auto, &["src_endpoint.ip"]),
    ("client_asn", Unit::Auto, &["src_endpoint.autonomous_system.number"]),
    ("client_country", Unit::Auto, &["src_endpoint.location.country"]),
    ("method", Unit::Auto, &["http_request.http_method"]),
    ("scheme", Unit::Auto, &["http_request.url.scheme"]),
    ("host", Unit::Auto, &["http_request.url.hostname", "dst_endpoint.hostname"]),
    ("path", Unit::Auto, &["http_request.url.path"]),
    ("uri", Unit::Auto, &["http_request.url.url_string"]),
    ("query", Unit::Auto, &["http_request.url.query_string"]),
    ("protocol", Unit::Auto, &["http_request.version"]),
    ("status", Unit::Auto, &["http_response.code", "http_status"]),
    ("request_bytes", Unit::Auto, &["http_request.length", "traffic.bytes_in"]),
    (
        "response_bytes",
        Unit::Auto,
        &["http_response.length", "http_response.body_length", "traffic.bytes_out"],
    ),
    ("duration", Unit::Millis, &["duration", "http_response.latency"]),
    ("user_agent", Unit::Auto, &["http_request.user_agent"]),
    ("referer", Unit::Auto, &["http_request.referrer"]),
    ("ja3", Unit::Auto, &["tls.ja3_hash.value"]),
    // The list holds fingerprints of several types; the client's is type 1.
    (
        "ja4",
        Unit::Auto,
        &[
            "ja4_fingerprint_list.JA4",
            "ja4_fingerprint_list.1",
            "tls.ja4_fingerprint_list.JA4",
            "tls.ja4_fingerprint_list.1",
        ],
    ),
    ("request_id", Unit::Auto, &["http_request.uid", "metadata.uid"]),
]);

/// Elastic Common Schema.
pub(super) const ECS: Fields = Fields(&[
    ("ts", Unit::Auto, &["@timestamp", "event.end", "event.start"]),
    ("edge", Unit::Auto, &["observer.name", "host.name"]),
    ("client_ip", Unit::Auto, &["source.ip", "client.ip", "source.address", "client.address"]),
    ("client_asn", Unit::Auto, &["source.as.number", "client.as.number"]),
    ("client_country", Unit::Auto, &["source.geo.country_iso_code", "client.geo.country_iso_code"]),
    ("method", Unit::Auto, &["http.request.method"]),
    ("scheme", Unit::Auto, &["url.scheme"]),
    ("host", Unit::Auto, &["url.domain"]),
    ("path", Unit::Auto, &["url.path"]),
    ("uri", Unit::Auto, &["url.original", "url.full"]),
    ("query", Unit::Auto, &["url.query"]),
    ("protocol", Unit::Auto, &["http.version"]),
    ("status", Unit::Auto, &["http.response.status_code"]),
    ("request_bytes", Unit::Auto, &["http.request.bytes", "http.request.body.bytes"]),
    ("response_bytes", Unit::Auto, &["http.response.bytes", "http.response.body.bytes"]),
    ("duration", Unit::Nanos, &["event.duration"]),
    ("user_agent", Unit::Auto, &["user_agent.original"]),
    ("referer", Unit::Auto, &["http.request.referrer"]),
    ("ja3", Unit::Auto, &["tls.client.ja3"]),
    ("ja4", Unit::Auto, &["tls.client.ja4"]),
    ("request_id", Unit::Auto, &["http.request.id", "event.id"]),
]);

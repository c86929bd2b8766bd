//! Keys of the JSON of content networks.

use super::Fields;
use crate::record::Unit;

/// Cloudflare, "Workers trace events" of Logpush, and `wrangler tail --format json`. The header that names the client is
/// set by the edge, whatever he sent. Events that no request started have neither method nor URL.
pub(super) const CLOUDFLARE_WORKERS: Fields = Fields(&[
    ("ts", Unit::Auto, &["EventTimestampMs", "eventTimestamp"]),
    ("edge", Unit::Auto, &["event.request.cf.colo"]),
    ("client_ip", Unit::Auto, &["event.request.headers.cf-connecting-ip"]),
    ("client_asn", Unit::Auto, &["event.request.cf.asn"]),
    ("client_country", Unit::Auto, &["event.request.cf.country"]),
    ("method", Unit::Auto, &["Event.Request.Method", "event.request.method"]),
    ("uri", Unit::Auto, &["Event.Request.URL", "event.request.url"]),
    ("protocol", Unit::Auto, &["event.request.cf.httpProtocol"]),
    ("status", Unit::Auto, &["Event.Response.Status", "event.response.status"]),
    ("duration", Unit::Millis, &["WallTimeMs", "wallTime"]),
    ("user_agent", Unit::Auto, &["event.request.headers.user-agent"]),
    ("referer", Unit::Auto, &["event.request.headers.referer"]),
    ("aborted", Unit::Auto, &["Outcome", "outcome"]),
    ("request_id", Unit::Auto, &["Event.RayID", "event.request.headers.cf-ray"]),
]);

/// Akamai, "SIEM integration: log format": security events with the request they are about; texts are `%XX`.
pub(super) const AKAMAI_SIEM: Fields = Fields(&[
    ("ts", Unit::Seconds, &["httpMessage.start"]),
    ("client_ip", Unit::Auto, &["attackData.clientIP"]),
    ("client_asn", Unit::Auto, &["geo.asn"]),
    ("client_country", Unit::Auto, &["geo.country"]),
    ("method", Unit::Auto, &["httpMessage.method"]),
    ("host", Unit::Auto, &["httpMessage.host"]),
    ("uri", Unit::Auto, &["httpMessage.path"]),
    ("query", Unit::Auto, &["httpMessage.query"]),
    ("protocol", Unit::Auto, &["httpMessage.protocol"]),
    ("status", Unit::Auto, &["httpMessage.status"]),
    ("response_bytes", Unit::Auto, &["httpMessage.bytes"]),
    ("request_id", Unit::Auto, &["httpMessage.requestId"]),
]);

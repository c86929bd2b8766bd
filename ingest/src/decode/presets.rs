//! The built-in formats, as data: keys of JSON dialects and format strings of text formats.

use super::json::{FieldMap, FieldSource};
use super::record::Unit;
use crate::format::Format;

/// A built-in format.
#[derive(Debug, Clone, Copy)]
pub(super) enum Preset {
    /// JSON lines.
    Json(Fields),
    /// Text lines.
    Line {
        /// Format string, of nginx or Apache, or with `$slot:` variables.
        format: &'static str,
        /// A line may end cleanly after so many values.
        optional_from: Option<usize>,
    },
}

/// Value, unit of its numbers, and the keys that hold it, the preferred first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields(&'static [(&'static str, Unit, &'static [&'static str])]);

impl Fields {
    /// As a field map like that of the configuration.
    pub(super) fn to_map(self) -> FieldMap {
        let source = |unit: Unit, keys: &[&str]| FieldSource::WithUnit {
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            unit,
        };
        self.0.iter().map(|(name, unit, keys)| ((*name).to_owned(), source(*unit, keys))).collect()
    }
}

const fn line(format: &'static str) -> Preset {
    Preset::Line { format, optional_from: None }
}

/// The built-in format of that name; `None` for `auto` and the user's own format strings.
pub(super) const fn preset(format: Format) -> Option<Preset> {
    Some(match format {
        Format::Auto | Format::Custom => return None,
        Format::Cloudflare => Preset::Json(CLOUDFLARE),
        Format::Json => Preset::Json(Fields(&[])),
        Format::Floodmark => Preset::Json(FLOODMARK),
        Format::NginxJson => Preset::Json(NGINX_JSON),
        Format::Combined | Format::Common => {
            Preset::Line { format: COMBINED, optional_from: Some(7) }
        }
        Format::VhostCombined => line(VHOST_COMBINED),
    })
}

/// `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i"`: Apache's documentation, "Log Files"; nginx's
/// `combined` is the same text.
const COMBINED: &str = r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i""#;

/// Debian's `vhost_combined` is `%v:%p` before `combined`; the port is optional here.
const VHOST_COMBINED: &str = r#"%v %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-agent}i""#;

/// <https://developers.cloudflare.com/logs/logpush/logpush-job/datasets/zone/http_requests/>
const CLOUDFLARE: Fields = Fields(&[
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
const FLOODMARK: Fields = Fields(&[
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
    ("request_id", Unit::Auto, &["request_id"]),
]);

/// nginx with `escape=json`: nginx has no default, these are the spellings in use.
const NGINX_JSON: Fields = Fields(&[
    ("ts", Unit::Auto, &["msec", "time_iso8601", "time_local", "time", "timestamp", "@timestamp"]),
    ("edge", Unit::Auto, &["pop", "hostname", "edge"]),
    ("client_ip", Unit::Auto, &["remote_addr", "client_ip", "clientip", "remote_ip"]),
    ("client_country", Unit::Auto, &["geoip_country_code", "country_code", "country"]),
    ("client_asn", Unit::Auto, &["geoip2_data_asn", "asn"]),
    ("method", Unit::Auto, &["request_method", "method"]),
    ("scheme", Unit::Auto, &["scheme"]),
    ("host", Unit::Auto, &["host", "http_host", "server_name", "vhost"]),
    ("request", Unit::Auto, &["request"]),
    ("uri", Unit::Auto, &["request_uri", "url"]),
    ("path", Unit::Auto, &["uri", "path"]),
    ("query", Unit::Auto, &["args", "query_string"]),
    ("protocol", Unit::Auto, &["server_protocol", "protocol"]),
    ("status", Unit::Auto, &["status"]),
    ("request_bytes", Unit::Auto, &["request_length"]),
    ("response_bytes", Unit::Auto, &["bytes_sent", "body_bytes_sent"]),
    ("duration", Unit::Seconds, &["request_time"]),
    ("user_agent", Unit::Auto, &["http_user_agent", "user_agent", "agent"]),
    ("referer", Unit::Auto, &["http_referer", "http_referrer", "referer", "referrer"]),
    ("cache_status", Unit::Auto, &["upstream_cache_status", "cache_status"]),
    ("ja3", Unit::Auto, &["http_ssl_ja3_hash", "ssl_ja3_hash", "ssl_ja3", "ja3"]),
    ("ja4", Unit::Auto, &["ssl_ja4", "ja4"]),
    ("request_id", Unit::Auto, &["request_id"]),
]);

//! JSON as an nginx `log_format` with `escape=json` writes it, in a common spelling.

use super::{Logged, push_pair};
use crate::calendar::push_iso;
use crate::request::{Cache, Method};
use crate::text::{push_fixed, push_hex16, push_ip, push_number, push_text};

/// One line of nginx JSON.
pub(super) fn push(logged: &Logged<'_>, line: &mut Vec<u8>) {
    let request = logged.request;
    let known = request.method != Method::Garbage;
    push_text(line, "{\"time_iso8601\":\"");
    push_iso(line, request.end_us, 0);
    push_text(line, "+00:00\",\"remote_addr\":\"");
    push_ip(line, request.client.address.ip);
    push_pair(line, "\",\"host\":\"", &logged.site.host);
    push_pair(line, ",\"request_method\":\"", request.method.text());
    push_text(line, ",\"request_uri\":\"");
    if known {
        logged.push_uri(line);
    }
    push_pair(
        line,
        "\",\"server_protocol\":\"",
        if known { logged.agent.http.dotted() } else { "" },
    );
    push_text(line, ",\"scheme\":\"https\",\"status\":");
    push_number(line, u64::from(request.status));
    push_text(line, ",\"body_bytes_sent\":");
    push_number(line, u64::from(request.bytes.1));
    push_text(line, ",\"request_length\":");
    push_number(line, u64::from(request.bytes.0));
    push_text(line, ",\"request_time\":");
    let ms = logged.duration_us() / 1_000;
    push_number(line, ms / 1_000);
    line.push(b'.');
    push_fixed(line, ms, 3);
    push_text(line, ",\"http_referer\":\"");
    logged.push_referer(line, "");
    push_pair(line, "\",\"http_user_agent\":\"", if known { &logged.agent.text } else { "" });
    let cache = match request.cache {
        Cache::Dynamic => "BYPASS",
        Cache::Hit => "HIT",
        Cache::Miss => "MISS",
        Cache::Expired => "EXPIRED",
        Cache::Revalidated => "REVALIDATED",
    };
    push_pair(line, ",\"upstream_cache_status\":\"", cache);
    push_text(line, ",\"request_id\":\"0000000000000000");
    push_hex16(line, logged.id);
    push_text(line, "\"}");
}

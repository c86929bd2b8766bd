//! Cloudflare Logpush `http_requests`: the fields that most jobs select, about 820 bytes a line.
//!
//! Fields that belong together stand together, so that lines of one visit or one resource share
//! long stretches: that is what makes the shipped samples small.

use super::{Logged, edge, push_pair};
use crate::calendar::push_iso;
use crate::request::Method;
use crate::text::{push_hex16, push_ip, push_number, push_text};

/// One line of Logpush.
pub(super) fn push(logged: &Logged<'_>, line: &mut Vec<u8>) {
    push_client(logged, line);
    push_request(logged, line);
    push_answer(logged, line);
}

fn push_client(logged: &Logged<'_>, line: &mut Vec<u8>) {
    let client = logged.request.client;
    let address = client.address;
    let agent = logged.agent;
    push_text(line, "{\"ClientIP\":\"");
    push_ip(line, address.ip);
    push_text(line, "\",\"ClientASN\":");
    push_number(line, u64::from(address.asn));
    push_pair(line, ",\"ClientCountry\":\"", address.country);
    push_pair(line, ",\"EdgeColoCode\":\"", edge(address.country));
    push_pair(line, ",\"JA3Hash\":\"", &agent.ja3);
    push_pair(line, ",\"JA4\":\"", &agent.ja4);
    push_pair(line, ",\"ClientRequestUserAgent\":\"", &agent.text);
    push_pair(line, ",\"ClientRequestProtocol\":\"", agent.http.text());
    push_text(line, ",\"ClientRequestScheme\":\"https\"");
}

fn push_request(logged: &Logged<'_>, line: &mut Vec<u8>) {
    let request = logged.request;
    push_text(line, ",\"ClientRequestReferer\":\"");
    logged.push_referer(line, "");
    push_pair(line, "\",\"ClientRequestHost\":\"", &logged.site.host);
    let method = if request.method == Method::Garbage { Method::Get } else { request.method };
    push_pair(line, ",\"ClientRequestMethod\":\"", method.text());
    push_text(line, ",\"ClientRequestURI\":\"");
    logged.push_uri(line);
    push_text(line, "\",\"ClientRequestPath\":\"");
    logged.push_path(line);
    push_text(line, "\",\"ClientRequestBytes\":");
    push_number(line, u64::from(request.bytes.0));
}

fn push_answer(logged: &Logged<'_>, line: &mut Vec<u8>) {
    let request = logged.request;
    push_text(line, ",\"EdgeResponseStatus\":");
    push_number(line, u64::from(request.status));
    push_pair(line, ",\"CacheCacheStatus\":\"", request.cache.text());
    push_text(line, ",\"EdgeResponseBytes\":");
    push_number(line, u64::from(request.bytes.1));
    push_text(line, ",\"OriginResponseStatus\":");
    let asked = request.cache.asked_origin();
    push_number(line, if asked { u64::from(request.status) } else { 0 });
    push_text(line, ",\"EdgeStartTimestamp\":\"");
    push_iso(line, request.start_us, 3);
    push_text(line, "Z\",\"EdgeEndTimestamp\":\"");
    push_iso(line, request.end_us, 3);
    push_text(line, "Z\",\"RayID\":\"");
    push_hex16(line, logged.id);
    push_text(line, "\"}");
}

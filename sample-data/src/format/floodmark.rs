//! JSON whose keys are the columns of `requests`; what is not known is left out.

use super::{Logged, edge, push_pair};
use crate::calendar::push_iso;
use crate::request::{Method, Referer};
use crate::text::{push_hex16, push_ip, push_number, push_text};

/// One line of Floodmark's own JSON.
pub(super) fn push(logged: &Logged<'_>, line: &mut Vec<u8>) {
    let request = logged.request;
    let address = request.client.address;
    push_text(line, "{\"ts\":\"");
    push_iso(line, request.end_us, 6);
    push_text(line, "Z\",\"client_ip\":\"");
    push_ip(line, address.ip);
    push_text(line, "\",\"client_asn\":");
    push_number(line, u64::from(address.asn));
    push_pair(line, ",\"client_country\":\"", address.country);
    push_pair(line, ",\"edge\":\"", edge(address.country));
    if request.method != Method::Garbage {
        push_pair(line, ",\"method\":\"", request.method.text());
        push_text(line, ",\"path\":\"");
        logged.push_path(line);
        line.push(b'"');
        let before = line.len();
        push_text(line, ",\"query\":\"");
        if logged.push_query(line) {
            line.push(b'"');
        } else {
            line.truncate(before);
        }
        push_pair(line, ",\"protocol\":\"", logged.agent.http.text());
        push_pair(line, ",\"user_agent\":\"", &logged.agent.text);
    }
    push_text(line, ",\"scheme\":\"https\"");
    push_pair(line, ",\"host\":\"", &logged.site.host);
    push_text(line, ",\"status\":");
    push_number(line, u64::from(request.status));
    push_text(line, ",\"request_bytes\":");
    push_number(line, u64::from(request.bytes.0));
    push_text(line, ",\"response_bytes\":");
    push_number(line, u64::from(request.bytes.1));
    push_text(line, ",\"duration_us\":");
    push_number(line, logged.duration_us());
    if request.referer != Referer::Nothing {
        push_text(line, ",\"referer\":\"");
        logged.push_referer(line, "");
        line.push(b'"');
    }
    push_pair(line, ",\"cache_status\":\"", request.cache.text());
    push_pair(line, ",\"ja3\":\"", &logged.agent.ja3);
    push_pair(line, ",\"ja4\":\"", &logged.agent.ja4);
    push_text(line, ",\"request_id\":\"");
    push_hex16(line, logged.id);
    push_text(line, "\"}");
}

//! `combined` and `vhost_combined`: one second of resolution, no host or the host first.

use super::{GARBAGE, Logged};
use crate::calendar::push_common;
use crate::request::Method;
use crate::text::{push_ip, push_number, push_text};

/// `host:443` and then a `combined` line.
pub(super) fn push_with_host(logged: &Logged<'_>, line: &mut Vec<u8>) {
    push_text(line, &logged.site.host);
    push_text(line, ":443 ");
    push(logged, line);
}

/// One line of `combined`.
pub(super) fn push(logged: &Logged<'_>, line: &mut Vec<u8>) {
    let request = logged.request;
    push_ip(line, request.client.address.ip);
    push_text(line, " - - [");
    push_common(line, request.end_us);
    push_text(line, "] \"");
    if request.method == Method::Garbage {
        push_text(line, GARBAGE);
    } else {
        push_text(line, request.method.text());
        line.push(b' ');
        logged.push_uri(line);
        line.push(b' ');
        push_text(line, logged.agent.http.dotted());
    }
    push_text(line, "\" ");
    push_number(line, u64::from(request.status));
    line.push(b' ');
    push_number(line, u64::from(request.bytes.1));
    push_text(line, " \"");
    logged.push_referer(line, "-");
    push_text(line, "\" \"");
    let known = request.method != Method::Garbage;
    push_text(line, if known { &logged.agent.text } else { "-" });
    line.push(b'"');
}

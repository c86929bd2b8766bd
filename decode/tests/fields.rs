//! For every format: whatever one field says, the others are read as they are, or the row is marked malformed, or the
//! line is refused.

#![cfg(test)]

mod support;

use std::collections::BTreeSet;

use decode::DecoderConfig;
use proptest::prelude::*;
use support::{read_blocks, show};

/// A line of each format with its fields in `<>`: what stands there otherwise, and after a colon the columns that the
/// field feeds. What is before the value says how it is written: see [`written`].
const LINES: &[(&str, &str)] = &[
    (
        "combined",
        r#"<192.0.2.1:client_ip> <-:host> <-:> [01/May/2024:12:00:00 +0000] "<"GET /a?b=c HTTP/1.1:method path query protocol scheme host>" <!200:status aborted> <!5:response_bytes> "<"https://a.example/:referer>" "<"curl/8.5.0:user_agent>""#,
    ),
    (
        "vhost_combined",
        r#"<shop.example:host> <192.0.2.1:client_ip> <-:host> <-:> [01/May/2024:12:00:00 +0000] "<"GET /a?b=c HTTP/1.1:method path query protocol scheme host>" <!200:status aborted> <!5:response_bytes> "<"https://a.example/:referer>" "<"curl/8.5.0:user_agent>""#,
    ),
    (
        "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\" $request_time $upstream_response_time $upstream_cache_status",
        r#"<192.0.2.1:client_ip> - <-:> [01/May/2024:12:00:00 +0000] "<"GET /a?b=c HTTP/1.1:method path query protocol scheme host>" <!200:status aborted> <!5:response_bytes> "<"https://a.example/:referer>" "<"curl/8.5.0:user_agent>" <!0.1:duration_us> <!0.1:> <!HIT:cache_status>"#,
    ),
    (
        "ssl_request",
        r#"[01/May/2024:12:00:00 +0000] <192.0.2.1:client_ip> <TLSv1.3:> <AES:> "<"GET /a?b=c HTTP/1.1:method path query protocol scheme host>" <!5:response_bytes>"#,
    ),
    (
        "traefik",
        r#"<192.0.2.1:client_ip> - <-:> [01/May/2024:12:00:00 +0000] "<"GET /a?b=c HTTP/1.1:method path query protocol scheme host>" <!200:status aborted> <!5:response_bytes> "<"-:referer>" "<"curl/8.5.0:user_agent>" <!1:> "<"r@docker:>" "<"http://10.0.0.1:>" 7ms"#,
    ),
    (
        "envoy",
        r#"[2024-05-01T12:00:00.000Z] "<"GET /a?b=c HTTP/1.1:method path query protocol scheme host>" <!200:status aborted> <-:aborted> <!3:request_bytes> <!5:response_bytes> <!7:duration_us> <!6:> "<"192.0.2.1:client_ip>" "<"curl/8.5.0:user_agent>" "<"id-1:request_id>" "<"shop.example:host>" "<"10.0.0.1\:80:>""#,
    ),
    (
        "haproxy",
        r#"192.0.2.1:40000 [01/May/2024:12:00:00.000] <!fe:> <!be:>/<!s1:> 0/0/0/1/1 <!200:status aborted> <!50:response_bytes> - - ---- 1/1/0/0/0 0/0 "<#GET /a?b=c HTTP/1.1:method path query protocol scheme host>""#,
    ),
    (
        "iis",
        "2024-05-01 12:00:00 <!10.0.0.5:> <!GET:method> <+/a:path query> <+b=c:query> <!443:> <+-:> <!192.0.2.1:client_ip> <+curl/8.5.0:user_agent> <+https\\://a.example/:referer> <!200:status aborted> <!0:> <!0:aborted> <!7:duration_us>",
    ),
    (
        "nginx_json",
        r#"{"time_iso8601":"2024-05-01T12:00:00Z","remote_addr":"<"192.0.2.1:client_ip>","request_method":"<"GET:method>","request_uri":"<"/a?b=c:path query scheme host>","http_host":"<"shop.example:host>","status":"<"200:status aborted>","body_bytes_sent":"<"5:response_bytes>","http_user_agent":"<"curl/8.5.0:user_agent>","http_referer":"<"-:referer>","request_id":"<"id-1:request_id>"}"#,
    ),
    (
        "cloudflare",
        r#"{"ClientIP":"<"192.0.2.1:client_ip>","ClientRequestHost":"<"shop.example:host>","ClientRequestMethod":"<"GET:method>","ClientRequestURI":"<"/a?b=c:path query scheme host>","EdgeEndTimestamp":"2024-05-01T12:00:00Z","EdgeResponseStatus":200,"ClientRequestUserAgent":"<"curl/8.5.0:user_agent>","RayID":"<"id-1:request_id>"}"#,
    ),
];

/// A piece of a line: text, or a field.
enum Part {
    Text(String),
    Field { mark: Option<char>, value: String, columns: Vec<String> },
}

fn parts(line: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = line;
    while let Some((text, behind)) = rest.split_once('<') {
        parts.push(Part::Text(text.to_owned()));
        let (field, tail) = behind.split_once('>').unwrap();
        let at = field
            .match_indices(':')
            .map(|(at, _)| at)
            .rfind(|at| !field[..*at].ends_with('\\'))
            .unwrap();
        let (value, columns) = (field[..at].replace("\\:", ":"), &field[at + 1..]);
        let mark = value.chars().next().filter(|mark| matches!(mark, '"' | '#' | '+' | '!'));
        let value = value[mark.map_or(0, char::len_utf8)..].to_owned();
        parts.push(Part::Field {
            mark,
            value,
            columns: columns.split_whitespace().map(str::to_owned).collect(),
        });
        rest = tail;
    }
    parts.push(Part::Text(rest.to_owned()));
    parts
}

/// A text as the writer of a field writes it: nobody writes a quote as it is, some escape
/// blanks, some write single words, and others any text.
fn written(mark: Option<char>, text: &str) -> String {
    match mark {
        Some('"') => text.replace('\\', "\\\\").replace('"', "\\\""),
        Some('#') => text.replace('#', "#23").replace('"', "#22"),
        Some('+') => text.replace(' ', "+").replace('"', "%22"),
        Some('!') => text.replace([' ', '/', '"'], "_"),
        _ => text.replace('"', "\\x22"),
    }
}

/// The line, with another text in one of its fields; the columns of that field.
fn line(parts: &[Part], other: Option<(usize, &str)>) -> (String, BTreeSet<String>) {
    let (mut line, mut fed, mut index) = (String::new(), BTreeSet::new(), 0);
    for part in parts {
        match part {
            Part::Text(text) => line.push_str(text),
            Part::Field { mark, value, columns } => {
                match other {
                    Some((at, text)) if at == index => {
                        line.push_str(&written(*mark, text));
                        fed.extend(columns.iter().cloned());
                    }
                    _ => line.push_str(value),
                }
                index += 1;
            }
        }
    }
    (line, fed)
}

/// The columns of the only row, without those of `fed`; `None` where there is none, or it is malformed.
fn row(format: &str, line: &str, fed: &BTreeSet<String>) -> Option<Vec<String>> {
    let (batches, _) = read_blocks(&DecoderConfig::of(format), [line.as_bytes()]);
    let shown = show(&batches);
    let shown = shown.strip_prefix("1 ")?.trim_end();
    if shown.starts_with("REJECT") || shown.contains(" malformed=true") {
        return None;
    }
    // Columns are told apart by the quotes around texts.
    let (mut columns, mut is_quoted, mut is_escaped) = (vec![String::new()], false, false);
    for character in shown.chars() {
        is_quoted ^= character == '"' && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        if character == ' ' && !is_quoted {
            columns.push(String::new());
        } else {
            columns.last_mut().unwrap().push(character);
        }
    }
    columns.retain(|column| {
        let name = column.split('=').next().unwrap();
        !fed.iter().any(|fed| fed == name)
    });
    Some(columns)
}

/// What somebody sends who wants to be taken for somebody else.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\" 200 5 \""),
        Just("] \"GET /evil HTTP/1.1\" 200 1 \"-\" \"x"),
        Just("[02/May/2024:12:00:00 +0000]"),
        Just("198.51.100.66"),
        Just("198.51.100.66 - - [02/May/2024:12:00:00 +0000] \"GET /evil HTTP/1.1\" 200 1"),
        Just(" - "),
        Just(" "),
        Just("-"),
        Just("\\"),
        Just("\""),
        Just("|"),
        Just(", "),
        Just(" : "),
        Just("{x|y}"),
        Just("web-1  | "),
        Just("GET /evil HTTP/1.1"),
        Just("200"),
        Just("#22"),
        Just("/"),
        Just("\u{1b}[0m"),
        Just("é"),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_field_changes_no_other(
        (format, template) in prop::sample::select(LINES.to_vec()),
        at in any::<prop::sample::Index>(),
        text in hostile(),
    ) {
        let parts = parts(template);
        let fields = parts.iter().filter(|part| matches!(part, Part::Field { .. })).count();
        let at = at.index(fields);
        let (changed, fed) = line(&parts, Some((at, &text)));
        let (plain, _) = line(&parts, None);
        let expected = row(format, &plain, &fed);
        prop_assert!(expected.is_some(), "{}", plain);
        if let Some(found) = row(format, &changed, &fed) {
            prop_assert_eq!(Some(found), expected, "{}", changed);
        }
    }
}

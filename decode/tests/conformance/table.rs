//! The README's table of formats is written from the test lines: what a format carries is what they fill.

use std::fmt::Write as _;

use arrow_array::Array as _;
use decode::{DecoderConfig, Format};
use expect_test::expect_file;

use super::{cases, format_of, support};

const START: &str = "<!-- formats: written by decode/tests/conformance/table.rs -->\n";
const END: &str = "<!-- end of formats -->\n";

/// What the table asks of a format: the columns that answer.
const CARRIES: [(&str, &[&str]); 7] = [
    ("host", &["host"]),
    ("duration", &["duration_us"]),
    ("user agent", &["user_agent"]),
    ("cache", &["cache_status"]),
    ("JA4", &["ja4"]),
    ("ASN, country", &["client_asn", "client_country"]),
    ("aborted", &["aborted"]),
];

/// Who writes a format, and which versions and quirks have test lines.
const WRITERS: &[(Format, &str, &str)] = &[
    (
        Format::Cloudflare,
        "Cloudflare Logpush, HTTP requests",
        "RFC 3339, Unix and UnixNano times; numbers as text; selected fields; cut lines",
    ),
    (
        Format::Combined,
        "nginx, Apache, LiteSpeed, Varnish, lighttpd, H2O",
        "`main` with its forwarded addresses; empty, binary and cut requests; quotes in values; missing size or user; timings behind; lighttpd's hosts; error-log lines between; of Varnish and H2O; in syslog, CRI, Filebeat, Fluent Bit, Vector and rsyslog envelopes; byte order mark",
    ),
    (Format::Common, "Apache, Tomcat", "names as clients; cut lines"),
    (
        Format::VhostCombined,
        "Apache, nginx, BunkerWeb",
        "with and without port, referer and user agent; IPv6 hosts, absolute URLs",
    ),
    (Format::SslRequest, "Apache, `ssl_request_log`", "no request; IPv6"),
    (Format::Floodmark, "JSON with the columns of `requests`", "text and numeric times"),
    (
        Format::NginxJson,
        "nginx `escape=json`",
        "usual spellings, also of Apache, Logstash and OpenResty; `\\x` escapes; whole requests or their parts",
    ),
    (Format::IngressNginx, "ingress-nginx", "retried upstreams; no upstream"),
    (
        Format::NginxProxyManager,
        "nginx Proxy Manager, proxied hosts",
        "with and without `[Sent-to …]`",
    ),
    (
        Format::NginxProxyManagerDefault,
        "nginx Proxy Manager, its own answers",
        "unreadable requests; with and without `[Sent-to …]`",
    ),
    (Format::Npmplus, "NPMplus", "user agents without quotes; TLS bytes"),
    (Format::Zoraxy, "Zoraxy", "queries; blanks in user agents"),
    (
        Format::Alb,
        "AWS Application Load Balancer",
        "requests that reached no target; further fields at the end",
    ),
    (
        Format::Cloudfront,
        "Amazon CloudFront standard log",
        "version 1, version 2 with selected fields, no header; `000`; cut lines",
    ),
    (
        Format::CloudfrontJson,
        "Amazon CloudFront standard log 2, JSON",
        "numbers as text; `%XX` in values",
    ),
    (
        Format::CloudfrontRealtime,
        "Amazon CloudFront real-time log",
        "all fields; others by `w3c-fields`",
    ),
    (
        Format::Iis,
        "Microsoft IIS, W3C",
        "a second header midway; no header and the usual fields of versions 6 to 10; `+` for blanks",
    ),
    (Format::Envoy, "Envoy, default text", "requests it refused; quotes in values"),
    (
        Format::EnvoyJson,
        "Envoy, Istio, Envoy Gateway, JSON",
        "keys with `-`, `_` and `:`; numbers as text; nulls; gRPC-Web, streams reset",
    ),
    (Format::Istio, "Istio, default text", "the downstream address as client"),
    (
        Format::Caddy,
        "Caddy 2",
        "before 2.5 and since; wall-clock times; other loggers' lines between; in Docker's envelope",
    ),
    (
        Format::Haproxy,
        "HAProxy `option httplog`",
        "captured headers; bad requests; TLS errors between; in syslog",
    ),
    (Format::HaproxyHttps, "HAProxy `option httpslog`", "captured headers; no server name"),
    (Format::HaproxyClf, "HAProxy `option httplog clf`", "no captured headers"),
    (Format::TraefikJson, "Traefik JSON", "kept headers, of version 3, too; forwarded addresses as client; no router"),
    (Format::Traefik, "Traefik common log", "no router"),
    (
        Format::Fastly,
        "Fastly JSON, usual keys",
        "blanks around values; Splunk's `event`, Datadog's objects",
    ),
    (Format::GcpLb, "Google Cloud load balancers", "latency with its unit; flags for the cache"),
    (
        Format::AzureFrontDoor,
        "Azure Front Door",
        "numbers as text; records in `records`, as Event Hubs batches them",
    ),
    (
        Format::AzureAppGateway,
        "Azure Application Gateway",
        "version 1 in milliseconds, with what it adds to queries; version 2 in seconds; records in `records`",
    ),
    (Format::Akamai, "Akamai DataStream 2, JSON", "`%XX` in values"),
    (Format::Ocsf, "OCSF HTTP Activity 4002", "lists of fingerprints"),
    (Format::Ecs, "Elastic Common Schema", "nested and flat keys"),
    (
        Format::Otel,
        "OpenTelemetry HTTP server spans and logs",
        "flat, nested, `attributes`; OTLP with any number of spans or log records; semantic conventions before 1.20",
    ),
    (Format::AwsWaf, "AWS WAF", "headers in any spelling; requests it answered itself"),
    (
        Format::ApiGateway,
        "Amazon API Gateway, JSON",
        "keys of the documentation for REST and HTTP APIs; times in words and as a number",
    ),
    (Format::S3, "Amazon S3 server access log", "errors; lines of years before without the last fields"),
    (Format::Elb, "AWS Classic Load Balancer", "requests that reached no back end"),
    (Format::Kong, "Kong, log plugins", "no route"),
    (Format::Apisix, "Apache APISIX, access log", "retried upstreams"),
    (Format::ApisixJson, "Apache APISIX, logger plugins", "failed requests"),
    (Format::Apigee, "Apigee, names of its analytics", "the resolved client"),
    (Format::HaproxyJson, "HAProxy, JSON format strings in use", "nested and flat; no server"),
    (
        Format::CloudflareWorkers,
        "Cloudflare Workers trace events, `wrangler tail`",
        "cancelled requests; events without a request",
    ),
    (Format::AkamaiSiem, "Akamai SIEM integration", "`%XX` in values"),
    (Format::Bunny, "bunny.net, raw log", "bars in user agents"),
    (Format::Keycdn, "KeyCDN, raw log", "bars in user agents; ranges"),
    (
        Format::Squid,
        "Squid, native log",
        "tunnels; denied, aborted and unreadable requests; cache results with suffixes",
    ),
];

/// A line of the table.
fn row(format: Format, writer: &str, quirks: &str) -> String {
    let (mut lines, mut carries) = (0, [false; CARRIES.len()]);
    for case in cases().iter().filter(|case| format_of(case) == format) {
        let text = std::fs::read(case).unwrap();
        lines += text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
        let (batches, _) = support::read_blocks(&DecoderConfig::of(format.name()), [&*text]);
        for batch in &batches {
            let rows = batch.requests.record_batch();
            let is_filled = |column: &&str| {
                rows.column_by_name(column).is_some_and(|column| column.null_count() < column.len())
            };
            for (carries, (head, columns)) in carries.iter_mut().zip(CARRIES) {
                // Its hosts are those of absolute URLs, its statuses of nginx alone.
                let by_chance = matches!(head, "host" | "aborted") && format == Format::Combined;
                *carries |= !by_chance && columns.iter().all(&is_filled);
            }
        }
    }
    let mut line = format!("| `{format}` | {writer} | {quirks} | {lines} |");
    for carries in carries {
        line.push_str(if carries { " ✓ |" } else { "  |" });
    }
    line
}

#[test]
fn the_readme_lists_every_format() {
    let heads = CARRIES.map(|(head, _)| head).join(" | ");
    let mut table = format!("| format | written by | tested with | lines | {heads} |\n");
    writeln!(table, "| --- | --- | --- | --: |{}", " :-: |".repeat(CARRIES.len())).unwrap();
    for (format, writer, quirks) in WRITERS {
        writeln!(table, "{}", row(*format, writer, quirks)).unwrap();
    }
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"));
    let readme = readme.unwrap();
    let (before, rest) = readme.split_once(START).expect("the README has a place for the formats");
    let (_, after) = rest.split_once(END).expect("the formats end");
    expect_file!["../../../README.md"]
        .assert_eq(&format!("{before}{START}\n{table}\n{END}{after}"));
}

#[test]
fn every_format_with_test_lines_is_listed() {
    let with_lines =
        Format::ALL.iter().filter(|format| cases().iter().any(|case| format_of(case) == **format));
    let listed: Vec<_> = WRITERS.iter().map(|(format, ..)| *format).collect();
    assert_eq!(with_lines.copied().collect::<Vec<_>>(), listed);
}

//! The table of formats in `docs/formats.md` is written from the test lines: what a format carries is what they fill.

use std::fmt::Write as _;

use arrow_array::Array as _;
use decode::{DecoderConfig, Format};
use expect_test::expect_file;

use super::{cases, format_of, package, support};

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

/// Which versions and quirks of a format have test lines.
const QUIRKS: &[(Format, &str)] = &[
    (
        Format::Cloudflare,
        "RFC 3339, Unix and UnixNano times; numbers as text; selected fields; cut lines; CSV with its header, else by `w3c-fields`; batches in a list",
    ),
    (
        Format::Combined,
        "`main` with its forwarded addresses; empty, binary and cut requests; quotes in values; missing size or user; timings behind; lighttpd's hosts; error-log lines between; of Varnish and H2O; in syslog, CRI, Filebeat, Fluent Bit, Vector and rsyslog envelopes; byte order mark",
    ),
    (Format::Common, "names as clients; cut lines"),
    (
        Format::VhostCombined,
        "with and without port, referer and user agent; IPv6 hosts, absolute URLs",
    ),
    (Format::SslRequest, "no request; IPv6"),
    (Format::Floodmark, "text and numeric times"),
    (
        Format::NginxJson,
        "usual spellings, also of Apache, Logstash and OpenResty; `\\x` escapes; whole requests or their parts",
    ),
    (Format::IngressNginx, "retried upstreams; no upstream"),
    (Format::NginxProxyManager, "with and without `[Sent-to …]`"),
    (Format::NginxProxyManagerDefault, "unreadable requests; with and without `[Sent-to …]`"),
    (Format::Npmplus, "user agents without quotes; TLS bytes"),
    (Format::Zoraxy, "queries; blanks in user agents"),
    (Format::Alb, "requests that reached no target; further fields at the end"),
    (Format::Cloudfront, "version 1, version 2 with selected fields, no header; `000`; cut lines"),
    (Format::CloudfrontJson, "numbers as text; `%XX` in values"),
    (Format::CloudfrontRealtime, "all fields; others by `w3c-fields`"),
    (
        Format::Iis,
        "a second header midway; no header and the usual fields of versions 6 to 10; `+` for blanks",
    ),
    (Format::Envoy, "requests it refused; quotes in values"),
    (
        Format::EnvoyJson,
        "keys with `-`, `_` and `:`; numbers as text; nulls; gRPC-Web, streams reset",
    ),
    (Format::Istio, "the downstream address as client"),
    (
        Format::Caddy,
        "before 2.5 and since; wall-clock times; other loggers' lines between; in Docker's envelope",
    ),
    (Format::Haproxy, "captured headers; bad requests; TLS errors between; in syslog"),
    (Format::HaproxyHttps, "captured headers; no server name"),
    (Format::HaproxyClf, "no captured headers"),
    (
        Format::TraefikJson,
        "kept headers, of version 3, too; forwarded addresses as client; no router; by OTLP",
    ),
    (Format::Traefik, "no router"),
    (Format::Fastly, "blanks around values; Splunk's `event`, Datadog's objects"),
    (Format::GcpLb, "latency with its unit; flags for the cache; fingerprints of Cloud Armor"),
    (Format::AzureFrontDoor, "numbers as text; records in `records`, as Event Hubs batches them"),
    (
        Format::AzureAppGateway,
        "version 1 in milliseconds, with what it adds to queries; version 2 in seconds; records in `records`",
    ),
    (Format::Akamai, "`%XX` in values; structured with all fields, others by `w3c-fields`"),
    (Format::Ocsf, "lists of fingerprints"),
    (Format::Ecs, "nested and flat keys"),
    (
        Format::Otel,
        "flat, nested, `attributes`; OTLP with any number of spans or log records; semantic conventions before 1.20",
    ),
    (Format::AwsWaf, "headers in any spelling; requests it answered itself"),
    (
        Format::ApiGateway,
        "keys of the documentation for REST and HTTP APIs, its CSV, and by name its CLF; times in words and as a number",
    ),
    (Format::S3, "errors; lines of years before without the last fields"),
    (Format::Elb, "requests that reached no back end"),
    (Format::Kong, "no route"),
    (Format::Apisix, "retried upstreams"),
    (Format::ApisixJson, "failed requests"),
    (Format::Apigee, "the resolved client"),
    (Format::HaproxyJson, "nested and flat, of version 3; no server"),
    (Format::CloudflareWorkers, "cancelled requests; events without a request"),
    (Format::AkamaiSiem, "`%XX` in values"),
    (Format::Bunny, "bars in user agents"),
    (Format::BunnyExtended, "ranges; bars in user agents"),
    (Format::Keycdn, "bars in user agents; ranges"),
    (
        Format::Squid,
        "tunnels; denied, aborted and unreadable requests; cache results with suffixes; headers behind",
    ),
];

/// A line of the table.
fn row(format: Format, quirks: &str) -> String {
    let writer = format.writer();
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
fn the_page_lists_every_format() {
    let heads = CARRIES.map(|(head, _)| head).join(" | ");
    let mut table = format!("| format | written by | tested with | lines | {heads} |\n");
    writeln!(table, "| --- | --- | --- | --: |{}", " :-: |".repeat(CARRIES.len())).unwrap();
    for (format, quirks) in QUIRKS {
        writeln!(table, "{}", row(*format, quirks)).unwrap();
    }
    let page = std::fs::read_to_string(package::folder().join("../docs/formats.md")).unwrap();
    let (before, rest) = page.split_once(START).expect("the page has a place for the formats");
    let (_, after) = rest.split_once(END).expect("the formats end");
    expect_file!["../../../docs/formats.md"]
        .assert_eq(&format!("{before}{START}\n{table}\n{END}{after}"));
}

#[test]
fn every_format_with_test_lines_is_listed() {
    let with_lines =
        Format::ALL.iter().filter(|format| cases().iter().any(|case| format_of(case) == **format));
    let listed: Vec<_> = QUIRKS.iter().map(|(format, _)| *format).collect();
    assert_eq!(with_lines.copied().collect::<Vec<_>>(), listed);
}
